//! The logins that are on their way in a browser.
//!
//! They are kept in this process alone, and end with it, when they are finished, or when their time
//! is over; whoever listens for a browser listens no longer than that.

use crate::clock::Clock;
use crate::login::BrowserLogin;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most that are kept; nobody finishes older ones.
const KEPT: usize = 8;

#[derive(Default)]
pub struct BrowserLogins(Mutex<Begun>);

#[derive(Default)]
struct Begun {
    last: u64,
    logins: Vec<(u64, String, BrowserLogin)>,
}

impl BrowserLogins {
    /// Keeps a login until somebody finishes it, and gives its number.
    pub fn put(&self, provider: &str, login: BrowserLogin) -> u64 {
        let mut begun = self.begun();
        begun.last += 1;
        let number = begun.last;
        if begun.logins.len() == KEPT {
            begun.logins.remove(0);
        }
        begun.logins.push((number, provider.to_owned(), login));
        number
    }

    /// Another address may still come for it.
    pub fn put_back(&self, number: u64, provider: &str, login: BrowserLogin) {
        self.begun().logins.push((number, provider.to_owned(), login));
    }

    pub fn take(&self, provider: &str, number: u64) -> Option<BrowserLogin> {
        let logins = &mut self.begun().logins;
        let index = logins.iter().position(|(of, whose, _)| *of == number && whose == provider)?;
        Some(logins.remove(index).2)
    }

    /// Ends those whose time is over.
    pub fn end_old(&self, clock: &dyn Clock) {
        self.begun().logins.retain(|(_, _, login)| !login.is_over(clock));
    }

    fn begun(&self) -> MutexGuard<'_, Begun> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
