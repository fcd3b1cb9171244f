//! What `doctor` tells about the vault. Holds no secret.

use super::busy::{self, BusyTimeout};
use super::{Vault, audit, schema};
use crate::error::Result;
use rusqlite::TransactionBehavior;
use serde::Serialize;
use std::path::PathBuf;

/// The state of the vault and of the place where it lies.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// The version of the tables.
    pub schema: i64,
    pub sqlite: &'static str,
    pub journal_mode: String,
    /// The file of the device key.
    pub key_place: PathBuf,
    /// True where the key directory cannot be written: a copy of the data directory opens then.
    pub key_beside_vault: bool,
    /// What SQLite says of the whole file: true for no complaint.
    pub integrity: bool,
    /// The audit trail's chain holds.
    pub trail_holds: bool,
    /// The file system has locks between processes.
    pub file_locks: bool,
}

impl Vault {
    /// Looks through the whole vault; takes as long as the file is large.
    pub fn facts(&self) -> Result<Facts> {
        let mut state = self.state();
        let _patience = BusyTimeout::of(busy::ORDINARY);
        let file_locks = self.lock.share()?.is_held();
        let (journal_mode, integrity, trail_holds) =
            self.run(&mut state, TransactionBehavior::Deferred, |transaction, _| {
                let mode = transaction.pragma_query_value(None, "journal_mode", |r| r.get(0))?;
                let answer: String =
                    transaction.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
                Ok((mode, answer == "ok", audit::verify(transaction)?))
            })?;
        let key_file = state.open.as_ref().map(|open| &open.key_file);
        Ok(Facts {
            schema: schema::VERSION,
            sqlite: rusqlite::version(),
            journal_mode,
            key_place: key_file.map(|file| file.path.clone()).unwrap_or_default(),
            key_beside_vault: key_file.is_some_and(|file| file.beside_vault),
            integrity,
            trail_holds,
            file_locks,
        })
    }
}
