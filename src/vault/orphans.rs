//! Device keys whose vault is gone, as after an add-on was removed with its data: they open nothing
//! any more, and are erased.
//!
//! Beside each key stands where its vault has been seen, copies of it included. A key is an orphan
//! only where the vault is certainly gone from all of these places, and is not beside them under
//! another name. It is then marked with the date, and erased when it was found so 30 days later:
//! until then a vault that was put back finds it, and takes the mark away.

use super::files::{self, Directories, read_text, replace_file};
use super::key::{self, KeyFile, ORPHANED, PLACE};
use super::lock::bound_vault;
use super::place::Place;
use crate::clock::{Clock, UnixTime};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

//  Beside `<vault id>.key`:
//
//      <vault id>.place       [{"data_dir": "/…", "parent": …}, …]
//      <vault id>.orphaned    since when, in Unix seconds

/// How long an orphan is kept, in seconds.
const KEPT: i64 = 30 * 86_400;

/// Longer files are not ours.
const LONGEST: u64 = 64 << 10;

/// Notes whose key it is: the vault was seen here. A note that cannot be read is left as it is, and
/// its key is never erased; nor is one without a note.
pub fn note(directories: &Directories, key_file: &KeyFile) {
    if key_file.beside_vault {
        return;
    }
    let path = key_file.path.with_extension(PLACE);
    let _ = files::remove(&key_file.path.with_extension(ORPHANED));
    if let Err(error) = add(&path, Place::of(&directories.data)) {
        log::debug!("whose the device key is could not be noted ({})", error.kind());
    }
}

fn add(path: &Path, place: Place) -> io::Result<()> {
    let mut places = match read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        places => places?,
    };
    if places.contains(&place) {
        return Ok(());
    }
    places.retain(|noted| noted.data_dir != place.data_dir);
    places.push(place);
    replace_file(path, &serde_json::to_vec(&places)?)
}

/// Sees to the keys of vaults that are gone: once in this process for each key directory, on a
/// thread of its own, as soon as it is known what day it is.
pub fn sweep_once(directories: &Directories, clock: &dyn Clock) {
    static SWEPT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let Some(now) = clock.known_now() else { return };
    let keys = directories.keys.clone();
    if SWEPT.lock().unwrap_or_else(PoisonError::into_inner).insert(keys.clone()) {
        let sweep = move || sweep(&keys, now);
        // Without a thread the next process does it.
        let _ = thread::Builder::new().name("sessionkeeper-keys".into()).spawn(sweep);
    }
}

/// Marks the keys of vaults that are gone, and erases those that have been for long enough.
pub fn sweep(keys: &Path, now: UnixTime) {
    let Ok(entries) = fs::read_dir(keys) else { return };
    let paths = entries.flatten().map(|entry| entry.path());
    for path in paths.filter(|path| path.extension().is_some_and(|end| end == PLACE)) {
        let (key, mark) = (path.with_extension("key"), path.with_extension(ORPHANED));
        let Some(vault) = key.file_stem().and_then(|id| id.to_str()) else { continue };
        let is_orphan = read(&path).is_ok_and(|places| are_all_gone(&places, vault));
        let done = match marked_at(&mark) {
            since if !is_orphan => since.map_or(Ok(()), |_| files::remove(&mark)),
            Some(since) if now - since >= KEPT => key::erase(&key),
            Some(since) if since <= now => Ok(()),
            _ => replace_file(&mark, now.to_string().as_bytes()),
        };
        if let Err(error) = done {
            log::warn!("the key of a vault that may be gone stays ({})", error.kind());
        }
    }
}

fn are_all_gone(places: &[Place], vault: &str) -> bool {
    let is_gone = |place: &Place| place.is_gone() && !is_beside(place, vault);
    !places.is_empty() && places.iter().all(is_gone)
}

/// True where a data directory with another name has this vault, as far as that can be seen.
fn is_beside(place: &Place, vault: &str) -> bool {
    let Some(Ok(mut entries)) = place.same_parent().map(fs::read_dir) else { return true };
    entries.any(|entry| {
        entry.map_or(true, |entry| bound_vault(&entry.path()).is_some_and(|bound| bound == vault))
    })
}

fn read(path: &Path) -> io::Result<Vec<Place>> {
    Ok(serde_json::from_str(&read_text(path, LONGEST)?)?)
}

/// `None` where there is no mark that can be read.
fn marked_at(mark: &Path) -> Option<UnixTime> {
    read_text(mark, LONGEST).ok()?.parse().ok()
}
