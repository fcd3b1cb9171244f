//! The definition of a provider: what `login`, `logout` and the keeper work from.
//!
//! A value of these types is right: URLs are parsed and on the provider's hosts, templates name
//! known values, lists that must not be empty are not.

use super::hosts::Hosts;
use super::template::Template;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    pub id: String,
    /// What sessions are kept under: the id, and what tells one set of parameters from another.
    pub key: String,
    pub name: String,
    pub website: Url,
    pub hosts: Hosts,
    pub session: SessionRule,
    pub api: ApiRule,
    pub oauth: Option<OAuth>,
    pub login: Login,
    pub renew: Option<Renew>,
    pub logout: Logout,
    pub everywhere: Option<Everywhere>,
    pub after_logout: AfterLogout,
    /// The file's text with its parameters filled in, kept with each revocation.
    pub source: String,
}

/// A value that a provider file leaves open.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Parameter {
    pub name: String,
    pub about: String,
    pub example: String,
    pub default: Option<String>,
}

/// Where the access token and the account are found.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRule {
    /// Cookies that may hold the token, best first.
    pub token_cookies: Vec<String>,
    /// Claims of the token, best first.
    pub account_id: Vec<String>,
    pub account_email: Vec<String>,
    pub account_name: Vec<String>,
    pub answer: AnswerRule,
}

/// Where a JSON answer holds what: JSON pointers.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerRule {
    pub access_token: String,
    pub refresh_token: String,
    pub id_token: String,
    pub expires_in: String,
    pub account_id: String,
    pub account_email: String,
    pub account_name: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ApiRule {
    /// Hosts that get the token as `Authorization: Bearer`.
    pub bearer_hosts: Hosts,
    /// Words of a GraphQL error that say that the session is over; lower case.
    pub unauthenticated: Vec<String>,
}

/// A public client and its authorization server.
#[derive(Clone, Debug, PartialEq)]
pub struct OAuth {
    pub client_id: String,
    pub client_secret: Option<String>,
    pub scope: String,
    /// Exactly as written: the metadata have to name the very same (RFC 8414 section 3.3).
    pub issuer: Option<String>,
    pub device_authorization: Option<Url>,
    pub token: Option<Url>,
    pub revocation: Option<Url>,
    pub end_session: Option<Url>,
}

/// The ways in.
#[derive(Clone, Debug, PartialEq)]
pub enum Login {
    HostedForm(HostedForm),
    Password(PasswordLogin),
    DeviceCode,
}

/// A form on the service's own pages: fetch the pages in turn, then send the form.
#[derive(Clone, Debug, PartialEq)]
pub struct HostedForm {
    pub pages: Vec<Page>,
    pub submit: Submit,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub name: String,
    pub target: Target,
    pub take: Vec<Take>,
}

/// A value that a page holds: an input by name or id, or else a cookie.
#[derive(Clone, Debug, PartialEq)]
pub struct Take {
    pub value: String,
    pub input: String,
    pub or_cookie: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Submit {
    pub name: String,
    pub target: Target,
    pub form: Vec<(String, Template)>,
    pub refused_class: String,
}

/// One request with the name and the password.
#[derive(Clone, Debug, PartialEq)]
pub struct PasswordLogin {
    pub target: Target,
    pub body: Body,
    pub refused_status: Vec<u16>,
}

/// An address whose query and headers are filled in at each use.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub url: Url,
    pub query: Vec<(String, Template)>,
    pub headers: Vec<(String, Template)>,
}

/// A request's body, filled in at each use.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    None,
    Json(Vec<(String, Template)>),
    Form(Vec<(String, Template)>),
}

impl Target {
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.query.iter().chain(&self.headers).map(|(_, template)| template)
    }
}

impl Body {
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let pairs: &[(String, Template)] = match self {
            Body::None => &[],
            Body::Json(pairs) | Body::Form(pairs) => pairs,
        };
        pairs.iter().map(|(_, template)| template)
    }
}

/// The ways to get fresh tokens without the user.
#[derive(Clone, Debug, PartialEq)]
pub enum Renew {
    Page(RenewPage),
    Request(RenewRequest),
    RefreshToken { rotates: bool },
}

/// A page that, given the long-lived cookie, ends signed in; without it, at the login form.
#[derive(Clone, Debug, PartialEq)]
pub struct RenewPage {
    pub url: Url,
    pub needs_cookie: String,
    pub form_input: String,
}

/// One request that answers with fresh tokens or cookies.
#[derive(Clone, Debug, PartialEq)]
pub struct RenewRequest {
    pub method: String,
    pub target: Target,
    pub body: Body,
    pub needs_cookie: Option<String>,
    pub refused_status: Vec<u16>,
    pub rotates: bool,
}

/// The way out: requests in order, and how to find out where they prove nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Logout {
    pub steps: Vec<Step>,
    pub probe: Option<Probe>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Request(Box<LogoutRequest>),
    /// RFC 7009, for each of these tokens.
    Revoke(Vec<String>),
    /// RP-Initiated Logout.
    EndSession,
}

/// One request with the session's credentials, and what its answer must show.
#[derive(Clone, Debug, PartialEq)]
pub struct LogoutRequest {
    pub method: String,
    pub place: Place,
    pub body: Body,
    pub bearer: bool,
    /// Values of the answer for later steps: name and JSON pointer.
    pub take: Vec<(String, String)>,
    pub warning: Option<String>,
    pub proof: Option<Proof>,
}

/// Where a request of a logout goes.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    Fixed(Target),
    /// The value of that name, which an earlier step's answer held.
    Taken(String),
}

/// What an answer must show to prove that the session is dead.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    pub status: Vec<u16>,
    /// Where a redirect may lead: scheme, host and path; the query is not compared.
    pub locations: Vec<Url>,
    /// Each group is one cookie under its present and its former names.
    pub deletes: Vec<Vec<String>>,
    /// What the JSON answer holds at a pointer.
    pub json: Vec<(String, Value)>,
}

/// How to find out whether a session is dead when the logout's answers prove nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Probe {
    /// A request that a dead session is refused.
    Request { url: Url, refused_status: Vec<u16>, bearer: bool },
    /// The renewal, which a dead session is refused.
    Renew,
}

/// The ways to end the account's other sessions.
#[derive(Clone, Debug, PartialEq)]
pub enum Everywhere {
    List(Box<SessionList>),
    /// The logout ends the session at the issuer.
    Logout,
}

/// Sessions that the service lists, ended one by one.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionList {
    pub url: Url,
    pub sessions: String,
    pub id: String,
    pub current: String,
    /// The path's or query's place for the id is filled in escaped.
    pub end_url: String,
    pub end_method: String,
    pub end_status: Vec<u16>,
    pub bearer: bool,
}

/// What is done on this device once the session is gone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AfterLogout {
    /// Below the data directory, in parts.
    pub delete: Vec<String>,
    pub window_properties: Vec<String>,
    pub builtins: Vec<String>,
    pub downgrade: Option<Downgrade>,
    pub update: bool,
}

/// Items of a list that need the account's subscription, and what takes their place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Downgrade {
    pub list: String,
    pub items: String,
    pub sku: String,
    pub active_suffix: String,
    pub inactive_suffix: String,
    pub products: Option<String>,
}

impl Provider {
    /// The cookies that make a session: others that a service sets do not matter for it.
    pub fn credential_cookies(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.session.token_cookies.iter().map(String::as_str).collect();
        names.extend(self.renewal_cookie());
        for step in &self.logout.steps {
            if let Step::Request(request) = step {
                let groups = request.proof.iter().flat_map(|proof| &proof.deletes);
                names.extend(groups.flatten().map(String::as_str));
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
            Some(Renew::Request(request)) => Some(&request.target.url),
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
