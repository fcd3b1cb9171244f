//! Logging in with a browser: begun here, finished by the address at which it ends.

use super::handle::Keeper;
use super::login::Admission;
use super::report::{BegunInBrowser, Status};
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::login::{self, Redirect};
use crate::secret::Secret;

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
        let context = self.context(&client, cancel);
        let login = login::begin_in_browser(&context, redirect, self.begin_with()?)?;
        log::info!("began a login in a browser at {}", self.provider.name);
        let (url, redirect_uri) =
            (login.authorization.url.to_string(), login.authorization.redirect_uri.to_string());
        let expires_at = login.expires_at;
        let handle = logins.put(&self.provider.key, login);
        Ok(BegunInBrowser { handle, url, redirect_uri, expires_at })
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
