//! A cookie that somebody hands over, from a jar of another program's: no server says here what it
//! may be, so it is held against the provider's hosts alone.

use super::cookie::{Cookie, expiration};
use crate::clock::UnixTime;
use crate::provider::Hosts;
use crate::secret::Secret;
use crate::wire;
use cookie_store::{CookieDomain, CookiePath};
use serde::Deserialize;

/// Name and value together, in bytes, as for a `Set-Cookie`.
const MAX_PAIR: usize = 4096;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct GivenCookie {
    pub name: String,
    /// Bytes of UTF-8.
    #[serde(deserialize_with = "wire::secret")]
    #[cfg_attr(test, schemars(with = "wire::Bytes"))]
    pub value: Secret,
    /// As jars write it: with a dot before it for a domain, without for a single host; empty where
    /// nobody knows.
    #[serde(default)]
    pub domain: String,
    /// Empty for "/".
    #[serde(default)]
    pub path: String,
    /// `None` for a session cookie.
    #[serde(default)]
    pub expires: Option<UnixTime>,
}

impl GivenCookie {
    /// The cookie as it is kept; one that names no domain is for `home`. `None`: it is not the
    /// provider's, or none that could be sent.
    pub(super) fn cookie(&self, hosts: &Hosts, home: &str) -> Option<Cookie> {
        let is_sendable = |c: char| !c.is_control() && c != ';';
        let is_whole = !self.name.is_empty()
            && self.name.len() + self.value.expose().len() <= MAX_PAIR
            && self.name.chars().all(|c| is_sendable(c) && !matches!(c, '=' | ' '))
            && self.value.expose().chars().all(is_sendable);
        let domain = self.domain(hosts, home).filter(|_| is_whole)?;
        let path = if self.path.starts_with('/') { self.path.as_str() } else { "/" };
        Some(Cookie {
            name: self.name.clone(),
            value: self.value.clone(),
            domain,
            path: CookiePath::parse(path)?,
            expires: expiration(self.expires),
            // It is sent by https alone in any case, but for development hosts.
            secure: false,
        })
    }

    fn domain(&self, hosts: &Hosts, home: &str) -> Option<CookieDomain> {
        if self.domain.is_empty() {
            return Some(match hosts.cookie_domain_of(home) {
                Some(domain) => CookieDomain::Suffix(domain.to_owned()),
                None => CookieDomain::HostOnly(home.to_owned()),
            });
        }
        let given = self.domain.to_ascii_lowercase();
        let bare = given.strip_prefix('.').unwrap_or(&given);
        // Python's jars write a host without a dot like that.
        let bare = bare.strip_suffix(".local").filter(|host| !host.contains('.')).unwrap_or(bare);
        let is_single = !given.starts_with('.') && hosts.names(bare);
        let new = if is_single { CookieDomain::HostOnly } else { CookieDomain::Suffix };
        hosts.allows_cookie_domain(bare).then(|| new(bare.to_owned()))
    }
}
