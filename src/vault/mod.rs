//! The vault: one SQLite database per data directory, with the sessions, who may use them, the
//! outbox of revocations, the tasks left after a logout, the logouts confirmed later, and the audit
//! trail; and a file for each login under way. Everything secret in them is sealed.
//!
//! It only stores: the caller decides which rows change together, in one [`Vault::transact`]. It
//! never uses the network and never decides when something is tried.
//!
//! The files, from the ground up; each uses only those before it:
//!
//! error, busy · files, place · lock, key · orphans · seal, schema, rollback · table, audit, eras,
//! handovers · sessions, permissions, outbox, hosts, tasks, confirmations · transaction · file,
//! quarantine · rescue · rebuild · opening · store · logins, ending, forget, diagnosis

mod audit;
mod busy;
mod confirmations;
mod diagnosis;
mod ending;
mod eras;
mod error;
mod file;
mod files;
mod forget;
mod handovers;
mod hosts;
mod key;
mod lock;
mod logins;
mod opening;
mod orphans;
mod outbox;
mod permissions;
mod place;
mod quarantine;
mod rebuild;
mod rescue;
mod rollback;
mod schema;
mod seal;
mod sessions;
mod store;
mod table;
mod tasks;
mod transaction;
mod unencrypted;

#[cfg(test)]
mod tests;

pub use busy::BusyTimeout;
pub use confirmations::Confirmation;
pub use ending::{Ending, LocalOutcome, Remains};
pub use eras::Era;
pub use error::VaultResult;
pub use files::{
    create_directory, create_file, random_id, read_text, replace_file, sync_directory, vault_in,
};
pub use logins::{BegunLogin, LoginNote};
pub use outbox::{OutboxEntry, Waiting};
pub use permissions::Permission;
pub use place::Place;
pub use sessions::{SessionSelector, StoredSession};
pub use store::Vault;
pub use tasks::{QueuedTask, Task, TaskKind};
pub use transaction::Transaction;
