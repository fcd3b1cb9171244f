//! The definition of a provider: what `login`, `logout` and the keeper work from.
//!
//! A value of these types is right: URLs are parsed and on the provider's hosts, templates name
//! known values, lists that must not be empty are not.

use super::hosts::Hosts;
use super::template::Template;
use url::Url;

#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    pub id: String,
    pub name: String,
    pub website: Url,
    pub hosts: Hosts,
    pub session: SessionRule,
    pub api: ApiRule,
    pub login: Login,
    pub renew: Option<Renew>,
    pub logout: Logout,
    /// The file's text, kept with each revocation.
    pub source: String,
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
}

#[derive(Clone, Debug, PartialEq)]
pub struct ApiRule {
    /// Hosts that get the token as `Authorization: Bearer`.
    pub bearer_hosts: Hosts,
    /// Words of a GraphQL error that say that the session is over; lower case.
    pub unauthenticated: Vec<String>,
}

/// The ways in.
#[derive(Clone, Debug, PartialEq)]
pub enum Login {
    HostedForm(HostedForm),
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

/// An address whose query and headers are filled in at each use.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub url: Url,
    pub query: Vec<(String, Template)>,
    pub headers: Vec<(String, Template)>,
}

/// The ways to get fresh tokens without the user.
#[derive(Clone, Debug, PartialEq)]
pub enum Renew {
    Page(RenewPage),
}

/// A page that, given the long-lived cookie, ends signed in; without it, at the login form.
#[derive(Clone, Debug, PartialEq)]
pub struct RenewPage {
    pub url: Url,
    pub needs_cookie: String,
    pub form_input: String,
}

/// The ways out.
#[derive(Clone, Debug, PartialEq)]
pub enum Logout {
    Request(LogoutRequest),
}

/// One request with the session's cookies, and what its answer must show.
#[derive(Clone, Debug, PartialEq)]
pub struct LogoutRequest {
    pub method: String,
    pub url: Url,
    pub headers: Vec<(String, String)>,
    pub proof: Proof,
    pub probe: Option<Probe>,
}

/// What an answer must show to prove that the session is dead.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    pub status: Vec<u16>,
    /// Where a redirect may lead: scheme, host and path; the query is not compared.
    pub locations: Vec<Url>,
    /// Each group is one cookie under its present and its former names.
    pub deletes: Vec<Vec<String>>,
}

/// A request that a dead session is refused, for when the logout's answer proves nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    pub url: Url,
    pub refused_status: Vec<u16>,
}

impl Provider {
    /// The cookies that make a session: others that a service sets do not matter for it.
    pub fn credential_cookies(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.session.token_cookies.iter().map(String::as_str).collect();
        if let Some(Renew::Page(page)) = &self.renew {
            names.push(&page.needs_cookie);
        }
        let Logout::Request(logout) = &self.logout;
        names.extend(logout.proof.deletes.iter().flatten().map(String::as_str));
        names
    }

    /// True when the service can end all sessions of an account at once.
    pub fn can_log_out_everywhere(&self) -> bool {
        match self.logout {
            Logout::Request(_) => false,
        }
    }
}
