//! A provider file: its text as a tree of plain values, the tree as types, the line of a key.
//!
//! A mistake is told in the words of `toml` and serde; `serde_path_to_error` gives its key.

use super::problem::{Checked, Problem, REFERENCE};
use crate::error::Kind;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serde_path_to_error::Segment;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A provider file is a page of text; a larger file is something else.
pub(super) const LARGEST: usize = 256 * 1024;

/// Makes something of a text's tree; a problem with a key gets its line.
pub(super) fn read<T>(text: &str, make: impl FnOnce(Value) -> Checked<T>) -> Checked<T> {
    if text.len() > LARGEST {
        return Err(Problem::new("", "the file is over 256 KiB", REFERENCE));
    }
    let tree = toml::from_str(text).map_err(|error| {
        let hint = "TOML wants a text in quotes, each key once, and tables under [headings].";
        let line = line_at(text, error.span().map_or(0, |span| span.start));
        Problem { line, ..Problem::new("", error.message(), hint) }
    })?;
    make(tree).map_err(|problem| match problem.kind {
        Kind::InvalidProvider => Problem { line: line_of(text, &problem.key), ..problem },
        _ => problem,
    })
}

/// Refuses text that a terminal, a log or a dialog would not show as it is: control characters, and
/// those that turn the direction of writing.
pub(super) fn refuse_control_characters(key: &str, tree: &Value) -> Checked {
    let check = |text: &str| match text.chars().find(|c| is_unseen(*c)) {
        Some(odd) => {
            let message = format!("it holds the control character U+{:04X}", u32::from(odd));
            Err(Problem::new(key, message, "Take it out."))
        }
        None => Ok(()),
    };
    match tree {
        Value::String(text) => check(text),
        Value::Array(items) => items.iter().enumerate().try_for_each(|(index, item)| {
            refuse_control_characters(&format!("{key}[{index}]"), item)
        }),
        Value::Object(table) => table.iter().try_for_each(|(name, value)| {
            check(name)?;
            let dot = if key.is_empty() { "" } else { "." };
            refuse_control_characters(&format!("{key}{dot}{name}"), value)
        }),
        _ => Ok(()),
    }
}

fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Reads a type from its part of the tree.
pub(super) fn typed<T: DeserializeOwned>(tree: Value) -> Checked<T> {
    serde_path_to_error::deserialize(tree).map_err(|error| {
        let key = error.path().iter().fold(String::new(), |key, segment| match segment {
            Segment::Map { key: name } if key.is_empty() => name.clone(),
            Segment::Map { key: name } => format!("{key}.{name}"),
            Segment::Seq { index } => format!("{key}[{index}]"),
            Segment::Enum { .. } | Segment::Unknown => key,
        });
        Problem::new(key, error.inner().to_string(), REFERENCE)
    })
}

/// Turns `{flow: "x", …}` into `{x: {…}}`, which serde reads as an enum. Its own tagged enums lose the
/// key of a mistake.
pub(super) fn nest_flow(key: &str, table: &mut Value) -> Checked {
    let flow = table.as_object_mut().and_then(|entries| entries.remove("flow"));
    let Some(Value::String(flow)) = flow else {
        let message = "expected a table with a `flow`, as in flow = \"request\"";
        return Err(Problem::new(key, message, REFERENCE));
    };
    *table = json!({ flow: table.take() });
    Ok(())
}

/// The line of a key, or of the deepest part of it that is there.
fn line_of(text: &str, key: &str) -> usize {
    let root = DeTable::parse(text).map(|root| DeValue::Table(root.into_inner()));
    let (mut start, mut value, mut rest) = (0, root.as_ref().ok(), key);
    while let Some((at, next, left)) = value.and_then(|value| enter(value, rest)) {
        (start, value, rest) = (at, Some(next), left.strip_prefix('.').unwrap_or(left));
    }
    line_at(text, start)
}

/// One step along a key: where it leads, and the rest of the key. A name may hold dots itself.
fn enter<'a>(value: &'a DeValue, key: &'a str) -> Option<(usize, &'a DeValue<'a>, &'a str)> {
    match value {
        DeValue::Table(table) => {
            let found = table.iter().filter_map(|(name, value)| {
                let rest = key.strip_prefix(name.get_ref().as_ref())?;
                let span = if is_headed(value) { value.span() } else { name.span() };
                let is_whole = rest.is_empty() || rest.starts_with(['.', '[']);
                is_whole.then(|| (span.start, value.get_ref(), rest))
            });
            found.min_by_key(|(_, _, rest)| rest.len())
        }
        DeValue::Array(items) => {
            let (index, rest) = key.strip_prefix('[')?.split_once(']')?;
            let item = items.get(index.parse::<usize>().ok()?)?;
            Some((item.span().start, item.get_ref(), rest))
        }
        _ => None,
    }
}

/// True for a table with a heading of its own: that is where it is, and not where a heading of
/// another table names it first.
fn is_headed(value: &Spanned<DeValue>) -> bool {
    match value.get_ref() {
        DeValue::Table(_) => !value.span().is_empty(),
        DeValue::Array(items) => items.iter().next().is_some_and(|item| item.get_ref().is_table()),
        _ => false,
    }
}

fn line_at(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or(text).matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "id = \"x\"\n\n[login]\nform = { \"user.name\" = \"a\", b = \"c\" }\n\n\
        [[logout.steps]]\nurl = \"a\"\n\n[[logout.steps]]\nurl = \"b\"\ntake.next = \"/n\"\n\n\
        [logout.steps.proof]\nstatus = [\n  1,\n]\n\n[logout.probe]\nurl = \"c\"\n";

    #[test]
    fn a_key_is_where_it_is() {
        for (key, line) in [
            ("id", 1),
            ("login", 3),
            ("login.form", 4),
            ("login.form.user.name", 4),
            ("login.missing", 3),
            ("logout.steps", 6),
            ("logout.steps[0].url", 7),
            ("logout.steps[1]", 9),
            ("logout.steps[1].url", 10),
            ("logout.steps[1].take.next", 11),
            ("logout.steps[1].proof", 13),
            ("logout.steps[1].proof.status", 14),
            ("logout.steps[1].proof.status[0]", 15),
            ("logout.steps[1].method", 9),
            ("logout.probe", 18),
            ("logout.probe.url", 19),
            ("nothing", 1),
            ("", 1),
        ] {
            assert_eq!(line_of(TEXT, key), line, "{key}");
        }
        assert_eq!(read::<()>("a = 1\n[", |_| Ok(())).unwrap_err().line, 2);
    }
}
