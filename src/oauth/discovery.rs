//! The issuer's metadata (OpenID Connect Discovery 1.0, RFC 8414).
//!
//! There may be two documents, and issuers name some endpoints in one of them only; what both say
//! counts together, and each has to be the issuer's own.

use super::{Endpoint, OAuthClient};
use crate::cookies::Jar;
use crate::error::{Error, Kind, Result};
use crate::http::Request;
use serde_json::Value;
use url::Url;

/// The endpoints that the issuer names, by their names; of two for one, OpenID's. Each is https and
/// on the provider's hosts. Fails where a document cannot be had just now: what it names would be
/// missing later, at the logout.
pub(super) fn fetch(oauth: &OAuthClient, issuer: &str) -> Result<Vec<(&'static str, Url)>> {
    let mut found = Vec::new();
    let mut refused = None;
    for place in places(issuer)? {
        match document(oauth, issuer, place)? {
            Ok(metadata) => collect(oauth, &metadata, &mut found)?,
            Err(why) => {
                log::info!("one place for the issuer's metadata is of no use: {}", why.message());
                refused.get_or_insert(why);
            }
        }
        if found.len() == Endpoint::ALL.len() {
            break;
        }
    }
    if found.iter().any(|(name, _)| *name == Endpoint::Token.as_str()) {
        return Ok(found);
    }
    let no_token = || unusable("its metadata name no token_endpoint");
    Err(refused.filter(|_| found.is_empty()).unwrap_or_else(no_token))
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

/// The document at a place; the inner error is for one that is not there, or not the issuer's.
fn document(oauth: &OAuthClient, issuer: &str, place: Url) -> Result<Result<Value>> {
    let request = Request::get(place).with_header("Accept", "application/json").without_cookies();
    let hosts = &oauth.provider.hosts;
    let answer = oauth.client.exchange(&request, hosts, &mut Jar::new(), oauth.cancel)?;
    let wrong = |why: &str| Ok(Err(unusable(why)));
    match answer.status {
        200 if answer.is_cut => return wrong("its metadata are larger than 1 MiB"),
        200 => {}
        404 | 405 | 410 => return wrong("it has no metadata"),
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
        return Ok(Err(unusable("its metadata name another issuer").with_hint(
            "Write the issuer exactly as its metadata do, including the slash at the end.",
        )));
    }
    Ok(Ok(metadata))
}

/// Adds what `metadata` name and `found` does not hold.
fn collect(
    oauth: &OAuthClient,
    metadata: &Value,
    found: &mut Vec<(&'static str, Url)>,
) -> Result<()> {
    for endpoint in Endpoint::ALL {
        let name = endpoint.as_str();
        let Some(text) = metadata.get(name).and_then(Value::as_str) else { continue };
        if found.iter().any(|(known, _)| *known == name) {
            continue;
        }
        let url = Url::parse(text).map_err(|_| unusable(&format!("{name} is not an address")))?;
        match oauth.provider.hosts.check(&url) {
            Ok(()) => found.push((name, url)),
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
