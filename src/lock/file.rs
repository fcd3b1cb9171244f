//! A file that is locked with flock or LockFileEx.
//!
//! The system releases these locks when a process dies. POSIX record locks would not do: they do
//! not keep two threads of Kodi apart, and closing any descriptor of the file drops them.

use fs4::{FileExt, TryLockError};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Device and inode; `None` on systems without them, where an open file cannot be moved.
pub type Identity = Option<(u64, u64)>;

/// A lock file, created when it is first needed. It may hold a short text.
pub struct LockFile {
    path: PathBuf,
    open: Mutex<Option<OpenFile>>,
}

#[derive(Clone)]
struct OpenFile {
    file: Arc<File>,
    identity: Identity,
}

/// Holds the lock until it is dropped, if the file can be locked at all.
pub struct Locked {
    file: Option<Arc<File>>,
    is_held: bool,
}

impl LockFile {
    pub fn new(path: PathBuf) -> Self {
        LockFile { path, open: Mutex::default() }
    }

    /// `None` when somebody else holds it. Do not lock one `LockFile` twice at the same time.
    pub fn try_lock(&self, is_exclusive: bool) -> Option<Locked> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..2 {
            if open.is_none() {
                *open = self.open().ok();
            }
            let Some(OpenFile { file, identity }) = open.clone() else {
                return Some(Locked { file: None, is_held: false });
            };
            let tried = if is_exclusive {
                FileExt::try_lock(&*file)
            } else {
                FileExt::try_lock_shared(&*file)
            };
            if matches!(tried, Err(TryLockError::WouldBlock)) {
                return None;
            }
            let locked = Locked { file: Some(file), is_held: tried.is_ok() };
            // A lock on a file that has been removed or replaced keeps nobody out.
            if self.is_current(identity) {
                return Some(locked);
            }
            *open = None;
        }
        None
    }

    fn open(&self) -> io::Result<OpenFile> {
        let file = open_file(&self.path, true, true)?;
        let identity = identity(&file.metadata()?);
        Ok(OpenFile { file: Arc::new(file), identity })
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
        let mut file = self.file.as_deref()?;
        file.seek(SeekFrom::Start(0)).ok()?;
        let mut text = String::new();
        file.take(longest).read_to_string(&mut text).ok()?;
        Some(text)
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
        Ok(is_there.then(|| Locked { file: Some(Arc::new(file)), is_held: tried.is_ok() }))
    }

    /// Adds to the file, durably.
    pub fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.file.as_deref().ok_or(io::ErrorKind::NotFound)?;
        file.seek(SeekFrom::End(0))?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// The whole file, up to `longest` bytes.
    pub fn bytes(&self, longest: u64) -> io::Result<Vec<u8>> {
        let mut file = self.file.as_deref().ok_or(io::ErrorKind::NotFound)?;
        file.seek(SeekFrom::Start(0))?;
        let mut bytes = Vec::new();
        file.take(longest).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// How long ago the file was written, by the system's clock.
    pub fn age(&self) -> Option<Duration> {
        self.file.as_deref()?.metadata().ok()?.modified().ok()?.elapsed().ok()
    }

    /// Replaces the file's text. On a full disk the file is left empty.
    pub fn set_text(&self, text: &str) {
        if let (true, Some(file)) = (self.note(text), self.file.as_deref()) {
            let _ = file.sync_all();
        }
    }

    /// As `set_text`, for a text that need not outlive the machine's power. False: it failed.
    pub fn note(&self, text: &str) -> bool {
        let Some(mut file) = self.file.as_deref() else { return false };
        let is_empty = file.set_len(0).and_then(|()| file.seek(SeekFrom::Start(0)));
        is_empty.and_then(|_| file.write_all(text.as_bytes())).is_ok()
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        if let (Some(file), true) = (self.file.as_deref(), self.is_held) {
            let _ = FileExt::unlock(file);
        }
    }
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
