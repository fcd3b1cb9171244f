//! What this process knows of the deliveries under way: which entries are being sent, and how long
//! entries and hosts still rest. How long a rest is, is for `backoff`.
//!
//! The vault keeps a rest by the wall clock; here it is counted by the monotonic clock from the
//! moment it was first seen, so that a clock that is set meanwhile neither hurries nor stalls it.

use crate::clock::{Clock, Rest};
use crate::vault::Waiting;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Default)]
pub struct Delivery(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// The entries that are being sent, and by how many; several are parts of one attempt.
    sending: HashMap<i64, usize>,
    rests: HashMap<Resting, (Rest, Instant)>,
    /// Entries whose TLS trouble is in the audit trail.
    tls_noted: HashSet<i64>,
}

/// What is left alone for a while.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Resting {
    Entry(i64),
    Host(String),
}

/// While it lives, nobody else in this process sends the entry.
pub struct Sending<'a> {
    delivery: &'a Delivery,
    entry: i64,
}

impl Delivery {
    /// `None` where somebody else is sending the entry.
    pub fn begin(&self, entry: i64) -> Option<Sending<'_>> {
        let mut known = self.known();
        if known.sending.contains_key(&entry) {
            return None;
        }
        known.sending.insert(entry, 1);
        Some(Sending { delivery: self, entry })
    }

    /// Goes on with what another part of the same attempt has begun.
    pub fn join(&self, entry: i64) -> Sending<'_> {
        *self.known().sending.entry(entry).or_default() += 1;
        Sending { delivery: self, entry }
    }

    /// Notes a rest that begins now.
    pub fn rest(&self, who: Resting, rest: Rest, clock: &dyn Clock) {
        let until = clock.instant() + rest.left(clock.now());
        self.known().rests.insert(who, (rest, until));
    }

    /// How long each of the entries must still wait, for itself and for its host. What is not
    /// stored any more is forgotten.
    pub fn waits(
        &self,
        entries: &[Waiting],
        hosts: &HashMap<String, Rest>,
        clock: &dyn Clock,
    ) -> Vec<Duration> {
        let (now, instant) = (clock.now(), clock.instant());
        let entry = |one: &Waiting| (Resting::Entry(one.id), one.next_attempt);
        let host = |(name, rest): (&String, &Rest)| (Resting::Host(name.clone()), *rest);
        let stored = entries.iter().map(entry).chain(hosts.iter().map(host));
        let mut known = self.known();
        let mut before = std::mem::take(&mut known.rests);
        let seen = stored.map(|(who, rest)| {
            let same = before.remove(&who).filter(|(as_seen, _)| *as_seen == rest);
            (who, same.unwrap_or_else(|| (rest, instant + rest.left(now))))
        });
        known.rests = seen.collect();
        let left = |who: Resting| {
            let until = known.rests.get(&who).map(|(_, until)| *until);
            until.map_or(Duration::ZERO, |until| until.saturating_duration_since(instant))
        };
        let wait =
            |one: &Waiting| left(Resting::Entry(one.id)).max(left(Resting::Host(one.host.clone())));
        entries.iter().map(wait).collect()
    }

    /// Forgets how long anything rests: what is stored counts anew.
    pub fn clear(&self) {
        self.known().rests.clear();
    }

    /// True for the first call with this entry.
    pub fn is_first_tls_failure(&self, entry: i64) -> bool {
        self.known().tls_noted.insert(entry)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.delivery.known().sending.entry(self.entry) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Cancel;
    use crate::clock::HeldClock;

    #[test]
    fn an_entry_is_sent_by_one_at_a_time() {
        let delivery = Delivery::default();
        let sending = delivery.begin(1);
        assert!(sending.is_some() && delivery.begin(1).is_none() && delivery.begin(1).is_none());
        drop(sending);
        assert!(delivery.begin(1).is_some());
    }

    #[test]
    fn an_attempt_of_several_parts_is_under_way_until_the_last_is_done() {
        let delivery = Delivery::default();
        let (first, second, third) = (delivery.begin(1), delivery.join(1), delivery.join(1));
        for part in [first, Some(second)] {
            drop(part);
            assert!(delivery.begin(1).is_none());
        }
        drop(third);
        assert!(delivery.begin(1).is_some());
        let alone = delivery.join(1);
        assert!(delivery.begin(1).is_none());
        drop(alone);
        assert!(delivery.begin(1).is_some());
    }

    #[test]
    fn tls_trouble_is_news_once_for_each_entry() {
        let delivery = Delivery::default();
        assert!(delivery.is_first_tls_failure(1) && delivery.is_first_tls_failure(2));
        assert!(!delivery.is_first_tls_failure(1) && !delivery.is_first_tls_failure(2));
    }

    #[test]
    fn a_rest_counts_from_when_it_was_noted_until_all_is_forgotten() {
        let (delivery, clock) = (Delivery::default(), HeldClock::at(1_800_000_000));
        let rest = Rest::of(clock.now(), Duration::from_secs(60));
        let entry = [Waiting { id: 1, host: "a".to_owned(), next_attempt: rest }];
        let wait = || delivery.waits(&entry, &HashMap::new(), &clock)[0];
        delivery.rest(Resting::Entry(1), rest, &clock);
        clock.set(clock.now() + 1000);
        assert!(wait() > Duration::from_secs(59), "the wall clock was set, no time has passed");
        delivery.clear();
        assert_eq!(wait(), Duration::ZERO, "as it is stored");
    }

    #[test]
    fn an_entry_waits_for_itself_and_for_its_host() {
        let seconds = Duration::from_secs;
        let (delivery, clock) = (Delivery::default(), HeldClock::at(1_800_000_000));
        let rest = |length| Rest::of(clock.now(), seconds(length));
        let entry = |id, host: &str, length| Waiting {
            id,
            host: host.to_owned(),
            next_attempt: rest(length),
        };
        let entries = [entry(1, "a", 5), entry(2, "a", 60), entry(3, "b", 5)];
        let hosts = HashMap::from([("a".to_owned(), rest(30))]);
        let waits = || {
            let rounded = |wait: Duration| (wait + Duration::from_millis(500)).as_secs();
            delivery.waits(&entries, &hosts, &clock).into_iter().map(rounded).collect::<Vec<_>>()
        };
        assert_eq!(waits(), [30, 60, 5]);
        for jump in [-1_000_000, 5, 1_000_000] {
            clock.set(1_800_000_000 + jump);
            assert_eq!(waits(), [30, 60, 5], "the wall clock was set by {jump}");
        }
        clock.wait(seconds(10), &Cancel::new());
        assert_eq!(waits(), [20, 50, 0]);
    }
}
