//! Staying logged in: fresh tokens before the old ones end, or when the server wants them.
//!
//! Renewals share the login lock, and the first one's result serves all: five at once make one
//! request. What is stored is fenced by the session's generation, so that a logout in between
//! wins; tokens that come too late go straight to the outbox.

use super::accounts::another_account;
use super::handle::Keeper;
use super::report::Status;
use crate::audit::{Event, NewAuditEvent};
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::login::{self, Renewal};
use crate::logout;
use crate::provider::{Probe, Renew};
use crate::session::{Credentials, Session};
use crate::vault::{SessionSelector, Transaction};
use std::time::{Duration, Instant};

/// After a renewal failed, the next one is not tried for this long while the token still holds.
const RENEWAL_REST: Duration = Duration::from_secs(60);

impl Keeper {
    /// Gets fresh tokens now, without the user.
    pub fn renew(&self, cancel: &Cancel) -> Result<Status> {
        let session = self.signed_in()?;
        self.renew_from(&session, false, cancel)?;
        self.status()
    }

    /// A session that is good for a request: renewed if that is due and possible.
    pub(super) fn fresh(&self, cancel: &Cancel) -> Result<Session> {
        let session = self.signed_in()?;
        if !self.needs_renewal(&session) {
            return Ok(session);
        }
        let failed = self.shared.failed_renewals().get(&self.provider.key).copied();
        let rests = failed.is_some_and(|at| at.elapsed() < RENEWAL_REST);
        if rests && !self.has_lapsed(&session) {
            return Ok(session);
        }
        match self.renew_from(&session, false, cancel) {
            Ok(renewed) => Ok(renewed),
            Err(error) if is_fatal(&error) || self.has_lapsed(&session) => Err(error),
            Err(_) => Ok(session),
        }
    }

    /// True when renewing is due and there is a way, or the token has ended anyway.
    pub(super) fn needs_renewal(&self, session: &Session) -> bool {
        self.has_lapsed(session)
            || (self.is_renewal_due(session) && self.way_to_renew(session).is_some())
    }

    /// Renews the session that the caller saw as `seen`. If somebody else renewed it since, theirs
    /// is taken and no request is made. `is_refused`: the server does not take the session any
    /// more.
    pub(super) fn renew_from(
        &self,
        seen: &Session,
        is_refused: bool,
        cancel: &Cancel,
    ) -> Result<Session> {
        let seen = seen.clone();
        self.to_its_end(cancel, move |keeper, cancel| {
            let _guard = keeper.shared.login_lock.lock(keeper.lock_timeout, cancel)?;
            let session = keeper.signed_in()?;
            if session.account.id != seen.account.id {
                return Err(another_account());
            }
            let token = |session: &Session| session.credentials.token(&keeper.provider.session);
            if session.id != seen.id || token(&session) != token(&seen) {
                return Ok(session);
            }
            match keeper.way_to_renew(&session) {
                Some(renew) => keeper.renew_by(renew, session),
                None if keeper.has_lapsed(&session)
                    || (is_refused && keeper.is_taken_for_dead(&session, cancel)) =>
                {
                    Err(keeper.end_over(&session, false))
                }
                None => Err(keeper.cannot_renew()),
            }
        })
    }

    fn renew_by(&self, renew: &Renew, session: Session) -> Result<Session> {
        log::info!("renewing the session");
        let client = self.client()?;
        let session = self.mark_spent(session, true)?;
        // Not cancelled once it has begun: a long-lived credential may have been exchanged.
        let whole = Cancel::new();
        let renewed =
            login::renew(&self.context(&client, &whole), renew, session.credentials.clone());
        match renewed {
            Ok(Renewal::Renewed(mut fresh)) => {
                fresh.is_spent = false;
                self.shared.failed_renewals().remove(&self.provider.key);
                self.store_renewal(session, &fresh)
            }
            Ok(Renewal::Over) => {
                let mut dead = session;
                dead.credentials.is_spent = false;
                // Where a refusal to renew proves a logout, there is nothing left to tell the
                // server.
                let is_proof = self.provider.logout.probe == Some(Probe::Renew {});
                Err(self.end_over(&dead, is_proof))
            }
            Ok(Renewal::Lost(error)) => {
                self.renewal_failed(&session, &error);
                if self.provider.rotates() && self.has_lapsed(&session) {
                    return Err(self.end_over(&session, false));
                }
                Err(error)
            }
            Err(error) => {
                self.mark_spent(session.clone(), false)?;
                self.renewal_failed(&session, &error);
                Err(error)
            }
        }
    }

    /// Marks a credential that serves only once, before it is sent, and takes the mark back when
    /// it was not used. After a crash a marked one is not sent again: a server that sees it twice
    /// ends the session of everybody who holds it (RFC 9700 section 4.14.2).
    fn mark_spent(&self, session: Session, is_spent: bool) -> Result<Session> {
        if !self.provider.rotates() {
            return Ok(session);
        }
        let marked =
            self.store(session, None, &mut |session, _| session.credentials.is_spent = is_spent)?;
        marked.ok_or_else(logged_out)
    }

    fn renewal_failed(&self, session: &Session, error: &Error) {
        log::warn!("the renewal failed ({}): {error}", error.code());
        self.shared.failed_renewals().insert(self.provider.key.clone(), Instant::now());
        self.shared.append(&self.event(Event::Renewed, &session.account.id, error.code()));
    }

    fn store_renewal(&self, session: Session, fresh: &Credentials) -> Result<Session> {
        let now = self.shared.clock.now();
        let event = self.event(Event::Renewed, &session.account.id, "ok");
        let before = session.clone();
        let kept = self.store(session, Some(&event), &mut |session, is_newer| {
            session.renewed_at = now;
            session.credentials =
                if is_newer { session.credentials.overlaid_with(fresh) } else { fresh.clone() };
            session.credentials.is_spent = false;
        });
        let stored = match kept {
            Ok(stored) => stored,
            Err(error) => {
                self.revoke_unstored(fresh, &before.account.id);
                return Err(error);
            }
        };
        if let Some(session) = stored {
            log::info!("the session is renewed");
            self.shared.publish(&event);
            return Ok(session);
        }
        log::info!("a logout came first; the fresh tokens are revoked");
        self.revoke_late(&before, fresh)?;
        Err(logged_out())
    }

    /// Writes a changed session, fenced. `change` is called again, with true, on the session that
    /// somebody else has stored in between. `None`: it was logged out.
    pub(super) fn store(
        &self,
        mut session: Session,
        event: Option<&NewAuditEvent>,
        change: &mut dyn FnMut(&mut Session, bool),
    ) -> Result<Option<Session>> {
        let vault = self.shared.vault()?;
        let id = session.id.clone();
        let mut is_newer = false;
        loop {
            change(&mut session, is_newer);
            session.expires_at =
                session.credentials.token_ends_at(&self.provider.session, self.shared.clock.now());
            let stored = vault.transact(|tx| {
                let stored = tx.sessions().replace(session.clone())?;
                if let Some(event) = event.filter(|_| stored.is_some()) {
                    tx.audit().append(event)?;
                }
                Ok(stored)
            })?;
            if stored.is_some() {
                return Ok(stored);
            }
            // Somebody wrote in between. Whether the account is still the active one does not
            // matter.
            let selector = SessionSelector::Session(&id);
            match vault.read(|tx| tx.sessions().find(&self.provider.key, selector))? {
                Some(stored) if !self.shared.sessions.has_ended(&id) => session = stored,
                _ => return Ok(None),
            }
            is_newer = true;
        }
    }

    /// The server wants the user again: the session is over here too, and the user is told once.
    fn end_over(&self, session: &Session, is_proved: bool) -> Error {
        log::info!("the session is over; a new login is needed");
        let event = self.event(Event::SessionExpired, &session.account.id, "ok");
        // The token may outlive the long-lived cookie; then the server is told to end it. And a
        // session whose long-lived credential was lost on the way may be alive all the same.
        let is_lost = session.credentials.is_spent;
        let selector = SessionSelector::Session(&session.id);
        let end = |tx: &Transaction<'_>| {
            let Some(old) = tx.sessions().find(&self.provider.key, selector)? else {
                return Ok(());
            };
            tx.sessions().delete(&old)?;
            let has_lapsed = old.expires_at.is_some_and(|at| self.shared.clock.seems_past(at));
            let is_dead = is_proved || (has_lapsed && !is_lost);
            let now = Session { credentials: session.credentials.clone(), ..old };
            if let (false, Ok(revocation)) = (is_dead, self.revocation(&now)) {
                tx.outbox().enqueue(&revocation)?;
            }
            tx.audit().append(&event)
        };
        let ended = self.shared.vault().and_then(|vault| vault.transact(end));
        self.shared.sessions.end(session);
        self.shared.close_connections();
        if let Err(error) = ended {
            log::error!("the ended session could not be removed: {error}");
        }
        self.shared.publish(&event);
        Error::new(Kind::SessionExpired, format!("the session at {} is over", self.provider.name))
            .with_hint("Log in again.")
    }

    /// Whether a refused request means that the session is over, where it cannot be renewed. One
    /// address may refuse what others take; so where there is a probe, it is asked.
    fn is_taken_for_dead(&self, session: &Session, cancel: &Cancel) -> bool {
        if !matches!(self.provider.logout.probe, Some(Probe::Request { .. })) {
            return true;
        }
        self.client().is_ok_and(|client| {
            logout::is_refused(&self.context(&client, cancel), &session.credentials)
        })
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

/// Errors after which the old session is of no use either.
fn is_fatal(error: &Error) -> bool {
    matches!(error.kind(), Kind::SessionExpired | Kind::NotSignedIn | Kind::Cancelled)
}
