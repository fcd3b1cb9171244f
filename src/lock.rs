//! Locks between processes: a file that is locked by flock or LockFileEx, and a mutex made of it.
//!
//! The system releases such a lock when a process dies. POSIX record locks would be none between
//! two threads of Kodi, and are dropped when the process closes any descriptor of the file. Where
//! the file system cannot lock, the mutex still holds within the process. What a lock guards is not
//! known here.

use crate::cancel::Cancel;
use crate::error::Result;
use fs4::{FileExt, TryLockError};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How often a mutex held by another process is tried again.
const SLICE: Duration = Duration::from_millis(20);

/// Device and inode; nothing where the system has none (there an open file cannot be moved).
pub type Identity = Option<(u64, u64)>;

/// A lock file, made when it is first needed. It may hold a short text.
pub struct LockFile {
    path: PathBuf,
    /// None where the file cannot be opened.
    file: Mutex<Option<Arc<File>>>,
}

/// A lock file that is locked while this lives, or cannot be.
pub struct Locked {
    file: Option<Arc<File>>,
    is_held: bool,
}

impl LockFile {
    pub fn new(path: PathBuf) -> Self {
        LockFile { path, file: Mutex::default() }
    }

    /// `None` when somebody else has it. One handle must not be locked twice at a time.
    pub fn try_lock(&self, is_exclusive: bool) -> Option<Locked> {
        let Some(file) = self.current() else {
            return Some(Locked { file: None, is_held: false });
        };
        let tried =
            if is_exclusive { FileExt::try_lock(&*file) } else { FileExt::try_lock_shared(&*file) };
        match tried {
            Ok(()) => {
                let locked = Locked { file: Some(file), is_held: true };
                // The lock of a file that was removed meanwhile keeps nobody out.
                locked.file.as_deref().is_some_and(|file| self.is_current(file)).then_some(locked)
            }
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(_)) => Some(Locked { file: Some(file), is_held: false }),
        }
    }

    /// The file that is at the path now: the one that is open, or another since.
    fn current(&self) -> Option<Arc<File>> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.as_ref().is_none_or(|file| !self.is_current(file)) {
            *file = open_file(&self.path, true, true).ok().map(Arc::new);
        }
        file.clone()
    }

    fn is_current(&self, file: &File) -> bool {
        match (fs::symlink_metadata(&self.path), file.metadata()) {
            (Ok(there), Ok(open)) => identity(&there) == identity(&open),
            (Err(error), _) => error.kind() != io::ErrorKind::NotFound,
            (Ok(_), Err(_)) => true,
        }
    }
}

impl Locked {
    /// False where the file system has no locks.
    pub fn is_held(&self) -> bool {
        self.is_held
    }

    /// What the file says, up to so many bytes.
    pub fn text(&self, longest: u64) -> Option<String> {
        let mut file = self.file.as_deref()?;
        file.seek(SeekFrom::Start(0)).ok()?;
        let mut text = String::new();
        file.take(longest).read_to_string(&mut text).ok()?;
        Some(text)
    }

    /// Writes what the file is to say. A full disk leaves it empty.
    pub fn set_text(&self, text: &str) {
        let Some(mut file) = self.file.as_deref() else { return };
        if file.set_len(0).is_err() || file.seek(SeekFrom::Start(0)).is_err() {
            return;
        }
        let _ = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        if let (Some(file), true) = (self.file.as_deref(), self.is_held) {
            let _ = FileExt::unlock(file);
        }
    }
}

/// One at a time, in this process and across processes; a cancel leaves the queue.
pub struct FileMutex {
    is_taken: Mutex<bool>,
    freed: Condvar,
    file: LockFile,
}

/// Whoever holds it is inside; dropping it lets the next one in.
pub struct Guard<'a> {
    mutex: &'a FileMutex,
    file: Option<Locked>,
}

impl FileMutex {
    /// A mutex on the lock file at `path`.
    pub fn new(path: PathBuf) -> Self {
        FileMutex { is_taken: Mutex::new(false), freed: Condvar::new(), file: LockFile::new(path) }
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
        loop {
            inside.file = self.file.try_lock(true);
            if inside.file.is_some() {
                return Ok(inside);
            }
            cancel.wait(SLICE);
            cancel.check()?;
        }
    }

    /// True when the file system can lock; for `doctor`.
    pub fn can_lock(&self) -> bool {
        LockFile::new(self.file.path.clone()).try_lock(true).is_none_or(|locked| locked.is_held())
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.file = None;
        *self.mutex.is_taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.mutex.freed.notify_one();
    }
}

/// Opens a regular file for its owner only, without following a link or waiting at a pipe.
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

#[cfg(unix)]
pub fn identity(found: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Some((found.dev(), found.ino()))
}

#[cfg(not(unix))]
pub fn identity(_found: &fs::Metadata) -> Identity {
    None
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
    fn without_a_lock_file_the_mutex_still_opens() {
        let mutex = FileMutex::new("/nowhere/at/all/x.lock".into());
        assert!(!mutex.can_lock());
        drop(mutex.lock(&Cancel::new()).unwrap());
        drop(mutex.lock(&Cancel::new()).unwrap());
    }

    #[test]
    fn a_file_is_shared_or_held_alone_and_keeps_its_text() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.lock");
        let (one, other) = (LockFile::new(path.clone()), LockFile::new(path.clone()));
        let shared = one.try_lock(false).unwrap();
        assert!(
            shared.is_held() && other.try_lock(false).is_some() && other.try_lock(true).is_none()
        );
        drop(shared);
        let alone = other.try_lock(true).unwrap();
        assert!(one.try_lock(false).is_none());
        alone.set_text("some text");
        drop(alone);
        let shared = one.try_lock(false).unwrap();
        assert_eq!(
            (shared.text(4).unwrap(), shared.text(99).unwrap()),
            ("some".into(), "some text".into())
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_files_place_is_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let (target, path) = (directory.path().join("target"), directory.path().join("x.lock"));
        std::os::unix::fs::symlink(&target, &path).unwrap();
        assert!(!LockFile::new(path).try_lock(true).unwrap().is_held());
        assert!(!target.exists());
    }
}
