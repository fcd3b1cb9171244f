//! A request as a definition describes it: an address, and what is filled in at each use.

use super::hosts::Hosts;
use super::leaf::HeaderName;
use super::problem::{At, Checked, Problem};
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

/// The parts of a request, wherever in the definition they stand.
#[derive(Clone, Copy)]
pub struct RequestTemplate<'a> {
    pub url: &'a Url,
    pub query: &'a Pairs,
    pub headers: &'a Headers,
    pub body: Body<'a>,
}

#[derive(Clone, Copy)]
pub enum Body<'a> {
    None,
    Json(&'a Pairs),
    Form(&'a Pairs),
}

/// The values that each part of a request may hold.
pub(super) struct Known<'a> {
    pub query: &'a [&'a str],
    pub headers: &'a [&'a str],
    pub body: &'a [&'a str],
}

impl<'a> RequestTemplate<'a> {
    pub fn templates(self) -> impl Iterator<Item = &'a Template> {
        self.query.values().chain(self.headers.values()).chain(self.body.templates())
    }

    pub(super) fn check(self, hosts: &Hosts, known: &Known) -> Checked {
        allow(hosts, self.url).at("url")?;
        for (name, template) in self.query {
            template.check(known.query).at(name.as_str()).at("query")?;
        }
        for (name, template) in self.headers {
            template.check(known.headers).at(&**name).at("headers")?;
        }
        self.body.check(known.body)
    }
}

impl<'a> Body<'a> {
    /// Of the two keys that a definition has for it; `check_one_body` says that one is empty.
    pub(super) fn of(json: &'a Pairs, form: &'a Pairs) -> Self {
        match (json.is_empty(), form.is_empty()) {
            (true, true) => Body::None,
            (false, _) => Body::Json(json),
            (true, false) => Body::Form(form),
        }
    }

    pub fn templates(self) -> impl Iterator<Item = &'a Template> {
        match self {
            Body::None => NO_PAIRS.values(),
            Body::Json(pairs) | Body::Form(pairs) => pairs.values(),
        }
    }

    pub(super) fn check(self, known: &[&str]) -> Checked {
        let (key, pairs) = match self {
            Body::None => return Ok(()),
            Body::Json(pairs) => ("json", pairs),
            Body::Form(pairs) => ("form", pairs),
        };
        pairs.iter().try_for_each(|(name, text)| text.check(known).at(name.as_str()).at(key))
    }
}

pub(super) fn check_one_body(json: &Pairs, form: &Pairs) -> Checked {
    if json.is_empty() || form.is_empty() {
        return Ok(());
    }
    Err(Problem::new("a request has one body: `json` or `form`"))
}

/// Refuses an address that requests may not go to.
pub(super) fn allow(hosts: &Hosts, url: &Url) -> Checked {
    hosts.check(url).map_err(|error| Problem::new(error.message()).with_hint(error.hint()))
}
