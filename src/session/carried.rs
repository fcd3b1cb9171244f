//! By what a request is known to be the session's: headers and cookies beside those of the jar.
//!
//! `Authorization: Bearer` (RFC 6750 section 2.1), unless the provider file's `[api]` names headers,
//! cookies or a user name and password (RFC 7617). It goes to the address that it was made for, and
//! with no redirect to another origin.

use super::Credentials;
use crate::provider::Provider;
use crate::secret::Secret;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

const AUTHORIZATION: &str = "Authorization";

#[derive(Clone, Default)]
pub struct Carried {
    /// With values of the session.
    pub headers: Vec<(String, Secret)>,
    /// Without any: what the request sets itself wins.
    pub defaults: Vec<(String, String)>,
    pub cookies: Vec<(String, Secret)>,
}

impl Carried {
    pub fn bearer(token: &Secret) -> Self {
        Carried::header(AUTHORIZATION, format!("Bearer {}", token.expose()))
    }

    /// RFC 7617 section 2, the text in UTF-8.
    pub fn basic(user: &Secret, password: &Secret) -> Self {
        let both = Secret::new(format!("{}:{}", user.expose(), password.expose()));
        Carried::header(AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode(both.expose())))
    }

    fn header(name: &str, value: String) -> Self {
        let headers = vec![(name.to_owned(), Secret::new(value))];
        Carried { headers, ..Carried::default() }
    }

    pub fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.cookies.is_empty() && self.defaults.is_empty()
    }

    /// The `Cookie` header with these cookies behind those of the jar.
    pub fn beside(&self, jar: Option<&Secret>) -> Option<Secret> {
        let own = self.cookies.iter().map(|(name, value)| format!("{name}={}", value.expose()));
        let all: Vec<String> = jar.iter().map(|jar| jar.expose().to_owned()).chain(own).collect();
        (!all.is_empty()).then(|| Secret::new(all.join("; ")))
    }
}

impl Credentials {
    /// What a request to one of the provider's hosts carries of this session; `None`: something
    /// that belongs to it is not here.
    pub fn carried(&self, provider: &Provider) -> Option<Carried> {
        let api = &provider.api;
        let values = self.fill(provider, api.templates())?;
        let mut carried = if let Some([user, password]) = &api.basic {
            Carried::basic(&user.fill(&values), &password.fill(&values))
        } else if api.carries_bearer() {
            Carried::bearer(&self.token(&provider.session)?)
        } else {
            Carried::default()
        };
        for (name, text) in &api.headers {
            let (name, value) = (name.to_string(), text.fill(&values));
            if text.is_fixed() {
                carried.defaults.push((name, value.expose().to_owned()));
            } else {
                carried.headers.push((name, value));
            }
        }
        let cookies = api.cookies.iter();
        carried.cookies =
            cookies.map(|(name, text)| (name.to_string(), text.fill(&values))).collect();
        Some(carried)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::ACCESS_TOKEN;

    fn carried(api: &str, credentials: &Credentials) -> Option<Carried> {
        let text = include_str!("../../tests/it/service.toml").replace("PORT", "9");
        let text = text.replace("[api]", &format!("[api]\n{api}"));
        credentials.carried(&Provider::parse(&text, None).unwrap())
    }

    fn shown(pairs: &[(String, Secret)]) -> Vec<String> {
        pairs.iter().map(|(name, value)| format!("{name}: {}", value.expose())).collect()
    }

    #[test]
    fn the_token_is_carried_as_the_file_says() {
        let (none, mut held) = (Credentials::new(), Credentials::new());
        held.set(ACCESS_TOKEN, Secret::new("at"));
        for (api, header) in [
            ("", "Authorization: Bearer at"),
            ("headers = { X-Emby-Token = \"{access_token}\" }", "X-Emby-Token: at"),
            (
                "headers = { Authorization = 'MediaBrowser Token=\"{access_token}\"' }",
                "Authorization: MediaBrowser Token=\"at\"",
            ),
            // RFC 7617 section 2.1: "test:123£" in UTF-8 is dGVzdDoxMjPCow==.
            ("basic = [\"test\", \"123£\"]", "Authorization: Basic dGVzdDoxMjPCow=="),
        ] {
            assert_eq!(shown(&carried(api, &held).unwrap().headers), [header], "{api}");
            let needs_token = api.is_empty() || api.contains("access_token");
            assert_eq!(carried(api, &none).is_none(), needs_token, "{api}");
        }
    }

    #[test]
    fn what_says_nothing_of_the_session_goes_beside_the_bearer_token() {
        let mut held = Credentials::new();
        held.set(ACCESS_TOKEN, Secret::new("at"));
        let carried = carried("headers = { Client-Id = \"kodi\" }", &held).unwrap();
        assert_eq!(shown(&carried.headers), ["Authorization: Bearer at"]);
        assert_eq!(carried.defaults, [("Client-Id".to_owned(), "kodi".to_owned())]);
    }

    #[test]
    fn cookies_go_behind_those_of_the_jar() {
        let mut held = Credentials::new();
        held.set(ACCESS_TOKEN, Secret::new("at"));
        let carried = carried("cookies = { sid = \"{access_token}\" }", &held).unwrap();
        assert_eq!((carried.headers.len(), shown(&carried.cookies)), (0, vec!["sid: at".into()]));
        let beside = |jar: Option<&str>| carried.beside(jar.map(Secret::new).as_ref());
        assert_eq!(beside(Some("a=b")).unwrap().expose(), "a=b; sid=at");
        assert_eq!(beside(None).unwrap().expose(), "sid=at");
        assert!(Carried::default().beside(None).is_none());
    }
}
