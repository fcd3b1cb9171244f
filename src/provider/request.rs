//! A request as a definition describes it, the same wherever it stands: where it goes, what it
//! carries. What it may hold, `scope` says.

use super::hosts::Hosts;
use super::json_template::Json;
use super::leaf::{Address, HeaderName, Method};
use super::problem::{Checked, Problem, REFERENCE};
use super::template::Template;
use super::url_template::UrlTemplate;
use std::collections::BTreeMap;
use url::Url;

/// Names and the texts that go with them.
pub type Pairs = BTreeMap<String, Template>;
pub type Headers = BTreeMap<HeaderName, Template>;

/// For a place that has none.
pub(super) static NO_PAIRS: Pairs = Pairs::new();

/// What a request is made of. One of `json` and `form` is empty.
#[derive(Clone, Copy)]
pub struct RequestTemplate<'a> {
    pub method: Method,
    pub url: Target<'a>,
    pub query: &'a Pairs,
    pub headers: &'a Headers,
    pub json: Option<&'a Json>,
    pub form: &'a Pairs,
}

/// Where a request goes.
#[derive(Clone, Copy)]
pub enum Target<'a> {
    Given(&'a UrlTemplate),
    /// To the address of that name, which an earlier answer held.
    Taken(&'a str),
}

impl<'a> Target<'a> {
    /// The address of the file; a place in it counts as 0.
    pub fn given(self) -> Option<&'a Url> {
        match self {
            Target::Given(url) => Some(url),
            Target::Taken(_) => None,
        }
    }
}

impl<'a> RequestTemplate<'a> {
    /// The names of the values that it needs.
    pub fn places(self) -> impl Iterator<Item = &'a str> {
        let RequestTemplate { url, query, headers, json, form, .. } = self;
        let path = match url {
            Target::Given(url) => Some(url.template()),
            Target::Taken(_) => None,
        };
        let texts = json.into_iter().flat_map(Json::texts).map(|(_, text)| text);
        let pairs = query.values().chain(headers.values()).chain(form.values());
        path.into_iter().chain(pairs).chain(texts).flat_map(Template::places)
    }
}

/// A table that describes a request, with the keys that all of them have and those of its own. The
/// method is that of the place where there is no body, unless the file names one.
macro_rules! request_table {
    (
        $(#[$about:meta])*
        pub struct $name:ident, $method:ident {
            $($own:tt)*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, serde::Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// GET, POST or DELETE.
            method: Option<$crate::provider::leaf::Method>,
            /// Where it is sent.
            pub url: $crate::provider::url_template::UrlTemplate,
            /// Added to the address's query.
            #[serde(default)]
            query: $crate::provider::request::Pairs,
            /// More headers.
            #[serde(default)]
            headers: $crate::provider::request::Headers,
            /// The body, as JSON.
            json: Option<$crate::provider::json_template::Json>,
            /// The body, as a form.
            #[serde(default)]
            form: $crate::provider::request::Pairs,
            $($own)*
        }

        impl $name {
            pub fn request(&self) -> $crate::provider::request::RequestTemplate<'_> {
                let has_body = self.json.is_some() || !self.form.is_empty();
                $crate::provider::request::RequestTemplate {
                    method: $crate::provider::request::method(
                        self.method,
                        has_body,
                        $crate::provider::leaf::Method::$method,
                    ),
                    url: $crate::provider::request::Target::Given(&self.url),
                    query: &self.query,
                    headers: &self.headers,
                    json: self.json.as_ref(),
                    form: &self.form,
                }
            }
        }
    };
}
pub(super) use request_table;

/// The method that is meant.
pub(super) fn method(named: Option<Method>, has_body: bool, usual: Method) -> Method {
    named.unwrap_or(if has_body { Method::Post } else { usual })
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
