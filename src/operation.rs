//! Long work on a thread of its own: start it, poll it, cancel it, take its result once.
//!
//! `SystemExit` is not delivered to a Python thread that waits in here, so nobody waits in here for
//! longer than a slice. Knows nothing of what the work is, nor of Python. Handles are numbers,
//! shared by all interpreters of the process.

use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A result that nobody took is dropped after this: its interpreter is gone.
const UNCLAIMED: Duration = Duration::from_secs(600);

/// The operations of a process, with results of type `T`.
pub struct Operations<T> {
    running: Mutex<HashMap<u64, Arc<Operation<T>>>>,
    last: AtomicU64,
}

struct Operation<T> {
    cancel: Cancel,
    done: Mutex<Option<(Result<T>, Instant)>>,
    signal: Condvar,
}

impl<T: Send + 'static> Operations<T> {
    pub fn new() -> Self {
        Operations { running: Mutex::default(), last: AtomicU64::new(0) }
    }

    /// Starts `work` and gives its handle.
    pub fn start(&self, work: impl FnOnce(&Cancel) -> Result<T> + Send + 'static) -> Result<u64> {
        let operation = Arc::new(Operation {
            cancel: Cancel::new(),
            done: Mutex::new(None),
            signal: Condvar::new(),
        });
        let handle = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.sweep();
        self.table().insert(handle, Arc::clone(&operation));
        let body = move || {
            let result = catch_panics(|| work(&operation.cancel));
            *operation.result() = Some((result, Instant::now()));
            operation.signal.notify_all();
        };
        if std::thread::Builder::new().name("sessionkeeper".into()).spawn(body).is_err() {
            self.table().remove(&handle);
            return Err(Error::new(Kind::Internal, "no thread could be started")
                .with_hint("The system is out of memory or threads."));
        }
        Ok(handle)
    }

    /// Waits at most `slice` for the result; takes it, after which the handle is gone. `None`: it
    /// is still running.
    pub fn poll(&self, handle: u64, slice: Duration) -> Result<Option<T>> {
        let operation = self.find(handle)?;
        let waiting = operation.result();
        let (mut done, _) = operation
            .signal
            .wait_timeout_while(waiting, slice, |done| done.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        let Some((result, _)) = done.take() else { return Ok(None) };
        drop(done);
        self.table().remove(&handle);
        result.map(Some)
    }

    /// Asks the work to stop; the result still has to be polled for. An unknown handle is ignored.
    pub fn cancel(&self, handle: u64) {
        if let Ok(operation) = self.find(handle) {
            operation.cancel.cancel();
        }
    }

    fn find(&self, handle: u64) -> Result<Arc<Operation<T>>> {
        self.table().get(&handle).cloned().ok_or_else(|| {
            Error::new(Kind::InvalidInput, "there is no such operation")
                .with_hint("Its result has been taken, or it was left alone for ten minutes.")
        })
    }

    fn sweep(&self) {
        self.table().retain(|_, operation| {
            operation.result().as_ref().is_none_or(|(_, at)| at.elapsed() < UNCLAIMED)
        });
    }

    fn table(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Operation<T>>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + 'static> Default for Operations<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Operation<T> {
    fn result(&self) -> std::sync::MutexGuard<'_, Option<(Result<T>, Instant)>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
}
