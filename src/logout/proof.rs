//! What an answer to a logout proves. The only place that may say `revoked`.
//!
//! Revoked: the provider's whole proof holds, or what was accepted before the logout is refused
//! after it. Already ended: the server says so. Alive: it is accepted after the logout as well.
//! Deferred: the server cannot say now. Rejected: it will never do it (the keeper parks that after
//! three tries). Everything else proves nothing, and is called that.

use super::{Tried, Verdict};
use crate::cookies::Jar;
use crate::error::{Error, Kind};
use crate::http::Answer;
use crate::oauth::errors;
use crate::provider::{CookieName, Proof, Provider, Renew};
use crate::session::{Credentials, Evidence, Outcome};
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
        (200..400, None) => {
            let why = "the server's answer does not prove that the session is dead";
            (Outcome::Unconfirmed, why.to_owned())
        }
        (status, _) => without_proof(status, answer),
    };
    // A logout that works, and of which no answer is a proof, is answered the same each time.
    let is_settled = proof.is_none() && matches!(answer.status, 200..400);
    Verdict { is_settled, ..Verdict::of(answer, outcome, reason) }
}

/// An answer that does not hold what a later step needs: it says nothing of the session.
pub(super) fn judge_useless(name: &str, answer: &Answer) -> Verdict {
    let outcome = match answer.status {
        status if is_busy(status) => Outcome::Deferred,
        400 | 404 | 405 | 410 | 501 => Outcome::Rejected,
        _ => Outcome::Unconfirmed,
    };
    Verdict::of(answer, outcome, format!("{name} was answered with status {}", answer.status))
}

/// What the probe says after the logout. `was_accepted`: for this session, before the logout.
/// `is_outlived`: by something that renews what was refused.
pub(super) fn judge_probe(
    verdict: Verdict,
    tried: Tried,
    was_accepted: bool,
    is_outlived: bool,
) -> Verdict {
    match tried {
        Tried::Accepted => still_alive(verdict),
        Tried::Refused(status) if was_accepted => {
            let refused = Verdict { status, ..verdict };
            if is_outlived {
                return token_refused(refused, Outcome::Revoked);
            }
            ended(refused, Outcome::Revoked, "the server refuses the old session")
        }
        Tried::Refused(_) => never_accepted(verdict),
        Tried::Unclear => verdict,
    }
}

/// True when a renewal that is refused shows that the session is dead. `invalid_grant` says it of
/// the refresh token itself (RFC 6749 section 5.2); a status says it only where a renewal was
/// granted before. Neither does after a renewal that may have brought another credential.
pub fn renewal_proves(provider: &Provider, credentials: &Credentials, evidence: Evidence) -> bool {
    let names_the_token = matches!(provider.renew, Some(Renew::RefreshToken { .. }));
    let may_be_exchanged = provider.rotates() && credentials.is_doubtful;
    (names_the_token || evidence.renewal_accepted) && !may_be_exchanged
}

/// What it says that the old session cannot be renewed. `is_proof`: see `renewal_proves`.
pub fn judge_refused_renewal(verdict: Verdict, is_proof: bool) -> Verdict {
    match verdict.if_renewal_refused {
        Some(outcome) if is_proof => {
            ended(verdict, outcome, "the server refuses to renew the old session")
        }
        Some(_) => never_accepted(verdict),
        None => verdict,
    }
}

/// After the logout the server takes the session as before.
pub fn still_alive(verdict: Verdict) -> Verdict {
    let reason = "the server still accepts the old session".to_owned();
    Verdict { outcome: Outcome::Alive, if_renewal_refused: None, reason, ..verdict }
}

/// The access token is refused, and what renews it may be good: that decides. `outcome` is what it
/// comes to if that is refused as well.
pub(super) fn token_refused(verdict: Verdict, outcome: Outcome) -> Verdict {
    let reason = "the server refuses the access token, which says nothing of the session";
    Verdict {
        outcome: Outcome::Unconfirmed,
        this_ended: false,
        if_renewal_refused: Some(outcome),
        is_settled: true,
        reason: reason.to_owned(),
        ..verdict
    }
}

fn ended(verdict: Verdict, outcome: Outcome, reason: &str) -> Verdict {
    Verdict { outcome, this_ended: true, reason: reason.to_owned(), ..verdict }
}

/// A session that lives might be refused the same.
fn never_accepted(verdict: Verdict) -> Verdict {
    let reason = "the server refuses the old session, and was not seen to accept it before";
    Verdict { reason: reason.to_owned(), ..verdict }
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
    let is_settled = outcome == Outcome::Unconfirmed;
    Verdict { fault, is_settled, ..Verdict::new(outcome, error.message()) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logout::tests::built_in;

    fn unproved() -> Verdict {
        Verdict {
            status: Some(200),
            if_renewal_refused: Some(Outcome::Revoked),
            ..Verdict::new(Outcome::Unconfirmed, "")
        }
    }

    #[test]
    fn a_probe_proves_where_it_was_accepted_before_and_nothing_renews_what_is_refused() {
        let refused = Tried::Refused(Some(401));
        let judge = |tried, was_accepted, is_outlived| {
            let Verdict { outcome, status, this_ended, if_renewal_refused, .. } =
                judge_probe(unproved(), tried, was_accepted, is_outlived);
            (outcome, status, this_ended, if_renewal_refused)
        };
        let (unproved, renewal) = (Outcome::Unconfirmed, Some(Outcome::Revoked));
        assert_eq!(judge(refused, true, false), (Outcome::Revoked, Some(401), true, renewal));
        assert_eq!(judge(refused, true, true), (unproved, Some(401), false, renewal));
        for is_outlived in [true, false] {
            let same = (unproved, Some(200), false, renewal);
            assert_eq!(judge(refused, false, is_outlived), same);
            assert_eq!(judge(Tried::Unclear, true, is_outlived), same);
            let alive = (Outcome::Alive, Some(200), false, None);
            assert_eq!(judge(Tried::Accepted, false, is_outlived), alive, "no renewal is needed");
        }
    }

    #[test]
    fn each_word_of_proof_says_why() {
        let before = Verdict { if_renewal_refused: None, ..unproved() };
        let ended = Verdict { outcome: Outcome::Revoked, this_ended: true, ..before.clone() };
        let refused = token_refused(ended, Outcome::AlreadyEnded);
        assert!(refused.reason.contains("access token"), "{}", refused.reason);
        let expected = Verdict {
            if_renewal_refused: Some(Outcome::AlreadyEnded),
            is_settled: true,
            reason: refused.reason.clone(),
            ..before
        };
        assert_eq!(refused, expected);
        for (verdict, why) in [
            (still_alive(unproved()), "still accepts"),
            (judge_refused_renewal(unproved(), true), "refuses to renew"),
            (judge_refused_renewal(unproved(), false), "not seen to accept"),
            (judge_probe(unproved(), Tried::Refused(None), true, false), "refuses the old session"),
            (judge_probe(unproved(), Tried::Refused(None), false, false), "not seen to accept"),
        ] {
            assert!(verdict.reason.contains(why), "{}", verdict.reason);
        }
    }

    #[test]
    fn what_is_not_sent_to_a_stranger_is_not_sent_later_either() {
        let not_sent = judge_failure(&Error::new(Kind::HostNotAllowed, "no"));
        assert_eq!((not_sent.outcome, not_sent.is_settled), (Outcome::Unconfirmed, true));
        assert_eq!((not_sent.fault, not_sent.reason.as_str()), (None, "no"));
        let fault = crate::error::Fault::Dns;
        let away = judge_failure(&Error::new(Kind::Network(fault), "away"));
        assert_eq!((away.outcome, away.is_settled), (Outcome::Deferred, false));
        assert_eq!(away.fault, Some(fault));
    }

    #[test]
    fn a_refused_renewal_proves_where_it_cannot_be_refused_to_the_living() {
        let asks = |id: &str, is_doubtful, renewal_accepted| {
            let mut credentials = Credentials::new();
            credentials.is_doubtful = is_doubtful;
            let evidence = Evidence { renewal_accepted, ..Evidence::default() };
            renewal_proves(&built_in(id), &credentials, evidence)
        };
        // A refresh token is refused by name; a page only says no, as it might to anybody.
        assert!(asks("oidc", false, false) && asks("oidc", false, true));
        assert!(!asks("angel", false, false) && asks("angel", false, true));
        assert!(!asks("oidc", true, true), "there may be another refresh token by now");
        assert!(asks("angel", true, true), "its cookie stays the same");
        assert!(!asks("angel", true, false));
    }

    #[test]
    fn a_refused_renewal_is_judged_by_what_it_proves() {
        let proved = judge_refused_renewal(unproved(), true);
        assert_eq!((proved.outcome, proved.this_ended), (Outcome::Revoked, true));
        let unclear = judge_refused_renewal(unproved(), false);
        assert_eq!((unclear.outcome, unclear.this_ended), (Outcome::Unconfirmed, false));
        let settled = Verdict { if_renewal_refused: None, ..unproved() };
        assert_eq!(judge_refused_renewal(settled.clone(), true), settled);
    }
}
