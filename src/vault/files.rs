//! The directories of a vault: names, modes, and durable ways to create and replace a file.
//!
//! Never opens a link, a directory or a pipe in place of a file.

use super::error::explain_io;
use crate::error::{Error, Kind, Result};
use crate::lock::{Identity, identity, open_file};
use crate::wire::hex;
use ring::rand::{SecureRandom, SystemRandom};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Room for a journal, and for the largest session as an outbox entry.
const RESERVE: usize = 128 * 1024;

/// Where the vault and its device key are.
pub struct Directories {
    pub data: PathBuf,
    pub keys: PathBuf,
}

/// What is at the vault's path.
#[derive(PartialEq, Eq)]
pub enum Found {
    Nothing,
    /// A file: its length and identity.
    File(u64, Identity),
    /// A directory, a link, a pipe.
    Other,
}

impl Directories {
    /// Creates the directories if they are missing, and makes both paths absolute.
    pub fn prepare(data: &Path, keys: &Path) -> Result<Self> {
        let mut directories = Directories { data: data.to_owned(), keys: keys.to_owned() };
        directories.restore()?;
        // SQLite is told not to follow links: those on the way to the directory are resolved here.
        directories.data = data
            .canonicalize()
            .map_err(|error| explain_io(&error, "the data directory cannot be opened", data))?;
        if let Ok(keys) = keys.canonicalize() {
            directories.keys = keys;
        }
        Ok(directories)
    }

    /// Creates the directories again if they have been removed.
    pub fn restore(&self) -> Result<()> {
        create_directory(&self.data).map_err(|error| {
            explain_io(&error, "the data directory cannot be created", &self.data)
        })?;
        // If this fails, the key is kept beside the vault.
        let _ = create_directory(&self.keys);
        Ok(())
    }

    pub fn vault(&self) -> PathBuf {
        vault_in(&self.data)
    }

    pub fn journal(&self) -> PathBuf {
        self.data.join("vault.db-journal")
    }

    /// Keeps this much room for the day when the disk is full and a session has to move into the
    /// outbox. Best effort: where there is no room now, the next start tries again.
    pub fn fill_reserve(&self) {
        let path = self.reserve();
        if fs::symlink_metadata(&path).is_ok_and(|there| there.len() == RESERVE as u64) {
            return;
        }
        let _ = fs::remove_file(&path);
        // Zeroes would take no room where the file system compresses, or leaves out what is empty.
        let mut noise = vec![0; RESERVE];
        let filled = SystemRandom::new()
            .fill(&mut noise)
            .map_err(|_| io::Error::from(io::ErrorKind::Other))
            .and_then(|()| create_file(&path))
            .and_then(|mut file| file.write_all(&noise));
        if filled.is_err() {
            let _ = fs::remove_file(&path);
        }
    }

    /// Gives the room back to the disk. False if there is none left.
    pub fn release_reserve(&self) -> bool {
        fs::remove_file(self.reserve()).is_ok()
    }

    fn reserve(&self) -> PathBuf {
        self.data.join("vault.reserve")
    }

    /// A temporary name, under which a vault is made. `sweep` removes all of these.
    pub fn fresh(&self, random: &str) -> PathBuf {
        self.data.join(format!("vault.new-{random}.db"))
    }

    /// The files in the data directory whose names start with `start`.
    pub fn named(&self, start: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.data) else { return Vec::new() };
        entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(start))
            .map(|entry| entry.path())
            .collect()
    }

    /// Removes what a crash or a failure has left under temporary names.
    pub fn sweep(&self) {
        for path in self.named("vault.new-") {
            let _ = fs::remove_file(path);
        }
    }

    /// Deletes the vault, durably.
    pub fn remove_vault(&self) -> io::Result<()> {
        remove(&self.vault())?;
        remove(&self.journal())?;
        sync_directory(&self.data)
    }

    /// What is at the vault's path.
    pub fn look(&self) -> Result<Found> {
        match fs::symlink_metadata(self.vault()) {
            Ok(found) if found.is_file() => Ok(Found::File(found.len(), identity(&found))),
            Ok(_) => Ok(Found::Other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
            Err(error) => Err(explain_io(&error, "the data directory cannot be read", &self.data)),
        }
    }
}

/// The vault of a data directory.
pub fn vault_in(directory: &Path) -> PathBuf {
    directory.join("vault.db")
}

/// The journal that SQLite keeps for the database at `path`.
pub fn journal_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-journal");
    PathBuf::from(name)
}

/// Creates a file, readable by its owner only, that must not exist yet.
pub fn create_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// 32 random hexadecimal digits.
pub fn random_id() -> Result<String> {
    let mut bytes = [0_u8; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Error::new(Kind::Internal, "the system provides no random numbers"))?;
    Ok(hex(&bytes))
}

/// The text of a small file; what is longer is cut off.
pub fn read_text(path: &Path, longest: u64) -> io::Result<String> {
    let mut text = String::new();
    open_file(path, false, false)?.take(longest).read_to_string(&mut text)?;
    Ok(text)
}

/// Writes a small file, or replaces it, durably: a crash leaves the old one or the new one.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let random = random_id().map_err(io::Error::other)?;
    let fresh = path.with_extension(format!("new-{random}"));
    let written = create_file(&fresh).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let published = written.and_then(|()| fs::rename(&fresh, path));
    if published.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    published.and_then(|()| path.parent().map_or(Ok(()), sync_directory))
}

/// Gives a finished file its name. False if the name is taken; the caller then removes `fresh`.
pub fn publish(fresh: &Path, path: &Path) -> io::Result<bool> {
    match fs::hard_link(fresh, path) {
        Ok(()) => drop(fs::remove_file(fresh)),
        // No hard links here (FAT, some network shares). The directory's lock keeps others away.
        Err(_) if fs::symlink_metadata(path).is_err() => fs::rename(fresh, path)?,
        Err(_) => return Ok(false),
    }
    if let Some(directory) = path.parent() {
        sync_directory(directory)?;
    }
    Ok(true)
}

/// Removes a file; one that is not there is removed.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes the names in a directory durable, if the system can.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        // Some file systems cannot do this.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
        }
        done => return done,
    }
    let _ = directory;
    Ok(())
}

/// Creates a directory for its owner only. An existing one keeps its mode.
pub fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishing_does_not_overwrite() {
        let directory = tempfile::tempdir().unwrap();
        let (fresh, path) = (directory.path().join("fresh"), directory.path().join("path"));
        fs::write(&fresh, "one").unwrap();
        assert!(publish(&fresh, &path).unwrap());
        fs::write(&fresh, "two").unwrap();
        assert!(!publish(&fresh, &path).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }
}
