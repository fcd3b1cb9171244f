//! What can stop work on the vault, and what the user is told about it.
//!
//! The only place that turns errors of SQLite and the file system into ours. Their texts are never
//! passed on: they name paths and statements.

use crate::error::{Error, Kind};
use rusqlite::{ErrorCode, ffi};
use std::io;
use std::path::{Path, PathBuf};

/// Why the work stopped. All but the last four are dealt with inside the vault.
pub enum VaultError {
    /// The file is not a sound database.
    Damaged,
    /// The database is sound and the key is right, but a row does not open.
    BadRow,
    /// The file at the path has been replaced since it was opened.
    Stale,
    KeyMissing,
    KeyWrong,
    /// It was forgotten, and the disk did not let it be deleted; this is its key, blanked.
    Forgotten(PathBuf),
    /// The file is the vault of another data directory.
    Foreign,
    /// What was written is not there for a second connection.
    Unseen,
    /// Others have held the vault until the time was up.
    Busy,
    Sql(rusqlite::Error),
    Refused(Error),
}

/// The result of work on the vault.
pub type VaultResult<T> = Result<T, VaultError>;

impl From<rusqlite::Error> for VaultError {
    fn from(error: rusqlite::Error) -> Self {
        if is_damage(&error) { VaultError::Damaged } else { VaultError::Sql(error) }
    }
}

impl From<Error> for VaultError {
    fn from(error: Error) -> Self {
        VaultError::Refused(error)
    }
}

impl VaultError {
    /// While a vault is being opened, a statement that SQLite calls wrong means a wrong file: one
    /// with another format, or without our tables.
    pub fn at_opening(self) -> Self {
        match self {
            VaultError::Sql(error)
                if error.sqlite_error().is_some_and(|e| e.extended_code == ffi::SQLITE_ERROR) =>
            {
                VaultError::Damaged
            }
            other => other,
        }
    }

    /// True if somebody else holds the vault.
    pub fn is_busy(&self) -> bool {
        match self {
            VaultError::Busy => true,
            VaultError::Sql(error) => is_busy(error),
            _ => false,
        }
    }

    /// True if the disk refused a file, where a new connection may find it in a better state. A full
    /// disk stays full.
    pub fn is_of_disk(&self) -> bool {
        let VaultError::Sql(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::ReadOnly | ErrorCode::SystemIoFailure | ErrorCode::CannotOpen)
        )
    }

    /// The error for the user, when the vault cannot help itself.
    pub fn explain(self, directory: &Path) -> Error {
        match self {
            VaultError::Refused(error) => error,
            VaultError::Busy => in_use(directory),
            VaultError::Unseen => {
                storage("the disk failed", directory, "look at the disk that holds")
            }
            VaultError::Sql(error) if is_busy(&error) => in_use(directory),
            VaultError::Sql(error) => explain_sql(&error, directory),
            _ => storage("the vault cannot be read", directory, "look at the disk"),
        }
    }
}

/// True if somebody else holds the database.
pub fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn is_damage(error: &rusqlite::Error) -> bool {
    match error {
        rusqlite::Error::SqliteFailure(cause, _) => {
            matches!(cause.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                || cause.extended_code == ffi::SQLITE_IOERR_SHORT_READ
        }
        // The tables are STRICT: we never wrote a value of another type, or text that is not UTF-8.
        // Where a row is asked for alone, it is always there.
        rusqlite::Error::QueryReturnedNoRows
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..) => true,
        _ => false,
    }
}

fn explain_sql(error: &rusqlite::Error, directory: &Path) -> Error {
    let (message, advice) = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => ("the disk is full", "free some space for"),
        Some(ErrorCode::ReadOnly) => ("the vault is read-only", "allow writing in"),
        Some(ErrorCode::PermissionDenied) => ("the vault may not be opened", "allow access to"),
        Some(ErrorCode::CannotOpen) => {
            ("a file of the vault cannot be opened or created", "look for space and permissions in")
        }
        Some(ErrorCode::SystemIoFailure) => ("the disk failed", "look at the disk that holds"),
        _ => ("the vault refused the operation", "look at"),
    };
    storage(message, directory, advice)
}

/// Repairing did not help.
pub fn damaged_again(directory: &Path) -> Error {
    storage("the vault is damaged again and again", directory, "look at the disk that holds")
}

/// Another process or thread has held the vault for too long.
fn in_use(directory: &Path) -> Error {
    storage("the vault is in use", directory, "try again, or end the other program that uses")
}

/// The error for what the file system refused; `what` says what failed.
pub fn explain_io(error: &io::Error, what: &str, directory: &Path) -> Error {
    let (reason, advice) = match error.kind() {
        io::ErrorKind::PermissionDenied => ("permission denied", "allow access to"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            ("the disk is full", "free some space for")
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            ("the file system is read-only", "choose another directory than")
        }
        io::ErrorKind::NotFound => ("not found", "look for"),
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            ("something else is there", "look at")
        }
        _ => ("the disk failed", "look at"),
    };
    storage(&format!("{what}: {reason}"), directory, advice)
}

fn storage(message: &str, directory: &Path, advice: &str) -> Error {
    Error::new(Kind::Storage, message).with_hint(format!("{advice} {}", directory.display()))
}
