//! Revoking the tokens, one by one (RFC 7009).

use super::Verdict;
use crate::context::Context;
use crate::error::Result;
use crate::http::Answer;
use crate::oauth::{Endpoint, OAuthClient};
use crate::provider::LogoutStep;
use crate::session::{Credentials, Outcome, REFRESH_TOKEN};
use url::Url;

/// `None` where the server has no such endpoint; another step has to serve then.
pub(super) fn revoke(
    context: &Context,
    tokens: &[String],
    credentials: &mut Credentials,
) -> Result<Option<Verdict>> {
    let oauth = OAuthClient::new(context.client, context.provider, context.cancel)?;
    let Some(mut url) = oauth.find(Endpoint::Revocation, credentials)? else { return Ok(None) };
    let mut gravest: Option<Verdict> = None;
    for name in tokens {
        let Some(token) = credentials.value(name).cloned() else { continue };
        // RFC 7009 section 2.1: "token_type_hint OPTIONAL. A hint about the type of the token".
        let fields = [("token", token.expose()), ("token_type_hint", name.as_str())];
        let mut answer = oauth.post(Endpoint::Revocation, url.clone(), &fields, credentials)?;
        if matches!(answer.status, 404 | 405 | 410 | 501)
            && let Some(other) = moved(&oauth, credentials, &url)
        {
            url = other;
            answer = oauth.post(Endpoint::Revocation, url.clone(), &fields, credentials)?;
        }
        let verdict = judge(&answer, oauth.error_code(&answer).as_deref());
        let Some(verdict) = unless_unsupported(verdict, gravest.is_some()) else { continue };
        let is_final = verdict.outcome.is_final();
        let may_be_exchanged = credentials.is_spent || credentials.is_doubtful;
        if is_final && name == REFRESH_TOKEN && may_be_exchanged {
            // 200 is also the answer for a token that has been exchanged for another.
            gravest = Some(Verdict { status: verdict.status, ..perhaps_exchanged() });
            continue;
        }
        if gravest.is_none() || !is_final {
            gravest = Some(verdict);
        }
        if !is_final {
            break;
        }
    }
    let verdict =
        gravest.unwrap_or_else(|| settled("no token is left that the server could revoke"));
    if verdict.outcome.is_final() && leaves_refresh_token(context, credentials) {
        return Ok(Some(Verdict { status: verdict.status, ..settled(OUTLIVED) }));
    }
    Ok(Some(verdict))
}

/// True where a refresh token is held and no step revokes it: a new access token can be had with it.
/// RFC 7009 section 2.1: "If the token passed to the request is an access token, the server MAY
/// revoke the respective refresh token as well."
fn leaves_refresh_token(context: &Context, credentials: &Credentials) -> bool {
    let revokes = |step: &LogoutStep| match step {
        LogoutStep::Revoke { tokens } => tokens.iter().any(|name| name == REFRESH_TOKEN),
        LogoutStep::Request(_) | LogoutStep::Page(_) | LogoutStep::EndSession {} => false,
    };
    let mut steps = context.provider.logout.steps.iter();
    credentials.value(REFRESH_TOKEN).is_some() && !steps.any(revokes)
}

const OUTLIVED: &str = "the access token is revoked, and the refresh token lives on";

/// RFC 7009 section 2.2: "The authorization server responds with HTTP status code 200 if the token
/// has been revoked successfully or if the client submitted an invalid token. […] The content of
/// the response body is ignored by the client as all necessary information is conveyed in the
/// response code."
fn judge(answer: &Answer, code: Option<&str>) -> Verdict {
    let (outcome, reason) = match (answer.status, code) {
        (200, _) => (Outcome::Revoked, "the server revoked the token".to_owned()),
        (400 | 401, Some("invalid_token" | "invalid_grant")) => {
            (Outcome::AlreadyEnded, "the server says that the token was dead".to_owned())
        }
        (400, Some("unsupported_token_type")) => (Outcome::Rejected, UNSUPPORTED.to_owned()),
        (400 | 401, Some(code)) => {
            (Outcome::Rejected, format!("the server does not do this ({code})"))
        }
        // Section 2.2.1: "If the server responds with HTTP status code 503, the client must assume
        // the token still exists and may retry after a reasonable delay."
        (408 | 425 | 429 | 500 | 502.., _) => {
            (Outcome::Deferred, format!("the server cannot do it now, status {}", answer.status))
        }
        (400 | 401 | 404 | 405 | 410 | 501, _) => {
            (Outcome::Rejected, format!("the server does not do this, status {}", answer.status))
        }
        (status, _) => (Outcome::Unconfirmed, format!("status {status} proves nothing")),
    };
    Verdict::of(answer, outcome, reason)
}

fn perhaps_exchanged() -> Verdict {
    settled("the refresh token may have been exchanged for another, whose answer was lost")
}

/// What another try would not change.
fn settled(why: &str) -> Verdict {
    Verdict { is_settled: true, ..Verdict::new(Outcome::Unconfirmed, why) }
}

const UNSUPPORTED: &str = "the server cannot revoke a token of this kind";

/// Section 2.2.1, `unsupported_token_type`: an access token that cannot be revoked by itself goes
/// with its refresh token, if that was revoked before it.
fn unless_unsupported(verdict: Verdict, has_others: bool) -> Option<Verdict> {
    let is_unsupported = verdict.outcome == Outcome::Rejected && verdict.reason == UNSUPPORTED;
    (!is_unsupported || !has_others).then_some(verdict)
}

/// Where the endpoint is by now, if that is somewhere else: the metadata are read once more.
fn moved(oauth: &OAuthClient, credentials: &mut Credentials, old: &Url) -> Option<Url> {
    let mut fresh = credentials.clone();
    fresh.remove(Endpoint::Token.as_str());
    let found = oauth.find(Endpoint::Revocation, &mut fresh).ok().flatten()?;
    // What was learned serves on when it cannot be learned again.
    *credentials = fresh;
    (found != *old).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::errors;

    fn judge(answer: &Answer) -> Verdict {
        super::judge(answer, errors::code(answer).as_deref())
    }

    fn answer(status: u16, body: &str) -> Answer {
        let url = "https://issuer.example/revoke".parse().unwrap();
        let headers = vec![("Retry-After".to_owned(), "77".to_owned())];
        let (set_cookies, body) = (Vec::new(), body.into());
        Answer { status, url, headers, set_cookies, body, is_cut: false, had_credential: false }
    }

    #[test]
    fn what_the_answers_of_rfc_7009_mean() {
        let error = |code: &str| format!("{{\"error\": \"{code}\"}}");
        let (token, grant) = (error("invalid_token"), error("invalid_grant"));
        let (kind, client) = (error("unsupported_token_type"), error("invalid_client"));
        let groups: [(Outcome, &[u16], &[&str]); 6] = [
            // "The content of the response body is ignored."
            (Outcome::Revoked, &[200], &["", "{}", &client]),
            (Outcome::AlreadyEnded, &[400, 401], &[&token, &grant]),
            (Outcome::Rejected, &[400, 401], &["", "no", &kind, &client]),
            (Outcome::Rejected, &[404, 405, 410, 501], &["", &token]),
            (Outcome::Deferred, &[408, 425, 429, 500, 502, 503, 504, 599], &["", &token]),
            (Outcome::Unconfirmed, &[201, 204, 302, 403, 409, 418], &["", &token]),
        ];
        for (expected, statuses, bodies) in groups {
            for (status, body) in
                statuses.iter().flat_map(|status| bodies.iter().map(move |body| (*status, *body)))
            {
                let verdict = judge(&answer(status, body));
                assert_eq!(verdict.outcome, expected, "{status} {body}");
                assert_eq!(verdict.status, Some(status));
                assert_eq!(verdict.retry_after.map(|wait| wait.as_secs()), Some(77));
            }
        }
    }

    #[test]
    fn a_kind_that_cannot_be_revoked_is_passed_over_after_another_was() {
        let unsupported = || judge(&answer(400, "{\"error\": \"unsupported_token_type\"}"));
        assert!(unless_unsupported(unsupported(), true).is_none());
        assert_eq!(unless_unsupported(unsupported(), false), Some(unsupported()));
        for status in [400, 404, 200, 503] {
            let other = judge(&answer(status, ""));
            assert_eq!(unless_unsupported(other.clone(), true), Some(other));
        }
    }
}
