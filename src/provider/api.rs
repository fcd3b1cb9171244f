//! The requests of add-ons: which hosts get the session's credential, and how it is carried there.

use super::hosts::Hosts;
use super::leaf::CookieName;
use super::problem::{At, Checked, Problem};
use super::request::Headers;
use super::scope::Scope;
use super::template::Template;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ApiRule {
    /// Those of the hosts that get the session's credential: the token as `Authorization: Bearer`,
    /// or what the next three say.
    pub bearer_hosts: Hosts,
    /// Headers that carry it, or that the service wants beside it.
    pub headers: Headers,
    /// Cookies that carry it, where the service did not set them itself.
    pub cookies: BTreeMap<CookieName, Template>,
    /// The user name and the password of `Authorization: Basic` (RFC 7617).
    pub basic: Option<[Template; 2]>,
    /// Words in a GraphQL error that mean that the session is over.
    // Kept in lower case.
    pub unauthenticated: Vec<String>,
}

impl ApiRule {
    /// Everything that is filled in.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        let basic = self.basic.iter().flatten();
        self.headers.values().chain(self.cookies.values()).chain(basic)
    }

    /// True where nothing else in the file carries the session's values.
    pub fn carries_bearer(&self) -> bool {
        self.basic.is_none() && self.templates().all(Template::is_fixed)
    }

    /// True where that header carries a value of the session.
    pub fn sets_header(&self, name: &str) -> bool {
        let mut held = self.headers.iter().filter(|(_, text)| !text.is_fixed());
        held.any(|(header, _)| header.eq_ignore_ascii_case(name))
    }

    pub(super) fn check(&self, hosts: &Hosts, scope: &Scope) -> Checked {
        if let Some(index) = self.bearer_hosts.first_beyond(hosts) {
            let key = format!("bearer_hosts[{index}]");
            return Err(Problem::new(
                key,
                "this is not one of the `hosts`",
                "List it there as well.",
            ));
        }
        for (name, text) in &self.headers {
            scope.check_carried(text).at(name).at("headers")?;
        }
        for (name, text) in &self.cookies {
            scope.check_carried(text).at(name).at("cookies")?;
        }
        for text in self.basic.iter().flatten() {
            scope.check_carried(text).at("basic")?;
        }
        let sets_authorization = |name: &str| name.eq_ignore_ascii_case("authorization");
        if self.basic.is_some() && self.headers.keys().any(|name| sets_authorization(name)) {
            let message = "this header is set by `basic` already";
            return Err(Problem::new(
                "headers.Authorization",
                message,
                "Leave one of the two out.",
            ));
        }
        Ok(())
    }
}
