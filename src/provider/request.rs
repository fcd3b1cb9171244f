//! A request as a definition describes it: what is filled in at each use, and where it may go.

use super::hosts::Hosts;
use super::leaf::{Address, HeaderName};
use super::problem::{At, Checked, Problem, REFERENCE};
use super::template::Template;
use std::collections::BTreeMap;
use url::Url;

/// Names and the texts that go with them.
pub type Pairs = BTreeMap<String, Template>;
pub type Headers = BTreeMap<HeaderName, Template>;

/// For a place that has none.
pub(super) static NO_PAIRS: Pairs = Pairs::new();

/// The access token and what came with it: values of the session.
pub(super) const TOKENS: [&str; 3] = ["access_token", "refresh_token", "id_token"];

/// What a request carries, wherever in the definition it stands. One of `json` and `form` is empty.
#[derive(Clone, Copy)]
pub struct RequestTemplate<'a> {
    pub query: &'a Pairs,
    pub headers: &'a Headers,
    pub json: &'a Pairs,
    pub form: &'a Pairs,
}

/// The values that each part of a request may hold.
pub(super) struct Known<'a> {
    pub query: &'a [&'a str],
    pub headers: &'a [&'a str],
    pub body: &'a [&'a str],
}

impl<'a> RequestTemplate<'a> {
    pub fn templates(self) -> impl Iterator<Item = &'a Template> {
        let RequestTemplate { query, headers, json, form } = self;
        query.values().chain(headers.values()).chain(json.values()).chain(form.values())
    }

    pub(super) fn check(self, known: &Known) -> Checked {
        for (name, template) in self.headers {
            template.check(known.headers).at(name).at("headers")?;
        }
        let Known { query, body, .. } = known;
        for (key, pairs, known) in
            [("query", self.query, query), ("json", self.json, body), ("form", self.form, body)]
        {
            pairs.iter().try_for_each(|(name, text)| text.check(known).at(name).at(key))?;
        }
        if self.json.is_empty() || self.form.is_empty() {
            return Ok(());
        }
        Err(Problem::new("json", "a request has one body: `json` or `form`", ""))
    }
}

/// Refuses an address that requests may not go to.
pub(super) fn allow(hosts: &Hosts, key: &str, url: &Url) -> Checked {
    hosts.check(url).map_err(|error| Problem::new(key, error.message(), error.hint()))
}

/// The same for an address that is kept as it is written.
pub(super) fn allow_text(hosts: &Hosts, key: &str, text: &str) -> Checked {
    let url = Address::try_from(text.to_owned())
        .map_err(|message| Problem::new(key, message, REFERENCE))?;
    allow(hosts, key, &url)
}
