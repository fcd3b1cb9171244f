//! What is sent to end a session at the server: made of a session, or of cookies that never became
//! one, and sent within a deadline.

use super::Keeper;
use crate::backoff::{FIRST_TRY_LEASE, Outcome};
use crate::cancel::Cancel;
use crate::clock::LONGEST_LIFE;
use crate::clock::UnixTime;
use crate::context::Context;
use crate::error::Result;
use crate::http::Client;
use crate::login::{self, Renewal};
use crate::logout::{self, Verdict};
use crate::provider::{Everywhere, Probe, Provider};
use crate::session::{ACCESS_TOKEN, Credentials, REFRESH_TOKEN};
use crate::session::{Revocation, Session};
use crate::vault::random_id;
use std::time::Duration;

/// However short the deadline is set, this much is tried.
const SHORTEST_DEADLINE: Duration = Duration::from_millis(100);

impl Keeper {
    /// What the outbox needs to end `session` at the server, left alone for `lease`. Where nothing
    /// can be sent, the verdict says why.
    pub(super) fn revocation(
        &self,
        session: &Session,
        lease: Duration,
    ) -> std::result::Result<Revocation, Verdict> {
        self.revocation_of(
            &self.provider,
            &session.credentials,
            (&session.id, &session.account.id),
            lease,
        )
    }

    pub(super) fn revocation_of(
        &self,
        provider: &Provider,
        credentials: &Credentials,
        (session_id, account): (&str, &str),
        lease: Duration,
    ) -> std::result::Result<Revocation, Verdict> {
        let credentials = logout::needed_for_logout(provider, credentials);
        if !logout::can_revoke(provider, &credentials) {
            return Err(nothing_to_send());
        }
        let expires_at = self.last_end(provider, &credentials);
        if expires_at.is_some_and(|at| self.shared.clock.is_past(at)) {
            return Err(credentials_over());
        }
        let created_at = self.shared.clock.now();
        Ok(Revocation {
            session_id: session_id.to_owned(),
            provider: provider.key.clone(),
            account: account.to_owned(),
            created_at,
            first_attempt_at: created_at + i64::try_from(lease.as_secs()).unwrap_or(0),
            expires_at,
            credentials,
            everywhere: false,
            definition: provider.source.clone(),
        })
    }

    /// Sends it, within the deadline of a logout. With `wait_for_others`, a logout everywhere waits
    /// until the other sessions are ended before it ends its own. What later attempts need of the
    /// answers goes to `keep`, which says whether it could be kept.
    pub(super) fn revoke_within(
        &self,
        revocation: &Revocation,
        provider: &Provider,
        deadline: Option<Duration>,
        cancel: &Cancel,
        wait_for_others: bool,
        keep: &mut Keep<'_>,
    ) -> Verdict {
        let credentials = revocation.credentials.clone();
        let client = match self.logout_client(provider, deadline) {
            Ok(client) => client,
            Err(error) => return Verdict::new(Outcome::Deferred, error.message()),
        };
        let clock = &*self.shared.clock;
        let context = Context { client: &client, provider, clock, cancel };
        let mut attempt = Attempt { context, credentials, keep, wait_for_others };
        let verdict = attempt.run(revocation.everywhere);
        attempt.finish(verdict, revocation.everywhere)
    }

    /// A session that the server may have opened and the vault did not take: it goes to the outbox,
    /// or is ended without it. Cookies that make no session are nothing to end.
    pub(super) fn revoke_unstored(
        &self,
        credentials: &Credentials,
        account: &str,
        cancel: &Cancel,
    ) {
        let names = self.provider.credential_cookies();
        let has_cookie = names.iter().any(|name| credentials.jar.value(name).is_some());
        if !has_cookie && !credentials.has_tokens() {
            return;
        }
        log::warn!("the login could not be kept; the server is told to end it");
        let id = random_id().unwrap_or_default();
        let Ok(revocation) =
            self.revocation_of(&self.provider, credentials, (&id, account), FIRST_TRY_LEASE)
        else {
            return;
        };
        let queued = self
            .shared
            .vault()
            .and_then(|vault| vault.transact(|tx| tx.outbox().enqueue(&revocation)));
        match queued {
            Ok(mut entry) => {
                let _sending = self.shared.delivery.begin(entry.id);
                self.deliver_first(&mut entry, None, cancel);
            }
            Err(_) => drop(self.revoke_unkept(&revocation, None, &Cancel::new())),
        }
    }

    /// Sends what the disk did not take: now or never.
    pub(super) fn revoke_unkept(
        &self,
        revocation: &Revocation,
        deadline: Option<Duration>,
        cancel: &Cancel,
    ) -> Verdict {
        self.revoke_within(revocation, &self.provider, deadline, cancel, false, &mut |_| false)
    }

    /// Tokens that came after the logout: they belong to the session that is to be revoked.
    pub(super) fn revoke_late(&self, session: &Session, credentials: &Credentials) -> Result<()> {
        let mut late = session.clone();
        late.credentials = credentials.clone();
        if let Ok(revocation) = self.revocation(&late, Duration::ZERO) {
            self.shared.vault()?.transact(|tx| tx.outbox().enqueue(&revocation))?;
        }
        Ok(())
    }

    /// A client whose requests end within the deadline, the probe's included.
    fn logout_client(&self, provider: &Provider, deadline: Option<Duration>) -> Result<Client> {
        let deadline = deadline.unwrap_or(self.logout_deadline).max(SHORTEST_DEADLINE);
        Ok(self.client()?.limited_to(deadline / logout::requests(provider).max(1)))
    }

    /// When the last of the credentials ends by itself, as far as they tell. A refresh token does
    /// not tell, nor does a long-lived cookie without an end.
    pub(super) fn last_end(
        &self,
        provider: &Provider,
        credentials: &Credentials,
    ) -> Option<UnixTime> {
        let now = self.shared.clock.now();
        let refresh = credentials.value(REFRESH_TOKEN).map(|_| now.saturating_add(LONGEST_LIFE));
        let cookies = credentials.jar.last_expiry_of(&provider.credential_cookies());
        let access = credentials
            .value(ACCESS_TOKEN)
            .and_then(|_| credentials.token_ends_at(&provider.session, now));
        let long_lived = provider.renewal_cookie().filter(|name| {
            credentials.jar.value(name).is_some() && credentials.jar.expires_at(name).is_none()
        });
        let endless = long_lived.map(|_| now.saturating_add(LONGEST_LIFE));
        [refresh, endless, cookies, access].into_iter().flatten().max()
    }
}

/// Takes what later attempts need; false when it could not be kept.
pub(super) type Keep<'a> = dyn FnMut(&Credentials) -> bool + 'a;

/// One attempt at ending a session: with a token that is still good, and with a look at what is
/// left where the answers prove nothing.
struct Attempt<'a> {
    context: Context<'a>,
    credentials: Credentials,
    keep: &'a mut Keep<'a>,
    wait_for_others: bool,
}

impl Attempt<'_> {
    fn run(&mut self, everywhere: bool) -> Verdict {
        let Context { provider, clock, .. } = self.context;
        if logout::needs_fresh_token(provider, &self.credentials, clock, everywhere) {
            if let Some(Ok(Renewal::Over)) = self.renew() {
                return self.was_over(everywhere);
            }
        }
        let before = self.credentials.clone();
        let verdict =
            logout::revoke(&self.context, &mut self.credentials, everywhere, self.wait_for_others);
        if self.credentials != before && !verdict.outcome.is_final() {
            (self.keep)(&self.credentials);
        }
        verdict
    }

    /// Where the answers prove nothing, the renewal may: a dead session is refused. Where only the
    /// access token was refused, a fresh one tells more.
    fn finish(&mut self, verdict: Verdict, everywhere: bool) -> Verdict {
        if verdict.is_token_refused {
            return match self.renew() {
                Some(Ok(Renewal::Over)) => {
                    Verdict { status: verdict.status, ..self.was_over(everywhere) }
                }
                Some(Ok(Renewal::Renewed(_))) => self.run(everywhere),
                _ => verdict,
            };
        }
        let has_probe = self.context.provider.logout.probe == Some(Probe::Renew {});
        if verdict.outcome != Outcome::Unconfirmed || !has_probe {
            return verdict;
        }
        match self.renew() {
            Some(Ok(Renewal::Over)) => Verdict {
                outcome: Outcome::Revoked,
                this_ended: true,
                reason: "the server refuses to renew the old session".to_owned(),
                ..verdict
            },
            _ => verdict,
        }
    }

    /// This session was over, and with it the means to end the others by a list.
    fn was_over(&self, everywhere: bool) -> Verdict {
        let has_list = matches!(self.context.provider.everywhere, Some(Everywhere::List(_)));
        if everywhere && has_list {
            let why = "this session was over already, so the others could not be ended";
            return Verdict { this_ended: true, ..Verdict::new(Outcome::Rejected, why) };
        }
        Verdict::new(Outcome::AlreadyEnded, "the server says that the session was over")
    }

    /// Renews what is held, if there is a way. As for a session that is in use, what serves only
    /// once is noted before it is sent.
    fn renew(&mut self) -> Option<Result<Renewal>> {
        let Context { provider, clock, .. } = self.context;
        let renew = provider.renew.as_ref()?;
        if !login::can_renew(provider, &self.credentials, clock)
            || self.context.cancel.is_cancelled()
        {
            return None;
        }
        if provider.rotates() {
            self.credentials.is_spent = true;
            if !(self.keep)(&self.credentials) {
                self.credentials.is_spent = false;
                return None;
            }
        }
        let mut renewal = login::renew(&self.context, renew, self.credentials.clone());
        match &mut renewal {
            Ok(Renewal::Renewed(fresh)) => {
                fresh.is_spent = false;
                self.credentials = logout::needed_for_logout(provider, fresh);
                (self.keep)(&self.credentials);
            }
            Err(_) => {
                self.credentials.is_spent = false;
                (self.keep)(&self.credentials);
            }
            Ok(Renewal::Over | Renewal::Lost(_)) => {}
        }
        Some(renewal)
    }
}

/// Every credential has certainly ended: the clock is known.
fn credentials_over() -> Verdict {
    Verdict::new(Outcome::AlreadyEnded, "the session's credentials had ended by themselves")
}

/// There is nothing that the server would know the session by.
fn nothing_to_send() -> Verdict {
    Verdict::new(Outcome::Unconfirmed, "the session holds nothing that the logout could send")
}

pub(super) fn not_tried() -> Verdict {
    Verdict::new(Outcome::Deferred, "the server was not tried")
}
