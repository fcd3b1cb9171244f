//! What the keeper tells: plain data for Python and the command line. Times are Unix seconds, UTC.
//! No secret is in any of them.

use crate::backoff::Outcome;
use crate::clock::UnixTime;
use crate::provider::id_of;
use crate::session::{Account, Session};
use crate::vault::OutboxEntry;
use serde::Serialize;

/// The keys that the command line promises, and no others.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// "signed_in", "signed_out" or "expired".
    pub state: &'static str,
    pub provider: String,
    pub account: Option<Account>,
    pub expires_at: Option<UnixTime>,
    pub renewable: bool,
    pub cookies: Vec<String>,
    pub pending_revocations: u64,
}

impl Status {
    pub(super) fn signed_out(provider: &str, pending: u64) -> Self {
        Status {
            state: "signed_out",
            provider: provider.to_owned(),
            account: None,
            expires_at: None,
            renewable: false,
            cookies: Vec::new(),
            pending_revocations: pending,
        }
    }

    pub(super) fn of(session: &Session, has_lapsed: bool, renewable: bool, pending: u64) -> Self {
        Status {
            state: if has_lapsed { "expired" } else { "signed_in" },
            provider: id_of(&session.provider).to_owned(),
            account: Some(session.account.clone()),
            expires_at: session.expires_at,
            renewable,
            cookies: session.credentials.jar.names(),
            pending_revocations: pending,
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct Details {
    #[serde(flatten)]
    pub status: Status,
    pub signed_in_at: Option<UnixTime>,
    pub renewed_at: Option<UnixTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Local {
    Cleared,
    AlreadySignedOut,
}

/// What a logout came to.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub local: Local,
    /// An `Outcome`'s name, or "nothing_to_revoke".
    pub remote: &'static str,
    /// The HTTP status of the server's answer.
    pub status: Option<u16>,
    pub cookies_cleared: Vec<String>,
    pub duration_ms: u64,
    /// When the server's session ends by itself, as far as its credentials tell.
    pub expires_at: Option<UnixTime>,
    /// Why the outcome is what it is, in our words; may be empty.
    pub reason: String,
    /// Of a logout everywhere: how many sessions the server said that it ended, this one included.
    pub sessions_ended: Option<u32>,
    /// What went wrong with an audit log, the server's or an audit sink; empty where nothing did.
    pub audit_warning: String,
    /// What was done on this device afterwards, as far as it was done here.
    pub tasks: Vec<TaskLine>,
}

/// What became of one piece of post-logout work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskLine {
    pub name: String,
    /// "done" or "failed".
    pub outcome: &'static str,
    pub detail: String,
}

/// A stored account.
#[derive(Clone, Debug, Serialize)]
pub struct AccountLine {
    pub provider: String,
    pub account: Account,
    pub active: bool,
    /// "signed_in" or "expired".
    pub state: &'static str,
    pub expires_at: Option<UnixTime>,
    pub signed_in_at: UnixTime,
}

#[derive(Clone, Debug, Serialize)]
pub struct Accounts {
    pub accounts: Vec<AccountLine>,
}

#[derive(Clone, Debug, Serialize)]
pub struct EntryLine {
    pub id: i64,
    pub provider: String,
    pub account: String,
    pub created_at: UnixTime,
    pub expires_at: Option<UnixTime>,
    pub attempts: u32,
    pub next_attempt_at: UnixTime,
    pub last_outcome: String,
}

impl From<OutboxEntry> for EntryLine {
    fn from(entry: OutboxEntry) -> Self {
        EntryLine {
            id: entry.id,
            provider: id_of(&entry.revocation.provider).to_owned(),
            account: entry.revocation.account,
            created_at: entry.revocation.created_at,
            expires_at: entry.revocation.expires_at,
            attempts: entry.attempts,
            next_attempt_at: entry.next_attempt_at,
            last_outcome: entry.last_outcome,
        }
    }
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct Outbox {
    pub entries: Vec<EntryLine>,
}

/// What is left after a drain, and how many attempts ended in which way.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Drained {
    pub entries: Vec<EntryLine>,
    pub revoked: u32,
    pub already_ended: u32,
    pub deferred: u32,
    pub unconfirmed: u32,
    pub rejected: u32,
    /// Credentials that had ended by themselves.
    pub expired: u32,
}

impl Drained {
    pub(super) fn count(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Revoked => &mut self.revoked,
            Outcome::AlreadyEnded => &mut self.already_ended,
            Outcome::Deferred => &mut self.deferred,
            Outcome::Unconfirmed => &mut self.unconfirmed,
            Outcome::Rejected => &mut self.rejected,
        } += 1;
    }
}

/// When the service should come back.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Schedule {
    pub renew_at: Option<UnixTime>,
    pub drain_at: Option<UnixTime>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Forgotten {
    pub forgotten: bool,
    pub sessions: u64,
    /// Revocations that were given up with the key.
    pub pending_revocations: u64,
}
