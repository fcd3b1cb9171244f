//! What is wrong with a provider definition, made once where it is found: the key, what is wrong
//! with it, and what would be right. The key grows on the way out, the line is looked up at the
//! end.
//!
//! A leaf that refuses its text answers with a `Problem`; serde carries it as a `Display`, in which
//! `{}` is the message and `{:#}` the hint.

use crate::error::{Error, Kind};
use serde::{Serialize, Serializer, de};
use serde_json::Value;
use std::fmt;

const REFERENCE: &str = "docs/provider-keys.md lists every key with its type and an example.";

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Problem {
    /// As in `logout.steps[1].proof.status`; empty where the problem is not about one key.
    #[cfg_attr(test, schemars(with = "String"))]
    pub key: Key,
    /// Counted from 1; 0 where there is no text, as for a dictionary.
    pub line: usize,
    pub message: String,
    pub hint: String,
    #[serde(skip)]
    kind: Kind,
}

/// The result of a check.
pub type Checked<T = ()> = Result<T, Problem>;

/// The way to a value, from the inside out: a problem learns where it is as it leaves the tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Name(String),
    Item(usize),
}

impl Problem {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Problem {
            key: Key::default(),
            line: 0,
            message: message.into(),
            hint: String::new(),
            kind: Kind::InvalidProvider,
        }
    }

    #[must_use]
    pub(super) fn on_line(self, line: usize) -> Self {
        Problem { line, ..self }
    }

    #[must_use]
    pub(super) fn with_hint(self, hint: impl Into<String>) -> Self {
        Problem { hint: hint.into(), ..self }
    }

    /// For what is wrong with the values given for parameters, and not with the definition.
    #[must_use]
    pub(super) fn with_kind(self, kind: Kind) -> Self {
        Problem { kind, ..self }
    }

    /// A value of another kind than `wanted`.
    pub(super) fn unexpected(wanted: &str, found: &Value) -> Self {
        let shown = match found {
            Value::Null => "nothing".to_owned(),
            Value::Bool(flag) => flag.to_string(),
            Value::Number(number) => format!("the number {number}"),
            Value::String(text) => format!("the text \"{text}\""),
            Value::Array(_) => "a list".to_owned(),
            Value::Object(_) => "a table".to_owned(),
        };
        let hint = match (wanted, found) {
            (_, Value::Null) => "Leave out what is not set.",
            ("a list", Value::Object(_)) => {
                "The heading of each table in a list has two brackets, as in [[logout.steps]]."
            }
            ("a text", Value::Object(_)) => "What is sent is flat: names and texts.",
            ("a text", _) => "Write it in quotes.",
            ("a number", _) => "Write it without quotes, as in 401.",
            ("true or false", _) => "Write true or false, without quotes.",
            ("a list", _) => "Write it in brackets, even where it is only one.",
            _ => REFERENCE,
        };
        Problem::new(format!("expected {wanted}, found {shown}")).with_hint(hint)
    }
}

/// Tells a problem on its way out which key or item it comes from.
pub(super) trait At {
    #[must_use]
    fn at(self, part: impl Into<Part>) -> Self;
}

impl At for Problem {
    fn at(mut self, part: impl Into<Part>) -> Self {
        self.key.0.push(part.into());
        self
    }
}

impl<T> At for Checked<T> {
    fn at(self, part: impl Into<Part>) -> Self {
        self.map_err(|problem| problem.at(part))
    }
}

impl Key {
    /// From the outside in.
    pub(super) fn parts(&self) -> impl Iterator<Item = &Part> {
        self.0.iter().rev()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value that it leads to.
    pub(super) fn find<'v>(&self, tree: &'v Value) -> Option<&'v Value> {
        self.parts().try_fold(tree, |value, part| match part {
            Part::Name(name) => value.get(name),
            Part::Item(index) => value.get(index),
        })
    }
}

impl From<&str> for Part {
    fn from(name: &str) -> Self {
        Part::Name(name.to_owned())
    }
}

impl From<usize> for Part {
    fn from(index: usize) -> Self {
        Part::Item(index)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.parts().enumerate() {
            match part {
                Part::Name(name) if place == 0 => f.write_str(name)?,
                Part::Name(name) => write!(f, ".{name}")?,
                Part::Item(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if f.alternate() { &self.hint } else { &self.message })
    }
}

impl std::error::Error for Problem {}

/// What serde's derived code finds by itself. Kinds of values are compared by `reader`.
impl de::Error for Problem {
    fn custom<T: fmt::Display>(wrong: T) -> Self {
        let (message, hint) = (format!("{wrong}"), format!("{wrong:#}"));
        let hint = if hint == message { REFERENCE.to_owned() } else { hint };
        Problem::new(message).with_hint(hint)
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        let hint = suggest(field, expected.iter().copied(), |name| format!("`{name}`"));
        Problem::new(format!("there is no key `{field}` here")).with_hint(hint)
    }

    fn missing_field(field: &'static str) -> Self {
        Problem::new("it is missing").with_hint(REFERENCE).at(field)
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let Problem { key, line, message, hint, kind } = problem;
        let line = if line == 0 { String::new() } else { format!(", line {line}") };
        let key = if key.is_empty() { String::new() } else { format!(" {key}:") };
        let message = match kind {
            Kind::InvalidProvider => format!("provider file{line}:{key} {message}"),
            _ => message,
        };
        Error::new(kind, message).with_hint(hint)
    }
}

/// "Did you mean …" for one that is nearly right, and else all there are.
pub(super) fn suggest<'a>(
    wrong: &str,
    known: impl IntoIterator<Item = &'a str>,
    quote: fn(&str) -> String,
) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let all = known.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ");
    let near = known.iter().map(|name| (distance(wrong, name), name)).min();
    match near {
        Some((far, name)) if far <= 2.max(wrong.chars().count() / 4) => {
            format!("Did you mean {}? Known here: {all}.", quote(name))
        }
        _ if known.is_empty() => "None is known here.".to_owned(),
        _ => format!("Known here: {all}."),
    }
}

/// How many letters have to be changed, put in or left out (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let changed = corner + usize::from(a != *b);
            corner = row[j + 1];
            row[j + 1] = changed.min(corner + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_where_it_is() {
        let problem = Problem::new("why").with_hint("how").at("a.b").at(1).at("steps").at("logout");
        assert_eq!(problem.key.to_string(), "logout.steps[1].a.b");
        let error = Error::from(Problem { line: 7, ..problem });
        assert_eq!(error.message(), "provider file, line 7: logout.steps[1].a.b: why");
        assert_eq!(error.hint(), "how");
        assert_eq!(Error::from(Problem::new("why")).message(), "provider file: why");
    }

    #[test]
    fn distance_counts_letters() {
        assert_eq!(distance("qurey", "query"), 2);
        assert_eq!(distance("", "ab"), 2);
        assert_eq!(distance("zoë", "zoe"), 1);
    }
}
