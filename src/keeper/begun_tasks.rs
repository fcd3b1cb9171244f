//! The post-logout tasks that this process works on or has worked on, so that it begins none twice.

use crate::vault::QueuedTask;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Nobody works on one task for this long: the next one who asks gets it.
const LONGEST: Duration = Duration::from_secs(600);

#[derive(Default)]
pub struct BegunTasks(Mutex<HashMap<TaskKey, Begun>>);

/// Tells a task from one with the same number in a vault that was made anew.
type TaskKey = (String, i64);

struct Begun {
    at: Instant,
    /// True when it is known how it went.
    is_settled: bool,
}

impl BegunTasks {
    /// True when the task is the caller's now; false while somebody else works on it, or when it is
    /// known how it went.
    pub fn begin(&self, task: &QueuedTask, now: Instant) -> bool {
        let mut tasks = self.tasks();
        let is_taken = tasks.get(&key_of(task)).is_some_and(|begun| begun.is_taken(now));
        if !is_taken {
            tasks.insert(key_of(task), Begun { at: now, is_settled: false });
        }
        !is_taken
    }

    /// True when nobody works on the task, and it is not known how it went.
    pub fn is_free(&self, task: &QueuedTask, now: Instant) -> bool {
        !self.tasks().get(&key_of(task)).is_some_and(|begun| begun.is_taken(now))
    }

    pub fn settle(&self, task: &QueuedTask, now: Instant) {
        self.tasks().insert(key_of(task), Begun { at: now, is_settled: true });
    }

    pub fn is_settled(&self, task: &QueuedTask) -> bool {
        self.tasks().get(&key_of(task)).is_some_and(|begun| begun.is_settled)
    }

    fn tasks(&self) -> MutexGuard<'_, HashMap<TaskKey, Begun>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Begun {
    fn is_taken(&self, now: Instant) -> bool {
        self.is_settled || now.duration_since(self.at) <= LONGEST
    }
}

fn key_of(task: &QueuedTask) -> TaskKey {
    (task.task.session_id.clone(), task.id)
}
