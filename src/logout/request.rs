//! Logging out by one request that carries the session's cookies. A redirect is the answer itself:
//! it is looked at, not followed.
//!
//! A request without credentials proves nothing, whatever it is answered; so none is made.

use super::{Verdict, Visit, proof};
use crate::http::Request;
use crate::outbox::Outcome;
use crate::provider::{LogoutRequest, Probe};
use url::Url;

pub(super) fn revoke(visit: &Visit, logout: &LogoutRequest) -> Verdict {
    if visit.jar.header_for(&logout.url, visit.clock).is_none() {
        return unknown_to_the_server();
    }
    let mut request = Request::get(logout.url.clone());
    request.method.clone_from(&logout.method);
    request.headers.clone_from(&logout.headers);
    // The answer's cookies go into a copy: the originals are what the proof is held against.
    let mut copy = visit.jar.clone();
    let hosts = &visit.provider.hosts;
    let verdict = match visit.client.exchange(&request, hosts, &mut copy, visit.cancel) {
        Ok(answer) => proof::judge(&logout.proof, &logout.url, visit.jar, &answer),
        Err(error) => proof::judge_failure(&error),
    };
    match &logout.probe {
        Some(probe) if verdict.outcome == Outcome::Unconfirmed => {
            try_probe(visit, probe).unwrap_or(verdict)
        }
        _ => verdict,
    }
}

/// Tries the old credentials: being refused is the proof that the logout's answer did not give.
fn try_probe(visit: &Visit, probe: &Probe) -> Option<Verdict> {
    if !carries_token(visit, &probe.url) {
        return None;
    }
    let request = Request::get(probe.url.clone());
    let hosts = &visit.provider.hosts;
    let answer =
        visit.client.exchange(&request, hosts, &mut visit.jar.clone(), visit.cancel).ok()?;
    log::debug!("the probe was answered with status {}", answer.status);
    probe.refused_status.contains(&answer.status).then(|| Verdict {
        outcome: Outcome::Revoked,
        status: Some(answer.status),
        retry_after: None,
        fault: None,
        reason: "the server refuses the old session".to_owned(),
    })
}

/// True when a request to `url` would carry a token that has not ended by itself: only its refusal
/// says something about the session.
fn carries_token(visit: &Visit, url: &Url) -> bool {
    let sent = visit.jar.subset_for(&[url]);
    visit.provider.session.token_cookies.iter().any(|name| {
        let has_ended = sent.expires_at(name).is_some_and(|at| visit.clock.seems_past(at));
        sent.value(name).is_some() && !has_ended
    })
}

fn unknown_to_the_server() -> Verdict {
    Verdict {
        outcome: Outcome::Unconfirmed,
        status: None,
        retry_after: None,
        fault: None,
        reason: "no credentials are left for the logout's address".to_owned(),
    }
}
