//! Stopping work from outside: a token that one side sets and the other looks at or waits on; and
//! work that its caller can leave.

use crate::error::{Error, Kind, Result};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// How long the caller of `run_beside` may overlook a cancel.
const SLICE: Duration = Duration::from_millis(20);

/// Shared by the caller and the work. Cloning gives another handle on the same token.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Token>);

#[derive(Default)]
struct Token {
    is_set: Mutex<bool>,
    /// For those who wait, and for those who await.
    signal: Condvar,
    notify: Notify,
}

impl Cancel {
    pub fn new() -> Self {
        Cancel::default()
    }

    /// Asks the work to stop; every wait ends at once.
    pub fn cancel(&self) {
        *self.is_set() = true;
        self.0.signal.notify_all();
        self.0.notify.notify_waiters();
    }

    pub fn is_cancelled(&self) -> bool {
        *self.is_set()
    }

    /// Fails with `Kind::Cancelled` once the token is set.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(cancelled()) } else { Ok(()) }
    }

    /// Sleeps for `duration` of monotonic time; false when it was cut short by a cancel.
    pub fn wait(&self, duration: Duration) -> bool {
        let waiting = self.0.signal.wait_timeout_while(self.is_set(), duration, |set| !*set);
        !*waiting.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Ends when the token is set.
    pub async fn until_cancelled(&self) {
        // Made before the look: a cancel in between is not missed.
        let notified = self.0.notify.notified();
        if !self.is_cancelled() {
            notified.await;
        }
    }

    fn is_set(&self) -> MutexGuard<'_, bool> {
        self.0.is_set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `work` on a thread of its own and waits for it, until a cancel. The work goes on; nobody
/// takes its result then.
pub fn run_beside<T: Send + 'static>(
    name: &str,
    cancel: &Cancel,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let body = move || drop(sender.send(work()));
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(body);
    thread.map_err(|_| Error::new(Kind::Internal, "no thread could be started"))?;
    loop {
        match receiver.recv_timeout(SLICE) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Timeout) => cancel.check()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::new(Kind::Internal, "the operation hit a bug"));
            }
        }
    }
}

pub fn cancelled() -> Error {
    Error::new(Kind::Cancelled, "the operation was cancelled")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_wait_ends_when_it_is_cancelled() {
        let cancel = Cancel::new();
        assert!(cancel.wait(Duration::from_millis(1)));
        let other = cancel.clone();
        let thread = std::thread::spawn(move || other.wait(Duration::from_secs(60)));
        let start = Instant::now();
        cancel.cancel();
        assert!(!thread.join().unwrap());
        assert!(start.elapsed() < Duration::from_secs(10));
        assert_eq!(cancel.check().unwrap_err().kind(), Kind::Cancelled);
    }

    #[test]
    fn a_caller_leaves_work_that_goes_on() {
        let cancel = Cancel::new();
        assert_eq!(run_beside("test", &cancel, || Ok(7)).unwrap(), 7);
        let panics = || -> Result<()> { panic!("deliberate, from a test") };
        assert_eq!(run_beside("test", &cancel, panics).unwrap_err().kind(), Kind::Internal);
        let (done, is_done) = mpsc::channel();
        let slow = move || {
            std::thread::sleep(Duration::from_millis(200));
            done.send(()).unwrap();
            Ok(())
        };
        cancel.cancel();
        assert_eq!(run_beside("test", &cancel, slow).unwrap_err().kind(), Kind::Cancelled);
        assert!(is_done.recv().is_ok());
    }
}
