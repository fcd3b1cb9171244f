//! What a token or an answer says of somebody: claims, of a JWT or of a JSON object.
//!
//! A token's signature is the server's business. Its `exp` is a hint for when to renew, its `sub` and
//! `email` are what the user is shown; nothing here decides whether somebody is logged in. A token
//! that cannot be read is simply opaque. RFC 7519 section 4.1, RFC 7515 section 3.

use crate::clock::{LONGEST_LIFE, UnixTime};
use crate::redact::is_hidden;
use crate::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// A longer payload is not read.
const PAYLOAD_LIMIT: usize = 64 * 1024;

/// The end of the year 9999, which every calendar knows.
pub const LATEST: UnixTime = 253_402_300_799;

/// The claims of a token; empty for an opaque one.
#[derive(Default)]
pub struct Claims(Map<String, Value>);

impl Claims {
    pub fn read(token: &Secret) -> Self {
        Self::parse(token.expose()).unwrap_or_default()
    }

    /// The members of a JSON object; `None` for anything else.
    pub fn of_object(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok().map(Claims)
    }

    fn parse(token: &str) -> Option<Self> {
        let [_, payload, _] = *token.splitn(4, '.').collect::<Vec<_>>() else { return None };
        if payload.len() > PAYLOAD_LIMIT {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        Self::of_object(&bytes)
    }

    /// The first of `names` that is a text that can be shown, or a whole number.
    pub fn text(&self, names: &[String]) -> Option<String> {
        names.iter().find_map(|name| self.0.get(name).and_then(shown))
    }

    /// `sub`, who it is about (RFC 7519 section 4.1.2).
    pub fn subject(&self) -> Option<String> {
        self.0.get("sub").and_then(shown)
    }

    /// True when `name` is `wanted`, or a list that holds it (RFC 7519 section 4.1.3).
    pub fn is(&self, name: &str, wanted: &str) -> bool {
        match self.0.get(name) {
            Some(Value::String(text)) => text == wanted,
            Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == Some(wanted)),
            _ => false,
        }
    }

    /// `exp` in Unix seconds, no further from `now` than can be, where that is known; `None` where
    /// it is not a time.
    pub fn expires_at(&self, now: Option<UnixTime>) -> Option<UnixTime> {
        let number = self.0.get("exp")?.as_number()?;
        #[allow(
            clippy::cast_possible_truncation,
            reason = "`as` saturates, and the range is checked"
        )]
        let at = number.as_i64().or_else(|| number.as_f64().map(|at| at as i64))?;
        let latest = now.map_or(LATEST, |now| now.saturating_add(LONGEST_LIFE));
        (at > 0).then(|| at.min(latest))
    }
}

/// A text that can be shown, or a whole number.
pub fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if is_showable(text) => Some(text.clone()),
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// Names and addresses are shown in dialogs, so nothing may hide in them.
pub fn is_showable(text: &str) -> bool {
    !text.is_empty() && text.len() <= 320 && !text.contains(is_hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> Secret {
        Secret::new(format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload)))
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn claims_are_read_best_name_first() {
        let claims =
            Claims::read(&token(r#"{"user_id": 77, "email": "zoë@例え.jp", "exp": 2000}"#));
        assert_eq!(claims.text(&names(&["sub", "user_id"])).unwrap(), "77");
        assert_eq!(claims.text(&names(&["email"])).unwrap(), "zoë@例え.jp");
        assert_eq!(claims.expires_at(Some(1000)), Some(2000));
    }

    #[test]
    fn odd_times_are_no_times() {
        for (exp, expected) in [
            ("null", None),
            ("\"2000\"", None),
            ("[1]", None),
            ("-5", None),
            ("0", None),
            ("1500.9", Some(1500)),
            ("1e300", Some(1000 + LONGEST_LIFE)),
            ("9223372036854775808", Some(1000 + LONGEST_LIFE)),
        ] {
            let claims = Claims::read(&token(&format!("{{\"exp\": {exp}}}")));
            assert_eq!(claims.expires_at(Some(1000)), expected, "{exp}");
        }
        assert_eq!(Claims::read(&token("{\"exp\": 1e400}")).expires_at(None), None);
    }

    #[test]
    fn without_a_known_time_an_end_is_not_cut_short() {
        let end = |exp: &str| Claims::read(&token(&format!("{{\"exp\": {exp}}}"))).expires_at(None);
        assert_eq!(end("2000000000"), Some(2_000_000_000));
        assert_eq!(end("1e300"), Some(LATEST));
    }

    #[test]
    fn what_is_no_jwt_is_opaque() {
        let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
        for text in ["", "a.b", "a.b.c.d.e", "e30.%%%.x", "e30.bm90IGpzb24.x"] {
            assert!(Claims::read(&Secret::new(text)).0.is_empty(), "{text}");
        }
        assert!(Claims::read(&token(&deep)).0.is_empty());
        assert!(
            Claims::read(&token(&format!("{{\"a\": \"{}\"}}", "x".repeat(100_000)))).0.is_empty()
        );
    }

    #[test]
    fn text_that_would_deceive_is_not_shown() {
        let claims = Claims::read(&token("{\"email\": \"a\\u202eb\", \"name\": \"a\\nb\"}"));
        assert_eq!(claims.text(&names(&["email", "name"])), None);
    }
}
