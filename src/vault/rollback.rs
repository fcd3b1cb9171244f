//! The mark beside the device key: how far the vault had come. A vault that is behind it is an old
//! copy that somebody has put back: its sessions may have been ended since, and the logouts that
//! waited are lost.
//!
//! The mark follows each commit that stores or ends a session, and is not synced: a power cut may
//! lose it, which hides an old copy, but it is never ahead of the vault, which would be a false
//! alarm.

use super::error::VaultResult;
use super::files::{create_file, read_text};
use super::key::{KeyFile, MARK};
use crate::lock::open_file;
use rusqlite::{Connection, TransactionBehavior};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// As many digits as the largest generation has. Always all of them, so that it is written in place.
const DIGITS: usize = 19;

/// The mark of one vault.
pub struct Mark {
    path: PathBuf,
    /// What is written there; 0 where nothing is.
    written: i64,
}

impl Mark {
    pub fn of(key_file: &KeyFile) -> Self {
        let path = key_file.path.with_extension(MARK);
        let written = read(&path).unwrap_or(0);
        Mark { path, written }
    }

    /// True where the vault is behind the mark. It gets ahead again, so that this is told once; where
    /// it cannot be written, it is told at each opening.
    pub fn is_ahead_of(&self, connection: &mut Connection) -> VaultResult<bool> {
        if generation(connection)? >= self.written {
            return Ok(false);
        }
        let behavior = TransactionBehavior::Immediate;
        if let Ok(transaction) = connection.transaction_with_behavior(behavior) {
            let catch_up = "UPDATE meta SET generation = max(generation, ?1 + 1)";
            let _ =
                transaction.execute(catch_up, [self.written]).and_then(|_| transaction.commit());
        }
        Ok(true)
    }

    /// Follows the vault. A mark that cannot be written stays behind.
    pub fn follow(&mut self, connection: &Connection) -> VaultResult<()> {
        let generation = generation(connection)?;
        if generation > self.written && write(&self.path, generation).is_ok() {
            self.written = generation;
        }
        Ok(())
    }
}

/// For a vault that is made anew under its old key, and counts from wherever it can.
pub fn forget(key_path: &Path) {
    let _ = fs::remove_file(key_path.with_extension(MARK));
}

fn generation(connection: &Connection) -> VaultResult<i64> {
    let select = "SELECT generation FROM meta WHERE one = 1";
    Ok(connection.prepare_cached(select)?.query_row([], |row| row.get(0))?)
}

/// `None` for anything but a whole mark.
fn read(path: &Path) -> Option<i64> {
    let text = read_text(path, DIGITS as u64 + 1).ok()?;
    if text.len() == DIGITS { text.parse().ok() } else { None }
}

fn write(path: &Path, generation: i64) -> io::Result<()> {
    let mut file = match open_file(path, true, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create_file(path)?,
        opened => opened?,
    };
    file.set_len(DIGITS as u64)?;
    write!(file, "{generation:0DIGITS$}")
}
