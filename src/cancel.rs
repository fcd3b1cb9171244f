//! Stopping work from outside: a token that one side sets and the other looks at or waits on.

use crate::error::{Error, Kind, Result};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Shared by the caller and the work. Cloning gives another handle on the same token.
#[derive(Clone, Default)]
pub struct Cancel(Arc<(Mutex<bool>, Condvar)>);

impl Cancel {
    pub fn new() -> Self {
        Cancel::default()
    }

    /// Asks the work to stop; every `wait` returns at once.
    pub fn cancel(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    pub fn is_cancelled(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails with `Kind::Cancelled` once the token is set.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(cancelled()) } else { Ok(()) }
    }

    /// Sleeps for `duration` of monotonic time; false when it was interrupted by a cancel.
    pub fn wait(&self, duration: Duration) -> bool {
        let guard = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (set, _) = self
            .0
            .1
            .wait_timeout_while(guard, duration, |set| !*set)
            .unwrap_or_else(PoisonError::into_inner);
        !*set
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
}
