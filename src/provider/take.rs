//! What is taken from an answer for later requests: by JSON pointer, from the page, from the
//! headers, from a cookie, or from where a redirect leads.

use super::leaf::{CookieName, HeaderName, Pointer};
use super::several::Several;
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// By the names that the values have in later templates.
pub type Takes = BTreeMap<String, Take>;

#[derive(Clone, Debug, PartialEq)]
pub struct Take {
    pub source: Source,
    pub or_cookie: Option<CookieName>,
    pub is_optional: bool,
}

/// Where a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// At the first of these that leads to a text, a number, true or false.
    Json(Vec<Pointer>),
    /// The value of that `<input>`, by its name or else its id.
    Input(String),
    /// The content of that `<meta>`, by its name or property.
    Meta(String),
    Header(HeaderName),
    Cookie(CookieName),
    /// A parameter of the redirect's query, or of the address that answered.
    Redirect(String),
}

/// As it is written where it says more than pointers.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
#[serde(deny_unknown_fields)]
struct Written {
    /// A JSON pointer, or several of which the first that leads somewhere counts.
    json: Option<Several<Pointer>>,
    /// The `<input>` that holds the value, by its name or else its id.
    input: Option<String>,
    /// The `<meta>` whose content is the value, by its name or property.
    meta: Option<String>,
    /// The header that holds the value.
    header: Option<HeaderName>,
    /// The cookie that holds the value.
    cookie: Option<CookieName>,
    /// The parameter of the redirect's query that holds the value.
    redirect: Option<String>,
    /// The cookie that serves where the value is missing or empty.
    or_cookie: Option<CookieName>,
    /// True: it may be missing; it is empty then.
    #[serde(default)]
    optional: bool,
}

impl TryFrom<Written> for Take {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { json, input, meta, header, cookie, redirect, or_cookie, optional } = written;
        let mut sources = [
            json.map(|pointers| Source::Json(pointers.to_vec())),
            input.map(Source::Input),
            meta.map(Source::Meta),
            header.map(Source::Header),
            cookie.map(Source::Cookie),
            redirect.map(Source::Redirect),
        ]
        .into_iter()
        .flatten();
        match (sources.next(), sources.next()) {
            (Some(Source::Json(pointers)), _) if pointers.is_empty() => Err(NO_POINTER.to_owned()),
            (Some(source), None) => Ok(Take { source, or_cookie, is_optional: optional }),
            _ => Err("name one of json, input, meta, header, cookie, redirect".to_owned()),
        }
    }
}

const NO_POINTER: &str = "name at least one pointer, as in [\"/logout_url\"]";

impl Take {
    fn by(pointers: Vec<Pointer>) -> Self {
        Take { source: Source::Json(pointers), or_cookie: None, is_optional: false }
    }
}

impl<'de> Deserialize<'de> for Take {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadTake)
    }
}

struct ReadTake;

impl<'de> Visitor<'de> for ReadTake {
    type Value = Take;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON pointer, a list of them, or a table that says where the value is")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Take, E> {
        Pointer::deserialize(text.into_deserializer()).map(|pointer| Take::by(vec![pointer]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Take, A::Error> {
        let pointers = Vec::deserialize(SeqAccessDeserializer::new(seq))?;
        if pointers.is_empty() { Err(A::Error::custom(NO_POINTER)) } else { Ok(Take::by(pointers)) }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Take, A::Error> {
        let written = Written::deserialize(MapAccessDeserializer::new(map))?;
        Take::try_from(written).map_err(A::Error::custom)
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Take {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Take".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let pointer = generator.subschema_for::<Pointer>();
        let table = Written::json_schema(generator);
        schemars::json_schema!({
            "anyOf": [pointer, { "type": "array", "items": pointer }, table]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(value: Value) -> Result<Take, String> {
        serde_json::from_value(value).map_err(|error: serde_json::Error| error.to_string())
    }

    #[test]
    fn the_short_forms_are_pointers() {
        let one = read(json!("/a")).unwrap();
        assert_eq!(one, read(json!(["/a"])).unwrap());
        assert_eq!(one, read(json!({ "json": "/a" })).unwrap());
        assert_eq!(one, read(json!({ "json": ["/a"] })).unwrap());
        for bad in [json!("a"), json!([]), json!({ "json": [] }), json!(1), json!({})] {
            read(bad).unwrap_err();
        }
    }

    #[test]
    fn a_value_is_in_one_place() {
        for (key, name) in [
            ("input", "csrf"),
            ("meta", "csrf-token"),
            ("header", "X-Csrf"),
            ("cookie", "csrf"),
            ("redirect", "code"),
        ] {
            let take = read(json!({ key: name, "or_cookie": "c", "optional": true })).unwrap();
            assert!(take.is_optional && take.or_cookie.is_some(), "{key}");
            let both = read(json!({ key: name, "json": "/a" })).unwrap_err();
            assert!(both.contains("name one of"), "{both}");
        }
        assert!(read(json!({ "or_cookie": "c" })).is_err());
        assert!(read(json!({ "inputs": "c" })).unwrap_err().contains("inputs"));
    }
}
