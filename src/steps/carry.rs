//! What a request to one of the provider's hosts carries of the session: `Authorization: Bearer` (RFC
//! 6750 section 2.1), unless the provider file's `[api]` names headers, cookies or a user name and a
//! password (RFC 7617).

use super::fill::Known;
use crate::provider::{Provider, Template, Values};
use crate::session::{Carried, Credentials};

/// `None`: something that belongs to it is not here.
pub fn carried(provider: &Provider, credentials: &Credentials) -> Option<Carried> {
    let api = &provider.api;
    let known = Known { provider, credentials, values: &Values::new() };
    let places = api.templates().flat_map(Template::places);
    let values: Option<Values> =
        places.map(|name| Some((name.to_owned(), known.value(name)?))).collect();
    let values = values?;
    let mut carried = if let Some([user, password]) = &api.basic {
        Carried::basic(&user.fill(&values), &password.fill(&values))
    } else if api.carries_bearer() {
        Carried::bearer(&credentials.token(&provider.session)?)
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
    carried.cookies = cookies.map(|(name, text)| (name.to_string(), text.fill(&values))).collect();
    Some(carried)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use crate::session::ACCESS_TOKEN;

    fn carried(api: &str, credentials: &Credentials) -> Option<Carried> {
        let text = include_str!("../../tests/it/service.toml").replace("PORT", "9");
        let text = text.replace("[api]", &format!("[api]\n{api}"));
        super::carried(&Provider::parse(&text, None).unwrap(), credentials)
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
    fn a_cookie_carries_it_too() {
        let mut held = Credentials::new();
        held.set(ACCESS_TOKEN, Secret::new("at"));
        let carried = carried("cookies = { sid = \"{access_token}\" }", &held).unwrap();
        assert_eq!((carried.headers.len(), shown(&carried.cookies)), (0, vec!["sid: at".into()]));
    }
}
