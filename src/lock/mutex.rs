//! A mutex for threads and processes, served in the order of asking.
//!
//! Threads of this process wait in a line in memory; the first of them waits among the processes.
//! Every wait ends: with the lock, with a cancel, or when its time is up. Where the file system
//! cannot lock, the mutex works within the process.

use super::file::{LockFile, Locked};
use super::queue::Queue;
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a thread in the line may overlook a cancel.
const SLICE: Duration = Duration::from_millis(20);
/// The pause between two looks at the other processes grows with the time waited, between these.
const SHORTEST_PAUSE: Duration = Duration::from_millis(2);
const SHARE: u32 = 50;

/// Lets in one at a time, within this process and across processes.
pub struct FileMutex {
    line: Mutex<Line>,
    moved: Condvar,
    path: PathBuf,
    file: LockFile,
    queue: Queue,
}

/// The threads of this process, in order; the first has the mutex, or waits among the processes.
#[derive(Default)]
struct Line {
    last: u64,
    waiting: VecDeque<u64>,
}

/// Holds the mutex until it is dropped.
pub struct Guard<'a> {
    mutex: &'a FileMutex,
    number: u64,
    file: Option<Locked>,
}

/// When a wait ends without the lock.
struct LockWait<'a> {
    asked: Instant,
    longest: Duration,
    cancel: &'a Cancel,
}

impl FileMutex {
    /// A mutex on the lock file at `path`. Who waits keeps a file beside it meanwhile.
    pub fn new(path: PathBuf) -> Self {
        FileMutex {
            line: Mutex::default(),
            moved: Condvar::new(),
            file: LockFile::new(path.clone()),
            queue: Queue::new(&path),
            path,
        }
    }

    /// Waits for its turn, at most for `longest`. Fails with `Kind::Storage` when the time is up,
    /// and says who is in the way; with `Kind::Cancelled` when cancelled.
    pub fn lock(&self, longest: Duration, cancel: &Cancel) -> Result<Guard<'_>> {
        let wait = LockWait { asked: Instant::now(), longest, cancel };
        let mut guard = self.stand_in_line();
        self.wait_for_threads(guard.number, &wait)?;
        guard.file = Some(self.wait_for_processes(&wait)?);
        Ok(guard)
    }

    /// Closes the file until it is needed again.
    pub fn close(&self) {
        self.file.close();
    }

    /// True if the file system can lock files; for `doctor`.
    pub fn can_lock(&self) -> bool {
        LockFile::new(self.path.clone()).try_lock(true).is_none_or(|locked| locked.is_held())
    }

    fn stand_in_line(&self) -> Guard<'_> {
        let mut line = self.line();
        line.last += 1;
        let number = line.last;
        line.waiting.push_back(number);
        Guard { mutex: self, number, file: None }
    }

    fn wait_for_threads(&self, number: u64, wait: &LockWait<'_>) -> Result<()> {
        let mut line = self.line();
        while line.waiting.front() != Some(&number) {
            wait.check(|| {
                let message = "an earlier operation on this data directory has not ended";
                Error::new(Kind::Storage, message)
                    .with_hint("Wait for it or cancel it, then try again.")
            })?;
            (line, _) =
                self.moved.wait_timeout(line, SLICE).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(())
    }

    fn wait_for_processes(&self, wait: &LockWait<'_>) -> Result<Locked> {
        if self.queue.is_empty()
            && let Some(locked) = self.take()
        {
            return Ok(locked);
        }
        let mut place = self.queue.join();
        loop {
            if place.is_first(|| self.file.try_lock(false).is_some())
                && let Some(locked) = self.take()
            {
                return Ok(locked);
            }
            wait.check(|| self.in_the_way())?;
            let pause = wait.asked.elapsed() / SHARE;
            wait.cancel.wait(pause.clamp(SHORTEST_PAUSE, SLICE));
        }
    }

    /// Takes the file's lock, and notes for those who wait whose it is.
    fn take(&self) -> Option<Locked> {
        let locked = self.file.try_lock(true)?;
        let process = std::process::id().to_string();
        if locked.text(process.len() as u64 + 1).as_ref() != Some(&process) {
            locked.note(&process);
        }
        Some(locked)
    }

    fn in_the_way(&self) -> Error {
        let noted = fs::read_to_string(&self.path).ok().and_then(|text| text.parse::<u32>().ok());
        let process = noted.map_or_else(String::new, |process| format!(" (process {process})"));
        let message =
            format!("another program that uses this data directory does not answer{process}");
        Error::new(Kind::Storage, message).with_hint("Wait for it or end it, then try again.")
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LockWait<'_> {
    /// Fails once the wait is cancelled, or with `late` when its time is up.
    fn check(&self, late: impl FnOnce() -> Error) -> Result<()> {
        self.cancel.check()?;
        if self.asked.elapsed() < self.longest { Ok(()) } else { Err(late()) }
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.file = None;
        self.mutex.line().waiting.retain(|number| *number != self.number);
        self.mutex.moved.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    const LONG: Duration = Duration::from_secs(60);

    fn mutex() -> (tempfile::TempDir, FileMutex) {
        let directory = tempfile::tempdir().unwrap();
        let mutex = FileMutex::new(directory.path().join("x.lock"));
        (directory, mutex)
    }

    #[test]
    fn only_one_is_inside() {
        let (_directory, first) = mutex();
        let inside = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for number in 0..6 {
                let (first, inside) = (&first, &inside);
                scope.spawn(move || {
                    let other = FileMutex::new(first.path.clone());
                    let mutex = if number % 2 == 0 { first } else { &other };
                    for _ in 0..20 {
                        let _held = mutex.lock(LONG, &Cancel::new()).unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        std::thread::sleep(Duration::from_micros(200));
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
    }

    /// Lets all of them ask, one after the other, and says who was served after whom.
    fn served(
        mutex: &FileMutex,
        all: &[&FileMutex],
        has_asked: impl Fn(usize) -> bool,
    ) -> Vec<usize> {
        let held = mutex.lock(LONG, &Cancel::new()).unwrap();
        let served = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for (number, waiting) in all.iter().enumerate() {
                let served = &served;
                scope.spawn(move || {
                    let _held = waiting.lock(LONG, &Cancel::new()).unwrap();
                    served.lock().unwrap().push(number);
                });
                while !has_asked(number + 1) {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            drop(held);
        });
        served.into_inner().unwrap()
    }

    #[test]
    fn who_asks_first_is_served_first() {
        let (directory, mutex) = mutex();
        let stand_in_line = |count| mutex.line().waiting.len() == count + 1;
        assert_eq!(served(&mutex, &[&mutex; 4], stand_in_line), [0, 1, 2, 3]);
        let others: Vec<_> = (0..4).map(|_| FileMutex::new(mutex.path.clone())).collect();
        let have_tickets = |count| fs::read_dir(directory.path()).unwrap().count() == count + 1;
        assert_eq!(served(&mutex, &others.iter().collect::<Vec<_>>(), have_tickets), [0, 1, 2, 3]);
    }

    #[test]
    fn a_cancel_leaves_the_queue_at_once() {
        let (directory, mutex) = mutex();
        let _held = mutex.lock(LONG, &Cancel::new()).unwrap();
        for waiting in [&mutex, &FileMutex::new(mutex.path.clone())] {
            let (cancel, start) = (Cancel::new(), Instant::now());
            std::thread::scope(|scope| {
                let waiter = scope.spawn(|| waiting.lock(LONG, &cancel).err().unwrap().kind());
                std::thread::sleep(Duration::from_millis(100));
                cancel.cancel();
                assert_eq!(waiter.join().unwrap(), Kind::Cancelled);
            });
            assert!(start.elapsed() < Duration::from_millis(400), "{:?}", start.elapsed());
        }
        assert_eq!(mutex.line().waiting.len(), 1);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "only the lock is there");
    }

    #[test]
    fn a_wait_ends_and_says_who_is_in_the_way() {
        let (_directory, mutex) = mutex();
        let _held = mutex.lock(LONG, &Cancel::new()).unwrap();
        let short = Duration::from_millis(50);
        let own = mutex.lock(short, &Cancel::new()).err().unwrap();
        assert!(own.message().starts_with("an earlier operation"), "{own}");
        let other = FileMutex::new(mutex.path.clone()).lock(short, &Cancel::new()).err().unwrap();
        let process = format!("(process {})", std::process::id());
        assert!(other.message().ends_with(&process), "{other}");
        assert_eq!((own.kind(), other.kind()), (Kind::Storage, Kind::Storage));
        assert!(!own.hint().is_empty() && !other.hint().is_empty());
    }

    #[test]
    fn without_a_lock_file_the_mutex_still_opens() {
        let mutex = FileMutex::new("/nowhere/at/all/x.lock".into());
        assert!(!mutex.can_lock());
        drop(mutex.lock(LONG, &Cancel::new()).unwrap());
        drop(mutex.lock(LONG, &Cancel::new()).unwrap());
    }
}
