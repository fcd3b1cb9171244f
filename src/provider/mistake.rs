//! What the parser of TOML finds wrong in a provider file, in words that teach: which key, on which
//! line, and what would be right.

use super::position::{key_below, key_of, key_where, line_at, line_of};
use crate::error::{Error, Kind};
use toml::de::{DeTable, DeValue};

const REFERENCE: &str = "docs/provider-keys.md lists every key with its type and an example.";

/// The tables that have a flow, and the flows; a test holds them against `file`.
const FLOWS: [(&str, &[&str]); 5] = [
    ("login", &["hosted_form", "password", "device_code"]),
    ("renew", &["page", "request", "refresh_token"]),
    ("logout.steps", &["request", "revoke", "end_session"]),
    ("logout.probe", &["request", "renew"]),
    ("everywhere", &["list", "logout"]),
];

/// What the parser calls a kind of value, and what people do.
const KINDS: [(&str, &str); 8] = [
    ("a sequence", "a list"),
    ("sequence", "a list"),
    ("a map", "a table"),
    ("map", "a table"),
    ("a boolean", "true or false"),
    ("a string", "a text"),
    ("u16", "a number"),
    ("internally tagged enum", "a table with a `flow`"),
];

/// `text` is what was parsed.
pub(super) fn describe(text: &str, error: &toml::de::Error) -> Error {
    let words = error.message();
    let path = path_of(error);
    let (key, message, hint) = if let Some(rest) = words.strip_prefix("unknown field ") {
        unknown_key(text, &path, rest)
    } else if let Some(rest) = words.strip_prefix("missing field ") {
        missing_key(text, &path, rest)
    } else if let Some(rest) = words.strip_prefix("unknown variant ") {
        unknown_flow(text, &path, rest)
    } else if let Some(rest) = words.strip_prefix("invalid type: ") {
        wrong_kind(text, &path, rest)
    } else {
        let hint = "TOML wants a text in quotes, each key once, and tables under [headings].";
        (path, words.to_owned(), hint.to_owned())
    };
    let at = error.span().map_or(1, |span| line_at(text, span.start));
    let line = if key.is_empty() { at } else { line_of(text, &key).unwrap_or(at) };
    let named = if key.is_empty() { String::new() } else { format!("{key}: ") };
    Error::new(Kind::InvalidProvider, format!("provider file, line {line}: {named}{message}"))
        .with_hint(hint)
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

fn unknown_key(text: &str, path: &str, rest: &str) -> (String, String, String) {
    let mut names = quoted(rest);
    if names.is_empty() {
        return (path.to_owned(), format!("unknown field {rest}"), REFERENCE.to_owned());
    }
    let wrong = names.remove(0);
    let has_it = |table: &DeTable| table.contains_key(wrong.as_str());
    let table = key_where(text, path, has_it).unwrap_or_else(|| path.to_owned());
    let message = format!("there is no key `{wrong}` here");
    let hint = suggest(&wrong, names.iter().map(String::as_str), |name| format!("`{name}`"));
    (joined(&table, &wrong), message, hint)
}

fn missing_key(text: &str, path: &str, rest: &str) -> (String, String, String) {
    let name = quoted(rest).into_iter().next().unwrap_or_default();
    let lacks_it = |table: &DeTable| !table.contains_key(name.as_str());
    let table = key_where(text, path, lacks_it).unwrap_or_else(|| path.to_owned());
    let flows = FLOWS.iter().find(|(table, _)| name == "flow" && *table == path);
    let hint = match flows {
        Some((_, flows)) => {
            let all: Vec<String> = flows.iter().map(|flow| format!("\"{flow}\"")).collect();
            format!("It is one of: {}.", all.join(", "))
        }
        None => REFERENCE.to_owned(),
    };
    (joined(&table, &name), "it is missing".to_owned(), hint)
}

fn unknown_flow(text: &str, path: &str, rest: &str) -> (String, String, String) {
    let mut names = quoted(rest);
    if names.is_empty() {
        return (path.to_owned(), format!("unknown variant {rest}"), REFERENCE.to_owned());
    }
    let wrong = names.remove(0);
    let hint = suggest(&wrong, names.iter().map(String::as_str), |name| format!("\"{name}\""));
    let table = path.strip_suffix(".flow").unwrap_or(path);
    let is_it = |table: &DeTable| {
        table.get("flow").is_some_and(|flow| flow.get_ref().as_str() == Some(wrong.as_str()))
    };
    let table = key_where(text, table, is_it).unwrap_or_else(|| table.to_owned());
    (joined(&table, "flow"), format!("there is no flow '{wrong}' here"), hint)
}

fn wrong_kind(text: &str, path: &str, rest: &str) -> (String, String, String) {
    let (given, wanted) = rest.split_once(", expected ").unwrap_or((rest, "something else"));
    let wrong = |value: &DeValue| is_given(value, given);
    let at = match (given, wanted, path) {
        ("map", "a sequence", "login") => Some("login.pages".to_owned()),
        _ if FLOWS.iter().any(|(table, _)| *table == path) && wanted != "a sequence" => {
            key_below(text, path, &wrong)
        }
        _ => key_of(text, path, &wrong),
    };
    let key = at.unwrap_or_else(|| path.to_owned());
    let words = |kind: &str| {
        let known = KINDS.iter().find(|(theirs, _)| *theirs == kind);
        let plain = || {
            kind.replace('`', "").replacen("string ", "the text ", 1).replacen(
                "integer ",
                "the number ",
                1,
            )
        };
        known.map_or_else(plain, |(_, ours)| (*ours).to_owned())
    };
    let hint = match (given, wanted) {
        ("map", "a sequence") => format!("Write its heading in two brackets: [[{key}]]."),
        ("map", "a string") => "What is sent is flat: names and texts.".to_owned(),
        (_, "a string") => "Write it in quotes.".to_owned(),
        (_, "u16") => "Write it without quotes, as in 401.".to_owned(),
        (_, "a boolean") => "Write true or false, without quotes.".to_owned(),
        (_, "a sequence") => "Write it in brackets, even where it is only one.".to_owned(),
        _ => REFERENCE.to_owned(),
    };
    (key, format!("expected {}, found {}", words(wanted), words(given)), hint)
}

/// True for the value that the parser means by "string \"200\"", "integer `401`" or "map".
fn is_given(value: &DeValue, given: &str) -> bool {
    let text = given.split_once(['`', '"']).map(|(_, rest)| rest.trim_end_matches(['`', '"']));
    match (given.split(' ').next(), value) {
        (Some("string"), DeValue::String(found)) => text == Some(found.as_ref()),
        (Some("integer"), DeValue::Integer(found)) => text == Some(found.as_str()),
        (Some("boolean"), DeValue::Boolean(found)) => text == Some(&found.to_string()),
        (Some("map"), DeValue::Table(_)) | (Some("sequence"), DeValue::Array(_)) => true,
        _ => false,
    }
}

/// The path that the parser adds to its message: "in `logout.probe`".
fn path_of(error: &toml::de::Error) -> String {
    let mut bare = error.clone();
    bare.set_input(None);
    let shown = bare.to_string();
    let path = shown.lines().last().and_then(|line| line.strip_prefix("in `"));
    path.and_then(|path| path.strip_suffix('`')).unwrap_or_default().to_owned()
}

fn quoted(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn joined(table: &str, name: &str) -> String {
    if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") }
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
    use super::super::file::File;
    use super::*;

    const TEXT: &str = include_str!("../../resources/providers/idempotent.toml");

    fn told(from: &str, to: &str) -> (String, String) {
        assert_eq!(TEXT.matches(from).count(), 1, "the test's own text: {from}");
        let text = TEXT.replace(from, to);
        let error = describe(&text, &toml::from_str::<File>(&text).map(|_| ()).unwrap_err());
        let message = error.message().strip_prefix("provider file, line ").unwrap().to_owned();
        (message, error.hint().to_owned())
    }

    #[test]
    fn a_key_that_is_nearly_right_is_named() {
        let (message, hint) = told("sessions = \"/sessions\"", "session = \"/sessions\"");
        assert!(message.contains(": everywhere.session: there is no key `session`"), "{message}");
        assert!(hint.starts_with("Did you mean `sessions`?"), "{hint}");
        let (message, hint) = told("[logout.probe]", "[logout.frobnicate]");
        assert!(message.contains(": logout.frobnicate: "), "{message}");
        assert_eq!(hint, "Known here: `steps`, `probe`.");
    }

    #[test]
    fn what_is_missing_or_of_another_kind_is_said_with_its_table() {
        let (message, hint) = told("[renew]\nflow = \"request\"", "[renew]");
        assert!(message.ends_with("renew.flow: it is missing"), "{message}");
        assert_eq!(hint, "It is one of: \"page\", \"request\", \"refresh_token\".");
        let (message, hint) = told("refused_status = [401]", "refused_status = 401");
        assert!(message.contains("logout.probe.refused_status: expected a list"), "{message}");
        assert!(hint.contains("brackets"), "{hint}");
        let (message, hint) = told("json = { username", "json = { a = { }, username");
        assert!(message.contains("login.json.a: expected a text, found a table"), "{message}");
        assert!(hint.contains("flat"), "{hint}");
        let (message, hint) = told("[[logout.steps]]", "[logout.steps]");
        assert!(message.contains("logout.steps: expected a list, found a table"), "{message}");
        assert!(hint.contains("[[logout.steps]]"), "{hint}");
        let (message, _) = told("method = \"POST\"\n", "");
        assert!(message.ends_with("logout.steps[0].method: it is missing"), "{message}");
    }

    #[test]
    fn the_flows_are_those_of_the_file() {
        for (table, flows) in FLOWS {
            let heading = if table == "logout.steps" { "[[logout.steps]]" } else { table };
            let heading = heading.trim_matches(['[', ']']);
            let brackets = if table == "logout.steps" { ("[[", "]]") } else { ("[", "]") };
            let text = format!("{}{heading}{}\nflow = \"?\"\n", brackets.0, brackets.1);
            let error = toml::from_str::<File>(&text).map(|_| ()).unwrap_err();
            let known = quoted(error.message());
            assert_eq!(known[1..], *flows, "{table}: {}", error.message());
        }
    }

    #[test]
    fn distance_counts_letters() {
        assert_eq!(distance("qurey", "query"), 2);
        assert_eq!(distance("", "ab"), 2);
        assert_eq!(distance("zoë", "zoe"), 1);
    }
}
