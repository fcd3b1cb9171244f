//! The one error of the crate: a kind with a stable code, a message that is safe to show, a hint.
//!
//! The code is also the name of the Python exception and of the localised text, so it never
//! changes. No message holds a URL's query, a header, a body or a secret: what comes from another
//! library is described in our words where it enters (see `http::client`).

use serde::{Serialize, Serializer};
use std::fmt;

/// What went wrong, by what the user can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(with = "String"))]
#[non_exhaustive]
pub enum Kind {
    /// An argument is unusable (an empty user name, a header with a line break).
    InvalidInput,
    /// No provider of that name.
    UnknownProvider,
    /// A provider file that cannot be used; the message names the key.
    InvalidProvider,
    /// The operation needs a session, and nobody is logged in.
    NotSignedIn,
    /// Somebody is logged in, and the viewer has not allowed the calling add-on to use the account.
    NeedsPermission,
    /// The server refused the user name or the password.
    CredentialsRefused,
    /// The service asks for something more, and nobody is there to answer.
    AnswerNeeded,
    /// What the user answered is wrong, as often as it was asked for.
    AnswerRefused,
    /// The user, or the service, said no to this device.
    LoginDenied,
    /// The code for this device was not entered in time.
    CodeExpired,
    /// No account of that id is stored.
    UnknownAccount,
    /// The provider file leaves something open that was not given.
    ParameterMissing,
    /// The session is over at the server; only a new login helps.
    SessionExpired,
    /// The server answered, but not with what the provider file describes.
    UnexpectedAnswer,
    /// The server could not be reached, or the connection broke.
    Network(Fault),
    /// The service is reached without encryption, and the viewer has not agreed to that.
    EncryptionMissing,
    /// A request, redirect or cookie would have left the provider's hosts.
    HostNotAllowed,
    /// The caller cancelled, or Kodi is shutting down.
    Cancelled,
    /// The data directory, the vault or the device key cannot be read or written.
    Storage,
    /// The disk refused to forget the session, and the server was not reached either.
    LogoutIncomplete,
    /// The other part of the program has another version.
    VersionMismatch,
    /// A bug: a panic that was caught, a broken invariant.
    Internal,
}

/// Where the network failed. Every one of them is worth another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    Dns,
    Connect,
    Tls,
    Timeout,
    Reset,
    Malformed,
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl Kind {
    /// The stable code: the Python exception, the JSON error, the localised string.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::InvalidInput => "invalid_input",
            Kind::UnknownProvider => "unknown_provider",
            Kind::InvalidProvider => "invalid_provider",
            Kind::NotSignedIn => "not_signed_in",
            Kind::NeedsPermission => "needs_permission",
            Kind::CredentialsRefused => "credentials_refused",
            Kind::AnswerNeeded => "answer_needed",
            Kind::AnswerRefused => "answer_refused",
            Kind::LoginDenied => "login_denied",
            Kind::CodeExpired => "code_expired",
            Kind::UnknownAccount => "unknown_account",
            Kind::ParameterMissing => "parameter_missing",
            Kind::SessionExpired => "session_expired",
            Kind::UnexpectedAnswer => "unexpected_answer",
            Kind::Network(Fault::Tls) => "tls_failure",
            Kind::Network(Fault::Timeout) => "timeout",
            Kind::Network(_) => "network_error",
            Kind::EncryptionMissing => "encryption_missing",
            Kind::HostNotAllowed => "host_not_allowed",
            Kind::Cancelled => "cancelled",
            Kind::Storage => "storage_error",
            Kind::LogoutIncomplete => "logout_incomplete",
            Kind::VersionMismatch => "version_mismatch",
            Kind::Internal => "internal_error",
        }
    }
}

/// An error that is safe to show and to log. `Display` is the message alone.
#[derive(Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Error {
    #[serde(rename = "code")]
    kind: Kind,
    message: String,
    hint: String,
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// `message` says what is wrong, in words that hold no secret.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error { kind, message: message.into(), hint: String::new() }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn code(&self) -> &'static str {
        self.kind.as_str()
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the user can do about it; empty where the message says it all.
    pub fn hint(&self) -> &str {
        &self.hint
    }

    pub fn is_network(&self) -> bool {
        matches!(self.kind, Kind::Network(_))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({}: {})", self.code(), self.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_the_ones_python_knows() {
        assert_eq!(Kind::Network(Fault::Dns).as_str(), "network_error");
        assert_eq!(Kind::Network(Fault::Tls).as_str(), "tls_failure");
        assert_eq!(Kind::Network(Fault::Timeout).as_str(), "timeout");
        assert_eq!(Kind::CredentialsRefused.as_str(), "credentials_refused");
    }

    #[test]
    fn the_message_is_shown_without_the_hint() {
        let error = Error::new(Kind::Storage, "the disk is full").with_hint("free some space");
        assert_eq!(error.to_string(), "the disk is full");
        assert_eq!(error.hint(), "free some space");
        assert_eq!(format!("{error:?}"), "Error(storage_error: the disk is full)");
    }
}
