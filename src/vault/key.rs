//! The device key: 32 random bytes in a file of their own, never derived from the machine.
//!
//! It is kept in the user's key directory as `<vault id>.key`, so that a copy of the data directory
//! cannot be opened. If that directory is not writable, it is kept beside the vault as
//! `device.key`.

use super::error::explain_io;
use super::files::{self, Directories, create_file, publish, random_id};
use crate::error::Result;
use crate::lock::open_file;
use ring::rand::{SecureRandom, SystemRandom};
use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const LENGTH: usize = 32;

/// What the name of the mark beside a key ends with; `rollback` says what it is for.
pub const MARK: &str = "generation";

/// What the name of the note beside a key ends with; `orphans` says what it is for.
pub const PLACE: &str = "place";

/// And the mark of one whose vault is gone.
pub const ORPHANED: &str = "orphaned";

#[derive(Clone)]
pub struct DeviceKey(Zeroizing<[u8; LENGTH]>);

impl DeviceKey {
    #[cfg(test)]
    pub fn from_bytes(bytes: [u8; LENGTH]) -> Self {
        DeviceKey(Zeroizing::new(bytes))
    }

    /// True for what is left of a key that was erased.
    pub fn is_blank(&self) -> bool {
        *self.0 == [0; LENGTH]
    }

    /// The key itself, for `seal` only.
    pub fn expose(&self) -> &[u8] {
        &*self.0
    }
}

/// A key and its place.
#[derive(Clone)]
pub struct KeyFile {
    pub key: DeviceKey,
    pub path: PathBuf,
    pub beside_vault: bool,
}

/// What was found in the places where the vault's key can be.
pub struct Candidates {
    pub keys: Vec<KeyFile>,
    /// There is something in one of the places that is not a key.
    pub malformed: bool,
}

/// The keys that may belong to this vault. Fails if a place cannot be read and no key is found:
/// that is no reason to give the vault up.
pub fn find(directories: &Directories, vault: &str) -> Result<Candidates> {
    let mut found = Candidates { keys: Vec::new(), malformed: false };
    let mut refused = None;
    for (path, beside_vault) in places(directories, vault) {
        match read(&path) {
            Ok(Some(key)) => found.keys.push(KeyFile { key, path, beside_vault }),
            Ok(None) => found.malformed = true,
            Err(error) if is_absent(&error) => {}
            Err(error) => {
                refused = Some(explain_io(
                    &error,
                    "the device key cannot be read",
                    path.parent().unwrap_or(&path),
                ));
            }
        }
    }
    match refused {
        Some(error) if found.keys.is_empty() => Err(error),
        _ => Ok(found),
    }
}

/// Creates a key, durably, for a vault that is about to be published.
pub fn create(directories: &Directories, vault: &str) -> Result<KeyFile> {
    let [(path, _), (beside, _)] = places(directories, vault);
    if let Ok(key) = write(&directories.keys, &path) {
        return Ok(KeyFile { key, path, beside_vault: false });
    }
    // Two processes that start at the same time use the key that one of them has written.
    match read(&beside) {
        Ok(Some(key)) => return Ok(KeyFile { key, path: beside, beside_vault: true }),
        Ok(None) => {
            let kept = directories.data.join(format!("device.damaged-{}.key", random_id()?));
            let _ = fs::rename(&beside, kept);
        }
        Err(_) => {}
    }
    let key = write(&directories.data, &beside).map_err(|error| {
        explain_io(&error, "the device key cannot be stored", &directories.data)
    })?;
    Ok(KeyFile { key, path: beside, beside_vault: true })
}

/// Overwrites and removes a key, and with it everything that it has sealed.
pub fn erase(path: &Path) -> io::Result<()> {
    let blanked = blank(path);
    files::remove(path).or(blanked)
}

/// Overwrites a key, and with it everything that it has sealed. The file says so until it goes.
pub fn blank(path: &Path) -> io::Result<()> {
    for beside in [MARK, PLACE, ORPHANED] {
        let _ = fs::remove_file(path.with_extension(beside));
    }
    let mut file = match open_file(path, true, false) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&[0; LENGTH])?;
    // Nobody reads the old key any more, whether the disk confirms it or not.
    if let Err(error) = file.sync_all() {
        log::warn!("the disk did not confirm that the device key is erased: {}", error.kind());
    }
    Ok(())
}

/// Erases the key of a vault that did not come into being. A key beside the vault may be in use by
/// another process.
pub fn discard(key_file: &KeyFile) {
    if !key_file.beside_vault {
        let _ = erase(&key_file.path);
    }
}

/// True if the key's mode lets other users of the machine read it.
#[cfg(unix)]
pub fn is_readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).is_ok_and(|found| found.mode() & 0o044 != 0)
}

/// Other systems keep it by the rights of the directory.
#[cfg(not(unix))]
pub fn is_readable_by_others(_: &Path) -> bool {
    false
}

fn places(directories: &Directories, vault: &str) -> [(PathBuf, bool); 2] {
    [
        (directories.keys.join(format!("{vault}.key")), false),
        (directories.data.join("device.key"), true),
    ]
}

/// `None` for anything that is not a key: a file of another length, a link, a directory.
fn read(path: &Path) -> io::Result<Option<DeviceKey>> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(None);
    }
    // One byte more than a key shows that the file is too long. A buffer that had to grow would
    // leave a copy behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * LENGTH));
    open_file(path, false, false)?.take(LENGTH as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() != LENGTH {
        return Ok(None);
    }
    let mut key = Zeroizing::new([0; LENGTH]);
    key.copy_from_slice(&bytes);
    Ok(Some(DeviceKey(key)))
}

fn write(directory: &Path, path: &Path) -> io::Result<DeviceKey> {
    let mut key = Zeroizing::new([0; LENGTH]);
    SystemRandom::new().fill(&mut *key).map_err(|_| io::Error::from(io::ErrorKind::Other))?;
    let name = random_id().map_err(|_| io::Error::from(io::ErrorKind::Other))?;
    let fresh = directory.join(format!("{name}.new"));
    let written = create_file(&fresh).and_then(|mut file| {
        file.write_all(&*key)?;
        file.sync_all()
    });
    let published = written.and_then(|()| publish(&fresh, path));
    if !matches!(published, Ok(true)) {
        let _ = erase(&fresh);
    }
    if published? { Ok(DeviceKey(key)) } else { Err(io::ErrorKind::AlreadyExists.into()) }
}

/// A key counts as missing only if it is certainly not there.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
