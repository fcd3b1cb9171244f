//! Device keys whose vault is gone, as after an add-on was removed with its data: they open nothing
//! any more, and are erased.
//!
//! Beside each key stands whose it is. A key is erased only where that is certain: the directory
//! that held the data directory is still the same one, so its disk is there, and in it is neither
//! the vault nor a data directory that was given another name; and nothing of it is younger than a
//! minute, for a vault in the making has its key first.

use super::files::{Directories, create_file};
use super::key::{self, KeyFile, PLACE};
use super::lock::bound_vault;
use crate::lock::{Identity, identity, open_file};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

const YOUNG: Duration = Duration::from_secs(60);

/// Longer files are not ours.
const LONGEST: u64 = 64 << 10;

/// What is in the file `<vault id>.place` beside the key.
#[derive(PartialEq, Serialize, Deserialize)]
struct Place {
    data_dir: PathBuf,
    /// The directory that holds it.
    parent: Identity,
}

/// Notes whose key it is, where that is not noted yet. One that cannot be noted is never erased.
pub fn note(directories: &Directories, key_file: &KeyFile) {
    if key_file.beside_vault {
        return;
    }
    let path = key_file.path.with_extension(PLACE);
    let Some(parent) = directories.data.parent().and_then(|parent| fs::metadata(parent).ok())
    else {
        return;
    };
    let place = Place { data_dir: directories.data.clone(), parent: identity(&parent) };
    if read(&path).is_some_and(|noted| noted == place) {
        return;
    }
    if let Err(error) = write(&path, &place) {
        log::debug!("whose the device key is could not be noted ({})", error.kind());
    }
}

/// Erases the keys of vaults that are gone: once in this process for each key directory, on a thread
/// of its own.
pub fn sweep_once(directories: &Directories) {
    static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let keys = directories.keys.clone();
    if SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(keys.clone()) {
        let sweep = move || sweep(&keys, YOUNG);
        // Without a thread the next process does it.
        let _ = thread::Builder::new().name("sessionkeeper-keys".into()).spawn(sweep);
    }
}

/// Erases the keys of vaults that are gone for longer than `young`.
pub fn sweep(keys: &Path, young: Duration) {
    let Ok(entries) = fs::read_dir(keys) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|end| end != PLACE) {
            continue;
        }
        let key = path.with_extension("key");
        let Some(vault) = key.file_stem().and_then(|id| id.to_str()) else { continue };
        let is_old = is_older(&path, young) && is_older(&key, young);
        if is_old && read(&path).is_some_and(|place| is_gone(&place, vault, young)) {
            match key::erase(&key) {
                Ok(()) => log::info!("the key of a vault that is gone is erased"),
                Err(error) => {
                    log::warn!("the key of a vault that is gone stays ({})", error.kind());
                }
            }
        }
    }
}

fn is_gone(place: &Place, vault: &str, young: Duration) -> bool {
    let Some(parent) = place.data_dir.parent() else { return false };
    let is_same = fs::metadata(parent).is_ok_and(|found| identity(&found) == place.parent);
    is_same && has_no_vault(&place.data_dir, young) && !is_beside(parent, vault)
}

/// True where the directory is certainly not there, or holds no vault, whole or in quarantine.
fn has_no_vault(directory: &Path, young: Duration) -> bool {
    match fs::read_dir(directory) {
        Ok(entries) => {
            let mut names = entries.map(|entry| entry.map(|entry| entry.file_name()));
            is_older(directory, young)
                && names.all(|name| {
                    name.is_ok_and(|name| {
                        Path::new(&name).extension().is_none_or(|end| end != "db")
                    })
                })
        }
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// True where a data directory with another name has this vault.
fn is_beside(parent: &Path, vault: &str) -> bool {
    let Ok(entries) = fs::read_dir(parent) else { return true };
    entries.flatten().any(|entry| bound_vault(&entry.path()).is_some_and(|bound| bound == vault))
}

/// Also where nothing is there.
fn is_older(path: &Path, age: Duration) -> bool {
    match fs::symlink_metadata(path).and_then(|found| found.modified()) {
        Ok(at) => at.elapsed().is_ok_and(|elapsed| elapsed >= age),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

fn read(path: &Path) -> Option<Place> {
    let mut text = String::new();
    open_file(path, false, false).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Not synced: what a power cut leaves of it is not read, and noted again.
fn write(path: &Path, place: &Place) -> io::Result<()> {
    let mut file = match open_file(path, true, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => create_file(path)?,
        opened => opened?,
    };
    file.set_len(0)?;
    file.write_all(serde_json::to_string(place).map_err(io::Error::other)?.as_bytes())
}
