//! The directories of a vault: names, modes, and the durable ways to create and replace a file.
//!
//! Links are not followed, and a directory or a pipe in a file's place is not opened.

use super::error::explain_io;
use crate::error::Result;
use crate::lock::{Identity, identity};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Where the vault and its device key are.
pub struct Directories {
    pub data: PathBuf,
    pub keys: PathBuf,
}

/// What is at the vault's path.
#[derive(PartialEq, Eq)]
pub enum Found {
    Nothing,
    /// A file, its length, and what tells it from another file at the same path.
    File(u64, Identity),
    /// A directory, a link, a pipe.
    Other,
}

impl Directories {
    /// Creates the data directory where it is missing; both paths are absolute afterwards.
    pub fn prepare(data: &Path, keys: &Path) -> Result<Self> {
        create_directory(data)
            .map_err(|error| explain_io(&error, "the data directory cannot be created", data))?;
        // SQLite is told to follow no link; those on the way to the directory are resolved here.
        let data = data
            .canonicalize()
            .map_err(|error| explain_io(&error, "the data directory cannot be opened", data))?;
        // Where this fails the key lies beside the vault.
        let _ = create_directory(keys);
        let keys = keys.canonicalize().unwrap_or_else(|_| keys.to_owned());
        Ok(Directories { data, keys })
    }

    /// Makes again what was removed since.
    pub fn restore(&self) -> Result<()> {
        create_directory(&self.data).map_err(|error| {
            explain_io(&error, "the data directory cannot be created", &self.data)
        })?;
        let _ = create_directory(&self.keys);
        Ok(())
    }

    pub fn vault(&self) -> PathBuf {
        self.data.join("vault.db")
    }

    pub fn journal(&self) -> PathBuf {
        self.data.join("vault.db-journal")
    }

    /// Where a vault is made before it gets its final name.
    pub fn fresh(&self, random: &str) -> PathBuf {
        self.data.join(format!("vault.new-{random}.db"))
    }

    /// The files of ours whose names start like this.
    pub fn named(&self, start: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.data) else { return Vec::new() };
        entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(start))
            .map(|entry| entry.path())
            .collect()
    }

    pub fn look(&self) -> io::Result<Found> {
        match fs::symlink_metadata(self.vault()) {
            Ok(found) if found.is_file() => Ok(Found::File(found.len(), identity(&found))),
            Ok(_) => Ok(Found::Other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
            Err(error) => Err(error),
        }
    }
}

/// The journal that SQLite keeps for the database at `path`.
pub fn journal_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-journal");
    PathBuf::from(name)
}

/// Creates a file that must not exist yet, for its owner only.
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

/// Gives a finished file its name, unless something has that name already: false then.
pub fn publish(fresh: &Path, path: &Path) -> io::Result<bool> {
    match fs::hard_link(fresh, path) {
        Ok(()) => {
            let _ = fs::remove_file(fresh);
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let _ = fs::remove_file(fresh);
            return Ok(false);
        }
        // No hard links here (FAT, some network shares). The directory's lock keeps others away.
        Err(_) => {
            if fs::symlink_metadata(path).is_ok() {
                let _ = fs::remove_file(fresh);
                return Ok(false);
            }
            fs::rename(fresh, path)?;
        }
    }
    if let Some(directory) = path.parent() {
        sync_directory(directory)?;
    }
    Ok(true)
}

/// Makes the names in a directory durable, where the system can.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        // Some file systems know no such thing.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
        }
        done => return done,
    }
    let _ = directory;
    Ok(())
}

/// Creates a directory for its owner only; one that exists is left as it is.
fn create_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

/// Tells a file from another one at the same path.
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
        assert!(!fresh.exists());
    }
}
