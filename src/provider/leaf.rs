//! The small types that a definition is made of. Each reads itself from what is written, or says in
//! one sentence what would be right; nobody checks it again.

use super::headers::is_reserved;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

/// A type that holds what a check made of what is written.
macro_rules! leaf {
    ($(#[$about:meta])* $name:ident($inner:ty as $target:ty)
        from $text:literal $written:ty, $read:expr) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(try_from = $text)]
        pub struct $name(#[cfg_attr(test, schemars(with = $text))] $inner);

        impl TryFrom<$written> for $name {
            type Error = String;

            fn try_from(written: $written) -> Result<Self, String> {
                let read: fn($written) -> Result<$inner, String> = $read;
                read(written).map($name)
            }
        }

        impl std::ops::Deref for $name {
            type Target = $target;

            fn deref(&self) -> &$target {
                &self.0
            }
        }
    };
}
pub(super) use leaf;

leaf! {
    /// A JSON pointer (RFC 6901): empty for the whole, else with a slash before each name.
    #[derive(Default, PartialOrd, Ord, Serialize)]
    Pointer(String as str) from "String" String, |text| {
        if text.is_empty() || text.starts_with('/') {
            return Ok(text);
        }
        let right = text.replace('.', "/");
        Err(format!("'{text}' is not a JSON pointer: each name has a slash, as in \"/{right}\""))
    }
}

impl Pointer {
    /// One that is written in the source.
    pub(super) fn fixed(text: &'static str) -> Self {
        Pointer(text.to_owned())
    }
}

leaf! {
    /// The name of a cookie (RFC 6265 section 4.1.1).
    CookieName(String as str) from "String" String, |text| {
        if is_token(&text) {
            return Ok(text);
        }
        Err(format!("'{text}' is not the name of a cookie"))
    }
}

leaf! {
    /// The name of a header that a provider file may set.
    #[derive(PartialOrd, Ord)]
    HeaderName(String as str) from "String" String, |text| {
        if !is_token(&text) {
            return Err(format!("'{text}' is not the name of a header"));
        }
        if is_reserved(&text) || text.eq_ignore_ascii_case("authorization") {
            let ours = "cookies are sent by themselves, and a token with `bearer = true`";
            return Err(format!("Sessionkeeper sets this header itself: {ours}"));
        }
        Ok(text)
    }
}

leaf! {
    /// A path below the data directory, with '/' between plain parts.
    #[derive(Serialize)]
    RelativePath(String as str) from "String" String, |text| {
        let is_odd = |part: &str| {
            matches!(part, "" | "." | "..")
                || part.ends_with(['.', ' '])
                || part.contains(|c: char| c.is_control() || "\\:*?\"<>|".contains(c))
        };
        if text.split('/').any(is_odd) {
            return Err(format!(
                "'{text}' is not a path below the data directory, as in \"cache/thumbnails\""
            ));
        }
        let first = text.split('/').next().unwrap_or_default().to_lowercase();
        let is_ours = ["keys", "providers"].contains(&first.as_str()) || OURS.iter().any(|ours| first.starts_with(ours));
        if is_ours || first.rsplit('.').next() == Some("lock") {
            return Err(format!("'{text}' is kept by Sessionkeeper or Kodi itself"));
        }
        Ok(text)
    }
}

/// How the names begin of what Sessionkeeper and Kodi keep in the data directory themselves.
const OURS: [&str; 4] = ["vault", "device", "sessionkeeper.log", "settings.xml"];

/// RFC 9110 section 5.6.2, `token`.
fn is_token(text: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(good)
}

leaf! {
    /// An address in full. Whether requests may go there, `Hosts` says.
    Address(Url as Url) from "String" String, |text| {
        if let Some((name, _)) = text.split_once('{').and_then(|(_, rest)| rest.split_once('}')) {
            return Err(format!(
                "no parameter is called '{name}'; what changes by itself goes into the `query`"
            ));
        }
        let url = Url::parse(&text).map_err(|_| {
            format!("'{text}' is not an address in full, as in \"https://www.example.com/path\"")
        })?;
        if url.port() == Some(0) {
            return Err(format!("'{text}' names the port 0, where no server can listen"));
        }
        Ok(url)
    }
}

impl Address {
    pub fn to_url(&self) -> Url {
        self.0.clone()
    }
}

leaf! {
    /// A page for people: an address with http or https.
    Website(Address as Address) from "String" String, |text| {
        let address = Address::try_from(text)?;
        if matches!(address.scheme(), "https" | "http") {
            return Ok(address);
        }
        Err(format!("'{}' is no web page: write it as in \"https://www.example.com\"", *address))
    }
}

leaf! {
    /// HTTP statuses of a refusal, at least one: none that is also given to what succeeds, or by a
    /// server that cannot say now.
    #[derive(Serialize)]
    RefusalStatuses(Vec<u16> as [u16]) from "Vec<u16>" Vec<u16>, |statuses| {
        told_by(statuses, |status| {
            (300..500).contains(&status) && !matches!(status, 408 | 425 | 429)
        })
    }
}

impl RefusalStatuses {
    pub(super) fn unauthorized() -> Self {
        RefusalStatuses(vec![401])
    }
}

leaf! {
    /// An HTTP status.
    Status(u16 as u16) from "u16" u16, |status| {
        if (100..600).contains(&status) {
            return Ok(status);
        }
        Err(format!("{status} is not an HTTP status"))
    }
}

leaf! {
    /// HTTP statuses of what succeeds, redirects included, at least one: none of an error.
    #[derive(Serialize)]
    SuccessStatuses(Vec<u16> as [u16]) from "Vec<u16>" Vec<u16>, |statuses| {
        told_by(statuses, |status| (200..400).contains(&status))
    }
}

leaf! {
    /// HTTP statuses of what is not there any more, at least one.
    #[derive(Serialize)]
    GoneStatuses(Vec<u16> as [u16]) from "Vec<u16>" Vec<u16>, |statuses| {
        told_by(statuses, |status| matches!(status, 200..300 | 404 | 410))
    }
}

impl GoneStatuses {
    pub(super) fn deleted() -> Self {
        GoneStatuses(vec![200, 204])
    }
}

/// The statuses, at least one, where each of them `can_tell` what the key is about.
fn told_by(statuses: Vec<u16>, can_tell: fn(u16) -> bool) -> Result<Vec<u16>, String> {
    if statuses.is_empty() {
        return Err("name at least one status, as in [401]".to_owned());
    }
    match statuses.iter().find(|status| !can_tell(**status)) {
        Some(odd) if (100..600).contains(odd) => {
            Err(format!("{odd} cannot tell: a server answers it for other reasons as well"))
        }
        Some(odd) => Err(format!("{odd} is not an HTTP status")),
        None => Ok(statuses),
    }
}

/// A request's method: GET, POST or DELETE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
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
}

leaf! {
    /// What an answer holds where it proves something.
    Scalar(Value as Value) from "Value" Value, |value| {
        if value.is_string() || value.is_i64() || value.is_boolean() {
            return Ok(value);
        }
        Err("expected a text, a whole number, true or false".to_owned())
    }
}
