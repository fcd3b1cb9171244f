//! What a JSON answer to a login or a renewal holds: tokens, their end, the account.
//!
//! RFC 6749 section 5.1, RFC 6750, OpenID Connect Core 1.0 section 3.1.3.3. Where the provider
//! file says, things may have other names.

use crate::clock::{LONGEST_LIFE, UnixTime};
use crate::context::Context;
use crate::error::Result;
use crate::http::Answer;
use crate::provider::{AnswerRule, Provider, Values, is_of_session};
use crate::secret::Secret;
use crate::session::claims::{LATEST, shown};
use crate::session::{ACCESS_TOKEN, Credentials, ID_TOKEN, IdToken, REFRESH_TOKEN};
use crate::steps::unexpected;
use serde_json::Value;

/// The names of what an answer says of the account, among the values.
pub(super) const ACCOUNT: [&str; 3] = ["account_id", "account_email", "account_name"];

/// Takes over what a login has taken for the session: what is called so, and what is kept. `date`:
/// when the answer was written.
pub(super) fn settle(
    context: &Context,
    values: &Values,
    date: Option<UnixTime>,
    credentials: &mut Credentials,
) -> Result<()> {
    let keep = &context.provider.session.keep;
    for (name, value) in values.iter().filter(|(_, value)| !value.is_empty()) {
        match name.as_str() {
            "expires_in" => {
                let now = date.or_else(|| context.clock.known_now());
                let life = seconds(&Value::from(value.expose()));
                credentials.expires_at = now.zip(life).map(|(now, life)| now.saturating_add(life));
            }
            ID_TOKEN => take_id_token(context.provider, "the login", value.clone(), credentials)?,
            ACCESS_TOKEN | REFRESH_TOKEN if !is_sendable(value.expose()) => {
                return Err(unexpected("the login", "gave a token that no request can carry"));
            }
            _ if is_of_session(name) || keep.contains(name) => credentials.set(name, value.clone()),
            _ => {}
        }
    }
    Ok(())
}

/// [`read`], where the login may have taken the access token by itself.
pub(super) fn read_login(
    context: &Context,
    name: &str,
    answer: &Answer,
    credentials: &mut Credentials,
) -> Result<()> {
    read_with(context, name, answer, credentials, credentials.value(ACCESS_TOKEN).is_some())
}

/// Takes over what the answer holds. An answer that is not a JSON object holds nothing, which is
/// an error only where a token was due: the caller sees what is there.
pub(super) fn read(
    context: &Context,
    name: &str,
    answer: &Answer,
    credentials: &mut Credentials,
) -> Result<()> {
    read_with(context, name, answer, credentials, false)
}

fn read_with(
    context: &Context,
    name: &str,
    answer: &Answer,
    credentials: &mut Credentials,
    has_token: bool,
) -> Result<()> {
    let provider = context.provider;
    if answer.is_cut {
        return Err(unexpected(name, "is larger than 1 MiB"));
    }
    let rule = &provider.session.answer;
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    // RFC 6749 section 6: "The authorization server MAY issue a new refresh token, in which case
    // the client MUST discard the old refresh token and replace it with the new refresh token."
    if let Some(token) = sendable(&body, &rule.refresh_token) {
        credentials.set(REFRESH_TOKEN, Secret::new(token));
    }
    let cookies_serve = !provider.session.token_cookies.is_empty();
    match sendable(&body, &rule.access_token) {
        Some(token) => {
            // RFC 6750: the only type that can be used here.
            let kind = body.get("token_type").and_then(Value::as_str).unwrap_or("bearer");
            if !kind.eq_ignore_ascii_case("bearer") {
                return Err(unexpected(name, "gave a token of an unknown kind"));
            }
            credentials.set(ACCESS_TOKEN, Secret::new(token));
            // An end that belonged to an earlier token says nothing of this one.
            let now = answer.date().or_else(|| context.clock.known_now());
            let life = life(&body, rule);
            credentials.expires_at = now.zip(life).map(|(now, life)| now.saturating_add(life));
        }
        None if cookies_serve || has_token => {}
        None => return Err(unexpected(name, "holds no access token")),
    }
    take_others(provider, name, &body, rule, credentials)
}

/// What an answer holds besides the access token and what renews it.
fn take_others(
    provider: &Provider,
    name: &str,
    body: &Value,
    rule: &AnswerRule,
    credentials: &mut Credentials,
) -> Result<()> {
    if let Some(token) = sendable(body, &rule.id_token) {
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

/// The text there, if it is one that a request can carry.
fn sendable<'a>(body: &'a Value, pointer: &str) -> Option<&'a str> {
    body.pointer(pointer)?.as_str().filter(|text| is_sendable(text))
}

fn is_sendable(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| (0x21..0x7f).contains(&byte))
}

/// In how many seconds the access token ends.
fn life(body: &Value, rule: &AnswerRule) -> Option<i64> {
    let in_ms =
        || Some((number(body.pointer(rule.expires_in_ms.as_ref()?)?)? / 1000).min(LONGEST_LIFE));
    body.pointer(&rule.expires_in).and_then(seconds).or_else(in_ms)
}

/// Takes over tokens that somebody hands over, by the names of this provider's answers or by those
/// of RFC 6749; `expires_at`, in Unix seconds, goes before `expires_in`, which counts from `now`.
pub fn take_given(
    provider: &Provider,
    tokens: &Value,
    now: Option<UnixTime>,
    credentials: &mut Credentials,
) -> Result<()> {
    const NAME: &str = "what was handed over";
    let own = &provider.session.answer;
    for rule in [&AnswerRule::default(), own] {
        let found = [(ACCESS_TOKEN, &rule.access_token), (REFRESH_TOKEN, &rule.refresh_token)];
        for (name, pointer) in found {
            if let Some(token) = sendable(tokens, pointer) {
                credentials.set(name, Secret::new(token));
            }
        }
        let life = life(tokens, rule);
        let ends = now.zip(life).map(|(now, life)| now.saturating_add(life));
        credentials.expires_at = ends.or(credentials.expires_at);
        take_others(provider, NAME, tokens, rule, credentials)?;
    }
    for name in &provider.session.keep {
        if let Some(text) = tokens.get(name).and_then(Value::as_str) {
            credentials.set(name, Secret::new(text));
        }
    }
    credentials.expires_at = tokens.get("expires_at").and_then(time).or(credentials.expires_at);
    Ok(())
}

/// Unix seconds, as programs write them.
fn time(value: &Value) -> Option<UnixTime> {
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    #[allow(clippy::cast_possible_truncation, reason = "`as` saturates, and the range is checked")]
    let at = number as UnixTime;
    (0 < at && at <= LATEST).then_some(at)
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
    number(value).map(|seconds| seconds.min(LONGEST_LIFE))
}

fn number(value: &Value) -> Option<i64> {
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    (number > 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn given(tokens: &Value) -> Credentials {
        let text = include_str!("../../tests/it/issuer.toml")
            .replace("PORT", "9")
            .replace("ISSUER", "http://127.0.0.1:9")
            .replace("[session]", "[session]\nanswer = { access_token = '/data/jwt' }");
        let provider = Provider::parse(&text, None).unwrap();
        let mut credentials = Credentials::new();
        take_given(&provider, tokens, Some(1000), &mut credentials).unwrap();
        credentials
    }

    #[test]
    fn tokens_are_handed_over_by_the_names_of_the_provider_or_the_rfc() {
        let token =
            |tokens: Value| given(&tokens).value(ACCESS_TOKEN).map(|t| t.expose().to_owned());
        assert_eq!(token(json!({ "access_token": "a" })).unwrap(), "a");
        assert_eq!(token(json!({ "data": { "jwt": "b" } })).unwrap(), "b");
        assert_eq!(token(json!({ "access_token": "a", "data": { "jwt": "b" } })).unwrap(), "b");
        for unusable in [json!(7), json!(null), json!(""), json!("a b"), json!("a\n"), json!(["a"])]
        {
            assert_eq!(token(json!({ "access_token": unusable })), None);
        }
    }

    #[test]
    fn a_given_end_is_a_time_or_nothing() {
        let ends = |tokens: Value| given(&tokens).expires_at;
        assert_eq!(ends(json!({ "expires_in": 60 })), Some(1060));
        assert_eq!(ends(json!({ "expires_in": "60" })), Some(1060));
        assert_eq!(ends(json!({ "expires_in": 60, "expires_at": 5000 })), Some(5000));
        assert_eq!(ends(json!({ "expires_at": 5000.7 })), Some(5000));
        assert_eq!(ends(json!({ "expires_at": "5000" })), Some(5000));
        for no_time in [json!(0), json!(-1), json!("soon"), json!(1e300), json!("inf"), json!(null)]
        {
            assert_eq!(ends(json!({ "expires_at": no_time })), None, "{no_time}");
        }
    }
}
