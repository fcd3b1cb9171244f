//! The register of private vaults: a small file for each in the shared data directory, so that one
//! service looks after all of them. Nothing in it is secret.
//!
//! Written by whoever opens such a vault, and read by whoever looks after the shared one. An entry is
//! dropped where its vault is certainly gone; one whose disk or network path may only be away stays.

//  vaults/<32 hexadecimal digits>.json, of the hash of the data directory's path:
//
//      {"addon": "plugin.video.x", "key_dir": "/…", "place": {"data_dir": "/…", "parent": …}}

use crate::error::{Error, Kind, Result};
use crate::vault::{Place, create_directory, read_text, replace_file, vault_in};
use crate::wire::hex;
use ring::digest;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const DIRECTORY: &str = "vaults";

/// Longer files are not ours.
const LONGEST: u64 = 64 << 10;

/// A vault that was registered a moment ago may still be in the making.
const YOUNG: Duration = Duration::from_secs(60);

/// A private vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RegisteredVault {
    /// The id of the add-on whose vault it is.
    pub addon: String,
    pub data_dir: String,
    pub key_dir: String,
}

/// The private vaults that are registered here.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Vaults {
    pub vaults: Vec<RegisteredVault>,
    /// Those that cannot be reached now: their disk or network path may be away.
    pub away: Vec<RegisteredVault>,
    /// Those that are gone. Each is told once.
    pub vanished: Vec<RegisteredVault>,
}

/// What a file of the register holds.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    addon: String,
    key_dir: PathBuf,
    place: Place,
}

/// Where a vault is to be registered, and whether that is seen to.
#[derive(Default)]
pub struct Registration {
    place: Mutex<Option<(PathBuf, String)>>,
    is_done: AtomicBool,
    has_failed: AtomicBool,
}

impl Registration {
    /// From the next use of the vault on it is registered below this shared data directory.
    pub fn set(&self, shared: &Path, addon: &str) {
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((shared.join(DIRECTORY), addon.to_owned()));
        self.renew();
    }

    /// It is looked at once more: somebody may have dropped it.
    pub fn renew(&self) {
        self.is_done.store(false, Ordering::Relaxed);
    }

    /// Registers the vault of this data directory, once it is there. What fails is tried again at
    /// the next use.
    pub fn see_to(&self, directory: &Path, key_directory: &Path) {
        if self.is_done.load(Ordering::Relaxed) {
            return;
        }
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((register, addon)) = place.filter(|_| vault_in(directory).exists()) else {
            return;
        };
        let place = Place::of(directory);
        let written = write(&register, &Entry { addon, key_dir: key_directory.to_owned(), place });
        match written {
            Ok(()) => self.is_done.store(true, Ordering::Relaxed),
            Err(error) if !self.has_failed.swap(true, Ordering::Relaxed) => {
                log::warn!("the vault could not be registered with the service ({})", error.kind());
            }
            Err(_) => {}
        }
    }
}

impl Entry {
    fn has_vault(&self) -> bool {
        vault_in(&self.place.data_dir).exists()
    }
}

impl From<Entry> for RegisteredVault {
    fn from(Entry { addon, key_dir, place }: Entry) -> Self {
        // Both have been text in a file.
        let text = |path: &Path| path.to_string_lossy().into_owned();
        RegisteredVault { addon, data_dir: text(&place.data_dir), key_dir: text(&key_dir) }
    }
}

/// The private vaults that are registered below this data directory. `is_told`: what is gone is
/// dropped, and named by this call alone.
pub fn list(directory: &Path, is_told: bool) -> Result<Vaults> {
    let mut listed = Vaults::default();
    let register = directory.join(DIRECTORY);
    let entries = match fs::read_dir(&register) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(listed),
        entries => entries.map_err(|error| unreadable(&error))?,
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "json"));
    paths.sort();
    for path in paths {
        match read(&path) {
            Ok(Some(entry)) if entry.has_vault() => listed.vaults.push(entry.into()),
            Ok(Some(entry)) if is_young(&path) || !entry.place.is_gone() => {
                listed.away.push(entry.into());
            }
            Ok(Some(entry)) if !is_told => listed.vanished.push(entry.into()),
            // Of several who look at once, one is the first.
            Ok(Some(entry)) if fs::remove_file(&path).is_ok() => {
                if drop_for_good(&register, &entry) {
                    listed.vanished.push(entry.into());
                } else {
                    listed.vaults.push(entry.into());
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => {
                log::warn!("a file in the register of vaults is damaged, and is dropped");
                let _ = fs::remove_file(&path);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => log::warn!("{}", unreadable(&error)),
        }
    }
    Ok(listed)
}

/// False where the vault has come back meanwhile, and its maker may not have seen the entry go: then
/// it is written anew.
fn drop_for_good(register: &Path, entry: &Entry) -> bool {
    if !entry.has_vault() {
        log::info!("the vault of {} is gone", entry.addon);
        return true;
    }
    if let Err(error) = write(register, entry) {
        log::warn!("a vault could not be registered anew ({})", error.kind());
    }
    false
}

fn is_young(entry: &Path) -> bool {
    let written = fs::metadata(entry).and_then(|found| found.modified());
    !written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age >= YOUNG))
}

/// Writes the entry, durably, unless it is there already.
fn write(register: &Path, entry: &Entry) -> io::Result<()> {
    let path = register.join(format!("{}.json", name_of(&entry.place.data_dir)));
    if read(&path).is_ok_and(|there| there.as_ref() == Some(entry)) {
        return Ok(());
    }
    create_directory(register)?;
    replace_file(&path, &serde_json::to_vec(entry)?)
}

/// `None`: it is no entry of ours, or a damaged one.
fn read(path: &Path) -> io::Result<Option<Entry>> {
    let text = match read_text(path, LONGEST) {
        Err(error) if error.kind() == ErrorKind::InvalidData => return Ok(None),
        text => text?,
    };
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let entry: Option<Entry> = serde_json::from_str(&text).ok();
    Ok(entry.filter(|entry| {
        let data_dir = &entry.place.data_dir;
        data_dir.is_absolute() && entry.key_dir.is_absolute() && name_of(data_dir) == name
    }))
}

fn name_of(directory: &Path) -> String {
    let hash = digest::digest(&digest::SHA256, directory.as_os_str().as_encoded_bytes());
    hex(&hash.as_ref()[..16])
}

fn unreadable(error: &io::Error) -> Error {
    let message = format!("the register of vaults cannot be read ({})", error.kind());
    Error::new(Kind::Storage, message).with_hint("Look at the rights of the data directory.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_that_comes_back_as_its_entry_goes_is_registered_anew() {
        let home = tempfile::tempdir().unwrap();
        let (register, data) = (home.path().join("vaults"), home.path().join("data"));
        fs::create_dir(&data).unwrap();
        let (addon, key_dir) = ("plugin.video.x".to_owned(), home.path().join("keys"));
        let entry = Entry { addon, key_dir, place: Place::of(&data) };
        assert!(drop_for_good(&register, &entry));
        assert!(!register.exists());
        fs::write(vault_in(&data), "").unwrap();
        assert!(!drop_for_good(&register, &entry));
        let listed = list(home.path(), true).unwrap();
        assert_eq!((listed.vaults.len(), listed.vanished.len()), (1, 0));
    }
}
