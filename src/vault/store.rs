//! The vault of one data directory: its transactions, and what happens when they find damage.
//!
//! Every operation is one transaction, under SQLite's cross-process lock. A damaged file is
//! quarantined, what still opens is carried over, and the operation goes on; `take_damage` reports
//! it. A call waits two seconds for others, then says that the vault is in use.

use super::audit;
use super::busy::{self, BusyTimeout};
use super::error::{VaultError, VaultResult, damaged_again};
use super::file::Open;
use super::files::{Directories, Found};
use super::lock::{DirectoryLock, Guard};
use super::opening::{attach, warn};
use super::rebuild::{self, Damage};
use super::seal::Keys;
use super::transaction::Transaction;
use crate::clock::Clock;
use crate::error::Result;
use crate::lock::Identity;
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The vault of one data directory. Threads and processes may share the directory freely.
pub struct Vault {
    pub(super) directories: Directories,
    pub(super) lock: DirectoryLock,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// `None` after a failed opening, until the next call.
    pub open: Option<Open>,
    damage: Vec<Damage>,
    /// Goes up whenever the content may have changed.
    mark: i64,
}

/// If damage comes back this often, the disk is to blame.
const ATTEMPTS: usize = 5;

impl Vault {
    /// Opens the vault of `directory`, or creates it. The device key is kept in `key_directory`, or
    /// beside the vault if that directory is not writable.
    pub fn open(directory: &Path, key_directory: &Path, clock: Arc<dyn Clock>) -> Result<Vault> {
        let directories = Directories::prepare(directory, key_directory)?;
        let lock = DirectoryLock::new(&directories.data);
        let vault = Vault { directories, lock, clock, state: Mutex::default() };
        let timeout = BusyTimeout::of(busy::ORDINARY);
        vault.attach(&mut vault.state(), None)?;
        drop(timeout);
        Ok(vault)
    }

    /// True if the file is open and nobody in this process is using it at the moment.
    pub fn is_free(&self) -> bool {
        self.state.try_lock().is_ok_and(|state| state.open.is_some())
    }

    /// The damage found since the last call.
    pub fn take_damage(&self) -> Vec<Damage> {
        std::mem::take(&mut self.state().damage)
    }

    /// A number that changes whenever anybody writes to the vault, in any process. Cheap: callers
    /// ask at every step.
    pub fn change_mark(&self) -> Result<i64> {
        self.retry(&mut self.state(), |state| {
            let (_guard, open, mark) = self.enter(state)?;
            if open.was_written_by_others()? {
                *mark += 1;
            }
            Ok(*mark)
        })
    }

    /// Runs `work` in one transaction that only reads. See [`Vault::transact`].
    pub fn read<T>(&self, mut work: impl FnMut(&Transaction<'_>) -> VaultResult<T>) -> Result<T> {
        self.run(&mut self.state(), TransactionBehavior::Deferred, |connection, keys| {
            work(&Transaction::new(connection, keys, self.clock()))
        })
    }

    /// Runs `work` in one transaction: all of it happens or none, even if it fails or panics. After
    /// damage was found, `work` runs again, so it must not count on running once. It must not use
    /// the vault except through the transaction.
    pub fn transact<T>(
        &self,
        mut work: impl FnMut(&Transaction<'_>) -> VaultResult<T>,
    ) -> Result<T> {
        self.run(&mut self.state(), TransactionBehavior::Immediate, |connection, keys| {
            work(&Transaction::new(connection, keys, self.clock()))
        })
    }

    pub(super) fn run<T>(
        &self,
        state: &mut State,
        behavior: TransactionBehavior,
        mut work: impl FnMut(&Connection, &Keys) -> VaultResult<T>,
    ) -> Result<T> {
        self.retry(state, |state| {
            let (_guard, open, mark) = self.enter(state)?;
            let transaction = open.connection.transaction_with_behavior(behavior)?;
            let value = work(&transaction, &open.keys)?;
            if matches!(behavior, TransactionBehavior::Immediate) {
                transaction.commit()?;
                *mark += 1;
                let _ = open.mark.follow(&open.connection);
            }
            Ok(value)
        })
    }

    /// Runs `work` until it succeeds or nothing more can be done about what it found.
    pub(super) fn retry<T>(
        &self,
        state: &mut State,
        mut work: impl FnMut(&mut State) -> VaultResult<T>,
    ) -> Result<T> {
        for _ in 0..ATTEMPTS {
            let _timeout = BusyTimeout::of(busy::ORDINARY);
            match work(state) {
                Ok(value) => return Ok(value),
                Err(failure) => self.recover(state, failure)?,
            }
        }
        Err(damaged_again(&self.directories.data))
    }

    /// Takes the directory's lock, makes sure that the open file is still the one at the path, and
    /// returns it with the mark.
    pub(super) fn enter<'s>(
        &self,
        state: &'s mut State,
    ) -> VaultResult<(Guard, &'s mut Open, &'s mut i64)> {
        if state.open.is_none() {
            self.attach(state, None)?;
        }
        let guard = self.lock.shared()?;
        match &mut state.open {
            Some(open) if self.is_current(open)? => Ok((guard, open, &mut state.mark)),
            _ => Err(VaultError::Stale),
        }
    }

    pub(super) fn is_current(&self, open: &Open) -> Result<bool> {
        Ok(matches!(self.directories.look()?, Found::File(_, now) if now == open.identity))
    }

    /// After `Ok` the work can be tried again; an error is final.
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
        let (_guard, open, mark) = self.enter(state)?;
        let kept_as = rebuild::delete_bad_rows(&self.directories, self.clock(), open)?;
        *mark += 1;
        state.damage.push(Damage { outcome: "damaged", kept_as });
        Ok(())
    }

    pub(super) fn attach(&self, state: &mut State, suspect: Option<Identity>) -> Result<()> {
        state.open = None;
        let open = attach(&self.directories, &self.lock, self.clock(), suspect, &mut state.damage)?;
        if let Ok(Some(time)) = audit::newest_time(&open.connection) {
            self.clock.raise_floor(time);
        }
        if open.is_rolled_back {
            state.damage.push(Damage { outcome: rebuild::ROLLED_BACK, kept_as: None });
        }
        warn(&self.directories, &open);
        state.open = Some(open);
        state.mark += 1;
        Ok(())
    }

    /// The keys of the vault that is there now.
    pub(super) fn keys(&self) -> Result<Arc<Keys>> {
        self.retry(&mut self.state(), |state| {
            let (_guard, open, _) = self.enter(state)?;
            Ok(Arc::clone(&open.keys))
        })
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // A panic inside a transaction rolls it back; the state itself stays sound.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
