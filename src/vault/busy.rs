//! How long a call on the vault waits for others: its timeout or its operation's deadline, and the
//! cancel that ends the wait early.
//!
//! Threads of this process, the directory's lock and SQLite's own are all waited for in the same
//! way, by trying again: the longer a call has waited, the more often. SQLite's own handler does
//! the opposite, so that latecomers overtake those who wait; and it cannot be cancelled.

use super::error::{VaultError, VaultResult};
use crate::cancel::{Cancel, cancelled};
use crate::error::Result;
use crate::fork;
use std::path::Path;
use std::time::{Duration, Instant};

/// The timeout of an ordinary call.
const ORDINARY: Duration = Duration::from_secs(2);

/// The pause between two tries is this fraction of the time left, within these bounds.
const SHARE: u32 = 500;
const SHORTEST_PAUSE: Duration = Duration::from_micros(200);
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// How long a waiting thread of this process may overlook a cancel.
const SLICE: Duration = Duration::from_millis(20);

/// How long each call waits.
#[derive(Clone)]
pub struct BusyTimeout {
    limit: Limit,
    cancel: Cancel,
}

#[derive(Clone, Copy)]
enum Limit {
    /// Each call for so long.
    Each(Duration),
    /// All calls until then.
    Until(Instant),
}

impl BusyTimeout {
    /// Two seconds for each call, unless cancelled.
    pub fn ordinary(cancel: &Cancel) -> Self {
        BusyTimeout { limit: Limit::Each(ORDINARY), cancel: cancel.clone() }
    }

    /// So long for each call.
    pub fn of(timeout: Duration) -> Self {
        BusyTimeout { limit: Limit::Each(timeout), cancel: Cancel::new() }
    }

    /// Until the deadline for all calls together, unless cancelled. What is free is never refused,
    /// however late it is.
    pub fn until(deadline: Instant, cancel: &Cancel) -> Self {
        BusyTimeout { limit: Limit::Until(deadline), cancel: cancel.clone() }
    }

    /// Asks `attempt` again and again, for something that belongs to the data directory, until it
    /// gives it.
    pub fn poll<T>(&self, directory: &Path, mut attempt: impl FnMut() -> Option<T>) -> Result<T> {
        let waiting = self.begin();
        loop {
            if let Some(value) = attempt() {
                return Ok(value);
            }
            waiting.pause().map_err(|failure| failure.explain(directory))?;
        }
    }

    /// A call begins.
    pub fn begin(&self) -> Waiting<'_> {
        let until = match self.limit {
            Limit::Each(timeout) => Instant::now() + timeout,
            Limit::Until(deadline) => deadline,
        };
        Waiting { until, cancel: &self.cancel }
    }
}

/// The wait of one call.
pub struct Waiting<'a> {
    until: Instant,
    cancel: &'a Cancel,
}

impl Waiting<'_> {
    /// Sleeps for a moment, in which a fork may come; fails when the time is up, or with a cancel.
    pub fn pause(&self) -> VaultResult<()> {
        let pause = (self.left()? / SHARE).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        if fork::let_through(|| self.cancel.wait(pause)) {
            Ok(())
        } else {
            Err(VaultError::Refused(cancelled()))
        }
    }

    /// The time left, but at most a slice, after which the cancel is looked at again.
    pub fn slice(&self) -> VaultResult<Duration> {
        self.cancel.check()?;
        Ok(self.left()?.min(SLICE))
    }

    fn left(&self) -> VaultResult<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(VaultError::Busy) } else { Ok(left) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_with_its_time_or_with_a_cancel() {
        let start = Instant::now();
        let timeout = BusyTimeout::of(Duration::from_millis(10));
        let waiting = timeout.begin();
        while waiting.pause().is_ok() {}
        assert!(waiting.slice().is_err_and(|error| error.is_busy()));
        assert!(start.elapsed() >= Duration::from_millis(10));
        let cancel = Cancel::new();
        let timeout = BusyTimeout::ordinary(&cancel);
        assert!(timeout.begin().pause().is_ok());
        cancel.cancel();
        for ended in [timeout.begin().pause(), timeout.begin().slice().map(drop)] {
            assert!(matches!(ended, Err(VaultError::Refused(_))));
        }
        assert!(start.elapsed() < Duration::from_secs(1));
    }

    #[test]
    fn a_deadline_is_one_for_all_calls() {
        let deadline = Instant::now() + Duration::from_millis(10);
        let timeout = BusyTimeout::until(deadline, &Cancel::new());
        while timeout.begin().pause().is_ok() {}
        assert!(timeout.begin().pause().is_err());
    }
}
