//! Where the browser ends after a login in it: `[login] flow = "authorization_code"`.

use super::leaf::leaf;
use super::oauth::{OAuth, need};
use super::problem::{Checked, Problem};
use serde::Deserialize;
use url::{Host, Url};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AuthorizationCode {
    /// Where the browser ends, as registered with the service: one on this machine, one elsewhere,
    /// or one of them.
    redirect_uris: Vec<RedirectUri>,
}

leaf! {
    /// `http://127.0.0.1/callback` or `http://[::1]/callback`, with a port where the service wants
    /// that one; or an https address, whose page need not do anything.
    RedirectUri(Url as Url) from "String" String, |text| {
        let url = Url::parse(&text).map_err(|_| {
            format!("'{text}' is not an address in full, as in \"http://127.0.0.1/callback\"")
        })?;
        // RFC 6749 section 3.1.2: "The endpoint URI MUST NOT include a fragment component."
        if url.query().is_some() || url.fragment().is_some() {
            return Err(format!("'{text}' has a query or a fragment: leave them out"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.port() == Some(0) {
            return Err(format!("'{text}' is no address that a browser ends at"));
        }
        // Servers compare it letter by letter (RFC 9700 section 2.1).
        if url.as_str() != text {
            return Err(format!("write it as browsers do, '{url}', and register it so"));
        }
        if url.scheme() == "https" || is_literal(&url) {
            return Ok(url);
        }
        // RFC 8252 section 8.3: "the use of localhost is NOT RECOMMENDED".
        Err(format!(
            "'{text}' will not do: write https://, or for this machine http://127.0.0.1/callback"
        ))
    }
}

/// RFC 8252 section 7.3: "the loopback IP literal".
fn is_literal(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    };
    url.scheme() == "http" && is_loopback
}

impl AuthorizationCode {
    /// The one on this machine, where somebody can listen.
    pub fn loopback(&self) -> Option<&Url> {
        self.redirect_uris.iter().map(|uri| &**uri).find(|uri| is_literal(uri))
    }

    /// The one that the user pastes. Where all there is leads to this machine it serves too: what
    /// the browser cannot reach still stands in its address bar.
    pub fn pasted(&self) -> Option<&Url> {
        self.redirect_uris.iter().map(|uri| &**uri).min_by_key(|uri| is_literal(uri))
    }

    pub(super) fn check(&self, oauth: Option<&OAuth>) -> Checked {
        if self.redirect_uris.is_empty() {
            let hint = "As in [\"http://127.0.0.1/callback\"], registered with the service.";
            return Err(Problem::new("redirect_uris", "name at least one", hint));
        }
        let mut seen = Vec::new();
        for (index, uri) in self.redirect_uris.iter().enumerate() {
            if seen.contains(&is_literal(uri)) {
                let message = "of two of a kind only the first would be used";
                let hint = "One on this machine and one elsewhere is the most.";
                return Err(Problem::new(format!("redirect_uris[{index}]"), message, hint));
            }
            seen.push(is_literal(uri));
        }
        need(oauth, "authorization_endpoint").and_then(|()| need(oauth, "token_endpoint"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uris(texts: &[&str]) -> Result<AuthorizationCode, String> {
        let read = texts.iter().map(|text| RedirectUri::try_from((*text).to_owned()));
        Ok(AuthorizationCode { redirect_uris: read.collect::<Result<_, _>>()? })
    }

    #[test]
    fn only_addresses_that_nobody_else_gets_are_taken() {
        for good in [
            "http://127.0.0.1/callback",
            "http://127.0.0.1:8080/",
            "http://[::1]/callback",
            "https://app.example/back",
        ] {
            uris(&[good]).unwrap();
        }
        for bad in [
            "http://localhost/callback",
            "http://app.example/back",
            "http://192.168.1.7/callback",
            "http://127.0.0.1.example/callback",
            "http://0.0.0.0/callback",
            "com.example.app:/callback",
            "urn:ietf:wg:oauth:2.0:oob",
            "https://app.example/back?x=1",
            "https://app.example/back#x",
            "https://user@app.example/back",
            "https://app.example",
            "https://APP.example/back",
            "https://app.example:443/back",
            "http://127.1/callback",
            "/back",
            "",
        ] {
            uris(&[bad]).unwrap_err();
        }
    }

    #[test]
    fn each_kind_is_found() {
        let (here, there) = ("http://127.0.0.1/callback", "https://app.example/back");
        let both = uris(&[here, there]).unwrap();
        assert_eq!(both.loopback().map(Url::as_str), Some(here));
        assert_eq!(both.pasted().map(Url::as_str), Some(there));
        assert_eq!(uris(&[here]).unwrap().pasted().map(Url::as_str), Some(here));
        assert_eq!(uris(&[there]).unwrap().loopback(), None);
    }
}
