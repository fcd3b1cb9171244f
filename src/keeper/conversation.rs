//! A login that asks the viewer something: it runs to its end on a thread of its own, and rests
//! there while the question is open. Who has asked for the login gets the question, and comes back
//! with the answer, or gives the login up.
//!
//! The lock of the logins is let go before the first question: nobody else waits for somebody who
//! types. A question that nobody answers ends the login; so does an interpreter that is gone.

use super::begun_login::BegunLogin;
use super::handle::Keeper;
use super::login::{Admission, STORE_TIMEOUT, Stored, check_credentials};
use super::report::Status;
use crate::cancel::{Cancel, Left, await_result, cancelled};
use crate::clock::{Clock, UnixTime};
use crate::error::{Error, Kind, Result};
use crate::lock::Guard;
use crate::login::{self, Nobody, Question, Viewer};
use crate::secret::Secret;
use crate::session::Credentials;
use crate::vault::BusyTimeout;
use serde::Serialize;
use std::cell::Cell;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a question stays open.
const LONGEST_QUESTION: Duration = Duration::from_secs(300);

/// How long a login that is given up may take to say so.
const LAST_WORD: Duration = Duration::from_secs(3);

/// How long a login may overlook that its time is up.
const SLICE: Duration = Duration::from_millis(20);

/// The most questions that are open; nobody answers older ones.
const KEPT: usize = 8;

/// A longer answer is none.
const LONGEST_ANSWER: usize = 4096;

/// How far a login is: done, or it asks for something.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum LoginTurn {
    /// The handle is for [`Keeper::answer_login`].
    Asked {
        handle: u64,
        question: OpenQuestion,
    },
    Done(Status),
}

/// A question, and until when it can be answered.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Question"))]
pub struct OpenQuestion {
    #[serde(flatten)]
    pub question: Question,
    pub expires_at: UnixTime,
}

/// The logins that rest while somebody answers, by number.
#[derive(Default)]
pub struct Conversations(Mutex<Open>);

#[derive(Default)]
struct Open {
    last: u64,
    all: Vec<(u64, String, Conversation)>,
}

/// A login's two ends: what comes of it, and what it waits for. Without them it ends.
struct Conversation {
    turns: Receiver<Turn>,
    answers: Sender<Secret>,
    cancel: Cancel,
}

enum Turn {
    Asked(OpenQuestion),
    Done(Box<Result<Stored>>),
}

impl Keeper {
    /// Logs in as [`Keeper::log_in`] does, and asks what the service asks.
    pub fn start_login(
        &self,
        username: &str,
        password: &Secret,
        cancel: &Cancel,
    ) -> Result<LoginTurn> {
        check_credentials(username, password)?;
        self.vault()?.change_mark()?;
        let (tell, turns) = channel();
        let (answers, given) = channel();
        let conversation = Conversation { turns, answers, cancel: Cancel::new() };
        let keeper = self.with_timeout(BusyTimeout::of(STORE_TIMEOUT));
        let (name, secret, cancelled) =
            (username.to_owned(), password.clone(), conversation.cancel.clone());
        let work = move || {
            let _working = keeper.shared.running.register(&keeper.provider.key, &cancelled);
            let clock = Arc::clone(&keeper.shared.clock);
            let mut caller =
                Caller { turns: &tell, answers: given, clock: &*clock, cancel: &cancelled };
            let done = keeper.logged(|| keeper.log_in_for(&mut caller, &name, &secret, &cancelled));
            // Where nobody waits any more, it is stored all the same.
            let _ = tell.send(Turn::Done(Box::new(done)));
        };
        let thread = std::thread::Builder::new().name("sessionkeeper-login".into()).spawn(work);
        thread.map_err(|_| broken())?;
        self.next_turn(conversation, cancel)
    }

    /// Answers what a login has asked; `None` gives the login up.
    pub fn answer_login(
        &self,
        number: u64,
        answer: Option<&Secret>,
        cancel: &Cancel,
    ) -> Result<LoginTurn> {
        let answer = answer.map(checked).transpose()?;
        let conversation = self.shared.conversations.take(&self.provider.key, number);
        let conversation = conversation.ok_or_else(|| {
            Error::new(Kind::InvalidInput, "nobody waits for this answer (any more)")
                .with_hint("Log in again.")
        })?;
        let Some(answer) = answer else { return Err(conversation.give_up(cancel)) };
        // A login whose time was up has said so.
        let _ = conversation.answers.send(answer);
        self.next_turn(conversation, cancel)
    }

    /// Waits until the login asks or is done. A caller that is cancelled leaves at once.
    fn next_turn(&self, conversation: Conversation, cancel: &Cancel) -> Result<LoginTurn> {
        match await_result(&conversation.turns, cancel, None) {
            Ok(Turn::Asked(question)) => {
                let key = &self.provider.key;
                let handle = self.shared.conversations.put(key, conversation);
                Ok(LoginTurn::Asked { question, handle })
            }
            Ok(Turn::Done(stored)) => Ok(LoginTurn::Done(self.welcome((*stored)?, cancel))),
            Err(Left::Cancelled) => {
                conversation.cancel.cancel();
                Err(cancelled())
            }
            Err(Left::Broken | Left::Late) => Err(broken()),
        }
    }

    /// Logs in, and asks `viewer` what the service asks.
    pub(super) fn log_in_for(
        &self,
        viewer: &mut dyn Viewer,
        username: &str,
        password: &Secret,
        cancel: &Cancel,
    ) -> Result<Stored> {
        let lock = Cell::new(Some(self.shared.login_lock.lock(self.lock_timeout, cancel)?));
        let mut viewer = Unhurried { viewer, lock: &lock };
        let begun = BegunLogin::new(self, username)?;
        self.admit(begun, Held(&lock), Credentials::new(), cancel, |context, held, progress| {
            log::info!("logging in at {}", context.provider.name);
            login::log_in(context, username, password, held, (progress, &mut viewer))?;
            Ok(Admission::default())
        })
    }

    /// Logs in where nobody is there to answer.
    pub(super) fn log_in_alone(
        &self,
        username: &str,
        password: &Secret,
        cancel: &Cancel,
    ) -> Result<Stored> {
        self.log_in_for(&mut Nobody, username, password, cancel)
    }
}

impl Conversation {
    /// Ends the login, and waits a moment until the server has been told.
    fn give_up(&self, cancel: &Cancel) -> Error {
        self.cancel.cancel();
        let until = Some(Instant::now() + LAST_WORD);
        if let Ok(Turn::Done(last)) = await_result(&self.turns, cancel, until)
            && let Err(error) = *last
            && error.kind() != Kind::Cancelled
        {
            return error;
        }
        Error::new(Kind::Cancelled, "the login was given up before it was done")
    }
}

/// Whoever called, at the other end of the channels.
struct Caller<'a> {
    turns: &'a Sender<Turn>,
    answers: Receiver<Secret>,
    clock: &'a dyn Clock,
    cancel: &'a Cancel,
}

impl Viewer for Caller<'_> {
    fn ask(&mut self, question: Question) -> Result<Secret> {
        let seconds = i64::try_from(LONGEST_QUESTION.as_secs()).unwrap_or(0);
        let expires_at = self.clock.now().saturating_add(seconds);
        let deadline = self.clock.instant() + LONGEST_QUESTION;
        let asked = Turn::Asked(OpenQuestion { question, expires_at });
        self.turns.send(asked).map_err(|_| cancelled())?;
        loop {
            match self.answers.recv_timeout(SLICE) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Disconnected) => return Err(cancelled()),
                Err(RecvTimeoutError::Timeout) => self.cancel.check()?,
            }
            if self.clock.instant() >= deadline {
                return Err(login::too_late());
            }
        }
    }
}

/// Lets the lock go before it asks.
struct Unhurried<'a, 'lock> {
    viewer: &'a mut dyn Viewer,
    lock: &'a Cell<Option<Guard<'lock>>>,
}

impl Viewer for Unhurried<'_, '_> {
    fn ask(&mut self, question: Question) -> Result<Secret> {
        drop(self.lock.take());
        self.viewer.ask(question)
    }
}

/// Lets the lock go, unless that was done.
struct Held<'a, 'lock>(&'a Cell<Option<Guard<'lock>>>);

impl Drop for Held<'_, '_> {
    fn drop(&mut self) {
        drop(self.0.take());
    }
}

impl Conversations {
    fn put(&self, provider: &str, conversation: Conversation) -> u64 {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.last += 1;
        let number = open.last;
        if open.all.len() == KEPT {
            open.all.remove(0);
        }
        open.all.push((number, provider.to_owned(), conversation));
        number
    }

    fn take(&self, provider: &str, number: u64) -> Option<Conversation> {
        let all = &mut self.0.lock().unwrap_or_else(PoisonError::into_inner).all;
        let index = all.iter().position(|(of, whose, _)| *of == number && whose == provider)?;
        Some(all.remove(index).2)
    }
}

/// What was typed, without the blanks around it.
fn checked(answer: &Secret) -> Result<Secret> {
    let text = answer.expose().trim();
    let refuse = |why: &str| Err(Error::new(Kind::InvalidInput, format!("the answer {why}")));
    if text.is_empty() {
        return refuse("is empty");
    }
    if text.len() > LONGEST_ANSWER {
        return refuse("is longer than 4096 bytes");
    }
    if text.contains(|c: char| c.is_control()) {
        return refuse("contains a control character");
    }
    Ok(Secret::new(text))
}

fn broken() -> Error {
    Error::new(Kind::Internal, "the operation hit a bug")
}
