//! A login that asks the viewer something: it runs to its end on a thread of its own, and rests
//! there while the question is open. Who has asked for the login gets the question, and comes back
//! with the answer, or gives the login up.
//!
//! The lock of the logins is let go before the first question: nobody else waits for somebody who
//! types. A question that nobody answers ends the login; so does an interpreter that is gone.

use super::begun_login::BegunLogin;
use super::handle::Keeper;
use super::login::{Admission, STORE_TIMEOUT, Stored, check_credentials};
use super::questions::{Conversation, OpenQuestion, Turn};
use super::report::Status;
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::lock::Guard;
use crate::login::{self, Nobody, Question, Viewer};
use crate::secret::Secret;
use crate::vault::BusyTimeout;
use serde::Serialize;
use std::cell::Cell;
use std::sync::Arc;

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

impl Keeper {
    /// Logs in as [`Keeper::log_in`] does, and asks what the service asks.
    pub fn start_login(
        &self,
        username: &str,
        password: &Secret,
        cancel: &Cancel,
    ) -> Result<LoginTurn> {
        check_credentials(username, password)?;
        self.check_encryption()?;
        self.vault()?.change_mark()?;
        let (conversation, mut caller) = Conversation::new(Arc::clone(&self.shared.clock));
        let keeper = self.with_timeout(BusyTimeout::of(STORE_TIMEOUT));
        let (name, secret) = (username.to_owned(), password.clone());
        let work = move || {
            let cancel = caller.cancel();
            let working = keeper.shared.running.register(&keeper.provider.key, &cancel);
            let done = keeper.logged(|| keeper.log_in_for(&mut caller, &name, &secret, &cancel));
            drop(working);
            caller.finish(done);
        };
        let thread = std::thread::Builder::new().name("sessionkeeper-login".into()).spawn(work);
        thread.map_err(|_| {
            Error::new(Kind::Internal, "no thread could be started")
                .with_hint("The system is out of memory or threads.")
        })?;
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
        let conversation = self.shared.questions.take(&self.provider.key, number);
        let conversation = conversation.ok_or_else(|| {
            Error::new(Kind::InvalidInput, "nobody waits for this answer (any more)")
                .with_hint("Log in again.")
        })?;
        let Some(answer) = answer else { return Err(conversation.give_up(cancel)) };
        conversation.answer(answer);
        self.next_turn(conversation, cancel)
    }

    fn next_turn(&self, conversation: Conversation, cancel: &Cancel) -> Result<LoginTurn> {
        match conversation.next(cancel)? {
            Turn::Asked(question) => {
                let handle = self.shared.questions.put(&self.provider.key, conversation);
                Ok(LoginTurn::Asked { question, handle })
            }
            Turn::Done(stored) => Ok(LoginTurn::Done(self.welcome((*stored)?, cancel))),
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
        self.admit(begun, Held(&lock), self.begin_with()?, cancel, |context, held, progress| {
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
