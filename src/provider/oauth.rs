//! The OAuth client and its authorization server (RFC 6749, RFC 8414).

use super::hosts::Hosts;
use super::leaf::Address;
use super::problem::{Checked, Problem};
use super::request::{allow, allow_text};
use serde::Deserialize;
use url::Url;

/// A public client and its authorization server (RFC 6749, RFC 8414).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OAuth {
    /// The client's id at the server.
    pub client_id: String,
    /// Sent in the body where the server insists. What is in an add-on is no secret.
    pub client_secret: Option<String>,
    /// What is asked for, separated by spaces.
    #[serde(default)]
    pub scope: String,
    /// The issuer, whose metadata name the endpoints that are not given here (RFC 8414).
    // As written: the metadata have to name the very same (section 3.3).
    #[cfg_attr(test, schemars(with = "Option<Address>"))]
    pub issuer: Option<String>,
    /// Where a device asks for a code (RFC 8628).
    pub device_authorization_endpoint: Option<Address>,
    /// Where tokens come from (RFC 6749).
    pub token_endpoint: Option<Address>,
    /// Where tokens are revoked (RFC 7009).
    pub revocation_endpoint: Option<Address>,
    /// Where the session is ended (OpenID Connect RP-Initiated Logout 1.0).
    pub end_session_endpoint: Option<Address>,
    /// Where it is asked who has logged in (OpenID Connect Core 1.0 section 5.3).
    pub userinfo_endpoint: Option<Address>,
}

impl OAuth {
    pub(super) fn check(&self, hosts: &Hosts) -> Checked {
        if self.client_id.is_empty() {
            let hint = "The server gave one when the application was registered there.";
            return Err(Problem::new("client_id", "it is empty", hint));
        }
        if let Some(issuer) = &self.issuer {
            allow_text(hosts, "issuer", issuer)?;
            // RFC 8414 section 2: "with no query or fragment components".
            if issuer.contains(['?', '#']) {
                return Err(Problem::new("issuer", "an issuer has no query and no fragment", ""));
            }
        } else if self.token_endpoint.is_none() {
            let hint = "Give the issuer, or the endpoints themselves.";
            return Err(Problem::new("", "neither `issuer` nor `token_endpoint` is there", hint));
        }
        for (name, endpoint) in self.endpoints() {
            endpoint.map_or(Ok(()), |url| allow(hosts, name, url))?;
        }
        Ok(())
    }

    /// Where that endpoint is, or else where the metadata are that name it.
    pub(super) fn address_of(&self, endpoint: &str) -> Option<Url> {
        let given = self.endpoints().into_iter().find(|(name, _)| *name == endpoint)?.1;
        given.map(Address::to_url).or_else(|| Url::parse(self.issuer.as_deref()?).ok())
    }

    fn endpoints(&self) -> [(&'static str, Option<&Address>); 5] {
        [
            ("device_authorization_endpoint", self.device_authorization_endpoint.as_ref()),
            ("token_endpoint", self.token_endpoint.as_ref()),
            ("revocation_endpoint", self.revocation_endpoint.as_ref()),
            ("end_session_endpoint", self.end_session_endpoint.as_ref()),
            ("userinfo_endpoint", self.userinfo_endpoint.as_ref()),
        ]
    }
}

/// For a way that speaks OAuth, by the endpoint that it needs.
pub(super) fn need(oauth: Option<&OAuth>, endpoint: &str) -> Checked {
    let Some(oauth) = oauth else {
        let hint = "Add [oauth] with client_id, and an issuer or the endpoints.";
        return Err(Problem::new("flow", "this flow needs a table [oauth]", hint));
    };
    let is_given = |(name, url): &(&str, Option<&Address>)| *name == endpoint && url.is_some();
    if oauth.issuer.is_some() || oauth.endpoints().iter().any(is_given) {
        return Ok(());
    }
    let hint = format!("Add oauth.{endpoint}, or an issuer whose metadata name it.");
    Err(Problem::new("flow", format!("[oauth] names no {endpoint}"), hint))
}
