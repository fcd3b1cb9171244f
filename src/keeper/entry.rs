//! The way in, and staying in: log in, restore, renew.
//!
//! Logins and renewals pass one door, in this process and across processes, so that five callers at
//! once make one request and take its result. Each runs to its end on a thread of its own: a caller
//! that is cancelled leaves at once, and what the server gave by then is kept, or revoked. What is
//! stored is fenced by the session's generation: a logout in between wins.

use super::Keeper;
use super::house::Live;
use super::report::Status;
use crate::audit::{Event, Record};
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::http::Jar;
use crate::login::{self, Renewal, Visit};
use crate::provider::Renew;
use crate::secret::Secret;
use crate::session::Session;
use crate::token::Claims;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// After a renewal failed, the next one is not tried for this long while the token still holds.
const RENEWAL_REST: Duration = Duration::from_secs(60);

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

    /// Gets fresh tokens now, without the user.
    pub fn renew(&self, cancel: &Cancel) -> Result<Status> {
        let live = self.signed_in()?;
        self.renew_from(&live, false, cancel)?;
        self.status()
    }

    /// A session that is good for a request: renewed if that is due and possible.
    pub(super) fn fresh(&self, cancel: &Cancel) -> Result<Live> {
        let live = self.signed_in()?;
        if !self.needs_renewal(&live) {
            return Ok(live);
        }
        let failed = self.house.state().renewal_failed.get(&self.provider.id).copied();
        let rests = failed.is_some_and(|at| at.elapsed() < RENEWAL_REST);
        if rests && !self.has_lapsed(&live) {
            return Ok(live);
        }
        match self.renew_from(&live, false, cancel) {
            Ok(renewed) => Ok(renewed),
            Err(error) if is_fatal(&error) || self.has_lapsed(&live) => Err(error),
            Err(_) => Ok(live),
        }
    }

    /// True when renewing is due and there is a way, or the token has ended anyway.
    fn needs_renewal(&self, live: &Live) -> bool {
        self.has_lapsed(live) || (self.is_renewal_due(live) && self.way_to_renew(live).is_some())
    }

    /// Renews the session that the caller saw as `seen`. If somebody else renewed it since, theirs is
    /// taken and no request is made. `is_refused`: the server does not take the session any more.
    pub(super) fn renew_from(
        &self,
        seen: &Live,
        is_refused: bool,
        cancel: &Cancel,
    ) -> Result<Live> {
        let seen = seen.clone();
        self.to_its_end(cancel, move |keeper, cancel| {
            let _working = keeper.house.working(&keeper.provider.id, cancel);
            let _inside = keeper.house.door.enter(cancel)?;
            let live = keeper.signed_in()?;
            let token = |live: &Live| login::token(&keeper.provider, &live.jar);
            if live.session.id != seen.session.id || token(&live) != token(&seen) {
                return Ok(live);
            }
            match keeper.way_to_renew(&live) {
                Some(renew) => keeper.renew_by(renew, live),
                None if is_refused || keeper.has_lapsed(&live) => Err(keeper.end_expired(&live)),
                None => Err(keeper.cannot_renew()),
            }
        })
    }

    fn renew_by(&self, renew: &Renew, live: Live) -> Result<Live> {
        log::info!("renewing the session");
        let client = self.client()?;
        // Not cancelled once it has begun: a long-lived cookie may have been exchanged for a new one.
        let visit = Visit { client: &client, provider: &self.provider, cancel: &Cancel::new() };
        match login::renew(&visit, renew, live.jar.clone()) {
            Ok(Renewal::Renewed(jar)) => {
                self.house.state().renewal_failed.remove(&self.provider.id);
                self.store_renewal(live, &jar)
            }
            Ok(Renewal::Over) => Err(self.end_expired(&live)),
            Err(error) => {
                log::warn!("the renewal failed ({}): {error}", error.code());
                self.house.state().renewal_failed.insert(self.provider.id.clone(), Instant::now());
                self.note(Event::Renewed, &live.session.account.id, error.code());
                Err(error)
            }
        }
    }

    fn store_renewal(&self, live: Live, jar: &Jar) -> Result<Live> {
        let now = self.house.clock.now();
        let record = self.record(Event::Renewed, &live.session.account.id, "ok", "");
        let ended = live.session.clone();
        let stored = self.store(live.session, Some(&record), &mut |session, stored| {
            session.renewed_at = now;
            stored.map_or_else(|| jar.clone(), |newer| newer.overlaid_with(jar))
        })?;
        if let Some(live) = stored {
            log::info!("the session is renewed");
            let account = &live.session.account.id;
            self.house.events.tell(Event::Renewed.name(), &self.provider.id, account, "ok");
            return Ok(live);
        }
        log::info!("a logout came first; the fresh tokens are revoked");
        self.revoke_late(&ended, jar)?;
        Err(Error::new(Kind::NotSignedIn, "the session was logged out while it was renewed"))
    }

    /// Writes a changed session, fenced. `change` gets the session, and the stored cookies when
    /// somebody wrote in between; it gives the cookies to store. `None`: it was logged out.
    pub(super) fn store(
        &self,
        mut session: Session,
        record: Option<&Record>,
        change: &mut dyn FnMut(&mut Session, Option<&Jar>) -> Jar,
    ) -> Result<Option<Live>> {
        let vault = self.house.vault()?;
        let mut newer: Option<Jar> = None;
        loop {
            let id = session.id.clone();
            let jar = change(&mut session, newer.as_ref());
            session.cookies = jar.to_sealed();
            session.expires_at = login::token(&self.provider, &jar)
                .and_then(|token| Claims::read(&token).expires_at(self.house.clock.now()));
            if let Some(session) = vault.renew(session, record)? {
                return Ok(Some(Live { session, jar }));
            }
            match self.house.live(&self.provider.id)? {
                Some(live) if live.session.id == id => {
                    newer = Some(live.jar);
                    session = live.session;
                }
                _ => return Ok(None),
            }
        }
    }

    /// The server wants the user again: the session is over here too, and the user is told once.
    fn end_expired(&self, live: &Live) -> Error {
        let account = &live.session.account.id;
        log::info!("the session is over; a new login is needed");
        let record = self.record(Event::SessionExpired, account, "ok", "");
        // The token may outlive the long-lived cookie; then the server is told to end it.
        let mut retire = |old: &Session| {
            let lapsed = old.expires_at.is_some_and(|at| self.house.clock.seems_past(at));
            if lapsed { None } else { self.revocation(old, Duration::ZERO).ok() }
        };
        let id = Some(live.session.id.as_str());
        let ended = self
            .house
            .vault()
            .and_then(|vault| vault.end(&self.provider.id, id, &mut retire, &record));
        self.house.forget_session(&live.session);
        if let Err(error) = ended {
            log::error!("the ended session could not be removed: {error}");
        }
        self.house.events.tell(Event::SessionExpired.name(), &self.provider.id, account, "ok");
        Error::new(Kind::SessionExpired, format!("the session at {} is over", self.provider.name))
            .hint("Log in again.")
    }

    fn cannot_renew(&self) -> Error {
        let name = &self.provider.name;
        Error::new(Kind::InvalidInput, format!("this session at {name} cannot be renewed"))
            .hint("It is good until it ends; then log in again.")
    }

    /// Runs `work` on a thread of its own. A cancel lets the caller go at once; the work gets the
    /// cancel too, and obeys it as far as nothing can be lost by that.
    fn to_its_end<T: Send + 'static>(
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

/// Errors after which the old session is no use either.
fn is_fatal(error: &Error) -> bool {
    matches!(error.kind(), Kind::SessionExpired | Kind::NotSignedIn | Kind::Cancelled)
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
