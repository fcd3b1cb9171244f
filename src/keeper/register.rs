//! The register of private vaults: a small file for each in the shared data directory, so that one
//! service looks after all of them. Nothing in it is secret.
//!
//! Written by whoever opens such a vault, and read by whoever looks after the shared one.

//  vaults/<32 hexadecimal digits>.json, of the hash of the data directory's path:
//
//      {"addon": "plugin.video.x", "data_dir": "/…", "key_dir": "/…"}

use crate::error::{Error, Kind, Result};
use crate::lock::open_file;
use crate::vault::{create_directory, create_file, random_id, sync_directory, vault_in};
use ring::digest;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{self, ErrorKind, Read, Write};
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// Those that are gone. Each is told once.
    pub vanished: Vec<RegisteredVault>,
}

/// Where a vault is to be registered, and whether that is seen to.
#[derive(Default)]
pub struct Registration {
    place: Mutex<Option<(PathBuf, String)>>,
    is_done: AtomicBool,
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

    /// Registers the vault of this data directory, once it is there.
    pub fn see_to(&self, directory: &Path, key_directory: &Path) {
        if self.is_done.load(Ordering::Relaxed) {
            return;
        }
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((register, addon)) = place.filter(|_| vault_in(directory).exists()) else {
            return;
        };
        self.is_done.store(true, Ordering::Relaxed);
        let written = match directory.to_str().zip(key_directory.to_str()) {
            Some((data_dir, key_dir)) => {
                let (data_dir, key_dir) = (data_dir.to_owned(), key_dir.to_owned());
                write(&register, &RegisteredVault { addon, data_dir, key_dir })
            }
            None => Err(ErrorKind::InvalidFilename.into()),
        };
        if let Err(error) = written {
            log::warn!("the vault could not be registered with the service ({})", error.kind());
        }
    }
}

/// The private vaults that are registered below this data directory. `is_told`: what is gone is
/// dropped, and named by this call alone.
pub fn list(directory: &Path, is_told: bool) -> Result<Vaults> {
    let mut listed = Vaults::default();
    let entries = match fs::read_dir(directory.join(DIRECTORY)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(listed),
        entries => entries.map_err(|error| unreadable(&error))?,
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "json"));
    paths.sort();
    for path in paths {
        match read(&path) {
            Ok(Some(vault)) if vault_in(Path::new(&vault.data_dir)).exists() => {
                listed.vaults.push(vault);
            }
            Ok(Some(vault)) => {
                let is_gone = is_gone(&path, Path::new(&vault.data_dir));
                // Of several who look at once, one is the first.
                if is_gone && (!is_told || fs::remove_file(&path).is_ok()) {
                    log::info!("the vault of {} is gone", vault.addon);
                    listed.vanished.push(vault);
                }
            }
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

/// Not what only cannot be read just now, nor what is in the making.
fn is_gone(entry: &Path, directory: &Path) -> bool {
    let found = fs::symlink_metadata(vault_in(directory));
    let is_absent = found
        .is_err_and(|error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory));
    let written = fs::metadata(entry).and_then(|found| found.modified());
    is_absent && written.is_ok_and(|at| at.elapsed().is_ok_and(|age| age >= YOUNG))
}

/// Writes the entry, durably, unless it is there already.
fn write(register: &Path, vault: &RegisteredVault) -> io::Result<()> {
    let name = name_of(&vault.data_dir);
    let path = register.join(format!("{name}.json"));
    if read(&path).is_ok_and(|there| there.as_ref() == Some(vault)) {
        return Ok(());
    }
    create_directory(register)?;
    let random = random_id().map_err(io::Error::other)?;
    let fresh = register.join(format!("{name}.new-{random}"));
    let text = serde_json::to_string(vault)?;
    let written = create_file(&fresh).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let published = written.and_then(|()| fs::rename(&fresh, &path));
    if published.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    published.and_then(|()| sync_directory(register))
}

/// `None`: it is no entry of ours, or a damaged one.
fn read(path: &Path) -> io::Result<Option<RegisteredVault>> {
    let mut bytes = Vec::new();
    open_file(path, false, false)?.take(LONGEST).read_to_end(&mut bytes)?;
    let vault: Option<RegisteredVault> = serde_json::from_slice(&bytes).ok();
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    Ok(vault.filter(|vault| {
        Path::new(&vault.data_dir).is_absolute()
            && Path::new(&vault.key_dir).is_absolute()
            && name_of(&vault.data_dir) == name
    }))
}

fn name_of(directory: &str) -> String {
    let hash = digest::digest(&digest::SHA256, directory.as_bytes());
    let bytes = hash.as_ref().iter().take(16);
    bytes.fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn unreadable(error: &io::Error) -> Error {
    let message = format!("the register of vaults cannot be read ({})", error.kind());
    Error::new(Kind::Storage, message).with_hint("Look at the rights of the data directory.")
}
