//! The authorization request and its answer (RFC 6749 section 4.1, RFC 7636, RFC 9207), as RFC 9700
//! wants them.
//!
//! What came with the browser is believed only where it ends at the very address that was asked
//! for, with this login's own `state`, and from the issuer that was asked. docs/browser-login.md
//! lists the rules, and the test of each.

use super::errors::is_code;
use super::pkce::{S256, challenge, unguessable};
use super::{Endpoint, OAuthClient};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::session::Credentials;
use url::Url;

/// Longer addresses are none that a service has answered with.
const LONGEST: usize = 16 << 10;

/// What an answer has no more than one of. RFC 6749 section 3.1: "Request and response parameters
/// MUST NOT be included more than once."
const PARAMETERS: [&str; 4] = ["state", "code", "iss", "error"];

/// A login that is on its way in a browser, for one answer.
pub struct Authorization {
    /// What the browser opens. Holds the `state`.
    pub url: Url,
    /// Where the browser ends.
    pub redirect_uri: Url,
    state: Secret,
    verifier: Secret,
    /// Comes back in an ID token (OpenID Connect Core 1.0 section 3.1.2.1).
    nonce: Option<Secret>,
    issuer: Option<String>,
    /// RFC 9207 section 3: the issuer says that each of its answers names it.
    is_named_in_answers: bool,
}

/// An answer that is not taken.
pub struct Refused {
    pub error: Error,
    /// True: it is this login's own answer, so no other one comes.
    pub is_final: bool,
}

/// What the issuer's metadata say of its authorization endpoint.
#[derive(Default)]
pub struct Facts {
    /// `code_challenge_methods_supported` (RFC 8414 section 2), where it is there.
    pub challenge_methods: Option<Vec<String>>,
    /// `authorization_response_iss_parameter_supported` (RFC 9207 section 3).
    pub names_itself: bool,
}

impl Authorization {
    /// Makes the request; nothing is sent. `learned` gets the endpoints that the exchange needs.
    pub fn request(
        oauth: &OAuthClient,
        redirect_uri: Url,
        learned: &mut Credentials,
    ) -> Result<Self> {
        let (mut url, facts) = oauth.authorization_endpoint(learned)?;
        // RFC 9700 section 2.1.1: "Authorization servers MUST support PKCE", and a client has to
        // make sure that one does.
        if facts.challenge_methods.is_some_and(|methods| !methods.iter().any(|one| one == S256)) {
            let message = "the issuer's metadata name no PKCE with S256";
            return Err(Error::new(Kind::UnexpectedAnswer, message).with_hint(
                "Without it a login by the browser could be taken over. Use another way to log in.",
            ));
        }
        let client = oauth.oauth;
        let (state, verifier) = (unguessable()?, unguessable()?);
        let is_openid = client.scope.split(' ').any(|scope| scope == "openid");
        let nonce = is_openid.then(unguessable).transpose()?;
        let challenge = challenge(&verifier);
        let mut fields = vec![
            ("response_type", "code"),
            ("client_id", &client.client_id),
            ("redirect_uri", redirect_uri.as_str()),
            ("state", state.expose()),
            ("code_challenge", &challenge),
            ("code_challenge_method", S256),
        ];
        if !client.scope.is_empty() {
            fields.push(("scope", &client.scope));
        }
        fields.extend(nonce.iter().map(|nonce| ("nonce", nonce.expose())));
        let extra = oauth.extra(Endpoint::Authorization, learned);
        // RFC 6749 section 3.1: the endpoint's own query "MUST be retained".
        let mut query = url.query_pairs_mut();
        query.extend_pairs(fields.iter().map(|(name, value)| (client.name_of(name), *value)));
        query.extend_pairs(extra.iter().map(|(name, value)| (name, value.expose())));
        drop(query);
        Ok(Authorization {
            url,
            redirect_uri,
            state,
            verifier,
            nonce,
            issuer: client.issuer.clone(),
            is_named_in_answers: facts.names_itself,
        })
    }

    /// The code in the address at which the browser has ended.
    pub fn read(&self, address: &str) -> std::result::Result<Secret, Refused> {
        let not_this = |message: &str| Refused {
            error: Error::new(Kind::InvalidInput, message).with_hint(
                "Give the whole address at which the browser ended, of the login that was begun \
                 last.",
            ),
            is_final: false,
        };
        let address = address.trim();
        let url = Url::parse(address).ok().filter(|_| address.len() <= LONGEST);
        let url = url.ok_or_else(|| not_this("this is no address"))?;
        let mut place = url.clone();
        place.set_query(None);
        place.set_fragment(None);
        // The whole of it, so that no other host, port, path or user name looks like it.
        if place != self.redirect_uri {
            return Err(not_this("this is not the address at which the login ends"));
        }
        let all: Vec<_> = url.query_pairs().collect();
        let values = PARAMETERS.map(|wanted| {
            all.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value.as_ref())
        });
        if values.iter().any(|found| found.clone().count() > 1) {
            return Err(not_this("this address says something twice"));
        }
        let [state, code, issuer, error] = values.map(|mut found| found.next());
        // RFC 9700 section 2.1: "one-time use CSRF tokens carried in the state parameter that are
        // securely bound to the user agent MUST be used".
        if state != Some(self.state.expose()) {
            return Err(not_this("this address belongs to another login"));
        }
        let is_final = |error| Refused { error, is_final: true };
        self.check_issuer(issuer).map_err(is_final)?;
        match (code.filter(|code| !code.is_empty()), error) {
            (Some(code), None) => Ok(Secret::new(code)),
            (_, error) => Err(is_final(explain(error.unwrap_or_default()))),
        }
    }

    /// RFC 9207 section 2.4: "Clients that support this specification MUST extract the value of the
    /// iss parameter from authorization responses they receive if the parameter is present. […] This
    /// comparison MUST use simple string comparison […]. If the value does not match the expected
    /// issuer identifier, clients MUST reject the authorization response […]. Clients MUST reject
    /// authorization responses without the iss parameter from authorization servers that do support
    /// the parameter". One that comes without having been announced is local policy: the right one
    /// is taken.
    fn check_issuer(&self, named: Option<&str>) -> Result<()> {
        let refuse = |message: &str, hint: &str| {
            Err(Error::new(Kind::UnexpectedAnswer, message).with_hint(hint))
        };
        match (named, &self.issuer) {
            (Some(named), Some(issuer)) if named == issuer => Ok(()),
            (Some(_), Some(_)) => {
                let hint = "Somebody may be tampering with the login. Begin another one.";
                refuse("the login was answered by another issuer than the one that was asked", hint)
            }
            (Some(_), None) => {
                let hint = "The provider file has to name it, as oauth.issuer.";
                refuse("the answer names its issuer, and nothing says which is the right one", hint)
            }
            (None, _) if self.is_named_in_answers => {
                let hint = "Somebody may be tampering with the login. Begin another one.";
                refuse("the answer does not name its issuer, which says that all of them do", hint)
            }
            (None, _) => Ok(()),
        }
    }

    /// What the token endpoint is asked with (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
    pub fn exchange<'a>(&'a self, code: &'a Secret) -> [(&'static str, &'a str); 4] {
        [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("code_verifier", self.verifier.expose()),
        ]
    }

    /// What an ID token of this login holds.
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_ref().map(Secret::expose)
    }
}

/// An error answer (RFC 6749 section 4.1.2.1). The server's own words beside the code are not shown:
/// they come by way of the browser.
fn explain(code: &str) -> Error {
    match code {
        "access_denied" => Error::new(Kind::LoginDenied, "the login was refused in the browser")
            .with_hint("Begin another login, and allow it there."),
        code => {
            let why = if is_code(code) { format!(" ({code})") } else { String::new() };
            let message = format!("the service ended the login in the browser{why}");
            Error::new(Kind::UnexpectedAnswer, message).with_hint("Try again later.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorization(issuer: Option<&str>, is_named_in_answers: bool) -> Authorization {
        Authorization {
            url: "https://issuer.example/authorize".parse().unwrap(),
            redirect_uri: "https://app.example/back".parse().unwrap(),
            state: Secret::new("s"),
            verifier: Secret::new("v"),
            nonce: None,
            issuer: issuer.map(str::to_owned),
            is_named_in_answers,
        }
    }

    /// The code, or why there is none and whether another answer may come.
    fn read(of: &Authorization, address: &str) -> std::result::Result<String, (String, bool)> {
        of.read(address)
            .map(|code| code.expose().to_owned())
            .map_err(|refused| (refused.error.to_string(), refused.is_final))
    }

    #[test]
    fn only_the_very_address_is_read() {
        let of = authorization(None, false);
        for good in [
            "https://app.example/back?code=c&state=s",
            " https://app.example/back?state=s&code=c#_=_\n",
            "HTTPS://APP.example:443/back?x=1&code=c&state=s",
        ] {
            assert_eq!(read(&of, good), Ok("c".to_owned()), "{good}");
        }
        for look_alike in [
            "",
            "c",
            "code=c&state=s",
            "//app.example/back?code=c&state=s",
            "http://app.example/back?code=c&state=s",
            "https://app.example:8443/back?code=c&state=s",
            "https://app.example/back/?code=c&state=s",
            "https://app.example/Back?code=c&state=s",
            "https://app.example/?code=c&state=s",
            "https://app.example./back?code=c&state=s",
            "https://www.app.example/back?code=c&state=s",
            "https://app.example.evil.example/back?code=c&state=s",
            "https://app.example@evil.example/back?code=c&state=s",
            "https://user@app.example/back?code=c&state=s",
            "https://\u{430}pp.example/back?code=c&state=s",
            "https://evil.example/back?next=https://app.example/back&code=c&state=s",
            // The answer of an implicit grant (RFC 9700 section 2.1.2).
            "https://app.example/back#access_token=t&state=s",
        ] {
            let (_, is_final) = read(&of, look_alike).unwrap_err();
            assert!(!is_final, "{look_alike}");
        }
        let long = format!("https://app.example/back?code={}&state=s", "c".repeat(LONGEST));
        assert!(!read(&of, &long).unwrap_err().1);
    }

    #[test]
    fn only_an_answer_to_this_login_is_read() {
        let of = authorization(None, false);
        for other in
            ["", "code=c", "code=c&state=", "code=c&state=S", "code=c&state=ss", "state=t&error=x"]
        {
            let (message, is_final) =
                read(&of, &format!("https://app.example/back?{other}")).unwrap_err();
            assert_eq!(
                (message.as_str(), is_final),
                ("this address belongs to another login", false)
            );
        }
        for twice in ["state=s&state=s&code=c", "state=s&code=c&code=d", "state=s&code=c&iss=&iss="]
        {
            let (message, is_final) =
                read(&of, &format!("https://app.example/back?{twice}")).unwrap_err();
            assert_eq!((message.as_str(), is_final), ("this address says something twice", false));
        }
    }

    #[test]
    fn an_error_is_told_without_the_words_of_the_server() {
        let of = authorization(None, false);
        for (answer, told) in [
            ("error=access_denied&error_description=hello", "the login was refused in the browser"),
            ("error=server_error", "the service ended the login in the browser (server_error)"),
            ("error=%1B%5B31mred", "the service ended the login in the browser"),
            (
                "error=invalid_scope&code=c",
                "the service ended the login in the browser (invalid_scope)",
            ),
            ("code=", "the service ended the login in the browser"),
            ("", "the service ended the login in the browser"),
        ] {
            let refused = read(&of, &format!("https://app.example/back?state=s&{answer}"));
            assert_eq!(refused, Err((told.to_owned(), true)), "{answer}");
        }
    }

    #[test]
    fn the_issuer_is_the_one_that_was_asked() {
        let (ours, other) = ("https://issuer.example", "https://evil.example");
        let cases = [
            (Some(ours), true, Some(ours), true),
            (Some(ours), false, Some(ours), true),
            (Some(ours), false, None, true),
            (None, false, None, true),
            (Some(ours), true, None, false),
            (Some(ours), true, Some(other), false),
            (Some(ours), false, Some(other), false),
            (Some(ours), false, Some("https://issuer.example/"), false),
            (Some(ours), false, Some("HTTPS://issuer.example"), false),
            (Some(ours), false, Some(""), false),
            (None, false, Some(ours), false),
        ];
        for (issuer, promised, named, is_taken) in cases {
            let of = authorization(issuer, promised);
            let named = named.map(|named| format!("&iss={named}")).unwrap_or_default();
            for answer in ["code=c", "error=access_denied"] {
                let address = format!("https://app.example/back?state=s&{answer}{named}");
                let told = read(&of, &address);
                let is_about_it =
                    told.as_ref().is_err_and(|(message, _)| message.contains("issuer"));
                assert_eq!(!is_about_it, is_taken, "{issuer:?} {promised} {address}");
                assert!(told.is_ok() || told.unwrap_err().1);
            }
        }
    }
}
