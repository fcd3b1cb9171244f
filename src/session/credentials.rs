//! What a server gave that makes a session: cookies, and values such as tokens.
//!
//! Nothing is interpreted here but by name; the login puts in, the logout and the requests take
//! out.

use super::claims::Claims;
use super::id_token::IdToken;
use crate::clock::UnixTime;
use crate::cookies::Jar;
use crate::provider::{Provider, SessionRule, Values};
use crate::secret::{self, Secret};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ring::digest;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The names of the values.
pub const ACCESS_TOKEN: &str = "access_token";
pub const REFRESH_TOKEN: &str = "refresh_token";
pub const ID_TOKEN: &str = "id_token";

/// The cookies and values of one session. `Debug` shows their names.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    pub jar: Jar,
    #[serde(with = "secret::sealed_values")]
    values: Values,
    /// When the access token ends, as the server said with it.
    pub expires_at: Option<UnixTime>,
    /// Set before a credential that serves only once is sent, and taken back with the answer: after
    /// a crash in between it is not sent again (RFC 9700 section 4.14.2).
    pub is_spent: bool,
    /// Set when the server failed over a renewal, until one succeeds: it may have exchanged the
    /// credential that serves only once, and this one's end would prove nothing of the other.
    pub is_doubtful: bool,
}

impl Credentials {
    pub fn new() -> Self {
        Credentials::default()
    }

    /// These with another jar.
    #[must_use]
    pub fn with_jar(&self, jar: Jar) -> Self {
        Credentials { jar, ..self.clone() }
    }

    /// The value of that name; an empty one counts as missing.
    pub fn value(&self, name: &str) -> Option<&Secret> {
        self.values.get(name).filter(|value| !value.is_empty())
    }

    pub fn set(&mut self, name: &str, value: Secret) {
        self.values.insert(name.to_owned(), value);
    }

    pub fn remove(&mut self, name: &str) {
        self.values.remove(name);
    }

    /// The session's access token: its own value, or the best of the cookies that may hold it.
    pub fn token(&self, rule: &SessionRule) -> Option<Secret> {
        let in_cookie = || {
            let names = rule.token_cookies.iter();
            names.filter_map(|name| self.jar.value(name)).find(|token| !token.is_empty())
        };
        self.value(ACCESS_TOKEN).cloned().or_else(in_cookie)
    }

    /// When the access token ends, as it says itself or the server said with it. `now`: the time,
    /// where it is known; no end is further away than can be.
    pub fn token_ends_at(&self, rule: &SessionRule, now: Option<UnixTime>) -> Option<UnixTime> {
        let claimed = self.token(rule).and_then(|token| Claims::read(&token).expires_at(now));
        claimed.or(self.expires_at)
    }

    /// The claims of the ID token; none unless it is of the provider's issuer, for its client.
    pub fn id_claims(&self, provider: &Provider) -> Claims {
        let token = self.value(ID_TOKEN);
        match token.map(|token| IdToken::read(token, provider.oauth.as_ref())) {
            Some(IdToken::Ours(claims)) => claims,
            _ => Claims::default(),
        }
    }

    /// A text among the claims of the ID token, or else of the access token.
    pub fn claim(&self, provider: &Provider, names: &[String]) -> Option<String> {
        let of_access = || Claims::read(&self.token(&provider.session)?).text(names);
        self.id_claims(provider).text(names).or_else(of_access)
    }

    pub fn has_tokens(&self) -> bool {
        [ACCESS_TOKEN, REFRESH_TOKEN].iter().any(|name| self.value(name).is_some())
    }

    /// What the provider's renewal sends, where that is one value.
    pub fn renewal_value(&self, provider: &Provider) -> Option<Secret> {
        match provider.renewal_cookie() {
            Some(name) => self.jar.value(name),
            None => self.value(REFRESH_TOKEN).cloned(),
        }
    }

    /// True when these and `other` have a token in common: then they are one session.
    pub fn are_of_one_session(&self, other: &Credentials, provider: &Provider) -> bool {
        let others = other.keys(provider);
        self.keys(provider).iter().zip(others).any(|(one, other)| one.is_some() && *one == other)
    }

    /// Tells these credentials from all others, and says nothing of them.
    pub fn fingerprint(&self, provider: &Provider) -> String {
        let mut hash = digest::Context::new(&digest::SHA256);
        for key in self.keys(provider) {
            let text = key.unwrap_or_default();
            hash.update(&(text.expose().len() as u64).to_le_bytes());
            hash.update(text.expose().as_bytes());
        }
        BASE64_STANDARD.encode(hash.finish())
    }

    /// What belongs to one session alone: the access token, and what renews it.
    fn keys(&self, provider: &Provider) -> [Option<Secret>; 2] {
        [self.token(&provider.session), self.renewal_value(provider)]
    }

    /// These with everything of `newer` put over them.
    #[must_use]
    pub fn overlaid_with(&self, newer: &Credentials) -> Credentials {
        let mut values = self.values.clone();
        values.extend(newer.values.iter().map(|(name, value)| (name.clone(), value.clone())));
        Credentials {
            jar: self.jar.overlaid_with(&newer.jar),
            values,
            expires_at: newer.expires_at.or(self.expires_at),
            is_spent: self.is_spent || newer.is_spent,
            is_doubtful: newer.is_doubtful,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({:?}, {:?})", self.jar, self.values.keys())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_comes_back() {
        let mut credentials = Credentials::new();
        credentials.set(ACCESS_TOKEN, Secret::new("at"));
        credentials.expires_at = Some(7);
        credentials.is_spent = true;
        credentials.is_doubtful = true;
        let sealed = serde_json::to_string(&credentials).unwrap();
        assert_eq!(serde_json::from_str::<Credentials>(&sealed).unwrap(), credentials);
        assert!(serde_json::from_str::<Credentials>("{}").is_err());
    }

    #[test]
    fn debug_shows_names_only() {
        let mut credentials = Credentials::new();
        credentials.set(REFRESH_TOKEN, Secret::new("hunter2"));
        let shown = format!("{credentials:?}");
        assert!(shown.contains("refresh_token") && !shown.contains("hunter2"), "{shown}");
    }
}
