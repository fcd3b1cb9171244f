//! The lock file of a data directory: keeps work on the vault apart from replacing the vault.
//!
//! Work takes it shared, whoever creates, replaces or re-keys the vault takes it alone; SQLite's
//! own locks order the work itself. flock, never fcntl: those are dropped when the process closes
//! any descriptor of the file. The file also holds the id of the vault that belongs to this
//! directory, so that another profile's vault put in its place is noticed. Where locking is not
//! supported the vault works without.

use super::failure::in_use;
use super::patience;
use super::place::open_file;
use crate::error::Result;
use fs4::{FileExt, TryLockError};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A vault's id: 32 hexadecimal digits.
pub const ID_LENGTH: usize = 32;

pub struct Lock {
    directory: PathBuf,
    /// None where the file cannot be created.
    file: Option<File>,
}

/// Held while it lives.
pub struct Guard<'a> {
    file: Option<&'a File>,
    held: bool,
}

impl Lock {
    pub fn open(directory: &Path) -> Self {
        let file = open_file(&directory.join("vault.lock"), true, true).ok();
        Lock { directory: directory.to_owned(), file }
    }

    pub fn share(&self) -> Result<Guard<'_>> {
        self.take(FileExt::try_lock_shared)
    }

    pub fn alone(&self) -> Result<Guard<'_>> {
        self.take(FileExt::try_lock)
    }

    fn take(
        &self,
        attempt: impl Fn(&File) -> std::result::Result<(), TryLockError>,
    ) -> Result<Guard<'_>> {
        let Some(file) = &self.file else { return Ok(Guard { file: None, held: false }) };
        loop {
            match attempt(file) {
                Ok(()) => return Ok(Guard { file: Some(file), held: true }),
                Err(TryLockError::WouldBlock) if patience::wait() => {}
                Err(TryLockError::WouldBlock) => return Err(in_use(&self.directory)),
                Err(TryLockError::Error(_)) => {
                    return Ok(Guard { file: Some(file), held: false });
                }
            }
        }
    }
}

impl Guard<'_> {
    /// False where the file system has no locks.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// The id of the vault that belongs here, as far as it is known.
    pub fn bound(&self) -> Option<String> {
        let mut file = self.file?;
        file.seek(SeekFrom::Start(0)).ok()?;
        let mut text = String::new();
        file.take(ID_LENGTH as u64 + 1).read_to_string(&mut text).ok()?;
        is_id(&text).then_some(text)
    }

    /// From now on this vault belongs here; `None`: whichever is found. A full disk leaves it open.
    pub fn bind(&self, vault: Option<&str>) {
        let Some(mut file) = self.file else { return };
        if file.set_len(0).is_err() || file.seek(SeekFrom::Start(0)).is_err() {
            return;
        }
        let written = file.write_all(vault.unwrap_or_default().as_bytes());
        let _ = written.and_then(|()| file.sync_all());
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if let (Some(file), true) = (self.file, self.held) {
            let _ = FileExt::unlock(file);
        }
    }
}

pub fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
