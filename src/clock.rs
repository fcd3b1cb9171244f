//! What time it is, and whether that can be believed.
//!
//! A Raspberry Pi has no clock of its own: before the network is up it may be 1970, or the hour it
//! was switched off. Others run hours ahead: a wrong time zone, a second system on the machine. So
//! nothing is thrown away because of the time, and nothing is taken for ended by itself, unless the
//! clock is *known*. It is when it is past every time we have stored and the floor below, and the
//! last server that told the time over verified TLS agrees with it, by the time that has gone by
//! since. Where this process has heard of none yet, the kernel's word counts (adjtimex: it is
//! synchronised). A server that disagrees outweighs the kernel. By a clock that is not known the
//! session is used on, and the server decides.
//!
//! Delays are never taken from here while the process lives; they are monotonic (`Instant`).

use crate::cancel::Cancel;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds since 1970-01-01 UTC.
pub type UnixTime = i64;

/// No credential is believed to last longer, in seconds: 400 days, as RFC 6265bis 5.6.1 has it for
/// cookies.
pub const LONGEST_LIFE: i64 = 400 * 86_400;

/// How far a server's `Date` may be from our clock and still confirm it, in seconds.
const AGREEMENT: u64 = 600;

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

    /// What time it is, for what is to be compared with the time on another day.
    fn known_now(&self) -> Option<UnixTime> {
        self.is_known().then(|| self.now())
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

/// What is known of a clock besides what it shows.
struct Evidence(Mutex<Known>);

struct Known {
    /// The clock cannot be right while it shows less.
    floor: UnixTime,
    /// What time a server said it was, and when.
    told: Option<(UnixTime, Instant)>,
}

impl Default for Evidence {
    fn default() -> Self {
        Evidence(Mutex::new(Known { floor: BUILD_FLOOR, told: None }))
    }
}

impl Evidence {
    fn is_plausible(&self, now: UnixTime) -> bool {
        now >= self.known().floor
    }

    /// `is_synchronised` is what the kernel says.
    fn is_known(&self, now: UnixTime, instant: Instant, is_synchronised: bool) -> bool {
        let agrees = self.known().agrees(now, instant);
        self.is_plausible(now) && agrees.unwrap_or(is_synchronised)
    }

    fn observe(&self, date: UnixTime, now: UnixTime, instant: Instant) {
        let mut known = self.known();
        known.told = Some((date, instant));
        if known.agrees(now, instant) == Some(true) {
            // What was stored while the clock was ahead must not outlaw the right time.
            known.floor = known.floor.min(now);
        }
    }

    fn raise_floor(&self, time: UnixTime) {
        let mut known = self.known();
        known.floor = known.floor.max(time);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Whether the clock shows what a server has told, plus the time since; `None`: none has.
    fn agrees(&self, now: UnixTime, instant: Instant) -> Option<bool> {
        let (date, at) = self.told?;
        let since = instant.saturating_duration_since(at).as_secs();
        let right = date.saturating_add(i64::try_from(since).unwrap_or(i64::MAX));
        Some(now.abs_diff(right) <= AGREEMENT)
    }
}

/// The machine's clock.
#[derive(Default)]
pub struct SystemClock(Evidence);

impl Clock for SystemClock {
    fn now(&self) -> UnixTime {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX))
    }

    fn is_known(&self) -> bool {
        self.0.is_known(self.now(), self.instant(), kernel_is_synchronised())
    }

    fn is_plausible(&self) -> bool {
        self.0.is_plausible(self.now())
    }

    fn observe(&self, date: UnixTime) {
        self.0.observe(date, self.now(), self.instant());
    }

    fn raise_floor(&self, time: UnixTime) {
        self.0.raise_floor(time);
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

/// Elsewhere nobody says: a server has to.
#[cfg(not(target_os = "linux"))]
fn kernel_is_synchronised() -> bool {
    false
}

/// A clock that a test sets. Waiting by it takes no time, and moves it on.
pub struct HeldClock {
    now: AtomicI64,
    is_synchronised: AtomicBool,
    evidence: Evidence,
    started: Instant,
    passed: Mutex<Duration>,
    waits: Mutex<Vec<Duration>>,
}

impl HeldClock {
    /// One that the kernel says is synchronised.
    pub fn at(now: UnixTime) -> Self {
        HeldClock {
            now: now.into(),
            is_synchronised: true.into(),
            evidence: Evidence::default(),
            started: Instant::now(),
            passed: Mutex::default(),
            waits: Mutex::default(),
        }
    }

    /// Sets what it shows; no time passes.
    pub fn set(&self, now: UnixTime) {
        self.now.store(now, Ordering::Relaxed);
    }

    /// What the kernel says.
    pub fn set_synchronised(&self, is_synchronised: bool) {
        self.is_synchronised.store(is_synchronised, Ordering::Relaxed);
    }

    /// Time passes.
    pub fn pass(&self, time: Duration) {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner) += time;
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        let add = |now: UnixTime| Some(now.saturating_add(seconds));
        let _ = self.now.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
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
        let is_synchronised = self.is_synchronised.load(Ordering::Relaxed);
        self.evidence.is_known(self.now(), self.instant(), is_synchronised)
    }

    fn is_plausible(&self) -> bool {
        self.evidence.is_plausible(self.now())
    }

    fn observe(&self, date: UnixTime) {
        self.evidence.observe(date, self.now(), self.instant());
    }

    fn raise_floor(&self, time: UnixTime) {
        self.evidence.raise_floor(time);
    }

    fn instant(&self) -> Instant {
        self.started + *self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, delay: Duration, cancel: &Cancel) -> bool {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).push(delay);
        self.pass(delay);
        !cancel.is_cancelled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = BUILD_FLOOR + 1_000_000;
    const HOUR: i64 = 3600;

    /// A clock at `NOW` of which the kernel says nothing good.
    fn unknown() -> HeldClock {
        let clock = HeldClock::at(NOW);
        clock.set_synchronised(false);
        clock
    }

    #[test]
    fn a_server_that_agrees_makes_the_clock_known() {
        let clock = unknown();
        assert!(clock.is_plausible() && !clock.is_known());
        assert!(clock.seems_past(NOW - 1) && !clock.is_past(NOW - 1));
        assert_eq!(clock.known_now(), None);
        clock.observe(NOW + 30);
        assert!(clock.is_known() && clock.is_past(NOW) && !clock.is_past(NOW + 60));
        assert_eq!(clock.known_now(), Some(NOW));
    }

    #[test]
    fn a_server_that_disagrees_outweighs_the_kernel() {
        for off in [2 * HOUR, -2 * HOUR, 601, -601, i64::MAX - NOW, i64::MIN / 2] {
            let clock = HeldClock::at(NOW);
            assert!(clock.is_known());
            clock.observe(NOW + off);
            assert!(!clock.is_known() && clock.is_plausible(), "{off}");
            clock.observe(NOW);
            assert!(clock.is_known(), "the newest word counts");
        }
    }

    #[test]
    fn a_clock_that_jumps_is_unknown_until_it_is_put_right() {
        let clock = unknown();
        clock.observe(NOW);
        clock.pass(Duration::from_secs(30 * 86_400));
        assert!(clock.is_known(), "time passes");
        for jump in [2 * HOUR, -2 * HOUR] {
            let right = clock.now();
            clock.set(right + jump);
            assert!(!clock.is_known(), "{jump}");
            clock.set(right);
            assert!(clock.is_known());
        }
    }

    #[test]
    fn a_clock_behind_what_was_stored_is_not_believed() {
        let clock = HeldClock::at(NOW);
        clock.raise_floor(NOW + HOUR);
        assert!(!clock.is_plausible() && !clock.is_known());
        assert!(!clock.is_past(0) && !clock.seems_past(0));
        clock.observe(NOW + 2 * HOUR);
        assert!(!clock.is_known());
        clock.observe(NOW);
        assert!(clock.is_known(), "the server knows better than what was stored");
        clock.set(BUILD_FLOOR - 1);
        clock.observe(BUILD_FLOOR - 1);
        assert!(clock.is_known(), "and better than whoever built this");
    }

    #[test]
    fn the_machine_s_clock_is_as_good_as_its_evidence() {
        let clock = SystemClock::default();
        clock.observe(clock.now());
        assert!(clock.is_known() && clock.is_past(clock.now() - 1));
        clock.observe(clock.now() - 2 * HOUR);
        assert!(!clock.is_known());
    }

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
}
