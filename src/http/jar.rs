//! The cookie jar: what an answer may put in (RFC 6265bis 5.7), what a request takes out (5.8).
//!
//! Cookies are `cookie_store`'s, which does the matching and the JSON. They are kept in a list of our
//! own, in order of creation: its store drops what the system clock calls expired, and the clock
//! may be wrong. Nothing here leaves the jar because of the time, unless the clock is known.

use super::cookie::{Place, SetCookie};
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::error::{Error, Kind, Result};
use crate::provider::{Hosts, is_loopback};
use crate::secret::Secret;
use cookie_store::{Cookie, CookieDomain, CookieExpiration};
use std::fmt;
use url::Url;

const MAX_PER_DOMAIN: usize = 50;
const MAX_COOKIES: usize = 200;

/// The cookies of one session. `Debug` shows their names.
#[derive(Clone, Default, PartialEq)]
pub struct Jar {
    cookies: Vec<Cookie<'static>>,
}

impl Jar {
    pub fn new() -> Self {
        Jar::default()
    }

    /// Reads what [`Jar::to_sealed`] wrote; no text at all is an empty jar.
    pub fn from_sealed(text: &Secret) -> Result<Self> {
        if text.is_empty() {
            return Ok(Jar::new());
        }
        let damaged = |_| Error::new(Kind::Storage, "the stored cookies cannot be read");
        Ok(Jar { cookies: serde_json::from_str(text.expose()).map_err(damaged)? })
    }

    /// All cookies as JSON, those without an end and those past it too: whether an end has come is
    /// asked when they are sent, of a clock that may be known better by then.
    pub fn to_sealed(&self) -> Secret {
        // Writing plain data to memory does not fail; an empty text would be an empty jar.
        Secret::new(serde_json::to_string(&self.cookies).unwrap_or_default())
    }

    /// Takes in the `Set-Cookie` headers of an answer from `url` that was written at `date`.
    ///
    /// When the jar is full, a new cookie is refused instead of an old one dropped: a flood of
    /// cookies must not push out the session.
    pub fn store(
        &mut self,
        url: &Url,
        set_cookies: &[String],
        date: Option<UnixTime>,
        hosts: &Hosts,
    ) {
        let date = date.unwrap_or_else(|| SystemClock::new().now());
        for text in set_cookies {
            let Some(new) = SetCookie::parse(text).filter(|new| new.is_acceptable(url)) else {
                log::debug!("a cookie was refused: it does not keep to the rules");
                continue;
            };
            if new.domain().is_some_and(|domain| !hosts.allows_cookie_domain(domain)) {
                log::debug!("cookie {} was refused: its domain is not the provider's", new.name);
                continue;
            }
            self.insert(&new, url, date);
        }
    }

    fn insert(&mut self, new: &SetCookie, url: &Url, date: UnixTime) {
        let place = new.place(url);
        let old = self.cookies.iter().position(|c| c.name() == new.name && is_at(c, &place));
        let expiry = new.expiry(date);
        if expiry.is_some_and(|end| end <= date) {
            if let Some(index) = old {
                self.cookies.remove(index);
            }
            return;
        }
        let Some(cookie) = new.keep(url, expiry) else { return };
        if let Some(index) = old {
            self.cookies[index] = cookie;
            return;
        }
        if self.is_full_for(&place) {
            self.cookies.retain(|c| expiry_of(c).is_none_or(|end| end > date));
        }
        if self.is_full_for(&place) {
            log::debug!("cookie {} was refused: the jar is full", new.name);
        } else {
            self.cookies.push(cookie);
        }
    }

    fn is_full_for(&self, place: &Place) -> bool {
        let neighbours = self
            .cookies
            .iter()
            .filter(|c| c.domain.as_cow().as_deref() == Some(&place.domain))
            .count();
        self.cookies.len() >= MAX_COOKIES || neighbours >= MAX_PER_DOMAIN
    }

    /// The `Cookie` header of a request to `url`; `None` when there is nothing to send.
    pub fn header_for(&self, url: &Url, clock: &dyn Clock) -> Option<Secret> {
        let is_alive = |c: &&Cookie<'static>| !expiry_of(c).is_some_and(|end| clock.is_past(end));
        let mut cookies: Vec<_> =
            self.cookies.iter().filter(|c| belongs_to(c, url)).filter(is_alive).collect();
        if cookies.is_empty() {
            return None;
        }
        // Stable: among paths of one length the older cookie stays first.
        cookies.sort_by_key(|c| std::cmp::Reverse(c.path.len()));
        let room = cookies.iter().map(|c| c.name().len() + c.value().len() + 3).sum();
        let mut header = String::with_capacity(room);
        for cookie in cookies {
            if !header.is_empty() {
                header.push_str("; ");
            }
            header.push_str(cookie.name());
            header.push('=');
            header.push_str(cookie.value());
        }
        Some(Secret::new(header))
    }

    /// The names, sorted, each once.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.cookies.iter().map(|c| c.name().to_owned()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The value of the cookie of that name; of several, the one with the longest path.
    pub fn value(&self, name: &str) -> Option<Secret> {
        self.find(name).map(|cookie| Secret::new(cookie.value()))
    }

    /// When the cookie that [`Jar::value`] reads ends; `None` for a session cookie.
    pub fn expires_at(&self, name: &str) -> Option<UnixTime> {
        self.find(name).and_then(expiry_of)
    }

    /// When the last of the cookies of these names ends; `None` when none of them is here, or none
    /// has an end. One without an end beside others lives as long as a browser's window would, and
    /// is not what keeps a session for months.
    pub fn last_expiry_of(&self, names: &[&str]) -> Option<UnixTime> {
        let is_named = |c: &&Cookie<'static>| names.contains(&c.name());
        self.cookies.iter().filter(is_named).filter_map(expiry_of).max()
    }

    pub fn is_empty(&self) -> bool {
        self.cookies.is_empty()
    }

    /// Removes every cookie of that name.
    pub fn remove(&mut self, name: &str) {
        self.cookies.retain(|cookie| cookie.name() != name);
    }

    /// Only what would be sent to one of `urls`, whatever its age.
    #[must_use]
    pub fn subset_for(&self, urls: &[&Url]) -> Jar {
        let is_wanted = |c: &&Cookie<'static>| urls.iter().any(|url| belongs_to(c, url));
        Jar { cookies: self.cookies.iter().filter(is_wanted).cloned().collect() }
    }

    /// [`Jar::deleted_at`] for an answer whose date is not known: our clock stands in for it.
    pub fn deleted_by(&self, name: &str, url: &Url, set_cookies: &[String]) -> bool {
        self.deleted_at(name, url, set_cookies, None)
    }

    /// True only when an answer from `url`, written at `date`, deletes `name` for good.
    ///
    /// That is: every cookie of that name in this jar (as it was *before* the answer was taken in)
    /// gets an empty value and a past end, with the very domain and path it was set with, and none
    /// is set again afterwards. Where the jar holds no cookie of that name, any deletion counts
    /// that covers the host of `url`.
    pub fn deleted_at(
        &self,
        name: &str,
        url: &Url,
        set_cookies: &[String],
        date: Option<UnixTime>,
    ) -> bool {
        let date = date.unwrap_or_else(|| SystemClock::new().now());
        let mut left: Vec<_> =
            self.cookies.iter().filter(|c| c.name() == name).map(place_of).collect();
        let is_stored = !left.is_empty();
        let mut has_deleted = false;
        for new in set_cookies.iter().filter_map(|text| SetCookie::parse(text)) {
            if new.name != name || !new.is_acceptable(url) {
                continue;
            }
            let place = new.place(url);
            if new.is_deletion(date) {
                has_deleted |= !is_stored || left.contains(&place);
                left.retain(|other| *other != place);
            } else if !left.contains(&place) {
                left.push(place);
            }
        }
        has_deleted && left.is_empty()
    }

    /// This jar with every cookie of `newer` put over it.
    #[must_use]
    pub fn overlaid_with(&self, newer: &Jar) -> Jar {
        let mut cookies = self.cookies.clone();
        for cookie in &newer.cookies {
            cookies.retain(|c| c.name() != cookie.name() || place_of(c) != place_of(cookie));
            cookies.push(cookie.clone());
        }
        Jar { cookies }
    }

    /// The cookies that are not in `before` as they are here.
    #[must_use]
    pub fn changes_since(&self, before: &Jar) -> Jar {
        let is_new = |c: &&Cookie<'static>| !before.cookies.contains(c);
        Jar { cookies: self.cookies.iter().filter(is_new).cloned().collect() }
    }

    fn find(&self, name: &str) -> Option<&Cookie<'static>> {
        let mut found: Option<&Cookie<'static>> = None;
        for cookie in self.cookies.iter().filter(|cookie| cookie.name() == name) {
            if found.is_none_or(|best| cookie.path.len() > best.path.len()) {
                found = Some(cookie);
            }
        }
        found
    }
}

impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jar{:?}", self.names())
    }
}

fn place_of(cookie: &Cookie<'static>) -> Place {
    Place {
        domain: String::from(&cookie.domain),
        is_host_only: matches!(cookie.domain, CookieDomain::HostOnly(_)),
        path: cookie.path.to_string(),
    }
}

fn is_at(cookie: &Cookie<'static>, place: &Place) -> bool {
    let is_host_only = matches!(cookie.domain, CookieDomain::HostOnly(_));
    is_host_only == place.is_host_only
        && *cookie.path == *place.path
        && cookie.domain.as_cow().as_deref() == Some(&place.domain)
}

fn belongs_to(cookie: &Cookie<'static>, url: &Url) -> bool {
    let is_safe = url.scheme() == "https" || is_loopback(url);
    cookie.domain.matches(url)
        && cookie.path.matches(url)
        && (is_safe || !cookie.secure().unwrap_or(false))
}

fn expiry_of(cookie: &Cookie<'static>) -> Option<UnixTime> {
    match &cookie.expires {
        CookieExpiration::AtUtc(time) => Some(time.unix_timestamp()),
        CookieExpiration::SessionEnd => None,
    }
}

#[cfg(test)]
#[path = "jar_test.rs"]
mod tests;

#[cfg(test)]
#[path = "deletion_test.rs"]
mod deletion_tests;
