//! The words of the audit trail: what happened, to whom and how it ended. Holds no secret.

use crate::clock::UnixTime;
use serde::Serialize;

/// What happened. The names are part of the command line's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Login,
    // A session from elsewhere was taken over.
    Adopted,
    Restored,
    Renewed,
    SessionExpired,
    Logout,
    Revoked,
    RevocationRejected,
    RevocationExpired,
    // More waited than the outbox holds.
    RevocationDropped,
    TlsFailure,
    VaultDamaged,
    Forgotten,
    Switched,
    TaskDone,
    TaskFailed,
    AuditSinkFailed,
    Update,
    // The viewer's word on an add-on, which is the detail.
    Permission,
    // Her word on an address without encryption, which is the detail.
    Unencrypted,
}

impl Event {
    pub fn as_str(self) -> &'static str {
        match self {
            Event::Login => "login",
            Event::Adopted => "adopted",
            Event::Restored => "restored",
            Event::Renewed => "renewed",
            Event::SessionExpired => "session_expired",
            Event::Logout => "logout",
            Event::Revoked => "revoked",
            Event::RevocationRejected => "revocation_rejected",
            Event::RevocationExpired => "revocation_expired",
            Event::RevocationDropped => "revocation_dropped",
            Event::TlsFailure => "tls_failure",
            Event::VaultDamaged => "vault_damaged",
            Event::Forgotten => "forgotten",
            Event::Switched => "switched",
            Event::TaskDone => "task_done",
            Event::TaskFailed => "task_failed",
            Event::AuditSinkFailed => "audit_sink_failed",
            Event::Update => "update",
            Event::Permission => "permission",
            Event::Unencrypted => "unencrypted",
        }
    }
}

/// A line to be written. `outcome` and `detail` are our words, never the server's text.
#[derive(Clone, Debug)]
pub struct NewAuditEvent {
    pub event: Event,
    pub provider: String,
    pub account: String,
    /// "ok", the `Outcome` of a logout, or an error's code.
    pub outcome: String,
    pub detail: String,
}

impl NewAuditEvent {
    pub fn new(event: Event, provider: &str, account: &str, outcome: &str) -> Self {
        NewAuditEvent {
            event,
            provider: provider.to_owned(),
            account: account.to_owned(),
            outcome: outcome.to_owned(),
            detail: String::new(),
        }
    }

    #[must_use]
    pub fn with_detail(self, detail: &str) -> Self {
        NewAuditEvent { detail: detail.to_owned(), ..self }
    }
}

/// A line of the trail, oldest first by `seq`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditEvent {
    /// Counts up by one. Trust this order: clocks get changed.
    pub seq: i64,
    pub at: UnixTime,
    #[cfg_attr(test, schemars(with = "Event"))]
    pub event: String,
    pub provider: String,
    pub account: String,
    pub outcome: String,
    pub detail: String,
}
