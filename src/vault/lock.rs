//! The lock of a data directory, which keeps work on the vault apart from replacing the vault.
//!
//! Opening and working take it shared; creating, replacing, migrating and forgetting take it
//! exclusively. SQLite's own locks order the work itself. Nothing is read without it either: SQLite
//! could take the journal of a new vault for that of the old one. The file also holds the id of the
//! vault that belongs to this directory, so that another profile's vault in its place is noticed.
//! Where locking is not supported, the vault works without it.

use super::busy::Waiting;
use super::error::{VaultResult, explain_io};
use super::files::read_text;
use crate::error::Result;
use crate::lock::{LockFile, Locked};
use std::io;
use std::path::Path;

/// A vault's id: 32 hexadecimal digits.
const ID_LENGTH: usize = 32;

const NAME: &str = "vault.lock";

pub struct DirectoryLock(LockFile);

/// Holds the lock until it is dropped.
pub struct Guard {
    locked: Locked,
    is_exclusive: bool,
}

impl DirectoryLock {
    pub fn new(directory: &Path) -> Self {
        DirectoryLock(LockFile::new(directory.join(NAME)))
    }

    pub fn shared(&self, waiting: &Waiting<'_>) -> VaultResult<Guard> {
        self.lock(false, waiting)
    }

    pub fn exclusive(&self, waiting: &Waiting<'_>) -> VaultResult<Guard> {
        self.lock(true, waiting)
    }

    fn lock(&self, is_exclusive: bool, waiting: &Waiting<'_>) -> VaultResult<Guard> {
        loop {
            if let Some(locked) = self.0.try_lock(is_exclusive) {
                return Ok(Guard { locked, is_exclusive });
            }
            waiting.pause()?;
        }
    }
}

impl Guard {
    /// True if nobody else can be using the vault.
    pub fn is_exclusive(&self) -> bool {
        self.is_exclusive
    }

    /// False if the file system has no locks.
    pub fn is_held(&self) -> bool {
        self.locked.is_held()
    }

    /// The id of the vault that belongs here, if it is known.
    pub fn bound(&self) -> Option<String> {
        self.locked.text(ID_LENGTH as u64 + 1).filter(|text| is_id(text))
    }

    /// From now on this vault belongs here.
    pub fn bind(&self, vault: &str) {
        self.locked.set_text(vault);
    }

    /// From now on whichever vault is found belongs here. Fails where the disk does not take that:
    /// a vault that is published then would be a foreign one.
    pub fn unbind(&self, directory: &Path) -> Result<()> {
        self.locked.set_text("");
        match self.bound() {
            None => Ok(()),
            Some(_) => Err(explain_io(
                &io::Error::from(io::ErrorKind::Other),
                "the lock file of the vault cannot be written",
                directory,
            )),
        }
    }
}

/// The id of the vault that belongs to a directory, as far as it can be read without the lock.
pub fn bound_vault(directory: &Path) -> Option<String> {
    read_text(&directory.join(NAME), ID_LENGTH as u64 + 1).ok().filter(|text| is_id(text))
}

pub fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
