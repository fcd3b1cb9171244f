//! OAuth 2.0 as a client speaks it: where the endpoints are, how they are asked, and what their
//! errors mean. A file per RFC; the RFC's sentence stands beside its check.
//!
//! docs/decisions/0001-oauth-without-a-crate.md says why `oauth2` and `openidconnect` are not used.

pub mod authorization;
mod discovery;
pub mod errors;
mod pkce;

use crate::cancel::Cancel;
use crate::cookies::Jar;
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Client, Request};
use crate::provider::{Address, ClientAuth, Encoding, OAuth, Provider, Template, Values};
use crate::secret::Secret;
use crate::session::{Carried, Credentials};
use authorization::Facts;
use url::Url;
use url::form_urlencoded::byte_serialize;

/// The endpoints, by their names in the metadata (RFC 8414 section 2, OpenID Connect Discovery 1.0
/// section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Authorization,
    DeviceAuthorization,
    Token,
    Revocation,
    EndSession,
    Userinfo,
}

impl Endpoint {
    pub fn as_str(self) -> &'static str {
        match self {
            Endpoint::Authorization => "authorization_endpoint",
            Endpoint::DeviceAuthorization => "device_authorization_endpoint",
            Endpoint::Token => "token_endpoint",
            Endpoint::Revocation => "revocation_endpoint",
            Endpoint::EndSession => "end_session_endpoint",
            Endpoint::Userinfo => "userinfo_endpoint",
        }
    }

    fn fixed(self, oauth: &OAuth) -> Option<&Address> {
        match self {
            Endpoint::Authorization => oauth.authorization_endpoint.as_ref(),
            Endpoint::DeviceAuthorization => oauth.device_authorization_endpoint.as_ref(),
            Endpoint::Token => oauth.token_endpoint.as_ref(),
            Endpoint::Revocation => oauth.revocation_endpoint.as_ref(),
            Endpoint::EndSession => oauth.end_session_endpoint.as_ref(),
            Endpoint::Userinfo => oauth.userinfo_endpoint.as_ref(),
        }
    }

    const ALL: [Endpoint; 6] = [
        Endpoint::Authorization,
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
            keep(&discovery::fetch(self, issuer)?, kept);
        }
        let Some(text) = kept.value(endpoint.as_str()) else { return Ok(None) };
        let url = Url::parse(text.expose())
            .map_err(|_| Error::new(Kind::Storage, "a stored endpoint cannot be read"))?;
        self.provider.hosts.check(&url)?;
        Ok(Some(url))
    }

    /// [`OAuthClient::find`], where there is no going on without it.
    pub fn need(&self, endpoint: Endpoint, kept: &mut Credentials) -> Result<Url> {
        self.find(endpoint, kept)?.ok_or_else(|| missing(endpoint))
    }

    /// Where the user logs in, and what the issuer's metadata say of that. They are read anew: what
    /// they promise is what an answer is held against. `kept` gets the other endpoints.
    pub fn authorization_endpoint(&self, kept: &mut Credentials) -> Result<(Url, Facts)> {
        let fixed = |endpoint: Endpoint| endpoint.fixed(self.oauth).map(Address::to_url);
        let are_fixed =
            fixed(Endpoint::Authorization).is_some() && fixed(Endpoint::Token).is_some();
        let (mut named, mut facts) = (None, Facts::default());
        if let Some(issuer) = &self.oauth.issuer
            && let Some(found) = discovery::fetch_unless_absent(self, issuer, are_fixed)?
        {
            keep(&found, kept);
            named = found.endpoint(Endpoint::Authorization).cloned();
            facts = found.facts;
        }
        let url = fixed(Endpoint::Authorization).or(named);
        self.need(Endpoint::Token, kept)?;
        Ok((url.ok_or_else(|| missing(Endpoint::Authorization))?, facts))
    }

    /// What goes along to that endpoint beside what the RFCs name.
    pub fn extra(&self, endpoint: Endpoint, held: &Credentials) -> Vec<(&str, Secret)> {
        let pairs = self.oauth.extra(endpoint.as_str()).iter();
        pairs.filter_map(|(name, template)| Some((name.as_str(), fill(template, held)?))).collect()
    }

    /// The word of an error answer, where it is one that can be shown.
    pub fn error_code(&self, answer: &Answer) -> Option<String> {
        self.error_word(answer).filter(|word| errors::is_code(word))
    }

    /// The same as the server writes it. Not to be shown.
    pub fn error_word(&self, answer: &Answer) -> Option<String> {
        errors::word(answer, &self.oauth.error)
    }

    /// A POST with the client's own fields (RFC 6749 section 2.3.1) and no cookies: an authorization
    /// server knows a device by its tokens alone.
    pub fn post(
        &self,
        endpoint: Endpoint,
        url: Url,
        fields: &[(&str, &str)],
        held: &Credentials,
    ) -> Result<Answer> {
        let oauth = self.oauth;
        // RP-Initiated Logout 1.0 section 2 knows a form and the client's id, and no authentication.
        let is_own = endpoint == Endpoint::EndSession;
        let auth = if is_own { ClientAuth::None } else { oauth.client_auth };
        let mut all: Vec<(&str, &str)> = Vec::new();
        if auth != ClientAuth::Basic {
            all.push((oauth.name_of("client_id"), &oauth.client_id));
        }
        if let (ClientAuth::Body, Some(secret)) = (auth, &oauth.client_secret) {
            all.push((oauth.name_of("client_secret"), secret));
        }
        all.extend(fields.iter().map(|(name, value)| (oauth.name_of(name), *value)));
        let extra = self.extra(endpoint, held);
        all.extend(extra.iter().map(|(name, value)| (*name, value.expose())));
        let mut request = match oauth.encoding {
            Encoding::Json if !is_own => Request::post_json(url, &all),
            Encoding::Form | Encoding::Json => Request::post_form(url, &all),
        };
        if auth == ClientAuth::Basic {
            let [id, secret] = encoded(oauth);
            request.carry(Carried::basic(&id, &secret));
        }
        for (name, template) in &oauth.headers {
            if let Some(value) = fill(template, held) {
                request = request.with_header(name, value.expose());
            }
        }
        self.send(&request.with_default_header("Accept", "application/json").without_cookies())
    }

    /// The same by GET, at an endpoint that wants no authentication.
    pub fn get(&self, mut url: Url, fields: &[(&str, &str)]) -> Result<Answer> {
        let id = (self.oauth.name_of("client_id"), self.oauth.client_id.as_str());
        url.query_pairs_mut().append_pair(id.0, id.1).extend_pairs(fields);
        self.send(&Request::get(url).without_cookies())
    }

    fn send(&self, request: &Request) -> Result<Answer> {
        self.client.exchange(request, &self.provider.hosts, &mut Jar::new(), self.cancel)
    }
}

/// With the device's own id, where it is asked for; `None` where a session has none.
fn fill(template: &Template, held: &Credentials) -> Option<Secret> {
    let mut values = Values::new();
    for place in template.places() {
        values.insert(place.to_owned(), held.value(place)?.clone());
    }
    Some(template.fill(&values))
}

/// What a session needs later; the page on which the user logs in is not among it.
fn keep(found: &discovery::Found, kept: &mut Credentials) {
    for (name, url) in &found.endpoints {
        if *name != Endpoint::Authorization.as_str() {
            kept.set(name, Secret::new(url.as_str()));
        }
    }
}

fn missing(endpoint: Endpoint) -> Error {
    let name = endpoint.as_str();
    Error::new(Kind::UnexpectedAnswer, format!("the issuer names no {name}")).with_hint(format!(
        "If it has one all the same, name it in a provider file, as oauth.{name}."
    ))
}

/// RFC 6749 section 2.3.1: "The client identifier is encoded using the
/// "application/x-www-form-urlencoded" encoding algorithm […], and the encoded value is used as the
/// username; the client password is encoded using the same algorithm and used as the password."
fn encoded(oauth: &OAuth) -> [Secret; 2] {
    [&oauth.client_id, oauth.client_secret.as_deref().unwrap_or_default()]
        .map(|text| Secret::new(byte_serialize(text.as_bytes()).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_and_the_secret_are_encoded_before_they_are_joined() {
        let oauth = |id: &str, secret: Option<&str>| {
            let secret = secret.map(|secret| format!("client_secret = '{secret}'"));
            let text = include_str!("../../tests/it/issuer.toml")
                .replace("PORT", "9")
                .replace("ISSUER", "http://127.0.0.1:9")
                .replace("client_id = \"the client\"", &format!("client_id = '{id}'"))
                .replace(
                    "[oauth]",
                    &format!("[oauth]\nclient_auth = 'basic'\n{}", secret.unwrap_or_default()),
                );
            let both = encoded(&Provider::parse(&text, None).unwrap().oauth.unwrap());
            both.map(|one| one.expose().to_owned()).join(":")
        };
        assert_eq!(oauth("a:b", Some("c d%")), "a%3Ab:c+d%25");
        assert_eq!(oauth("kodi", None), "kodi:");
    }
}
