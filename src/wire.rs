//! How single values are written and read: bytes as bytes or in hexadecimal digits, waits as seconds.
//! Nothing is kept here.

use crate::secret::Secret;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// No wait is longer than a day; a longer one is a mistake.
const LONGEST_WAIT: f64 = 86_400.0;

/// A wait, given in seconds: more than 0.
#[derive(Clone, Copy)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(inline))]
pub struct Seconds(#[cfg_attr(test, schemars(with = "f64"))] pub Duration);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        if seconds > 0.0 && seconds <= LONGEST_WAIT {
            return Ok(Seconds(Duration::from_secs_f64(seconds)));
        }
        Err(D::Error::custom(format_args!(
            "this has to be more than 0 and at most {LONGEST_WAIT} seconds"
        )))
    }
}

/// As [`Seconds`], or nothing.
pub fn optional_seconds<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    Ok(Option::<Seconds>::deserialize(deserializer)?.map(|wait| wait.0))
}

/// Two hexadecimal digits for each byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// A password, or the like: bytes of UTF-8, copied once, into the buffer of the secret.
pub fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
    let mut bytes = Bytes::deserialize(deserializer)?.0;
    String::from_utf8(std::mem::take(&mut *bytes)).map(Secret::new).map_err(|error| {
        drop(Zeroizing::new(error.into_bytes()));
        D::Error::custom("this is not UTF-8")
    })
}

/// As [`secret`], or nothing; that is written too.
pub fn optional_secret<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Secret>, D::Error> {
    struct Wrapped(Secret);
    impl<'de> Deserialize<'de> for Wrapped {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            secret(deserializer).map(Wrapped)
        }
    }
    Ok(Option::<Wrapped>::deserialize(deserializer)?.map(|wrapped| wrapped.0))
}

/// Bytes as they are; zeroed on drop.
pub struct Bytes(pub Zeroizing<Vec<u8>>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(BytesVisitor)
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(Zeroizing::new(bytes.to_vec())))
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Bytes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Bytes".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "binary" })
    }
}
