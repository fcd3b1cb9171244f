//! Staying in: fresh tokens before the old ones end, or when the server wants them.
//!
//! All callers pass one door and take the result of whoever was first: five at once make one
//! request. What is stored is fenced by the session's generation, so that a logout in between wins;
//! what comes too late goes straight to the outbox.

use super::Keeper;
use super::house::Live;
use super::report::Status;
use crate::audit::{Event, Record};
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::http::Jar;
use crate::login::{self, Renewal, Visit};
use crate::provider::Renew;
use crate::session::Session;
use crate::token::Claims;
use std::time::{Duration, Instant};

/// After a renewal failed, the next one is not tried for this long while the token still holds.
const RENEWAL_REST: Duration = Duration::from_secs(60);

impl Keeper {
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
    pub(super) fn needs_renewal(&self, live: &Live) -> bool {
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
}

/// Errors after which the old session is no use either.
fn is_fatal(error: &Error) -> bool {
    matches!(error.kind(), Kind::SessionExpired | Kind::NotSignedIn | Kind::Cancelled)
}
