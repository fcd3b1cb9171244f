//! The issuer's metadata (OpenID Connect Discovery 1.0, RFC 8414).
//!
//! There may be two documents, and issuers name some endpoints in one of them only; what both say
//! counts together, and each has to be the issuer's own.

use super::authorization::Facts;
use super::{Endpoint, OAuthClient};
use crate::cookies::Jar;
use crate::error::{Error, Kind, Result};
use crate::http::Request;
use crate::provider::is_safe_page;
use serde_json::Value;
use url::Url;

/// What the issuer says of itself.
#[derive(Default)]
pub(super) struct Found {
    /// The endpoints, by their names; of two for one, OpenID's. Each is https, and on the
    /// provider's hosts unless it is for a browser.
    pub endpoints: Vec<(&'static str, Url)>,
    pub facts: Facts,
}

impl Found {
    pub fn endpoint(&self, endpoint: Endpoint) -> Option<&Url> {
        self.endpoints.iter().find(|(name, _)| *name == endpoint.as_str()).map(|(_, url)| url)
    }

    /// True where no other document could name more that is asked for from here.
    fn is_whole(&self) -> bool {
        let is_named = |endpoint: &Endpoint| self.endpoint(*endpoint).is_some();
        Endpoint::ALL.iter().filter(|one| **one != Endpoint::Authorization).all(is_named)
    }
}

/// Reads the issuer's metadata. Fails where a document cannot be had just now: what it names would
/// be missing later, at the logout.
pub(super) fn fetch(oauth: &OAuthClient, issuer: &str) -> Result<Found> {
    let (found, refused) = read(oauth, issuer)?;
    if found.endpoint(Endpoint::Token).is_some() {
        return Ok(found);
    }
    let refused = refused.filter(|_| found.endpoints.is_empty()).map(|(why, _)| why);
    Err(refused.unwrap_or_else(|| unusable("its metadata name no token_endpoint")))
}

/// The same, where an issuer without any metadata will do: `None`.
pub(super) fn fetch_unless_absent(
    oauth: &OAuthClient,
    issuer: &str,
    will_do: bool,
) -> Result<Option<Found>> {
    if !will_do {
        return fetch(oauth, issuer).map(Some);
    }
    match read(oauth, issuer)? {
        (found, _) if !found.endpoints.is_empty() => Ok(Some(found)),
        (_, Some((why, false))) => Err(why),
        _ => Ok(None),
    }
}

/// What there is, and why a document was of no use: it is not there, or it is not the issuer's.
fn read(oauth: &OAuthClient, issuer: &str) -> Result<(Found, Option<(Error, bool)>)> {
    let mut found = Found::default();
    let mut refused: Option<(Error, bool)> = None;
    for place in places(issuer)? {
        match document(oauth, issuer, place)? {
            Ok(metadata) => collect(oauth, &metadata, &mut found)?,
            Err((why, is_absent)) => {
                log::info!("one place for the issuer's metadata is of no use: {}", why.message());
                // What is wrong says more than what is missing.
                if refused.as_ref().is_none_or(|(_, was_absent)| *was_absent && !is_absent) {
                    refused = Some((why, is_absent));
                }
            }
        }
        if found.is_whole() {
            break;
        }
    }
    Ok((found, refused))
}

/// OpenID Connect Discovery 1.0 section 4 puts the well-known part at the end of the issuer's path,
/// RFC 8414 section 3 between the host and the path.
fn places(issuer: &str) -> Result<Vec<Url>> {
    let parse = |text: String| Url::parse(&text).map_err(|_| unusable("it is not an address"));
    let bare = issuer.trim_end_matches('/');
    let mut rfc8414 = parse(bare.to_owned())?;
    let path = rfc8414.path().trim_end_matches('/').to_owned();
    rfc8414.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
    Ok(vec![parse(format!("{bare}/.well-known/openid-configuration"))?, rfc8414])
}

/// The document at a place; the inner error is for one that is not there (true), or not the
/// issuer's.
fn document(
    oauth: &OAuthClient,
    issuer: &str,
    place: Url,
) -> Result<std::result::Result<Value, (Error, bool)>> {
    let request = Request::get(place).with_header("Accept", "application/json").without_cookies();
    let hosts = &oauth.provider.hosts;
    let answer = oauth.client.exchange(&request, hosts, &mut Jar::new(), oauth.cancel)?;
    let wrong = |why: &str| Ok(Err((unusable(why), false)));
    match answer.status {
        200 if answer.is_cut => return wrong("its metadata are larger than 1 MiB"),
        200 => {}
        404 | 405 | 410 => return Ok(Err((unusable("it has no metadata"), true))),
        status @ (408 | 425 | 429 | 500..) => {
            return Err(unusable(&format!("its metadata came with status {status}")));
        }
        status => return wrong(&format!("its metadata came with status {status}")),
    }
    let Ok(metadata) = serde_json::from_slice::<Value>(&answer.body) else {
        return wrong("its metadata are not JSON");
    };
    // RFC 8414 section 3.3: "The "issuer" value returned MUST be identical to the authorization
    // server's issuer identifier value into which the well-known URI string was inserted […]. If
    // these values are not identical, the data contained in the response MUST NOT be used."
    if metadata.get("issuer").and_then(Value::as_str) != Some(issuer) {
        let hint = "Write the issuer exactly as its metadata do, including the slash at the end.";
        return Ok(Err((unusable("its metadata name another issuer").with_hint(hint), false)));
    }
    Ok(Ok(metadata))
}

/// Adds what `metadata` name and `found` does not hold.
fn collect(oauth: &OAuthClient, metadata: &Value, found: &mut Found) -> Result<()> {
    for endpoint in Endpoint::ALL {
        let name = endpoint.as_str();
        let Some(text) = metadata.get(name).and_then(Value::as_str) else { continue };
        if found.endpoint(endpoint).is_some() {
            continue;
        }
        let url = Url::parse(text).map_err(|_| unusable(&format!("{name} is not an address")))?;
        if endpoint == Endpoint::Authorization {
            // It is opened in a browser, and never asked from here. Other logins need none.
            if is_safe_page(&url) {
                found.endpoints.push((name, url));
            } else {
                log::warn!("the issuer's {name} is left out: it is no https address");
            }
            continue;
        }
        match oauth.provider.hosts.check(&url) {
            Ok(()) => found.endpoints.push((name, url)),
            // A login does without; the token goes nowhere else.
            Err(error) if endpoint == Endpoint::Userinfo => {
                log::warn!("the issuer's {name} is left out: {}", error.message());
            }
            Err(error) => {
                let message = format!("the issuer's {name}: {}", error.message());
                return Err(Error::new(error.kind(), message).with_hint(
                    "If that is right, use a provider file that lists this host under `hosts`.",
                ));
            }
        }
    }
    let facts = &mut found.facts;
    let methods = metadata.get("code_challenge_methods_supported").and_then(Value::as_array);
    if let (Some(methods), None) = (methods, &facts.challenge_methods) {
        let texts = methods.iter().filter_map(Value::as_str).map(str::to_owned);
        facts.challenge_methods = Some(texts.collect());
    }
    let names_itself = metadata.get("authorization_response_iss_parameter_supported");
    facts.names_itself |= names_itself.and_then(Value::as_bool).unwrap_or_default();
    Ok(())
}

fn unusable(why: &str) -> Error {
    Error::new(Kind::UnexpectedAnswer, format!("the issuer cannot be used: {why}"))
        .with_hint("Check the issuer's address.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_goes_where_each_standard_says() {
        let places =
            |issuer| places(issuer).unwrap().into_iter().map(String::from).collect::<Vec<_>>();
        assert_eq!(
            places("https://a.example/tenant/"),
            [
                "https://a.example/tenant/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server/tenant",
            ]
        );
        assert_eq!(
            places("https://a.example")[1],
            "https://a.example/.well-known/oauth-authorization-server"
        );
    }
}
