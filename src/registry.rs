//! The keepers and operations of this process, by number: what every front works with.
//!
//! No call waits for longer than `SLICE`, and none panics. A keeper that nobody uses closes what it
//! has open, and one that nobody holds either is forgotten.

use crate::background;
use crate::cancel;
use crate::command::{Command, Reply};
use crate::error::{Error, Kind, Result};
use crate::fork;
use crate::keeper::{Config, Keeper, Rest};
use crate::lock;
use crate::memory;
use crate::open_options::OpenOptions;
use crate::operation::{Operations, catch_panics};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// A host that waits in here notices nothing else meanwhile.
const SLICE: Duration = Duration::from_millis(100);

/// What was not used for so long is closed. In Kodi an invocation finds open what the one before it
/// used, and the service looks at the vault more often than this.
const IDLE: Duration = Duration::from_secs(60);

static KEEPERS: Mutex<Keepers> = Mutex::new(Keepers::new());
static OPERATIONS: Operations<Reply> = Operations::new();

/// One for each *different* configuration. Handles are not used twice.
struct Keepers {
    /// They serve one process; a fork makes another.
    process: u32,
    last: u64,
    open: BTreeMap<u64, Held>,
    /// True while a thread looks after those that nobody uses.
    are_watched: bool,
}

struct Held {
    config: Config,
    keeper: Arc<Keeper>,
    /// How often the handle was given and not taken back.
    holders: usize,
}

/// So many keepers that rest at once leave memory that is worth giving back.
const MANY: usize = 16;

/// How far a command is.
pub enum Progress {
    Done(Reply),
    Running(Running),
}

/// An operation that goes on.
pub struct Running {
    /// The handle to poll.
    pub operation: u64,
    /// How much of it is done, where that can be counted.
    pub progress: Option<cancel::Progress>,
}

/// Gives the handle of a keeper; the same options give the same handle.
pub fn open(options: OpenOptions) -> Result<u64> {
    let handle = catch_panics(|| open_or_find(options.config()?))?;
    if let Ok(keeper) = find(handle, false) {
        look_after(&keeper, false);
    }
    Ok(handle)
}

fn open_or_find(config: Config) -> Result<u64> {
    let _gate = fork::keep_out();
    let mut keepers = Keepers::lock();
    keepers.watch();
    if let Some((handle, held)) = keepers.open.iter_mut().find(|(_, held)| held.config == config) {
        held.keeper.open_again(&config);
        held.holders += 1;
        return Ok(*handle);
    }
    let keeper = Arc::new(Keeper::open(config.clone())?);
    keepers.last += 1;
    let handle = keepers.last;
    keepers.open.insert(handle, Held { config, keeper, holders: 1 });
    Ok(handle)
}

/// What is due there is done without being asked for, where a keeper was opened for that.
fn look_after(keeper: &Keeper, has_news: bool) {
    let directory = keeper.directory().to_owned();
    let holder = {
        let directory = directory.clone();
        move || {
            let _gate = fork::keep_out();
            Keepers::lock().held_at(&directory)
        }
    };
    if holder().is_some() {
        background::look_after(&directory, has_news, holder);
    }
}

/// Takes a handle back. The keeper is there for whoever opens it again soon.
pub fn close(keeper: u64) {
    let _gate = fork::keep_out();
    let mut keepers = Keepers::lock();
    if let Some(held) = keepers.open.get_mut(&keeper) {
        held.holders = held.holders.saturating_sub(1);
        let directory = held.keeper.directory().to_owned();
        keepers.watch();
        drop(keepers);
        background::release(&directory);
    }
}

/// Begins a command, and waits a slice for its result.
pub fn start(keeper: u64, command: Command) -> Result<Progress> {
    let keeper = find(keeper, !command.only_listens())?;
    let began = Instant::now();
    let at_once = catch_panics(|| Ok(keeper.logged(|| command.at_once(&keeper))))?;
    if let Some(result) = at_once {
        return result.map(Progress::Done);
    }
    let operation = OPERATIONS.start(move |cancel| {
        let done = keeper.logged(|| command.run(&keeper, cancel));
        look_after(&keeper, command.leaves_work());
        done
    })?;
    poll(operation, SLICE.saturating_sub(began.elapsed()))
}

/// Waits for an operation, a slice at most. Its handle is gone with its result.
pub fn poll(operation: u64, wait: Duration) -> Result<Progress> {
    let polled = OPERATIONS.poll(operation, wait.min(SLICE))?;
    Ok(polled.map_or_else(
        || Progress::Running(Running { operation, progress: OPERATIONS.progress(operation) }),
        Progress::Done,
    ))
}

/// This thread is about to fork; `after_fork` follows in the parent and in the child.
pub fn before_fork() {
    fork::before();
}

pub fn after_fork() {
    fork::after();
    lock::close_inherited();
}

/// The process is about to end: waits for what is on its way, a slice at most. True: it is still
/// worth waiting for.
pub fn finish(wait: Duration) -> bool {
    background::finish(wait.min(SLICE))
}

/// Asks an operation to end; its result still has to be polled for.
pub fn cancel(operation: u64) {
    OPERATIONS.cancel(operation);
}

fn find(handle: u64, is_used: bool) -> Result<Arc<Keeper>> {
    let _gate = fork::keep_out();
    let mut keepers = Keepers::lock();
    let found = keepers.open.get(&handle).map(|held| Arc::clone(&held.keeper));
    if is_used {
        keepers.watch();
    }
    found.ok_or_else(|| Error::new(Kind::InvalidInput, "there is no such keeper"))
}

impl Held {
    fn keeper(&self) -> Arc<Keeper> {
        Arc::clone(&self.keeper)
    }
}

impl Keepers {
    const fn new() -> Self {
        Keepers { process: 0, last: 0, open: BTreeMap::new(), are_watched: false }
    }

    fn lock() -> MutexGuard<'static, Self> {
        let mut keepers = KEEPERS.lock().unwrap_or_else(PoisonError::into_inner);
        let process = std::process::id();
        if keepers.process != process {
            keepers.process = process;
            keepers.begin_anew();
        }
        keepers
    }

    /// After a fork. Its threads are those of the other process, its locks are as they were in that
    /// moment, and its connections are shared: none of that is touched any more.
    fn begin_anew(&mut self) {
        lock::close_inherited();
        self.are_watched = false;
        for held in self.open.values_mut() {
            // What could be opened once can be opened again.
            if let Ok(keeper) = Keeper::open(held.config.clone()) {
                std::mem::forget(std::mem::replace(&mut held.keeper, Arc::new(keeper)));
            }
        }
    }

    /// A keeper of this directory that somebody holds, and that may be used in the background.
    fn held_at(&mut self, directory: &Path) -> Option<Arc<Keeper>> {
        let is_meant = |held: &&Held| {
            held.holders > 0 && held.config.background && held.keeper.directory() == directory
        };
        let keeper = self.open.values().find(is_meant)?.keeper();
        // What is opened now is to be closed again.
        self.watch();
        Some(keeper)
    }

    /// Sees to it that what nobody uses is closed in time.
    fn watch(&mut self) {
        if !self.are_watched {
            let watch = || {
                loop {
                    // First, because whoever called is about to use what may rest just now.
                    thread::sleep(IDLE / 2);
                    if release(IDLE) {
                        break;
                    }
                }
            };
            let thread = thread::Builder::new().name("sessionkeeper-idle".into()).spawn(watch);
            self.are_watched = thread.is_ok();
        }
    }
}

/// Closes what nobody has used for `idle`, and forgets the keepers that nobody holds. True when
/// nothing is left to do.
fn release(idle: Duration) -> bool {
    let _gate = fork::keep_out();
    let open: Vec<_> = Keepers::lock().open.iter().map(|(n, held)| (*n, held.keeper())).collect();
    // Not under the lock, for closing a file may take its time.
    let rest = open.iter().map(|(handle, keeper)| (*handle, keeper.rest(idle)));
    let rest: BTreeMap<u64, Rest> = rest.collect();
    let closed = rest.values().filter(|rest| **rest == Rest::Begun).count();
    let rests = |handle: &u64| rest.get(handle).is_some_and(|rest| *rest != Rest::No);
    let mut keepers = Keepers::lock();
    let before = keepers.open.len();
    // One that somebody works with has more than the two owners here.
    keepers.open.retain(|handle, held| {
        let is_in_use = held.holders > 0 || Arc::strong_count(&held.keeper) > 2;
        is_in_use || !rests(handle) || !held.keeper.is_replaceable()
    });
    let is_waited_for = |(handle, held): (&u64, &Held)| {
        !rests(handle) || (held.holders == 0 && held.keeper.is_replaceable())
    };
    keepers.are_watched = keepers.open.iter().any(is_waited_for);
    let is_done = !keepers.are_watched;
    let forgotten = before - keepers.open.len();
    drop(keepers);
    drop(open);
    if closed + forgotten >= MANY {
        memory::give_back();
    }
    is_done
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list is the process's: one test at a time.
    static ALONE: Mutex<()> = Mutex::new(());

    fn options(directory: &Path) -> OpenOptions {
        let keys = directory.join("keys");
        let options = serde_json::json!({
            "provider": "angel", "data_dir": directory.join("data"), "key_dir": keys,
            "proxy": "none",
        });
        serde_json::from_value(options).unwrap()
    }

    fn status(handle: u64) -> Result<()> {
        let mut progress = start(handle, Command::Status {})?;
        while let Progress::Running(running) = progress {
            progress = poll(running.operation, SLICE)?;
        }
        Ok(())
    }

    /// How many files in the directory this process has open.
    #[cfg(target_os = "linux")]
    fn handles(directory: &Path) -> usize {
        let open = std::fs::read_dir("/proc/self/fd").unwrap();
        let targets = open.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
        targets.filter(|target| target.starts_with(directory)).count()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_keeper_that_nobody_uses_closes_its_files_and_opens_them_again() {
        let _alone = ALONE.lock();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().canonicalize().unwrap();
        let handle = open(options(&path)).unwrap();
        status(handle).unwrap();
        assert!(handles(&path) > 0);
        release(Duration::from_secs(3600));
        assert!(handles(&path) > 0, "it was used just now");
        release(Duration::ZERO);
        assert_eq!(handles(&path), 0);
        status(handle).unwrap();
        assert!(handles(&path) > 0);
        close(handle);
        release(Duration::ZERO);
        assert_eq!(handles(&path), 0);
    }

    #[test]
    fn a_keeper_that_nobody_holds_is_forgotten() {
        let _alone = ALONE.lock();
        let directory = tempfile::tempdir().unwrap();
        let first = open(options(directory.path())).unwrap();
        assert_eq!(open(options(directory.path())).unwrap(), first);
        close(first);
        release(Duration::ZERO);
        status(first).unwrap();
        close(first);
        assert_eq!(open(options(directory.path())).unwrap(), first, "it is still there");
        close(first);
        release(Duration::ZERO);
        assert_eq!(status(first).unwrap_err().kind(), Kind::InvalidInput);
        let second = open(options(directory.path())).unwrap();
        assert!(second > first);
        close(second);
    }
}
