//! What is sent to end a session at the server: made of a session, or of cookies that never became
//! one, and sent within a deadline.

use super::handle::Keeper;
use crate::backoff::FIRST_TRY_LEASE;
use crate::cancel::Cancel;
use crate::clock::{LONGEST_LIFE, UnixTime};
use crate::context::Context;
use crate::error::Result;
use crate::login::{self, Renewal};
use crate::logout::{self, Notes, Verdict};
use crate::provider::{Everywhere, Probe, Provider};
use crate::session::{ACCESS_TOKEN, Credentials, Outcome, REFRESH_TOKEN, Revocation, Session};
use crate::vault::{OutboxEntry, random_id};
use std::time::Duration;

/// However short the deadline is set, this much is tried.
const SHORTEST_DEADLINE: Duration = Duration::from_millis(100);

/// How often a logout everywhere waits for the other sessions before it ends its own all the same.
const TRIES_BEFORE_SKIPPING: u32 = 5;

impl Keeper {
    /// What the outbox needs to end `session` at the server. Where nothing can be sent, the
    /// verdict says why.
    pub(super) fn revocation(&self, session: &Session) -> std::result::Result<Revocation, Verdict> {
        let Session { id, account, credentials, .. } = session;
        self.revocation_by(&self.provider, id, &account.id, credentials)
    }

    /// The same by another provider's definition.
    pub(super) fn revocation_by(
        &self,
        provider: &Provider,
        session_id: &str,
        account: &str,
        credentials: &Credentials,
    ) -> std::result::Result<Revocation, Verdict> {
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
            everywhere: false,
            promised_to: None,
            definition: provider.source.clone(),
        })
    }

    /// Sends it, within the deadline of a logout. `attempts`: how often the outbox has tried
    /// before; `None` where it is not in the outbox, and nothing can be kept for later. What later
    /// attempts need of the answers is kept, in `revocation` too.
    pub(super) fn send_revocation(
        &self,
        revocation: &mut Revocation,
        provider: &Provider,
        attempts: Option<u32>,
        deadline: Option<Duration>,
        cancel: &Cancel,
    ) -> Verdict {
        // All requests share the deadline, the probe's included.
        let deadline = deadline.unwrap_or(self.logout_deadline).max(SHORTEST_DEADLINE);
        let client = match self.client() {
            Ok(client) => client.limited_to(deadline / logout::requests(provider).max(1)),
            Err(error) => return Verdict::new(Outcome::Deferred, error.message()),
        };
        let context = Context { client: &client, provider, clock: &*self.shared.clock, cancel };
        let credentials = revocation.credentials.clone();
        let notes = Notes::default();
        let mut attempt =
            Attempt { keeper: self, context, revocation, credentials, notes, attempts };
        let verdict = attempt.run();
        let verdict = attempt.finish(verdict);
        Verdict { notes: attempt.notes, ..verdict }
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

    /// A session that the server may have opened and the vault did not take: it goes to the
    /// outbox, or is ended without it. Cookies that make no session are nothing to end.
    pub(super) fn revoke_unstored(&self, credentials: &Credentials, account: &str) {
        let names = self.provider.credential_cookies();
        let has_cookie = names.iter().any(|name| credentials.jar.value(name).is_some());
        if !has_cookie && !credentials.has_tokens() {
            return;
        }
        log::warn!("the login could not be kept; the server is told to end it");
        let id = random_id().unwrap_or_default();
        let Ok(mut revocation) = self.revocation_by(&self.provider, &id, account, credentials)
        else {
            return;
        };
        revocation.first_attempt_at += FIRST_TRY_LEASE;
        let cancel = Cancel::new();
        match self.enqueue(&revocation) {
            Ok(mut entry) => {
                let _sending = self.shared.delivery.begin(entry.id);
                self.deliver_first(&mut entry, None, &cancel);
            }
            Err(_) => drop(self.send_unqueued(&revocation, None, &cancel)),
        }
    }

    /// Tokens that came after the logout: they belong to the session that is to be revoked.
    pub(super) fn revoke_late(&self, session: &Session, credentials: &Credentials) -> Result<()> {
        let late = Session { credentials: credentials.clone(), ..session.clone() };
        if let Ok(revocation) = self.revocation(&late) {
            self.enqueue(&revocation)?;
        }
        Ok(())
    }

    fn enqueue(&self, revocation: &Revocation) -> Result<OutboxEntry> {
        self.shared.vault()?.transact(|tx| tx.outbox().enqueue(revocation))
    }

    /// When the last of the credentials ends by itself, as far as they tell. A refresh token does
    /// not tell, nor does a long-lived cookie without an end.
    fn last_end(&self, provider: &Provider, credentials: &Credentials) -> Option<UnixTime> {
        let now = self.shared.clock.now();
        let cookies = credentials.jar.last_expiry_of(&provider.credential_cookies());
        let access = credentials
            .value(ACCESS_TOKEN)
            .and_then(|_| credentials.token_ends_at(&provider.session, now));
        let has_endless_cookie = provider.renewal_cookie().is_some_and(|name| {
            credentials.jar.value(name).is_some() && credentials.jar.expires_at(name).is_none()
        });
        let is_endless = has_endless_cookie || credentials.value(REFRESH_TOKEN).is_some();
        let endless = is_endless.then(|| now.saturating_add(LONGEST_LIFE));
        [endless, cookies, access].into_iter().flatten().max()
    }
}

/// One attempt at ending a session: with a token that is still good, and with a look at what is
/// left where the answers prove nothing.
struct Attempt<'a> {
    keeper: &'a Keeper,
    context: Context<'a>,
    revocation: &'a mut Revocation,
    credentials: Credentials,
    notes: Notes,
    attempts: Option<u32>,
}

impl Attempt<'_> {
    fn run(&mut self) -> Verdict {
        let everywhere = self.revocation.everywhere;
        if logout::needs_fresh_token(&self.context, &self.credentials, everywhere)
            && let Some(Ok(Renewal::Over)) = self.renew()
        {
            return self.was_over();
        }
        let before = self.credentials.clone();
        let waits = self.attempts.is_some_and(|attempts| attempts < TRIES_BEFORE_SKIPPING);
        let Attempt { context, credentials, notes, .. } = self;
        let verdict = logout::revoke(context, credentials, notes, everywhere, waits);
        if self.credentials != before && !verdict.outcome.is_final() {
            self.keep();
        }
        verdict
    }

    /// Where the answers prove nothing, the renewal may: a dead session is refused. Where only the
    /// access token was refused, a fresh one tells more.
    fn finish(&mut self, verdict: Verdict) -> Verdict {
        let has_probe = self.context.provider.logout.probe == Some(Probe::Renew {});
        let is_open = verdict.outcome == Outcome::Unconfirmed && has_probe;
        if !verdict.is_token_refused && !is_open {
            return verdict;
        }
        match self.renew() {
            Some(Ok(Renewal::Over)) if verdict.is_token_refused => {
                Verdict { status: verdict.status, ..self.was_over() }
            }
            Some(Ok(Renewal::Over)) => Verdict {
                outcome: Outcome::Revoked,
                this_ended: true,
                reason: "the server refuses to renew the old session".to_owned(),
                ..verdict
            },
            Some(Ok(Renewal::Renewed(_))) if verdict.is_token_refused => self.run(),
            _ => verdict,
        }
    }

    /// This session was over. With it, the means to end others by a list are gone.
    fn was_over(&self) -> Verdict {
        let has_list = matches!(self.context.provider.everywhere, Some(Everywhere::List(_)));
        if self.revocation.everywhere && has_list {
            let why = "this session was over already, so the others could not be ended";
            return Verdict { this_ended: true, ..Verdict::new(Outcome::Rejected, why) };
        }
        Verdict::new(Outcome::AlreadyEnded, "the server says that the session was over")
    }

    /// Renews the credentials, if there is a way. As for a session that is in use, what serves
    /// only once is noted before it is sent.
    fn renew(&mut self) -> Option<Result<Renewal>> {
        let Context { provider, clock, cancel, .. } = self.context;
        let renew = provider.renew.as_ref()?;
        if !login::can_renew(provider, &self.credentials, clock) || cancel.is_cancelled() {
            return None;
        }
        if provider.rotates() {
            self.credentials.is_spent = true;
            if !self.keep() {
                self.credentials.is_spent = false;
                return None;
            }
        }
        let mut renewal = login::renew(&self.context, renew, self.credentials.clone());
        match &mut renewal {
            Ok(Renewal::Renewed(fresh)) => {
                fresh.is_spent = false;
                let needed = logout::needed_for_logout(provider, fresh);
                self.credentials = needed.unwrap_or_else(|| fresh.clone());
                self.keep();
            }
            Err(_) => {
                self.credentials.is_spent = false;
                self.keep();
            }
            Ok(Renewal::Over | Renewal::Lost(_)) => {}
        }
        Some(renewal)
    }

    /// Stores what later attempts need; false when that was not possible.
    fn keep(&mut self) -> bool {
        if self.attempts.is_none() {
            return false;
        }
        let ends = self.keeper.last_end(self.context.provider, &self.credentials);
        self.revocation.credentials = self.credentials.clone();
        self.revocation.expires_at = self.revocation.expires_at.zip(ends).map(|(a, b)| a.max(b));
        self.keeper
            .enqueue(self.revocation)
            .inspect_err(|error| log::error!("the outbox could not be written: {error}"))
            .is_ok()
    }
}
