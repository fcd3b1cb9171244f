//! What is said of an answer that is not what the provider file describes.

use crate::error::{Error, Kind};

/// For a request of a login that cannot be made.
pub fn lacks_value(name: &str) -> Error {
    unexpected(name, "cannot be asked for: a value that it needs is not there")
}

pub fn unexpected_status(name: &str, status: u16) -> Error {
    unexpected(name, &format!("answered with status {status}"))
}

pub fn unexpected(name: &str, why: &str) -> Error {
    Error::new(Kind::UnexpectedAnswer, format!("{name} {why}"))
        .with_hint("Try again later. If that does not help, the provider file has to be updated.")
}

/// For what the server's owner has switched off.
pub(super) fn unavailable(name: &str) -> Error {
    Error::new(Kind::UnexpectedAnswer, format!("{name} is switched off at the server"))
        .with_hint("Log in another way, or have it switched on there.")
}
