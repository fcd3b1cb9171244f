//! What the server's answer to a logout, or the lack of one, means for the session.

use serde::de::IntoDeserializer;
use serde::de::value::Error;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Revoked,
    AlreadyEnded,
    Deferred,
    Unconfirmed,
    // After the logout the server still accepts the session.
    Alive,
    Rejected,
    // Nobody was logged in.
    NothingToRevoke,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Revoked => "revoked",
            Outcome::AlreadyEnded => "already_ended",
            Outcome::Deferred => "deferred",
            Outcome::Unconfirmed => "unconfirmed",
            Outcome::Alive => "alive",
            Outcome::Rejected => "rejected",
            Outcome::NothingToRevoke => "nothing_to_revoke",
        }
    }

    /// `None`: no outcome has this name.
    pub fn named(name: &str) -> Option<Self> {
        Outcome::deserialize(IntoDeserializer::<Error>::into_deserializer(name)).ok()
    }

    /// True when there is nothing more to tell the server.
    pub fn is_final(self) -> bool {
        matches!(self, Outcome::Revoked | Outcome::AlreadyEnded | Outcome::NothingToRevoke)
    }
}
