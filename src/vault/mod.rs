//! The vault: one SQLite database per data directory with the sessions, the outbox of revocations,
//! what is left to do after a logout, and the audit trail. What is secret in it is sealed.
//!
//! Every operation is one transaction, under SQLite's cross-process lock. What is found damaged is
//! kept aside (the newest five such files), what still opens is carried over, and the operation goes
//! on; `take_damage` tells. A call waits two seconds for others, then says that the vault is in use.
//! The vault never uses the network and never decides when something is tried.

mod accounts;
mod audit;
mod busy;
mod definitions;
mod degraded;
mod due;
mod error;
mod facts;
mod file;
mod files;
mod forget;
mod key;
mod lock;
mod opening;
mod outbox;
mod quarantine;
mod rescue;
mod salvage;
mod schema;
mod seal;
mod sessions;
mod sinks;
mod sources;
mod tasks;
#[cfg(test)]
mod tests;

pub use accounts::SessionSelector;
pub use busy::BusyTimeout;
pub use degraded::InPlace;
pub use key::random_id;
pub use outbox::OutboxEntry;
pub use sessions::{Ended, Successors};
pub use tasks::{TakenTask, Task};

use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use error::{VaultError, VaultResult, explain_io};
use file::{Open, data_version, read_meta};
use files::{Directories, Found};
use lock::Lock;
use opening::attach;
use rusqlite::{Transaction, TransactionBehavior};
use seal::Keys;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The vault of one data directory. Threads and processes may share the directory freely.
pub struct Vault {
    directories: Directories,
    lock: Lock,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// Something that was found damaged and dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// "key_missing", "key_wrong" or "damaged".
    pub outcome: &'static str,
    /// The file as it was; `None` where even a copy could not be made.
    pub kept_as: Option<PathBuf>,
}

#[derive(Default)]
struct State {
    /// None between a failed opening and the next call.
    open: Option<Open>,
    damage: Vec<Damage>,
    /// Raised whenever the content may have changed.
    mark: i64,
}

/// Damage that comes back this often is the disk's.
const ATTEMPTS: usize = 5;

impl Vault {
    /// Opens the vault of `directory`, and makes it where there is none. The device key lies in
    /// `key_directory`, or beside the vault where that cannot be written.
    pub fn open(directory: &Path, key_directory: &Path, clock: Arc<dyn Clock>) -> Result<Vault> {
        let directories = Directories::prepare(directory, key_directory)?;
        let lock = Lock::open(&directories.data);
        let vault = Vault { directories, lock, clock, state: Mutex::default() };
        let patience = BusyTimeout::of(busy::ORDINARY);
        vault.attach(&mut vault.state(), None)?;
        drop(patience);
        Ok(vault)
    }

    /// True when the file is open, and nobody in this process is using it just now.
    pub fn is_free(&self) -> bool {
        self.state.try_lock().is_ok_and(|state| state.open.is_some())
    }

    /// What was found damaged since this was last asked.
    pub fn take_damage(&self) -> Vec<Damage> {
        std::mem::take(&mut self.state().damage)
    }

    /// A number that differs from the last one whenever anybody wrote, in any process.
    pub fn change_mark(&self) -> Result<i64> {
        let mut state = self.state();
        let version = self.run(&mut state, TransactionBehavior::Deferred, |transaction, _| {
            data_version(transaction)
        })?;
        let State { open, mark, .. } = &mut *state;
        if let Some(open) = open.as_mut().filter(|open| open.data_version != version) {
            open.data_version = version;
            *mark += 1;
        }
        Ok(*mark)
    }

    /// VaultResult that only reads.
    fn read<T>(&self, work: impl FnMut(&Transaction<'_>, &Keys) -> VaultResult<T>) -> Result<T> {
        self.run(&mut self.state(), TransactionBehavior::Deferred, work)
    }

    /// VaultResult that writes; all of it or nothing happens. It may run again after damage was found.
    fn write<T>(&self, work: impl FnMut(&Transaction<'_>, &Keys) -> VaultResult<T>) -> Result<T> {
        self.run(&mut self.state(), TransactionBehavior::Immediate, work)
    }

    fn run<T>(
        &self,
        state: &mut State,
        behavior: TransactionBehavior,
        mut work: impl FnMut(&Transaction<'_>, &Keys) -> VaultResult<T>,
    ) -> Result<T> {
        for _ in 0..ATTEMPTS {
            let _patience = BusyTimeout::of(busy::ORDINARY);
            match self.attempt(state, behavior, &mut work) {
                Ok(value) => return Ok(value),
                Err(failure) => self.recover(state, failure)?,
            }
        }
        Err(Error::new(Kind::Storage, "the vault is damaged again and again")
            .with_hint(format!("look at the disk that holds {}", self.directories.data.display())))
    }

    fn attempt<T>(
        &self,
        state: &mut State,
        behavior: TransactionBehavior,
        work: &mut impl FnMut(&Transaction<'_>, &Keys) -> VaultResult<T>,
    ) -> VaultResult<T> {
        let guard = self.enter(state)?;
        let State { open: Some(open), mark, .. } = state else { return Err(VaultError::Stale) };
        let writes = matches!(behavior, TransactionBehavior::Immediate);
        let transaction = open.connection.transaction_with_behavior(behavior)?;
        // Another process may have given the vault a new key.
        if read_meta(&transaction)?.0 != open.keys.vault() {
            return Err(VaultError::Stale);
        }
        let value = work(&transaction, &open.keys)?;
        if writes {
            transaction.commit()?;
            *mark += 1;
        }
        drop(guard);
        Ok(value)
    }

    /// Takes the directory's lock, and makes sure that the open file is the one at the path.
    fn enter(&self, state: &mut State) -> VaultResult<lock::Guard> {
        if state.open.is_none() {
            self.attach(state, None)?;
        }
        let guard = self.lock.share()?;
        match &state.open {
            Some(open) if self.is_current(open)? => Ok(guard),
            _ => Err(VaultError::Stale),
        }
    }

    fn is_current(&self, open: &Open) -> Result<bool> {
        let found = self.directories.look().map_err(|error| {
            explain_io(&error, "the data directory cannot be read", &self.directories.data)
        })?;
        Ok(matches!(found, Found::File(_, identity) if identity == open.identity))
    }

    /// After this the work can be tried again, or the error is final.
    fn recover(&self, state: &mut State, failure: VaultError) -> Result<()> {
        match failure {
            VaultError::Stale => {
                state.open = None;
                Ok(())
            }
            VaultError::Damaged
            | VaultError::KeyMissing
            | VaultError::KeyWrong
            | VaultError::Foreign => {
                let suspect = state.open.take().map(|open| open.identity);
                self.attach(state, suspect)
            }
            VaultError::BadRow => match self.delete_bad_rows(state) {
                Ok(()) => Ok(()),
                Err(VaultError::Damaged) => self.recover(state, VaultError::Damaged),
                Err(other) => Err(other.explain(&self.directories.data)),
            },
            VaultError::Sql(_) | VaultError::Refused(_) => {
                Err(failure.explain(&self.directories.data))
            }
        }
    }

    fn delete_bad_rows(&self, state: &mut State) -> VaultResult<()> {
        let guard = self.enter(state)?;
        let State { open: Some(open), damage, mark } = state else { return Ok(()) };
        let kept_as = salvage::delete_bad_rows(&self.directories, self.clock(), open)?;
        damage.push(Damage { outcome: "damaged", kept_as });
        *mark += 1;
        drop(guard);
        Ok(())
    }

    fn attach(&self, state: &mut State, suspect: Option<files::Identity>) -> Result<()> {
        state.open = None;
        let open = attach(&self.directories, &self.lock, self.clock(), suspect, &mut state.damage)?;
        if let Ok(Some(time)) = audit::newest_time(&open.connection) {
            self.clock.raise_floor(time);
        }
        state.open = Some(open);
        state.mark += 1;
        Ok(())
    }

    fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic inside a transaction has rolled it back; the state itself is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
