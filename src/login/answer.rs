//! What a JSON answer to a login or a renewal holds: tokens, their end, the account.
//!
//! RFC 6749 section 5.1, RFC 6750, OpenID Connect Core 1.0 section 3.1.3.3. Where the provider
//! file says, things may have other names.

use super::unexpected;
use crate::clock::LONGEST_LIFE;
use crate::context::Context;
use crate::error::Result;
use crate::http::Answer;
use crate::provider::Provider;
use crate::secret::Secret;
use crate::session::claims::shown;
use crate::session::{ACCESS_TOKEN, Credentials, ID_TOKEN, IdToken, REFRESH_TOKEN};
use serde_json::Value;

/// The names of what an answer says of the account, among the values.
pub(super) const ACCOUNT: [&str; 3] = ["account_id", "account_email", "account_name"];

/// Takes over what the answer holds. An answer that is not a JSON object holds nothing, which is
/// an error only where a token was due: the caller sees what is there.
pub(super) fn read(
    context: &Context,
    name: &str,
    answer: &Answer,
    credentials: &mut Credentials,
) -> Result<()> {
    let provider = context.provider;
    if answer.is_cut {
        return Err(unexpected(name, "is larger than 1 MiB"));
    }
    let rule = &provider.session.answer;
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let text = |pointer: &str| -> Option<&str> {
        let text = body.pointer(pointer)?.as_str()?;
        let is_sendable = !text.is_empty() && text.bytes().all(|byte| (0x21..0x7f).contains(&byte));
        is_sendable.then_some(text)
    };
    // RFC 6749 section 6: "The authorization server MAY issue a new refresh token, in which case
    // the client MUST discard the old refresh token and replace it with the new refresh token."
    if let Some(token) = text(&rule.refresh_token) {
        credentials.set(REFRESH_TOKEN, Secret::new(token));
    }
    let cookies_serve = !provider.session.token_cookies.is_empty();
    match text(&rule.access_token) {
        Some(token) => {
            // RFC 6750: the only type that can be used here.
            let kind = body.get("token_type").and_then(Value::as_str).unwrap_or("bearer");
            if !kind.eq_ignore_ascii_case("bearer") {
                return Err(unexpected(name, "gave a token of an unknown kind"));
            }
            credentials.set(ACCESS_TOKEN, Secret::new(token));
            // An end that belonged to an earlier token says nothing of this one.
            credentials.expires_at =
                body.pointer(&rule.expires_in).and_then(seconds).map(|s| context.clock.now() + s);
        }
        None if cookies_serve => {}
        None => return Err(unexpected(name, "holds no access token")),
    }
    if let Some(token) = text(&rule.id_token) {
        take_id_token(provider, name, Secret::new(token), credentials)?;
    }
    let facts = [&rule.account_id, &rule.account_email, &rule.account_name];
    for (key, pointer) in ACCOUNT.iter().zip(facts) {
        if let Some(fact) = body.pointer(pointer).and_then(shown) {
            credentials.set(key, Secret::new(fact));
        }
    }
    Ok(())
}

/// A token that is not for us is left out, and what it says with it; the tokens beside it are good.
fn take_id_token(
    provider: &Provider,
    name: &str,
    token: Secret,
    credentials: &mut Credentials,
) -> Result<()> {
    match IdToken::read(&token, provider.oauth.as_ref()) {
        IdToken::Foreign(what) => {
            log::warn!("{name} holds an ID token of another {what}; what it says is not used");
            return Ok(());
        }
        IdToken::Unknown => {
            log::info!("what the ID token says is not used: oauth.issuer is not given");
        }
        // OpenID Connect Core 1.0 section 12.2: "its sub Claim Value MUST be the same as in the ID
        // Token issued when the original authentication occurred".
        IdToken::Ours(claims) => {
            let before = credentials.id_claims(provider).subject();
            if before.is_some() && before != claims.subject() {
                return Err(unexpected(name, "holds an ID token of another account"));
            }
        }
    }
    credentials.set(ID_TOKEN, token);
    Ok(())
}

fn seconds(value: &Value) -> Option<i64> {
    let seconds = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    (seconds > 0).then(|| seconds.min(LONGEST_LIFE))
}
