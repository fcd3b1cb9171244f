//! One stored cookie. Domain, path and expiry are `cookie_store`'s, which does the matching.
//!
//! `SameSite` and `HttpOnly` are not kept: we are always the first party, and no script reads a
//! jar.

use crate::clock::UnixTime;
use crate::provider::is_loopback;
use crate::secret::{self, Secret};
use cookie_store::{CookieDomain, CookieExpiration, CookiePath};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use url::Url;

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cookie {
    pub name: String,
    #[serde(with = "secret::sealed")]
    pub value: Secret,
    pub domain: CookieDomain,
    pub path: CookiePath,
    pub expires: CookieExpiration,
    pub secure: bool,
}

/// What makes two cookies the same one (RFC 6265bis 5.7 step 23).
#[derive(PartialEq, Eq)]
pub(super) struct CookieKey<'a> {
    pub name: &'a str,
    pub domain: &'a CookieDomain,
    pub path: &'a CookiePath,
}

impl Cookie {
    pub fn key(&self) -> CookieKey<'_> {
        CookieKey { name: &self.name, domain: &self.domain, path: &self.path }
    }

    /// When it ends; `None` for a session cookie.
    pub fn expires_at(&self) -> Option<UnixTime> {
        match &self.expires {
            CookieExpiration::AtUtc(time) => Some(time.unix_timestamp()),
            CookieExpiration::SessionEnd => None,
        }
    }

    pub fn has_ended_at(&self, date: UnixTime) -> bool {
        self.expires_at().is_some_and(|end| end <= date)
    }

    /// True when a request to `url` carries it, whatever its age.
    pub fn is_for(&self, url: &Url) -> bool {
        let is_safe = url.scheme() == "https" || is_loopback(url);
        self.domain.matches(url) && self.path.matches(url) && (is_safe || !self.secure)
    }
}

/// `None` is a session cookie; a date beyond the calendar is moved to its nearest end.
pub(super) fn expiration(at: Option<UnixTime>) -> CookieExpiration {
    at.map_or(CookieExpiration::SessionEnd, |at| {
        // RFC 3339, in which it is stored, has four digits for the year.
        let at = at.clamp(0, 253_402_300_799);
        OffsetDateTime::from_unix_timestamp(at).map_or(CookieExpiration::SessionEnd, Into::into)
    })
}
