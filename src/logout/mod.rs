//! The ways to log out, one file each, and `proof.rs`, which alone decides what an answer proves.
//!
//! What is sent are the credentials of a session that is already gone from this device.

mod elsewhere;
mod end_session;
mod page;
mod proof;
mod request;
mod revocation;

#[cfg(any(test, feature = "fuzz"))]
pub use proof::judge;
pub use proof::{judge_refused_renewal, renewal_proves, still_alive};

use crate::clock::UnixTime;
use crate::context::Context;
use crate::error::Fault;
use crate::http::Answer;
use crate::provider::{Everywhere, LogoutStep, Probe, Provider, Target, Values};
use crate::session::{Carried, Credentials, Evidence, ID_TOKEN, Outcome, REFRESH_TOKEN};
use crate::steps;
use serde::Serialize;
use std::collections::BTreeSet;
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
    pub notes: Notes,
    /// How many of the account's other sessions the server has ended.
    pub others_ended: u32,
    /// True where it has ended them and does not say how many.
    pub is_uncounted: bool,
    /// True when this session is ended, whatever became of the others.
    pub this_ended: bool,
    /// What it comes to if a renewal is refused now; `None`: that would say nothing.
    pub if_renewal_refused: Option<Outcome>,
    /// True when the same would be answered the same.
    pub is_settled: bool,
}

/// What came of using the session, to see whether the server takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    Accepted,
    /// With this status; `None` for a renewal, which has many ways to refuse.
    Refused(Option<u16>),
    /// It was not tried, or the answer tells nothing.
    Unclear,
}

/// What the report tells of the answers beside the outcome, added up over all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Notes {
    /// What went wrong with the server's audit log, in its words, as far as they can be shown;
    /// empty where nothing did.
    pub audit_warning: String,
    /// The names of the cookies that were held and that the server's answers deleted, by expiry as
    /// RFC 6265bis section 5.7 has it.
    pub server_cookies_cleared: BTreeSet<String>,
}

impl Verdict {
    /// What an answer means.
    fn of(answer: &Answer, outcome: Outcome, reason: impl Into<String>) -> Self {
        Verdict {
            status: Some(answer.status),
            retry_after: answer.retry_after(),
            ..Verdict::new(outcome, reason)
        }
    }

    pub fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Verdict {
            outcome,
            status: None,
            retry_after: None,
            fault: None,
            reason: reason.into(),
            notes: Notes::default(),
            others_ended: 0,
            is_uncounted: false,
            this_ended: outcome.is_final(),
            if_renewal_refused: None,
            is_settled: false,
        }
    }
}

/// Ends the account's other sessions, where that takes more than the logout itself.
///
/// That comes before this session's end: afterwards it cannot end the others any more.
pub fn end_others(context: &Context, credentials: &Credentials) -> Option<Verdict> {
    let ended = match context.provider.everywhere.as_ref()? {
        Everywhere::List(list) => elsewhere::end(context, list, credentials),
        Everywhere::Request(end) => elsewhere::end_all(context, end, credentials),
        Everywhere::Logout {} => return None,
    };
    Some(ended.unwrap_or_else(|error| proof::judge_failure(&error)))
}

/// Tells the provider's server to end the session whose credentials these are, and looks whether
/// it did. The answers may add to `credentials` what later attempts need.
pub fn revoke(
    context: &Context,
    credentials: &mut Credentials,
    notes: &mut Notes,
    evidence: Evidence,
) -> Verdict {
    let mut verdicts = Vec::new();
    // What pages held, and what they should have held.
    let (mut values, mut missing) = (Values::new(), Vec::new());
    for step in &context.provider.logout.steps {
        let verdict = match step {
            LogoutStep::Request(logout)
                if request::waits_in_vain(logout, credentials, &verdicts)
                    || logout.request().places().any(|name| missing.contains(&name)) =>
            {
                continue;
            }
            LogoutStep::Page(page)
                if page.request().places().any(|name| missing.contains(&name)) =>
            {
                continue;
            }
            LogoutStep::Request(logout) => {
                request::send(context, logout, credentials, &values, notes).map(Some)
            }
            LogoutStep::Page(page) => {
                let fetched = page::fetch(context, page, credentials, &mut values);
                if !matches!(fetched, Ok(None)) {
                    missing.extend(page.take.keys().map(String::as_str));
                }
                fetched
            }
            LogoutStep::Revoke { tokens } => revocation::revoke(context, tokens, credentials),
            LogoutStep::EndSession {} => end_session::end(context, credentials),
        };
        verdicts.extend(verdict.unwrap_or_else(|error| Some(proof::judge_failure(&error))));
    }
    let mut verdict = combine(verdicts);
    if verdict.outcome == Outcome::Unconfirmed && verdict.if_renewal_refused.is_none() {
        if context.provider.logout.probe == Some(Probe::Renew {}) {
            verdict.if_renewal_refused = Some(Outcome::Revoked);
        }
        let is_outlived = outlives_token(credentials, context.provider);
        let tried = probe(context, credentials);
        verdict = proof::judge_probe(verdict, tried, evidence.probe_accepted, is_outlived);
    }
    verdict
}

/// Uses the session as the provider's probe does, where that is a request of its own.
pub fn probe(context: &Context, credentials: &Credentials) -> Tried {
    match &context.provider.logout.probe {
        Some(Probe::Request(probe)) => request::probe(context, probe, credentials),
        Some(Probe::Renew {}) | None => Tried::Unclear,
    }
}

/// What all steps came to: the session is dead when each of them says so. Otherwise the first of
/// the gravest verdicts counts.
fn combine(verdicts: Vec<Verdict>) -> Verdict {
    let is_settled = verdicts.iter().all(|one| one.is_settled || one.outcome.is_final());
    let gravity = |verdict: &Verdict| match verdict.outcome {
        Outcome::NothingToRevoke | Outcome::AlreadyEnded => 0,
        Outcome::Revoked => 1,
        Outcome::Rejected => 2,
        Outcome::Unconfirmed => 3,
        Outcome::Alive => 4,
        Outcome::Deferred => 5,
    };
    // `max_by_key` takes the last of several.
    let gravest = verdicts.into_iter().rev().max_by_key(gravity).unwrap_or_else(|| {
        Verdict::new(Outcome::Unconfirmed, "the server offers no way to log out")
    });
    Verdict { is_settled, ..gravest }
}

/// A logout everywhere is done when the others are ended too.
pub fn with_others(own: Verdict, others: Verdict) -> Verdict {
    let Verdict { others_ended, is_uncounted, .. } = others;
    let this_ended = own.outcome.is_final();
    let verdict = if this_ended && !others.outcome.is_final() { others } else { own };
    Verdict { others_ended, is_uncounted, this_ended, ..verdict }
}

/// What the provider's logout sends, its probe included. A renewal has its own time.
struct Needs<'a> {
    /// The addresses that get cookies.
    urls: Vec<&'a Url>,
    sends_token: bool,
    requests: u32,
}

impl<'a> Needs<'a> {
    fn of(provider: &'a Provider) -> Self {
        let mut needs = Needs { urls: Vec::new(), sends_token: false, requests: 0 };
        for step in &provider.logout.steps {
            needs.requests += match step {
                LogoutStep::Revoke { tokens } => u32::try_from(tokens.len()).unwrap_or(u32::MAX),
                LogoutStep::Request(_) | LogoutStep::Page(_) | LogoutStep::EndSession {} => 1,
            };
            let (target, sends_bearer) = match step {
                LogoutStep::Request(logout) => (logout.target(), logout.bearer),
                LogoutStep::Page(page) => (Target::Given(&page.url), page.bearer),
                LogoutStep::Revoke { .. } | LogoutStep::EndSession {} => continue,
            };
            needs.sends_token |= sends_bearer;
            if let Target::Given(target) = target {
                needs.urls.push(target);
            }
        }
        if let Some(Probe::Request(probe)) = &provider.logout.probe {
            // Before the steps and after them.
            needs.requests += 2;
            needs.urls.push(&probe.url);
        }
        let elsewhere = provider.everywhere.iter().flat_map(Everywhere::requests);
        needs.urls.extend(elsewhere.filter_map(|(request, _)| request.url.given()));
        needs.urls.extend(provider.renewal_url());
        needs
    }
}

/// The part of `credentials` that the logout sends. `None`: the server would not know the session
/// by it.
pub fn needed_for_logout(provider: &Provider, credentials: &Credentials) -> Option<Credentials> {
    let Credentials { jar, .. } = credentials;
    // What the proof names is kept even where it is not sent: it has to be deleted as well.
    let named: Vec<_> = provider.logout.deleted_cookies().collect();
    let sent = jar.subset_for(&Needs::of(provider).urls);
    let kept = credentials.with_jar(jar.subset_named(&named).overlaid_with(&sent));
    let is_known = provider.logout.steps.iter().any(|step| match step {
        LogoutStep::Request(logout) => request::is_sendable(provider, logout, &kept),
        LogoutStep::Page(page) => request::is_page_sendable(provider, page, &kept),
        LogoutStep::Revoke { tokens } => tokens.iter().any(|name| kept.value(name).is_some()),
        LogoutStep::EndSession {} => kept.value(ID_TOKEN).is_some(),
    });
    is_known.then_some(kept)
}

/// True when the logout sends an access token, and there is none that is still good.
pub fn needs_fresh_token(context: &Context, credentials: &Credentials, everywhere: bool) -> bool {
    let provider = context.provider;
    let elsewhere = provider.everywhere.as_ref().is_some_and(Everywhere::sends_token);
    (Needs::of(provider).sends_token || (everywhere && elsewhere))
        && credentials.token(&provider.session).is_none_or(|_| {
            // A fresh one too many does no harm: it goes with the session.
            token_end(context, credentials).is_some_and(|at| context.clock.seems_past(at))
        })
}

/// True when the access token has ended by itself for certain.
fn has_lapsed(context: &Context, credentials: &Credentials) -> bool {
    token_end(context, credentials).is_some_and(|at| context.clock.is_past(at))
}

/// When the access token ends, as far as it tells.
fn token_end(context: &Context, credentials: &Credentials) -> Option<UnixTime> {
    credentials.token_ends_at(&context.provider.session, context.clock.known_now())
}

/// How many requests a revocation makes at most; they share the logout's deadline.
pub fn requests(provider: &Provider) -> u32 {
    Needs::of(provider).requests
}

/// What a request to one of the hosts carries of the session beside cookies.
fn carried(provider: &Provider, credentials: &Credentials, wanted: bool) -> Carried {
    let carried = if wanted { steps::carried(provider, credentials) } else { None };
    carried.unwrap_or_default()
}

/// True when something among the credentials outlives the access token.
pub fn outlives_token(credentials: &Credentials, provider: &Provider) -> bool {
    let cookie = provider.renewal_cookie();
    credentials.value(REFRESH_TOKEN).is_some()
        || cookie.is_some_and(|name| credentials.jar.value(name).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Cancel;
    use crate::clock::HeldClock;
    use crate::cookies::Jar;
    use crate::http::{Client, Settings};
    use crate::secret::Secret;
    use crate::session::ACCESS_TOKEN;
    use std::sync::Arc;

    const NOW: UnixTime = 1_800_000_000;

    /// The test service; its `/list` of all sessions wants the access token, its logout does not.
    fn service() -> Provider {
        let text = include_str!("../../tests/it/service.toml").replace("PORT", "9");
        let list = "\n[everywhere]\nflow = 'list'\nurl = 'http://127.0.0.1:9/list'\n\
            sessions = '/all'\ncurrent = '/here'\nbearer = true\n\
            end_url = 'http://127.0.0.1:9/list/{id}'\n";
        Provider::parse(&(text + list), None).unwrap()
    }

    pub(super) fn built_in(id: &str) -> Provider {
        let all = crate::provider::built_in().unwrap();
        all.into_iter().find(|one| one.id == id).unwrap().clone()
    }

    /// An access token that ends then.
    fn token(expires_at: Option<UnixTime>) -> Credentials {
        let mut credentials = Credentials::new();
        credentials.expires_at = expires_at;
        credentials.set(ACCESS_TOKEN, Secret::new("opaque"));
        credentials
    }

    fn in_context<T>(provider: &Provider, ask: impl Fn(&Context) -> T) -> T {
        let clock = Arc::new(HeldClock::at(NOW));
        let (client, cancel) = (Client::new(&Settings::default(), clock.clone()), Cancel::new());
        let context =
            Context { client: &client.unwrap(), provider, clock: &*clock, cancel: &cancel };
        ask(&context)
    }

    #[test]
    fn a_token_is_renewed_first_where_the_logout_sends_one_and_it_is_over() {
        let needs = |provider: &Provider, credentials: &Credentials, everywhere| {
            in_context(provider, |context| needs_fresh_token(context, credentials, everywhere))
        };
        let (over, good) = (token(Some(NOW - 1)), token(Some(NOW + 60)));
        for (provider, here, everywhere) in [
            (built_in("jwt-audit"), true, true),
            (built_in("idempotent"), true, true),
            (built_in("oidc"), false, false),
            (built_in("angel"), false, false),
            (service(), false, true),
        ] {
            for none_left in [&over, &Credentials::new()] {
                assert_eq!(needs(&provider, none_left, false), here, "{}", provider.id);
                assert_eq!(needs(&provider, none_left, true), everywhere, "{}", provider.id);
            }
            for still_good in [&good, &token(None)] {
                assert!(!needs(&provider, still_good, false), "{}", provider.id);
                assert!(!needs(&provider, still_good, true), "{}", provider.id);
            }
        }
    }

    #[test]
    fn a_token_has_lapsed_when_its_end_is_past_for_certain() {
        let lapsed = |credentials: &Credentials| {
            in_context(&service(), |context| has_lapsed(context, credentials))
        };
        assert!(lapsed(&token(Some(NOW - 1))));
        assert!(!lapsed(&token(Some(NOW + 1))));
        assert!(!lapsed(&token(None)), "it does not tell");
    }

    #[test]
    fn what_no_server_would_know_the_session_by_is_not_kept() {
        let is_known = |provider: &Provider, credentials: &Credentials| {
            needed_for_logout(provider, credentials).is_some()
        };
        let (none, with_token) = (Credentials::new(), token(None));
        // By a token in the header, by one of the tokens, by cookies.
        for (provider, expected) in
            [(built_in("jwt-audit"), true), (built_in("oidc"), true), (service(), false)]
        {
            assert!(!is_known(&provider, &none), "{}", provider.id);
            assert_eq!(is_known(&provider, &with_token), expected, "{}", provider.id);
        }
        let (provider, mut jar) = (service(), Jar::new());
        let url = "http://127.0.0.1:9/".parse().unwrap();
        jar.store(&url, &["other=a; Path=/; Max-Age=99".to_owned()], None, &provider.hosts);
        assert!(is_known(&provider, &none.with_jar(jar)));
    }

    #[test]
    fn what_renews_a_token_outlives_it() {
        let provider = service();
        assert!(!outlives_token(&token(None), &provider));
        let mut jar = Jar::new();
        for (cookie, outlives) in [("inner=a", false), ("remember=b", true)] {
            let url = "http://127.0.0.1:9/".parse().unwrap();
            jar.store(&url, &[format!("{cookie}; Path=/; Max-Age=99")], None, &provider.hosts);
            assert_eq!(outlives_token(&token(None).with_jar(jar.clone()), &provider), outlives);
        }
        let mut refreshed = token(None);
        refreshed.set(REFRESH_TOKEN, Secret::new("r"));
        assert!(outlives_token(&refreshed, &provider));
    }

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

    #[test]
    fn every_request_has_its_share_of_the_deadline() {
        let built_in = crate::provider::built_in().unwrap().into_iter();
        let counted: Vec<_> =
            built_in.map(|provider| (provider.id.as_str(), requests(provider))).collect();
        let expected = [
            ("angel", 1),
            ("jellyfin", 3),
            ("emby", 3),
            ("plex", 3),
            ("trakt", 3),
            ("youtube", 1),
            ("twitch", 1),
            ("real-debrid", 1),
            ("simkl", 0),
            ("github", 4),
            ("nextcloud", 3),
            ("matrix", 3),
            ("auth0", 1),
            ("workos", 2),
            ("workos-device", 1),
            ("jwt-audit", 3),
            ("linxup", 1),
            ("idempotent", 3),
            ("oidc", 3),
        ];
        assert_eq!(counted, expected);
    }
}
