//! What a server gave that makes a session: cookies, and values such as tokens.
//!
//! Nothing is interpreted here but by name; the login puts in, the logout and the requests take out.

use crate::clock::UnixTime;
use crate::error::{Error, Kind, Result};
use crate::http::Jar;
use crate::provider::{SessionRule, Template, Values};
use crate::secret::Secret;
use crate::token::Claims;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// The names of the values.
pub const ACCESS_TOKEN: &str = "access_token";
pub const REFRESH_TOKEN: &str = "refresh_token";
pub const ID_TOKEN: &str = "id_token";

/// Set before a credential that serves once is sent, and gone with the answer: after a crash in
/// between, it is not sent again.
const SPENT: &str = "spent";

/// The cookies and values of one session. `Debug` shows their names.
#[derive(Clone, Default, PartialEq)]
pub struct Credentials {
    pub jar: Jar,
    values: Values,
    /// When the access token ends, as the server said with it.
    pub expires_at: Option<UnixTime>,
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct Sealed {
    #[serde(with = "crate::secret::sealed")]
    cookies: Secret,
    values: BTreeMap<String, Held>,
    expires_at: Option<UnixTime>,
}

#[derive(Serialize, Deserialize)]
struct Held(#[serde(with = "crate::secret::sealed")] Secret);

impl Credentials {
    pub fn new() -> Self {
        Credentials::default()
    }

    /// These with another jar.
    #[must_use]
    pub fn with_jar(&self, jar: Jar) -> Self {
        Credentials { jar, ..self.clone() }
    }

    /// Reads what [`Credentials::to_sealed`] wrote, or a list of cookies as the first version did.
    pub fn from_sealed(text: &Secret) -> Result<Self> {
        if text.is_empty() || text.expose().starts_with('[') {
            return Ok(Credentials { jar: Jar::from_sealed(text)?, ..Credentials::default() });
        }
        let sealed: Sealed = serde_json::from_str(text.expose())
            .map_err(|_| Error::new(Kind::Storage, "the stored credentials cannot be read"))?;
        Ok(Credentials {
            jar: Jar::from_sealed(&sealed.cookies)?,
            values: sealed.values.into_iter().map(|(name, held)| (name, held.0)).collect(),
            expires_at: sealed.expires_at,
        })
    }

    pub fn to_sealed(&self) -> Secret {
        let held = |(name, value): (&String, &Secret)| (name.clone(), Held(value.clone()));
        let sealed = Sealed {
            cookies: self.jar.to_sealed(),
            values: self.values.iter().map(held).collect(),
            expires_at: self.expires_at,
        };
        // Writing plain data to memory does not fail; an empty text would be no credentials.
        Secret::new(serde_json::to_string(&sealed).unwrap_or_default())
    }

    /// The value of that name; an empty one is none.
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

    /// When the access token ends, as it says itself or the server said with it.
    pub fn token_ends_at(&self, rule: &SessionRule, now: UnixTime) -> Option<UnixTime> {
        let claimed = self.token(rule).and_then(|token| Claims::read(&token).expires_at(now));
        claimed.or(self.expires_at)
    }

    /// A text among the claims of the ID token, or else of the access token.
    pub fn claim(&self, rule: &SessionRule, names: &[String]) -> Option<String> {
        let tokens = [self.value(ID_TOKEN).cloned(), self.token(rule)];
        tokens.iter().flatten().find_map(|token| Claims::read(token).text(names))
    }

    /// What `templates` ask for, as far as it is here; `None` where something is missing.
    pub fn fill<'a>(
        &self,
        rule: &SessionRule,
        templates: impl Iterator<Item = &'a Template>,
    ) -> Option<Values> {
        let mut values = Values::new();
        for place in templates.flat_map(Template::places) {
            let value = match place.strip_prefix(crate::provider::CLAIM) {
                Some(claim) => self.claim(rule, &[claim.to_owned()]).map(Secret::new),
                None if place == ACCESS_TOKEN => self.token(rule),
                None => self.value(place).cloned(),
            };
            values.insert(place.to_owned(), value?);
        }
        Some(values)
    }

    pub fn has_tokens(&self) -> bool {
        [ACCESS_TOKEN, REFRESH_TOKEN].iter().any(|name| self.value(name).is_some())
    }

    /// True when the long-lived credential was sent and may have been used up.
    pub fn is_spent(&self) -> bool {
        self.values.contains_key(SPENT)
    }

    pub fn mark_spent(&mut self, spent: bool) {
        if spent {
            self.set(SPENT, Secret::new("yes"));
        } else {
            self.remove(SPENT);
        }
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
    fn what_was_sealed_comes_back_and_old_ones_too() {
        let mut held = Credentials::new();
        held.set(ACCESS_TOKEN, Secret::new("at"));
        held.expires_at = Some(7);
        assert_eq!(Credentials::from_sealed(&held.to_sealed()).unwrap(), held);
        assert!(Credentials::from_sealed(&Secret::new("[]")).unwrap().jar.is_empty());
        assert!(Credentials::from_sealed(&Secret::new("")).unwrap().jar.is_empty());
        assert!(Credentials::from_sealed(&Secret::new("{")).is_err());
    }

    #[test]
    fn debug_shows_names_only() {
        let mut held = Credentials::new();
        held.set(REFRESH_TOKEN, Secret::new("hunter2"));
        let shown = format!("{held:?}");
        assert!(shown.contains("refresh_token") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_spent_mark_survives_sealing() {
        let mut held = Credentials::new();
        held.mark_spent(true);
        assert!(Credentials::from_sealed(&held.to_sealed()).unwrap().is_spent());
        held.mark_spent(false);
        assert!(!held.is_spent());
    }
}
