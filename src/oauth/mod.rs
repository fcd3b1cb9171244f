//! OAuth 2.0 as a client without a secret speaks it: where the endpoints are, and what their errors
//! mean. A file per RFC; the RFC's sentence stands beside its check.
//!
//! docs/decisions/0001-oauth-without-a-crate.md says why `oauth2` and `openidconnect` are not used.

mod discovery;
pub mod errors;

use crate::cancel::Cancel;
use crate::cookies::Jar;
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Client, Request};
use crate::provider::{Address, OAuth, Provider};
use crate::secret::Secret;
use crate::session::Credentials;
use url::Url;

/// The endpoints, by their names in the metadata (RFC 8414 section 2, OpenID Connect Discovery 1.0
/// section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    DeviceAuthorization,
    Token,
    Revocation,
    EndSession,
    Userinfo,
}

impl Endpoint {
    pub fn as_str(self) -> &'static str {
        match self {
            Endpoint::DeviceAuthorization => "device_authorization_endpoint",
            Endpoint::Token => "token_endpoint",
            Endpoint::Revocation => "revocation_endpoint",
            Endpoint::EndSession => "end_session_endpoint",
            Endpoint::Userinfo => "userinfo_endpoint",
        }
    }

    fn fixed(self, oauth: &OAuth) -> Option<&Address> {
        match self {
            Endpoint::DeviceAuthorization => oauth.device_authorization_endpoint.as_ref(),
            Endpoint::Token => oauth.token_endpoint.as_ref(),
            Endpoint::Revocation => oauth.revocation_endpoint.as_ref(),
            Endpoint::EndSession => oauth.end_session_endpoint.as_ref(),
            Endpoint::Userinfo => oauth.userinfo_endpoint.as_ref(),
        }
    }

    const ALL: [Endpoint; 5] = [
        Endpoint::DeviceAuthorization,
        Endpoint::Token,
        Endpoint::Revocation,
        Endpoint::EndSession,
        Endpoint::Userinfo,
    ];
}

/// A client at an authorization server.
pub struct OAuthClient<'a> {
    pub client: &'a Client,
    pub provider: &'a Provider,
    pub oauth: &'a OAuth,
    pub cancel: &'a Cancel,
}

impl<'a> OAuthClient<'a> {
    /// `None` where the provider speaks no OAuth; its checked definition then never asks for it.
    pub fn new(client: &'a Client, provider: &'a Provider, cancel: &'a Cancel) -> Result<Self> {
        let oauth = provider.oauth.as_ref();
        let oauth =
            oauth.ok_or_else(|| Error::new(Kind::Internal, "the provider has no [oauth]"))?;
        Ok(OAuthClient { client, provider, oauth, cancel })
    }

    /// Where `endpoint` is: as the provider file says, or as it was learned at an earlier time and
    /// kept with the session, or as the issuer's metadata say now. `None`: the issuer has none.
    pub fn find(&self, endpoint: Endpoint, kept: &mut Credentials) -> Result<Option<Url>> {
        if let Some(url) = endpoint.fixed(self.oauth) {
            return Ok(Some(url.to_url()));
        }
        let Some(issuer) = &self.oauth.issuer else { return Ok(None) };
        let known = kept.value(Endpoint::Token.as_str()).is_some();
        if !known {
            for (name, url) in discovery::fetch(self, issuer)? {
                kept.set(name, Secret::new(url.as_str()));
            }
        }
        let Some(text) = kept.value(endpoint.as_str()) else { return Ok(None) };
        let url = Url::parse(text.expose())
            .map_err(|_| Error::new(Kind::Storage, "a stored endpoint cannot be read"))?;
        self.provider.hosts.check(&url)?;
        Ok(Some(url))
    }

    /// [`OAuthClient::find`], where there is no going on without it.
    pub fn need(&self, endpoint: Endpoint, kept: &mut Credentials) -> Result<Url> {
        self.find(endpoint, kept)?.ok_or_else(|| {
            let message = format!("the issuer names no {}", endpoint.as_str());
            Error::new(Kind::UnexpectedAnswer, message).with_hint(format!(
                "If it has one all the same, name it in a provider file, as oauth.{}.",
                endpoint.as_str()
            ))
        })
    }

    /// A POST of a form, with the client's own fields (RFC 6749 section 2.3.1) and no cookies: an
    /// authorization server knows a device by its tokens alone.
    pub fn post(&self, url: Url, fields: &[(&str, &str)]) -> Result<Answer> {
        let mut all = vec![("client_id", self.oauth.client_id.as_str())];
        all.extend(self.oauth.client_secret.as_deref().map(|secret| ("client_secret", secret)));
        all.extend(fields);
        let request = Request::post_form(url, &all)
            .with_header("Accept", "application/json")
            .without_cookies();
        self.send(&request)
    }

    /// The same by GET.
    pub fn get(&self, mut url: Url, fields: &[(&str, &str)]) -> Result<Answer> {
        url.query_pairs_mut().append_pair("client_id", &self.oauth.client_id).extend_pairs(fields);
        self.send(&Request::get(url).without_cookies())
    }

    fn send(&self, request: &Request) -> Result<Answer> {
        self.client.exchange(request, &self.provider.hosts, &mut Jar::new(), self.cancel)
    }
}
