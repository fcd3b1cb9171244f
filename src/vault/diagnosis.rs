//! What `doctor` says about the vault. Holds no secret.

use super::files::{Directories, create_file, random_id};
use super::key::is_readable_by_others;
use super::rebuild::ROLLED_BACK;
use super::schema;
use super::store::Vault;
use crate::audit::Event;
use crate::clock::UnixTime;
use crate::error::Result;
use rusqlite::{Connection, TransactionBehavior};
use serde::Serialize;
use std::fs;
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
    /// True if the key lies in the data directory: a copy of that can then be opened.
    pub key_beside_vault: bool,
    /// True if its mode lets other users of the machine read the key.
    pub key_readable_by_others: bool,
    /// True if SQLite finds nothing wrong in the whole file.
    pub is_sound: bool,
    /// When it was last noticed that an older copy of the vault had been put back.
    pub rolled_back_at: Option<UnixTime>,
    /// False on a read-only or full file system: then nothing can be stored.
    pub is_writable: bool,
    /// The file system has locks between processes.
    pub file_locks: bool,
}

impl Vault {
    /// Checks the whole vault; the larger the file, the longer it takes.
    pub fn diagnose(&self) -> Result<Diagnosis> {
        let (journal_mode, is_sound, rolled_back_at) =
            self.explained(self.run(TransactionBehavior::Deferred, |connection, _| {
                let mode = connection.pragma_query_value(None, "journal_mode", |r| r.get(0))?;
                let answer: String =
                    connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
                Ok((mode, answer == "ok", last_rollback(connection)?))
            }))?;
        let (key_place, file_locks) = self.explained(self.retry(|state, waiting| {
            let (guard, open, _) = self.enter(state, waiting)?;
            Ok((open.key_file.path.clone(), guard.is_held()))
        }))?;
        Ok(Diagnosis {
            schema: schema::VERSION,
            sqlite: rusqlite::version(),
            journal_mode,
            key_beside_vault: key_place.starts_with(&self.store.directories.data),
            key_readable_by_others: is_readable_by_others(&key_place),
            key_place,
            is_sound,
            rolled_back_at,
            is_writable: is_writable(&self.store.directories),
            file_locks,
        })
    }
}

fn last_rollback(connection: &Connection) -> rusqlite::Result<Option<UnixTime>> {
    let select = "SELECT max(at) FROM audit WHERE event = ?1 AND outcome = ?2";
    connection.query_row(select, [Event::VaultDamaged.as_str(), ROLLED_BACK], |row| row.get(0))
}

/// The journal is a file beside the vault: where none can be made, nothing is stored.
fn is_writable(directories: &Directories) -> bool {
    random_id().is_ok_and(|id| {
        let path = directories.fresh(&id);
        let is_made = create_file(&path).is_ok();
        let _ = fs::remove_file(path);
        is_made
    })
}
