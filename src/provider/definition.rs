//! The definition of a provider: what `login`, `logout` and the keeper work from.
//!
//! The types are the provider file's: serde reads them, unknown keys are refused, and each leaf
//! checks itself. `finish` holds the parts against each other; after that nobody checks again. The
//! comments of the fields are what editors show: docs/provider.schema.json is made of them.

use super::document::Document;
use super::everywhere::Everywhere;
use super::hosts::Hosts;
use super::leaf::{Address, CookieName, Pointer};
use super::login::Login;
use super::logout::{Logout, Step};
use super::oauth::OAuth;
use super::parameters::{self, Given, Parameter};
use super::post_logout::AfterLogout;
use super::problem::{At, Checked, Problem};
use super::reader;
use super::renewal::Renew;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

/// A service: how to log in to it, to stay logged in, and to log out so that it can be proved.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The service's name for programs: 1 to 40 lower-case letters, digits and '-'.
    pub id: String,
    /// The service's name for people.
    pub name: String,
    /// Shown to people; no request is sent to it.
    pub website: Address,
    /// All hosts that requests may go to, as "www.example.com", "localhost:8080" or an address.
    pub hosts: Hosts,
    /// Domains that cookies may be set for, besides the hosts themselves.
    #[serde(default)]
    cookie_domains: Vec<String>,
    /// Values that the user or the add-on gives; "{name}" stands for one anywhere in the file.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// Where the access token and the account are found.
    #[serde(default)]
    pub session: SessionRule,
    /// The requests of add-ons.
    #[serde(default)]
    pub api: ApiRule,
    /// The OAuth 2.0 client and its authorization server.
    pub oauth: Option<OAuth>,
    /// The way in.
    pub login: Login,
    /// The way to fresh tokens without the user.
    pub renew: Option<Renew>,
    /// The way out.
    pub logout: Logout,
    /// The way to end the account's other sessions.
    pub everywhere: Option<Everywhere>,
    /// What is cleaned up on this device after a logout.
    #[serde(default)]
    pub after_logout: AfterLogout,
    /// What sessions are kept under: the id, and what tells one set of parameters from another.
    #[serde(skip)]
    pub key: String,
    /// The definition with its parameters filled in, kept with each session: see `from_source`.
    #[serde(skip)]
    pub source: String,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct SessionRule {
    /// Cookies that may hold the access token, best first.
    pub token_cookies: Vec<CookieName>,
    /// Claims of the ID token or the access token that may hold the account's id, best first.
    pub account_id: Vec<String>,
    /// The same for the e-mail address.
    pub account_email: Vec<String>,
    /// The same for the name.
    pub account_name: Vec<String>,
    /// Where a JSON answer to a login or a renewal holds what.
    pub answer: AnswerRule,
}

/// JSON pointers (RFC 6901) into the answer. The defaults are the names of RFC 6749 section 5.1.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct AnswerRule {
    /// The access token.
    pub access_token: Pointer,
    /// The refresh token.
    pub refresh_token: Pointer,
    /// The ID token of OpenID Connect.
    pub id_token: Pointer,
    /// In how many seconds the access token ends.
    pub expires_in: Pointer,
    /// The account's id, where no claim tells it.
    pub account_id: Pointer,
    /// The account's e-mail address, where no claim tells it.
    pub account_email: Pointer,
    /// The account's name, where no claim tells it.
    pub account_name: Pointer,
}

impl Default for AnswerRule {
    fn default() -> Self {
        AnswerRule {
            access_token: Pointer::fixed("/access_token"),
            refresh_token: Pointer::fixed("/refresh_token"),
            id_token: Pointer::fixed("/id_token"),
            expires_in: Pointer::fixed("/expires_in"),
            account_id: Pointer::fixed("/user/id"),
            account_email: Pointer::fixed("/user/email"),
            account_name: Pointer::fixed("/user/name"),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ApiRule {
    /// Those of the hosts that get the token as `Authorization: Bearer`.
    pub bearer_hosts: Hosts,
    /// Words in a GraphQL error that mean that the session is over.
    // Kept in lower case.
    pub unauthenticated: Vec<String>,
}

impl Provider {
    /// Reads a provider file that leaves nothing open, or whose defaults serve.
    pub fn parse(text: &str) -> Checked<Self> {
        Self::parse_with(text, &Given::new())
    }

    /// Reads a provider file, with values for its parameters.
    pub fn parse_with(text: &str, given: &Given) -> Checked<Self> {
        Document::read(text, |tree| Self::from_value(tree, given))
    }

    /// Reads a provider file with its examples in the place of parameters that have no default.
    pub fn parse_example(text: &str) -> Checked<Self> {
        Document::read(text, Self::example_from_value)
    }

    /// Reads a definition from plain data: a provider file's keys and values, as from a dictionary.
    pub fn from_value(mut tree: Value, given: &Given) -> Checked<Self> {
        let declared = parameters::declared(&tree)?;
        parameters::fill(&mut tree, &declared, given)?;
        let provider: Provider = reader::read(&tree)
            .map_err(|problem| parameters::name_the_known(problem, &tree, &declared))?;
        let key = parameters::key_of(&provider.id, &declared, given);
        let source = tree.to_string();
        Provider { parameters: declared, key, source, ..provider }.finish()
    }

    /// The same with its examples.
    pub fn example_from_value(tree: Value) -> Checked<Self> {
        let examples = parameters::examples(&parameters::declared(&tree)?);
        Self::from_value(tree, &examples)
    }

    /// Reads what was kept as [`Provider::source`].
    pub fn from_source(source: &str) -> Checked<Self> {
        let tree = serde_json::from_str(source)
            .map_err(|_| Problem::new("the definition that was kept cannot be read"))?;
        Self::from_value(tree, &Given::new())
    }

    /// Holds the parts against each other: what one of them needs or allows, another must be.
    fn finish(mut self) -> Checked<Self> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if self.id.is_empty() || self.id.len() > 40 || !self.id.chars().all(good) {
            return Err(Problem::new("use 1 to 40 lower-case letters, digits and '-'").at("id"));
        }
        if self.hosts.is_empty() {
            return Err(Problem::new("name at least one")
                .with_hint("Every host that a request goes to, as in [\"www.example.com\"].")
                .at("hosts"));
        }
        self.hosts.set_cookie_domains(&self.cookie_domains).at("cookie_domains")?;
        if let Some(host) = self.api.bearer_hosts.first_beyond(&self.hosts) {
            return Err(Problem::new(format!("'{host}' is not one of the hosts"))
                .with_hint("Write it as under `hosts`, and list it there.")
                .at("bearer_hosts")
                .at("api"));
        }
        let (hosts, oauth) = (&self.hosts, self.oauth.as_ref());
        oauth.map_or(Ok(()), |oauth| oauth.check(hosts)).at("oauth")?;
        self.login.check(hosts, oauth).at("login")?;
        if self.session.token_cookies.is_empty() && matches!(self.login, Login::HostedForm(_)) {
            return Err(Problem::new("name at least one cookie")
                .with_hint(
                    "A form's answer gives cookies: which of them says that somebody is logged in?",
                )
                .at("token_cookies")
                .at("session"));
        }
        self.renew.as_ref().map_or(Ok(()), |renew| renew.check(hosts, oauth)).at("renew")?;
        self.logout.check(hosts, oauth, self.renew.is_some()).at("logout")?;
        self.everywhere.as_ref().map_or(Ok(()), |way| way.check(hosts)).at("everywhere")?;
        self.after_logout.check().at("after_logout")?;
        for words in &mut self.api.unauthenticated {
            *words = words.to_lowercase();
        }
        Ok(self)
    }

    /// The cookies that make a session: others that a service sets do not matter for it.
    pub fn credential_cookies(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.session.token_cookies.iter().map(|name| &**name).collect();
        names.extend(self.renewal_cookie());
        for step in &self.logout.steps {
            if let Step::Request(request) = step {
                let groups = request.proof.iter().flat_map(|proof| &proof.deletes);
                names.extend(groups.flatten().map(|name| &**name));
            }
        }
        names
    }

    /// The long-lived cookie, where there is one.
    pub fn renewal_cookie(&self) -> Option<&str> {
        match &self.renew {
            Some(Renew::Page(page)) => Some(&page.needs_cookie),
            Some(Renew::Request(request)) => request.needs_cookie.as_deref(),
            Some(Renew::RefreshToken { .. }) | None => None,
        }
    }

    /// Where a renewal is sent with cookies.
    pub fn renewal_url(&self) -> Option<&Url> {
        match &self.renew {
            Some(Renew::Page(page)) => Some(&page.url),
            Some(Renew::Request(request)) => Some(request.request().url),
            Some(Renew::RefreshToken { .. }) | None => None,
        }
    }

    /// True when a long-lived credential serves only once.
    pub fn rotates(&self) -> bool {
        match &self.renew {
            Some(Renew::RefreshToken { rotates }) => *rotates,
            Some(Renew::Request(request)) => request.rotates,
            Some(Renew::Page(_)) | None => false,
        }
    }

    /// True when the service can end all sessions of an account at once.
    pub fn can_log_out_everywhere(&self) -> bool {
        self.everywhere.is_some()
    }
}
