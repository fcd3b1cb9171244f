//! Locks between processes: a locked file, and a mutex built on it that serves in turn.
//!
//! This module does not know what its locks guard.

mod file;
mod mutex;
mod queue;

pub use file::{Identity, LockFile, Locked, close_inherited, identity, open_file};
pub use mutex::{FileMutex, Guard};
