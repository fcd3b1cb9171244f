//! The ways in and the ways to stay in, as they are written.

use super::Pairs;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "flow", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::provider) enum Login {
    /// A form on the service's own pages.
    HostedForm {
        /// The pages to fetch before the form is sent, in order.
        pages: Vec<Page>,
        /// The sending of the form.
        submit: Submit,
    },
    /// One request with the name and the password.
    Password {
        /// Where it is sent, by POST.
        url: String,
        /// Added to the address's query.
        #[serde(default)]
        query: Pairs,
        /// More headers.
        #[serde(default)]
        headers: Pairs,
        /// The body, as a flat JSON object.
        #[serde(default)]
        json: Pairs,
        /// The body, as a form.
        #[serde(default)]
        form: Pairs,
        /// The statuses that say that the name or the password is wrong.
        #[serde(default = "unauthorized")]
        refused_status: Vec<u16>,
    },
    /// A code that the user enters on another device (RFC 8628); needs `[oauth]`.
    DeviceCode {},
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::provider) struct Page {
    /// What errors call the page.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// Added to the address's query.
    #[serde(default)]
    pub query: Pairs,
    /// More headers.
    #[serde(default)]
    pub headers: Pairs,
    /// Values to take from the page.
    #[serde(default)]
    pub take: BTreeMap<String, Take>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::provider) struct Take {
    /// The `<input>` that holds the value, by its name or else its id.
    pub input: String,
    /// The cookie that serves where the input is missing or empty.
    pub or_cookie: Option<String>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::provider) struct Submit {
    /// What errors call the form.
    pub name: String,
    /// Where the form is sent, by POST.
    pub url: String,
    /// Added to the address's query.
    #[serde(default)]
    pub query: Pairs,
    /// More headers.
    #[serde(default)]
    pub headers: Pairs,
    /// The form's fields.
    pub form: Pairs,
    /// The class of the element that says that the name or the password is wrong.
    pub refused_class: String,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "flow", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::provider) enum Renew {
    /// A page that ends signed in, given the long-lived cookie.
    Page {
        /// Where it is.
        url: String,
        /// The long-lived cookie.
        needs_cookie: String,
        /// An input of the login form, by which it is known.
        form_input: String,
    },
    /// One request that answers with fresh tokens or cookies.
    Request {
        /// Where it is sent.
        url: String,
        /// GET or POST.
        #[serde(default = "post")]
        method: String,
        /// More headers.
        #[serde(default)]
        headers: Pairs,
        /// The body, as a flat JSON object.
        #[serde(default)]
        json: Pairs,
        /// The body, as a form.
        #[serde(default)]
        form: Pairs,
        /// The cookie without which it is not tried.
        needs_cookie: Option<String>,
        /// The statuses that say that the session is over.
        #[serde(default = "unauthorized")]
        refused_status: Vec<u16>,
        /// True where each long-lived credential serves only once.
        #[serde(default)]
        rotates: bool,
    },
    /// The refresh token (RFC 6749 section 6); needs `[oauth]`.
    RefreshToken {
        /// False where a refresh token may be used again and again.
        #[serde(default = "yes")]
        rotates: bool,
    },
}

fn unauthorized() -> Vec<u16> {
    vec![401]
}

fn post() -> String {
    "POST".into()
}

fn yes() -> bool {
    true
}
