//! Opens the vault of a data directory: creates it if there is none, checks it, and finds its key.
//!
//! A vault is completed under a temporary name before it is published, so an incomplete file at its
//! path is damage, never a vault in the making.

use super::busy::Waiting;
use super::error::{VaultError, VaultResult, damaged_again, explain_io};
use super::file::{Open, build, create_keys, opens_check, read_meta};
use super::files::{self, Directories, Found, publish};
use super::lock::{DirectoryLock, Guard};
use super::rebuild::{self, Damage};
use super::seal::Keys;
use super::{key, schema};
use crate::clock::Clock;
use crate::error::Result;
use crate::lock::{Identity, open_file};
use rusqlite::Connection;
use std::path::Path;

/// Larger files are not checked when they are opened; their damage shows when they are read.
const CHECKED_AT_OPENING: u64 = 4 << 20;

/// Opens the vault, or creates it. `suspect` is a file that was found damaged while in use.
pub fn attach(
    directories: &Directories,
    lock: &DirectoryLock,
    clock: &dyn Clock,
    waiting: &Waiting<'_>,
    suspect: Option<Identity>,
    damage: &mut Vec<Damage>,
) -> VaultResult<Open> {
    directories.restore()?;
    if let Some(open) = join(directories, lock, waiting, suspect)? {
        return Ok(open);
    }
    let guard = lock.exclusive(waiting)?;
    let opened = repair(directories, &guard, clock, suspect, damage);
    sweep(directories, &guard);
    opened
}

/// Writes into the log what weakens a vault that has just been opened.
pub fn warn(directories: &Directories, open: &Open) {
    let place = open.key_file.path.display();
    if open.key_file.path.starts_with(&directories.data) {
        log::warn!("the device key is in the data directory, a copy of which opens: {place}");
    }
    if key::is_readable_by_others(&open.key_file.path) {
        log::warn!("others can read the device key, give it the mode 0600: {place}");
    }
    if open.connection.is_readonly("main").unwrap_or(false) {
        let directory = directories.data.display();
        log::warn!("the data directory cannot be written, nothing is stored: {directory}");
    }
}

/// Creates or replaces the vault until it opens.
fn repair(
    directories: &Directories,
    guard: &Guard,
    clock: &dyn Clock,
    mut suspect: Option<Identity>,
    damage: &mut Vec<Damage>,
) -> VaultResult<Open> {
    for _ in 0..4 {
        let found = match directories.look()? {
            Found::Nothing => {
                create(directories, guard)?;
                continue;
            }
            Found::Other => {
                let kept = rebuild::quarantine(directories, clock)?;
                damage.push(Damage { outcome: "damaged", kept_as: Some(kept) });
                continue;
            }
            Found::File(_, identity) if suspect.take() == Some(identity) => {
                Err(VaultError::Damaged)
            }
            Found::File(length, identity) => open(directories, guard, length, identity),
        };
        match found {
            Ok(open) => return Ok(open),
            Err(failure) if failure.is_busy() => return Err(failure),
            Err(VaultError::Forgotten(key)) => finish_forgetting(directories, guard, &key)?,
            Err(failure) => {
                let trouble = failure.at_opening();
                damage.push(rebuild::rebuild(directories, guard, clock, trouble)?);
            }
        }
    }
    Err(VaultError::Refused(damaged_again(&directories.data)))
}

/// Deletes the vault whose key is erased, and then what is left of the key: until that is gone, the
/// next opening begins here again.
pub fn finish_forgetting(directories: &Directories, guard: &Guard, key: &Path) -> Result<()> {
    directories.remove_vault().and_then(|()| files::remove(key)).map_err(|error| {
        explain_io(&error, "the vault that was forgotten cannot be deleted", &directories.data)
    })?;
    guard.unbind(&directories.data)
}

/// Opens a sound vault while others may be using it. `None` if something has to be done to it
/// first, for which nobody else may be there.
fn join(
    directories: &Directories,
    lock: &DirectoryLock,
    waiting: &Waiting<'_>,
    suspect: Option<Identity>,
) -> VaultResult<Option<Open>> {
    let guard = lock.shared(waiting)?;
    sweep(directories, &guard);
    let (length, identity) = match directories.look()? {
        Found::File(length, identity) if suspect != Some(identity) => (length, identity),
        _ => return Ok(None),
    };
    match open(directories, &guard, length, identity).map_err(VaultError::at_opening) {
        Ok(open) => Ok(Some(open)),
        // The exclusive lock would not help.
        Err(failure @ (VaultError::Sql(_) | VaultError::Refused(_) | VaultError::Busy)) => {
            Err(failure)
        }
        Err(_) => Ok(None),
    }
}

/// Vaults are made under the exclusive lock, so whoever holds the lock at all is safe to sweep.
fn sweep(directories: &Directories, guard: &Guard) {
    if guard.is_held() {
        directories.sweep();
    }
}

fn create(directories: &Directories, guard: &Guard) -> Result<()> {
    let (key_file, keys) = create_keys(directories)?;
    let published = build(directories, &keys, |_| Ok(())).and_then(|fresh| {
        // A journal without its database would be played back into the new one.
        rebuild::move_journal(directories, &directories.vault())?;
        guard.unbind(&directories.data)?;
        publish(&fresh, &directories.vault())
            .map_err(|error| explain_io(&error, "the vault cannot be created", &directories.data))
    });
    match &published {
        Ok(true) => guard.bind(keys.vault()),
        // It may be there all the same: then it keeps its key until it is gone.
        Err(_) if directories.remove_vault().is_err() => {}
        // It failed, or another process was faster.
        Ok(false) | Err(_) => key::discard(&key_file),
    }
    published.map(drop)
}

fn open(
    directories: &Directories,
    guard: &Guard,
    length: u64,
    identity: Identity,
) -> VaultResult<Open> {
    if length == 0 {
        return Err(VaultError::Damaged);
    }
    let mut connection = schema::connect(&directories.vault())?;
    // One wrong byte in the header makes SQLite treat a writable file as read-only; so does an
    // opening that failed once.
    if connection.is_readonly("main")? && open_file(&directories.vault(), true, false).is_ok() {
        connection = schema::connect(&directories.vault())?;
        if connection.is_readonly("main")? {
            return Err(VaultError::Damaged);
        }
    }
    if guard.is_exclusive() {
        migrate(directories, &mut connection)?;
    } else {
        schema::verify(&connection)?;
    }
    if length <= CHECKED_AT_OPENING {
        schema::check(&connection)?;
    }
    let (vault, sealed) = read_meta(&connection)?;
    match guard.bound() {
        Some(bound) if bound != vault => return Err(VaultError::Foreign),
        Some(_) => {}
        None if guard.is_exclusive() => guard.bind(&vault),
        None => return Err(VaultError::Stale),
    }
    let candidates = key::find(directories, &vault)?;
    let none_there = candidates.keys.is_empty() && !candidates.malformed;
    for key_file in candidates.keys {
        if key_file.key.is_blank() {
            return Err(VaultError::Forgotten(key_file.path));
        }
        let keys = Keys::derive(&key_file.key, &vault)?;
        if opens_check(&keys, &sealed) {
            return Open::new(connection, keys, key_file, identity);
        }
    }
    Err(if none_there { VaultError::KeyMissing } else { VaultError::KeyWrong })
}

/// A full disk must not keep the user from logging out: a migration may use the reserve.
fn migrate(directories: &Directories, connection: &mut Connection) -> VaultResult<()> {
    match schema::migrate(connection) {
        Err(failure @ VaultError::Sql(_))
            if !failure.is_busy() && directories.release_reserve() =>
        {
            schema::migrate(connection)
        }
        done => done,
    }
}
