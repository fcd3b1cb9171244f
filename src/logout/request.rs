//! Logging out by one request that carries the session's cookies. A redirect is the answer itself:
//! it is looked at, not followed.

use super::{Verdict, proof};
use crate::cancel::Cancel;
use crate::http::{Client, Jar, Request};
use crate::outbox::Outcome;
use crate::provider::{LogoutRequest, Probe, Provider};

pub(super) fn revoke(
    client: &Client,
    provider: &Provider,
    logout: &LogoutRequest,
    jar: &Jar,
    cancel: &Cancel,
) -> Verdict {
    let mut request = Request::get(logout.url.clone());
    request.method.clone_from(&logout.method);
    request.headers.clone_from(&logout.headers);
    // The answer's cookies go into a copy: the originals are what the proof is held against.
    let verdict = match client.exchange(&request, &provider.hosts, &mut jar.clone(), cancel) {
        Ok(answer) => proof::judge(&logout.proof, &logout.url, jar, &answer),
        Err(error) => proof::judge_failure(&error),
    };
    match &logout.probe {
        Some(probe) if verdict.outcome == Outcome::Unconfirmed => {
            try_probe(client, provider, probe, jar, cancel).unwrap_or(verdict)
        }
        _ => verdict,
    }
}

/// Tries the old credentials: being refused is the proof that the logout's answer did not give.
fn try_probe(
    client: &Client,
    provider: &Provider,
    probe: &Probe,
    jar: &Jar,
    cancel: &Cancel,
) -> Option<Verdict> {
    let request = Request::get(probe.url.clone());
    let answer = client.exchange(&request, &provider.hosts, &mut jar.clone(), cancel).ok()?;
    log::debug!("the probe was answered with status {}", answer.status);
    probe.refused_status.contains(&answer.status).then(|| Verdict {
        outcome: Outcome::Revoked,
        status: Some(answer.status),
        retry_after: None,
        fault: None,
        reason: "the server refuses the old session".to_owned(),
    })
}
