//! What other add-ons are told: a short memory of what happened in this process, in order.
//!
//! Apart from the audit trail, because the service reads it every half second, it needs no disk,
//! and nothing may be told twice after a restart.

use crate::audit::Event;
use serde::Serialize;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

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
    /// The add-on whose private vault it happened in; empty for the shared one, and elsewhere.
    pub addon: String,
}

#[derive(Default)]
pub struct Events(Mutex<State>);

#[derive(Default)]
struct State {
    newest: i64,
    kept: VecDeque<Notification>,
    addon: String,
}

impl Events {
    pub fn publish(&self, event: Event, provider: &str, account: &str, outcome: &str) {
        let mut state = self.state();
        state.newest += 1;
        let notification = Notification {
            seq: state.newest,
            event,
            provider: provider.to_owned(),
            account: account.to_owned(),
            outcome: outcome.to_owned(),
            addon: state.addon.clone(),
        };
        if state.kept.len() == KEPT {
            state.kept.pop_front();
        }
        state.kept.push_back(notification);
    }

    /// What came after `seq`, oldest first.
    pub fn after(&self, seq: i64) -> Vec<Notification> {
        let state = self.state();
        state.kept.iter().filter(|notification| notification.seq > seq).cloned().collect()
    }

    /// The newest number given; what comes later has a higher one.
    pub fn newest(&self) -> i64 {
        self.state().newest
    }

    /// Whose vault it is, from now on.
    pub fn set_addon(&self, addon: &str) {
        addon.clone_into(&mut self.state().addon);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        events.set_addon("plugin.video.x");
        events.publish(Event::Logout, "angel", "1", "revoked");
        let new = events.after(newest);
        assert_eq!((new.len(), new[0].event, new[0].seq), (1, Event::Logout, 301));
        assert_eq!(new[0].addon, "plugin.video.x");
    }
}
