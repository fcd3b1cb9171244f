//! Replaces a damaged vault: the file goes into quarantine, what still opens into a new one.
//!
//! The new vault is complete before the old one is touched, and takes its place by one rename. Rows
//! that do not open with the key are left behind, and so is everything of another profile's vault.

use super::error::{VaultError, VaultResult, explain_io};
use super::file::{Open, build, create_keys, read_meta};
use super::files::{Directories, create_file, journal_of, sync_directory};
use super::key::{self, KeyFile};
use super::lock::Guard;
use super::seal::Keys;
use super::transaction::sealed_tables;
use super::{rescue, rollback};
use crate::clock::Clock;
use crate::error::Result;
use rusqlite::{Connection, TransactionBehavior};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Damage that was found and dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// "key_missing", "key_wrong", "damaged" or [`ROLLED_BACK`].
    pub outcome: &'static str,
    /// The file as it was found; `None` if there was no room for a copy, or nothing to keep.
    pub kept_as: Option<PathBuf>,
}

/// An older copy of the vault was put back; it is in use.
pub const ROLLED_BACK: &str = "rolled_back";

impl Damage {
    /// For the log and the audit trail.
    pub fn detail(&self) -> String {
        match &self.kept_as {
            Some(path) => format!("the old file is kept as {}", path.display()),
            None if self.outcome == ROLLED_BACK => {
                "an older copy was put back; logouts that waited since then are lost".to_owned()
            }
            None => "no copy could be kept".to_owned(),
        }
    }
}

/// Replaces the vault by a new one with everything that still opens. Other errors are returned.
pub fn rebuild(
    directories: &Directories,
    guard: &Guard,
    clock: &dyn Clock,
    trouble: VaultError,
) -> Result<Damage> {
    let source = match trouble {
        VaultError::Foreign => None,
        _ => rescue::copy(directories)?,
    };
    let known = |is_proved| known_key(directories, guard, source.as_ref(), is_proved);
    let (outcome, known) = match trouble {
        VaultError::Damaged | VaultError::BadRow | VaultError::Stale => ("damaged", known(false)?),
        VaultError::KeyWrong => ("key_wrong", known(true)?),
        VaultError::KeyMissing => ("key_missing", None),
        VaultError::Foreign => ("key_wrong", None),
        other => return Err(other.explain(&directories.data)),
    };
    let is_known = known.is_some();
    let (key_file, keys) = known.map_or_else(|| create_keys(directories), Ok)?;
    let fresh = build(directories, &keys, |new| match &source {
        Some(source) => rescue::carry_over(source, new, &keys),
        None => Ok(()),
    });
    let replaced = fresh.and_then(|fresh| replace(directories, guard, clock, &fresh, &keys));
    if replaced.is_err() && !is_known {
        key::discard(&key_file);
    }
    if replaced.is_ok() {
        rollback::forget(&key_file.path);
    }
    // If a key opens some row, it is the right one: only the proof of it was damaged.
    let outcome = if is_known { "damaged" } else { outcome };
    replaced.map(|kept| Damage { outcome, kept_as: Some(kept) })
}

/// Moves whatever is at the vault's path into quarantine; for things that are not files.
pub fn quarantine(directories: &Directories, clock: &dyn Clock) -> Result<PathBuf> {
    let kept = directories.quarantine(clock.now());
    fs::rename(directories.vault(), &kept)
        .and_then(|()| sync_directory(&directories.data))
        .map_err(|error| cannot_move(&error, directories))?;
    directories.shorten_quarantine(&kept);
    Ok(kept)
}

/// Moves the journal along with its database to `kept`, or deletes a journal without a database.
pub fn move_journal(directories: &Directories, kept: &Path) -> Result<()> {
    let journal = directories.journal();
    if fs::symlink_metadata(&journal).is_err() {
        return Ok(());
    }
    let moved = if kept == directories.vault() {
        fs::remove_file(&journal)
    } else {
        fs::rename(&journal, journal_of(kept))
    };
    moved.map_err(|error| cannot_move(&error, directories))
}

/// Puts a copy of a sound file into quarantine and deletes the rows that do not open.
pub fn delete_bad_rows(
    directories: &Directories,
    clock: &dyn Clock,
    open: &mut Open,
) -> VaultResult<Option<PathBuf>> {
    let kept = directories.quarantine(clock.now());
    // Best effort: a full disk must not lock the other accounts out.
    let is_copied = create_file(&kept).is_ok()
        && open.connection.execute("VACUUM INTO ?1", [kept.to_string_lossy()]).is_ok();
    if is_copied {
        directories.shorten_quarantine(&kept);
    } else {
        let _ = fs::remove_file(&kept);
    }
    let transaction = open.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for table in sealed_tables(&transaction, &open.keys) {
        table.delete_unreadable()?;
    }
    transaction.commit()?;
    Ok(is_copied.then_some(kept))
}

fn replace(
    directories: &Directories,
    guard: &Guard,
    clock: &dyn Clock,
    fresh: &Path,
    keys: &Keys,
) -> Result<PathBuf> {
    // A crash between the rename and the new binding must not make the new vault a foreign one.
    if guard.bound().is_none_or(|bound| bound != keys.vault()) {
        guard.unbind(&directories.data)?;
    }
    let (vault, kept) = (directories.vault(), directories.quarantine(clock.now()));
    fs::hard_link(&vault, &kept)
        .or_else(|_| fs::rename(&vault, &kept))
        .map_err(|error| cannot_move(&error, directories))?;
    move_journal(directories, &kept)?;
    fs::rename(fresh, &vault).map_err(|error| cannot_move(&error, directories))?;
    // If a power cut undoes the rename, the damage is found once more.
    let _ = sync_directory(&directories.data);
    guard.bind(keys.vault());
    directories.shorten_quarantine(&kept);
    Ok(kept)
}

/// The key of the damaged vault, if it can still be found: one that opens a row, or else any,
/// unless `is_proved` is wanted.
fn known_key(
    directories: &Directories,
    guard: &Guard,
    source: Option<&Connection>,
    is_proved: bool,
) -> Result<Option<(KeyFile, Keys)>> {
    let own_id = || read_meta(source?).ok().map(|(id, _)| id);
    let Some(id) = guard.bound().or_else(own_id) else { return Ok(None) };
    let mut unproved = None;
    for key_file in key::find(directories, &id)?.keys {
        let keys = Keys::derive(&key_file.key, &id)?;
        if source.is_some_and(|source| rescue::opens_any(source, &keys)) {
            return Ok(Some((key_file, keys)));
        }
        unproved.get_or_insert((key_file, keys));
    }
    Ok(unproved.filter(|_| !is_proved))
}

fn cannot_move(error: &io::Error, directories: &Directories) -> crate::error::Error {
    explain_io(error, "the damaged vault cannot be quarantined", &directories.data)
}
