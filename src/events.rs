//! What other add-ons are told: a short memory of what happened in this process, in order.
//!
//! Apart from the audit trail, because the service reads it every half second, it needs no disk,
//! and nothing may be told twice after a restart.

use crate::audit::Event;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Older events are forgotten: listeners ask within seconds.
const KEPT: usize = 256;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Notification {
    /// Counts up by one within the process.
    pub seq: i64,
    pub event: Event,
    pub provider: String,
    pub account: String,
    pub outcome: String,
}

#[derive(Default)]
pub struct Events(Mutex<(i64, VecDeque<Notification>)>);

impl Events {
    pub fn publish(&self, event: Event, provider: &str, account: &str, outcome: &str) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        let notification = Notification {
            seq: state.0,
            event,
            provider: provider.to_owned(),
            account: account.to_owned(),
            outcome: outcome.to_owned(),
        };
        if state.1.len() == KEPT {
            state.1.pop_front();
        }
        state.1.push_back(notification);
    }

    /// What came after `seq`, oldest first.
    pub fn after(&self, seq: i64) -> Vec<Notification> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.iter().filter(|notification| notification.seq > seq).cloned().collect()
    }

    /// The newest number given; what comes later has a higher one.
    pub fn newest(&self) -> i64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_gets_each_event_once() {
        let events = Events::default();
        let start = events.newest();
        (0..300).for_each(|_| events.publish(Event::Login, "angel", "1", "ok"));
        assert_eq!(events.after(start).len(), KEPT);
        let newest = events.newest();
        assert_eq!(newest, 300);
        events.publish(Event::Logout, "angel", "1", "revoked");
        let new = events.after(newest);
        assert_eq!((new.len(), new[0].event, new[0].seq), (1, Event::Logout, 301));
    }
}
