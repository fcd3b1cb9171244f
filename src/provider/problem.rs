//! What is wrong with a provider definition: the key, the line, what is wrong, what would be right.
//!
//! What serde refuses is told in its words by `document`; the types' own checks make the rest.

use crate::error::{Error, Kind};
use serde::Serialize;

pub(super) const REFERENCE: &str =
    "docs/provider-keys.md lists every key with its type and an example.";

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Problem {
    /// As in `logout.steps[1].proof.status`; empty where the problem is not about one key.
    pub key: String,
    /// Counted from 1; 0 where there is no text, as for a dictionary.
    pub line: usize,
    pub message: String,
    pub hint: String,
    #[serde(skip)]
    pub(super) kind: Kind,
}

/// The result of a check.
pub type Checked<T = ()> = Result<T, Problem>;

impl Problem {
    pub(super) fn new(
        key: impl Into<String>,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        let (key, message, hint) = (key.into(), message.into(), hint.into());
        Problem { key, line: 0, message, hint, kind: Kind::InvalidProvider }
    }
}

/// Refuses more pages or steps than any service has.
pub(super) fn limit(key: &str, count: usize) -> Checked {
    const MOST: usize = 10;
    if count <= MOST {
        return Ok(());
    }
    let message = format!("{count} of them; no more than {MOST} are used");
    Err(Problem::new(key, message, "Each is a request, and all of them share one deadline."))
}

/// Puts a table's key before the key of a problem that was found in the table.
pub(super) trait At {
    #[must_use]
    fn at(self, table: &str) -> Self;
}

impl<T> At for Checked<T> {
    fn at(self, table: &str) -> Self {
        self.map_err(|problem| {
            let dot = if problem.key.is_empty() || problem.key.starts_with('[') { "" } else { "." };
            Problem { key: format!("{table}{dot}{}", problem.key), ..problem }
        })
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let Problem { key, line, message, hint, kind } = problem;
        let line = if line == 0 { String::new() } else { format!(", line {line}") };
        let key = if key.is_empty() { key } else { format!(" {key}:") };
        let message = match kind {
            Kind::InvalidProvider => format!("provider file{line}:{key} {message}"),
            _ => message,
        };
        Error::new(kind, message).with_hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_where_it_is() {
        let found: Checked = Err(Problem::new("a", "why", "how"));
        let problem = found.at("steps[1]").at("logout").unwrap_err();
        let error = Error::from(Problem { line: 7, ..problem });
        assert_eq!(error.message(), "provider file, line 7: logout.steps[1].a: why");
        assert_eq!(error.hint(), "how");
        assert_eq!(Error::from(Problem::new("", "why", "")).message(), "provider file: why");
    }
}
