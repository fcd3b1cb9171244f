//! The lock file of a data directory: keeps work on the vault apart from replacing the vault.
//!
//! VaultResult and opening take it shared, whoever creates, replaces, migrates or re-keys the vault takes it
//! alone; SQLite's own locks order the work itself. flock, never fcntl: those are dropped when the process closes
//! any descriptor of the file. The file also holds the id of the vault that belongs to this
//! directory, so that another profile's vault put in its place is noticed. Where locking is not
//! supported the vault works without.

use super::busy;
use super::error::in_use;
use super::files::{identity, open_file};
use crate::error::Result;
use fs4::{FileExt, TryLockError};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A vault's id: 32 hexadecimal digits.
pub const ID_LENGTH: usize = 32;

pub struct Lock {
    directory: PathBuf,
    /// None where the file cannot be created.
    file: Mutex<Option<Arc<File>>>,
}

/// Held while it lives.
pub struct Guard {
    file: Option<Arc<File>>,
    held: bool,
    alone: bool,
}

impl Lock {
    pub fn open(directory: &Path) -> Self {
        Lock { directory: directory.to_owned(), file: Mutex::default() }
    }

    pub fn share(&self) -> Result<Guard> {
        self.take(false, FileExt::try_lock_shared)
    }

    pub fn alone(&self) -> Result<Guard> {
        self.take(true, FileExt::try_lock)
    }

    fn take(
        &self,
        alone: bool,
        attempt: impl Fn(&File) -> std::result::Result<(), TryLockError>,
    ) -> Result<Guard> {
        loop {
            let Some(file) = self.current() else {
                return Ok(Guard { file: None, held: false, alone });
            };
            match attempt(&file) {
                Ok(()) => {
                    let guard = Guard { file: Some(file), held: true, alone };
                    // The lock of a file that was removed meanwhile keeps nobody out.
                    if guard.file.as_deref().is_some_and(|file| self.is_current(file)) {
                        return Ok(guard);
                    }
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(_)) => {
                    return Ok(Guard { file: Some(file), held: false, alone });
                }
            }
            if !busy::wait() {
                return Err(in_use(&self.directory));
            }
        }
    }

    /// The file that is at the path now: the one that is open, or another since.
    fn current(&self) -> Option<Arc<File>> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.as_ref().is_none_or(|file| !self.is_current(file)) {
            *file = open_file(&self.path(), true, true).ok().map(Arc::new);
        }
        file.clone()
    }

    fn is_current(&self, file: &File) -> bool {
        match (fs::symlink_metadata(self.path()), file.metadata()) {
            (Ok(there), Ok(open)) => identity(&there) == identity(&open),
            (Err(error), _) => error.kind() != io::ErrorKind::NotFound,
            (Ok(_), Err(_)) => true,
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.join("vault.lock")
    }
}

impl Guard {
    /// True where nobody else can be at work.
    pub fn is_alone(&self) -> bool {
        self.alone
    }

    /// False where the file system has no locks.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// The id of the vault that belongs here, as far as it is known.
    pub fn bound(&self) -> Option<String> {
        let mut file = self.file.as_deref()?;
        file.seek(SeekFrom::Start(0)).ok()?;
        let mut text = String::new();
        file.take(ID_LENGTH as u64 + 1).read_to_string(&mut text).ok()?;
        is_id(&text).then_some(text)
    }

    /// From now on this vault belongs here; `None`: whichever is found. A full disk leaves it open.
    pub fn bind(&self, vault: Option<&str>) {
        let Some(mut file) = self.file.as_deref() else { return };
        if file.set_len(0).is_err() || file.seek(SeekFrom::Start(0)).is_err() {
            return;
        }
        let written = file.write_all(vault.unwrap_or_default().as_bytes());
        let _ = written.and_then(|()| file.sync_all());
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let (Some(file), true) = (self.file.as_deref(), self.held) {
            let _ = FileExt::unlock(file);
        }
    }
}

pub fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
