//! The small types that a definition is made of. Each reads itself from the text or the list that is
//! written, and says what would be right; once there is one, nobody checks it again.

use super::headers::is_reserved;
use super::problem::Problem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::ops::Deref;
use url::Url;

/// A text that was checked when it was read.
macro_rules! checked_text {
    ($(#[$about:meta])* $name:ident, $check:expr) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl TryFrom<String> for $name {
            type Error = Problem;

            fn try_from(text: String) -> Result<Self, Problem> {
                let check: fn(&str) -> Result<(), Problem> = $check;
                check(&text)?;
                Ok($name(text))
            }
        }

        impl Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

checked_text! {
    /// A JSON pointer (RFC 6901): empty for the whole, else with a slash before each name.
    Pointer, |text| {
        if text.is_empty() || text.starts_with('/') {
            return Ok(());
        }
        Err(Problem::new(format!("'{text}' is not a JSON pointer")).with_hint(format!(
            "Write it with a slash before each name, as in \"/{}\".",
            text.replace('.', "/")
        )))
    }
}

checked_text! {
    /// The name of a cookie (RFC 6265 section 4.1.1).
    CookieName, |text| {
        if is_token(text) {
            return Ok(());
        }
        Err(Problem::new(format!("'{text}' is not the name of a cookie")))
    }
}

checked_text! {
    /// The name of a header that a provider file may set.
    HeaderName, |text| {
        if !is_token(text) {
            return Err(Problem::new("this is not the name of a header"));
        }
        if is_reserved(text) || text.eq_ignore_ascii_case("authorization") {
            return Err(Problem::new("Sessionkeeper sets this header itself").with_hint(
                "Cookies are sent by themselves; a token goes along with `bearer = true`.",
            ));
        }
        Ok(())
    }
}

checked_text! {
    /// A path below the data directory, with '/' between plain parts.
    RelativePath, |text| {
        let is_odd = |part: &str| {
            matches!(part, "" | "." | "..")
                || part.ends_with(['.', ' '])
                || part.contains(|c: char| c.is_control() || "\\:*?\"<>|".contains(c))
        };
        if text.split('/').any(is_odd) {
            return Err(Problem::new(format!("'{text}' is not a path below the data directory"))
                .with_hint("Write it with '/' between the parts, as in \"cache/thumbnails\"."));
        }
        let first = text.split('/').next().unwrap_or_default().to_lowercase();
        let is_ours = first == "keys" || OURS.iter().any(|ours| first.starts_with(ours));
        if is_ours || first.rsplit('.').next() == Some("lock") {
            return Err(Problem::new(format!("'{text}' is kept by Sessionkeeper or Kodi itself")));
        }
        Ok(())
    }
}

/// How the names begin of what Sessionkeeper and Kodi keep in the data directory themselves.
const OURS: [&str; 4] = ["vault", "device", "sessionkeeper.log", "settings.xml"];

/// RFC 9110 section 5.6.2, `token`.
fn is_token(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(good)
}

/// An address in full. Whether requests may go there, `Hosts` says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String")]
pub struct Address(#[cfg_attr(test, schemars(with = "String"))] Url);

impl TryFrom<String> for Address {
    type Error = Problem;

    fn try_from(text: String) -> Result<Self, Problem> {
        if let Some((name, _)) = text.split_once('{').and_then(|(_, rest)| rest.split_once('}')) {
            return Err(Problem::new(format!("no parameter is called '{name}'")).with_hint(
                "An address holds parameters only; what changes goes into its `query`.",
            ));
        }
        Url::parse(&text).map(Address).map_err(|_| {
            Problem::new(format!("'{text}' is not an address"))
                .with_hint("Write it in full, as in \"https://www.example.com/path\".")
        })
    }
}

impl Address {
    pub fn to_url(&self) -> Url {
        self.0.clone()
    }
}

impl Deref for Address {
    type Target = Url;

    fn deref(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Pointer {
    /// One that is written in the source.
    pub(super) fn fixed(text: &'static str) -> Self {
        Pointer(text.to_owned())
    }
}

/// HTTP statuses, at least one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Vec<u16>")]
pub struct StatusList(Vec<u16>);

impl StatusList {
    /// The status of what is refused.
    pub(super) fn unauthorized() -> Self {
        StatusList(vec![401])
    }

    /// The statuses of what is deleted.
    pub(super) fn deleted() -> Self {
        StatusList(vec![200, 204])
    }
}

impl TryFrom<Vec<u16>> for StatusList {
    type Error = Problem;

    fn try_from(statuses: Vec<u16>) -> Result<Self, Problem> {
        if statuses.is_empty() {
            return Err(Problem::new("name at least one status, as in [401]"));
        }
        match statuses.iter().find(|status| !(100..600).contains(*status)) {
            Some(odd) => Err(Problem::new(format!("{odd} is not an HTTP status"))),
            None => Ok(StatusList(statuses)),
        }
    }
}

impl Deref for StatusList {
    type Target = [u16];

    fn deref(&self) -> &[u16] {
        &self.0
    }
}

/// A request's method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(!try_from))]
#[serde(rename_all = "UPPERCASE", try_from = "String")]
pub enum Method {
    Get,
    Post,
    Delete,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        }
    }

    /// Refuses what is not sent at this place.
    pub(super) fn check(self, allowed: &[Method]) -> Result<(), Problem> {
        if allowed.contains(&self) { Ok(()) } else { Err(not_sent(self.as_str(), allowed)) }
    }
}

impl TryFrom<String> for Method {
    type Error = Problem;

    fn try_from(text: String) -> Result<Self, Problem> {
        let all = [Method::Get, Method::Post, Method::Delete];
        all.into_iter().find(|method| method.as_str() == text).ok_or_else(|| not_sent(&text, &all))
    }
}

fn not_sent(method: &str, allowed: &[Method]) -> Problem {
    let allowed: Vec<String> =
        allowed.iter().map(|method| format!("\"{}\"", method.as_str())).collect();
    Problem::new(format!("'{method}' is not a method that is sent here"))
        .with_hint(format!("Write one of {}.", allowed.join(", ")))
}

/// What an answer holds where it proves something: a text, a number, true or false.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub struct Scalar(Value);

impl TryFrom<Value> for Scalar {
    type Error = Problem;

    fn try_from(value: Value) -> Result<Self, Problem> {
        if value.is_string() || value.is_i64() || value.is_boolean() {
            return Ok(Scalar(value));
        }
        Err(Problem::unexpected("a text, a number, true or false", &value))
    }
}

impl Deref for Scalar {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Scalar {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["boolean", "integer", "string"] })
    }
}
