//! What is to be sent, and the check that nothing in it can break out of its place.
//!
//! The client alone sets `Cookie`, `Host`, the body's length and what concerns the connection; a
//! caller that names one of those headers is refused, and one that names `Authorization`, which
//! comes from `bearer`.

use crate::error::{Error, Kind, Result};
use crate::provider::{RequestTemplate, Values, is_reserved};
use crate::secret::Secret;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue};
use std::fmt;
use url::Url;
use zeroize::Zeroizing;

/// One request. `Debug` shows the method and the address without its query.
#[derive(Clone)]
pub struct Request {
    pub method: String,
    pub url: Url,
    pub headers: Vec<(String, String)>,
    /// Sent as `Authorization: Bearer`, and never to another origin.
    pub bearer: Option<Secret>,
    pub body: Option<Body>,
    /// False: the jar's cookies are not sent, and the answer's are not taken.
    pub send_cookies: bool,
    /// True: a 307 or 308 within its origin gets the same request again, body and all.
    pub may_repeat: bool,
}

/// A request's body, zeroed when it is dropped.
#[derive(Clone)]
pub struct Body {
    /// A `Content-Type` among the request's headers wins over this one.
    pub content_type: Option<String>,
    pub bytes: Zeroizing<Vec<u8>>,
}

impl Request {
    /// A request without a body, with the jar's cookies.
    pub fn new(method: impl Into<String>, url: Url) -> Self {
        Request {
            method: method.into(),
            url,
            headers: Vec::new(),
            bearer: None,
            body: None,
            send_cookies: true,
            may_repeat: false,
        }
    }

    pub fn get(url: Url) -> Self {
        Request::new("GET", url)
    }

    /// A request as a provider file describes it, to `url`, with `values` in the places of the
    /// rest.
    pub fn filled(template: RequestTemplate, mut url: Url, values: &Values) -> Self {
        if !template.query.is_empty() {
            let mut query = url.query_pairs_mut();
            for (name, template) in template.query {
                query.append_pair(name, template.fill(values).expose());
            }
        }
        let method = template.method.as_str().to_owned();
        let mut request = if let Some(json) = template.json {
            Request::new(method, url).with_body("application/json", json.fill(values))
        } else if template.form.is_empty() {
            Request::new(method, url)
        } else {
            let filled: Vec<(&str, Secret)> =
                template.form.iter().map(|(name, text)| (&**name, text.fill(values))).collect();
            let fields: Vec<_> = filled.iter().map(|(name, text)| (*name, text.expose())).collect();
            Request { method, ..Request::post_form(url, &fields) }
        };
        for (name, template) in template.headers {
            request = request.with_header(name, template.fill(values).expose());
        }
        request
    }

    /// The same, which says that it wants JSON, unless the file says what it wants.
    #[must_use]
    pub fn accepting_json(self) -> Self {
        let is_accept = |(name, _): &(String, String)| name.eq_ignore_ascii_case("accept");
        if self.headers.iter().any(is_accept) {
            return self;
        }
        self.with_header("Accept", "application/json")
    }

    /// A form as a browser sends it.
    pub fn post_form(url: Url, fields: &[(&str, &str)]) -> Self {
        // Room for everything at once: a buffer that grows leaves a copy of a password behind.
        let room = fields.iter().map(|(name, value)| 3 * (name.len() + value.len()) + 2).sum();
        let mut form = url::form_urlencoded::Serializer::new(String::with_capacity(room));
        form.extend_pairs(fields);
        let body = form.finish().into_bytes();
        Request::new("POST", url).with_body("application/x-www-form-urlencoded", body)
    }

    #[must_use]
    pub fn with_body(mut self, content_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let content_type = Some(content_type.to_owned());
        self.body = Some(Body { content_type, bytes: Zeroizing::new(bytes.into()) });
        self
    }

    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn with_bearer(mut self, token: Secret) -> Self {
        self.bearer = Some(token);
        self
    }

    #[must_use]
    pub fn without_cookies(mut self) -> Self {
        self.send_cookies = false;
        self
    }

    /// The checked method.
    pub(super) fn checked_method(&self) -> Result<Method> {
        match Method::from_bytes(self.method.as_bytes()) {
            Ok(Method::CONNECT | Method::TRACE) | Err(_) => {
                Err(Error::new(Kind::InvalidInput, "this request method cannot be used"))
            }
            Ok(method) => Ok(method),
        }
    }

    /// The checked headers, with everything but the cookies.
    pub(super) fn checked_headers(&self) -> Result<HeaderMap> {
        let mut map = check_headers(&self.headers)?;
        if let Some(content_type) = self.body.as_ref().and_then(|body| body.content_type.as_ref()) {
            let refuse = |_| Error::new(Kind::InvalidInput, "the content type cannot be used");
            let value = HeaderValue::from_bytes(content_type.as_bytes()).map_err(refuse)?;
            map.entry(CONTENT_TYPE).or_insert(value);
        }
        if let Some(token) = &self.bearer {
            map.insert(AUTHORIZATION, secret_value(&format!("Bearer {}", token.expose()))?);
        }
        Ok(map)
    }
}

/// The headers that a caller may set, checked.
pub fn check_headers(headers: &[(String, String)]) -> Result<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| Error::new(Kind::InvalidInput, "a header's name cannot be used"))?;
        let refuse = |why: &str| Error::new(Kind::InvalidInput, format!("header {name} {why}"));
        if name == AUTHORIZATION || name == COOKIE {
            return Err(refuse("is set by the session itself").with_hint(
                "Leave it out: the session sends its own credentials, to the service's hosts only.",
            ));
        }
        if is_reserved(name.as_str()) {
            return Err(refuse("is set by Sessionkeeper itself").with_hint("Leave it out."));
        }
        let value = HeaderValue::from_bytes(value.as_bytes())
            .map_err(|_| refuse("contains characters that a header cannot carry"))?;
        map.append(name, value);
    }
    Ok(map)
}

/// A header value that no log shows.
pub(super) fn secret_value(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_bytes(text.as_bytes())
        .map_err(|_| Error::new(Kind::InvalidInput, "a credential cannot be sent in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A code that is asked for may be part of the path.
        write!(f, "Request({} {})", self.method, self.url.origin().ascii_serialization())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url() -> Url {
        Url::parse("https://www.angel.com/login?state=hunter2").unwrap()
    }

    #[test]
    fn nothing_breaks_out_of_a_header() {
        for (name, value) in [
            ("X-A", "b\r\nCookie: c=d"),
            ("X-A", "b\nc"),
            ("X-A", "b\0c"),
            ("X\r\nY", "hunter2"),
            ("", "hunter2"),
            ("X A", "hunter2"),
            ("Cookie", "a=b"),
            ("HOST", "evil.example"),
            ("Content-Length", "3"),
            ("Transfer-Encoding", "chunked"),
            ("Connection", "close"),
            ("Proxy-Authorization", "Basic eA=="),
            ("Authorization", "Basic eA=="),
        ] {
            let request = Request::get(url()).with_header(name, value);
            let error = request.checked_headers().unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidInput, "{name}");
            let mine = request.with_bearer(Secret::new("mine")).checked_headers();
            assert_eq!(mine.unwrap_err().message(), error.message(), "{name}");
            assert!(!error.message().contains(value), "{error}");
        }
        let token = Secret::new("a\r\nX: y");
        assert!(Request::get(url()).with_bearer(token).checked_headers().is_err());
        let body = Request::new("PUT", url()).with_body("text/plain\r\nX: y", "z");
        assert!(body.checked_headers().is_err());
    }

    #[test]
    fn the_bearer_token_is_beside_the_headers_and_not_shown() {
        let request =
            Request::get(url()).with_bearer(Secret::new("mine")).with_header("X-A", "p\u{e4}ss");
        let headers = request.checked_headers().unwrap();
        assert_eq!(headers[AUTHORIZATION], "Bearer mine");
        assert!(headers[AUTHORIZATION].is_sensitive());
        assert_eq!(headers["x-a"].as_bytes(), "p\u{e4}ss".as_bytes());
    }

    #[test]
    fn a_method_is_checked() {
        for bad in ["", "GE T", "GET\r\n", "CONNECT", "TRACE"] {
            assert!(Request::new(bad, url()).checked_method().is_err(), "{bad:?}");
        }
        assert_eq!(Request::new("PATCH", url()).checked_method().unwrap(), Method::PATCH);
    }

    #[test]
    fn a_form_is_written_as_browsers_do_and_not_shown() {
        let request =
            Request::post_form(url(), &[("email", "viewer@example.com"), ("p", "a b&\u{e4}")]);
        let body = request.body.as_ref().unwrap();
        assert_eq!(&**body.bytes, b"email=viewer%40example.com&p=a+b%26%C3%A4");
        let shown = format!("{request:?}{body:?}");
        assert!(!shown.contains("viewer") && !shown.contains("hunter2"), "{shown}");
    }
}
