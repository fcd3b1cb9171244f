//! A provider file's text: TOML as a tree of values, and the line of a key for messages.

use super::problem::{At, Checked, Key, Part, Problem};
use serde_json::{Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A provider file is a page of text; a larger file is something else.
pub(super) const LARGEST: usize = 256 * 1024;

pub(super) struct Document<'t> {
    text: &'t str,
    root: DeValue<'t>,
}

impl<'t> Document<'t> {
    /// Makes something of a text's tree. A problem gets the line of its key, or of the deepest part
    /// of it that is there.
    pub fn read<T>(text: &str, make: impl FnOnce(Value) -> Checked<T>) -> Checked<T> {
        let document = Document::parse(text)?;
        tree(&document.root).and_then(make).map_err(|problem| document.locate(problem))
    }

    fn parse(text: &'t str) -> Checked<Self> {
        if text.len() > LARGEST {
            return Err(Problem::new("it is over 256 KiB")
                .with_hint("A provider file is a page or two of text; this is something else."));
        }
        let root = DeTable::parse(text).map_err(|error| {
            let hint = "TOML wants a text in quotes, each key once, and tables under [headings].";
            let line = error.span().map_or(1, |span| line_at(text, span.start));
            Problem::new(error.message()).with_hint(hint).on_line(line)
        })?;
        Ok(Document { text, root: DeValue::Table(root.into_inner()) })
    }

    fn locate(&self, problem: Problem) -> Problem {
        if problem.key.is_empty() {
            return problem;
        }
        let line = self.line_of(&problem.key);
        problem.on_line(line)
    }

    fn line_of(&self, key: &Key) -> usize {
        let (mut at, mut value) = (0, &self.root);
        for part in key.parts() {
            let found = match (part, value) {
                (Part::Name(name), DeValue::Table(table)) => {
                    table.get_key_value(name.as_str()).map(|(name, value)| {
                        (if is_headed(value) { value.span() } else { name.span() }, value)
                    })
                }
                (Part::Item(index), DeValue::Array(items)) => {
                    items.get(*index).map(|item| (item.span(), item))
                }
                _ => None,
            };
            let Some((span, next)) = found else { break };
            (at, value) = (span.start, next.get_ref());
        }
        line_at(self.text, at)
    }
}

fn tree(value: &DeValue) -> Checked<Value> {
    Ok(match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Boolean(flag) => Value::from(*flag),
        DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix())
            .map(Value::from)
            .map_err(|_| Problem::new(format!("{digits} is too large a number")))?,
        DeValue::Float(digits) => digits
            .as_str()
            .parse()
            .ok()
            .and_then(Number::from_f64)
            .map(Value::from)
            .ok_or_else(|| Problem::new(format!("{digits} is no number that is used here")))?,
        DeValue::Datetime(date) => {
            return Err(Problem::new(format!("expected a text, found the date {date}"))
                .with_hint("Write it in quotes."));
        }
        DeValue::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| tree(item.get_ref()).at(index))
            .collect::<Checked<_>>()?,
        DeValue::Table(table) => table
            .iter()
            .map(|(name, value)| {
                let name = name.get_ref().as_ref();
                Ok((name.to_owned(), tree(value.get_ref()).at(name)?))
            })
            .collect::<Checked<_>>()?,
    })
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
    text.get(..at.min(text.len())).unwrap_or(text).matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "id = \"x\"\n\n[login]\nform = { \"user.name\" = \"a\", b = \"c\" }\n\n\
        [[logout.steps]]\nurl = \"a\"\n\n[[logout.steps]]\nurl = \"b\"\ntake.next = \"/n\"\n\n\
        [logout.steps.proof]\nstatus = [\n  1,\n]\n\n[logout.probe]\nurl = \"c\"\n";

    #[test]
    fn a_key_is_where_it_is() {
        let line = |key: &str| {
            let parts = key.split('/').rev().filter(|part| !part.is_empty());
            let problem = parts.fold(Problem::new(""), |problem, part| match part.parse() {
                Ok(index) => At::at(problem, Part::Item(index)),
                Err(_) => problem.at(part),
            });
            Document::parse(TEXT).unwrap().locate(problem).line
        };
        for (key, at) in [
            ("id", 1),
            ("login", 3),
            ("login/form", 4),
            ("login/form/user.name", 4),
            ("login/missing", 3),
            ("logout/steps", 6),
            ("logout/steps/0/url", 7),
            ("logout/steps/1", 9),
            ("logout/steps/1/url", 10),
            ("logout/steps/1/take/next", 11),
            ("logout/steps/1/proof", 13),
            ("logout/steps/1/proof/status", 14),
            ("logout/steps/1/proof/status/0", 15),
            ("logout/steps/1/method", 9),
            ("logout/probe", 18),
            ("logout/probe/url", 19),
            ("nothing", 1),
            ("", 0),
        ] {
            assert_eq!(line(key), at, "{key}");
        }
        assert_eq!(Document::parse("a = 1\n[").err().unwrap().line, 2);
    }
}
