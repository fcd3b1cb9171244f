//! The cookie jar: what an answer may put in (RFC 6265bis 5.7), what a request takes out (5.8).
//!
//! A list of our own, in order of creation: `cookie_store`'s store drops what the system clock
//! calls expired, and the clock may be wrong. Nothing leaves the jar because of the time, unless
//! the clock is known.

use super::cookie::Cookie;
use super::given::GivenCookie;
use super::set_cookie::SetCookie;
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::provider::Hosts;
use crate::secret::Secret;
use serde::{Deserialize, Serialize};
use std::fmt;
use url::Url;

const MAX_PER_DOMAIN: usize = 50;
const MAX_COOKIES: usize = 200;

/// The cookies of one session. `Debug` shows their names.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Jar {
    cookies: Vec<Cookie>,
}

impl Jar {
    pub fn new() -> Self {
        Jar::default()
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
        let date = date.unwrap_or_else(|| SystemClock::default().now());
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

    /// Takes in a cookie from elsewhere; one that names no domain is for the host `home`. False: it
    /// is not the provider's, or there is no room for it.
    pub fn take(&mut self, given: &GivenCookie, hosts: &Hosts, home: &str) -> bool {
        let Some(cookie) = given.cookie(hosts, home) else { return false };
        self.cookies.retain(|c| c.key() != cookie.key());
        let has_room = !self.is_full_for(&cookie);
        if has_room {
            self.cookies.push(cookie);
        }
        has_room
    }

    /// Takes out what was only supposed to be where it is: cookies of `supposed` beside which the
    /// server has set one of the same name somewhere else since.
    pub fn correct(&mut self, supposed: &Jar) {
        let is_replaced = |c: &Cookie| {
            let others = self.cookies.iter().filter(|other| other.name == c.name);
            supposed.cookies.contains(c) && others.clone().any(|other| other.key() != c.key())
        };
        let kept = self.cookies.iter().filter(|c| !is_replaced(c)).cloned().collect();
        self.cookies = kept;
    }

    fn insert(&mut self, new: &SetCookie, url: &Url, date: UnixTime) {
        let Some(cookie) = new.cookie(url, date) else { return };
        let old = self.cookies.iter().position(|c| c.key() == cookie.key());
        let has_ended = |c: &Cookie| c.has_ended_at(date);
        match old {
            Some(index) if has_ended(&cookie) => drop(self.cookies.remove(index)),
            Some(index) => self.cookies[index] = cookie,
            None if has_ended(&cookie) => {}
            None => {
                if self.is_full_for(&cookie) {
                    self.cookies.retain(|c| !has_ended(c));
                }
                if self.is_full_for(&cookie) {
                    log::debug!("cookie {} was refused: the jar is full", cookie.name);
                } else {
                    self.cookies.push(cookie);
                }
            }
        }
    }

    fn is_full_for(&self, new: &Cookie) -> bool {
        let domain = |c: &Cookie| String::from(&c.domain);
        let neighbours = self.cookies.iter().filter(|c| domain(c) == domain(new)).count();
        self.cookies.len() >= MAX_COOKIES || neighbours >= MAX_PER_DOMAIN
    }

    /// The `Cookie` header of a request to `url`; `None` when there is nothing to send.
    pub fn header_for(&self, url: &Url, clock: &dyn Clock) -> Option<Secret> {
        let is_alive = |c: &&Cookie| !c.expires_at().is_some_and(|end| clock.is_past(end));
        let mut cookies: Vec<_> =
            self.cookies.iter().filter(|c| c.is_for(url)).filter(is_alive).collect();
        if cookies.is_empty() {
            return None;
        }
        // Stable: among paths of one length the older cookie stays first.
        cookies.sort_by_key(|c| std::cmp::Reverse(c.path.len()));
        let room = cookies.iter().map(|c| c.name.len() + c.value.expose().len() + 3).sum();
        let mut header = String::with_capacity(room);
        for cookie in cookies {
            if !header.is_empty() {
                header.push_str("; ");
            }
            header.push_str(&cookie.name);
            header.push('=');
            header.push_str(cookie.value.expose());
        }
        Some(Secret::new(header))
    }

    /// The names, sorted, each once.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.cookies.iter().map(|c| c.name.clone()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// The value of the cookie of that name; of several, the one with the longest path.
    pub fn value(&self, name: &str) -> Option<Secret> {
        self.find(name).map(|cookie| cookie.value.clone())
    }

    /// When the cookie that [`Jar::value`] reads ends; `None` for a session cookie.
    pub fn expires_at(&self, name: &str) -> Option<UnixTime> {
        self.find(name).and_then(Cookie::expires_at)
    }

    /// When the last of the cookies of these names ends; `None` when none of them is here, or none
    /// has an end. One without an end beside others lives as long as a browser's window would, and
    /// is not what keeps a session for months.
    pub fn last_expiry_of(&self, names: &[&str]) -> Option<UnixTime> {
        let is_named = |c: &&Cookie| names.contains(&c.name.as_str());
        self.cookies.iter().filter(is_named).filter_map(Cookie::expires_at).max()
    }

    pub fn is_empty(&self) -> bool {
        self.cookies.is_empty()
    }

    /// Removes every cookie of that name.
    pub fn remove(&mut self, name: &str) {
        self.cookies.retain(|cookie| cookie.name != name);
    }

    /// Only what would be sent to one of `urls`, whatever its age.
    #[must_use]
    pub fn subset_for(&self, urls: &[&Url]) -> Jar {
        let is_wanted = |c: &&Cookie| urls.iter().any(|url| c.is_for(url));
        Jar { cookies: self.cookies.iter().filter(is_wanted).cloned().collect() }
    }

    /// Only what has one of these names.
    #[must_use]
    pub fn subset_named(&self, names: &[&str]) -> Jar {
        let is_wanted = |c: &&Cookie| names.contains(&c.name.as_str());
        Jar { cookies: self.cookies.iter().filter(is_wanted).cloned().collect() }
    }

    /// True only when this jar holds cookies of that name, and an answer from `url`, written at
    /// `date`, deletes them all for good.
    ///
    /// That is: every one of them (as the jar was *before* the answer was taken in) is set with a
    /// past end, with the very domain and path it was set with, and none is set again afterwards.
    /// The value does not matter (RFC 6265bis section 5.7: a cookie whose expiry is in the past
    /// replaces the old one, and is gone).
    pub fn deleted_at(
        &self,
        name: &str,
        url: &Url,
        set_cookies: &[String],
        date: Option<UnixTime>,
    ) -> bool {
        let date = date.unwrap_or_else(|| SystemClock::default().now());
        let mut left: Vec<Cookie> =
            self.cookies.iter().filter(|c| c.name == name).cloned().collect();
        let is_held = !left.is_empty();
        for new in set_cookies.iter().filter_map(|text| SetCookie::parse(text)) {
            let cookie = match new.cookie(url, date) {
                Some(cookie) if new.name == name && new.is_acceptable(url) => cookie,
                _ => continue,
            };
            left.retain(|other| other.key() != cookie.key());
            if !cookie.has_ended_at(date) {
                left.push(cookie);
            }
        }
        is_held && left.is_empty()
    }

    /// This jar with every cookie of `newer` put over it.
    #[must_use]
    pub fn overlaid_with(&self, newer: &Jar) -> Jar {
        let mut cookies = self.cookies.clone();
        for cookie in &newer.cookies {
            cookies.retain(|c| c.key() != cookie.key());
            cookies.push(cookie.clone());
        }
        Jar { cookies }
    }

    /// The cookies that are not in `before` as they are here.
    #[must_use]
    pub fn changes_since(&self, before: &Jar) -> Jar {
        let is_new = |c: &&Cookie| !before.cookies.contains(c);
        Jar { cookies: self.cookies.iter().filter(is_new).cloned().collect() }
    }

    fn find(&self, name: &str) -> Option<&Cookie> {
        // Of equals the last is taken: in reverse, the oldest.
        let named = self.cookies.iter().rev().filter(|cookie| cookie.name == name);
        named.max_by_key(|cookie| cookie.path.len())
    }
}

impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jar{:?}", self.names())
    }
}

#[cfg(test)]
#[path = "jar_test.rs"]
mod tests;

#[cfg(test)]
#[path = "deletion_test.rs"]
mod deletion_tests;
