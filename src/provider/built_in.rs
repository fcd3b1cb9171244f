//! The services that come with the add-on, and how one is found by its name.

use super::definition::Provider;
use super::document::LARGEST;
use super::parameters::Given;
use crate::error::{Error, Kind, Result};
use serde_json::Value;
use std::fs::File;
use std::io::Read;
use std::sync::OnceLock;

struct BuiltIn {
    id: &'static str,
    text: &'static str,
    /// With the examples in the place of parameters; read once per process.
    read: OnceLock<Provider>,
}

macro_rules! built_in {
    ($($id:literal)*) => {
        [$(BuiltIn {
            id: $id,
            text: include_str!(concat!("../../resources/providers/", $id, ".toml")),
            read: OnceLock::new(),
        }),*]
    };
}

/// In the order that users see.
static BUILT_IN: [BuiltIn; 7] = built_in! {
    "angel" "workos" "workos-device" "jwt-audit" "linxup" "idempotent" "oidc"
};

impl BuiltIn {
    fn example(&self) -> Result<&Provider> {
        if let Some(provider) = self.read.get() {
            return Ok(provider);
        }
        let provider = Provider::parse(self.text, None)?;
        Ok(self.read.get_or_init(|| provider))
    }

    fn with(&self, given: &Given) -> Result<Provider> {
        let example = self.example()?;
        if given.is_empty() && example.parameters.is_empty() {
            return Ok(example.clone());
        }
        Ok(Provider::parse(self.text, Some(given))?)
    }
}

/// Every built-in provider, in the order that users see, with its own examples as parameters.
pub fn built_in() -> Result<Vec<&'static Provider>> {
    BUILT_IN.iter().map(BuiltIn::example).collect()
}

/// A built-in provider by its id, or the file at a path that ends in `.toml`.
pub fn find(name: &str, given: &Given) -> Result<Provider> {
    let is_path = std::path::Path::new(name).extension().is_some_and(|end| end == "toml");
    if is_path {
        return Ok(Provider::parse(&read(name)?, Some(given))?);
    }
    if let Some(known) = BUILT_IN.iter().find(|known| known.id == name) {
        return known.with(given);
    }
    let known: Vec<&str> = BUILT_IN.iter().map(|known| known.id).collect();
    let message = format!("no provider is called '{name}'");
    Err(Error::new(Kind::UnknownProvider, message).with_hint(format!(
        "Built in: {}. A provider of your own is named by its file, as in ./service.toml.",
        known.join(", ")
    )))
}

/// A provider as a caller names it: by id, by a file's path, or with a dictionary of a file's form.
pub fn choose(named: Value, given: &Given) -> Result<Provider> {
    match named {
        Value::String(name) => find(&name, given),
        tree => Ok(Provider::from_value(tree, Some(given))?),
    }
}

/// The built-in provider whose sessions are kept under `key`, if that is known from the key alone.
pub fn with_key(key: &str) -> Option<Provider> {
    built_in().ok()?.into_iter().find(|provider| provider.key == key).cloned()
}

fn read(path: &str) -> Result<String> {
    let mut text = String::new();
    // One more than may be: the parser says that it is too large.
    let read = File::open(path)
        .and_then(|file| file.take(LARGEST as u64 + 1).read_to_string(&mut text))
        .map_err(|error| error.kind());
    match read {
        Ok(_) => Ok(text),
        Err(why) => {
            let message = format!("the provider file '{path}' cannot be read ({why})");
            Err(Error::new(Kind::UnknownProvider, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_files_are_right_and_read_once() {
        let all = built_in().unwrap();
        assert!(all.iter().zip(&BUILT_IN).all(|(provider, file)| provider.id == file.id));
        assert_eq!(find("angel", &Given::new()).unwrap().name, "Angel Studios");
        assert!(std::ptr::eq(all[0], built_in().unwrap()[0]));
    }

    #[test]
    fn an_unknown_provider_names_the_known_ones() {
        let error = find("nobody", &Given::new()).unwrap_err();
        assert_eq!(error.kind(), Kind::UnknownProvider);
        assert!(error.hint().contains("angel"));
        assert_eq!(
            find("/nowhere/x.toml", &Given::new()).unwrap_err().kind(),
            Kind::UnknownProvider
        );
    }
}
