//! What happens to a vault that is damaged: the file is quarantined, what still opens moves on.
//!
//! The new vault is complete before the old one is touched, and takes its place by one rename.
//! Rows that do not open with the key are not carried over; no row of another profile's vault is.

use super::error::{VaultError, VaultResult, explain_io};
use super::file::{Open, build, opens_check, read_meta};
use super::files::{Directories, create_file, journal_of, sync_directory};
use super::key::{self, KeyFile};
use super::lock::Guard;
use super::rescue::{self, Copy};
use super::seal::Keys;
use super::transaction::sealed_tables;
use crate::clock::Clock;
use crate::error::Result;
use rusqlite::{Connection, TransactionBehavior};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Something that was found damaged and dealt with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// "key_missing", "key_wrong" or "damaged".
    pub outcome: &'static str,
    /// The file as it was; `None` where even a copy could not be made.
    pub kept_as: Option<PathBuf>,
}

/// Replaces the vault by a new one that holds what still opens. An error of another sort than
/// damage is handed back.
pub fn rebuild(
    directories: &Directories,
    guard: &Guard,
    clock: &dyn Clock,
    trouble: VaultError,
) -> Result<Damage> {
    let mut outcome = match trouble {
        VaultError::Damaged | VaultError::BadRow | VaultError::Stale => "damaged",
        VaultError::KeyMissing => "key_missing",
        VaultError::KeyWrong | VaultError::Foreign => "key_wrong",
        other => return Err(other.explain(&directories.data)),
    };
    let source = match trouble {
        VaultError::Foreign => None,
        _ => Copy::make(directories)?,
    };
    let old = source.as_ref().map(|copy| &copy.connection);
    let known = match trouble {
        VaultError::Foreign | VaultError::KeyMissing => None,
        _ => known_key(directories, guard, old, matches!(trouble, VaultError::KeyWrong))?,
    };
    if known.is_some() {
        // A key that opens some row is right; only the value that proves it was damaged.
        outcome = "damaged";
    }
    let (key_file, keys) = if let Some(known) = known {
        known
    } else {
        let vault = key::random_id()?;
        let key_file = key::create(directories, &vault)?;
        let keys = Keys::derive(&key_file.key, &vault)?;
        (key_file, keys)
    };
    let fresh = build(directories, &keys, |new| match old {
        Some(old) => rescue::carry_over(old, new, &keys),
        None => Ok(()),
    });
    if let Some(copy) = source {
        copy.discard();
    }
    let replaced = fresh.and_then(|fresh| replace(directories, guard, clock, &fresh, &keys));
    if replaced.is_err() && known_is_new(&key_file, guard) {
        let _ = key::erase(&key_file.path);
    }
    replaced.map(|kept| Damage { outcome, kept_as: Some(kept) })
}

/// Renames what is at the vault's path; for what is not a file.
pub fn quarantine(directories: &Directories, clock: &dyn Clock) -> Result<PathBuf> {
    let kept = directories.quarantine(clock.now());
    fs::rename(directories.vault(), &kept)
        .and_then(|()| sync_directory(&directories.data))
        .map_err(|error| cannot_move(&error, directories))?;
    directories.shorten_quarantine(&kept);
    Ok(kept)
}

/// Moves the journal to where it belongs to the database `kept`, or away where it is nobody's.
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

/// Copies the sound file into quarantine and deletes the rows in it that do not open.
pub fn delete_bad_rows(
    directories: &Directories,
    clock: &dyn Clock,
    open: &mut Open,
) -> VaultResult<Option<PathBuf>> {
    let kept = directories.quarantine(clock.now());
    // The copy is best effort: a full disk must not keep the other accounts out.
    let copied = create_file(&kept).is_ok()
        && open.connection.execute("VACUUM INTO ?1", [kept.to_string_lossy()]).is_ok();
    if copied {
        directories.shorten_quarantine(&kept);
    } else {
        let _ = fs::remove_file(&kept);
    }
    let transaction = open.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for table in sealed_tables(&transaction, &open.keys) {
        table.delete_unreadable()?;
    }
    transaction.commit()?;
    Ok(copied.then_some(kept))
}

fn replace(
    directories: &Directories,
    guard: &Guard,
    clock: &dyn Clock,
    fresh: &Path,
    keys: &Keys,
) -> Result<PathBuf> {
    let (vault, kept) = (directories.vault(), directories.quarantine(clock.now()));
    let linked = fs::hard_link(&vault, &kept).is_ok();
    let moved = if linked { Ok(()) } else { fs::rename(&vault, &kept) };
    moved.map_err(|error| cannot_move(&error, directories))?;
    move_journal(directories, &kept)?;
    // Between the rename and the new binding a crash must not make the new vault a foreign one.
    if guard.bound().is_none_or(|bound| bound != keys.vault()) {
        guard.bind(None);
    }
    fs::rename(fresh, &vault)
        .and_then(|()| sync_directory(&directories.data))
        .map_err(|error| cannot_move(&error, directories))?;
    if guard.bound().is_none() {
        guard.bind(Some(keys.vault()));
    }
    directories.shorten_quarantine(&kept);
    Ok(kept)
}

/// The id and key of the damaged vault, if they are still to be had.
fn known_key(
    directories: &Directories,
    guard: &Guard,
    source: Option<&Connection>,
    proof_needed: bool,
) -> Result<Option<(KeyFile, Keys)>> {
    let meta = source.and_then(|source| read_meta(source).ok());
    let bound = guard.bound();
    let ids = meta.iter().map(|(id, _)| id.clone()).chain(bound.clone());
    for id in ids {
        if bound.as_ref().is_some_and(|bound| *bound != id) {
            continue;
        }
        let mut unproved = None;
        for key_file in key::find(directories, &id)?.keys {
            let keys = Keys::derive(&key_file.key, &id)?;
            if meta.as_ref().is_some_and(|(of, sealed)| *of == id && opens_check(&keys, sealed))
                || source.is_some_and(|source| rescue::opens_any(source, &keys))
            {
                return Ok(Some((key_file, keys)));
            }
            if !proof_needed {
                unproved.get_or_insert((key_file, keys));
            }
        }
        if unproved.is_some() {
            return Ok(unproved);
        }
    }
    Ok(None)
}

/// True for a key that was made for a vault that did not come into being.
fn known_is_new(key_file: &KeyFile, guard: &Guard) -> bool {
    let name = key_file.path.file_stem().map(|name| name.to_string_lossy().into_owned());
    !key_file.beside_vault && name != guard.bound()
}

fn cannot_move(error: &io::Error, directories: &Directories) -> crate::error::Error {
    explain_io(error, "the damaged vault cannot be quarantined", &directories.data)
}
