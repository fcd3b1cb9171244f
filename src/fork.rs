//! Forks. A child has its parent's memory and one thread: a lock that another thread held in that
//! moment is never opened there.
//!
//! What is ours begins anew in a child. What the whole process has one of (SQLite's own locks, our
//! tables) is kept in order by a gate: whoever is at work there keeps it open, and a fork that is
//! announced waits for them for a moment, and keeps them out until it is done.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

static GATE: RwLock<()> = RwLock::new(());

/// How many threads wait for it to be free. Without that, they would wait for a moment in which
/// nobody is at work, and there may be none.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// A fork waits no longer than this; it is made all the same then.
const LONGEST: Duration = Duration::from_secs(1);

const PAUSE: Duration = Duration::from_millis(1);

thread_local! {
    /// Held by the thread that forks, which is the one that the child has.
    static CLOSED: RefCell<Option<RwLockWriteGuard<'static, ()>>> = const { RefCell::new(None) };
    /// Held by a thread that is at work, however often it says so.
    static OPEN: RefCell<Option<RwLockReadGuard<'static, ()>>> = const { RefCell::new(None) };
    static TIMES: Cell<usize> = const { Cell::new(0) };
}

/// No announced fork comes while this lives, on the thread that it was made on.
pub struct AtWork(PhantomData<*const ()>);

/// No announced fork comes while this lives. Not for what waits for a server.
pub fn keep_out() -> AtWork {
    if TIMES.get() == 0 {
        open();
    }
    TIMES.set(TIMES.get() + 1);
    AtWork(PhantomData)
}

impl Drop for AtWork {
    fn drop(&mut self) {
        TIMES.set(TIMES.get() - 1);
        if TIMES.get() == 0 {
            OPEN.with(|held| held.borrow_mut().take());
        }
    }
}

/// Lets forks come while `wait` only waits, unless more than one piece of work is begun.
pub fn let_through<T>(wait: impl FnOnce() -> T) -> T {
    if TIMES.get() != 1 {
        return wait();
    }
    OPEN.with(|held| held.borrow_mut().take());
    let waited = wait();
    open();
    waited
}

fn open() {
    while WAITING.load(Ordering::Relaxed) > 0 {
        thread::sleep(PAUSE);
    }
    let open = GATE.read().unwrap_or_else(PoisonError::into_inner);
    OPEN.with(|held| *held.borrow_mut() = Some(open));
}

/// This thread is about to fork.
pub fn before() {
    close_within(LONGEST);
}

fn close_within(longest: Duration) {
    let until = Instant::now() + longest;
    WAITING.fetch_add(1, Ordering::Relaxed);
    let closed = loop {
        match GATE.try_write() {
            Ok(closed) => break Some(closed),
            Err(TryLockError::Poisoned(poisoned)) => break Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) if Instant::now() >= until => break None,
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
        }
    };
    WAITING.fetch_sub(1, Ordering::Relaxed);
    CLOSED.with(|held| *held.borrow_mut() = closed);
}

/// It has forked, and this is the parent or the child; or it could not.
pub fn after() {
    CLOSED.with(|held| held.borrow_mut().take());
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

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
        close_within(LONG);
        assert!(start.elapsed() >= work);
        worker.join().unwrap();
        let late = thread::spawn(|| drop(keep_out()));
        thread::sleep(work);
        assert!(!late.is_finished());
        after();
        late.join().unwrap();
        drop(keep_out());
    }

    #[test]
    fn a_fork_does_not_wait_for_who_waits() {
        let (begins, has_begun) = std::sync::mpsc::channel();
        let (ends, end) = std::sync::mpsc::channel();
        let worker = thread::spawn(move || {
            let _gate = keep_out();
            let_through(|| {
                begins.send(()).unwrap();
                end.recv().unwrap();
            });
        });
        has_begun.recv().unwrap();
        close_within(LONG);
        ends.send(()).unwrap();
        after();
        worker.join().unwrap();
    }

    #[test]
    fn a_fork_gets_its_turn_where_somebody_is_always_at_work() {
        let is_over = std::sync::atomic::AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !is_over.load(Ordering::Relaxed) {
                        let _gate = keep_out();
                        thread::sleep(PAUSE);
                    }
                });
            }
            let waited = Instant::now();
            for _ in 0..20 {
                close_within(LONG);
                after();
            }
            is_over.store(true, Ordering::Relaxed);
            assert!(waited.elapsed() < LONG, "somebody was always at work");
        });
    }
}
