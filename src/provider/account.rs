//! The request that tells whose account it is.

use super::hosts::Hosts;
use super::leaf::{Address, Pointer};
use super::problem::Checked;
use super::request::allow;
use serde::Deserialize;

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AccountRequest {
    /// Where it is asked, by GET, with the session's cookies.
    pub url: Address,
    /// True: the access token is sent as well.
    #[serde(default)]
    pub bearer: bool,
    /// The account's id in the answer.
    #[serde(default = "id")]
    pub id: Pointer,
    /// Its e-mail address.
    #[serde(default = "email")]
    pub email: Pointer,
    /// Its name.
    #[serde(default = "name")]
    pub name: Pointer,
}

fn id() -> Pointer {
    Pointer::fixed("/id")
}

fn email() -> Pointer {
    Pointer::fixed("/email")
}

fn name() -> Pointer {
    Pointer::fixed("/name")
}

impl AccountRequest {
    pub(super) fn check(&self, hosts: &Hosts) -> Checked {
        allow(hosts, "url", &self.url)
    }
}
