//! The ways to get fresh tokens without the user.

use super::hosts::Hosts;
use super::leaf::{Address, CookieName, Method, RefusalStatuses};
use super::oauth::{OAuth, need};
use super::problem::{At, Checked, Problem};
use super::request::{allow, request_table};
use super::scope::Scope;
use super::sign::{Signs, check_signs};
use super::step::{Step, check_steps};
use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(tag = "flow"))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Renew {
    /// A page that ends logged in, given the long-lived cookie; without it, at the login form.
    Page(RenewPage),
    /// One request that answers with fresh tokens or cookies.
    Request(Box<RenewRequest>),
    /// The refresh token (RFC 6749 section 6); needs `[oauth]`.
    RefreshToken {
        /// False where a refresh token may be used again and again.
        #[serde(default = "yes")]
        rotates: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RenewPage {
    /// Where it is.
    pub url: Address,
    /// The long-lived cookie.
    pub needs_cookie: CookieName,
    /// An input of the login form, by which it is known.
    pub form_input: String,
}

request_table! {
    pub struct RenewRequest, Post {
        /// What is asked before, in order.
        #[serde(default)]
        pub steps: Vec<Step>,
        /// The cookie without which it is not tried.
        pub needs_cookie: Option<CookieName>,
        /// The statuses that say that the session is over.
        #[serde(default = "RefusalStatuses::unauthorized")]
        pub refused_status: RefusalStatuses,
        /// What an answer shows that says so, where its status does not tell.
        pub refused: Option<Signs>,
        /// True where each long-lived credential serves only once.
        #[serde(default)]
        pub rotates: bool,
    }
}

fn yes() -> bool {
    true
}

impl RenewRequest {
    fn check<'a>(&'a self, mut scope: Scope<'a>, hosts: &Hosts) -> Checked {
        if self.request().method == Method::Delete {
            return Err(Problem::new("method", "DELETE renews nothing", "Use GET or POST."));
        }
        check_steps("steps", &self.steps, &mut scope, hosts)?;
        scope.check(self.request(), hosts)?;
        check_signs(self.refused.as_ref()).at("refused")
    }
}

impl Renew {
    pub(super) fn check<'a>(
        &'a self,
        scope: Scope<'a>,
        hosts: &Hosts,
        oauth: Option<&OAuth>,
    ) -> Checked {
        match self {
            Renew::Page(page) => allow(hosts, "url", &page.url),
            Renew::Request(renew) => renew.check(scope, hosts),
            Renew::RefreshToken { .. } => need(oauth, "token_endpoint"),
        }
    }
}
