//! Who is logged in where, and with what: the data that the vault seals and the keeper hands
//! around.

mod carried;
pub mod claims;
mod credentials;
mod id_token;
mod outcome;

pub use carried::Carried;
pub use credentials::{ACCESS_TOKEN, Credentials, ID_TOKEN, REFRESH_TOKEN};
pub use id_token::IdToken;
pub use outcome::Outcome;

use crate::clock::UnixTime;
use serde::{Deserialize, Serialize};

/// The person at the provider. The id is the provider's own and stable; it is never empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Account {
    pub id: String,
    pub name: String,
    pub email: String,
}

/// One login of one account. Sealed as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// 32 hexadecimal digits, random at each login; binds an outbox entry to this login.
    pub id: String,
    /// The provider's key.
    pub provider: String,
    pub account: Account,
    /// Raised by the vault at each write; a write that names an older one is refused.
    pub generation: u64,
    pub signed_in_at: UnixTime,
    pub renewed_at: UnixTime,
    /// True when the server has renewed it at least once.
    pub was_renewed: bool,
    /// A session from elsewhere: the fingerprint of the credentials that were handed over, by which
    /// it is known when they come again; `None`: somebody logged in here.
    pub adopted_from: Option<String>,
    /// When the access token ends, as its claims or the server say; a hint only.
    pub expires_at: Option<UnixTime>,
    /// What the server gave.
    pub credentials: Credentials,
    /// The provider's definition at the login, for when nobody knows it any more.
    pub definition: String,
}

/// What the server has accepted of a session so far. Without it a refusal proves nothing: the same
/// request might be refused of a living session too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The probe's request was answered with success.
    pub probe_accepted: bool,
    /// A renewal succeeded, while the session was in use or since.
    pub renewal_accepted: bool,
    /// How many renewals have succeeded since the logout; each makes the session live longer.
    pub renewals: u32,
}

/// What the outbox needs to end a session at the server and to say whose it was, and nothing else.
/// Sealed as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// The session's id.
    pub session_id: String,
    pub provider: String,
    /// Where the logout goes first: its entries wait for one another there.
    pub host: String,
    /// The account's id.
    pub account: String,
    pub created_at: UnixTime,
    /// Not tried before this, so that only the logout that made it sends it first.
    pub first_attempt_at: UnixTime,
    /// When the last of the credentials ends by itself; `None` when they do not say.
    pub expires_at: Option<UnixTime>,
    /// What the logout and the probe send.
    pub credentials: Credentials,
    pub evidence: Evidence,
    /// True: the account's other sessions are to be ended as well.
    pub everywhere: bool,
    /// Whom a user logged out by it, and so waits for the word that the server has confirmed it;
    /// `None`: the session ended otherwise, and nobody waits.
    pub promised_to: Option<Account>,
    /// The provider's definition as it was at logout: the file may be gone when we come to it.
    pub definition: String,
}
