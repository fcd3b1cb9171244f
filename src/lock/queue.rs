//! The order in which processes get a lock: each that waits holds a ticket, a file of its own
//! beside the lock, itself locked.
//!
//! The system drops that lock when a process dies, so nobody waits for the dead. A stopped process
//! is passed by as soon as it leaves the lock unused. The queue decides the order alone: whoever is
//! served still has to take the lock, and where no ticket can be written, nobody queues.
//!
//! A ticket is called `NAME.NUMBER-PROCESS-SERIAL`, after the lock's own file; the lowest is next.

use super::file::{LockFile, Locked, identity, open_file};
use fs4::{FileExt, TryLockError};
use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A lock that stays free for so long is not wanted by whoever is first.
const UNUSED: Duration = Duration::from_millis(300);

/// Tells the tickets of one process apart.
static SERIAL: AtomicU32 = AtomicU32::new(0);

/// The tickets of one lock.
pub struct Queue {
    directory: PathBuf,
    /// How the tickets' names begin.
    prefix: String,
}

/// A place in the queue, until it is dropped.
pub struct Place<'a> {
    queue: &'a Queue,
    ticket: Option<Ticket>,
    /// Tickets of processes that do not use their turn.
    passed: HashSet<Number>,
    /// Who was first, and since when the lock has been free nevertheless.
    unused: Option<(Number, Instant)>,
}

struct Ticket {
    number: Number,
    path: PathBuf,
    _locked: Locked,
}

/// A ticket's number, process and serial.
type Number = (u64, u32, u32);

impl Queue {
    /// The queue for the lock file at `path`.
    pub fn new(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        Queue { directory, prefix: format!("{name}.") }
    }

    /// True when nobody waits.
    pub fn is_empty(&self) -> bool {
        self.numbers().into_iter().all(|number| !self.is_alive(number))
    }

    /// Takes the last place.
    pub fn join(&self) -> Place<'_> {
        let ticket = (0..3).find_map(|_| self.draw());
        Place { queue: self, ticket, passed: HashSet::new(), unused: None }
    }

    fn draw(&self) -> Option<Ticket> {
        let last = self.numbers().into_iter().max().map_or(0, |(number, ..)| number);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let number = (last.checked_add(1)?, std::process::id(), serial);
        let path = self.path_of(number);
        // `None` when somebody is just looking whether it is alive.
        let locked = LockFile::new(path.clone()).try_lock(true)?;
        locked.is_held().then_some(Ticket { number, path, _locked: locked })
    }

    fn numbers(&self) -> Vec<Number> {
        let Ok(files) = fs::read_dir(&self.directory) else { return Vec::new() };
        files.flatten().filter_map(|file| self.number_of(&file.file_name())).collect()
    }

    fn number_of(&self, name: &OsString) -> Option<Number> {
        let mut parts = name.to_str()?.strip_prefix(&self.prefix)?.split('-');
        let number =
            (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        parts.next().is_none().then_some(number)
    }

    fn path_of(&self, (number, process, serial): Number) -> PathBuf {
        self.directory.join(format!("{}{number}-{process}-{serial}", self.prefix))
    }

    /// True while its owner holds the ticket; what a dead one left is removed.
    fn is_alive(&self, number: Number) -> bool {
        let path = self.path_of(number);
        let Ok(file) = open_file(&path, false, false) else { return false };
        match FileExt::try_lock(&file) {
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(_)) => false,
            Ok(()) => {
                // Another file may have its name by now.
                let opened = file.metadata().map(|found| identity(&found));
                let there = fs::symlink_metadata(&path).map(|found| identity(&found));
                if opened.is_ok_and(|opened| there.is_ok_and(|there| there == opened)) {
                    let _ = fs::remove_file(&path);
                }
                false
            }
        }
    }
}

impl Place<'_> {
    /// True when nobody who uses his turn is before this place. `is_free` tells whether the lock
    /// could be had; it is asked only when somebody is.
    pub fn is_first(&mut self, is_free: impl FnOnce() -> bool) -> bool {
        let Some(first) = self.first_before() else { return true };
        if !is_free() {
            self.unused = None;
            return false;
        }
        match self.unused {
            Some((who, since)) if who == first => {
                if since.elapsed() >= UNUSED {
                    self.passed.insert(first);
                }
            }
            _ => self.unused = Some((first, Instant::now())),
        }
        false
    }

    fn first_before(&self) -> Option<Number> {
        let own = self.ticket.as_ref()?.number;
        let mut before = self.queue.numbers();
        before.retain(|number| *number < own && !self.passed.contains(number));
        before.sort_unstable();
        before.into_iter().find(|number| self.queue.is_alive(*number))
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    fn queue() -> (tempfile::TempDir, Queue) {
        let directory = tempfile::tempdir().unwrap();
        let queue = Queue::new(&directory.path().join("x.lock"));
        (directory, queue)
    }

    #[test]
    fn the_first_to_come_is_the_first_in_the_queue() {
        let (directory, queue) = queue();
        assert!(queue.is_empty());
        let mut first = queue.join();
        let mut second = queue.join();
        assert!(!queue.is_empty());
        assert!(first.is_first(|| false) && !second.is_first(|| false));
        drop(first);
        assert!(second.is_first(|| false));
        drop(second);
        assert!(queue.is_empty());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is left behind");
    }

    #[test]
    fn the_dead_are_not_waited_for() {
        let (directory, queue) = queue();
        File::create(directory.path().join("x.lock.3-1-0")).unwrap();
        for other in ["x.lock", "x.lock.3-1", "x.lock.3-1-0-0", "x.lock.a-1-0", "y.lock.1-1-0"] {
            File::create(directory.path().join(other)).unwrap();
        }
        assert!(queue.join().is_first(|| false));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 5, "only the ticket goes");
    }

    #[test]
    fn who_does_not_use_his_turn_is_passed_by_and_no_earlier() {
        let (_directory, queue) = queue();
        let (_stopped, mut next) = (queue.join(), queue.join());
        let start = Instant::now();
        while start.elapsed() < UNUSED * 2 {
            assert!(!next.is_first(|| false), "the lock is in use");
        }
        let start = Instant::now();
        while !next.is_first(|| true) {
            assert!(start.elapsed() < UNUSED * 20);
        }
        assert!(start.elapsed() >= UNUSED);
        assert!(next.is_first(|| false), "it stays so");
    }

    #[test]
    fn without_a_place_for_tickets_nobody_queues() {
        let queue = Queue::new(Path::new("/nowhere/at/all/x.lock"));
        let (mut one, mut other) = (queue.join(), queue.join());
        assert!(one.is_first(|| false) && other.is_first(|| false));
    }
}
