//! The way in: log in, and be back after a restart.
//!
//! Logins and renewals pass one door, in this process and across processes. Each runs to its end on
//! a thread of its own: a caller that is cancelled leaves at once, and what the server gave by then
//! is kept, or revoked.

use super::Keeper;
use super::report::Status;
use crate::audit::{Event, Record};
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::http::Jar;
use crate::login::{self, Visit};
use crate::secret::Secret;
use crate::session::Session;
use std::sync::mpsc;
use std::time::Duration;

/// How soon a cancelled caller leaves.
const SLICE: Duration = Duration::from_millis(20);

impl Keeper {
    /// Signs in. A session that is there already is replaced: the new one is stored first, then the
    /// old one goes to the outbox.
    pub fn log_in(&self, username: &str, password: &Secret, cancel: &Cancel) -> Result<Status> {
        check_credentials(username, password)?;
        self.house.vault()?;
        let (name, secret) = (username.to_owned(), password.clone());
        self.to_its_end(cancel, move |keeper, cancel| keeper.sign_in(&name, &secret, cancel))?;
        self.status()
    }

    fn sign_in(&self, username: &str, password: &Secret, cancel: &Cancel) -> Result<()> {
        let _working = self.house.working(&self.provider.id, cancel);
        let inside = self.house.door.enter(cancel)?;
        log::info!("logging in at {}", self.provider.name);
        let client = self.client()?;
        let visit = Visit { client: &client, provider: &self.provider, cancel };
        let mut jar = Jar::new();
        let stored = login::log_in(&visit, username, password, &mut jar)
            .and_then(|()| self.session_from(&jar, username))
            .and_then(|session| self.store_login(session, cancel));
        drop(inside);
        match stored {
            Ok(session) => {
                log::info!("signed in");
                let account = &session.account.id;
                self.house.state().restored.insert(session.id);
                self.house.events.tell(Event::Login.name(), &self.provider.id, account, "ok");
                Ok(())
            }
            Err(error) => {
                log::warn!("the login failed ({}): {error}", error.code());
                self.note(Event::Login, "", error.code());
                if error.kind() != Kind::CredentialsRefused {
                    self.revoke_unstored(&jar, username, &Cancel::new());
                }
                Err(error)
            }
        }
    }

    fn store_login(&self, session: Session, cancel: &Cancel) -> Result<Session> {
        let record = self.record(Event::Login, &session.account.id, "ok", "");
        let mut retired = Vec::new();
        let mut retire = |old: &Session| {
            retired.push(old.clone());
            self.revocation(old, Duration::ZERO).ok()
        };
        let turn = self.house.turn();
        let stored = cancel
            .check()
            .and_then(|()| self.house.vault()?.log_in(session, &mut retire, &record))?;
        drop(turn);
        for old in &retired {
            self.house.forget_session(old);
        }
        Ok(stored)
    }

    /// Brings the session back: from the disk first, then renewed where that is due. Without a
    /// network the session stays as it is, unless its token has ended.
    pub fn restore(&self, is_offline: bool, cancel: &Cancel) -> Result<Status> {
        let Some(live) = self.house.live(&self.provider.id)? else { return self.status() };
        let is_first = self.house.state().restored.insert(live.session.id.clone());
        if is_first {
            log::info!("restored the session from the vault");
            let account = &live.session.account.id;
            self.note(Event::Restored, account, "ok");
            self.house.events.tell(Event::Restored.name(), &self.provider.id, account, "ok");
        }
        if is_offline || !self.needs_renewal(&live) {
            return self.status();
        }
        match self.renew_from(&live, false, cancel) {
            Err(error) if error.kind() == Kind::SessionExpired => self.status(),
            Err(error) if self.has_lapsed(&live) => Err(error),
            _ => self.status(),
        }
    }

    /// Runs `work` on a thread of its own. A cancel lets the caller go at once; the work gets the
    /// cancel too, and obeys it as far as nothing can be lost by that.
    pub(super) fn to_its_end<T: Send + 'static>(
        &self,
        cancel: &Cancel,
        work: impl FnOnce(&Keeper, &Cancel) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let (keeper, shared) = (self.clone(), cancel.clone());
        let body = move || {
            let result = keeper.logged(|| work(&keeper, &shared));
            // Nobody takes it when the caller has left; it is stored or revoked all the same.
            let _ = sender.send(result);
        };
        std::thread::Builder::new()
            .name("sessionkeeper-login".into())
            .spawn(body)
            .map_err(|_| Error::new(Kind::Internal, "no thread could be started"))?;
        loop {
            match receiver.recv_timeout(SLICE) {
                Ok(result) => return result,
                Err(mpsc::RecvTimeoutError::Timeout) => cancel.check()?,
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(Error::new(Kind::Internal, "the operation failed inside"));
                }
            }
        }
    }

    pub(super) fn record(
        &self,
        event: Event,
        account: &str,
        outcome: &str,
        detail: &str,
    ) -> Record {
        Record {
            event,
            provider: self.provider.id.clone(),
            account: account.to_owned(),
            outcome: outcome.to_owned(),
            detail: detail.to_owned(),
        }
    }

    /// An audit line of its own; that it cannot be written stops nothing.
    pub(super) fn note(&self, event: Event, account: &str, outcome: &str) {
        let record = self.record(event, account, outcome, "");
        if let Err(error) = self.house.vault().and_then(|vault| vault.append(&record)) {
            log::error!("the audit trail could not be written: {error}");
        }
    }
}

fn check_credentials(username: &str, password: &Secret) -> Result<()> {
    let refuse =
        |what: &str, why: &str| Err(Error::new(Kind::InvalidInput, format!("the {what} {why}")));
    for (what, text) in [("user name", username), ("password", password.expose())] {
        if text.trim().is_empty() {
            return refuse(what, "is empty");
        }
        if text.len() > 4096 {
            return refuse(what, "is longer than 4096 bytes");
        }
        if text.contains(|c: char| c.is_control()) {
            return refuse(what, "contains a control character");
        }
    }
    Ok(())
}
