//! What is sent to end a session at the server: made of a session, or of cookies that never became
//! one, and sent within a deadline.

use super::attempt::{Attempt, Queued};
use super::handle::Keeper;
use crate::cancel::Cancel;
use crate::clock::{LONGEST_LIFE, UnixTime};
use crate::error::Result;
use crate::logout::{self, Verdict};
use crate::provider::Provider;
use crate::session::{
    ACCESS_TOKEN, Credentials, Evidence, Outcome, REFRESH_TOKEN, Revocation, Session,
};
use crate::vault::OutboxEntry;
use std::time::{Duration, Instant};

/// However short the deadline is set, this much is tried.
const SHORTEST_DEADLINE: Duration = Duration::from_millis(100);

impl Keeper {
    /// What the outbox needs to end `session` at the server. Where nothing can be sent, the
    /// verdict says why.
    pub(super) fn revocation(&self, session: &Session) -> std::result::Result<Revocation, Verdict> {
        let Session { id, account, credentials, was_renewed, .. } = session;
        let provider = self
            .definition_of(session)
            .map_err(|error| Verdict::new(Outcome::Unconfirmed, error.message()))?;
        let evidence = Evidence { renewal_accepted: *was_renewed, ..Evidence::default() };
        let revocation = self.revocation_by(&provider, id, &account.id, credentials)?;
        Ok(Revocation { evidence, ..revocation })
    }

    /// The same by another provider's definition.
    pub(super) fn revocation_by(
        &self,
        provider: &Provider,
        session_id: &str,
        account: &str,
        credentials: &Credentials,
    ) -> std::result::Result<Revocation, Verdict> {
        if provider.logout.steps.is_empty() {
            let why = "the service has no way to end a session from here";
            return Err(Verdict::new(Outcome::Unconfirmed, why));
        }
        let credentials = logout::needed_for_logout(provider, credentials).ok_or_else(|| {
            let why = "the session holds nothing that the logout could send";
            Verdict::new(Outcome::Unconfirmed, why)
        })?;
        let expires_at = self.last_end(provider, &credentials);
        if expires_at.is_some_and(|at| self.shared.clock.is_past(at)) {
            let why = "the session's credentials had ended by themselves";
            return Err(Verdict::new(Outcome::AlreadyEnded, why));
        }
        let now = self.shared.clock.now();
        Ok(Revocation {
            session_id: session_id.to_owned(),
            provider: provider.key.clone(),
            host: provider.logout_host(),
            account: account.to_owned(),
            created_at: now,
            first_attempt_at: now,
            expires_at,
            credentials,
            evidence: Evidence::default(),
            everywhere: false,
            promised_to: None,
            definition: provider.source.clone(),
        })
    }

    /// Sends it, within the deadline of a logout. `queued`: the entry of the outbox that it is;
    /// `None` where there is none, and nothing can be kept for later. What later attempts need of
    /// the answers is kept, in `revocation` too.
    ///
    /// From the first renewal on it goes on to its end on a thread of its own, where the deadline
    /// and the cancel only let the caller go: neither may come between a renewal and its use.
    pub(super) fn send_revocation(
        &self,
        revocation: &mut Revocation,
        provider: &Provider,
        queued: Option<Queued>,
        deadline: Option<Duration>,
        cancel: &Cancel,
    ) -> Verdict {
        // All requests share the deadline, the probe's included.
        let deadline = deadline.unwrap_or(self.logout_deadline).max(SHORTEST_DEADLINE);
        let client = match self.client() {
            Ok(client) => client.limited_to(deadline / logout::requests(provider).max(1)),
            Err(error) => return Verdict::new(Outcome::Deferred, error.message()),
        };
        let attempt = Attempt::new(self, provider, client, cancel, revocation, queued);
        let (verdict, kept) = attempt.run(Instant::now() + deadline);
        if let Some(kept) = kept {
            *revocation = kept;
        }
        verdict
    }

    /// Sends what the disk did not take: now or never.
    pub(super) fn send_unqueued(
        &self,
        revocation: &Revocation,
        deadline: Option<Duration>,
        cancel: &Cancel,
    ) -> Verdict {
        self.send_revocation(&mut revocation.clone(), &self.provider, None, deadline, cancel)
    }

    /// Tokens that came after the logout: they belong to the session that is to be revoked.
    pub(super) fn revoke_late(&self, session: &Session, credentials: &Credentials) -> Result<()> {
        let late = Session { credentials: credentials.clone(), ..session.clone() };
        if let Ok(revocation) = self.revocation(&late) {
            self.enqueue(&revocation)?;
        }
        Ok(())
    }

    /// For what neither the server nor the disk has taken.
    pub(super) fn enqueue_in_background(&self, revocation: Revocation) {
        let keeper = self.clone();
        self.shared.unstored.add(move || keeper.logged(|| keeper.enqueue(&revocation)).is_ok());
    }

    pub(super) fn enqueue(&self, revocation: &Revocation) -> Result<OutboxEntry> {
        self.shared.vault()?.transact(|tx| tx.outbox().enqueue(revocation))
    }

    /// When the last of the credentials ends by itself, as far as they tell. A refresh token does
    /// not tell, nor does a long-lived cookie without an end: they are given the longest life there
    /// is, once it is known from when on.
    pub(super) fn last_end(
        &self,
        provider: &Provider,
        credentials: &Credentials,
    ) -> Option<UnixTime> {
        let now = self.shared.clock.known_now();
        let cookies = credentials.jar.last_expiry_of(&provider.credential_cookies());
        let access = credentials
            .value(ACCESS_TOKEN)
            .and_then(|_| credentials.token_ends_at(&provider.session, now));
        let has_endless_cookie = provider.renewal_cookie().is_some_and(|name| {
            credentials.jar.value(name).is_some() && credentials.jar.expires_at(name).is_none()
        });
        let is_endless = has_endless_cookie || credentials.value(REFRESH_TOKEN).is_some();
        if is_endless {
            let longest = now?.saturating_add(LONGEST_LIFE);
            return [Some(longest), cookies, access].into_iter().flatten().max();
        }
        cookies.max(access)
    }
}
