//! One `Set-Cookie` header: read as RFC 6265bis 5.6 says, judged as 5.7 says, dated by the server.
//!
//! Stricter than the RFC in one point: a cookie without a name is refused, since no provider can
//! name it. `SameSite` is never applied: we are always the first party.

use super::cookie::{Cookie, expiration};
use super::date::parse_cookie_date;
use crate::clock::{LONGEST_LIFE, UnixTime};
use crate::provider::{is_loopback, is_public_suffix};
use crate::secret::Secret;
use cookie_store::{CookieDomain, CookiePath};
use url::{Host, Url};

/// Name and value together, in bytes.
const MAX_PAIR: usize = 4096;
/// An attribute's value, in bytes; a longer one is as if it were not there.
const MAX_ATTRIBUTE: usize = 1024;

/// The cookie that a header asks for.
pub(super) struct SetCookie {
    pub(super) name: String,
    value: Secret,
    domain: Option<String>,
    path: Option<String>,
    is_secure: bool,
    is_same_site_none: bool,
    max_age: Option<i64>,
    expires: Option<UnixTime>,
}

impl SetCookie {
    /// Reads a header; `None` where the RFC says to ignore it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.bytes().any(|b| matches!(b, 0..=8 | 10..=31 | 127)) {
            return None;
        }
        let mut parts = text.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let (name, value) = (trim(name), trim(value));
        if name.is_empty() || name.len() + value.len() > MAX_PAIR {
            return None;
        }
        let mut cookie = SetCookie {
            name: name.to_owned(),
            value: Secret::new(value),
            domain: None,
            path: None,
            is_secure: false,
            is_same_site_none: false,
            max_age: None,
            expires: None,
        };
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let (name, value) = (trim(name), trim(value));
            if value.len() <= MAX_ATTRIBUTE {
                cookie.take_attribute(&name.to_ascii_lowercase(), value)?;
            }
        }
        Some(cookie)
    }

    /// The last attribute of a name counts. `None`: the whole cookie is to be ignored.
    fn take_attribute(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "expires" => self.expires = parse_cookie_date(value).or(self.expires),
            "max-age" => self.max_age = parse_max_age(value).or(self.max_age),
            "domain" if !value.is_ascii() => return None,
            "domain" => {
                let bare = value.strip_prefix('.').unwrap_or(value).to_ascii_lowercase();
                self.domain = Some(bare).filter(|bare| !bare.is_empty());
            }
            "path" => self.path = Some(value.to_owned()).filter(|path| path.starts_with('/')),
            "secure" => self.is_secure = true,
            "samesite" => self.is_same_site_none = value.eq_ignore_ascii_case("none"),
            _ => {}
        }
        Some(())
    }

    /// True when a server at `url` may set this cookie, as far as the two of them tell.
    pub(super) fn is_acceptable(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let name = self.name.to_ascii_lowercase();
        let is_development = is_loopback(url);
        let is_prefix_kept = if name.starts_with("__host-") {
            self.is_secure && self.domain.is_none() && self.path.as_deref() == Some("/")
        } else {
            !name.starts_with("__secure-") || self.is_secure
        };
        let is_domain_ours = self.domain.as_ref().is_none_or(|domain| {
            domain == host
                || (matches!(url.host(), Some(Host::Domain(_)))
                    && !is_public_suffix(domain)
                    && host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.')))
        });
        is_prefix_kept
            && is_domain_ours
            && (!self.is_secure || url.scheme() == "https" || is_development)
            && (!self.is_same_site_none || self.is_secure || is_development)
    }

    /// The domain that the header names.
    pub(super) fn domain(&self) -> Option<&str> {
        self.domain.as_deref()
    }

    /// When it ends, for an answer that was written at `date`. Both are the server's own time, so
    /// a wrong clock here neither ends the cookie nor prolongs it.
    pub(super) fn expiry(&self, date: UnixTime) -> Option<UnixTime> {
        let expiry = match (self.max_age, self.expires) {
            (Some(age), _) if age <= 0 => return Some(0),
            (Some(age), _) => date.saturating_add(age),
            (None, Some(expires)) => expires,
            (None, None) => return None,
        };
        Some(expiry.min(date.saturating_add(LONGEST_LIFE)))
    }

    /// The cookie as it is kept, for an answer from `url` that was written at `date`. On
    /// development hosts `Secure` is dropped. `None`: the address has no host.
    pub(super) fn cookie(&self, url: &Url, date: UnixTime) -> Option<Cookie> {
        let domain = match &self.domain {
            Some(domain) if !is_public_suffix(domain) => CookieDomain::Suffix(domain.clone()),
            // A host that is itself a public suffix speaks for itself alone (step 9).
            _ => CookieDomain::host_only(url).ok()?,
        };
        let default_path = CookiePath::default_path(url);
        Some(Cookie {
            name: self.name.clone(),
            value: self.value.clone(),
            domain,
            // Told apart by its text alone, wherever that is from.
            path: CookiePath::parse(self.path.as_deref().unwrap_or(&default_path))?,
            expires: expiration(self.expiry(date)),
            secure: self.is_secure && !is_loopback(url),
        })
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Digits with an optional minus; more than fits is the largest number.
fn parse_max_age(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let limit = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    Some(text.parse().unwrap_or(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_counted_from_the_servers_date() {
        let date = 1_800_000_000;
        let expires = httpdate::fmt_http_date(
            std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_060),
        );
        for (attributes, expected) in [
            (String::new(), None),
            ("Max-Age=10".to_owned(), Some(date + 10)),
            (format!("Expires={expires}"), Some(date + 60)),
            (format!("Max-Age=10; Expires={expires}"), Some(date + 10)),
            (format!("Expires={expires}; Max-Age=garbage"), Some(date + 60)),
            (format!("Expires={expires}; Expires=garbage"), Some(date + 60)),
            ("Max-Age=-1".to_owned(), Some(0)),
            ("Max-Age=0".to_owned(), Some(0)),
            ("Max-Age=-99999999999999999999999".to_owned(), Some(0)),
            ("Max-Age=1e30".to_owned(), None),
            ("Max-Age=+5".to_owned(), None),
            ("Max-Age=".to_owned(), None),
            ("Max-Age=99999999999999999999999".to_owned(), Some(date + LONGEST_LIFE)),
            ("Expires=Fri, 31 Dec 9999 23:59:59 GMT".to_owned(), Some(date + LONGEST_LIFE)),
        ] {
            let cookie = SetCookie::parse(&format!("a=b; {attributes}")).unwrap();
            assert_eq!(cookie.expiry(date), expected, "{attributes}");
        }
    }
}
