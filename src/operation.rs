//! Long work on a thread of its own: start it, poll it, cancel it, take its result once.
//!
//! `SystemExit` is not delivered to a Python thread that waits in here, so nobody waits in here for
//! longer than a slice. Knows nothing of what the work is, nor of Python. Handles are numbers,
//! shared by all interpreters of the process.

use crate::cancel::{Cancel, Progress};
use crate::error::{Error, Kind, Result};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// An operation that nobody polls for this long is forgotten: its interpreter is gone.
const UNCLAIMED: Duration = Duration::from_secs(600);

/// The operations of a process, with results of type `T`.
pub struct Operations<T> {
    running: Mutex<HashMap<u64, Arc<Operation<T>>>>,
    last: AtomicU64,
}

struct Operation<T> {
    cancel: Cancel,
    /// Where the result arrives, and when somebody last asked for it.
    result: Mutex<(Receiver<Result<T>>, Instant)>,
}

impl<T> Default for Operations<T> {
    fn default() -> Self {
        Operations { running: Mutex::default(), last: AtomicU64::new(0) }
    }
}

impl<T: Send + 'static> Operations<T> {
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
        let mut table = self.table();
        table.retain(|_, operation| !operation.is_forgotten());
        table.insert(handle, Arc::new(operation));
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
                self.table().remove(&handle);
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
        self.table().get(&handle).cloned().ok_or_else(unknown)
    }

    fn table(&self) -> MutexGuard<'_, HashMap<u64, Arc<Operation<T>>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
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
        let operations = Operations::default();
        let handle = operations.start(|_| Ok(7)).unwrap();
        assert_eq!(wait(&operations, handle).unwrap(), 7);
        assert_eq!(wait(&operations, handle).unwrap_err().kind(), Kind::InvalidInput);
    }

    #[test]
    fn a_poll_is_a_slice_and_a_cancel_reaches_the_work() {
        let operations = Operations::default();
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
        let operations: Operations<()> = Operations::default();
        let handle = operations.start(|_| panic!("deliberate, from a test")).unwrap();
        assert_eq!(wait(&operations, handle).unwrap_err().kind(), Kind::Internal);
    }
}
