//! Logins and renewals under way, so that a logout can cancel them.

use crate::cancel::Cancel;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
pub struct Running(Mutex<Works>);

#[derive(Default)]
struct Works {
    last: u64,
    all: Vec<(u64, String, Cancel)>,
}

/// While it lives, a logout may cancel the work.
pub struct RunningWork<'a> {
    running: &'a Running,
    number: u64,
}

impl Running {
    /// Registers work for `provider`.
    pub fn register(&self, provider: &str, cancel: &Cancel) -> RunningWork<'_> {
        let mut works = self.works();
        works.last += 1;
        let number = works.last;
        works.all.push((number, provider.to_owned(), cancel.clone()));
        RunningWork { running: self, number }
    }

    pub fn cancel(&self, provider: &str) {
        let works = self.works();
        let its = works.all.iter().filter(|(_, of, _)| of == provider);
        its.for_each(|(_, _, cancel)| cancel.cancel());
    }

    pub fn cancel_all(&self) {
        self.works().all.iter().for_each(|(_, _, cancel)| cancel.cancel());
    }

    fn works(&self) -> MutexGuard<'_, Works> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RunningWork<'_> {
    fn drop(&mut self) {
        self.running.works().all.retain(|(number, _, _)| *number != self.number);
    }
}
