//! What a service is: its definition's types, how a provider file is read, the built-in catalogue.
//!
//! File → wire struct with unknown keys refused → checked type. No request is made here.

mod check;
mod definition;
mod file;
mod hosts;
mod template;

use crate::error::{Error, Kind, Result};
use std::io::Read;

pub use definition::{
    ApiRule, HostedForm, Login, Logout, LogoutRequest, Page, Probe, Proof, Provider, Renew,
    RenewPage, SessionRule, Submit, Take, Target,
};
pub use hosts::{Hosts, is_loopback};
pub use template::{Template, Values};

/// The services that come with the add-on.
const BUILT_IN: &[&str] = &[include_str!("../../resources/providers/angel.toml")];

/// A provider file is a page of text; more than this is something else.
const FILE_LIMIT: u64 = 256 * 1024;

/// Every built-in provider, in the order that users see.
pub fn catalogue() -> Result<Vec<Provider>> {
    BUILT_IN.iter().map(|text| Provider::parse(text)).collect()
}

/// A built-in provider by its id, or the file at a path that ends in `.toml`.
pub fn find(name: &str) -> Result<Provider> {
    let is_path = std::path::Path::new(name).extension().is_some_and(|end| end == "toml");
    if is_path {
        return read(name);
    }
    let mut known = Vec::new();
    for provider in catalogue()? {
        if provider.id == name {
            return Ok(provider);
        }
        known.push(provider.id);
    }
    Err(Error::new(Kind::UnknownProvider, format!("no provider is called '{name}'")).hint(format!(
        "Built in: {}. A provider of your own is named by its file, as in ./service.toml.",
        known.join(", ")
    )))
}

fn read(path: &str) -> Result<Provider> {
    let unreadable = |why: String| {
        Error::new(Kind::UnknownProvider, format!("the provider file '{path}' {why}"))
    };
    let file = std::fs::File::open(path)
        .map_err(|error| unreadable(format!("cannot be opened ({})", error.kind())))?;
    let mut text = String::new();
    file.take(FILE_LIMIT + 1)
        .read_to_string(&mut text)
        .map_err(|error| unreadable(format!("cannot be read as text ({})", error.kind())))?;
    if text.len() as u64 > FILE_LIMIT {
        return Err(Error::new(Kind::InvalidProvider, format!("'{path}' is over 256 KiB")));
    }
    Provider::parse(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANGEL: &str = BUILT_IN[0];

    fn refused(from: &str, to: &str) -> Error {
        assert!(ANGEL.contains(from), "the test's own text: {from}");
        let error = Provider::parse(&ANGEL.replace(from, to)).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidProvider);
        error
    }

    #[test]
    fn the_built_in_files_are_right() {
        let all = catalogue().unwrap();
        assert_eq!(all[0].id, "angel");
        assert_eq!(find("angel").unwrap().name, "Angel Studios");
    }

    #[test]
    fn an_unknown_provider_names_the_known_ones() {
        let error = find("nobody").unwrap_err();
        assert_eq!(error.kind(), Kind::UnknownProvider);
        assert!(error.advice().contains("angel"));
        assert_eq!(find("/nowhere/x.toml").unwrap_err().kind(), Kind::UnknownProvider);
    }

    #[test]
    fn the_error_names_the_key_and_what_would_be_right() {
        let error = refused("cookie_domains =", "cookie_domain =");
        assert!(error.message().contains("unknown field `cookie_domain`"), "{error}");
        assert!(error.message().contains("line 8"), "{error}");
        let error = refused("https://auth.angel.com/logout", "http://auth.angel.com/logout");
        assert!(error.message().contains("logout.url: only https is used"), "{error}");
        let error = refused("https://auth.angel.com/logout", "https://auth.angel.example/logout");
        assert!(error.message().contains("logout.url"), "{error}");
        assert!(error.advice().contains("hosts"), "{error}");
        let error = refused("{csrf}", "{crsf}");
        assert!(error.message().contains("login.submit.form._csrf_token"), "{error}");
        let error = refused("status = [302]", "status = []");
        assert!(error.message().contains("logout.proof.status"), "{error}");
        let error = refused("flow = \"hosted_form\"", "flow = \"hosted\"");
        assert!(error.message().contains("hosted_form"), "{error}");
        let error = refused("id = \"angel\"", "id = \"Ängel\"");
        assert!(error.message().contains("id:"), "{error}");
        let error = refused("query = { email = \"{username}\"", "query = { email = \"{password}\"");
        assert!(error.message().contains("password"), "a password never goes into a query");
        let error = Provider::parse("").unwrap_err();
        assert!(error.message().contains("missing field"), "{error}");
    }
}
