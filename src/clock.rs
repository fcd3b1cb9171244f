//! What time it is, and whether that can be believed.
//!
//! A Raspberry Pi has no clock of its own: before the network is up it may be 1970, or the hour it
//! was switched off. So nothing is thrown away because of the time unless the clock is *known*: it
//! is past every time we have stored and the floor below, and either the kernel says that it is
//! synchronised (adjtimex), or a server's `Date` over verified TLS agreed with it. Delays are never
//! taken from here while the process lives; they are monotonic (`Instant`).

use crate::cancel::Cancel;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds since 1970-01-01 UTC.
pub type UnixTime = i64;

/// No credential is believed to last longer, in seconds: 400 days, as RFC 6265bis 5.6.1 has it for
/// cookies.
pub const LONGEST_LIFE: i64 = 400 * 86_400;

/// How far a server's `Date` may be from our clock and still confirm it, in seconds.
const AGREEMENT: i64 = 600;

/// No clock that shows an earlier time can be right: 2026-11-01.
const BUILD_FLOOR: UnixTime = 1_793_491_200;

/// A wait that outlives the process: until when by the wall clock, and how long it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rest {
    pub until: UnixTime,
    /// In seconds.
    pub length: i64,
}

impl Rest {
    /// A wait from `now` on, in whole seconds.
    pub fn of(now: UnixTime, length: Duration) -> Self {
        let seconds = length.as_secs() + u64::from(length.subsec_nanos() > 0);
        let length = i64::try_from(seconds).unwrap_or(i64::MAX);
        Rest { until: now.saturating_add(length), length }
    }

    /// How much of it is left at `now`. Where more would be left than there ever was, the clock has
    /// been set back since, or the time is damaged: what it says is worth nothing, so the wait is
    /// over.
    pub fn left(&self, now: UnixTime) -> Duration {
        let left = self.until.saturating_sub(now);
        if left > self.length {
            return Duration::ZERO;
        }
        Duration::from_secs(u64::try_from(left).unwrap_or(0))
    }
}

/// Where the time comes from; a test holds its own.
pub trait Clock: Send + Sync {
    fn now(&self) -> UnixTime;

    /// True when the time may be used to decide that something is over for good.
    fn is_known(&self) -> bool;

    /// True when nothing shows that the time is wrong. Enough to show it, and to renew by it.
    fn is_plausible(&self) -> bool;

    /// A server that proved its identity says that it is `date`.
    fn observe(&self, _date: UnixTime) {}

    /// The clock cannot be right while it shows less than `time`.
    fn raise_floor(&self, _time: UnixTime) {}

    /// Monotonic, for delays and deadlines.
    fn instant(&self) -> Instant {
        Instant::now()
    }

    /// Sleeps for `delay` of monotonic time; false when it was interrupted by a cancel.
    fn wait(&self, delay: Duration, cancel: &Cancel) -> bool {
        cancel.wait(delay)
    }

    /// True when `time` has passed for certain.
    fn is_past(&self, time: UnixTime) -> bool {
        self.is_known() && self.now() >= time
    }

    /// True when `time` seems to have passed; nothing is thrown away because of it.
    fn seems_past(&self, time: UnixTime) -> bool {
        self.is_plausible() && self.now() >= time
    }
}

/// The machine's clock.
pub struct SystemClock {
    agreed: AtomicBool,
    floor: AtomicI64,
}

impl Default for SystemClock {
    fn default() -> Self {
        SystemClock { agreed: AtomicBool::new(false), floor: AtomicI64::new(BUILD_FLOOR) }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX))
    }

    fn is_known(&self) -> bool {
        self.is_plausible() && (self.agreed.load(Ordering::Relaxed) || kernel_is_synchronised())
    }

    fn is_plausible(&self) -> bool {
        self.now() >= self.floor.load(Ordering::Relaxed)
    }

    fn observe(&self, date: UnixTime) {
        let agrees = self.now().abs_diff(date) <= AGREEMENT as u64;
        self.agreed.store(agrees, Ordering::Relaxed);
        if agrees {
            // What was stored while the clock was ahead must not outlaw the right time.
            self.floor.fetch_min(self.now(), Ordering::Relaxed);
        }
    }

    fn raise_floor(&self, time: UnixTime) {
        self.floor.fetch_max(time, Ordering::Relaxed);
    }
}

/// adjtimex(2) with no mode set only reads; TIME_ERROR means "not synchronised".
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "no safe crate wraps adjtimex; the call only fills a struct of ours")]
fn kernel_is_synchronised() -> bool {
    // SAFETY: timex is plain data for which all zeroes is valid, and `modes == 0` reads only.
    let state = unsafe {
        let mut timex: libc::timex = std::mem::zeroed();
        libc::adjtimex(&raw mut timex)
    };
    state >= 0 && state != libc::TIME_ERROR
}

/// Elsewhere the system keeps its own clock, and has one that survives being switched off.
#[cfg(not(target_os = "linux"))]
fn kernel_is_synchronised() -> bool {
    true
}

/// A clock that a test sets. Waiting by it takes no time, and moves it on.
#[derive(Default)]
pub struct HeldClock {
    now: AtomicI64,
    known: AtomicBool,
    waits: Mutex<Vec<Duration>>,
}

impl HeldClock {
    pub fn at(now: UnixTime) -> Self {
        HeldClock { now: now.into(), known: true.into(), waits: Mutex::default() }
    }

    pub fn set(&self, now: UnixTime) {
        self.now.store(now, Ordering::Relaxed);
    }

    pub fn set_known(&self, known: bool) {
        self.known.store(known, Ordering::Relaxed);
    }

    /// What was waited for so far.
    pub fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Clock for HeldClock {
    fn now(&self) -> UnixTime {
        self.now.load(Ordering::Relaxed)
    }

    fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    fn is_plausible(&self) -> bool {
        self.is_known()
    }

    fn instant(&self) -> Instant {
        Instant::now() + self.waits().iter().sum::<Duration>()
    }

    fn wait(&self, delay: Duration, cancel: &Cancel) -> bool {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).push(delay);
        self.now.fetch_add(i64::try_from(delay.as_secs()).unwrap_or(0), Ordering::Relaxed);
        !cancel.is_cancelled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_is_never_longer_than_it_was_meant_to_be() {
        let rest = Rest::of(1000, Duration::from_millis(9_001));
        assert_eq!(rest, Rest { until: 1010, length: 10 });
        for (now, left) in [(1000, 10), (1004, 6), (1010, 0), (999, 0), (0, 0), (i64::MIN, 0)] {
            assert_eq!(rest.left(now), Duration::from_secs(left), "at {now}");
        }
        assert_eq!(rest.left(i64::MAX), Duration::ZERO);
        assert_eq!(Rest { until: i64::MAX, length: -5 }.left(0), Duration::ZERO);
    }

    #[test]
    fn a_server_that_agrees_makes_the_clock_known() {
        let clock = SystemClock::default();
        clock.observe(clock.now() + 30);
        assert!(clock.is_known());
        assert!(clock.is_past(clock.now() - 1));
        assert!(!clock.is_past(clock.now() + 60));
    }

    #[test]
    fn a_clock_behind_what_was_stored_is_not_believed() {
        let clock = SystemClock::default();
        clock.observe(clock.now());
        clock.raise_floor(clock.now() + 3600);
        assert!(!clock.is_known());
        assert!(!clock.is_past(0));
        clock.observe(clock.now() + 7200);
        assert!(!clock.is_known());
        clock.observe(clock.now());
        assert!(clock.is_known(), "the server knows better than what was stored");
    }
}
