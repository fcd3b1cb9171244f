//! The vault: one SQLite database per data directory, with the sessions, the outbox of revocations,
//! the tasks left after a logout, and the audit trail. Everything secret in it is sealed.
//!
//! It only stores: the caller decides which rows change together, in one [`Vault::transact`]. It
//! never uses the network and never decides when something is tried.
//!
//! The files, from the ground up; each uses only those before it:
//!
//! error, busy · files · lock, key · seal, schema · table, audit · sessions, outbox, tasks ·
//! transaction · file, quarantine · rescue · rebuild · opening · store · degraded, forget,
//! diagnosis

mod audit;
mod busy;
mod degraded;
mod diagnosis;
mod error;
mod file;
mod files;
mod forget;
mod key;
mod lock;
mod opening;
mod outbox;
mod quarantine;
mod rebuild;
mod rescue;
mod schema;
mod seal;
mod sessions;
mod store;
mod table;
mod tasks;
mod transaction;

#[cfg(test)]
mod tests;

pub use busy::BusyTimeout;
pub use degraded::{LocalOutcome, Remains};
pub use files::{create_file, sync_directory};
pub use key::random_id;
pub use outbox::OutboxEntry;
pub use sessions::{SessionSelector, StoredSession};
pub use store::Vault;
pub use tasks::{QueuedTask, Task, TaskKind};
pub use transaction::Transaction;
