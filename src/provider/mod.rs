//! What a service is: its definition's types, how a provider file is read, the built-in catalogue.
//!
//! File → wire struct with unknown keys refused → checked type. No request is made here.

mod check;
mod definition;
mod file;
mod headers;
mod hosts;
mod mistake;
mod parameters;
mod position;
#[cfg(test)]
mod schema_test;
mod template;

use crate::error::{Error, Kind, Result};
use std::io::Read;

pub use definition::{
    AfterLogout, AnswerRule, ApiRule, Body, Downgrade, Everywhere, HostedForm, Login, Logout,
    LogoutRequest, OAuth, Page, Parameter, PasswordLogin, Place, Probe, Proof, Provider, Renew,
    RenewPage, RenewRequest, SessionList, SessionRule, Step, Submit, Take, Target,
};
pub use headers::is_reserved;
pub use hosts::{Hosts, is_loopback};
pub use parameters::{Given, declared};
pub use position::line_of;
pub use template::{Template, Values};

/// The services that come with the add-on.
const BUILT_IN: &[&str] = &[
    include_str!("../../resources/providers/angel.toml"),
    include_str!("../../resources/providers/workos.toml"),
    include_str!("../../resources/providers/workos-device.toml"),
    include_str!("../../resources/providers/jwt-audit.toml"),
    include_str!("../../resources/providers/linxup.toml"),
    include_str!("../../resources/providers/idempotent.toml"),
    include_str!("../../resources/providers/oidc.toml"),
];

/// A provider file is a page of text; more than this is something else.
const FILE_LIMIT: u64 = 256 * 1024;

/// A template's name for a claim of the session's tokens begins with this.
pub const CLAIM: &str = "claim.";

/// A provider as a list shows it.
pub struct Listed {
    /// With the examples in the place of parameters.
    pub provider: Provider,
    pub parameters: Vec<Parameter>,
}

/// Every built-in provider, in the order that users see.
pub fn catalogue() -> Result<Vec<Listed>> {
    BUILT_IN.iter().map(|text| listed(text)).collect()
}

/// A provider file as a list shows it.
pub fn listed(text: &str) -> Result<Listed> {
    let parameters = declared(text)?;
    let is_needed = |one: &&Parameter| one.default.is_none();
    let examples = parameters.iter().filter(is_needed);
    let given = examples.map(|one| (one.name.clone(), one.example.clone())).collect();
    Ok(Listed { provider: Provider::parse_with(text, &given)?, parameters })
}

/// A built-in provider by its id, or the file at a path that ends in `.toml`.
pub fn find(name: &str, given: &Given) -> Result<Provider> {
    let is_path = std::path::Path::new(name).extension().is_some_and(|end| end == "toml");
    if is_path {
        return Provider::parse_with(&read(name)?, given);
    }
    let mut known = Vec::new();
    for text in BUILT_IN {
        let id = listed(text)?.provider.id;
        if id == name {
            return Provider::parse_with(text, given);
        }
        known.push(id);
    }
    Err(Error::new(Kind::UnknownProvider, format!("no provider is called '{name}'")).with_hint(
        format!(
            "Built in: {}. A provider of your own is named by its file, as in ./service.toml.",
            known.join(", ")
        ),
    ))
}

/// The provider's id in the key that its sessions are kept under.
pub fn id_of(key: &str) -> &str {
    key.split_once('@').map_or(key, |(id, _)| id)
}

fn read(path: &str) -> Result<String> {
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
    Ok(text)
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
        assert_eq!(all[0].provider.id, "angel");
        assert_eq!(find("angel", &Given::new()).unwrap().name, "Angel Studios");
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

    #[test]
    fn the_error_names_the_key_and_what_would_be_right() {
        let error = refused("cookie_domains =", "cookie_domain =");
        assert!(error.message().contains("line 8: cookie_domain: there is no key"), "{error}");
        assert!(error.hint().contains("Did you mean `cookie_domains`?"), "{error}");
        let error = refused("https://auth.angel.com/logout", "http://auth.angel.com/logout");
        assert!(error.message().contains("logout.steps[0].url: only https is used"), "{error}");
        let error = refused("https://auth.angel.com/logout", "https://auth.angel.example/logout");
        assert!(error.message().contains("logout.steps[0].url"), "{error}");
        assert!(error.hint().contains("hosts"), "{error}");
        let error = refused("{csrf}", "{crsf}");
        assert!(error.message().contains("login.submit.form._csrf_token"), "{error}");
        let error = refused("status = [302]", "status = []");
        assert!(error.message().contains("logout.steps[0].proof.status"), "{error}");
        let error = refused("flow = \"hosted_form\"", "flow = \"hosted\"");
        assert!(error.hint().contains("\"hosted_form\""), "{error}");
        let error = refused("id = \"angel\"", "id = \"Ängel\"");
        assert!(error.message().contains("id:"), "{error}");
        let error = refused("query = { email = \"{username}\"", "query = { email = \"{password}\"");
        assert!(error.message().contains("password"), "a password never goes into a query");
        let error = Provider::parse("").unwrap_err();
        assert!(error.message().contains("line 1: id: it is missing"), "{error}");
    }
}
