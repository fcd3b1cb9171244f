//! What `doctor` says about the vault. Holds no secret.

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
        let (journal_mode, is_sound) =
            self.explained(self.run(TransactionBehavior::Deferred, |connection, _| {
                let mode = connection.pragma_query_value(None, "journal_mode", |r| r.get(0))?;
                let answer: String =
                    connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
                Ok((mode, answer == "ok"))
            }))?;
        let (key_file, file_locks) = self.explained(self.retry(|state, waiting| {
            let (guard, open, _) = self.enter(state, waiting)?;
            Ok((open.key_file.clone(), guard.is_held()))
        }))?;
        Ok(Diagnosis {
            schema: schema::VERSION,
            sqlite: rusqlite::version(),
            journal_mode,
            key_place: key_file.path,
            key_beside_vault: key_file.beside_vault,
            is_sound,
            file_locks,
        })
    }
}
