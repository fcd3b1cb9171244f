//! Forgetting: deletes the vault, its device key and the quarantine, and starts a new vault.
//!
//! Without the key, no copy of the old file can be opened, wherever it is. The new audit trail
//! starts with a line about it.

use super::busy::Waiting;
use super::error::{VaultError, VaultResult, explain_io};
use super::file::Open;
use super::opening::finish_forgetting;
use super::store::{State, Vault};
use super::transaction::Transaction;
use super::{files, key, logins, quarantine};
use crate::audit::{Event, NewAuditEvent};
use crate::error::Result;

impl Vault {
    /// Erases everything that this device knows, and returns how many sessions and waiting
    /// revocations there were. The vault can be used afterwards, with a new key.
    pub fn forget(&self) -> Result<(u64, u64)> {
        let (sessions, revocations) =
            self.explained(self.retry(|state, waiting| self.erase(state, waiting)))?;
        let detail = format!("{sessions} sessions, {revocations} waiting logouts");
        let event = NewAuditEvent::new(Event::Forgotten, "", "", "ok").with_detail(&detail);
        // It is done: the key is gone, whether the disk takes a new vault or not.
        if let Err(error) = self.transact(|tx| tx.audit().append(&event)) {
            log::error!("a new vault could not be written: {error}");
        }
        Ok((sessions, revocations))
    }

    fn erase(&self, state: &mut State, waiting: &Waiting<'_>) -> VaultResult<(u64, u64)> {
        self.enter(state, waiting)?;
        let guard = self.store.lock.exclusive(waiting)?;
        let Some(open) = state.open.take() else { return Err(VaultError::Stale) };
        if !self.is_current(&open)? {
            return Err(VaultError::Stale);
        }
        // Rows that cannot be counted are erased all the same.
        let counts = self.count(&open).unwrap_or_default();
        let key_path = open.key_file.path.clone();
        drop(open);
        // The key goes first: from here on no copy of the vault opens, wherever it is. Where it can
        // be neither overwritten nor removed, nothing is erased.
        key::blank(&key_path).or_else(|_| files::remove(&key_path)).map_err(|error| {
            let place = key_path.parent().unwrap_or(&key_path);
            explain_io(&error, "the device key cannot be erased", place)
        })?;
        let directories = &self.store.directories;
        if let Err(error) = finish_forgetting(directories, &guard, &key_path) {
            log::error!("{error}; the next opening tries again");
        }
        quarantine::empty(directories);
        logins::remove_notes(directories);
        Ok(counts)
    }

    fn count(&self, open: &Open) -> VaultResult<(u64, u64)> {
        let transaction = Transaction::new(&open.connection, &open.keys, self.clock());
        let sessions = transaction.sessions().list(None)?.len();
        Ok((sessions as u64, transaction.outbox().count(None)?))
    }
}
