//! The small types that a definition is made of. Each reads itself from what is written, and says
//! what would be right; once there is one, nobody checks it again.

use super::headers::is_reserved;
use super::problem::{Checked, Problem};
use serde::Serialize;
use serde_json::Value;
use url::Url;

/// A type that holds what a check made of what is written.
macro_rules! leaf {
    ($(#[$about:meta])* $name:ident($inner:ty as $target:ty) from $written:ty, $read:expr) => {
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name($inner);

        impl $name {
            pub(super) fn read(written: $written) -> $crate::provider::problem::Checked<Self> {
                let read: fn($written) -> $crate::provider::problem::Checked<$inner> = $read;
                read(written).map($name)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                Self::read(<$written>::deserialize(from)?).map_err(serde::de::Error::custom)
            }
        }

        impl std::ops::Deref for $name {
            type Target = $target;

            fn deref(&self) -> &$target {
                &self.0
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                <$written>::json_schema(generator)
            }
        }
    };
}
pub(super) use leaf;

macro_rules! shown_as_written {
    ($($name:ident)*) => {
        $(impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        })*
    };
}

shown_as_written! { Address CookieName Pointer }

leaf! {
    /// A JSON pointer (RFC 6901): empty for the whole, else with a slash before each name.
    #[derive(Default, PartialOrd, Ord, Serialize)]
    Pointer(String as str) from String, |text| {
        if text.is_empty() || text.starts_with('/') {
            return Ok(text);
        }
        Err(Problem::new(format!("'{text}' is not a JSON pointer")).with_hint(format!(
            "Write it with a slash before each name, as in \"/{}\".",
            text.replace('.', "/")
        )))
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
    CookieName(String as str) from String, |text| {
        if is_token(&text) {
            return Ok(text);
        }
        Err(Problem::new(format!("'{text}' is not the name of a cookie")))
    }
}

leaf! {
    /// The name of a header that a provider file may set.
    #[derive(PartialOrd, Ord)]
    HeaderName(String as str) from String, |text| {
        if !is_token(&text) {
            return Err(Problem::new("this is not the name of a header"));
        }
        if is_reserved(&text) || text.eq_ignore_ascii_case("authorization") {
            return Err(Problem::new("Sessionkeeper sets this header itself").with_hint(
                "Cookies are sent by themselves; a token goes along with `bearer = true`.",
            ));
        }
        Ok(text)
    }
}

leaf! {
    /// A path below the data directory, with '/' between plain parts.
    #[derive(Serialize)]
    RelativePath(String as str) from String, |text| {
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
    Address(Url as Url) from String, |text| {
        if let Some((name, _)) = text.split_once('{').and_then(|(_, rest)| rest.split_once('}')) {
            return Err(Problem::new(format!("no parameter is called '{name}'")).with_hint(
                "An address holds parameters only; what changes goes into its `query`.",
            ));
        }
        Url::parse(&text).map_err(|_| {
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

leaf! {
    /// HTTP statuses, at least one.
    #[derive(Serialize)]
    StatusList(Vec<u16> as [u16]) from Vec<u16>, |statuses| {
        if statuses.is_empty() {
            return Err(Problem::new("name at least one status, as in [401]"));
        }
        match statuses.iter().find(|status| !(100..600).contains(*status)) {
            Some(odd) => Err(Problem::new(format!("{odd} is not an HTTP status"))),
            None => Ok(statuses),
        }
    }
}

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

leaf! {
    /// A request's method: GET, POST or DELETE.
    #[derive(Serialize)]
    Method(String as str) from String, |text| {
        one_of(&text, &["GET", "POST", "DELETE"])?;
        Ok(text)
    }
}

impl Method {
    /// One that is written in the source.
    pub(super) fn fixed(text: &'static str) -> Self {
        Method(text.to_owned())
    }

    /// Refuses what is not sent at this place.
    pub(super) fn check(&self, allowed: &[&str]) -> Checked {
        one_of(self, allowed)
    }
}

fn one_of(method: &str, allowed: &[&str]) -> Checked {
    if allowed.contains(&method) {
        return Ok(());
    }
    Err(Problem::new(format!("'{method}' is not a method that is sent here"))
        .with_hint(format!("Write one of \"{}\".", allowed.join("\", \""))))
}

leaf! {
    /// What an answer holds where it proves something.
    Scalar(Value as Value) from Value, |value| {
        if value.is_string() || value.is_i64() || value.is_boolean() {
            return Ok(value);
        }
        Err(Problem::unexpected("a text, a number, true or false", &value))
    }
}
