//! The provider file as it is written: TOML with unknown keys refused. Nothing is checked here but
//! the shape; `check.rs` turns it into a checked type, and after that nobody checks again.
//!
//! The prose and the defaults of every key are in docs/providers.md.

use serde::Deserialize;
use std::collections::BTreeMap;

pub(super) type Pairs = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub id: String,
    pub name: String,
    pub website: String,
    pub hosts: Vec<String>,
    #[serde(default)]
    pub cookie_domains: Vec<String>,
    pub session: Session,
    #[serde(default)]
    pub api: Api,
    pub login: Login,
    pub renew: Option<Renew>,
    pub logout: Logout,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Session {
    pub token_cookies: Vec<String>,
    #[serde(default)]
    pub account_id: Vec<String>,
    #[serde(default)]
    pub account_email: Vec<String>,
    #[serde(default)]
    pub account_name: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Api {
    #[serde(default)]
    pub bearer_hosts: Vec<String>,
    #[serde(default)]
    pub unauthenticated: Vec<String>,
}

#[derive(Deserialize)]
#[serde(tag = "flow", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Login {
    HostedForm { pages: Vec<Page>, submit: Submit },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    pub name: String,
    pub url: String,
    #[serde(default)]
    pub query: Pairs,
    #[serde(default)]
    pub headers: Pairs,
    #[serde(default)]
    pub take: BTreeMap<String, Take>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Take {
    pub input: String,
    pub or_cookie: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Submit {
    pub name: String,
    pub url: String,
    #[serde(default)]
    pub query: Pairs,
    #[serde(default)]
    pub headers: Pairs,
    pub form: Pairs,
    pub refused_class: String,
}

#[derive(Deserialize)]
#[serde(tag = "flow", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Renew {
    Page { url: String, needs_cookie: String, form_input: String },
}

#[derive(Deserialize)]
#[serde(tag = "flow", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Logout {
    Request {
        method: String,
        url: String,
        #[serde(default)]
        query: Pairs,
        #[serde(default)]
        headers: Pairs,
        proof: Proof,
        probe: Option<Probe>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Proof {
    pub status: Vec<u16>,
    #[serde(default)]
    pub locations: Vec<String>,
    #[serde(default)]
    pub deletes: Vec<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Probe {
    pub url: String,
    pub refused_status: Vec<u16>,
}
