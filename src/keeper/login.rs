//! Logging in, and being back after a restart.
//!
//! Logins and renewals take `login_lock`, in this process and across processes. Each runs to its
//! end on a thread of its own: a caller that is cancelled leaves at once, and what the server gave
//! by then is kept, or revoked.

use super::Keeper;
use super::report::Status;
use crate::audit::{Event, NewAuditEvent};
use crate::cancel::{Cancel, run_beside};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::http::Client;
use crate::login::{self, Device};
use crate::secret::Secret;
use crate::session::Credentials;
use crate::session::Session;
use std::time::Duration;

impl Keeper {
    /// Logs in. A session of the same account is replaced: the new one is stored first, then the
    /// old one goes to the outbox. Other accounts stay, but are not the active one any more.
    pub fn log_in(&self, username: &str, password: &Secret, cancel: &Cancel) -> Result<Status> {
        check_credentials(username, password)?;
        self.shared.vault()?;
        let (name, secret) = (username.to_owned(), password.clone());
        self.to_its_end(cancel, move |keeper, cancel| {
            let _working = keeper.shared.running.register(&keeper.provider.key, cancel);
            let inside = keeper.shared.login_lock.lock(cancel)?;
            log::info!("logging in at {}", keeper.provider.name);
            let client = keeper.client()?;
            let mut credentials = Credentials::new();
            let done =
                login::log_in(&keeper.context(&client, cancel), &name, &secret, &mut credentials);
            keeper.keep_login(done, &credentials, &name, cancel, || drop(inside))
        })?;
        self.status()
    }

    /// Asks for a code that the user enters on another device. The number is for
    /// [`Keeper::finish_device_login`]; the code is only kept in this process.
    pub fn start_device_login(&self, cancel: &Cancel) -> Result<(u64, Device)> {
        self.shared.vault()?;
        let client = self.client()?;
        let device = login::ask_for_code(&self.context(&client, cancel))?;
        log::info!("asked for a code to log in at {}", self.provider.name);
        Ok((self.shared.device_codes.put(&self.provider.key, &device), device))
    }

    /// Waits until the code has been entered, then logs in.
    pub fn finish_device_login(&self, number: u64, cancel: &Cancel) -> Result<Status> {
        let device =
            self.shared.device_codes.take(&self.provider.key, number).ok_or_else(|| {
                Error::new(Kind::InvalidInput, "nobody waits for this code (any more)")
                    .with_hint("Ask for a new code.")
            })?;
        self.to_its_end(cancel, move |keeper, cancel| {
            let _working = keeper.shared.running.register(&keeper.provider.key, cancel);
            let client = keeper.client()?;
            let mut credentials = Credentials::new();
            let context = keeper.context(&client, cancel);
            let done = login::await_approval(&context, &device, &mut credentials);
            keeper.keep_login(done, &credentials, "", cancel, || {})
        })?;
        self.status()
    }

    pub(super) fn context<'a>(&'a self, client: &'a Client, cancel: &'a Cancel) -> Context<'a> {
        Context { client, provider: &self.provider, clock: &*self.shared.clock, cancel }
    }

    /// Stores what a login came to, or revokes what it left behind.
    fn keep_login(
        &self,
        done: Result<()>,
        credentials: &Credentials,
        username: &str,
        cancel: &Cancel,
        leave: impl FnOnce(),
    ) -> Result<()> {
        let stored = done
            .and_then(|()| self.session_from(credentials.clone(), username))
            .and_then(|session| self.store_login(&session, cancel));
        leave();
        match stored {
            Ok(session) => {
                log::info!("logged in");
                let account = &session.account.id;
                self.shared.sessions.is_first_restore(&session.id);
                self.publish(Event::Login, account, "ok");
                Ok(())
            }
            Err(error) => {
                log::warn!("the login failed ({}): {error}", error.code());
                self.note(Event::Login, "", error.code());
                if error.kind() != Kind::CredentialsRefused {
                    self.revoke_unstored(credentials, username, &Cancel::new());
                }
                Err(error)
            }
        }
    }

    fn store_login(&self, session: &Session, cancel: &Cancel) -> Result<Session> {
        let audit_event = self.audit_event(Event::Login, &session.account.id, "ok", "");
        let commit_lock = self.shared.commit_lock();
        cancel.check()?;
        let (stored, replaced) = self.shared.vault()?.transact(|tx| {
            let mut replaced = tx.sessions().list(Some(&session.provider))?;
            replaced.retain(|old| old.session.account.id == session.account.id);
            for old in replaced.iter().map(|old| &old.session) {
                tx.sessions().delete(old)?;
                if let Ok(revocation) = self.revocation(old, Duration::ZERO) {
                    tx.outbox().enqueue(&revocation)?;
                }
            }
            let stored = tx.sessions().insert(session.clone())?;
            tx.sessions().activate(&stored.provider, &stored.account.id)?;
            tx.audit().append(&audit_event)?;
            Ok((stored, replaced))
        })?;
        drop(commit_lock);
        for old in &replaced {
            self.shared.sessions.end(&old.session);
        }
        Ok(stored)
    }

    /// Brings the session back: from the disk first, then renewed where that is due. Without a
    /// network the session stays as it is, unless its token has ended.
    pub fn restore(&self, is_offline: bool, cancel: &Cancel) -> Result<Status> {
        let Some(session) = self.shared.session(&self.provider.key)? else { return self.status() };
        let is_first = self.shared.sessions.is_first_restore(&session.id);
        if is_first {
            log::info!("restored the session from the vault");
            let account = &session.account.id;
            self.note(Event::Restored, account, "ok");
            self.publish(Event::Restored, account, "ok");
        }
        if is_offline || !self.needs_renewal(&session) {
            return self.status();
        }
        match self.renew_from(&session, false, cancel) {
            Err(error) if error.kind() == Kind::SessionExpired => self.status(),
            Err(error) if self.has_lapsed(&session) => Err(error),
            _ => self.status(),
        }
    }

    /// The status of a session that is back already and needs no renewal; `None`: `restore` has
    /// something to do.
    pub fn restored(&self, is_offline: bool) -> Result<Option<Status>> {
        let seen = self.shared.seen(&self.provider.key)?;
        let has_work = seen.session.as_ref().is_some_and(|session| {
            !self.shared.sessions.is_restored(&session.id)
                || (!is_offline && self.needs_renewal(session))
        });
        Ok((!has_work).then(|| self.status_of(&seen)))
    }

    /// Runs `work` on a thread of its own. A cancel lets the caller go at once; the work gets the
    /// cancel too, and obeys it as far as nothing can be lost by that.
    pub(super) fn to_its_end<T: Send + 'static>(
        &self,
        cancel: &Cancel,
        work: impl FnOnce(&Keeper, &Cancel) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (keeper, shared) = (self.clone(), cancel.clone());
        let work = move || keeper.logged(|| work(&keeper, &shared));
        run_beside("sessionkeeper-login", cancel, work)
    }

    pub(super) fn audit_event(
        &self,
        event: Event,
        account: &str,
        outcome: &str,
        detail: &str,
    ) -> NewAuditEvent {
        NewAuditEvent {
            event,
            provider: self.provider.key.clone(),
            account: account.to_owned(),
            outcome: outcome.to_owned(),
            detail: detail.to_owned(),
        }
    }

    /// What other add-ons are told.
    pub(super) fn publish(&self, event: Event, account: &str, outcome: &str) {
        self.shared.events.publish(event.as_str(), &self.provider.id, account, outcome);
    }

    /// An audit line of its own. A failure to write it stops nothing.
    pub(super) fn note(&self, event: Event, account: &str, outcome: &str) {
        let audit_event = self.audit_event(event, account, outcome, "");
        self.append(&audit_event);
    }

    pub(super) fn append(&self, audit_event: &NewAuditEvent) {
        let written = self
            .shared
            .vault()
            .and_then(|vault| vault.transact(|tx| tx.audit().append(audit_event)));
        if let Err(error) = written {
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
