//! A file that is locked with flock or LockFileEx.
//!
//! The system releases these locks when a process dies. POSIX record locks would not do: they do
//! not keep two threads of Kodi apart, and closing any descriptor of the file drops them.
//!
//! After a fork the child has a copy of each descriptor, which keeps a lock locked that its parent
//! gives back by ending. So all of them lie in one table, and the child closes its copies; that
//! leaves the parent's locks as they are, while unlocking them would not.

use crate::fork;
use fs4::{FileExt, TryLockError};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

static FILES: Mutex<Files> = Mutex::new(Files { process: 0, last: 0, open: BTreeMap::new() });

/// The open lock files of a process.
struct Files {
    process: u32,
    last: u64,
    open: BTreeMap<u64, Arc<File>>,
}

/// A file of the table, until it is dropped or the process has forked.
struct Entry {
    number: u64,
    file: Weak<File>,
}

/// Device and inode; `None` on systems without them, where an open file cannot be moved.
pub type Identity = Option<(u64, u64)>;

/// A lock file, created when it is first needed. It may hold a short text.
pub struct LockFile {
    path: PathBuf,
    open: Mutex<Option<OpenFile>>,
}

#[derive(Clone)]
struct OpenFile {
    entry: Arc<Entry>,
    identity: Identity,
}

/// Holds the lock until it is dropped, if the file can be locked at all.
pub struct Locked {
    entry: Option<Arc<Entry>>,
    is_held: bool,
}

impl LockFile {
    pub fn new(path: PathBuf) -> Self {
        LockFile { path, open: Mutex::default() }
    }

    /// `None` when somebody else holds it. Do not lock one `LockFile` twice at the same time.
    pub fn try_lock(&self, is_exclusive: bool) -> Option<Locked> {
        // Before the lock within: in this order everywhere.
        let _gate = fork::keep_out();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..2 {
            if open.as_ref().is_none_or(|open| open.entry.is_closed()) {
                *open = self.open().ok();
            }
            let Some(OpenFile { entry, identity }) = open.clone() else {
                return Some(Locked { entry: None, is_held: false });
            };
            let tried = entry.with(|file| {
                if is_exclusive { FileExt::try_lock(file) } else { FileExt::try_lock_shared(file) }
            });
            if matches!(tried, Some(Err(TryLockError::WouldBlock))) {
                return None;
            }
            let locked = Locked { entry: Some(entry), is_held: matches!(tried, Some(Ok(()))) };
            // A lock on a file that has been removed or replaced keeps nobody out.
            if self.is_current(identity) {
                return Some(locked);
            }
            *open = None;
        }
        None
    }

    /// Closes the file until it is needed again; a lock that is held stays.
    pub fn close(&self) {
        let _gate = fork::keep_out();
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn open(&self) -> io::Result<OpenFile> {
        let file = open_file(&self.path, true, true)?;
        let identity = identity(&file.metadata()?);
        Ok(OpenFile { entry: Arc::new(Entry::of(file)), identity })
    }

    fn is_current(&self, open: Identity) -> bool {
        match fs::symlink_metadata(&self.path) {
            Ok(there) => identity(&there) == open,
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        }
    }
}

impl Locked {
    /// False if the file system has no locks.
    pub fn is_held(&self) -> bool {
        self.is_held
    }

    /// The file's text, up to `longest` bytes.
    pub fn text(&self, longest: u64) -> Option<String> {
        self.with(|mut file| {
            file.seek(SeekFrom::Start(0)).ok()?;
            let mut text = String::new();
            file.take(longest).read_to_string(&mut text).ok()?;
            Some(text)
        })?
    }

    /// Opens the file and locks it for its holder alone; `None` when somebody else holds it, or
    /// has removed it meanwhile.
    pub fn open(path: &Path, create: bool) -> io::Result<Option<Self>> {
        let file = open_file(path, true, create)?;
        let tried = FileExt::try_lock(&file);
        if matches!(tried, Err(TryLockError::WouldBlock)) {
            return Ok(None);
        }
        let is_there = fs::symlink_metadata(path)
            .is_ok_and(|there| file.metadata().is_ok_and(|own| identity(&own) == identity(&there)));
        let is_held = tried.is_ok();
        Ok(is_there.then(|| Locked { entry: Some(Arc::new(Entry::of(file))), is_held }))
    }

    /// Adds to the file, durably.
    pub fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let append = |mut file: &File| {
            file.seek(SeekFrom::End(0))?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        self.with(append).ok_or(io::ErrorKind::NotFound)?
    }

    /// The whole file, up to `longest` bytes.
    pub fn bytes(&self, longest: u64) -> io::Result<Vec<u8>> {
        let read = |mut file: &File| {
            file.seek(SeekFrom::Start(0))?;
            let mut bytes = Vec::new();
            file.take(longest).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        self.with(read).ok_or(io::ErrorKind::NotFound)?
    }

    /// How long ago the file was written, by the system's clock.
    pub fn age(&self) -> Option<Duration> {
        let written = self.with(|file| file.metadata().and_then(|found| found.modified()))?;
        written.ok()?.elapsed().ok()
    }

    /// Replaces the file's text. On a full disk the file is left empty.
    pub fn set_text(&self, text: &str) {
        if self.note(text) {
            self.with(|file| file.sync_all().ok());
        }
    }

    /// As `set_text`, for a text that need not outlive the machine's power. False: it failed.
    pub fn note(&self, text: &str) -> bool {
        let noted = self.with(|mut file| {
            let is_empty = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
            is_empty.and_then(|_| file.write_all(text.as_bytes()))
        });
        noted.is_some_and(|noted| noted.is_ok())
    }

    fn with<T>(&self, work: impl FnOnce(&File) -> T) -> Option<T> {
        self.entry.as_ref()?.with(work)
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        if self.is_held {
            self.with(|file| FileExt::unlock(file).ok());
        }
    }
}

impl Entry {
    fn of(file: File) -> Self {
        let _gate = fork::keep_out();
        let (mut files, file) = (Files::lock(), Arc::new(file));
        files.last += 1;
        let number = files.last;
        files.open.insert(number, Arc::clone(&file));
        Entry { number, file: Arc::downgrade(&file) }
    }

    /// `None`: it was closed.
    fn with<T>(&self, work: impl FnOnce(&File) -> T) -> Option<T> {
        // A fork in between would leave the child a copy that is not in the table alone.
        let _gate = fork::keep_out();
        self.file.upgrade().map(|file| work(&file))
    }

    fn is_closed(&self) -> bool {
        self.file.strong_count() == 0
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let _gate = fork::keep_out();
        Files::lock().open.remove(&self.number);
    }
}

impl Files {
    fn lock() -> MutexGuard<'static, Self> {
        let mut files = FILES.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        if files.process != process {
            files.process = process;
            files.open.clear();
        }
        files
    }
}

/// In a child, closes what its parent had open.
pub fn close_inherited() {
    let _gate = fork::keep_out();
    drop(Files::lock());
}

/// Opens a regular file, readable by its owner only. Never follows a link or waits on a pipe.
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
