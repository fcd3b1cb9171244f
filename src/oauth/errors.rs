//! The error answers of token and revocation endpoints.

use crate::http::Answer;
use serde_json::Value;

/// The `error` of an error answer (RFC 6749 section 5.2, RFC 6750 section 3.1), if it is one of the
/// characters that these may have. The server's own words beside it are not looked at.
pub fn code(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let code = body.get("error")?.as_str()?;
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    (!code.is_empty() && code.len() <= 64 && code.chars().all(good)).then(|| code.to_owned())
}
