//! What is due, without being asked for: one thread for each data directory and process.
//!
//! For scripts and programs, which nobody serves as Kodi's service serves add-ons. It works for as
//! long as somebody holds a keeper of the directory, at once and then whenever something is due. It
//! delays no caller, and makes no vault. The end of the process waits for a moment, and only while
//! something is on its way: a refresh token whose answer nobody takes is lost.

use crate::cancel::Cancel;
use crate::clock::{Clock, SystemClock};
use crate::fork;
use crate::keeper::{self, Keeper};
use crate::operation::catch_panics;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Whatever is planned, it is looked again after this: another process may have left something.
const LOOK_AGAIN: Duration = Duration::from_secs(300);

/// After a failure that gave no new plan.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// Who opens a keeper and has left nothing gives no cause to look again before this.
const SHORTEST_PAUSE: Duration = Duration::from_secs(5);

/// How long the end of the process waits for what is due to be delivered, and for a renewal that
/// is on its way.
const LAST_DELIVERY: Duration = Duration::from_secs(2);
const LAST_RENEWAL: Duration = Duration::from_secs(5);

/// An announced end has come by then, or it was not that of the process.
const LONGEST_END: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(2);

/// The threads that there are or were, by the data directories that they look after.
static THREADS: Mutex<BTreeMap<PathBuf, Arc<Alarm>>> = Mutex::new(BTreeMap::new());

/// When the end of a process was announced, and of which.
static END: Mutex<Option<(u32, Instant)>> = Mutex::new(None);

/// What wakes a thread.
struct Alarm {
    /// A thread does not outlive a fork, what is known of it does.
    process: u32,
    state: Mutex<State>,
    ring: Condvar,
}

struct State {
    has_thread: bool,
    is_at_work: bool,
    /// Nobody may hold a keeper any more.
    is_released: bool,
    /// When the thread looks next, and when it has last begun to.
    due: Instant,
    looked: Option<Instant>,
    /// Ends the renewals that have not been sent yet.
    renewals: Cancel,
    /// When the end of the process was announced.
    end: Option<Instant>,
}

/// Sees to it that somebody looks after the directory. `has_news`: something is left to do. `find`
/// gives a keeper that somebody holds, for as long as there is one.
pub fn look_after(
    directory: &Path,
    has_news: bool,
    find: impl Fn() -> Option<Arc<Keeper>> + Send + 'static,
) {
    let _gate = fork::keep_out();
    let mut threads = threads();
    let known = threads.get(directory).filter(|alarm| alarm.is_own()).map(Arc::clone);
    let alarm = known.unwrap_or_else(|| {
        let alarm = Arc::new(Alarm::new());
        threads.insert(directory.to_owned(), Arc::clone(&alarm));
        alarm
    });
    let mut state = alarm.state();
    let now = Instant::now();
    let soonest = if has_news { now } else { state.looked.map_or(now, |at| at + SHORTEST_PAUSE) };
    if soonest < state.due {
        state.due = soonest;
        alarm.ring.notify_all();
    }
    if state.has_thread {
        return;
    }
    let body = {
        let alarm = Arc::clone(&alarm);
        move || work(&alarm, &find)
    };
    let name = "sessionkeeper-upkeep".to_owned();
    // Where there is none to be had, the next call tries again.
    state.has_thread = thread::Builder::new().name(name).spawn(body).is_ok();
}

/// Nobody may hold a keeper of the directory any more.
pub fn release(directory: &Path) {
    let _gate = fork::keep_out();
    if let Some(alarm) = threads().get(directory).filter(|alarm| alarm.is_own()) {
        alarm.state().is_released = true;
        alarm.ring.notify_all();
    }
}

/// The process is about to end: waits for what is on its way. True: it is still worth waiting for,
/// and this is to be called again. From the first call on, what is due is delivered once more, and
/// nothing else is begun.
pub fn finish(wait: Duration) -> bool {
    let until = Instant::now() + wait;
    let (announced, alarms) = {
        let _gate = fork::keep_out();
        let alarms: Vec<_> = threads().values().filter(|alarm| alarm.is_own()).cloned().collect();
        (announce_end(), alarms)
    };
    for alarm in &alarms {
        let mut state = alarm.state();
        state.end = Some(announced);
        state.renewals.cancel();
    }
    loop {
        let elapsed = announced.elapsed();
        let is_delivering =
            elapsed < LAST_DELIVERY && alarms.iter().any(|alarm| alarm.is_busy(announced));
        let is_renewing = elapsed < LAST_RENEWAL && keeper::is_renewing();
        if !is_delivering && !is_renewing {
            return false;
        }
        if Instant::now() >= until {
            return true;
        }
        thread::sleep(PAUSE);
    }
}

/// When it was announced first.
fn announce_end() -> Instant {
    let mut end = END.lock().unwrap_or_else(PoisonError::into_inner);
    let own = std::process::id();
    let before = end.filter(|(process, at)| *process == own && at.elapsed() < LONGEST_END);
    let announced = before.map_or_else(Instant::now, |(_, at)| at);
    *end = Some((own, announced));
    announced
}

fn work(alarm: &Alarm, find: &impl Fn() -> Option<Arc<Keeper>>) {
    loop {
        let renewals = alarm.wait();
        let Some(keeper) = find() else {
            let _gate = fork::keep_out();
            let threads = threads();
            let mut state = alarm.state();
            if renewals.is_some() {
                // It was not done.
                (state.is_at_work, state.looked, state.due) = (false, None, Instant::now());
            }
            // Somebody who has opened one since has left it to this thread.
            state.has_thread = find().is_some();
            drop(threads);
            if state.has_thread {
                continue;
            }
            return;
        };
        if let Some(renewals) = renewals {
            let pause = do_what_is_due(&keeper, &renewals);
            alarm.rest(pause);
        }
    }
}

/// Gives how long there is nothing to do.
fn do_what_is_due(keeper: &Keeper, renewals: &Cancel) -> Duration {
    if !keeper.has_vault() {
        return LOOK_AGAIN;
    }
    let work = || keeper.logged(|| keeper.do_what_is_due(&Cancel::new(), renewals));
    match catch_panics(work) {
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
    fn new() -> Self {
        let state = State {
            has_thread: false,
            is_at_work: false,
            is_released: false,
            due: Instant::now(),
            looked: None,
            renewals: Cancel::new(),
            end: None,
        };
        let process = std::process::id();
        Alarm { process, state: Mutex::new(state), ring: Condvar::new() }
    }

    fn is_own(&self) -> bool {
        self.process == std::process::id()
    }

    /// Waits until it is time to look, and gives what ends the renewals; or until there may be
    /// nobody to look for.
    fn wait(&self) -> Option<Cancel> {
        let mut state = self.state();
        loop {
            if std::mem::take(&mut state.is_released) {
                return None;
            }
            let end = state.end.filter(|at| at.elapsed() < LONGEST_END);
            let begins = match end {
                Some(end) if state.due > end => state.due.max(end + LONGEST_END),
                _ => state.due,
            };
            let now = Instant::now();
            if begins <= now {
                let renewals = Cancel::new();
                if end.is_some() {
                    renewals.cancel();
                }
                state.is_at_work = true;
                state.looked = Some(now);
                state.due = now + LOOK_AGAIN;
                state.renewals = renewals.clone();
                return Some(renewals);
            }
            let waited = self.ring.wait_timeout(state, begins - now);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The work is done, and there is none for so long, unless somebody has left some meanwhile.
    fn rest(&self, pause: Duration) {
        let mut state = self.state();
        state.is_at_work = false;
        state.due = state.due.min(Instant::now() + pause);
    }

    /// True while something is delivered, or is about to be since before the end was announced.
    fn is_busy(&self, announced: Instant) -> bool {
        let state = self.state();
        state.has_thread && (state.is_at_work || state.due <= announced)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn threads() -> MutexGuard<'static, BTreeMap<PathBuf, Arc<Alarm>>> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open_options::OpenOptions;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    fn wait_until(is_so: impl Fn() -> bool) {
        let until = Instant::now() + Duration::from_secs(60);
        while !is_so() {
            assert!(Instant::now() < until);
            thread::sleep(PAUSE);
        }
    }

    #[test]
    fn who_opens_again_and_leaves_nothing_wakes_nobody() {
        let directory = tempfile::tempdir().unwrap();
        let options = serde_json::json!({
            "provider": "angel", "data_dir": directory.path(), "proxy": "none",
        });
        let options: OpenOptions = serde_json::from_value(options).unwrap();
        let keeper = Arc::new(Keeper::open(options.config().unwrap()).unwrap());
        let (count, is_held) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(true)));
        let look = |has_news| {
            let (keeper, count, is_held) =
                (Arc::clone(&keeper), Arc::clone(&count), Arc::clone(&is_held));
            look_after(directory.path(), has_news, move || {
                count.fetch_add(1, Ordering::SeqCst);
                is_held.load(Ordering::SeqCst).then(|| Arc::clone(&keeper))
            });
        };
        let begun = Instant::now();
        let looks = || count.load(Ordering::SeqCst);
        look(false);
        wait_until(|| looks() == 1);
        for _ in 0..20 {
            look(false);
            thread::sleep(PAUSE);
        }
        assert!(looks() == 1 || begun.elapsed() >= SHORTEST_PAUSE, "{}", looks());
        look(true);
        wait_until(|| looks() > 1);
        is_held.store(false, Ordering::SeqCst);
        release(directory.path());
        let has_thread = || threads()[directory.path()].state().has_thread;
        wait_until(|| !has_thread());
        is_held.store(true, Ordering::SeqCst);
        let before = looks();
        look(true);
        wait_until(|| looks() > before);
        is_held.store(false, Ordering::SeqCst);
        release(directory.path());
        wait_until(|| !has_thread());
    }
}
