//! Staying logged in: fresh tokens before the old ones end, or when the server wants them.
//!
//! Renewals share the login lock, and the first one's result serves all: five at once make one
//! request. What is stored is fenced by the session's generation, so that a logout in between
//! wins; tokens that come too late go straight to the outbox. Tokens that the disk does not take
//! are used all the same, by everybody in this process, until it takes them.

use super::handle::Keeper;
use super::report::Status;
use crate::audit::{Event, NewAuditEvent};
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::login::{self, Renewal};
use crate::logout::{self, Tried};
use crate::provider::{Probe, Renew};
use crate::session::{Credentials, Evidence, Session};
use crate::vault::{SessionSelector, Transaction};
use std::time::Duration;

/// After a renewal failed, the next one is not tried for this long while the token still holds.
const REST_AFTER_FAILURE: Duration = Duration::from_secs(60);
/// By a clock that is not known the next one may seem due at once: then it is not tried for this
/// long, unless the server refuses the token.
const REST_BY_UNKNOWN_CLOCK: Duration = Duration::from_secs(600);

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
        match self.renew_from(&session, false, cancel) {
            Ok(renewed) => Ok(renewed),
            Err(error) if is_fatal(&error) || self.has_lapsed(&session) => Err(error),
            Err(_) => Ok(session),
        }
    }

    /// How long this session is not renewed by the time alone.
    pub(super) fn renewal_rest(&self, session: &Session) -> Duration {
        let until = self.shared.renewal_rests().get(&session.id).copied();
        let now = self.shared.clock.instant();
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    fn rest_from_renewing(&self, session: &Session, rest: Duration) {
        let now = self.shared.clock.instant();
        let mut rests = self.shared.renewal_rests();
        rests.retain(|_, until| *until > now);
        rests.insert(session.id.clone(), now + rest);
    }

    /// True when renewing is due, there is a way, and none has failed just now; or the token has
    /// ended anyway.
    pub(super) fn needs_renewal(&self, session: &Session) -> bool {
        let is_wanted = self.is_renewal_due(session) && self.renewal_rest(session).is_zero();
        self.has_lapsed(session) || (is_wanted && self.way_to_renew(session).is_some())
    }

    /// Renews the session that the caller saw as `seen`, of the active account or another. If
    /// somebody else renewed it since, theirs is taken and no request is made. `is_refused`: the
    /// server does not take the session any more.
    pub(super) fn renew_from(
        &self,
        seen: &Session,
        is_refused: bool,
        cancel: &Cancel,
    ) -> Result<Session> {
        let seen = seen.clone();
        self.to_its_end(cancel, move |keeper, cancel| {
            let _guard = keeper.shared.login_lock.lock(keeper.lock_timeout, cancel)?;
            let session = keeper.session_of(&seen.account.id)?;
            let token = |session: &Session| session.credentials.token(&keeper.provider.session);
            if session.id != seen.id || token(&session) != token(&seen) {
                return Ok(session);
            }
            match keeper.way_to_renew(&session) {
                Some(renew) => keeper.renew_by(renew, session, cancel),
                None if keeper.has_lapsed(&session)
                    || (is_refused && keeper.is_taken_for_dead(&session, cancel)) =>
                {
                    Err(keeper.end_over(&session, false))
                }
                None => Err(keeper.cannot_renew()),
            }
        })
    }

    fn renew_by(&self, renew: &Renew, session: Session, cancel: &Cancel) -> Result<Session> {
        let _renewing = self.shared.begin_renewal();
        // In this order: who ends the process cancels first, and then looks for what has begun.
        cancel.check()?;
        log::info!("renewing the session");
        let client = self.client()?;
        let is_doubtful = session.credentials.is_doubtful;
        let session = self.mark(session, true, is_doubtful)?;
        // Not cancelled once it has begun: a long-lived credential may have been exchanged.
        let whole = Cancel::new();
        let renewed =
            login::renew(&self.context(&client, &whole), renew, session.credentials.clone());
        match renewed {
            Ok(Renewal::Renewed(mut fresh)) => {
                fresh.is_spent = false;
                fresh.is_doubtful = false;
                let is_known = self.shared.clock.is_known();
                let rest = if is_known { Duration::ZERO } else { REST_BY_UNKNOWN_CLOCK };
                self.rest_from_renewing(&session, rest);
                self.store_renewal(session, &fresh)
            }
            Ok(Renewal::Over) => {
                let mut dead = session;
                dead.credentials.is_spent = false;
                // Where a refusal to renew proves a logout, there is nothing left to tell the
                // server.
                let was_renewed = dead.was_renewed;
                let evidence = Evidence { renewal_accepted: was_renewed, ..Evidence::default() };
                let is_proof = self.provider.logout.probe == Some(Probe::Renew {})
                    && logout::renewal_proves(&self.provider, &dead.credentials, evidence);
                Err(self.end_over(&dead, is_proof))
            }
            Ok(Renewal::Lost(error)) => {
                self.renewal_failed(&session, &error);
                if self.provider.rotates() && self.has_lapsed(&session) {
                    return Err(self.end_over(&session, false));
                }
                Err(error)
            }
            Ok(Renewal::Failed(error)) => {
                self.mark(session.clone(), false, true)?;
                self.renewal_failed(&session, &error);
                Err(error)
            }
            Ok(Renewal::Absent(error)) | Err(error) => {
                self.mark(session.clone(), false, is_doubtful)?;
                self.renewal_failed(&session, &error);
                Err(error)
            }
        }
    }

    /// Marks a credential that serves only once, before it is sent, and takes the mark back when
    /// it was not used. After a crash a marked one is not sent again: a server that sees it twice
    /// ends the session of everybody who holds it (RFC 9700 section 4.14.2). `is_doubtful`: the
    /// server may have exchanged it all the same.
    fn mark(&self, session: Session, is_spent: bool, is_doubtful: bool) -> Result<Session> {
        if !self.provider.rotates() {
            return Ok(session);
        }
        let unmarked = session.clone();
        let marked = self.store(session, None, &mut |session, _| {
            session.credentials.is_spent = is_spent;
            session.credentials.is_doubtful = is_doubtful;
        });
        let marked = marked.inspect_err(|_| {
            // Nothing is sent, or nothing was; but the disk may have taken more than it said.
            let mut unsent = unmarked;
            unsent.credentials.is_spent = false;
            self.rest_from_renewing(&unsent, REST_AFTER_FAILURE);
            self.keep_unstored(unsent, None);
        });
        marked?.ok_or_else(logged_out)
    }

    fn renewal_failed(&self, session: &Session, error: &Error) {
        log::warn!("the renewal failed ({}): {error}", error.code());
        self.rest_from_renewing(session, REST_AFTER_FAILURE);
        self.append(&self.event(Event::Renewed, &session.account.id, error.code()));
    }

    fn store_renewal(&self, session: Session, fresh: &Credentials) -> Result<Session> {
        let now = self.shared.clock.now();
        let event = self.event(Event::Renewed, &session.account.id, "ok");
        let before = Session { was_renewed: true, ..session.clone() };
        let kept = self.store(session, Some(&event), &mut |session, is_newer| {
            session.renewed_at = now;
            session.was_renewed = true;
            session.credentials =
                if is_newer { session.credentials.overlaid_with(fresh) } else { fresh.clone() };
            session.credentials.is_spent = false;
            session.credentials.is_doubtful = false;
        });
        let stored = kept.unwrap_or_else(|error| {
            log::error!("the disk did not take the renewed session: {error}");
            if self.shared.sessions.has_ended(&before.id) {
                return None;
            }
            let known_now = self.shared.clock.known_now();
            let ends = fresh.token_ends_at(&self.provider.session, known_now);
            let credentials = fresh.clone();
            let fresh =
                Session { credentials, renewed_at: now, expires_at: ends, ..before.clone() };
            self.keep_unstored(fresh.clone(), Some(event.clone()));
            Some(fresh)
        });
        if let Some(session) = stored {
            log::info!("the session is renewed");
            self.shared.publish(&event);
            return Ok(session);
        }
        log::info!("a logout came first; the fresh tokens are revoked");
        if let Err(error) = self.revoke_late(&before, fresh) {
            log::error!("the fresh tokens are not in the outbox yet: {error}");
            let (keeper, fresh) = (self.clone(), fresh.clone());
            let revoke = move || keeper.logged(|| keeper.revoke_late(&before, &fresh)).is_ok();
            self.shared.unstored.add(revoke);
        }
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
        let vault = self.vault()?;
        let id = session.id.clone();
        let mut is_newer = false;
        loop {
            change(&mut session, is_newer);
            session.expires_at = session
                .credentials
                .token_ends_at(&self.provider.session, self.shared.clock.known_now());
            let stored = vault.transact(|tx| {
                let stored = tx.sessions().replace(session.clone())?;
                if let Some(event) = event.filter(|_| stored.is_some()) {
                    tx.audit().append(event)?;
                }
                Ok(stored)
            })?;
            if stored.is_some() {
                self.shared.sessions.drop_unstored(&id);
                return Ok(stored);
            }
            // Somebody wrote in between. Whether the account is still the active one does not
            // matter.
            let selector = SessionSelector::Session(&id);
            match vault.read(|tx| tx.sessions().find(&self.provider.key, selector))? {
                Some(stored) if !self.shared.sessions.has_ended(&id) => {
                    session = self.shared.sessions.newest(stored);
                }
                _ => return Ok(None),
            }
            is_newer = true;
        }
    }

    /// Goes on with a session that the disk has not taken, and tries to store it until it works.
    fn keep_unstored(&self, session: Session, event: Option<NewAuditEvent>) {
        let id = session.id.clone();
        let was_there = self.shared.sessions.keep_unstored(session);
        if was_there {
            return;
        }
        let keeper = self.clone();
        self.shared.unstored.add(move || {
            let stored = keeper.logged(|| keeper.store_unstored(&id, event.as_ref()));
            stored.inspect_err(|error| log::debug!("the disk still refuses: {error}")).is_ok()
        });
    }

    fn store_unstored(&self, id: &str, event: Option<&NewAuditEvent>) -> Result<()> {
        let Some(newest) = self.shared.sessions.unstored(id) else { return Ok(()) };
        let selector = SessionSelector::Session(id);
        let found = self.vault()?.read(|tx| tx.sessions().find(&self.provider.key, selector))?;
        let stored = found.map(|session| self.shared.sessions.newest(session));
        let stored =
            stored.map(|session| self.store(session, event, &mut |_, _| ())).transpose()?;
        if stored.flatten().is_some() {
            log::info!("the disk has taken the renewed session");
            return Ok(());
        }
        log::info!("a logout came first; the fresh tokens are revoked");
        self.revoke_late(&newest, &newest.credentials)?;
        self.shared.sessions.drop_unstored(id);
        Ok(())
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
            let is_dead = is_proved || (self.has_lapsed(&old) && !is_lost);
            let now = Session { credentials: session.credentials.clone(), ..old };
            if let (false, Ok(revocation)) = (is_dead, self.revocation(&now)) {
                tx.outbox().enqueue(&revocation)?;
            }
            tx.audit().append(&event)
        };
        let ended = self.vault().and_then(|vault| vault.transact(end));
        self.shared.end_session(session);
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
        if !matches!(self.provider.logout.probe, Some(Probe::Request(_))) {
            return true;
        }
        self.client().is_ok_and(|client| {
            let tried = logout::probe(&self.context(&client, cancel), &session.credentials);
            matches!(tried, Tried::Refused(_))
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
    matches!(
        error.kind(),
        Kind::SessionExpired | Kind::NotSignedIn | Kind::NeedsPermission | Kind::Cancelled
    )
}
