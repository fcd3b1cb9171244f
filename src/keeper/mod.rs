//! The story: log in, restore, renew, request, log out, drain. The only place that orders vault,
//! network and audit; a file for each chapter.
//!
//! This file only hands on what others may use; the keeper itself is in `handle`.

mod accounts;
mod adoption;
mod attempt;
mod audit;
mod begun_login;
mod begun_tasks;
mod browser_login;
mod browser_logins;
mod clients;
mod conversation;
mod definitions;
mod delivery;
mod device_codes;
mod directories;
mod doctor;
mod doubt;
mod drain;
mod handed_out;
mod handle;
mod handover;
mod login;
mod logout;
mod logout_all;
mod maintenance;
mod permissions;
mod post_logout;
mod questions;
mod reading;
mod refusal;
mod register;
mod renewal;
mod report;
mod request;
mod revocation;
mod running;
mod session_cache;
mod shared;
mod sight;
mod streams;
mod unencrypted;
mod unstored;
mod upkeep;

pub use crate::login::Redirect;
pub use conversation::LoginTurn;
pub use definitions::Kept;
pub use directories::own as own_directory;
pub use doctor::Doctor;
pub use handle::{Config, Keeper};
pub use handover::HandedOver;
pub use logout::LogoutOptions;
pub use logout_all::LogoutAllOptions;
pub use permissions::check_addon;
pub use questions::OpenQuestion;
pub use reading::ReceivedPiece;
pub use register::{RegisteredVault, Vaults};
pub use report::{
    Access, AccountLine, Accounts, AuditTrail, BegunInBrowser, Conclusion, Confirmations,
    ConfirmedLogout, Details, DeviceCode, DrainReport, EntryLine, Forgotten, HandedTask, Local,
    LogLines, LogoutAll, LogoutAllEntry, LogoutReport, Notifications, Outbox, PermissionLine,
    Permissions, ProviderSummary, RenewalLine, Schedule, State, Status, TakeOver, TakenOver,
    TaskLine, TaskOutcome, Tasks, UpkeepReport,
};
pub use request::{ExportedCredentials, Outgoing, Received};
pub use shared::{Rest, is_renewing};
pub use unencrypted::UnencryptedAddresses;
