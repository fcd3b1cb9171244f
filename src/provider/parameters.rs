//! What a provider file leaves open, and its filling in. `"{base}"` is replaced in the text of the
//! file, before it is read: what comes out is a provider file that leaves nothing open.

use super::definition::Parameter;
use super::file;
use super::mistake::describe;
use crate::error::{Error, Kind, Result};
use ring::digest;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The values that the user or the add-on gives, by name.
pub type Given = BTreeMap<String, String>;

/// Names that mean something else in a template.
const TAKEN: [&str; 7] =
    ["username", "password", "id", "access_token", "refresh_token", "id_token", "claim"];

/// A longer value is no address and no name.
const LONGEST: usize = 2048;

/// The one table that is read before the others; what else there is is left alone.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    parameters: BTreeMap<String, file::Parameter>,
}

/// What the file leaves open.
pub fn declared(text: &str) -> Result<Vec<Parameter>> {
    let head: Head = toml::from_str(text).map_err(|error| describe(text, &error))?;
    let parameter = |(name, of): (String, file::Parameter)| Parameter {
        name,
        about: of.about,
        example: of.example,
        default: of.default,
    };
    Ok(head.parameters.into_iter().map(parameter).collect())
}

/// The text with every parameter in its place.
pub(super) fn fill(text: &str, given: &Given) -> Result<String> {
    let declared = declared(text)?;
    for name in given.keys() {
        if !declared.iter().any(|parameter| parameter.name == *name) {
            let known: Vec<&str> = declared.iter().map(|one| one.name.as_str()).collect();
            let has = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let message = format!("this provider has no parameter '{name}'");
            return Err(
                Error::new(Kind::InvalidInput, message).with_hint(format!("It has: {has}."))
            );
        }
    }
    let mut filled = text.to_owned();
    for parameter in &declared {
        check_name(&parameter.name)?;
        let place = format!("{{{}}}", parameter.name);
        let value = value_of(parameter, given);
        match value {
            Some(value) => {
                check_value(&parameter.name, value)?;
                // An address may be given with or without a slash at its end.
                let before_slash = value.trim_end_matches('/');
                filled = filled.replace(&format!("{place}/"), &format!("{before_slash}/"));
                filled = filled.replace(&place, value);
            }
            None if filled.contains(&place) => return Err(missing(parameter)),
            None => {}
        }
    }
    Ok(filled)
}

/// What sessions are kept under: the id alone where nothing is left open, else the id and a mark of
/// the values, so that one server's session never meets another server.
pub(super) fn key_of(
    id: &str,
    declared: &BTreeMap<String, file::Parameter>,
    given: &Given,
) -> String {
    let mut mark = digest::Context::new(&digest::SHA256);
    let mut is_open = false;
    for (name, parameter) in declared {
        let own = given.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
        let Some(value) = own.or(parameter.default.as_deref()) else { continue };
        is_open = true;
        mark.update(format!("{name}={}\n", value.trim_end_matches('/')).as_bytes());
    }
    if !is_open {
        return id.to_owned();
    }
    let mark = mark.finish();
    mark.as_ref().iter().take(6).fold(format!("{id}@"), |key, byte| format!("{key}{byte:02x}"))
}

fn value_of<'a>(parameter: &'a Parameter, given: &'a Given) -> Option<&'a str> {
    let own = given.get(&parameter.name).map(|value| value.trim());
    own.filter(|value| !value.is_empty()).or(parameter.default.as_deref())
}

fn check_name(name: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_lowercase() || c == '_';
    if name.is_empty() || !name.chars().all(good) || TAKEN.contains(&name) {
        let message = format!("provider file, parameters.{name}: this name cannot be used");
        return Err(Error::new(Kind::InvalidProvider, message).with_hint(
            "Use lower-case letters and '_', and none of the names that templates have.",
        ));
    }
    Ok(())
}

/// Nothing that could end the text it is put into.
fn check_value(name: &str, value: &str) -> Result<()> {
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || "\"'\\{}<>`".contains(c);
    if value.len() > LONGEST || value.contains(is_odd) {
        let message = format!("the parameter '{name}' holds characters that do not belong there");
        return Err(Error::new(Kind::InvalidInput, message)
            .with_hint("Write it without spaces, quotes and braces."));
    }
    Ok(())
}

fn missing(parameter: &Parameter) -> Error {
    let Parameter { name, about, example, .. } = parameter;
    Error::new(Kind::ParameterMissing, format!("this provider needs '{name}': {about}"))
        .with_hint(format!("For example: {example}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[parameters.base]\nabout = \"its address\"\nexample = \"https://x.example\"\n\
        [parameters.client_id]\nabout = \"c\"\nexample = \"c\"\ndefault = \"kodi\"\n\
        [x]\nurl = \"{base}/login\"\nclient = \"{client_id}\"\n";

    fn given(value: &str) -> Given {
        Given::from([("base".to_owned(), value.to_owned())])
    }

    #[test]
    fn every_place_is_filled() {
        let filled = fill(TEXT, &given(" https://shop.example/ ")).unwrap();
        assert!(filled.contains("url = \"https://shop.example/login\""), "{filled}");
        assert!(filled.contains("client = \"kodi\""));
    }

    #[test]
    fn what_is_missing_is_named_with_an_example() {
        let error = fill(TEXT, &Given::new()).unwrap_err();
        assert_eq!(error.kind(), Kind::ParameterMissing);
        assert!(error.message().contains("its address"), "{error}");
        assert!(error.hint().contains("https://x.example"));
        let unknown = Given::from([("bass".to_owned(), "x".to_owned())]);
        assert!(fill(TEXT, &unknown).unwrap_err().hint().contains("base, client_id"));
    }

    #[test]
    fn no_value_breaks_out_of_its_place() {
        for bad in ["x\"y", "x\ny", "x\\", "{client_id}", "a b"] {
            assert_eq!(fill(TEXT, &given(bad)).unwrap_err().kind(), Kind::InvalidInput, "{bad}");
        }
    }

    #[test]
    fn two_servers_of_one_provider_are_two() {
        let head: Head = toml::from_str(TEXT).unwrap();
        let key = |base: &str| key_of("shop", &head.parameters, &given(base));
        assert_ne!(key("https://a.example"), key("https://b.example"));
        assert_eq!(key("https://a.example/"), key("https://a.example"));
        assert_eq!(key_of("shop", &BTreeMap::new(), &Given::new()), "shop");
    }
}
