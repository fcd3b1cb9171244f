//! What came back: status, headers, cookies, a body up to its limit. Decides nothing about it.
//!
//! `Debug` shows the status, the address without its query, and the headers' names.

use super::retry_after::{self, parse_http_date};
use crate::clock::UnixTime;
use crate::error::{Error, Kind, Result};
use reqwest::StatusCode;
use std::fmt;
use std::time::Duration;
use url::Url;

/// An answer with its whole body, or as much of it as we take.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    /// Where it came from; after redirects, the last address.
    pub url: Url,
    /// In the order they came, names in lower case, without the `Set-Cookie` headers.
    pub headers: Vec<(String, String)>,
    /// Each `Set-Cookie` header on its own.
    pub set_cookies: Vec<String>,
    pub body: Vec<u8>,
    /// True when the body was longer than what is kept.
    pub is_cut: bool,
    /// True when the request had the access token in its `Authorization` header.
    pub had_credential: bool,
}

impl Answer {
    /// The first header of that name; letter case does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers_named(name).next()
    }

    fn headers_named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let is_named = move |(own, _): &&(String, String)| own.eq_ignore_ascii_case(name);
        self.headers.iter().filter(is_named).map(|(_, value)| value.as_str())
    }

    /// What the standard calls the status; empty where it has no name for it.
    pub fn reason(&self) -> &'static str {
        let status = StatusCode::from_u16(self.status).ok();
        status.and_then(|status| status.canonical_reason()).unwrap_or_default()
    }

    /// True for the statuses that ask us to go somewhere else.
    pub fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }

    /// Where the answer points to, resolved against its own address; `None` without a `Location`.
    ///
    /// What browsers repair is refused: an empty value, control characters and white space, a
    /// backslash, two values that differ. Whether we may go there is for `Hosts` to say.
    pub fn location(&self) -> Option<Result<Url>> {
        let mut values = self.headers_named("location");
        let text = values.next()?;
        let refuse = |why: &str| {
            let host = self.url.host_str().unwrap_or_default();
            Some(Err(Error::new(
                Kind::UnexpectedAnswer,
                format!("{host} sent a redirect that cannot be used: {why}"),
            )))
        };
        if values.any(|other| other != text) {
            return refuse("it names two places");
        }
        if text.is_empty() {
            return refuse("it names no place");
        }
        let is_odd =
            |c: char| c.is_control() || c.is_whitespace() || c == char::REPLACEMENT_CHARACTER;
        if text.contains(is_odd) || text.contains('\\') {
            return refuse("it contains characters that do not belong there");
        }
        match self.url.join(text) {
            Ok(mut url) => {
                url.set_fragment(None);
                Some(Ok(url))
            }
            Err(_) => refuse("it is not an address"),
        }
    }

    /// How long the server asks us to wait: between 1 s and 24 h, whatever it says.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after::parse(self.headers_named("retry-after"), self.date())
    }

    /// The server's own idea of the time.
    pub fn date(&self) -> Option<UnixTime> {
        self.header("date").and_then(parse_http_date)
    }

    /// The body as text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("url", &url.as_str())
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&str, &str)]) -> Answer {
        Answer {
            status: 302,
            url: Url::parse("https://www.angel.com/auth/login?state=secret").unwrap(),
            headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            set_cookies: vec!["a=secret".to_owned()],
            body: b"secret".to_vec(),
            is_cut: false,
            had_credential: false,
        }
    }

    #[test]
    fn debug_shows_nothing_secret() {
        let text = format!("{:?}", answer(&[("x-token", "secret")]));
        assert!(text.contains("x-token") && text.contains("302") && text.contains("/auth/login"));
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn a_location_is_resolved_or_refused() {
        for (location, expected) in [
            ("/watch", Some("https://www.angel.com/watch")),
            ("callback?code=1#x", Some("https://www.angel.com/auth/callback?code=1")),
            ("?a", Some("https://www.angel.com/auth/login?a")),
            ("//evil.example/x", Some("https://evil.example/x")), // for Hosts to refuse
            ("https://auth.angel.com/", Some("https://auth.angel.com/")),
            ("", None),
            ("/\\evil.example", None),
            ("\\\\evil.example", None),
            ("/a\tb", None),
            ("/a b", None),
            ("/a\r\nSet-Cookie: x=y", None),
            ("https://[::1", None),
            ("https://\u{fffd}", None),
        ] {
            let found = answer(&[("Location", location)]).location().unwrap();
            assert_eq!(found.ok().as_ref().map(Url::as_str), expected, "{location:?}");
        }
        assert!(answer(&[]).location().is_none());
        assert!(answer(&[("location", "/a"), ("location", "/b")]).location().unwrap().is_err());
        assert!(answer(&[("location", "/a"), ("location", "/a")]).location().unwrap().is_ok());
    }

    #[test]
    fn the_wait_counts_from_the_answers_own_date() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let later = ("retry-after", "Sun, 06 Nov 1994 08:49:47 GMT");
        assert_eq!(answer(&[date, later]).retry_after(), Some(Duration::from_secs(10)));
        assert_eq!(answer(&[date]).retry_after(), None);
    }
}
