//! The error answers of token and revocation endpoints.

use crate::http::Answer;
use serde_json::Value;

/// Longer texts are no words.
const LONGEST: usize = 64;

/// The `error` of an error answer (RFC 6749 section 5.2, RFC 6750 section 3.1), if it is one of the
/// characters that these may have. The server's own words beside it are not looked at.
pub fn code(answer: &Answer) -> Option<String> {
    word(answer, "/error").filter(|word| is_code(word))
}

/// True for what can be shown: no server's prose, and nothing that it was sent.
pub fn is_code(word: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    !word.is_empty() && word.len() <= LONGEST && word.chars().all(good)
}

/// The text there, as the server writes it. Not to be shown.
pub fn word(answer: &Answer, pointer: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let word = body.pointer(pointer)?.as_str()?;
    (!word.is_empty() && word.len() <= LONGEST).then(|| word.to_owned())
}
