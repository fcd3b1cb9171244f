//! The way in, and staying in: log in, restore, renew.
//!
//! Logins and renewals pass one door, in this process and across processes, so that five callers at
//! once make one request and take its result. What they store is fenced by the session's generation:
//! a logout in between wins, and what comes too late goes straight to the outbox.

use super::Keeper;
use super::house::Live;
use super::report::Status;
use crate::audit::{Event, Record};
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::http::Jar;
use crate::login::{self, Renewal, Visit};
use crate::secret::Secret;
use crate::session::Session;
use crate::token::Claims;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// After a renewal failed, the next one is not tried for this long while the token still holds.
const RENEWAL_REST: Duration = Duration::from_secs(60);

/// How soon a cancelled login leaves.
const SLICE: Duration = Duration::from_millis(20);

impl Keeper {
    /// Signs in. A session that is there already is replaced: the new one is stored first, then the
    /// old one goes to the outbox.
    pub fn log_in(&self, username: &str, password: &Secret, cancel: &Cancel) -> Result<Status> {
        check_credentials(username, password)?;
        self.house.vault()?;
        let _working = self.house.working(&self.provider.id, cancel);
        let _inside = self.house.door.enter(cancel)?;
        log::info!("logging in at {}", self.provider.name);
        let jar = self.visit(username, password, cancel).inspect_err(|error| {
            log::warn!("the login failed ({}): {error}", error.code());
            self.note(Event::Login, "", error.code());
        })?;
        let session = self.session_from(&jar, username)?;
        let session = self.store_login(session, &jar, cancel)?;
        log::info!("signed in");
        self.house.events.tell(Event::Login.name(), &self.provider.id, &session.account.id, "ok");
        self.house.state().restored.insert(session.id);
        self.status()
    }

    /// The login at the server, on a thread of its own. Once the password is sent, the server may
    /// have opened a session: a caller that is cancelled leaves at once, and whatever comes of the
    /// login after that is revoked.
    fn visit(&self, username: &str, password: &Secret, cancel: &Cancel) -> Result<Jar> {
        let client = self.client()?;
        let (sender, receiver) = mpsc::sync_channel(0);
        let (keeper, gone) = (self.clone(), cancel.clone());
        let (name, secret) = (username.to_owned(), password.clone());
        let work = move || {
            let visit = Visit { client: &client, provider: &keeper.provider, cancel: &gone };
            let result = login::log_in(&visit, &name, &secret);
            // Nobody takes it when the caller has left.
            if let Err(mpsc::SendError(Ok(jar))) = sender.send(result) {
                keeper.logged(|| keeper.revoke_unstored(&jar, &name));
            }
        };
        std::thread::Builder::new()
            .name("sessionkeeper-login".into())
            .spawn(work)
            .map_err(|_| Error::new(Kind::Internal, "no thread could be started"))?;
        loop {
            match receiver.recv_timeout(SLICE) {
                Ok(result) => return result,
                Err(mpsc::RecvTimeoutError::Timeout) => cancel.check()?,
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    return Err(Error::new(Kind::Internal, "the login failed inside"));
                }
            }
        }
    }

    fn store_login(&self, session: Session, jar: &Jar, cancel: &Cancel) -> Result<Session> {
        let record = self.record(Event::Login, &session.account.id, "ok", "");
        let mut retired = Vec::new();
        let mut retire = |old: &Session| {
            retired.push(old.clone());
            self.revocation(old, Duration::ZERO)
        };
        let username = session.account.id.clone();
        let turn = self.house.turn();
        let stored =
            cancel.check().and_then(|()| self.house.vault()?.log_in(session, &mut retire, &record));
        drop(turn);
        match stored {
            Ok(session) => {
                for old in &retired {
                    self.house.forget_session(old);
                }
                Ok(session)
            }
            Err(error) => {
                self.revoke_unstored(jar, &username);
                Err(error)
            }
        }
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
        if is_offline || !self.is_renewal_due(&live) {
            return self.status();
        }
        match self.renew_from(&live, cancel) {
            Err(error) if error.kind() == Kind::SessionExpired => self.status(),
            Err(error) if self.has_lapsed(&live) => Err(error),
            _ => self.status(),
        }
    }

    /// Gets fresh tokens now, without the user.
    pub fn renew(&self, cancel: &Cancel) -> Result<Status> {
        let live = self.signed_in()?;
        self.renew_from(&live, cancel)?;
        self.status()
    }

    /// A session that is good for a request: renewed if that is due and possible.
    pub(super) fn fresh(&self, cancel: &Cancel) -> Result<Live> {
        let live = self.signed_in()?;
        if !self.is_renewal_due(&live) {
            return Ok(live);
        }
        let failed = self.house.state().renewal_failed.get(&self.provider.id).copied();
        let rests = failed.is_some_and(|at| at.elapsed() < RENEWAL_REST);
        if rests && !self.has_lapsed(&live) {
            return Ok(live);
        }
        match self.renew_from(&live, cancel) {
            Ok(renewed) => Ok(renewed),
            Err(error) if is_fatal(&error) || self.has_lapsed(&live) => Err(error),
            Err(_) => Ok(live),
        }
    }

    /// Renews the session that the caller saw as `seen`. If somebody else renewed it since, theirs is
    /// taken and no request is made.
    pub(super) fn renew_from(&self, seen: &Live, cancel: &Cancel) -> Result<Live> {
        let _working = self.house.working(&self.provider.id, cancel);
        let _inside = self.house.door.enter(cancel)?;
        let live = self.signed_in()?;
        if live.session.id != seen.session.id
            || login::token(&self.provider, &live.jar) != login::token(&self.provider, &seen.jar)
        {
            return Ok(live);
        }
        let Some(renew) = self.renewable_page(&live) else { return Err(self.end_expired(&live)) };
        log::info!("renewing the session");
        let client = self.client()?;
        let visit = Visit { client: &client, provider: &self.provider, cancel };
        match login::renew(&visit, renew, live.jar.clone()) {
            Ok(Renewal::Renewed(jar)) => {
                self.house.state().renewal_failed.remove(&self.provider.id);
                self.store_renewal(live, &jar)
            }
            Ok(Renewal::Over) => Err(self.end_expired(&live)),
            Err(error) => {
                log::warn!("the renewal failed ({}): {error}", error.code());
                self.house.state().renewal_failed.insert(self.provider.id.clone(), Instant::now());
                if error.kind() != Kind::Cancelled {
                    self.note(Event::Renewed, &live.session.account.id, error.code());
                }
                Err(error)
            }
        }
    }

    fn store_renewal(&self, live: Live, jar: &Jar) -> Result<Live> {
        let now = self.house.clock.now();
        let token = login::token(&self.provider, jar).unwrap_or_default();
        let ends = Claims::read(&token).expires_at(now);
        let record = self.record(Event::Renewed, &live.session.account.id, "ok", "");
        let ended = live.session.clone();
        let stored = self.store(live.session, Some(&record), &mut |session, stored| {
            let jar = match stored {
                None => jar.clone(),
                Some(newer) => newer.overlaid_with(jar),
            };
            session.renewed_at = now;
            session.expires_at = ends;
            jar
        })?;
        if let Some(live) = stored {
            log::info!("the session is renewed");
            self.house.events.tell(
                Event::Renewed.name(),
                &self.provider.id,
                &live.session.account.id,
                "ok",
            );
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
            if lapsed { None } else { self.revocation(old, Duration::ZERO) }
        };
        let ended = self.house.vault().and_then(|vault| {
            vault.end(&self.provider.id, Some(&live.session.id), &mut retire, &record)
        });
        self.house.forget_session(&live.session);
        if let Err(error) = ended {
            log::error!("the ended session could not be removed: {error}");
        }
        self.house.events.tell(Event::SessionExpired.name(), &self.provider.id, account, "ok");
        Error::new(Kind::SessionExpired, format!("the session at {} is over", self.provider.name))
            .hint("Log in again.")
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
