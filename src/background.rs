//! What is due, without being asked for: one thread for each data directory and process.
//!
//! For scripts and programs, which nobody serves as Kodi's service serves add-ons. It works for as
//! long as somebody holds a keeper of the directory, at once and then whenever something is due. It
//! delays no caller, keeps no process alive, and makes no vault.

use crate::cancel::Cancel;
use crate::clock::{Clock, SystemClock};
use crate::fork;
use crate::keeper::Keeper;
use crate::operation::catch_panics;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Whatever is planned, it is looked again after this: another process may have left something.
const LOOK_AGAIN: Duration = Duration::from_secs(300);

/// After a failure that gave no new plan.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// The threads, by the data directories that they look after.
static THREADS: Mutex<BTreeMap<PathBuf, Arc<Alarm>>> = Mutex::new(BTreeMap::new());

/// What wakes a thread.
struct Alarm {
    /// A thread does not outlive a fork, what is known of it does.
    process: u32,
    has_rung: Mutex<bool>,
    ring: Condvar,
}

/// Sees to it that somebody looks after the directory. `has_news`: there may be something to do at
/// once. `find` gives a keeper that somebody holds, for as long as there is one.
pub fn look_after(
    directory: &Path,
    has_news: bool,
    find: impl Fn() -> Option<Arc<Keeper>> + Send + 'static,
) {
    let process = std::process::id();
    let _gate = fork::keep_out();
    let mut threads = threads();
    if let Some(alarm) = threads.get(directory).filter(|alarm| alarm.process == process) {
        if has_news {
            alarm.sound();
        }
        return;
    }
    let alarm = Arc::new(Alarm { process, has_rung: Mutex::new(false), ring: Condvar::new() });
    threads.insert(directory.to_owned(), Arc::clone(&alarm));
    let body = {
        let directory = directory.to_owned();
        move || work(&directory, &alarm, &find)
    };
    let name = "sessionkeeper-upkeep".to_owned();
    if thread::Builder::new().name(name).spawn(body).is_err() {
        // The next call tries again.
        threads.remove(directory);
    }
}

/// Wakes whoever looks after the directory: nobody may hold a keeper of it any more.
pub fn wake(directory: &Path) {
    let process = std::process::id();
    if let Some(alarm) = threads().get(directory).filter(|alarm| alarm.process == process) {
        alarm.sound();
    }
}

fn work(directory: &Path, alarm: &Alarm, find: &impl Fn() -> Option<Arc<Keeper>>) {
    loop {
        let Some(keeper) = find() else {
            let _gate = fork::keep_out();
            let mut threads = threads();
            // Somebody who has opened one since has left it to this thread.
            if find().is_none() {
                threads.remove(directory);
                return;
            }
            continue;
        };
        let pause = do_what_is_due(&keeper);
        drop(keeper);
        alarm.wait(pause);
    }
}

/// Gives how long there is nothing to do.
fn do_what_is_due(keeper: &Keeper) -> Duration {
    if !keeper.has_vault() {
        return LOOK_AGAIN;
    }
    let done = catch_panics(|| keeper.logged(|| keeper.do_what_is_due(&Cancel::new())));
    match done {
        Ok(report) => report.next_at.map_or(LOOK_AGAIN, |at| {
            let left = at.saturating_sub(SystemClock::default().now());
            Duration::from_secs(u64::try_from(left).unwrap_or(0)).min(LOOK_AGAIN)
        }),
        Err(error) => {
            keeper.logged(|| log::info!("what is due could not be done: {error}"));
            AFTER_FAILURE
        }
    }
}

impl Alarm {
    fn sound(&self) {
        *self.has_rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.ring.notify_all();
    }

    fn wait(&self, pause: Duration) {
        let has_rung = self.has_rung.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut has_rung, _) = self
            .ring
            .wait_timeout_while(has_rung, pause, |has_rung| !*has_rung)
            .unwrap_or_else(PoisonError::into_inner);
        *has_rung = false;
    }
}

fn threads() -> MutexGuard<'static, BTreeMap<PathBuf, Arc<Alarm>>> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}
