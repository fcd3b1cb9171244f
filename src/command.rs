//! What can be asked of a keeper: a variant for each verb, its options as fields, a typed result
//! each.
//!
//! Every front turns its host's data into a `Command`, and the `Reply` into its host's data. Fields
//! that nobody knows are refused. tests/python/boundary.json is the schema of these types; the
//! Python side is held against it.

use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::keeper::{
    AuditTrail, DeviceCode, HandedOver, HandedTask, Keeper, LogLines, LoginTurn, LogoutAllOptions,
    LogoutOptions, Notifications, Outgoing, ProviderSummary, Redirect, TaskOutcome, Tasks,
};

use crate::secret::Secret;
use crate::wire;
use log::Level;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Command {
    /// What the provider file says of the service.
    Describe {},
    Status {},
    Details {},
    Restore {
        #[serde(default)]
        offline: bool,
    },
    Login {
        username: String,
        /// Bytes of UTF-8.
        #[serde(deserialize_with = "wire::secret")]
        #[cfg_attr(test, schemars(with = "wire::Bytes"))]
        password: Secret,
        /// True: what the service asks is handed on; `LoginAnswer` answers it.
        #[serde(default)]
        answers: bool,
    },
    LoginAnswer {
        handle: u64,
        /// Bytes of UTF-8; `None` gives the login up.
        #[serde(default, deserialize_with = "wire::optional_secret")]
        #[cfg_attr(test, schemars(with = "Option<wire::Bytes>"))]
        answer: Option<Secret>,
    },
    Adopt(HandedOver),
    /// Takes over what an add-on kept until now, behind who is logged in.
    TakeOver {
        handed_over: HandedOver,
        #[serde(default)]
        offline: bool,
    },
    /// There is trouble with the place that was to hand a session over: nothing there can be
    /// understood, or it cannot be erased.
    NoteHandover {
        place: String,
        unreadable: bool,
    },
    LoginStart {},
    LoginFinish {
        handle: u64,
    },
    /// Makes the address that a browser opens to log in.
    BrowserLoginStart {
        redirect: Redirect,
    },
    BrowserLoginFinish {
        handle: u64,
        /// Where the browser ended, as bytes of UTF-8; `None`: it is waited for.
        #[serde(default, deserialize_with = "wire::optional_secret")]
        #[cfg_attr(test, schemars(with = "Option<wire::Bytes>"))]
        redirected_to: Option<Secret>,
    },
    Renew {},
    Request(Outgoing),
    /// Waits for the next piece of a streamed answer.
    ReadStream {
        stream: u64,
        /// About so many bytes; `None`: all that is left, up to the longest body.
        #[serde(default)]
        size: Option<u32>,
    },
    CloseStream {
        stream: u64,
    },
    Session {
        #[serde(default)]
        account: Option<String>,
    },
    Accounts {
        #[serde(default)]
        all: bool,
    },
    Switch {
        account: String,
    },
    Access {},
    Permissions {
        #[serde(default)]
        all: bool,
    },
    SetPermission {
        addon: String,
        account: String,
        /// `None`: the viewer is asked again.
        allowed: Option<bool>,
    },
    /// Where the service is reached without encryption, and nobody has agreed to that.
    Unencrypted {},
    /// The viewer's word that the service may be reached at this address without encryption.
    SetUnencrypted {
        address: String,
        allowed: bool,
    },
    Logout(LogoutOptions),
    /// Logs out of every account in this data directory and in those registered with it.
    LogoutAll(LogoutAllOptions),
    Outbox {},
    Drain {
        #[serde(default)]
        due_only: bool,
    },
    TakeConfirmations {},
    Schedule {},
    /// The private vaults that are registered in this data directory.
    Vaults {},
    /// This process is the service of the data directory from now on.
    Serve {},
    /// Does what is due, for every account of the data directory.
    Upkeep {},
    TakeTasks {
        #[serde(default)]
        kinds: Vec<String>,
        #[serde(default)]
        hooks: Vec<String>,
    },
    FinishTask {
        id: i64,
        outcome: TaskOutcome,
        #[serde(default)]
        detail: String,
    },
    Forget {
        #[serde(default)]
        handed_over: Vec<HandedOver>,
    },
    Audit {
        #[serde(default = "hundred")]
        limit: usize,
    },
    AuditSince {
        sink: String,
        #[serde(default = "hundred")]
        limit: usize,
    },
    AuditTaken {
        sink: String,
        seq: i64,
    },
    AuditRefused {
        sink: String,
        reason: String,
    },
    Doctor {},
    /// What happened in this process after event number `after`.
    Events {
        #[serde(default)]
        after: i64,
    },
    /// Takes the log lines that nobody has taken yet.
    Log {},
}

fn hundred() -> usize {
    100
}

/// The result of a command: what serde makes of its type, and the body of an answer apart.
pub struct Reply {
    pub value: Value,
    pub body: Option<Vec<u8>>,
}

impl Reply {
    pub fn of(value: &impl Serialize) -> Result<Self> {
        let value = serde_json::to_value(value)
            .map_err(|_| Error::new(Kind::Internal, "a result cannot be serialized"))?;
        Ok(Reply { value, body: None })
    }
}

impl Command {
    /// Does what the command says; takes as long as that takes.
    pub fn run(&self, keeper: &Keeper, cancel: &Cancel) -> Result<Reply> {
        self.run_with(&keeper.obeying(cancel), cancel)
    }

    fn run_with(&self, keeper: &Keeper, cancel: &Cancel) -> Result<Reply> {
        match self {
            Command::Describe {} => Reply::of(&ProviderSummary::from(keeper.provider())),
            Command::Status {} => Reply::of(&keeper.status()?),
            Command::Details {} => Reply::of(&keeper.details()?),
            Command::Restore { offline } => Reply::of(&keeper.restore(*offline, cancel)?),
            Command::Login { .. }
            | Command::LoginAnswer { .. }
            | Command::LoginStart {}
            | Command::LoginFinish { .. }
            | Command::BrowserLoginStart { .. }
            | Command::BrowserLoginFinish { .. } => self.log_in(keeper, cancel),
            Command::Adopt(handed) => Reply::of(&keeper.adopt(handed, cancel)?),
            Command::TakeOver { handed_over, offline } => {
                Reply::of(&keeper.take_over(handed_over, *offline, cancel)?)
            }
            Command::NoteHandover { place, unreadable } => {
                keeper.note_handover(place, *unreadable);
                Reply::of(&())
            }
            Command::Renew {} => Reply::of(&keeper.renew(cancel)?),
            Command::Request(outgoing) => {
                let mut received = keeper.request(outgoing, cancel)?;
                let body = std::mem::take(&mut received.body);
                Ok(Reply { body: Some(body), ..Reply::of(&received)? })
            }
            Command::ReadStream { stream, size } => {
                let size = size.map(|size| size as usize);
                let mut piece = keeper.read_stream(*stream, size, cancel)?;
                let body = std::mem::take(&mut piece.body);
                Ok(Reply { body: Some(body), ..Reply::of(&piece)? })
            }
            Command::CloseStream { stream } => {
                keeper.close_stream(*stream);
                Reply::of(&())
            }
            Command::Session { account } => Reply::of(&keeper.credentials(account.as_deref())?),
            Command::Accounts { all } => Reply::of(&keeper.accounts(*all)?),
            Command::Switch { account } => Reply::of(&keeper.switch(account)?),
            Command::Access {} => Reply::of(&keeper.access()?),
            Command::Permissions { all } => Reply::of(&keeper.permissions(*all)?),
            Command::SetPermission { addon, account, allowed } => {
                keeper.set_permission(addon, account, *allowed)?;
                Reply::of(&())
            }
            Command::Unencrypted {} => Reply::of(&keeper.unencrypted()?),
            Command::SetUnencrypted { address, allowed } => {
                keeper.set_unencrypted(address, *allowed)?;
                Reply::of(&())
            }
            Command::Logout(options) => Reply::of(&keeper.log_out(options, cancel)?),
            Command::LogoutAll(options) => Reply::of(&keeper.log_out_all(options, cancel)?),
            Command::Outbox {} => Reply::of(&keeper.outbox()?),
            Command::Drain { due_only } => Reply::of(&keeper.drain(*due_only, cancel)?),
            Command::TakeConfirmations {} => Reply::of(&keeper.take_confirmations()?),
            Command::Schedule {} => Reply::of(&keeper.schedule()?),
            Command::Vaults {} => Reply::of(&keeper.vaults()?),
            Command::Serve {} => Reply::of(&keeper.serve()?),
            Command::Upkeep {} => Reply::of(&keeper.upkeep(cancel)?),
            Command::TakeTasks { kinds, hooks } => {
                let taken = keeper.take_tasks(kinds, hooks)?;
                Reply::of(&Tasks { tasks: taken.into_iter().map(HandedTask::from).collect() })
            }
            Command::FinishTask { id, outcome, detail } => {
                keeper.finish_task(*id, *outcome, detail)?;
                Reply::of(&())
            }
            Command::Forget { handed_over } => Reply::of(&keeper.forget(handed_over, cancel)?),
            Command::Audit { limit } => Reply::of(&AuditTrail { events: keeper.audit(*limit)? }),
            Command::AuditSince { sink, limit } => {
                Reply::of(&AuditTrail { events: keeper.audit_since(sink, *limit)? })
            }
            Command::AuditTaken { sink, seq } => {
                keeper.audit_taken(sink, *seq)?;
                Reply::of(&())
            }
            Command::AuditRefused { sink, reason } => {
                keeper.audit_refused(sink, reason);
                Reply::of(&())
            }
            Command::Doctor {} => Reply::of(&keeper.doctor()?),
            Command::Events { after } => Reply::of(&Notifications {
                events: keeper.events_after(*after),
                newest: keeper.newest_event(),
            }),
            Command::Log {} => {
                let line = |(level, text)| (level_number(level), text);
                Reply::of(&LogLines { lines: keeper.take_log().into_iter().map(line).collect() })
            }
        }
    }

    /// The ways in.
    fn log_in(&self, keeper: &Keeper, cancel: &Cancel) -> Result<Reply> {
        match self {
            Command::Login { username, password, answers: false } => {
                Reply::of(&LoginTurn::Done(keeper.log_in(username, password, cancel)?))
            }
            Command::Login { username, password, answers: true } => {
                Reply::of(&keeper.start_login(username, password, cancel)?)
            }
            Command::LoginAnswer { handle, answer } => {
                Reply::of(&keeper.answer_login(*handle, answer.as_ref(), cancel)?)
            }
            Command::LoginStart {} => {
                let (handle, device) = keeper.start_device_login(cancel)?;
                Reply::of(&DeviceCode::new(handle, device))
            }
            Command::LoginFinish { handle } => {
                Reply::of(&keeper.finish_device_login(*handle, cancel)?)
            }
            Command::BrowserLoginStart { redirect } => {
                Reply::of(&keeper.start_browser_login(*redirect, cancel)?)
            }
            Command::BrowserLoginFinish { handle, redirected_to } => {
                let address = redirected_to.as_ref();
                Reply::of(&keeper.finish_browser_login(*handle, address, cancel)?)
            }
            _ => Err(Error::new(Kind::Internal, "this verb is no way in")),
        }
    }

    /// True for what may leave something to be done later.
    pub fn leaves_work(&self) -> bool {
        matches!(
            self,
            Command::Login { .. }
                | Command::LoginAnswer { .. }
                | Command::LoginFinish { .. }
                | Command::BrowserLoginFinish { .. }
                | Command::TakeOver { .. }
                | Command::Logout(_)
                | Command::LogoutAll(_)
        )
    }

    /// True for what only takes what has happened already.
    pub fn only_listens(&self) -> bool {
        matches!(self, Command::Events { .. } | Command::Log {})
    }

    /// Does at once what touches neither the network nor a file that somebody else is using;
    /// `None`: it may take longer.
    pub fn at_once(&self, keeper: &Keeper) -> Option<Result<Reply>> {
        match self {
            _ if self.only_listens() => Some(self.run(keeper, &Cancel::new())),
            Command::Describe {} | Command::CloseStream { .. } => {
                Some(self.run(keeper, &Cancel::new()))
            }
            Command::Status {}
            | Command::Details {}
            | Command::Session { .. }
            | Command::Accounts { .. }
            | Command::Access {}
            | Command::Permissions { .. }
            | Command::Unencrypted {}
            | Command::Schedule {}
            | Command::TakeTasks { .. } => {
                keeper.at_once(|keeper| self.run_with(keeper, &Cancel::new()))
            }
            Command::Audit { limit } | Command::AuditSince { limit, .. } if *limit <= A_PAGE => {
                keeper.at_once(|keeper| self.run_with(keeper, &Cancel::new()))
            }
            Command::Restore { offline } => keeper
                .at_once(|keeper| keeper.restored(*offline))
                .and_then(Result::transpose)
                .map(|status| Reply::of(&status?)),
            _ => None,
        }
    }
}

/// So many lines of the audit trail are read in no time.
const A_PAGE: usize = 500;

fn level_number(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 2,
        Level::Info => 1,
        Level::Debug | Level::Trace => 0,
    }
}
