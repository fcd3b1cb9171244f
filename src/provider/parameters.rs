//! What a definition leaves open, and how it is filled in: `"{base}"` is replaced in every text of
//! the tree, before the types are read.

use super::document;
use super::problem::{At, Checked, Problem};
use super::scope::is_reserved;
use crate::error::Kind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The values that the user or the add-on gives, by name.
pub type Given = BTreeMap<String, String>;

pub(super) type Declared = BTreeMap<String, Parameter>;

const TABLE: &str = "parameters";

/// What stands in the place of a secret value.
const HIDDEN: &str = "[secret]";

/// The longest value; no address or name is longer.
const LONGEST: usize = 2048;

/// A value that the file leaves open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// What the file calls it.
    #[serde(skip_deserializing)]
    pub name: String,
    /// What it is, for the person who has to give it.
    pub about: String,
    /// What one looks like.
    pub example: String,
    /// What holds when none is given. Without a default one has to be given.
    pub default: Option<String>,
    /// True: the viewer knows it, and is asked for it. Else whoever brings the service gives it.
    #[serde(default)]
    pub asked: bool,
    /// True: it is shown nowhere, and kept sealed alone.
    #[serde(default)]
    pub secret: bool,
}

/// What the definition leaves open.
pub(super) fn declared(tree: &Value) -> Checked<Declared> {
    let Some(table) = tree.get(TABLE) else { return Ok(Declared::new()) };
    let mut declared: Declared = document::typed(table.clone()).at(TABLE)?;
    for (name, parameter) in &mut declared {
        parameter.name.clone_from(name);
    }
    let good = |c: char| c.is_ascii_lowercase() || c == '_';
    let is_odd = |name: &str| name.is_empty() || !name.chars().all(good) || is_reserved(name);
    let is_told =
        |one: &&Parameter| one.secret && one.default.as_ref().is_some_and(|it| !it.is_empty());
    if let Some(parameter) = declared.values().find(is_told) {
        let key = format!("{TABLE}.{}.default", parameter.name);
        let message = "what stands in a file is no secret";
        return Err(Problem::new(key, message, "Leave one of `default` and `secret` out."));
    }
    match declared.keys().find(|name| is_odd(name)) {
        Some(name) => Err(Problem::new(
            format!("{TABLE}.{name}"),
            "this name cannot be used",
            "Use lower-case letters and '_', and none of the names that templates have.",
        )),
        None => Ok(declared),
    }
}

/// An example for each that has to be given.
pub(super) fn examples(declared: &Declared) -> Given {
    let needed = declared.iter().filter(|(_, parameter)| parameter.default.is_none());
    needed.map(|(name, parameter)| (name.clone(), parameter.example.clone())).collect()
}

/// Puts every parameter in its place.
pub(super) fn fill(tree: Value, declared: &Declared, given: &Given) -> Checked<Value> {
    if let Some(name) = given.keys().find(|name| !declared.contains_key(*name)) {
        let known: Vec<&str> = declared.keys().map(String::as_str).collect();
        let message = format!("this provider has no parameter '{name}'");
        return Err(refused(message, format!("It has: {}.", known.join(", "))));
    }
    for parameter in declared.values() {
        value_of(parameter, given).map_or(Ok(()), |value| check_value(&parameter.name, value))?;
    }
    fill_value(tree, &|text| {
        declared.values().try_fold(text, |text, parameter| fill_text(text, parameter, given))
    })
}

fn fill_value(value: Value, fill: &impl Fn(String) -> Checked<String>) -> Checked<Value> {
    Ok(match value {
        Value::String(text) => Value::String(fill(text)?),
        Value::Array(items) => {
            items.into_iter().map(|item| fill_value(item, fill)).collect::<Checked<_>>()?
        }
        Value::Object(table) => {
            let filled = table.into_iter();
            let filled = filled.map(|(key, value)| Ok((fill(key)?, fill_value(value, fill)?)));
            Value::Object(filled.collect::<Checked<_>>()?)
        }
        plain => plain,
    })
}

fn fill_text(text: String, parameter: &Parameter, given: &Given) -> Checked<String> {
    let Parameter { name, about, example, .. } = parameter;
    let place = format!("{{{name}}}");
    if !text.contains(&place) {
        return Ok(text);
    }
    let Some(value) = value_of(parameter, given) else {
        let message = format!("this provider needs '{name}': {about}");
        let problem = Problem::new("", message, format!("For example: {example}"));
        return Err(Problem { kind: Kind::ParameterMissing, ..problem });
    };
    // An address may be given with or without a slash at its end.
    let before_slash = format!("{}/", value.trim_end_matches('/'));
    Ok(text.replace(&format!("{place}/"), &before_slash).replace(&place, value))
}

/// The value given, or else the default.
pub(super) fn value_of<'a>(parameter: &'a Parameter, given: &'a Given) -> Option<&'a str> {
    let own = given.get(&parameter.name).map(|value| value.trim());
    own.filter(|value| !value.is_empty()).or(parameter.default.as_deref())
}

/// A problem in whose words no secret value stands.
pub(super) fn without_secrets(problem: Problem, declared: &Declared, given: &Given) -> Problem {
    let secrets = declared.values().filter(|parameter| parameter.secret);
    let values: Vec<&str> = secrets
        .filter_map(|parameter| given.get(&parameter.name))
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
        .collect();
    let hide = |text: String| values.iter().fold(text, |text, value| text.replace(value, HIDDEN));
    let Problem { key, message, hint, .. } = problem;
    Problem { key: hide(key), message: hide(message), hint: hide(hint), ..problem }
}

/// For what is wrong with a given value, and not with the definition.
fn refused(message: String, hint: impl Into<String>) -> Problem {
    Problem { kind: Kind::InvalidInput, ..Problem::new("", message, hint) }
}

/// An address or a name, and nothing that reads as another place.
fn check_value(name: &str, value: &str) -> Checked {
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || "\"'\\{}<>`".contains(c);
    if value.len() > LONGEST || value.contains(is_odd) {
        let message = format!("the parameter '{name}' contains characters that cannot be used");
        return Err(refused(message, "Write it without spaces, quotes and braces."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::key::service_key;
    use super::*;
    use crate::error::Error;
    use serde_json::json;

    fn filled(given: &Given) -> Result<Value, Error> {
        let tree = json!({
            "parameters": {
                "base": { "about": "its address", "example": "https://x.example" },
                "client_id": { "about": "c", "example": "c", "default": "kodi" },
            },
            "x": { "url": "{base}/login", "client": ["{client_id}"] },
        });
        let declared = declared(&tree)?;
        let mut tree = fill(tree, &declared, given)?;
        tree["key"] = Value::from(service_key("shop", &declared, given));
        Ok(tree)
    }

    fn given(value: &str) -> Given {
        Given::from([("base".to_owned(), value.to_owned())])
    }

    #[test]
    fn every_place_is_filled() {
        let filled = filled(&given(" https://shop.example/ ")).unwrap();
        let wanted = json!({ "url": "https://shop.example/login", "client": ["kodi"] });
        assert_eq!(filled["x"], wanted);
    }

    #[test]
    fn what_is_missing_is_named_with_an_example() {
        let error = filled(&Given::new()).unwrap_err();
        assert_eq!(error.kind(), Kind::ParameterMissing);
        assert!(error.message().contains("its address"), "{error}");
        assert!(error.hint().contains("https://x.example"));
        let unknown = Given::from([("bass".to_owned(), "x".to_owned())]);
        assert!(filled(&unknown).unwrap_err().hint().contains("base, client_id"));
    }

    #[test]
    fn no_value_breaks_out_of_its_place() {
        for bad in ["x\"y", "x\ny", "x\\", "{client_id}", "a b"] {
            assert_eq!(filled(&given(bad)).unwrap_err().kind(), Kind::InvalidInput, "{bad}");
        }
    }

    #[test]
    fn a_secret_is_in_no_key_and_in_no_message() {
        let tree = |address: &str| {
            json!({
                "id": "shop", "name": "Shop", "website": "https://x.example",
                "hosts": ["x.example"],
                "parameters": { "key": { "about": "k", "example": "e", "secret": true } },
                "login": { "flow": "password", "url": address, "json": { "k": "{key}" } },
                "logout": { "steps": [{ "flow": "request", "method": "GET", "url": "{key}" }] },
            })
        };
        let given = |value: &str| Given::from([("key".to_owned(), value.to_owned())]);
        let read = |address: &str, value: &str| {
            crate::provider::Provider::from_value(tree(address), Some(&given(value)))
        };
        let refused = [
            read("https://x.example/{key}{x}", "hunter2").unwrap_err(),
            read("https://x.example/", "hunter2").unwrap_err(),
            read("hunter2", "hunter2").unwrap_err(),
        ];
        for problem in refused {
            let shown = format!("{problem:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
        }
        let one = read("https://x.example/", "https://x.example/1").unwrap();
        let other = read("https://x.example/", "https://x.example/2").unwrap();
        assert_eq!(one.key, other.key);
        let shown = format!("{one:?}{:?}", one.logins);
        assert!(!shown.contains("example/1"), "{shown}");
        let told = json!({ "parameters": { "k": {
            "about": "k", "example": "e", "secret": true, "default": "d"
        } } });
        assert_eq!(declared(&told).unwrap_err().key, "parameters.k.default");
    }

    #[test]
    fn two_servers_of_one_provider_are_two() {
        let key = |base: &str| filled(&given(base)).unwrap()["key"].clone();
        assert_ne!(key("https://a.example"), key("https://b.example"));
        assert_eq!(key("https://a.example/"), key("https://a.example"));
        assert_eq!(service_key("shop", &Declared::new(), &Given::new()), "shop#");
    }
}
