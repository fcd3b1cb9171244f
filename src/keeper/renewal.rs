//! Staying in: fresh tokens before the old ones end, or when the server wants them.
//!
//! All callers pass one login_lock and take the result of whoever was first: five at once make one
//! request. What is stored is fenced by the session's generation, so that a logout in between wins;
//! what comes too late goes straight to the outbox.

use super::Keeper;
use super::accounts::another_account;
use super::report::Status;
use super::shared::Live;
use crate::audit::{Event, NewAuditEvent};
use crate::cancel::Cancel;
use crate::credentials::Credentials;
use crate::error::{Error, Kind, Result};
use crate::login::{self, Renewal};
use crate::provider::{Probe, Renew};
use crate::session::Session;
use crate::vault::{SessionSelector, Successors};
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
        let failed = self.shared.state().renewal_failed.get(&self.provider.key).copied();
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
            let _working = keeper.shared.working(&keeper.provider.key, cancel);
            let _inside = keeper.shared.login_lock.lock(cancel)?;
            let live = keeper.signed_in()?;
            if live.session.account.id != seen.session.account.id {
                return Err(another_account());
            }
            let token = |live: &Live| live.held.token(&keeper.provider.session);
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
        let live = self.mark_spent(live, true)?;
        // Not cancelled once it has begun: a long-lived credential may have been exchanged.
        let whole = Cancel::new();
        let renewed = login::renew(&self.context(&client, &whole), renew, live.held.clone());
        match renewed {
            Ok(Renewal::Renewed(mut held)) => {
                held.mark_spent(false);
                self.shared.state().renewal_failed.remove(&self.provider.key);
                self.store_renewal(live, &held)
            }
            Ok(Renewal::Over) => {
                let mut dead = live;
                dead.held.mark_spent(false);
                Err(self.end_refused(&dead))
            }
            Ok(Renewal::Lost(error)) => {
                self.renewal_failed(&live, &error);
                if self.provider.rotates() && self.has_lapsed(&live) {
                    return Err(self.end_expired(&live));
                }
                Err(error)
            }
            Err(error) => {
                self.mark_spent(live.clone(), false)?;
                self.renewal_failed(&live, &error);
                Err(error)
            }
        }
    }

    /// Notes, before a credential is sent that serves only once, that it is being used, and takes
    /// the note back when it was not. Whoever finds the note after a crash does not send it again: a
    /// server that sees one twice ends the session of everybody who holds it (RFC 9700 4.14.2).
    fn mark_spent(&self, live: Live, spent: bool) -> Result<Live> {
        if !self.provider.rotates() {
            return Ok(live);
        }
        let held = live.held;
        let stored = self.store(live.session, None, &mut |_, newer| {
            let mut marked = newer.unwrap_or(&held).clone();
            marked.mark_spent(spent);
            marked
        })?;
        stored.ok_or_else(logged_out)
    }

    fn renewal_failed(&self, live: &Live, error: &Error) {
        log::warn!("the renewal failed ({}): {error}", error.code());
        self.shared.state().renewal_failed.insert(self.provider.key.clone(), Instant::now());
        self.note(Event::Renewed, &live.session.account.id, error.code());
    }

    fn store_renewal(&self, live: Live, held: &Credentials) -> Result<Live> {
        let now = self.shared.clock.now();
        let record = self.record(Event::Renewed, &live.session.account.id, "ok", "");
        let ended = live.session.clone();
        let kept = self.store(live.session, Some(&record), &mut |session, stored| {
            session.renewed_at = now;
            let mut fresh = stored.map_or_else(|| held.clone(), |newer| newer.overlaid_with(held));
            fresh.mark_spent(false);
            fresh
        });
        let stored = match kept {
            Ok(stored) => stored,
            Err(error) => {
                self.revoke_unstored(held, &ended.account.id, &Cancel::new());
                return Err(error);
            }
        };
        if let Some(live) = stored {
            log::info!("the session is renewed");
            let account = &live.session.account.id;
            self.tell(Event::Renewed, account, "ok");
            return Ok(live);
        }
        log::info!("a logout came first; the fresh tokens are revoked");
        self.revoke_late(&ended, held)?;
        Err(logged_out())
    }

    /// Writes a changed session, fenced. `change` gets the session, and the stored credentials when
    /// somebody wrote in between; it gives those to store. `None`: it was logged out.
    pub(super) fn store(
        &self,
        mut session: Session,
        record: Option<&NewAuditEvent>,
        change: &mut dyn FnMut(&mut Session, Option<&Credentials>) -> Credentials,
    ) -> Result<Option<Live>> {
        let vault = self.shared.vault()?;
        let mut newer: Option<Credentials> = None;
        let rule = &self.provider.session;
        loop {
            let id = session.id.clone();
            let held = change(&mut session, newer.as_ref());
            session.credentials = held.to_sealed();
            session.expires_at = held.token_ends_at(rule, self.shared.clock.now());
            if let Some(session) = vault.renew(session, record)? {
                return Ok(Some(Live { session, held }));
            }
            // Somebody wrote in between. Whether the account is still the active one does not matter.
            match vault.session_of(&self.provider.key, SessionSelector::Session(&id))? {
                Some(stored) if !self.shared.has_ended(&id) => {
                    newer = Some(Credentials::from_sealed(&stored.credentials).unwrap_or_default());
                    session = stored;
                }
                _ => return Ok(None),
            }
        }
    }

    /// The server refused to renew. Where that is how a logout is proved, nothing is left to tell it.
    fn end_refused(&self, live: &Live) -> Error {
        let is_proof = self.provider.logout.probe == Some(Probe::Renew);
        self.end_over(live, is_proof)
    }

    fn end_expired(&self, live: &Live) -> Error {
        self.end_over(live, false)
    }

    /// The server wants the user again: the session is over here too, and the user is told once.
    fn end_over(&self, live: &Live, is_proved: bool) -> Error {
        let account = &live.session.account.id;
        log::info!("the session is over; a new login is needed");
        let record = self.record(Event::SessionExpired, account, "ok", "");
        // The token may outlive the long-lived cookie; then the server is told to end it.
        // And one whose long-lived credential was lost on the way may be alive all the same.
        let is_lost = live.held.is_spent();
        let mut retire = |old: &Session| {
            let lapsed = old.expires_at.is_some_and(|at| self.shared.clock.seems_past(at));
            let is_dead = is_proved || (lapsed && !is_lost);
            let now = Session { credentials: live.held.to_sealed(), ..old.clone() };
            let revocation = || self.revocation(&now, Duration::ZERO).ok();
            Successors::from(if is_dead { None } else { revocation() })
        };
        let id = SessionSelector::Session(&live.session.id);
        let ended = self
            .shared
            .vault()
            .and_then(|vault| vault.end(&self.provider.key, id, &mut retire, &record));
        self.shared.forget_session(&live.session);
        if let Err(error) = ended {
            log::error!("the ended session could not be removed: {error}");
        }
        self.tell(Event::SessionExpired, account, "ok");
        Error::new(Kind::SessionExpired, format!("the session at {} is over", self.provider.name))
            .with_hint("Log in again.")
    }

    fn cannot_renew(&self) -> Error {
        let name = &self.provider.name;
        Error::new(Kind::InvalidInput, format!("this session at {name} cannot be renewed"))
            .with_hint("It is good until it ends; then log in again.")
    }
}

fn logged_out() -> Error {
    Error::new(Kind::NotSignedIn, "the session was logged out while it was renewed")
}

/// Errors after which the old session is no use either.
fn is_fatal(error: &Error) -> bool {
    matches!(error.kind(), Kind::SessionExpired | Kind::NotSignedIn | Kind::Cancelled)
}
