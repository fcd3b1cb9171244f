//! What the keeper tells: plain data for Python and the command line. Times are Unix seconds, UTC.
//! No secret is in any of them.

use crate::audit::AuditEvent;
use crate::clock::UnixTime;
use crate::events::Notification;
use crate::login::Device;
use crate::logout::Notes;
use crate::provider::{Audience, Login, LoginKind, Parameter, Provider, id_of};
use crate::session::{Account, Outcome, Session};
use crate::vault::{Confirmation, OutboxEntry, Permission, QueuedTask};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum State {
    SignedIn,
    // The access token seems to have ended.
    Expired,
    SignedOut,
    // Somebody is, and the viewer has not allowed the calling add-on to use the account.
    NeedsPermission,
}

impl State {
    pub(super) fn of_session(has_lapsed: bool) -> Self {
        if has_lapsed { State::Expired } else { State::SignedIn }
    }
}

/// The keys that the command line promises, and no others.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Status {
    pub state: State,
    pub provider: String,
    pub account: Option<Account>,
    pub expires_at: Option<UnixTime>,
    pub renewable: bool,
    pub cookies: Vec<String>,
    pub pending_revocations: u64,
}

impl Status {
    pub(super) fn without_session(state: State, provider: &str, pending: u64) -> Self {
        Status {
            state,
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
            state: State::of_session(has_lapsed),
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Details {
    #[serde(flatten)]
    pub status: Status,
    pub signed_in_at: Option<UnixTime>,
    pub renewed_at: Option<UnixTime>,
    /// When it is renewed next; `None` where that takes the user.
    pub renews_at: Option<UnixTime>,
    /// When it ends at the latest, unless a renewal also prolongs what renews it; `None` where
    /// nobody knows.
    pub ends_at: Option<UnixTime>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Local {
    Cleared,
    AlreadySignedOut,
}

/// The result of a logout.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LogoutReport {
    pub local: Local,
    pub remote: Outcome,
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
    #[serde(flatten)]
    pub notes: Notes,
    /// What was done on this device afterwards, as far as it was done here.
    pub tasks: Vec<TaskLine>,
}

/// What became of a session that an add-on hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TakeOver {
    // It is one of ours, or over: what held it is of no use any more.
    Taken,
    // It is none of this service, or nothing can tell whether it is good.
    NoSession,
    // Somebody else is logged in, who does not wait for it.
    Later,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TakenOver {
    pub how: TakeOver,
}

/// What is known of a session after its logout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    // The server has proved that it is dead.
    Proved,
    // The server is told later.
    Later,
    // Nothing is proved; it ends by itself at `expires_at`.
    ByItself,
    // Nothing is proved, nor known of its end.
    Unknown,
    // This device could not be logged out, or its vault not be read, or the server will not be told.
    Failed,
}

/// What a logout of everything did about one account.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LogoutAllEntry {
    /// The add-on whose private vault the account was in; empty for the keeper's own.
    pub addon: String,
    /// The provider's id; empty where the vault could not be read.
    pub provider: String,
    pub provider_name: String,
    /// `None`: the vault could not be read.
    pub account: Option<Account>,
    pub conclusion: Conclusion,
    /// `None` where it failed, and of a vault that could not be read.
    pub remote: Option<Outcome>,
    pub status: Option<u16>,
    pub expires_at: Option<UnixTime>,
    pub reason: String,
}

impl LogoutAllEntry {
    /// Of a vault of which nobody knows who is logged in: it cannot be read.
    pub(super) fn of_vault(addon: &str, reason: &str) -> Self {
        LogoutAllEntry {
            addon: addon.to_owned(),
            provider: String::new(),
            provider_name: String::new(),
            account: None,
            conclusion: Conclusion::Failed,
            remote: None,
            status: None,
            expires_at: None,
            reason: reason.to_owned(),
        }
    }

    pub(super) fn conclude(&mut self, remote: Outcome, expires_at: Option<UnixTime>) {
        self.remote = Some(remote);
        self.expires_at = expires_at;
        self.conclusion = match remote {
            Outcome::Revoked | Outcome::AlreadyEnded => Conclusion::Proved,
            Outcome::Deferred => Conclusion::Later,
            _ if expires_at.is_some() => Conclusion::ByItself,
            _ => Conclusion::Unknown,
        };
    }
}

/// The result of a logout of everything: each account, and how many came to which conclusion.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LogoutAll {
    pub entries: Vec<LogoutAllEntry>,
    pub proved: u32,
    pub later: u32,
    pub by_itself: u32,
    pub unknown: u32,
    pub failed: u32,
    /// The logouts that wait for their servers in all of these vaults, earlier ones included; `None`
    /// where one of the vaults could not be read.
    pub pending_revocations: Option<u64>,
}

impl LogoutAll {
    pub(super) fn new(entries: Vec<LogoutAllEntry>, pending_revocations: Option<u64>) -> Self {
        let count = |conclusion| {
            let such = entries.iter().filter(|entry| entry.conclusion == conclusion).count();
            u32::try_from(such).unwrap_or(u32::MAX)
        };
        LogoutAll {
            proved: count(Conclusion::Proved),
            later: count(Conclusion::Later),
            by_itself: count(Conclusion::ByItself),
            unknown: count(Conclusion::Unknown),
            failed: count(Conclusion::Failed),
            entries,
            pending_revocations,
        }
    }
}

/// How one piece of post-logout work ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TaskLine {
    pub name: String,
    pub outcome: TaskOutcome,
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TaskOutcome {
    Done,
    Failed,
}

/// Post-logout work for the caller to do.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tasks {
    pub tasks: Vec<HandedTask>,
}

#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HandedTask {
    pub id: i64,
    /// "window_property", "builtin" or "hook".
    pub kind: String,
    pub name: String,
    pub provider: String,
    /// The id of the account that was logged out.
    pub account: String,
}

impl From<QueuedTask> for HandedTask {
    fn from(taken: QueuedTask) -> Self {
        HandedTask {
            id: taken.id,
            kind: taken.task.kind.as_str().to_owned(),
            name: taken.task.name,
            provider: id_of(&taken.task.provider).to_owned(),
            account: taken.task.account,
        }
    }
}

/// A service, for people to choose from or to be told of.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ProviderSummary {
    pub id: String,
    pub name: String,
    pub website: String,
    /// The kinds of ways in, the preferred one first.
    pub logins: Vec<LoginKind>,
    pub renewable: bool,
    /// True where the account's other sessions can be ended as well.
    pub everywhere: bool,
    /// What a logout does not end; empty where it leaves nothing.
    pub leaves: String,
    pub parameters: Vec<Parameter>,
    pub audience: Audience,
    pub revision: u32,
    /// The id of the add-on that brings it; empty where none does.
    pub addon: String,
    /// Its file; empty for a built-in one.
    pub file: String,
}

impl From<&Provider> for ProviderSummary {
    fn from(provider: &Provider) -> Self {
        ProviderSummary {
            id: provider.id.clone(),
            name: provider.name.clone(),
            website: provider.website.to_string(),
            logins: provider.logins.iter().map(Login::kind).collect(),
            renewable: provider.renew.is_some(),
            everywhere: provider.everywhere.is_some(),
            leaves: provider.logout.leaves.clone(),
            parameters: provider.parameters.values().cloned().collect(),
            audience: provider.audience,
            revision: provider.revision,
            addon: provider.origin.addon.clone(),
            file: provider.origin.file.clone(),
        }
    }
}

/// A login that waits for its browser. `Debug` shows nothing of it: the address holds a `state`.
#[derive(Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BegunInBrowser {
    /// For finishing the login.
    pub handle: u64,
    /// What the browser opens.
    pub url: String,
    /// Where it ends.
    pub redirect_uri: String,
    pub expires_at: UnixTime,
}

/// A code that the user enters on another device.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DeviceCode {
    /// For finishing the login.
    pub handle: u64,
    pub user_code: String,
    pub verification_uri: String,
    pub verification_uri_complete: Option<String>,
    pub expires_at: UnixTime,
    /// Seconds between two requests to the service.
    pub interval: u64,
}

impl DeviceCode {
    pub fn new(handle: u64, device: Device) -> Self {
        DeviceCode {
            handle,
            user_code: device.user_code,
            verification_uri: device.verification_uri,
            verification_uri_complete: device.verification_uri_complete,
            expires_at: device.expires_at,
            interval: device.interval.as_secs(),
        }
    }
}

/// A stored account.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AccountLine {
    pub provider: String,
    pub account: Account,
    pub active: bool,
    pub state: State,
    pub expires_at: Option<UnixTime>,
    pub renewable: bool,
    pub signed_in_at: UnixTime,
}

#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Accounts {
    pub accounts: Vec<AccountLine>,
}

/// What there is to say before an add-on uses the active account.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Access {
    /// The id of the add-on that calls; `None` where the viewer is not asked.
    pub addon: Option<String>,
    /// The service's name.
    pub service: String,
    /// Whom the question is about; `None`: nobody is logged in, or nothing is asked.
    pub account: Option<Account>,
    /// Whether the add-on may; `None`: the viewer has not said.
    pub answer: Option<bool>,
}

/// An answer of the viewer's about an add-on and an account.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PermissionLine {
    pub addon: String,
    pub provider: String,
    /// The account's id.
    pub account: String,
    pub allowed: bool,
    pub since: UnixTime,
}

impl From<Permission> for PermissionLine {
    fn from(Permission { addon, service, account, is_allowed, since }: Permission) -> Self {
        let provider = id_of(&service).to_owned();
        PermissionLine { addon, provider, account, allowed: is_allowed, since }
    }
}

#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Permissions {
    pub permissions: Vec<PermissionLine>,
}

#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EntryLine {
    pub id: i64,
    pub provider: String,
    pub account: String,
    pub created_at: UnixTime,
    pub expires_at: Option<UnixTime>,
    pub attempts: u32,
    /// `None`: no answer can change the outcome any more.
    pub next_attempt_at: Option<UnixTime>,
    /// An `Outcome`'s name; empty before the first attempt.
    pub last_outcome: &'static str,
}

impl EntryLine {
    /// `host_rests_until`: the entry is not tried before its host may be asked again.
    pub(super) fn new(entry: OutboxEntry, host_rests_until: Option<UnixTime>) -> Self {
        let next_attempt_at = host_rests_until.unwrap_or(i64::MIN).max(entry.next_attempt.until);
        EntryLine {
            id: entry.id,
            provider: id_of(&entry.revocation.provider).to_owned(),
            account: entry.revocation.account,
            created_at: entry.revocation.created_at,
            expires_at: entry.revocation.expires_at,
            attempts: entry.attempts,
            next_attempt_at: (!entry.is_settled).then_some(next_attempt_at),
            last_outcome: entry.last_outcome.map_or("", Outcome::as_str),
        }
    }
}

#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outbox {
    pub entries: Vec<EntryLine>,
}

/// What is left after a drain, and how many attempts ended in which way.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DrainReport {
    pub entries: Vec<EntryLine>,
    pub revoked: u32,
    pub already_ended: u32,
    pub deferred: u32,
    pub unconfirmed: u32,
    /// The server still accepts the session.
    pub alive: u32,
    pub rejected: u32,
    /// Credentials that had ended by themselves.
    pub expired: u32,
}

impl DrainReport {
    pub(super) fn count(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Revoked => &mut self.revoked,
            Outcome::AlreadyEnded | Outcome::NothingToRevoke => &mut self.already_ended,
            Outcome::Deferred => &mut self.deferred,
            Outcome::Unconfirmed => &mut self.unconfirmed,
            Outcome::Alive => &mut self.alive,
            Outcome::Rejected => &mut self.rejected,
        } += 1;
    }
}

/// Logouts that the server has confirmed since their users were told that it would be told later.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Confirmations {
    pub logouts: Vec<ConfirmedLogout>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ConfirmedLogout {
    pub provider: String,
    pub account: Account,
}

impl From<Confirmation> for ConfirmedLogout {
    fn from(Confirmation { provider, account, .. }: Confirmation) -> Self {
        ConfirmedLogout { provider: id_of(&provider).to_owned(), account }
    }
}

/// When the service should come back.
#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Schedule {
    pub renew_at: Option<UnixTime>,
    pub drain_at: Option<UnixTime>,
}

/// What an upkeep did, for all accounts of the data directory.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UpkeepReport {
    /// The accounts whose renewal was due, by provider.
    pub renewals: Vec<RenewalLine>,
    pub drained: DrainReport,
    /// When something is due next, as far as this process knows.
    pub next_at: Option<UnixTime>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RenewalLine {
    pub provider: String,
    /// The account's id.
    pub account: String,
    /// "ok", or an error's code.
    pub outcome: String,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Forgotten {
    pub forgotten: bool,
    pub sessions: u64,
    /// Revocations that were given up with the key.
    pub pending_revocations: u64,
}

/// Lines of the audit trail, oldest first.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AuditTrail {
    pub events: Vec<AuditEvent>,
}

/// What happened in this process, oldest first.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Notifications {
    pub events: Vec<Notification>,
    /// The number of the newest of all, to ask from next time.
    pub newest: i64,
}

/// Log lines: 0 for debug, 1 for info, 2 for a warning, 3 for an error; and the text.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LogLines {
    pub lines: Vec<(u8, String)>,
}
