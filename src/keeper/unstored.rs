//! What the disk has not taken yet, logouts and renewed sessions: tried again in the background,
//! for as long as this process lives.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// The pause before the first new try, and the longest; it doubles in between. Whoever uses the
/// vault meanwhile ends the pause.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(30);

/// One piece of work; true when there is nothing left to do.
type Work = Box<dyn FnMut() -> bool + Send>;

#[derive(Clone, Default)]
pub struct Unstored(Arc<(Mutex<Waiting>, Condvar)>);

#[derive(Default)]
struct Waiting {
    works: Vec<Work>,
    is_tried: bool,
    is_hurried: bool,
}

impl Unstored {
    /// Tries `work` until it is done, on a thread that ends by itself.
    pub fn add(&self, work: impl FnMut() -> bool + Send + 'static) {
        let mut waiting = self.waiting();
        waiting.works.push(Box::new(work));
        if waiting.is_tried {
            return;
        }
        let this = self.clone();
        let body = move || this.try_all();
        let thread = thread::Builder::new().name("sessionkeeper-store".into()).spawn(body);
        // Without a thread, the next that is added brings one.
        waiting.is_tried = thread.is_ok();
    }

    /// Somebody is at the vault: perhaps it works now.
    pub fn hurry(&self) {
        let mut waiting = self.waiting();
        if waiting.is_tried {
            waiting.is_hurried = true;
            self.0.1.notify_all();
        }
    }

    fn try_all(&self) {
        let mut pause = FIRST;
        loop {
            // However many hurry, the disk is left alone in between.
            thread::sleep(FIRST);
            let mut works = self.wait(pause.saturating_sub(FIRST));
            let before = works.len();
            works.retain_mut(|work| !work());
            pause = if works.len() < before { FIRST } else { (pause * 2).min(LONGEST) };
            let mut waiting = self.waiting();
            waiting.works.append(&mut works);
            // The works have been at the vault themselves.
            waiting.is_hurried = false;
            if waiting.works.is_empty() {
                waiting.is_tried = false;
                return;
            }
        }
    }

    /// Waits for so long, or until somebody hurries, and takes the works.
    fn wait(&self, pause: Duration) -> Vec<Work> {
        let (mutex, hurried) = &*self.0;
        let waiting = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut waiting, _) = hurried
            .wait_timeout_while(waiting, pause, |waiting| !waiting.is_hurried)
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut waiting.works)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn each_work_is_tried_until_it_is_done() {
        let unstored = Unstored::default();
        let (sender, receiver) = mpsc::channel();
        for round in 1..=2 {
            let sender = sender.clone();
            let mut tries = 0;
            unstored.add(move || {
                tries += 1;
                tries > round && sender.send(round).is_ok()
            });
        }
        assert_eq!(receiver.iter().take(2).collect::<Vec<_>>(), [1, 2]);
        while unstored.waiting().is_tried {
            thread::sleep(Duration::from_millis(1));
        }
        unstored.add(move || sender.send(3).is_ok());
        assert_eq!(receiver.recv(), Ok(3), "the thread that had ended is replaced");
    }
}
