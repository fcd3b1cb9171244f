//! The provider file as it is written: TOML with unknown keys refused. Nothing is checked here but
//! the shape; `check` turns it into a checked type, and after that nobody checks again.
//!
//! The comments of the fields are what editors show: docs/provider.schema.json is made of them. The
//! prose with the examples is in docs/provider-keys.md.

mod after;
mod login;
mod logout;

pub(in crate::provider) use after::{AfterLogout, Downgrade};
pub(in crate::provider) use login::{Login, Page, Renew, Submit};
pub(in crate::provider) use logout::{Everywhere, Logout, Probe, Proof, RequestStep, Scalar, Step};

use serde::Deserialize;
use std::collections::BTreeMap;

pub(in crate::provider) type Pairs = BTreeMap<String, String>;

/// A service: how to sign in to it, to stay signed in, and to sign out so that it can be proved.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::provider) struct File {
    /// The service's name for programs: 1 to 40 lower-case letters, digits and '-'.
    pub id: String,
    /// The service's name for people.
    pub name: String,
    /// Shown to people; no request is sent to it.
    pub website: String,
    /// All hosts that requests may go to, as "www.example.com", "localhost:8080" or an address.
    pub hosts: Vec<String>,
    /// Domains that cookies may be set for, besides the hosts themselves.
    #[serde(default)]
    pub cookie_domains: Vec<String>,
    /// Values that the user or the add-on gives; "{name}" stands for one anywhere in the file.
    #[serde(default)]
    pub parameters: BTreeMap<String, Parameter>,
    /// Where the access token and the account are found.
    #[serde(default)]
    pub session: Session,
    /// The requests of add-ons.
    #[serde(default)]
    pub api: Api,
    /// The OAuth 2.0 client and its authorization server.
    pub oauth: Option<OAuth>,
    /// The way in.
    pub login: Login,
    /// The way to fresh tokens without the user.
    pub renew: Option<Renew>,
    /// The way out.
    pub logout: Logout,
    /// The way to end the account's other sessions.
    pub everywhere: Option<Everywhere>,
    /// What is cleaned up on this device after a logout.
    #[serde(default)]
    pub after_logout: AfterLogout,
}

/// A value that the file leaves open.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::provider) struct Parameter {
    /// What it is, for the person who has to give it.
    pub about: String,
    /// What one looks like.
    pub example: String,
    /// What holds when none is given. Without a default one has to be given.
    pub default: Option<String>,
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(in crate::provider) struct Session {
    /// Cookies that may hold the access token, best first.
    pub token_cookies: Vec<String>,
    /// Claims of the ID token or the access token that may hold the account's id, best first.
    pub account_id: Vec<String>,
    /// The same for the e-mail address.
    pub account_email: Vec<String>,
    /// The same for the name.
    pub account_name: Vec<String>,
    /// Where a JSON answer to a login or a renewal holds what.
    pub answer: Answer,
}

/// JSON pointers (RFC 6901) into the answer. The defaults are the names of RFC 6749 section 5.1.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(in crate::provider) struct Answer {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
    /// The ID token of OpenID Connect.
    pub id_token: String,
    /// In how many seconds the access token ends.
    pub expires_in: String,
    /// The account's id, where no claim tells it.
    pub account_id: String,
    /// The account's e-mail address, where no claim tells it.
    pub account_email: String,
    /// The account's name, where no claim tells it.
    pub account_name: String,
}

impl Default for Answer {
    fn default() -> Self {
        Answer {
            access_token: "/access_token".into(),
            refresh_token: "/refresh_token".into(),
            id_token: "/id_token".into(),
            expires_in: "/expires_in".into(),
            account_id: "/user/id".into(),
            account_email: "/user/email".into(),
            account_name: "/user/name".into(),
        }
    }
}

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(in crate::provider) struct Api {
    /// Those of the hosts that get the token as `Authorization: Bearer`.
    pub bearer_hosts: Vec<String>,
    /// Words in a GraphQL error that mean that the session is over.
    pub unauthenticated: Vec<String>,
}

/// A public client and its authorization server (RFC 6749, RFC 8414).
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::provider) struct OAuth {
    /// The client's id at the server.
    pub client_id: String,
    /// Sent in the body where the server insists. What is in an add-on is no secret.
    pub client_secret: Option<String>,
    /// What is asked for, separated by spaces.
    #[serde(default)]
    pub scope: String,
    /// The issuer, whose metadata name the endpoints that are not given here (RFC 8414).
    pub issuer: Option<String>,
    /// Where a device asks for a code (RFC 8628).
    pub device_authorization_endpoint: Option<String>,
    /// Where tokens come from (RFC 6749).
    pub token_endpoint: Option<String>,
    /// Where tokens are revoked (RFC 7009).
    pub revocation_endpoint: Option<String>,
    /// Where the session is ended (OpenID Connect RP-Initiated Logout 1.0).
    pub end_session_endpoint: Option<String>,
}
