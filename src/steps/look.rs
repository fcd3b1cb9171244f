//! What an answer holds: the values that a file takes from it, and the signs that it knows it by.

use super::errors::unexpected;
use crate::cookies::Jar;
use crate::error::Result;
use crate::http::{Answer, form};
use crate::provider::{Sign, Source, Take, Takes, Values};
use crate::secret::Secret;
use serde_json::Value;

/// No token and no code is longer.
const LONGEST: usize = 16 * 1024;

/// Takes from an answer, and from the cookies that are held since.
pub fn take(
    name: &str,
    takes: &Takes,
    answer: &Answer,
    jar: &Jar,
    values: &mut Values,
) -> Result<()> {
    if takes.is_empty() {
        return Ok(());
    }
    let seen = Seen::new(answer);
    for (key, take) in takes {
        let value = seen.find(take, jar);
        let value = match value {
            None if take.is_optional => Secret::default(),
            None => return Err(missing(name, take)),
            Some(value) => value,
        };
        values.insert(key.clone(), value);
    }
    Ok(())
}

/// What an answer holds of that; what is missing is left out.
pub fn find(takes: &Takes, answer: &Answer, jar: &Jar) -> Vec<(String, Secret)> {
    if takes.is_empty() {
        return Vec::new();
    }
    let seen = Seen::new(answer);
    let found = takes.iter().map(|(name, take)| Some((name.clone(), seen.find(take, jar)?)));
    found.flatten().collect()
}

/// True when the answer shows one of the signs.
pub fn shows(signs: &[Sign], answer: &Answer) -> bool {
    let seen = Seen::new(answer);
    signs.iter().any(|sign| seen.shows(sign))
}

/// True where something is taken from a JSON answer.
pub(super) fn reads_json(takes: &Takes) -> bool {
    takes.values().any(|take| matches!(take.source, Source::Json(_)))
}

struct Seen<'a> {
    answer: &'a Answer,
    json: Value,
    page: String,
}

impl<'a> Seen<'a> {
    fn new(answer: &'a Answer) -> Self {
        let json = serde_json::from_slice(&answer.body).unwrap_or_default();
        Seen { answer, json, page: answer.text() }
    }

    fn find(&self, take: &Take, jar: &Jar) -> Option<Secret> {
        let cookie = |name: &str| jar.value(name);
        let found = match &take.source {
            Source::Json(pointers) => {
                pointers.iter().find_map(|pointer| text_of(self.json.pointer(pointer)?))
            }
            Source::Input(name) => form::input_value(&self.page, name).map(Secret::new),
            Source::Meta(name) => form::meta_content(&self.page, name).map(Secret::new),
            Source::Header(name) => self.answer.header(name).map(Secret::new),
            Source::Cookie(name) => cookie(name),
            Source::Redirect(name) => self.in_address(name),
        };
        let is_usable = |value: &Secret| (1..=LONGEST).contains(&value.expose().len());
        let or_cookie = || cookie(take.or_cookie.as_deref()?);
        found.filter(is_usable).or_else(|| or_cookie().filter(is_usable))
    }

    /// A parameter of the address that a redirect names, or else of the one that answered.
    fn in_address(&self, name: &str) -> Option<Secret> {
        let url = match self.answer.location() {
            Some(location) if self.answer.is_redirect() => location.ok()?,
            _ => self.answer.url.clone(),
        };
        let mut pairs = url.query_pairs();
        pairs.find(|(key, _)| key == name).map(|(_, value)| Secret::new(value))
    }

    fn shows(&self, sign: &Sign) -> bool {
        let Sign { status, json, has, lacks, header, class, input } = sign;
        let holds = |pointer: &str| self.json.pointer(pointer).is_some_and(|it| !it.is_null());
        status.as_ref().is_none_or(|all| all.iter().any(|status| **status == self.answer.status))
            && json.iter().all(|(pointer, wanted)| self.json.pointer(pointer) == Some(&**wanted))
            && has.iter().all(|pointer| holds(pointer))
            && lacks.iter().all(|pointer| !holds(pointer))
            && header.iter().all(|(name, wanted)| self.answer.header(name) == Some(wanted))
            && class.as_ref().is_none_or(|class| form::has_class(&self.page, class))
            && input.as_ref().is_none_or(|name| form::input_value(&self.page, name).is_some())
    }
}

/// A text, or a number or a truth value as a text.
fn text_of(value: &Value) -> Option<Secret> {
    match value {
        Value::String(text) if !text.is_empty() => Some(Secret::new(text.as_str())),
        Value::Number(_) | Value::Bool(_) => Some(Secret::new(value.to_string())),
        Value::String(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn missing(name: &str, take: &Take) -> crate::error::Error {
    let what = match &take.source {
        Source::Json(pointers) => {
            let all: Vec<_> = pointers.iter().map(|pointer| format!("'{}'", &**pointer)).collect();
            format!("holds nothing at {}", all.join(" or "))
        }
        Source::Input(input) => format!("has no field '{input}'"),
        Source::Meta(meta) => format!("has no <meta> '{meta}'"),
        Source::Header(header) => format!("has no header '{}'", &**header),
        Source::Cookie(cookie) => format!("set no cookie '{}'", &**cookie),
        Source::Redirect(parameter) => format!("leads to no address with '{parameter}'"),
    };
    let cookie = take.or_cookie.as_ref();
    let cookie = cookie.map(|name| format!(" and set no cookie '{}'", &**name)).unwrap_or_default();
    unexpected(name, &format!("{what}{cookie}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Signs;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Answer {
            status,
            url: "https://a.example/x?code=final".parse().unwrap(),
            headers: headers.iter().map(owned).collect(),
            set_cookies: Vec::new(),
            body: body.into(),
            is_cut: false,
            had_bearer: false,
        }
    }

    fn taken(take: &str, answer: &Answer) -> Option<String> {
        let takes: Takes = serde_json::from_str(&format!("{{\"it\": {take}}}")).unwrap();
        let mut values = Values::new();
        super::take("the page", &takes, answer, &Jar::new(), &mut values).ok()?;
        Some(values["it"].expose().to_owned())
    }

    #[test]
    fn a_value_is_taken_from_where_it_is() {
        let json = r#"{"a": null, "b": 7, "c": true, "d": "x", "e": "", "f": [1]}"#;
        let json = answer(200, &[("x-csrf", "h")], json);
        for (take, value) in [
            (r#""/b""#, Some("7")),
            (r#"["/a", "/none", "/c"]"#, Some("true")),
            (r#"{"json": "/d"}"#, Some("x")),
            (r#""/a""#, None),
            (r#""/e""#, None),
            (r#""/f""#, None),
            (r#"{"json": "/e", "optional": true}"#, Some("")),
            (r#"{"header": "X-Csrf"}"#, Some("h")),
            (r#"{"redirect": "code"}"#, Some("final")),
            (r#"{"redirect": "state"}"#, None),
            (r#"{"cookie": "c"}"#, None),
        ] {
            assert_eq!(taken(take, &json).as_deref(), value, "{take}");
        }
        let there = answer(302, &[("location", "/y?code=a%2Bb+c")], "");
        assert_eq!(taken(r#"{"redirect": "code"}"#, &there).as_deref(), Some("a+b c"));
        let page = "<meta name=csrf-token content='m&amp;n'><meta property='og:x' content=o>\
            <input name=csrf value=i>";
        let page = answer(200, &[], page);
        assert_eq!(taken(r#"{"meta": "csrf-token"}"#, &page).as_deref(), Some("m&n"));
        assert_eq!(taken(r#"{"meta": "og:x"}"#, &page).as_deref(), Some("o"));
        assert_eq!(taken(r#"{"input": "csrf"}"#, &page).as_deref(), Some("i"));
    }

    #[test]
    fn a_sign_is_shown_when_all_of_it_is_there() {
        let pending = answer(
            400,
            &[("x-a", "b")],
            r#"{"error": "authorization_pending", "token": null, "n": 1}"#,
        );
        let page = answer(200, &[], "<p class='x errornote'><input name=password>");
        for (sign, of_pending, of_page) in [
            (r#"{"status": 400}"#, true, false),
            (r#"{"status": [200, 400]}"#, true, true),
            (r#"{"json": {"/error": "authorization_pending"}}"#, true, false),
            (r#"{"json": {"/n": 1}, "status": 200}"#, false, false),
            (r#"{"has": ["/error"]}"#, true, false),
            (r#"{"has": ["/token"]}"#, false, false),
            (r#"{"lacks": ["/token"]}"#, true, true),
            (r#"{"header": {"X-A": "b"}}"#, true, false),
            (r#"{"header": {"X-A": "c"}}"#, false, false),
            (r#"{"class": "errornote"}"#, false, true),
            (r#"{"class": "error"}"#, false, false),
            (r#"{"input": "password"}"#, false, true),
            (r#"[{"status": 404}, {"input": "password"}]"#, false, true),
        ] {
            let signs: Signs = serde_json::from_str(sign).unwrap();
            assert_eq!((shows(&signs, &pending), shows(&signs, &page)), (of_pending, of_page));
        }
    }
}
