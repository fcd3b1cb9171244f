//! Revoking the tokens, one by one (RFC 7009).

use super::Verdict;
use crate::context::Context;
use crate::error::Result;
use crate::http::Answer;
use crate::oauth::{Endpoint, OAuthClient, errors};
use crate::session::{Credentials, Outcome, REFRESH_TOKEN};
use url::Url;

/// `None` where the server has no such endpoint; another step has to serve then.
pub(super) fn revoke(
    context: &Context,
    tokens: &[String],
    credentials: &mut Credentials,
) -> Result<Option<Verdict>> {
    let oauth = OAuthClient::new(context.client, context.provider, context.cancel)?;
    let Some(url) = oauth.find(Endpoint::Revocation, credentials)? else { return Ok(None) };
    let mut gravest: Option<Verdict> = None;
    for name in tokens {
        let Some(token) = credentials.value(name).cloned() else { continue };
        // RFC 7009 section 2.1: "token_type_hint OPTIONAL. A hint about the type of the token".
        let fields = [("token", token.expose()), ("token_type_hint", name.as_str())];
        let mut answer = oauth.post(url.clone(), &fields)?;
        if matches!(answer.status, 404 | 405 | 410 | 501)
            && let Some(other) = moved(&oauth, credentials, &url)
        {
            answer = oauth.post(other, &fields)?;
        }
        let verdict = judge(&answer);
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
    Ok(Some(gravest.unwrap_or_else(|| settled("no token is left that the server could revoke"))))
}

/// RFC 7009 section 2.2: "The authorization server responds with HTTP status code 200 if the token
/// has been revoked successfully or if the client submitted an invalid token. […] The content of
/// the response body is ignored by the client as all necessary information is conveyed in the
/// response code."
fn judge(answer: &Answer) -> Verdict {
    let code = errors::code(answer);
    let (outcome, reason) = match (answer.status, code.as_deref()) {
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
