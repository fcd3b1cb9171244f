//! The questions of logins that are open in this process, and the two ends of each: the login, which
//! rests on a thread of its own, and whoever has asked for it.

use crate::cancel::{Cancel, Left, await_result, cancelled};
use crate::clock::{Clock, UnixTime};
use crate::error::{Error, Kind, Result};
use crate::login::{self, Question, Viewer};
use crate::secret::Secret;
use crate::session::Session;
use crate::vault::OutboxEntry;
use serde::Serialize;
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
pub struct Questions(Mutex<Open>);

#[derive(Default)]
struct Open {
    last: u64,
    all: Vec<(u64, String, Conversation)>,
}

/// A login's two ends: what comes of it, and what it waits for. Without them it ends.
pub struct Conversation {
    turns: Receiver<Turn>,
    answers: Sender<Secret>,
    cancel: Cancel,
}

pub enum Turn {
    Asked(OpenQuestion),
    Done(Box<Result<(Session, Vec<OutboxEntry>)>>),
}

impl Conversation {
    /// The two ends.
    pub fn new(clock: Arc<dyn Clock>) -> (Self, Caller) {
        let (tell, turns) = channel();
        let (answers, given) = channel();
        let cancel = Cancel::new();
        let caller = Caller { turns: tell, answers: given, clock, cancel: cancel.clone() };
        (Conversation { turns, answers, cancel }, caller)
    }

    /// Waits until the login asks or is done. A caller that is cancelled leaves at once, and the
    /// login is given up.
    pub fn next(&self, cancel: &Cancel) -> Result<Turn> {
        await_result(&self.turns, cancel, None).map_err(|left| match left {
            Left::Cancelled => {
                self.cancel.cancel();
                cancelled()
            }
            Left::Broken | Left::Late => Error::new(Kind::Internal, "the operation hit a bug"),
        })
    }

    /// A login whose time was up has said so.
    pub fn answer(&self, answer: Secret) {
        let _ = self.answers.send(answer);
    }

    /// Ends the login, and waits a moment until the server has been told.
    pub fn give_up(&self, cancel: &Cancel) -> Error {
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
pub struct Caller {
    turns: Sender<Turn>,
    answers: Receiver<Secret>,
    clock: Arc<dyn Clock>,
    cancel: Cancel,
}

impl Caller {
    /// What ends the login while it rests.
    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Where nobody waits any more, that is all right.
    pub fn finish(self, done: Result<(Session, Vec<OutboxEntry>)>) {
        let _ = self.turns.send(Turn::Done(Box::new(done)));
    }
}

impl Viewer for Caller {
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

impl Questions {
    pub fn put(&self, provider: &str, conversation: Conversation) -> u64 {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.last += 1;
        let number = open.last;
        if open.all.len() == KEPT {
            open.all.remove(0);
        }
        open.all.push((number, provider.to_owned(), conversation));
        number
    }

    pub fn take(&self, provider: &str, number: u64) -> Option<Conversation> {
        let all = &mut self.0.lock().unwrap_or_else(PoisonError::into_inner).all;
        let index = all.iter().position(|(of, whose, _)| *of == number && whose == provider)?;
        Some(all.remove(index).2)
    }
}
