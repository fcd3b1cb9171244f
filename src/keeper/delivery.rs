//! What this process knows of the deliveries under way: which entries are being sent, which
//! providers cannot be reached just now. How long either lasts is for `backoff`.

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
    /// Providers that could not be reached, and until when they are left alone.
    unreachable: HashMap<String, Instant>,
    /// Entries whose TLS trouble is in the audit trail.
    tls_noted: HashSet<i64>,
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

    /// The providers to be left alone, and for how long yet.
    pub fn held_back(&self) -> HashMap<String, Duration> {
        let now = Instant::now();
        let mut known = self.known();
        known.unreachable.retain(|_, until| *until > now);
        known.unreachable.iter().map(|(provider, until)| (provider.clone(), *until - now)).collect()
    }

    pub fn hold_back(&self, provider: &str, pause: Duration) {
        self.known().unreachable.insert(provider.to_owned(), Instant::now() + pause);
    }

    /// The provider was reached.
    pub fn release(&self, provider: &str) {
        self.known().unreachable.remove(provider);
    }

    pub fn release_all(&self) {
        self.known().unreachable.clear();
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

    #[test]
    fn an_entry_is_sent_by_one_at_a_time() {
        let delivery = Delivery::default();
        let sending = delivery.begin(1);
        assert!(sending.is_some() && delivery.begin(1).is_none() && delivery.begin(1).is_none());
        drop(sending);
        assert!(delivery.begin(1).is_some());
    }
}
