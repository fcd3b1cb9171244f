//! How long a call waits for others: one timeout for all the locks that it needs.
//!
//! The directory's lock and SQLite's are polled in the same way: the longer a call has waited, the
//! more often. SQLite's own handler does the opposite, so that latecomers overtake those who wait.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

/// The timeout of an ordinary call.
pub const ORDINARY: Duration = Duration::from_secs(2);

/// The timeout after an ordinary call has just waited.
pub const SHORT: Duration = Duration::from_millis(200);

/// The pause between two tries is this fraction of the time left, but at least `SHORTEST_PAUSE`.
const SHARE: u32 = 500;
const SHORTEST_PAUSE: Duration = Duration::from_micros(200);

thread_local! {
    static UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The timeout of this thread, until it is dropped. An inner one never outlasts the outer one.
pub struct BusyTimeout {
    before: Option<Instant>,
}

impl BusyTimeout {
    pub fn of(timeout: Duration) -> Self {
        let until = Instant::now() + timeout;
        let before = UNTIL.get();
        UNTIL.set(Some(before.map_or(until, |before| before.min(until))));
        BusyTimeout { before }
    }
}

impl Drop for BusyTimeout {
    fn drop(&mut self) {
        UNTIL.set(self.before);
    }
}

/// Sleeps for a moment; false when the time is up.
pub fn wait() -> bool {
    let left = UNTIL.get().map(|until| until.saturating_duration_since(Instant::now()));
    let Some(left) = left.filter(|left| !left.is_zero()) else { return false };
    thread::sleep((left / SHARE).max(SHORTEST_PAUSE));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_ends_and_the_outer_one_returns() {
        let _outer = BusyTimeout::of(Duration::from_secs(60));
        {
            let _inner = BusyTimeout::of(Duration::from_millis(10));
            let start = Instant::now();
            while wait() {}
            assert!(start.elapsed() >= Duration::from_millis(10));
        }
        assert!(wait());
        let start = Instant::now();
        let _short = BusyTimeout::of(Duration::from_millis(10));
        let _longer = BusyTimeout::of(Duration::from_secs(60));
        while wait() {}
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn without_a_timeout_nobody_waits() {
        assert!(!wait());
    }
}
