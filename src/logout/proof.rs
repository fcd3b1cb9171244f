//! What an answer to a logout proves. The only place that may say `revoked`.
//!
//! Revoked: the provider's whole proof holds. Already ended: the server says so. Deferred: it
//! cannot say now. Rejected: it will never do it (the keeper parks that after three tries).
//! Everything else proves nothing, and is called that.

use super::Verdict;
use crate::cookies::Jar;
use crate::error::{Error, Kind};
use crate::http::Answer;
use crate::oauth::errors;
use crate::provider::{CookieName, Proof};
use crate::session::Outcome;
use serde_json::Value;
use url::Url;

/// Without a `proof` no answer proves that the session is dead.
pub fn judge(proof: Option<&Proof>, url: &Url, jar: &Jar, answer: &Answer) -> Verdict {
    let (outcome, reason) = match (answer.status, proof) {
        (status, Some(proof)) if proof.status.contains(&status) => {
            match missing(proof, url, jar, answer) {
                None => (Outcome::Revoked, "the server ended the session".to_owned()),
                Some(why) => (Outcome::Unconfirmed, why),
            }
        }
        (200..300, None) => {
            let why = "the server's answer does not prove that the session is dead";
            (Outcome::Unconfirmed, why.to_owned())
        }
        (status, _) => without_proof(status, answer),
    };
    Verdict::of(answer, outcome, reason)
}

fn without_proof(status: u16, answer: &Answer) -> (Outcome, String) {
    match status {
        400 | 401 if status == 401 || is_token_error(answer) => {
            (Outcome::AlreadyEnded, "the server says that the session was over".to_owned())
        }
        400 | 404 | 405 | 410 | 501 => {
            (Outcome::Rejected, format!("the server does not do this, status {status}"))
        }
        status if is_busy(status) => {
            (Outcome::Deferred, format!("the server cannot do it now, status {status}"))
        }
        status => (Outcome::Unconfirmed, format!("status {status} proves nothing")),
    }
}

/// True when another time may bring another answer.
pub(super) fn is_busy(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..)
}

/// No answer, or none that could be read: the session must be taken to be alive.
pub(super) fn judge_failure(error: &Error) -> Verdict {
    let fault = match error.kind() {
        Kind::Network(fault) => Some(fault),
        _ => None,
    };
    // What would leave the provider's hosts was not sent, and is not sent at another try either.
    let outcome = match error.kind() {
        Kind::HostNotAllowed => Outcome::Unconfirmed,
        _ => Outcome::Deferred,
    };
    Verdict { fault, ..Verdict::new(outcome, error.message()) }
}

/// What the answer lacks of the proof, if anything.
fn missing(proof: &Proof, url: &Url, jar: &Jar, answer: &Answer) -> Option<String> {
    if !proof.locations.is_empty() {
        let Some(Ok(location)) = answer.location() else {
            return Some("the redirect does not say where to".to_owned());
        };
        if !proof.locations.iter().any(|allowed| is_same_page(allowed, &location)) {
            let host = location.host_str().unwrap_or("no host").to_owned();
            return Some(format!("the redirect leads elsewhere, to {host}"));
        }
    }
    let body: Value = if proof.json.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
    };
    if let Some((pointer, _)) =
        proof.json.iter().find(|(pointer, wanted)| body.pointer(pointer) != Some(&**wanted))
    {
        return Some(format!("the answer does not say so at '{}'", &**pointer));
    }
    if proof.deletes.is_empty() {
        return None;
    }
    // A cookie under its present and former names; those that are not held say nothing.
    let held = |name: &&CookieName| jar.value(name).is_some();
    let mut held = proof.deletes.iter().flatten().filter(held).peekable();
    if held.peek().is_none() {
        return Some("none of the cookies that the server should delete was held".to_owned());
    }
    let kept = held.find(|name| !jar.deleted_at(name, url, &answer.set_cookies, answer.date()))?;
    Some(format!("the server did not delete the cookie '{}'", &**kept))
}

/// The query is left out: it carries a state of the server's own.
fn is_same_page(allowed: &Url, found: &Url) -> bool {
    allowed.origin() == found.origin()
        && allowed.path() == found.path()
        && found.username().is_empty()
        && found.password().is_none()
}

/// RFC 6749 section 5.2, RFC 6750 section 3.1.
fn is_token_error(answer: &Answer) -> bool {
    matches!(errors::code(answer).as_deref(), Some("invalid_token" | "invalid_grant"))
}
