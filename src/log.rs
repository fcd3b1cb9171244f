//! The log: one capped file in each data directory, the terminal if that is wanted, and the same
//! lines for Kodi's log.
//!
//! `log` has one logger a process, while we keep one file a data directory; so the logger looks up
//! which directory the current thread works for (`DirectoryLog::enter`). Lines of other crates are
//! not taken: they know of headers and bodies. Every line passes through `redact::scrub`.

use crate::redact::scrub;
use log::{Level, LevelFilter, Log, Metadata, Record};
use simplelog::{ConfigBuilder, WriteLogger};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Stderr, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The file is emptied at this size.
const FILE_LIMIT: u64 = 512 * 1024;

/// Lines kept for Kodi's log while nobody takes them; the oldest go first.
const KEPT_LINES: usize = 500;

/// The log of one data directory.
pub struct DirectoryLog {
    outputs: Mutex<Outputs>,
    path: PathBuf,
}

struct Outputs {
    level: LevelFilter,
    file: Box<WriteLogger<CappedFile>>,
    terminal: Option<Box<WriteLogger<Stderr>>>,
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
        let outputs = Outputs { level, file, terminal: None, untaken: VecDeque::new() };
        DirectoryLog { outputs: Mutex::new(outputs), path }
    }

    /// From now on, lines below `level` are not written; the others go to the terminal as well
    /// where `to_terminal` says so.
    pub fn configure(&self, level: LevelFilter, to_terminal: bool) {
        let mut outputs = self.outputs();
        if outputs.level != level {
            outputs.level = level;
            outputs.file = open_file(&self.path, level);
        }
        outputs.terminal = to_terminal.then(|| WriteLogger::new(level, format(), io::stderr()));
    }

    /// Runs `work` with what it logs going here.
    pub fn enter<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        let before = CURRENT.with(|current| current.replace(Some(Arc::clone(self))));
        let result = work();
        CURRENT.with(|current| current.replace(before));
        result
    }

    /// The lines that nobody has taken yet, for Kodi's log.
    pub fn take(&self) -> Vec<(Level, String)> {
        self.outputs().untaken.drain(..).collect()
    }

    /// Closes the file until something is written.
    pub fn close(&self) {
        let mut outputs = self.outputs();
        outputs.file = open_file(&self.path, outputs.level);
    }

    fn write(&self, record: &Record) {
        let line = scrub(&record.args().to_string());
        let mut outputs = self.outputs();
        if record.level() > outputs.level {
            return;
        }
        let args = format_args!("{line}");
        let mut scrubbed = Record::builder();
        let scrubbed = scrubbed.level(record.level()).target(record.target()).args(args).build();
        outputs.file.log(&scrubbed);
        if let Some(terminal) = &outputs.terminal {
            terminal.log(&scrubbed);
        }
        if outputs.untaken.len() == KEPT_LINES {
            outputs.untaken.pop_front();
        }
        outputs.untaken.push_back((record.level(), line));
    }

    fn outputs(&self) -> MutexGuard<'_, Outputs> {
        self.outputs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sends each line to the log of the directory that the thread works for.
struct Router;

impl Log for Router {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.target().starts_with("sessionkeeper")
    }

    fn log(&self, record: &Record) {
        if self.enabled(record.metadata()) {
            let log = CURRENT.with(|current| current.borrow().clone());
            if let Some(log) = log {
                log.write(record);
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

fn open_file(path: &Path, level: LevelFilter) -> Box<WriteLogger<CappedFile>> {
    WriteLogger::new(level, format(), CappedFile { path: path.to_owned(), file: None })
}

fn format() -> simplelog::Config {
    ConfigBuilder::new()
        .set_time_format_rfc3339()
        .set_target_level(LevelFilter::Off)
        .set_thread_level(LevelFilter::Off)
        .set_location_level(LevelFilter::Off)
        .build()
}

/// Appends, and starts anew at the limit. A log that cannot be written never stops the work.
struct CappedFile {
    path: PathBuf,
    file: Option<File>,
}

impl CappedFile {
    fn file(&mut self) -> io::Result<&mut File> {
        if self.file.is_none() {
            let mut options = OpenOptions::new();
            options.create(true).append(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            self.file = Some(options.open(&self.path)?);
        }
        let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        if file.metadata()?.len() >= FILE_LIMIT {
            file.set_len(0)?;
        }
        Ok(file)
    }
}

impl Write for CappedFile {
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
        let logs = [one.path(), two.path()].map(|path| Arc::new(DirectoryLog::new(path)));
        logs[0].enter(|| {
            log::info!("first password=hunter2");
            log::debug!("too low");
            logs[1].enter(|| log::warn!("second"));
            log::info!("third");
        });
        log::info!("nobody's");
        let lines =
            |log: &DirectoryLog| log.take().into_iter().map(|(_, line)| line).collect::<Vec<_>>();
        assert_eq!(lines(&logs[0]), ["first password=[redacted]", "third"]);
        assert_eq!(lines(&logs[1]), ["second"]);
        assert!(logs[0].take().is_empty());
        let text = std::fs::read_to_string(one.path().join("sessionkeeper.log")).unwrap();
        assert!(text.contains("[INFO] first password=[redacted]"), "{text}");
        assert!(!text.contains("hunter2") && !text.contains("second"));
    }

    #[test]
    fn the_file_stays_small() {
        let directory = tempfile::tempdir().unwrap();
        let log = Arc::new(DirectoryLog::new(directory.path()));
        let line = "word ".repeat(2000);
        log.enter(|| (0..120).for_each(|_| log::info!("{line}")));
        let size = |name: &str| std::fs::metadata(directory.path().join(name)).unwrap().len();
        assert!(size("sessionkeeper.log") < FILE_LIMIT + 20_000);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        assert_eq!(log.take().len(), 120);
    }
}
