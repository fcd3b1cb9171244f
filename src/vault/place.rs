//! The directories of a vault: names, modes, and the durable ways to create and replace a file.
//!
//! Nothing is followed: a link, a directory or a pipe in a file's place is not opened.

use super::failure::explain_io;
use crate::clock::UnixTime;
use crate::error::Result;
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

/// Device and inode; nothing where the system has none (there an open file cannot be moved).
pub type Identity = Option<(u64, u64)>;

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

    pub fn vault(&self) -> PathBuf {
        self.data.join("vault.db")
    }

    pub fn journal(&self) -> PathBuf {
        self.data.join("vault.db-journal")
    }

    /// Where a vault is made before it gets its name.
    pub fn fresh(&self, random: &str) -> PathBuf {
        self.data.join(format!("vault.new-{random}.db"))
    }

    /// A name that nothing has, for a file that is kept for later inspection.
    pub fn aside(&self, now: UnixTime) -> PathBuf {
        let stamp = stamp(now);
        (1..=u32::MAX)
            .map(|n| self.data.join(format!("vault.damaged-{stamp}-{n}.db")))
            .find(|path| fs::symlink_metadata(path).is_err())
            .unwrap_or_else(|| self.data.join("vault.damaged.db"))
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

/// Opens a regular file without following a link and without waiting at a pipe.
pub fn open_file(path: &Path, write: bool, create: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(write).create(create);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC);
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::from(io::ErrorKind::AlreadyExists))
    }
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

#[cfg(unix)]
fn identity(found: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn identity(_found: &fs::Metadata) -> Identity {
    None
}

/// `20261121T011854Z`. Days to a date as in Howard Hinnant's `civil_from_days`.
fn stamp(now: UnixTime) -> String {
    let now = now.clamp(0, 253_402_300_799);
    let (days, second) = (now / 86_400 + 719_468, now % 86_400);
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_the_utc_date() {
        assert_eq!(stamp(0), "19700101T000000Z");
        assert_eq!(stamp(951_782_400), "20000229T000000Z");
        assert_eq!(stamp(1_795_223_934), "20261121T011854Z");
        assert_eq!(stamp(i64::MIN), "19700101T000000Z");
    }

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
