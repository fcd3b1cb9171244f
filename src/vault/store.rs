//! The vault of one data directory: its transactions, and what happens when they find damage.
//!
//! Every operation is one transaction, under SQLite's cross-process lock. A damaged file is
//! quarantined, what still opens is carried over, and the operation goes on; `take_damage` reports
//! it. Where the disk fails at the end of a commit, the vault looks whether the commit is there.
//! How long a call waits for others is part of the handle it is made through.

use super::audit;
use super::busy::{BusyTimeout, Waiting};
use super::error::{VaultError, VaultResult, damaged_again, is_busy};
use super::file::Open;
use super::files::{self, Directories, Found, sync_directory};
use super::lock::{DirectoryLock, Guard};
use super::opening::{attach, warn};
use super::orphans;
use super::rebuild::{self, Damage};
use super::seal::Keys;
use super::transaction::Transaction;
use crate::cancel::Cancel;
use crate::clock::Clock;
use crate::error::Result;
use crate::fork::{self, AtWork};
use crate::lock::Identity;
use rusqlite::{Connection, TransactionBehavior, params};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The vault of one data directory. Threads and processes may share the directory freely; a clone
/// is another handle on the same.
#[derive(Clone)]
pub struct Vault {
    pub(super) store: Arc<Store>,
    timeout: BusyTimeout,
}

pub(super) struct Store {
    pub directories: Directories,
    pub lock: DirectoryLock,
    clock: Arc<dyn Clock>,
    /// Taken by whoever is at work.
    state: Mutex<Option<State>>,
    freed: Condvar,
    damage: Mutex<Vec<Damage>>,
}

#[derive(Default)]
pub(super) struct State {
    /// `None` after a failed opening, until the next call.
    pub open: Option<Open>,
    /// Goes up whenever the content may have changed.
    mark: i64,
}

/// The state, until it is dropped.
pub(super) struct Taken<'a> {
    store: &'a Store,
    state: State,
    _gate: AtWork,
}

/// If damage comes back this often, the disk is to blame.
const ATTEMPTS: usize = 5;

/// So many characters of the ids of the last commits are kept, 32 for each.
const COMMITS: i64 = 8 * 32;

impl Vault {
    /// The vault of `directory`, which is opened, or created, when it is first needed. The device
    /// key is kept in `key_directory`, or beside the vault if that directory is not writable.
    pub fn at(directory: &Path, key_directory: &Path, clock: Arc<dyn Clock>) -> Result<Vault> {
        let directories = Directories::prepare(directory, key_directory)?;
        directories.fill_reserve();
        let store = Store {
            lock: DirectoryLock::new(&directories.data),
            directories,
            clock,
            state: Mutex::new(Some(State::default())),
            freed: Condvar::new(),
            damage: Mutex::default(),
        };
        let timeout = BusyTimeout::ordinary(&Cancel::new());
        Ok(Vault { store: Arc::new(store), timeout })
    }

    /// The same vault, for calls that wait this long for others.
    #[must_use]
    pub fn with_timeout(&self, timeout: &BusyTimeout) -> Vault {
        Vault { store: Arc::clone(&self.store), timeout: timeout.clone() }
    }

    /// True if the file is open and nobody in this process is using it at the moment.
    pub fn is_free(&self) -> bool {
        let is_open = |state: &Option<State>| state.as_ref().is_some_and(|s| s.open.is_some());
        self.store.state.try_lock().is_ok_and(|state| is_open(&state))
    }

    /// True while there is another handle on it in this process.
    pub fn is_in_use(&self) -> bool {
        Arc::strong_count(&self.store) > 1
    }

    /// The damage found since the last call.
    pub fn take_damage(&self) -> Vec<Damage> {
        std::mem::take(&mut self.store.damage())
    }

    /// A number that changes whenever anybody writes to the vault, in any process. Cheap: callers
    /// ask at every step.
    pub fn change_mark(&self) -> Result<i64> {
        self.explained(self.retry(|state, waiting| {
            let (_guard, open, mark) = self.enter(state, waiting)?;
            if open.was_written_by_others()? {
                *mark += 1;
            }
            Ok(*mark)
        }))
    }

    /// Runs `work` in one transaction that only reads. See [`Vault::transact`].
    pub fn read<T>(&self, mut work: impl FnMut(&Transaction<'_>) -> VaultResult<T>) -> Result<T> {
        self.explained(self.run(TransactionBehavior::Deferred, |connection, keys| {
            work(&Transaction::new(connection, keys, self.clock()))
        }))
    }

    /// Runs `work` in one transaction: all of it happens or none, even if it fails or panics. After
    /// damage was found, or while somebody else holds the vault, `work` runs again, so it must not
    /// count on running once. It must not use the vault except through the transaction.
    pub fn transact<T>(
        &self,
        mut work: impl FnMut(&Transaction<'_>) -> VaultResult<T>,
    ) -> Result<T> {
        self.explained(self.write(&mut work))
    }

    /// [`Vault::transact`], with what stopped it as it was.
    pub(super) fn write<T>(
        &self,
        work: &mut dyn FnMut(&Transaction<'_>) -> VaultResult<T>,
    ) -> VaultResult<T> {
        self.run(TransactionBehavior::Immediate, |connection, keys| {
            work(&Transaction::new(connection, keys, self.clock()))
        })
    }

    pub(super) fn run<T>(
        &self,
        behavior: TransactionBehavior,
        mut work: impl FnMut(&Connection, &Keys) -> VaultResult<T>,
    ) -> VaultResult<T> {
        self.retry(|state, waiting| {
            let (guard, open, mark) = self.enter(state, waiting)?;
            let transaction = open.connection.transaction_with_behavior(behavior)?;
            let before = transaction.total_changes();
            let value = work(&transaction, &open.keys)?;
            if transaction.total_changes() == before {
                return Ok(value);
            }
            let id = note_commit(&transaction)?;
            let committed = commit(&transaction, waiting);
            drop(transaction);
            *mark += 1;
            drop(guard);
            match committed {
                Err(failure) if !failure.is_busy() && self.has_commit(state, waiting, &id) => {
                    log::warn!("the disk failed after the commit, which is there all the same");
                }
                committed => committed?,
            }
            if let Some(open) = &mut state.open {
                let _ = open.mark.follow(&open.connection);
            }
            Ok(value)
        })
    }

    /// Runs `work` until it succeeds, the time is up, or nothing more can be done about what it
    /// found. Between two tries, the other threads of this process have theirs.
    pub(super) fn retry<T>(
        &self,
        mut work: impl FnMut(&mut State, &Waiting<'_>) -> VaultResult<T>,
    ) -> VaultResult<T> {
        let waiting = self.timeout.begin();
        let (mut attempts, mut has_failed) = (0, false);
        while attempts < ATTEMPTS {
            let mut state = self.store.take(&waiting)?;
            let tried = match work(&mut state, &waiting) {
                Ok(value) => return Ok(value),
                Err(failure) if failure.is_busy() => Err(failure),
                // Most of what a disk refuses, it refuses once; and a connection that was opened
                // on a bad day does not learn of a better one.
                Err(failure) if failure.is_of_disk() && !has_failed => {
                    has_failed = true;
                    state.open = None;
                    Ok(())
                }
                Err(failure) => {
                    attempts += 1;
                    self.recover(&mut state, &waiting, failure)
                }
            };
            drop(state);
            match tried {
                Err(failure) if failure.is_busy() => waiting.pause()?,
                tried => tried?,
            }
        }
        Err(VaultError::Refused(damaged_again(&self.store.directories.data)))
    }

    /// Takes the directory's lock, makes sure that the open file is still the one at the path, and
    /// returns it with the mark.
    pub(super) fn enter<'s>(
        &self,
        state: &'s mut State,
        waiting: &Waiting<'_>,
    ) -> VaultResult<(Guard, &'s mut Open, &'s mut i64)> {
        if state.open.is_none() {
            self.attach(state, waiting, None)?;
        }
        let guard = self.store.lock.shared(waiting)?;
        match &mut state.open {
            Some(open) if self.is_current(open)? => Ok((guard, open, &mut state.mark)),
            _ => Err(VaultError::Stale),
        }
    }

    pub(super) fn is_current(&self, open: &Open) -> Result<bool> {
        Ok(matches!(self.store.directories.look()?, Found::File(_, now) if now == open.identity))
    }

    /// The keys of the vault that is there now.
    pub(super) fn keys(&self) -> Result<Arc<Keys>> {
        self.explained(self.retry(|state, waiting| {
            let (_guard, open, _) = self.enter(state, waiting)?;
            Ok(Arc::clone(&open.keys))
        }))
    }

    pub(super) fn explained<T>(&self, done: VaultResult<T>) -> Result<T> {
        done.map_err(|failure| failure.explain(&self.store.directories.data))
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.store.clock
    }

    /// True if the commit with this id is in the file, as a new connection reads it.
    fn has_commit(&self, state: &mut State, waiting: &Waiting<'_>, id: &str) -> bool {
        let attached = self.attach(state, waiting, None);
        let Some(open) = state.open.as_ref().filter(|_| attached.is_ok()) else { return false };
        // What made the disk fail may have been this.
        let _ = sync_directory(&self.store.directories.data);
        let select = "SELECT instr(commits, ?1) > 0 FROM meta";
        open.connection.query_row(select, [id], |row| row.get(0)).unwrap_or(false)
    }

    /// After `Ok` the work can be tried again; an error is final.
    fn recover(
        &self,
        state: &mut State,
        waiting: &Waiting<'_>,
        failure: VaultError,
    ) -> VaultResult<()> {
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
                self.attach(state, waiting, suspect)
            }
            VaultError::BadRow => match self.delete_bad_rows(state, waiting) {
                Err(VaultError::Damaged) => self.recover(state, waiting, VaultError::Damaged),
                done => done,
            },
            failure => {
                if failure.is_of_disk() {
                    state.open = None;
                }
                Err(failure)
            }
        }
    }

    fn delete_bad_rows(&self, state: &mut State, waiting: &Waiting<'_>) -> VaultResult<()> {
        let (_guard, open, mark) = self.enter(state, waiting)?;
        let kept_as = rebuild::delete_bad_rows(&self.store.directories, self.clock(), open)?;
        *mark += 1;
        self.store.damage().push(Damage { outcome: "damaged", kept_as });
        Ok(())
    }

    fn attach(
        &self,
        state: &mut State,
        waiting: &Waiting<'_>,
        suspect: Option<Identity>,
    ) -> VaultResult<()> {
        state.open = None;
        let Store { directories, lock, .. } = &*self.store;
        let mut damage = Vec::new();
        let opened = attach(directories, lock, self.clock(), waiting, suspect, &mut damage);
        self.store.damage().append(&mut damage);
        let open = opened?;
        if let Ok(Some(time)) = audit::newest_time(&open.connection) {
            self.clock().raise_floor(time);
        }
        if open.is_rolled_back {
            self.store.damage().push(Damage { outcome: rebuild::ROLLED_BACK, kept_as: None });
        }
        warn(directories, &open);
        orphans::note(directories, &open.key_file);
        orphans::sweep_once(directories, self.clock());
        state.open = Some(open);
        state.mark += 1;
        Ok(())
    }
}

impl Store {
    /// Waits until no other thread of this process is at work.
    pub fn take(&self, waiting: &Waiting<'_>) -> VaultResult<Taken<'_>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(taken) = state.take() {
                // Whoever is at work needs this lock to end it.
                drop(state);
                return Ok(Taken { store: self, state: taken, _gate: fork::keep_out() });
            }
            let slice = waiting.slice()?;
            (state, _) =
                self.freed.wait_timeout(state, slice).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn damage(&self) -> MutexGuard<'_, Vec<Damage>> {
        self.damage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Deref for Taken<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Taken<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Taken<'_> {
    /// A panic inside a transaction rolls it back; the state itself stays sound.
    fn drop(&mut self) {
        let state = std::mem::take(&mut self.state);
        *self.store.state.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
        self.store.freed.notify_one();
    }
}

/// Writes the commit's id into the commit itself, so that it can be found where the disk failed too
/// late to undo it. Returns the id.
fn note_commit(transaction: &Connection) -> VaultResult<String> {
    let id = files::random_id()?;
    transaction
        .prepare_cached("UPDATE meta SET commits = substr(?1 || commits, 1, ?2)")?
        .execute(params![id, COMMITS])?;
    Ok(id)
}

/// Readers may hold it up; meanwhile no new ones come in.
fn commit(transaction: &Connection, waiting: &Waiting<'_>) -> VaultResult<()> {
    loop {
        match transaction.execute_batch("COMMIT") {
            Err(error) if is_busy(&error) => waiting.pause()?,
            done => return Ok(done?),
        }
    }
}
