//! One at a time, in this process and across processes: a mutex that a cancel can leave, and a lock
//! file beside it.
//!
//! The file is locked by flock/LockFileEx, which the system releases when a process dies; POSIX
//! locks would be no lock between two threads of Kodi. Where the file system cannot lock, the mutex
//! still holds within the process.

use crate::cancel::Cancel;
use crate::error::Result;
use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How often a mutex held by another process is tried again.
const SLICE: Duration = Duration::from_millis(20);

pub struct FileMutex {
    is_taken: Mutex<bool>,
    freed: Condvar,
    path: PathBuf,
}

/// Whoever holds it is inside; dropping it lets the next one in.
pub struct Guard<'a> {
    mutex: &'a FileMutex,
    file: Option<File>,
}

impl FileMutex {
    /// A mutex on the lock file at `path`, which is made when it is first needed.
    pub fn new(path: PathBuf) -> Self {
        FileMutex { is_taken: Mutex::new(false), freed: Condvar::new(), path }
    }

    /// Waits until nobody else is inside; fails when it is cancelled.
    pub fn lock(&self, cancel: &Cancel) -> Result<Guard<'_>> {
        let mut taken = self.is_taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken {
            cancel.check()?;
            (taken, _) =
                self.freed.wait_timeout(taken, SLICE).unwrap_or_else(PoisonError::into_inner);
        }
        *taken = true;
        drop(taken);
        let mut inside = Guard { mutex: self, file: None };
        let Ok(file) = self.open() else { return Ok(inside) };
        loop {
            match fs4::FileExt::try_lock(&file) {
                Ok(()) => {
                    inside.file = Some(file);
                    return Ok(inside);
                }
                Err(fs4::TryLockError::WouldBlock) => {
                    cancel.wait(SLICE);
                    cancel.check()?;
                }
                Err(fs4::TryLockError::Error(_)) => return Ok(inside),
            }
        }
    }

    /// True when the file system can lock; for `doctor`.
    pub fn can_lock(&self) -> bool {
        self.open().is_ok_and(|file| {
            !matches!(fs4::FileExt::try_lock(&file), Err(fs4::TryLockError::Error(_)))
        })
    }

    fn open(&self) -> std::io::Result<File> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&self.path)
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.file = None;
        *self.mutex.is_taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.mutex.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn only_one_is_inside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.lock");
        let inside = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mutex = FileMutex::new(path.clone());
                    for _ in 0..20 {
                        let _held = mutex.lock(&Cancel::new()).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        std::thread::sleep(Duration::from_micros(200));
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
    }

    #[test]
    fn a_cancel_leaves_the_queue() {
        let directory = tempfile::tempdir().unwrap();
        let mutex = FileMutex::new(directory.path().join("x.lock"));
        let _held = mutex.lock(&Cancel::new()).unwrap();
        let cancel = Cancel::new();
        cancel.cancel();
        assert_eq!(mutex.lock(&cancel).err().unwrap().kind(), Kind::Cancelled);
        let other = FileMutex::new(directory.path().join("x.lock"));
        assert_eq!(other.lock(&cancel).err().unwrap().kind(), Kind::Cancelled);
    }

    #[test]
    fn without_a_lock_file_the_gate_still_opens() {
        let mutex = FileMutex::new("/nowhere/at/all/x.lock".into());
        assert!(!mutex.can_lock());
        drop(mutex.lock(&Cancel::new()).unwrap());
        drop(mutex.lock(&Cancel::new()).unwrap());
    }
}
