//! Forgetting: sessions, outbox, tasks and device key are erased; the audit trail stays, and so does
//! what its sinks have taken of it.
//!
//! The vault gets a new id and a new key in the transaction that empties it, then the old key is
//! overwritten. From that moment on no copy of the old file opens, wherever it is.

use super::busy::{self, BusyTimeout};
use super::error::{VaultError, VaultResult, explain_io};
use super::file::{Open, seal_check};
use super::key::KeyFile;
use super::seal::Keys;
use super::{ATTEMPTS, State, Vault, audit, key};
use crate::audit::{Event, NewAuditEvent};
use crate::clock::Clock;
use crate::error::Result;
use rusqlite::{TransactionBehavior, params};
use std::fs;

impl Vault {
    /// Erases what this device knows; gives the numbers of sessions and of outbox entries. The
    /// vault can be used afterwards, with its new key. The files kept aside go as well.
    pub fn forget(&self) -> Result<(u64, u64)> {
        let mut state = self.state();
        let mut done = self.swap_key(&mut state);
        for _ in 0..ATTEMPTS {
            match done {
                Ok(_) => break,
                Err(failure) => {
                    let _patience = BusyTimeout::of(busy::ORDINARY);
                    self.recover(&mut state, failure)?;
                }
            }
            done = self.swap_key(&mut state);
        }
        let (counts, old) = done.map_err(|failure| failure.explain(&self.directories.data))?;
        for start in ["vault.damaged-", "device.damaged-"] {
            for path in self.directories.named(start) {
                let _ = fs::remove_file(path);
            }
        }
        key::erase(&old.path).map_err(|error| {
            explain_io(
                &error,
                "the old device key cannot be erased",
                old.path.parent().unwrap_or(&old.path),
            )
        })?;
        Ok(counts)
    }

    /// One transaction: everything out, the new id and check value in.
    fn swap_key(&self, state: &mut State) -> VaultResult<((u64, u64), KeyFile)> {
        let _patience = BusyTimeout::of(busy::ORDINARY);
        drop(self.enter(state)?);
        let guard = self.lock.alone()?;
        let State { open: Some(open), mark, .. } = state else { return Err(VaultError::Stale) };
        if !self.is_current(open)? {
            return Err(VaultError::Stale);
        }
        let vault = key::random_id()?;
        let file = key::replace(&self.directories, &vault, &open.key_file.path)?;
        guard.bind(None);
        let emptied = Keys::derive(&file.key, &vault)
            .map_err(VaultError::from)
            .and_then(|keys| empty(open, &keys, self.clock()).map(|counts| (counts, keys)));
        let (counts, keys) = match emptied {
            Ok(emptied) => emptied,
            Err(failure) => {
                guard.bind(Some(open.keys.vault()));
                let _ = key::erase(&file.path);
                return Err(failure);
            }
        };
        guard.bind(Some(&vault));
        *mark += 1;
        open.keys = keys;
        Ok((counts, std::mem::replace(&mut open.key_file, file)))
    }
}

fn empty(open: &mut Open, keys: &Keys, clock: &dyn Clock) -> VaultResult<(u64, u64)> {
    let transaction = open.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sessions = transaction.execute("DELETE FROM sessions", [])?;
    let entries = transaction.execute("DELETE FROM outbox", [])?;
    transaction.execute("DELETE FROM definitions", [])?;
    transaction.execute("DELETE FROM tasks", [])?;
    let changed = transaction.execute(
        "UPDATE meta SET vault = ?1, sealed = ?2 WHERE vault = ?3",
        params![keys.vault(), seal_check(keys)?, open.keys.vault()],
    )?;
    if changed == 0 {
        return Err(VaultError::Stale);
    }
    let record = NewAuditEvent {
        event: Event::Forgotten,
        provider: String::new(),
        account: String::new(),
        outcome: "ok".to_owned(),
        detail: format!("{sessions} sessions, {entries} waiting logouts"),
    };
    audit::append(&transaction, clock, &record)?;
    transaction.commit()?;
    Ok((sessions as u64, entries as u64))
}
