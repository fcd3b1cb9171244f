//! When to try a revocation again. Decides times only; the keeper sends, the vault stores.
//!
//! The pause starts at 1 s and doubles up to 6 h, with full jitter; a longer `Retry-After` wins.
//! Without a network the pause stays short: asking costs nothing then, and the viewer was promised
//! that the server is told soon after the network returns. The same pause serves an entry, by its
//! attempts, and a host, by its failures since it last answered: whoever does not answer one entry
//! is not asked by the next.

use crate::error::Fault;
use crate::session::Outcome;
use ring::rand::{SecureRandom, SystemRandom};
use std::time::Duration;

/// An entry is parked after this many answers that will not change.
pub const TRIES_BEFORE_PARKING: u32 = 3;

/// For this many seconds a new entry is left to the logout that made it, so that no drain sends it
/// too.
pub const FIRST_TRY_LEASE: i64 = 20;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(6 * 3600);
const UNREACHABLE_LONGEST: Duration = Duration::from_secs(40);
const SLOWEST: Duration = Duration::from_secs(24 * 3600);

/// What is known of an attempt that did not end the entry.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    pub outcome: Outcome,
    /// How many attempts there have been, this one included.
    pub count: u32,
    pub retry_after: Option<Duration>,
    /// Set when there was no answer.
    pub fault: Option<Fault>,
}

/// How long to wait after `attempt`.
pub fn pause(attempt: &Attempt) -> Duration {
    jittered(attempt, random_fraction())
}

/// The same; `random` is uniform in 0.0..1.0.
fn jittered(attempt: &Attempt, random: f64) -> Duration {
    let doubled = FIRST.saturating_mul(1 << attempt.count.saturating_sub(1).min(20));
    let ceiling = match attempt.outcome {
        Outcome::Rejected => return SLOWEST,
        Outcome::Unconfirmed | Outcome::Alive => doubled.saturating_mul(600).min(SLOWEST),
        _ if attempt.fault.is_some_and(is_unreachable) => doubled.min(UNREACHABLE_LONGEST),
        _ => doubled.min(LONGEST),
    };
    // Full jitter; but what is meant to be slow stays slow.
    let is_slow = matches!(attempt.outcome, Outcome::Unconfirmed | Outcome::Alive);
    let share = if is_slow { 0.5 + random / 2.0 } else { random };
    let jittered = ceiling.mul_f64(share).max(FIRST);
    jittered.max(attempt.retry_after.unwrap_or_default()).min(SLOWEST)
}

/// True when the server was not reached at all: the network is away, or a captive portal in
/// between.
fn is_unreachable(fault: Fault) -> bool {
    matches!(fault, Fault::Dns | Fault::Connect | Fault::Tls | Fault::Timeout)
}

fn random_fraction() -> f64 {
    let mut bytes = [0_u8; 4];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_ne_bytes(bytes)) / 4_294_967_296.0,
        Err(_) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(outcome: Outcome, count: u32, fault: Option<Fault>) -> Attempt {
        Attempt { outcome, count, retry_after: None, fault }
    }

    #[test]
    fn the_pause_doubles_to_its_ceiling() {
        let ceiling = |count| jittered(&attempt(Outcome::Deferred, count, None), 1.0).as_secs();
        assert_eq!([1, 2, 3, 4, 5].map(ceiling), [1, 2, 4, 8, 16]);
        assert_eq!(ceiling(100), 6 * 3600);
        assert_eq!(ceiling(u32::MAX), 6 * 3600);
    }

    #[test]
    fn jitter_never_means_at_once() {
        assert_eq!(jittered(&attempt(Outcome::Deferred, 9, None), 0.0), FIRST);
    }

    #[test]
    fn without_a_network_the_next_try_is_never_far() {
        for fault in [Fault::Dns, Fault::Connect, Fault::Tls, Fault::Timeout] {
            let pause = jittered(&attempt(Outcome::Deferred, 1000, Some(fault)), 1.0);
            assert!(pause <= Duration::from_secs(45), "{fault:?}");
        }
    }

    #[test]
    fn a_server_that_was_reached_is_not_asked_every_minute() {
        for fault in [Fault::Reset, Fault::Malformed] {
            let pause = jittered(&attempt(Outcome::Deferred, 1000, Some(fault)), 1.0);
            assert_eq!(pause, LONGEST, "{fault:?}");
        }
    }

    #[test]
    fn retry_after_wins_when_it_is_longer() {
        let mut busy = attempt(Outcome::Deferred, 1, None);
        busy.retry_after = Some(Duration::from_secs(120));
        assert_eq!(jittered(&busy, 0.5), Duration::from_secs(120));
        busy.retry_after = Some(Duration::from_secs(1));
        busy.count = 10;
        assert_eq!(jittered(&busy, 1.0), Duration::from_secs(512));
    }

    #[test]
    fn answers_that_prove_nothing_are_retried_slowly() {
        assert_eq!(jittered(&attempt(Outcome::Unconfirmed, 1, None), 1.0).as_secs(), 600);
        assert_eq!(jittered(&attempt(Outcome::Unconfirmed, 1, None), 0.0).as_secs(), 300);
        assert_eq!(jittered(&attempt(Outcome::Alive, 1, None), 0.0).as_secs(), 300);
        assert_eq!(jittered(&attempt(Outcome::Unconfirmed, 30, None), 1.0), SLOWEST);
        assert_eq!(jittered(&attempt(Outcome::Rejected, 3, None), 0.0), SLOWEST);
    }

    #[test]
    fn chance_spreads_evenly() {
        let fractions: Vec<f64> = (0..1000).map(|_| random_fraction()).collect();
        for tenth in 0..10 {
            let tenth = f64::from(tenth) / 10.0;
            let is_there = |one: &&f64| (tenth..tenth + 0.1).contains(*one);
            let count = fractions.iter().filter(is_there).count();
            assert!((40..200).contains(&count), "{count} of 1000 from {tenth}");
        }
    }
}
