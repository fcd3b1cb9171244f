//! Opening the vault of a data directory: makes it where there is none, checks it, finds its key.
//!
//! A vault is made complete under a temporary name and then published, so whatever else is found
//! at its path is damage, never a vault half made.

use super::failure::{Failure, Work, explain_io};
use super::key::{self, KeyFile};
use super::lock::{Guard, Lock, is_id};
use super::place::{Directories, Found, Identity, create_file, open_file, publish};
use super::salvage;
use super::seal::{Keys, Place, Purpose};
use super::{Damage, schema};
use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use std::fs;
use std::path::{Path, PathBuf};

/// Larger files are not looked through at opening; what is wrong with them shows when it is read.
const CHECKED_AT_OPENING: u64 = 4 << 20;

/// What the sealed check value says.
const CHECK: &str = "sessionkeeper";

/// An open vault.
pub struct Open {
    pub connection: Connection,
    pub keys: Keys,
    pub key_file: KeyFile,
    pub identity: Identity,
    pub data_version: i64,
}

/// Opens what is there, or makes it. `suspect` is a file that was found damaged while in use.
pub fn attach(
    directories: &Directories,
    lock: &Lock,
    clock: &dyn Clock,
    mut suspect: Option<Identity>,
    damage: &mut Vec<Damage>,
) -> Result<Open> {
    directories.restore()?;
    if let Some(open) = join(directories, lock, suspect)? {
        return Ok(open);
    }
    let guard = lock.alone()?;
    sweep(directories, &guard);
    for _ in 0..4 {
        let trouble = match look(directories)? {
            Found::Nothing => {
                make(directories, &guard)?;
                continue;
            }
            Found::Other => {
                let kept = salvage::move_aside(directories, clock)?;
                damage.push(Damage { outcome: "damaged", kept_as: Some(kept) });
                continue;
            }
            Found::File(_, identity) if suspect == Some(identity) => {
                suspect = None;
                Failure::Damaged
            }
            Found::File(length, identity) => match open(directories, &guard, length, identity) {
                Ok(open) => return Ok(open),
                Err(failure) => failure.at_opening(),
            },
        };
        damage.push(salvage::rebuild(directories, &guard, clock, trouble)?);
    }
    Err(Error::new(Kind::Storage, "the vault is damaged again and again")
        .hint(format!("look at the disk that holds {}", directories.data.display())))
}

/// Opens a sound vault among others who are at work. `None` where something has to be done to it
/// first, for which nobody else may be there.
fn join(directories: &Directories, lock: &Lock, suspect: Option<Identity>) -> Result<Option<Open>> {
    let guard = lock.share()?;
    sweep(directories, &guard);
    let (length, identity) = match look(directories)? {
        Found::File(length, identity) if suspect != Some(identity) => (length, identity),
        _ => return Ok(None),
    };
    match open(directories, &guard, length, identity).map_err(Failure::at_opening) {
        Ok(open) => Ok(Some(open)),
        // Being alone would not help.
        Err(failure @ (Failure::Sql(_) | Failure::Refused(_))) => {
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

/// Writes a complete vault under a temporary name; `fill` puts the first rows in.
pub fn build(
    directories: &Directories,
    keys: &Keys,
    fill: impl FnOnce(&Transaction<'_>) -> Work<()>,
) -> Result<PathBuf> {
    let path = directories.fresh(&key::random_id()?);
    let written = write(&path, keys, fill);
    if written.is_err() {
        let _ = fs::remove_file(&path);
    }
    written.map_err(|failure| failure.explain(&directories.data)).map(|()| path)
}

/// The value that tells whether a key is the right one.
pub fn seal_check(keys: &Keys) -> Result<Vec<u8>> {
    keys.seal(&CHECK, check_place())
}

pub fn opens_check(keys: &Keys, sealed: &[u8]) -> bool {
    keys.open::<String>(sealed, check_place()).is_some_and(|text| text == CHECK)
}

/// The vault's id and its sealed check value.
pub fn read_meta(connection: &Connection) -> Work<(String, Vec<u8>)> {
    let (vault, sealed): (String, Vec<u8>) = connection
        .query_row("SELECT vault, sealed FROM meta WHERE one = 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?
        .ok_or(Failure::Damaged)?;
    if is_id(&vault) { Ok((vault, sealed)) } else { Err(Failure::Damaged) }
}

fn make(directories: &Directories, guard: &Guard) -> Result<()> {
    let vault = key::random_id()?;
    let key_file = key::create(directories, &vault)?;
    let keys = Keys::derive(&key_file.key, &vault)?;
    let published = build(directories, &keys, |_| Ok(())).and_then(|fresh| {
        // A journal without its database would be played back into the new one.
        salvage::move_journal(directories, &directories.vault())?;
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

fn write(path: &Path, keys: &Keys, fill: impl FnOnce(&Transaction<'_>) -> Work<()>) -> Work<()> {
    let failed =
        |error| explain_io(&error, "the vault cannot be created", path.parent().unwrap_or(path));
    drop(create_file(path).map_err(failed)?);
    let mut connection = schema::connect(path)?;
    schema::create(&mut connection)?;
    let transaction = connection.transaction()?;
    transaction.execute(
        "INSERT INTO meta (one, vault, sealed, generation) VALUES (1, ?1, ?2, 0)",
        params![keys.vault(), seal_check(keys)?],
    )?;
    schema::fill_reserve(&transaction)?;
    fill(&transaction)?;
    transaction.commit()?;
    connection.close().map_err(|(_, error)| Failure::from(error))
}

fn open(directories: &Directories, guard: &Guard, length: u64, identity: Identity) -> Work<Open> {
    if length == 0 {
        return Err(Failure::Damaged);
    }
    let mut connection = schema::connect(&directories.vault())?;
    // A changed header byte makes SQLite read-only where the file is not.
    if connection.is_readonly("main")? && open_file(&directories.vault(), true, false).is_ok() {
        return Err(Failure::Damaged);
    }
    if guard.is_alone() {
        schema::migrate(&mut connection)?;
    } else {
        schema::verify(&connection)?;
    }
    if length <= CHECKED_AT_OPENING {
        schema::check(&connection)?;
    }
    let (vault, sealed) = read_meta(&connection)?;
    match guard.bound() {
        Some(bound) if bound != vault => return Err(Failure::Foreign),
        Some(_) => {}
        None if guard.is_alone() => guard.bind(Some(&vault)),
        None => return Err(Failure::Stale),
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
    Err(if none_there { Failure::KeyMissing } else { Failure::KeyWrong })
}

/// Changes when another connection, of this process or of another, has written.
pub fn data_version(connection: &Connection) -> Work<i64> {
    Ok(connection.pragma_query_value(None, "data_version", |row| row.get(0))?)
}

fn check_place() -> Place<'static> {
    Place { purpose: Purpose::Check, provider: "", account: "", row: "" }
}
