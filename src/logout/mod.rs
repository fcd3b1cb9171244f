//! The ways to log out, one file each, and `proof.rs`, which alone decides what an answer proves.
//!
//! What is sent are the credentials of a session that is already gone from this device.

mod elsewhere;
mod end_session;
mod proof;
mod request;
mod revocation;

use crate::backoff::Outcome;
use crate::clock::Clock;
use crate::context::Context;
use crate::error::Fault;
use crate::provider::{Everywhere, LogoutTarget, Probe, Provider, Step};
use crate::secret::Secret;
use crate::session::{Credentials, ID_TOKEN, REFRESH_TOKEN};
use std::time::Duration;
use url::Url;

/// What one attempt came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub outcome: Outcome,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    pub retry_after: Option<Duration>,
    /// Why there was no answer.
    pub fault: Option<Fault>,
    /// In our words, never the server's; for the log and the details.
    pub reason: String,
    /// What the server warned of, for the details. The server's words, of characters that can be
    /// shown.
    pub warning: String,
    /// How many of the account's other sessions the server has ended.
    pub others_ended: u32,
    /// True when this session has ended, whatever became of the others.
    pub this_ended: bool,
    /// True when it is the access token that was refused, which others may outlive.
    pub is_token_refused: bool,
}

impl Verdict {
    pub fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Verdict {
            outcome,
            status: None,
            retry_after: None,
            fault: None,
            reason: reason.into(),
            warning: String::new(),
            others_ended: 0,
            this_ended: outcome.is_final(),
            is_token_refused: false,
        }
    }
}

/// Tells the provider's server to end the session whose credentials are in `credentials`. What
/// later attempts need, the answers may add to `credentials`. With `wait_for_others` a logout
/// everywhere waits for the other sessions before it ends this one.
pub fn revoke(
    context: &Context,
    credentials: &mut Credentials,
    everywhere: bool,
    wait_for_others: bool,
) -> Verdict {
    let others = match &context.provider.everywhere {
        Some(Everywhere::List(list)) if everywhere => {
            Some(elsewhere::end(context, list, credentials))
        }
        _ => None,
    };
    // Ending this session takes away the means to end the others, so they come first.
    if let Some(others) = others.as_ref().filter(|others| others.outcome == Outcome::Deferred) {
        if wait_for_others {
            return Verdict { this_ended: false, ..others.clone() };
        }
    }
    let mut verdicts = Vec::new();
    for step in &context.provider.logout.steps {
        let verdict = match step {
            Step::Request(logout) if request::waits_in_vain(logout, credentials, &verdicts) => None,
            Step::Request(logout) => Some(request::send(context, logout, credentials)),
            Step::Revoke { tokens } => revocation::revoke(context, tokens, credentials),
            Step::EndSession {} => end_session::end(context, credentials),
        };
        verdicts.extend(verdict);
    }
    let mut verdict = combine(verdicts);
    if let Some(Probe::Request { url, refused_status, bearer }) = &context.provider.logout.probe {
        if verdict.outcome == Outcome::Unconfirmed && !verdict.is_token_refused {
            if let Some(probed) = request::probe(context, url, *bearer, refused_status, credentials)
            {
                verdict = Verdict { warning: verdict.warning, ..probed };
            }
        }
    }
    match others {
        Some(others) => with_others(verdict, others),
        None => verdict,
    }
}

/// What all steps came to: the session is dead when each of them says so. The first that does not
/// say so in the gravest way gives the reason.
fn combine(verdicts: Vec<Verdict>) -> Verdict {
    let gravity = |outcome: Outcome| match outcome {
        Outcome::AlreadyEnded => 0,
        Outcome::Revoked => 1,
        Outcome::Rejected => 2,
        Outcome::Unconfirmed => 3,
        Outcome::Deferred => 4,
    };
    let warning = verdicts.iter().map(|verdict| verdict.warning.clone()).find(|w| !w.is_empty());
    let mut gravest: Option<Verdict> = None;
    for verdict in verdicts {
        let is_graver = |old: &Verdict| gravity(verdict.outcome) > gravity(old.outcome);
        if gravest.as_ref().is_none_or(is_graver) {
            gravest = Some(verdict);
        }
    }
    let nothing = || Verdict::new(Outcome::Unconfirmed, "the server offers no way to log out");
    let verdict = gravest.unwrap_or_else(nothing);
    Verdict { warning: warning.unwrap_or_default(), ..verdict }
}

/// A logout everywhere is done when the others are ended too.
fn with_others(own: Verdict, others: Verdict) -> Verdict {
    let (others_ended, this_ended) = (others.others_ended, own.outcome.is_final());
    let verdict = if this_ended && !others.outcome.is_final() { others } else { own };
    Verdict { others_ended, this_ended, ..verdict }
}

/// The part of `credentials` that revoking needs: what the logout, its probe and a renewal before
/// it would send.
pub fn needed_for_logout(provider: &Provider, credentials: &Credentials) -> Credentials {
    let mut kept = credentials.clone();
    kept.jar = credentials.jar.subset_for(&urls(provider).iter().collect::<Vec<_>>());
    kept
}

/// True when something in `credentials` lets the server know the session.
pub fn can_revoke(provider: &Provider, credentials: &Credentials) -> bool {
    provider.logout.steps.iter().any(|step| match step {
        Step::Request(logout) => request::is_sendable(provider, logout, credentials),
        Step::Revoke { tokens } => tokens.iter().any(|name| credentials.value(name).is_some()),
        Step::EndSession {} => credentials.value(ID_TOKEN).is_some(),
    })
}

/// True when the logout needs an access token that is still good, and there is none.
pub fn needs_fresh_token(
    provider: &Provider,
    credentials: &Credentials,
    clock: &dyn Clock,
    everywhere: bool,
) -> bool {
    let lists = matches!(&provider.everywhere, Some(Everywhere::List(list)) if list.bearer);
    let sends_token = provider.logout.steps.iter().any(|step| match step {
        Step::Request(logout) => logout.bearer,
        Step::Revoke { .. } | Step::EndSession {} => false,
    });
    let has_none = credentials.token(&provider.session).is_none();
    (sends_token || (everywhere && lists)) && (has_none || has_lapsed(provider, credentials, clock))
}

/// True when the access token has ended by itself, as far as it tells.
fn has_lapsed(provider: &Provider, credentials: &Credentials, clock: &dyn Clock) -> bool {
    let ends = credentials.token_ends_at(&provider.session, clock.now());
    ends.is_some_and(|at| clock.seems_past(at))
}

/// How many requests a revocation makes at most; they share the logout's deadline.
pub fn requests(provider: &Provider) -> u32 {
    let steps: u32 = provider
        .logout
        .steps
        .iter()
        .map(|step| match step {
            Step::Request(_) | Step::EndSession {} => 1,
            Step::Revoke { tokens } => u32::try_from(tokens.len()).unwrap_or(u32::MAX),
        })
        .sum();
    steps + u32::from(provider.logout.probe.is_some())
}

/// The addresses that get cookies.
fn urls(provider: &Provider) -> Vec<Url> {
    let mut urls = Vec::new();
    for step in &provider.logout.steps {
        if let Step::Request(logout) = step {
            if let LogoutTarget::Fixed(url) = logout.target() {
                urls.push(url.clone());
            }
        }
    }
    match &provider.logout.probe {
        Some(Probe::Request { url, .. }) => urls.push(url.to_url()),
        Some(Probe::Renew {}) | None => {}
    }
    if let Some(Everywhere::List(list)) = &provider.everywhere {
        urls.push(list.url.to_url());
    }
    urls.extend(provider.renewal_url().cloned());
    urls
}

/// The session's own token, for a request to one of the hosts.
fn bearer(provider: &Provider, credentials: &Credentials, wanted: bool) -> Option<Secret> {
    if wanted { credentials.token(&provider.session) } else { None }
}

/// True when the names of what is held go beyond the access token: something that outlives it.
fn outlives_token(credentials: &Credentials, provider: &Provider) -> bool {
    let cookie = provider.renewal_cookie();
    credentials.value(REFRESH_TOKEN).is_some()
        || cookie.is_some_and(|name| credentials.jar.value(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(outcomes: &[Outcome]) -> Outcome {
        combine(outcomes.iter().map(|outcome| Verdict::new(*outcome, "")).collect()).outcome
    }

    #[test]
    fn a_session_is_dead_when_every_step_says_so() {
        use Outcome::{AlreadyEnded, Deferred, Rejected, Revoked, Unconfirmed};
        assert_eq!(of(&[Revoked, AlreadyEnded]), Revoked);
        assert_eq!(of(&[AlreadyEnded, AlreadyEnded]), AlreadyEnded);
        assert_eq!(of(&[Revoked, Unconfirmed]), Unconfirmed);
        assert_eq!(of(&[Revoked, Rejected]), Rejected);
        assert_eq!(of(&[Deferred, Revoked, Unconfirmed]), Deferred);
        assert_eq!(of(&[]), Unconfirmed);
    }
}
