//! Forks. A child has its parent's memory and one thread: a lock that another thread held in that
//! moment is never opened there.
//!
//! What is ours begins anew in a child. What the whole process has one of (SQLite's own locks, our
//! tables) is kept in order by a gate: whoever is at work there keeps it open, and a fork that is
//! announced waits for them for a moment, and keeps them out until it is done.

use std::cell::RefCell;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

static GATE: RwLock<()> = RwLock::new(());

/// A fork waits no longer than this; it is made all the same then.
const LONGEST: Duration = Duration::from_secs(1);

const PAUSE: Duration = Duration::from_millis(1);

thread_local! {
    /// Held by the thread that forks, which is the one that the child has.
    static CLOSED: RefCell<Option<RwLockWriteGuard<'static, ()>>> = const { RefCell::new(None) };
}

/// No announced fork comes while this lives. Not for what waits for a server.
pub fn keep_out() -> RwLockReadGuard<'static, ()> {
    GATE.read().unwrap_or_else(PoisonError::into_inner)
}

/// This thread is about to fork.
pub fn before() {
    let until = Instant::now() + LONGEST;
    // Never in the queue for it: whoever has it may take it once more.
    let closed = loop {
        match GATE.try_write() {
            Ok(closed) => break Some(closed),
            Err(TryLockError::Poisoned(poisoned)) => break Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() >= until => break None,
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
        }
    };
    CLOSED.with(|held| *held.borrow_mut() = closed);
}

/// It has forked, and this is the parent or the child; or it could not.
pub fn after() {
    CLOSED.with(|held| held.borrow_mut().take());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fork_waits_for_who_is_at_work_and_keeps_others_out() {
        let (start, work) = (Instant::now(), Duration::from_millis(50));
        let (begins, has_begun) = std::sync::mpsc::channel();
        let worker = thread::spawn(move || {
            let _gate = keep_out();
            let _again = keep_out();
            begins.send(()).unwrap();
            thread::sleep(work);
        });
        has_begun.recv().unwrap();
        before();
        assert!(start.elapsed() >= work);
        worker.join().unwrap();
        let late = thread::spawn(|| drop(keep_out()));
        thread::sleep(work);
        assert!(!late.is_finished());
        after();
        late.join().unwrap();
        drop(keep_out());
    }
}
