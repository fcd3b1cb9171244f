//! What `doctor` says about the vault. Holds no secret.

use super::busy::{self, BusyTimeout};
use super::schema;
use super::store::Vault;
use crate::error::Result;
use rusqlite::TransactionBehavior;
use serde::Serialize;
use std::path::PathBuf;

/// The state of the vault and of its place.
#[derive(Clone, Debug, Serialize)]
pub struct Diagnosis {
    /// The version of the tables.
    pub schema: i64,
    pub sqlite: &'static str,
    pub journal_mode: String,
    /// The file of the device key.
    pub key_place: PathBuf,
    /// True if the key directory is not writable: a copy of the data directory can then be opened.
    pub key_beside_vault: bool,
    /// True if SQLite finds nothing wrong in the whole file.
    pub is_sound: bool,
    /// The file system has locks between processes.
    pub file_locks: bool,
}

impl Vault {
    /// Checks the whole vault; the larger the file, the longer it takes.
    pub fn diagnose(&self) -> Result<Diagnosis> {
        let mut state = self.state();
        let _timeout = BusyTimeout::of(busy::ORDINARY);
        let file_locks = self.lock.shared()?.is_held();
        let (journal_mode, is_sound) =
            self.run(&mut state, TransactionBehavior::Deferred, |connection, _| {
                let mode = connection.pragma_query_value(None, "journal_mode", |r| r.get(0))?;
                let answer: String =
                    connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
                Ok((mode, answer == "ok"))
            })?;
        let key_file = state.open.as_ref().map(|open| &open.key_file);
        Ok(Diagnosis {
            schema: schema::VERSION,
            sqlite: rusqlite::version(),
            journal_mode,
            key_place: key_file.map(|file| file.path.clone()).unwrap_or_default(),
            key_beside_vault: key_file.is_some_and(|file| file.beside_vault),
            is_sound,
            file_locks,
        })
    }
}
