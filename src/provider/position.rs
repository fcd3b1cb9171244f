//! Where in a provider file a key is, for messages: `logout.steps[1].proof.status` is on line 50.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The line, from 1, of the deepest part of `key` that the file has; `None` where it has none, or is
/// no TOML.
pub fn line_of(text: &str, key: &str) -> Option<usize> {
    let file = DeTable::parse(text).ok()?;
    let (at, _) = find(file.get_ref(), key)?;
    Some(line_at(text, at))
}

/// The first of the tables at `path`, such as the items of `logout.steps`, of which `is_it` is true:
/// its key. For a path to one table, that one.
pub(super) fn key_where(
    text: &str,
    path: &str,
    is_it: impl Fn(&DeTable) -> bool,
) -> Option<String> {
    let file = DeTable::parse(text).ok()?;
    if path.is_empty() {
        return is_it(file.get_ref()).then(String::new);
    }
    let (_, value) = find(file.get_ref(), path)?;
    match value {
        DeValue::Table(table) => is_it(table).then(|| path.to_owned()),
        DeValue::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            let table = item.get_ref().as_table()?;
            is_it(table).then(|| format!("{path}[{index}]"))
        }),
        _ => None,
    }
}

/// `path` itself where `is_it` is true of its value, or else what [`key_below`] finds.
pub(super) fn key_of(text: &str, path: &str, is_it: &dyn Fn(&DeValue) -> bool) -> Option<String> {
    let file = DeTable::parse(text).ok()?;
    let (_, value) = find(file.get_ref(), path)?;
    if is_it(value) { Some(path.to_owned()) } else { key_below(text, path, is_it) }
}

/// The key of the value below `path` of which `is_it` is true, the deepest of several; `None` where
/// that is more than one. The parser forgets which key of a table with a flow it was at.
pub(super) fn key_below(
    text: &str,
    path: &str,
    is_it: &dyn Fn(&DeValue) -> bool,
) -> Option<String> {
    let file = DeTable::parse(text).ok()?;
    let (_, value) = find(file.get_ref(), path)?;
    let mut found = Vec::new();
    collect(value, path, 0, is_it, &mut found);
    let deepest = found.iter().map(|(depth, _)| *depth).max()?;
    let mut keys = found.into_iter().filter(|(depth, _)| *depth == deepest).map(|(_, key)| key);
    keys.next().filter(|_| keys.next().is_none())
}

fn collect(
    value: &DeValue,
    path: &str,
    depth: usize,
    is_it: &dyn Fn(&DeValue) -> bool,
    found: &mut Vec<(usize, String)>,
) {
    let below: Vec<(String, &DeValue)> = match value {
        DeValue::Table(table) => {
            let key = |name: &str| format!("{path}.{name}");
            table.iter().map(|(name, value)| (key(name.get_ref()), value.get_ref())).collect()
        }
        DeValue::Array(items) => {
            let items = items.iter().map(Spanned::get_ref).enumerate();
            items.map(|(index, item)| (format!("{path}[{index}]"), item)).collect()
        }
        _ => Vec::new(),
    };
    for (key, value) in below {
        if is_it(value) {
            found.push((depth, key.clone()));
        }
        collect(value, &key, depth + 1, is_it, found);
    }
}

pub(super) fn line_at(text: &str, at: usize) -> usize {
    text.get(..at.min(text.len())).unwrap_or(text).matches('\n').count() + 1
}

/// The place and the value of the deepest part of `key` that is there.
fn find<'t, 'i>(table: &'t DeTable<'i>, key: &str) -> Option<(usize, &'t DeValue<'i>)> {
    // A name may hold dots and brackets itself, so the longest that fits is it.
    let rest_of = |name: &str| {
        let rest = key.strip_prefix(name)?;
        (rest.is_empty() || rest.starts_with(['.', '['])).then_some(rest)
    };
    let named = table.iter().filter_map(|(name, value)| {
        let rest = rest_of(name.get_ref())?;
        Some((name, value, rest.len()))
    });
    let (name, value, left) = named.min_by_key(|(_, _, left)| *left)?;
    let at = if is_headed(value) { value.span().start } else { name.span().start };
    Some(below(value, at, &key[key.len() - left..]))
}

fn below<'t, 'i>(
    value: &'t Spanned<DeValue<'i>>,
    at: usize,
    rest: &str,
) -> (usize, &'t DeValue<'i>) {
    let here = (at, value.get_ref());
    match value.get_ref() {
        DeValue::Table(table) => {
            rest.strip_prefix('.').and_then(|rest| find(table, rest)).unwrap_or(here)
        }
        DeValue::Array(items) => {
            let index = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            let item = index.and_then(|(number, rest)| {
                let item = items.get(number.parse::<usize>().ok()?)?;
                Some((item, rest))
            });
            // The items of a list of tables have headings of their own; those of a plain list stand
            // on the line of its key, or near it.
            item.map_or(here, |(item, rest)| below(item, item.span().start, rest))
        }
        _ => here,
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
            ("logout.steps[1].method", 9),
            ("logout.probe", 18),
            ("logout.probe.url", 19),
        ] {
            assert_eq!(line_of(TEXT, key), Some(line), "{key}");
        }
        assert_eq!(line_of(TEXT, "nothing"), None);
        assert_eq!(line_of("[", "id"), None);
    }
}
