//! How long a call waits for others: one allowance for all the locks that it meets.
//!
//! The directory's lock and SQLite's own are polled alike, and the more often the longer one has
//! waited. SQLite's own handler does the opposite: those who come late overtake those who wait.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

/// The allowance of an ordinary call.
pub const ORDINARY: Duration = Duration::from_secs(2);

/// Where an ordinary call has waited just before.
pub const SHORT: Duration = Duration::from_millis(200);

/// The pause between two looks is this part of what is left, and no shorter than `SHORTEST_PAUSE`.
const SHARE: u32 = 500;
const SHORTEST_PAUSE: Duration = Duration::from_micros(200);

thread_local! {
    static UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// The allowance of this thread while it lives; never longer than the one it lies in.
pub struct BusyTimeout {
    before: Option<Instant>,
}

impl BusyTimeout {
    pub fn of(allowance: Duration) -> Self {
        let until = Instant::now() + allowance;
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

/// Sleeps for a moment; false when the allowance is used up.
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
    fn an_allowance_ends_and_the_outer_one_returns() {
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
    fn without_an_allowance_nobody_waits() {
        assert!(!wait());
    }
}
