//! The issuer's metadata (RFC 8414, OpenID Connect Discovery 1.0).

use super::{Endpoint, OAuthClient};
use crate::cookies::Jar;
use crate::error::{Error, Kind, Result};
use crate::http::Request;
use serde_json::Value;
use url::Url;

/// The endpoints that the issuer names, by their names. Each is https and on the provider's hosts.
pub(super) fn fetch(oauth: &OAuthClient, issuer: &str) -> Result<Vec<(&'static str, Url)>> {
    let mut last = unusable("it has no metadata");
    for url in places(issuer)? {
        let request = Request::get(url).with_header("Accept", "application/json").without_cookies();
        let hosts = &oauth.provider.hosts;
        let answer = oauth.client.exchange(&request, hosts, &mut Jar::new(), oauth.cancel)?;
        match answer.status {
            200 if answer.is_cut => last = unusable("its metadata are larger than 1 MiB"),
            200 => return read(oauth, issuer, &answer.body),
            404 | 405 => {}
            status => last = unusable(&format!("its metadata came with status {status}")),
        }
    }
    Err(last)
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

fn read(oauth: &OAuthClient, issuer: &str, body: &[u8]) -> Result<Vec<(&'static str, Url)>> {
    let metadata: Value =
        serde_json::from_slice(body).map_err(|_| unusable("its metadata are not JSON"))?;
    // RFC 8414 section 3.3: "The "issuer" value returned MUST be identical to the authorization
    // server's issuer identifier value into which the well-known URI string was inserted […]. If
    // these values are not identical, the data contained in the response MUST NOT be used."
    if metadata.get("issuer").and_then(Value::as_str) != Some(issuer) {
        return Err(unusable("its metadata name another issuer").with_hint(
            "Write the issuer exactly as its metadata do, including the slash at the end.",
        ));
    }
    let mut found = Vec::new();
    for endpoint in Endpoint::ALL {
        let Some(text) = metadata.get(endpoint.as_str()).and_then(Value::as_str) else { continue };
        let name = endpoint.as_str();
        let url = Url::parse(text).map_err(|_| unusable(&format!("{name} is not an address")))?;
        oauth.provider.hosts.check(&url).map_err(|error| {
            Error::new(error.kind(), format!("the issuer's {name}: {}", error.message())).with_hint(
                "If that is right, use a provider file that lists this host under `hosts`.",
            )
        })?;
        found.push((name, url));
    }
    if found.iter().any(|(name, _)| *name == Endpoint::Token.as_str()) {
        Ok(found)
    } else {
        Err(unusable("its metadata name no token_endpoint"))
    }
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
