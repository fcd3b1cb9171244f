//! Stopping work from outside: a token that one side sets and the other looks at or waits on; and
//! work that its caller can leave.

use crate::error::{Error, Kind, Result};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SendError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How long a caller may overlook a cancel.
const SLICE: Duration = Duration::from_millis(20);

/// Shared by the caller and the work. Cloning gives another handle on the same token.
#[derive(Clone, Default)]
pub struct Cancel {
    token: Arc<Token>,
    deadline: Option<Instant>,
}

#[derive(Default)]
struct Token {
    state: Mutex<State>,
    /// Kept so that a cancel gets from there to here.
    _parent: Option<Arc<Token>>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    is_set: bool,
    children: Vec<Weak<Token>>,
    progress: Option<Progress>,
}

/// How much of the work is done, where that can be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub done: u32,
    pub total: u32,
}

impl Cancel {
    pub fn new() -> Self {
        Cancel::default()
    }

    /// The same token, for work that is cancelled at the deadline as well.
    #[must_use]
    pub fn until(&self, deadline: Instant) -> Self {
        let deadline = self.deadline.map_or(deadline, |earlier| earlier.min(deadline));
        Cancel { token: Arc::clone(&self.token), deadline: Some(deadline) }
    }

    /// Asks the work to stop; every `wait` returns at once.
    pub fn cancel(&self) {
        let mut state = self.state();
        state.is_set = true;
        let children = std::mem::take(&mut state.children);
        drop(state);
        self.token.changed.notify_all();
        for token in children.iter().filter_map(Weak::upgrade) {
            Cancel { token, deadline: None }.cancel();
        }
    }

    pub fn is_cancelled(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero()) || self.state().is_set
    }

    fn left(&self) -> Option<Duration> {
        self.deadline.map(|at| at.saturating_duration_since(Instant::now()))
    }

    /// A token for a part of the work: it is set with this one, and may be set alone.
    #[must_use]
    pub fn child(&self) -> Self {
        let token = Arc::new(Token { _parent: Some(Arc::clone(&self.token)), ..Token::default() });
        let child = Cancel { token, deadline: self.deadline };
        let mut state = self.state();
        child.state().is_set = state.is_set;
        state.children.retain(|child| child.strong_count() > 0);
        state.children.push(Arc::downgrade(&child.token));
        child
    }

    /// The work tells how far it is.
    pub fn set_progress(&self, progress: Progress) {
        self.state().progress = Some(progress);
    }

    /// How far the work is, as far as it has told.
    pub fn progress(&self) -> Option<Progress> {
        self.state().progress
    }

    /// Fails with `Kind::Cancelled` once the token is set.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(cancelled()) } else { Ok(()) }
    }

    /// Sleeps for `duration` of monotonic time; false when it was interrupted by a cancel.
    pub fn wait(&self, duration: Duration) -> bool {
        let longest = self.left().map_or(duration, |left| left.min(duration));
        let (state, _) = self
            .token
            .changed
            .wait_timeout_while(self.state(), longest, |state| !state.is_set)
            .unwrap_or_else(PoisonError::into_inner);
        !state.is_set && longest == duration
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.token.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a caller went on without a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    Cancelled,
    /// The deadline has passed.
    Late,
    /// The work panicked, or no thread could be started for it.
    Broken,
}

/// Runs `work` on a thread of its own and waits for it, until the deadline or a cancel. The work
/// goes on; nobody takes its result then.
pub fn run_beside<T: Send + 'static>(
    name: &str,
    cancel: &Cancel,
    deadline: Option<Instant>,
    work: impl FnOnce() -> T + Send + 'static,
) -> std::result::Result<T, Left> {
    run_beside_or(name, cancel, deadline, work, drop)
}

/// The same, where the thread gives a result that nobody waits for any more to `late`.
pub fn run_beside_or<T: Send + 'static>(
    name: &str,
    cancel: &Cancel,
    deadline: Option<Instant>,
    work: impl FnOnce() -> T + Send + 'static,
    late: impl FnOnce(T) + Send + 'static,
) -> std::result::Result<T, Left> {
    // Without a place in between: what is sent has been taken, or comes back.
    let (sender, receiver) = mpsc::sync_channel(0);
    let body = move || {
        if let Err(SendError(result)) = sender.send(work()) {
            late(result);
        }
    };
    let thread = std::thread::Builder::new().name(name.to_owned()).spawn(body);
    thread.map_err(|_| Left::Broken)?;
    await_result(&receiver, cancel, deadline)
}

/// Waits for what another thread sends, until the deadline or a cancel.
pub fn await_result<T>(
    receiver: &Receiver<T>,
    cancel: &Cancel,
    deadline: Option<Instant>,
) -> std::result::Result<T, Left> {
    loop {
        let left = deadline.map_or(SLICE, |at| at.saturating_duration_since(Instant::now()));
        match receiver.recv_timeout(left.min(SLICE)) {
            Ok(result) => return Ok(result),
            Err(RecvTimeoutError::Disconnected) => return Err(Left::Broken),
            Err(RecvTimeoutError::Timeout) if cancel.is_cancelled() => return Err(Left::Cancelled),
            Err(RecvTimeoutError::Timeout) if left.is_zero() => return Err(Left::Late),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

pub fn cancelled() -> Error {
    Error::new(Kind::Cancelled, "the operation was cancelled")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_when_it_is_cancelled() {
        let cancel = Cancel::new();
        assert!(cancel.wait(Duration::from_millis(1)));
        let other = cancel.clone();
        let thread = std::thread::spawn(move || other.wait(Duration::from_secs(60)));
        let start = Instant::now();
        cancel.cancel();
        assert!(!thread.join().unwrap());
        assert!(start.elapsed() < Duration::from_secs(10));
        assert_eq!(cancel.check().unwrap_err().kind(), Kind::Cancelled);
    }

    #[test]
    fn a_part_is_cancelled_with_the_whole_or_alone() {
        let whole = Cancel::new();
        let (first, second) = (whole.child(), whole.child().child());
        first.cancel();
        assert!(first.is_cancelled() && !whole.is_cancelled() && !second.is_cancelled());
        whole.cancel();
        assert!(second.is_cancelled() && whole.child().is_cancelled());
    }

    #[test]
    fn a_deadline_cancels_and_the_token_stays_as_it_is() {
        let cancel = Cancel::new();
        let bounded = cancel.until(Instant::now() + Duration::from_millis(50));
        assert!(!bounded.is_cancelled());
        let start = Instant::now();
        assert!(!bounded.until(start + Duration::from_secs(60)).wait(Duration::from_secs(60)));
        assert!(start.elapsed() < Duration::from_secs(10));
        assert!(bounded.is_cancelled() && bounded.child().is_cancelled() && !cancel.is_cancelled());
        bounded.cancel();
        assert!(cancel.is_cancelled());
    }

    #[test]
    fn a_caller_leaves_work_that_goes_on() {
        let cancel = Cancel::new();
        assert_eq!(run_beside("test", &cancel, None, || 7), Ok(7));
        let panics = || -> i32 { panic!("deliberate, from a test") };
        assert_eq!(run_beside("test", &cancel, None, panics), Err(Left::Broken));
        let (done, is_done) = mpsc::channel();
        let slow = move || {
            std::thread::sleep(Duration::from_millis(100));
            done.send(()).unwrap();
        };
        let soon = Some(Instant::now() + Duration::from_millis(1));
        assert_eq!(run_beside("test", &cancel, soon, slow), Err(Left::Late));
        assert!(is_done.recv().is_ok());
        cancel.cancel();
        let slow = || std::thread::sleep(Duration::from_millis(200));
        assert_eq!(run_beside("test", &cancel, None, slow), Err(Left::Cancelled));
    }
}
