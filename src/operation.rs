//! Long work on a thread of its own: start it, poll it, cancel it, take its result once.
//!
//! `SystemExit` is not delivered to a Python thread that waits in here, so nobody waits in here for
//! longer than a slice. Knows nothing of what the work is, nor of Python. Handles are numbers,
//! shared by all interpreters of the process.

use crate::cancel::{Cancel, Progress};
use crate::error::{Error, Kind, Result};
use crate::fork;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// An operation that nobody polls for this long is forgotten: its interpreter is gone.
const UNCLAIMED: Duration = Duration::from_secs(600);

/// The operations of a process, with results of type `T`.
pub struct Operations<T> {
    running: Mutex<BTreeMap<u64, Arc<Operation<T>>>>,
    last: AtomicU64,
}

struct Operation<T> {
    cancel: Cancel,
    /// Where the result arrives, and when somebody last asked for it.
    result: Mutex<(Receiver<Result<T>>, Instant)>,
}

impl<T: Send + 'static> Operations<T> {
    pub(crate) const fn new() -> Self {
        Operations { running: Mutex::new(BTreeMap::new()), last: AtomicU64::new(0) }
    }

    /// Starts `work` and gives its handle.
    pub fn start(&self, work: impl FnOnce(&Cancel) -> Result<T> + Send + 'static) -> Result<u64> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let cancel = Cancel::new();
        let operation =
            Operation { cancel: cancel.clone(), result: Mutex::new((receiver, Instant::now())) };
        let body = move || drop(sender.send(catch_panics(|| work(&cancel))));
        std::thread::Builder::new().name("sessionkeeper".into()).spawn(body).map_err(|_| {
            Error::new(Kind::Internal, "no thread could be started")
                .with_hint("The system is out of memory or threads.")
        })?;
        let handle = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.table(|table| {
            table.retain(|_, operation| !operation.is_forgotten());
            table.insert(handle, Arc::new(operation));
        });
        Ok(handle)
    }

    /// Waits at most `slice` for the result; takes it, after which the handle is gone. `None`: it is
    /// still running.
    pub fn poll(&self, handle: u64, slice: Duration) -> Result<Option<T>> {
        let operation = self.find(handle)?;
        let mut result = operation.result.lock().unwrap_or_else(PoisonError::into_inner);
        result.1 = Instant::now();
        match result.0.recv_timeout(slice) {
            Ok(done) => {
                self.table(|table| table.remove(&handle));
                done.map(Some)
            }
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(unknown()),
        }
    }

    /// How far the work is, as far as it tells.
    pub fn progress(&self, handle: u64) -> Option<Progress> {
        self.find(handle).ok()?.cancel.progress()
    }

    /// Asks the work to stop; the result still has to be polled for. An unknown handle is no error.
    pub fn cancel(&self, handle: u64) {
        if let Ok(operation) = self.find(handle) {
            operation.cancel.cancel();
        }
    }

    fn find(&self, handle: u64) -> Result<Arc<Operation<T>>> {
        self.table(|table| table.get(&handle).cloned()).ok_or_else(unknown)
    }

    fn table<R>(&self, work: impl FnOnce(&mut BTreeMap<u64, Arc<Operation<T>>>) -> R) -> R {
        let _gate = fork::keep_out();
        work(&mut self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T> Operation<T> {
    /// One that is being polled is not.
    fn is_forgotten(&self) -> bool {
        self.result.try_lock().is_ok_and(|result| result.1.elapsed() > UNCLAIMED)
    }
}

fn unknown() -> Error {
    Error::new(Kind::InvalidInput, "there is no such operation")
        .with_hint("Its result has been taken, or it was left alone for ten minutes.")
}

/// A panic is a bug, and must not end Kodi.
pub fn catch_panics<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::new(Kind::Internal, "the operation hit a bug")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait<T: Send + 'static>(operations: &Operations<T>, handle: u64) -> Result<T> {
        loop {
            if let Some(value) = operations.poll(handle, Duration::from_millis(100))? {
                return Ok(value);
            }
        }
    }

    #[test]
    fn a_result_is_taken_once() {
        let operations = Operations::new();
        let handle = operations.start(|_| Ok(7)).unwrap();
        assert_eq!(wait(&operations, handle).unwrap(), 7);
        assert_eq!(wait(&operations, handle).unwrap_err().kind(), Kind::InvalidInput);
    }

    #[test]
    fn a_poll_is_a_slice_and_a_cancel_reaches_the_work() {
        let operations = Operations::new();
        let handle = operations
            .start(|cancel| {
                cancel.wait(Duration::from_secs(60));
                cancel.check().map(|()| 0)
            })
            .unwrap();
        let start = Instant::now();
        assert!(matches!(operations.poll(handle, Duration::from_millis(20)), Ok(None)));
        assert!(start.elapsed() < Duration::from_secs(5));
        operations.cancel(handle);
        assert_eq!(wait(&operations, handle).unwrap_err().kind(), Kind::Cancelled);
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let operations: Operations<()> = Operations::new();
        let handle = operations.start(|_| panic!("deliberate, from a test")).unwrap();
        assert_eq!(wait(&operations, handle).unwrap_err().kind(), Kind::Internal);
    }

    #[test]
    fn no_fork_comes_while_the_table_is_looked_at() {
        let operations: Operations<()> = Operations::new();
        let (begins, has_begun) = mpsc::channel();
        let is_done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                operations.table(|_| {
                    begins.send(()).unwrap();
                    std::thread::sleep(Duration::from_millis(100));
                    is_done.store(true, Ordering::SeqCst);
                });
            });
            has_begun.recv().unwrap();
            fork::before();
            fork::after();
            assert!(is_done.load(Ordering::SeqCst));
        });
    }
}
