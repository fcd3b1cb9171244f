//! Logging in with a browser: begun here, finished by the address at which it ends.
//!
//! What is begun is kept in this process alone, and ends with it, when it is finished, or when its
//! time is over; whoever listens for a browser listens no longer than that.

use super::handle::Keeper;
use super::login::Admission;
use super::report::Status;
use crate::cancel::Cancel;
use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use crate::login::{self, BrowserLogin, Redirect};
use crate::secret::Secret;
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
    fn put(&self, provider: &str, login: BrowserLogin) -> u64 {
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
    fn put_back(&self, number: u64, provider: &str, login: BrowserLogin) {
        self.begun().logins.push((number, provider.to_owned(), login));
    }

    fn take(&self, provider: &str, number: u64) -> Option<BrowserLogin> {
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

/// A login that waits for its browser.
pub struct BegunInBrowser {
    /// For [`Keeper::finish_browser_login`].
    pub number: u64,
    /// What the browser opens. Holds this login's `state`.
    pub url: String,
    pub redirect_uri: String,
    pub expires_at: i64,
}

impl Keeper {
    /// Makes the address that a browser opens to log in.
    pub fn start_browser_login(
        &self,
        redirect: Redirect,
        cancel: &Cancel,
    ) -> Result<BegunInBrowser> {
        self.vault()?.change_mark()?;
        let logins = &self.shared.browser_logins;
        logins.end_old(&*self.shared.clock);
        let client = self.client()?;
        let login = login::begin_in_browser(&self.context(&client, cancel), redirect)?;
        log::info!("began a login in a browser at {}", self.provider.name);
        let (url, redirect_uri) =
            (login.authorization.url.to_string(), login.authorization.redirect_uri.to_string());
        let expires_at = login.expires_at;
        let number = logins.put(&self.provider.key, login);
        Ok(BegunInBrowser { number, url, redirect_uri, expires_at })
    }

    /// Logs in by the address at which the browser has ended, or waits for the browser. An address
    /// that is no answer to this login is refused, and another one may follow.
    pub fn finish_browser_login(
        &self,
        number: u64,
        redirected_to: Option<&Secret>,
        cancel: &Cancel,
    ) -> Result<Status> {
        let (logins, key) = (&self.shared.browser_logins, &self.provider.key);
        let login = logins.take(key, number).ok_or_else(|| {
            Error::new(Kind::InvalidInput, "nobody waits for this login (any more)")
                .with_hint("Begin another login.")
        })?;
        if login.is_over(&*self.shared.clock) {
            return Err(login::browser_expired());
        }
        let Some(address) = redirected_to else {
            if !login.listens() {
                logins.put_back(number, key, login);
                let message = "this login is finished by an address, and none is given";
                return Err(Error::new(Kind::InvalidInput, message)
                    .with_hint("Give the address at which the browser ended."));
            }
            return self.run_login("", false, cancel, move |context, credentials, progress| {
                login::await_browser(context, login, credentials, progress)?;
                Ok(Admission::default())
            });
        };
        let code = match login.read(address.expose()) {
            Err(refused) if !refused.is_final => {
                logins.put_back(number, key, login);
                return Err(refused.error);
            }
            read => read.map_err(|refused| refused.error),
        };
        self.run_login("", false, cancel, move |context, credentials, progress| {
            login::finish_in_browser(context, &login, &code?, credentials, progress)?;
            Ok(Admission::default())
        })
    }
}
