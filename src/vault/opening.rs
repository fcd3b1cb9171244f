//! Opening the vault of a data directory: makes it where there is none, checks it, finds its key.
//!
//! A vault is made complete under a temporary name and then published, so whatever else is found
//! at its path is damage, never a vault half made.

use super::error::{VaultError, VaultResult, explain_io};
use super::file::{Open, build, data_version, opens_check, read_meta};
use super::files::{Directories, Found, publish};
use super::lock::{DirectoryLock, Guard};
use super::rebuild::{self, Damage};
use super::seal::Keys;
use super::{key, schema};
use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use crate::lock::{Identity, open_file};
use std::fs;

/// Larger files are not checked at opening; what is wrong with them shows when it is read.
const CHECKED_AT_OPENING: u64 = 4 << 20;

/// Opens what is there, or makes it. `suspect` is a file that was found damaged while in use.
pub fn attach(
    directories: &Directories,
    lock: &DirectoryLock,
    clock: &dyn Clock,
    mut suspect: Option<Identity>,
    damage: &mut Vec<Damage>,
) -> Result<Open> {
    directories.restore()?;
    if let Some(open) = join(directories, lock, suspect)? {
        return Ok(open);
    }
    let guard = lock.exclusive()?;
    sweep(directories, &guard);
    for _ in 0..4 {
        let trouble = match look(directories)? {
            Found::Nothing => {
                make(directories, &guard)?;
                continue;
            }
            Found::Other => {
                let kept = rebuild::quarantine(directories, clock)?;
                damage.push(Damage { outcome: "damaged", kept_as: Some(kept) });
                continue;
            }
            Found::File(_, identity) if suspect == Some(identity) => {
                suspect = None;
                VaultError::Damaged
            }
            Found::File(length, identity) => match open(directories, &guard, length, identity) {
                Ok(open) => return Ok(open),
                Err(failure) => failure.at_opening(),
            },
        };
        damage.push(rebuild::rebuild(directories, &guard, clock, trouble)?);
    }
    Err(Error::new(Kind::Storage, "the vault is damaged again and again")
        .with_hint(format!("look at the disk that holds {}", directories.data.display())))
}

/// Opens a sound vault among others who are at work. `None` where something has to be done to it
/// first, for which nobody else may be there.
fn join(
    directories: &Directories,
    lock: &DirectoryLock,
    suspect: Option<Identity>,
) -> Result<Option<Open>> {
    let guard = lock.shared()?;
    sweep(directories, &guard);
    let (length, identity) = match look(directories)? {
        Found::File(length, identity) if suspect != Some(identity) => (length, identity),
        _ => return Ok(None),
    };
    match open(directories, &guard, length, identity).map_err(VaultError::at_opening) {
        Ok(open) => Ok(Some(open)),
        // Being alone would not help.
        Err(failure @ (VaultError::Sql(_) | VaultError::Refused(_))) => {
            Err(failure.explain(&directories.data))
        }
        Err(_) => Ok(None),
    }
}

fn look(directories: &Directories) -> Result<Found> {
    directories
        .look()
        .map_err(|error| explain_io(&error, "the data directory cannot be read", &directories.data))
}

/// Removes what a crash has left. Whoever makes a vault is alone, so now nobody does.
fn sweep(directories: &Directories, guard: &Guard) {
    if guard.is_held() {
        for path in directories.named("vault.new-") {
            let _ = fs::remove_file(path);
        }
    }
}

fn make(directories: &Directories, guard: &Guard) -> Result<()> {
    let vault = key::random_id()?;
    let key_file = key::create(directories, &vault)?;
    let keys = Keys::derive(&key_file.key, &vault)?;
    let published = build(directories, &keys, |_| Ok(())).and_then(|fresh| {
        // A journal without its database would be played back into the new one.
        rebuild::move_journal(directories, &directories.vault())?;
        guard.bind(None);
        publish(&fresh, &directories.vault())
            .map_err(|error| explain_io(&error, "the vault cannot be created", &directories.data))
    });
    match published {
        Ok(true) => {
            guard.bind(Some(&vault));
            Ok(())
        }
        // Another process was faster, or it failed; a key beside the vault may be the other's.
        other => {
            if !key_file.beside_vault {
                let _ = key::erase(&key_file.path);
            }
            other.map(|_| ())
        }
    }
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
    // A changed header byte makes SQLite read-only where the file is not.
    if connection.is_readonly("main")? && open_file(&directories.vault(), true, false).is_ok() {
        return Err(VaultError::Damaged);
    }
    if guard.is_exclusive() {
        schema::migrate(&mut connection)?;
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
        None if guard.is_exclusive() => guard.bind(Some(&vault)),
        None => return Err(VaultError::Stale),
    }
    let candidates = key::find(directories, &vault)?;
    let none_there = candidates.keys.is_empty() && !candidates.malformed;
    for key_file in candidates.keys {
        let keys = Keys::derive(&key_file.key, &vault)?;
        if opens_check(&keys, &sealed) {
            // Not needed now; the next opening tries again.
            let _ = schema::fill_reserve(&connection);
            let data_version = data_version(&connection)?;
            return Ok(Open { connection, keys, key_file, identity, data_version });
        }
    }
    Err(if none_there { VaultError::KeyMissing } else { VaultError::KeyWrong })
}
