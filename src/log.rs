//! The log: one rotating file in each data directory, and the same lines for Kodi's log.
//!
//! `log` has one logger a process, while we keep one file a data directory; so the logger looks up
//! which directory the current thread works for (`DirectoryLog::enter`). Lines of other crates are not
//! taken: they know of headers and bodies. Every line passes through `redact::scrub`.

use crate::redact::scrub;
use log::{Level, LevelFilter, Log, Metadata, Record};
use simplelog::{ConfigBuilder, WriteLogger};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The file is renamed to `.1` at this size; the older `.1` goes.
const FILE_LIMIT: u64 = 512 * 1024;

/// Lines kept for Kodi's log while nobody takes them; the oldest go first.
const KEPT_LINES: usize = 500;

/// The log of one data directory.
pub struct DirectoryLog {
    pages: Mutex<Pages>,
    path: PathBuf,
}

struct Pages {
    level: LevelFilter,
    file: Box<WriteLogger<RotatingFile>>,
    untaken: VecDeque<(Level, String)>,
}

thread_local! {
    static CURRENT: RefCell<Option<Arc<DirectoryLog>>> = const { RefCell::new(None) };
}

impl DirectoryLog {
    /// The log in `directory`, which need not exist yet.
    pub fn new(directory: &Path) -> Self {
        install();
        let path = directory.join("sessionkeeper.log");
        let level = LevelFilter::Info;
        let file = open_file(&path, level);
        DirectoryLog { pages: Mutex::new(Pages { level, file, untaken: VecDeque::new() }), path }
    }

    /// From now on, lines below `level` are not written.
    pub fn set_level(&self, level: LevelFilter) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.level != level {
            pages.level = level;
            pages.file = open_file(&self.path, level);
        }
    }

    /// Runs `work` with what it logs going to this book.
    pub fn enter<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        let before = CURRENT.with(|current| current.replace(Some(Arc::clone(self))));
        let result = work();
        CURRENT.with(|current| current.replace(before));
        result
    }

    /// The lines that nobody has taken yet, for Kodi's log.
    pub fn take(&self) -> Vec<(Level, String)> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.untaken.drain(..).collect()
    }

    fn write(&self, record: &Record) {
        let line = scrub(&record.args().to_string());
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if record.level() > pages.level {
            return;
        }
        pages.file.log(
            &Record::builder()
                .level(record.level())
                .target(record.target())
                .args(format_args!("{line}"))
                .build(),
        );
        if pages.untaken.len() == KEPT_LINES {
            pages.untaken.pop_front();
        }
        pages.untaken.push_back((record.level(), line));
    }
}

/// Sends each line to the book of the thread that wrote it.
struct Router;

impl Log for Router {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.target().starts_with("sessionkeeper")
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            let book = CURRENT.with(|current| current.borrow().clone());
            if let Some(book) = book {
                book.write(record);
            }
        }
    }

    fn flush(&self) {}
}

/// Once a process; a host that has a logger of its own keeps it.
fn install() {
    static ROUTER: Router = Router;
    if log::set_logger(&ROUTER).is_ok() {
        log::set_max_level(LevelFilter::Debug);
    }
}

fn open_file(path: &Path, level: LevelFilter) -> Box<WriteLogger<RotatingFile>> {
    let config = ConfigBuilder::new()
        .set_time_format_rfc3339()
        .set_target_level(LevelFilter::Off)
        .set_thread_level(LevelFilter::Off)
        .set_location_level(LevelFilter::Off)
        .build();
    WriteLogger::new(level, config, RotatingFile { path: path.to_owned(), file: None })
}

/// Appends, and starts anew at the limit. A log that cannot be written never stops the work.
struct RotatingFile {
    path: PathBuf,
    file: Option<File>,
}

impl RotatingFile {
    fn file(&mut self) -> io::Result<&mut File> {
        let is_full = |file: &File| file.metadata().is_ok_and(|data| data.len() >= FILE_LIMIT);
        if self.file.as_ref().is_some_and(is_full) {
            self.file = None;
            std::fs::rename(&self.path, self.path.with_extension("log.1"))?;
        }
        if self.file.is_none() {
            let mut options = OpenOptions::new();
            options.create(true).append(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            self.file = Some(options.open(&self.path)?);
        }
        self.file.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Write for RotatingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.file().and_then(|file| file.write(bytes)) {
            Ok(written) => Ok(written),
            Err(_) => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_directory_has_its_own_log() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let books = [one.path(), two.path()].map(|path| Arc::new(DirectoryLog::new(path)));
        books[0].enter(|| {
            log::info!("first password=hunter2");
            log::debug!("too low");
            books[1].enter(|| log::warn!("second"));
            log::info!("third");
        });
        log::info!("nobody's");
        let lines =
            |book: &DirectoryLog| book.take().into_iter().map(|(_, line)| line).collect::<Vec<_>>();
        assert_eq!(lines(&books[0]), ["first password=[redacted]", "third"]);
        assert_eq!(lines(&books[1]), ["second"]);
        assert!(books[0].take().is_empty());
        let text = std::fs::read_to_string(one.path().join("sessionkeeper.log")).unwrap();
        assert!(text.contains("[INFO] first password=[redacted]"), "{text}");
        assert!(!text.contains("hunter2") && !text.contains("second"));
    }

    #[test]
    fn the_file_rotates() {
        let directory = tempfile::tempdir().unwrap();
        let book = Arc::new(DirectoryLog::new(directory.path()));
        let long = "word ".repeat(2000);
        book.enter(|| (0..120).for_each(|_| log::info!("{long}")));
        let size = |name: &str| std::fs::metadata(directory.path().join(name)).unwrap().len();
        assert!(size("sessionkeeper.log") < FILE_LIMIT + 20_000);
        assert!(size("sessionkeeper.log.1") < FILE_LIMIT + 20_000);
        assert_eq!(book.take().len(), 120);
    }
}
