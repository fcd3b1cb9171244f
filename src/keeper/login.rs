//! Logging in, and being back after a restart.
//!
//! Logins and renewals share one lock, in this process and across processes. Each runs to its end
//! on a thread of its own: a caller that is cancelled leaves at once, and what the server gave by
//! then is stored, or revoked.

use super::begun_login::{BegunLogin, logout_came_first};
use super::handle::Keeper;
use super::report::Status;
use super::session_cache::Seen;
use crate::audit::Event;
use crate::backoff::FIRST_TRY_LEASE;
use crate::cancel::{Cancel, Left, cancelled, run_beside};
use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::http::Client;
use crate::login::{self, Device, Progress};
use crate::provider::{DEVICE_ID, service_of};
use crate::secret::Secret;
use crate::session::{Account, Credentials, Session};
use crate::vault::{BusyTimeout, OutboxEntry};
use std::time::{Duration, Instant};

/// What a server gave is worth a longer wait for others than two seconds.
const STORE_TIMEOUT: Duration = Duration::from_secs(10);

/// How a session came to be one of ours.
#[derive(Default)]
pub(super) struct Admission {
    /// The server has renewed it.
    pub was_renewed: bool,
    /// Nothing could tell whether it is good.
    pub is_unchecked: bool,
    /// Whoever else is the active one stays so.
    pub yields: bool,
    /// What it was made of, where it came from elsewhere: see [`Session::adopted_from`].
    pub adopted_from: Option<String>,
}

/// A new session, and what it has replaced.
pub(super) type Stored = (Session, Vec<OutboxEntry>);

/// How long a login waits for the end of the session that it replaced.
const WAIT_FOR_REPLACED: Duration = Duration::from_secs(3);

impl Keeper {
    /// Logs in. A session of the same account is replaced: the new one is stored first, then the
    /// old one goes to the outbox. Other accounts stay, but are no longer the active one.
    pub fn log_in(&self, username: &str, password: &Secret, cancel: &Cancel) -> Result<Status> {
        check_credentials(username, password)?;
        self.vault()?.change_mark()?;
        let (name, secret) = (username.to_owned(), password.clone());
        self.run_login(username, true, cancel, move |context, credentials, progress| {
            log::info!("logging in at {}", context.provider.name);
            login::log_in(context, &name, &secret, credentials, progress)?;
            Ok(Admission::default())
        })
    }

    /// Asks for a code that the user enters on another device. The number is for
    /// [`Keeper::finish_device_login`]; the code is only kept in this process.
    pub fn start_device_login(&self, cancel: &Cancel) -> Result<(u64, Device)> {
        self.vault()?.change_mark()?;
        let client = self.client()?;
        let device = login::ask_for_code(&self.context(&client, cancel), self.begin_with()?)?;
        log::info!("asked for a code to log in at {}", self.provider.name);
        Ok((self.shared.device_codes.put(&self.provider.key, &device), device))
    }

    /// Waits until the code has been entered, and logs in. Others may log in meanwhile.
    pub fn finish_device_login(&self, number: u64, cancel: &Cancel) -> Result<Status> {
        let device =
            self.shared.device_codes.take(&self.provider.key, number).ok_or_else(|| {
                Error::new(Kind::InvalidInput, "nobody waits for this code (any more)")
                    .with_hint("Ask for a new code.")
            })?;
        self.run_login("", false, cancel, move |context, credentials, progress| {
            login::await_approval(context, &device, credentials, progress)?;
            Ok(Admission::default())
        })
    }

    /// What a login begins with: the device's own id, where the service asks for one.
    pub(super) fn begin_with(&self) -> Result<Credentials> {
        let mut credentials = Credentials::new();
        if self.provider.names_device() {
            let service = service_of(&self.provider.key);
            let id = self.vault()?.read(|tx| Ok(tx.device_id(service)))?;
            credentials.set(DEVICE_ID, Secret::new(id));
        }
        Ok(credentials)
    }

    pub(super) fn context<'a>(&'a self, client: &'a Client, cancel: &'a Cancel) -> Context<'a> {
        Context { client, provider: &self.provider, clock: &*self.shared.clock, cancel }
    }

    /// Runs a login to its end. Stores what it came to, or revokes what it left behind. The
    /// sessions that it replaced are ended before this returns, unless that takes too long.
    fn run_login(
        &self,
        username: &str,
        is_exclusive: bool,
        cancel: &Cancel,
        way: impl FnOnce(&Context, &mut Credentials, &mut dyn Progress) -> Result<Admission>
        + Send
        + 'static,
    ) -> Result<Status> {
        let username = username.to_owned();
        let stored = self.to_its_end(cancel, move |keeper, cancel| {
            let lock = || keeper.shared.login_lock.lock(keeper.lock_timeout, cancel);
            let guard = is_exclusive.then(lock).transpose()?;
            let begun = BegunLogin::new(keeper, &username)?;
            keeper.admit(begun, guard, keeper.begin_with()?, cancel, way)
        })?;
        Ok(self.welcome(stored, cancel))
    }

    /// Stores what `way` makes of `credentials`, or sees to what it left behind. The guard is let
    /// go before that.
    pub(super) fn admit<G>(
        &self,
        mut begun: BegunLogin,
        guard: G,
        mut credentials: Credentials,
        cancel: &Cancel,
        way: impl FnOnce(&Context, &mut Credentials, &mut dyn Progress) -> Result<Admission>,
    ) -> Result<Stored> {
        let client = self.client()?;
        let context = self.context(&client, cancel);
        let stored = way(&context, &mut credentials, &mut begun)
            .and_then(|admission| {
                // Before the server is asked anything more, and before the vault's own work.
                begun.received(&credentials);
                self.session_from(&context, &begun, &mut credentials, &admission)
                    .map(|session| (session, admission))
            })
            .and_then(|(session, admission)| {
                let replaced = self.store_login(&begun, &session, &admission, cancel)?;
                Ok((session, replaced))
            });
        drop(guard);
        stored.inspect_err(|error| begun.fail(error, &credentials))
    }

    /// Ends what the new session has replaced. Gives the status, which has changed for certain.
    pub(super) fn welcome(&self, (session, replaced): Stored, cancel: &Cancel) -> Status {
        let pending = replaced.len() as u64;
        self.end_replaced(replaced, cancel);
        // It is stored, whether the disk can be read just now or not.
        let stored = Seen { session: Some(session), pending, ..Seen::default() };
        self.status().unwrap_or_else(|_| self.status_of(&stored))
    }

    /// Tells the server to end the sessions that a login has replaced. The login is done: whatever
    /// becomes of this changes nothing of it, and what takes longer goes on by itself.
    fn end_replaced(&self, mut replaced: Vec<OutboxEntry>, cancel: &Cancel) {
        if replaced.is_empty() {
            return;
        }
        let keeper = self.clone();
        let end = move || {
            keeper.logged(|| {
                for entry in &mut replaced {
                    let _sending = keeper.shared.delivery.begin(entry.id);
                    keeper.deliver_first(entry, None, &Cancel::new());
                }
            });
        };
        let until = Instant::now() + WAIT_FOR_REPLACED;
        if run_beside("sessionkeeper-logout", cancel, Some(until), end).is_err() {
            log::info!("the session before this one is still being ended");
        }
    }

    /// The session as the credentials and the server tell it: token, account.
    fn session_from(
        &self,
        context: &Context,
        begun: &BegunLogin,
        credentials: &mut Credentials,
        admission: &Admission,
    ) -> Result<Session> {
        let rule = &self.provider.session;
        if credentials.token(rule).is_none() {
            let what = rule.token_cookies.first().map_or_else(
                || "an access token".to_owned(),
                |cookie| format!("the cookie '{}'", &**cookie),
            );
            let message = format!("the login ended without {what}");
            return Err(Error::new(Kind::UnexpectedAnswer, message)
                .with_hint("The service may have changed; its provider file has to be updated."));
        }
        let id = &begun.session_id;
        let account = login::identify(context, credentials, begun.username, id)?;
        Ok(self.new_session(id.clone(), account, credentials.clone(), admission))
    }

    /// One that begins now.
    pub(super) fn new_session(
        &self,
        id: String,
        account: Account,
        credentials: Credentials,
        admission: &Admission,
    ) -> Session {
        let (clock, rule) = (&self.shared.clock, &self.provider.session);
        let now = clock.now();
        Session {
            id,
            provider: self.provider.key.clone(),
            account,
            generation: 0,
            signed_in_at: now,
            renewed_at: now,
            was_renewed: admission.was_renewed,
            adopted_from: admission.adopted_from.clone(),
            expires_at: credentials.token_ends_at(rule, clock.known_now()),
            credentials,
            definition: self.provider.source.clone(),
        }
    }

    /// Stores the session, unless a logout came first. The add-on that logs in may use the account.
    /// Gives what is to be ended in its place.
    fn store_login(
        &self,
        begun: &BegunLogin,
        session: &Session,
        admission: &Admission,
        cancel: &Cancel,
    ) -> Result<Vec<OutboxEntry>> {
        let outcome = if admission.is_unchecked { "unchecked" } else { "ok" };
        let event = self.event(begun.event(), &session.account.id, outcome);
        let commit_lock = self.shared.commit_lock(&self.timeout)?;
        cancel.check()?;
        let stored = self.vault()?.transact(|tx| {
            let fingerprint = session.adopted_from.as_deref();
            let has_ended = fingerprint.map(|fingerprint| tx.handovers().has_ended(fingerprint));
            if has_ended.transpose()? == Some(true)
                || !begun.is_of(&tx.eras().present(&session.provider)?)
            {
                return Ok(None);
            }
            let mut replaced = tx.sessions().of_service(service_of(&session.provider))?;
            replaced.retain(|old| old.session.account.id == session.account.id);
            let mut entries = Vec::new();
            for old in replaced.iter().map(|old| &old.session) {
                tx.sessions().delete(old)?;
                if let Some(fingerprint) = &old.adopted_from {
                    tx.handovers().end(fingerprint)?;
                }
                let newest = self.shared.sessions.newest(old.clone());
                if begun.is_made_of(&session.credentials, &newest.credentials) {
                    continue;
                }
                if let Ok(mut revocation) = self.revocation(&newest) {
                    revocation.first_attempt_at += FIRST_TRY_LEASE;
                    entries.push(tx.outbox().enqueue(&revocation)?);
                }
            }
            let stored = tx.sessions().insert(session.clone())?;
            let active = tx.sessions().active(&stored.provider)?;
            let active = active.and_then(|active| self.shared.sessions.living(active));
            let stays = admission.yields && active.is_some_and(|active| self.is_usable(&active));
            if !stays {
                tx.sessions().activate(&stored.provider, &stored.account.id)?;
            }
            tx.audit().append(&event)?;
            if let Some(caller) = &self.caller {
                self.answer(tx, caller, &stored.account.id, Some(true))?;
            }
            Ok(Some((replaced, entries, !stays)))
        })?;
        let (replaced, entries, is_active) = stored.ok_or_else(logout_came_first)?;
        for account in [None, Some(session.account.id.as_str())] {
            self.shared.sessions.reopen(&session.provider, account);
        }
        drop(commit_lock);
        begun.end();
        for old in &replaced {
            self.shared.end_session(&old.session);
        }
        log::info!("logged in");
        self.shared.sessions.is_first_restore(&session.id);
        if is_active {
            // For others it is a login, wherever the session came from.
            self.shared.publish(&self.event(Event::Login, &session.account.id, "ok"));
        }
        Ok(entries)
    }

    /// Brings the session back: from the disk first, then renewed where that is due. Without a
    /// network the session stays as it is, unless its token has ended.
    pub fn restore(&self, is_offline: bool, cancel: &Cancel) -> Result<Status> {
        let Some(session) = self.seen()?.session else {
            return self.status();
        };
        self.announce_restored(&session);
        if is_offline || !self.needs_renewal(&session) {
            return self.status();
        }
        match self.renew_from(&session, false, cancel) {
            Err(error) if error.kind() == Kind::SessionExpired => self.status(),
            Err(error) if self.has_lapsed(&session) => Err(error),
            _ => self.status(),
        }
    }

    /// Tells once that the session is back.
    pub(super) fn announce_restored(&self, session: &Session) {
        if self.shared.sessions.is_first_restore(&session.id) {
            log::info!("restored the session from the vault");
            let event = self.event(Event::Restored, &session.account.id, "ok");
            self.append(&event);
            self.shared.publish(&event);
        }
    }

    /// The status of a session that is back already and needs no renewal; `None`: `restore` has
    /// something to do.
    pub fn restored(&self, is_offline: bool) -> Result<Option<Status>> {
        let seen = self.seen()?;
        let has_work = seen.session.as_ref().is_some_and(|session| {
            !self.shared.sessions.is_restored(&session.id)
                || (!is_offline && self.needs_renewal(session))
        });
        Ok((!has_work).then(|| self.status_of(&seen)))
    }

    /// Runs `work` on a thread of its own. A cancel lets the caller go at once; the work gets the
    /// cancel too, and obeys it as far as nothing can be lost by that.
    pub(super) fn to_its_end<T: Send + 'static>(
        &self,
        cancel: &Cancel,
        work: impl FnOnce(&Keeper, &Cancel) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let done = self.within(None, cancel, work)?;
        done.ok_or_else(|| Error::new(Kind::Internal, "the operation hit a bug"))
    }

    /// The same; `None`: it has taken longer, and goes on by itself.
    pub(super) fn within<T: Send + 'static>(
        &self,
        until: Option<Instant>,
        cancel: &Cancel,
        work: impl FnOnce(&Keeper, &Cancel) -> Result<T> + Send + 'static,
    ) -> Result<Option<T>> {
        let timeout = BusyTimeout::of(STORE_TIMEOUT);
        let (keeper, inner) = (self.with_timeout(timeout), cancel.clone());
        let work = move || {
            let _working = keeper.shared.running.register(&keeper.provider.key, &inner);
            keeper.logged(|| work(&keeper, &inner))
        };
        match run_beside("sessionkeeper-login", cancel, until, work) {
            Ok(done) => done.map(Some),
            Err(Left::Late) => Ok(None),
            Err(Left::Cancelled) => Err(cancelled()),
            Err(Left::Broken) => Err(Error::new(Kind::Internal, "the operation hit a bug")),
        }
    }
}

fn check_credentials(username: &str, password: &Secret) -> Result<()> {
    let refuse =
        |what: &str, why: &str| Err(Error::new(Kind::InvalidInput, format!("the {what} {why}")));
    for (what, text) in [("user name", username), ("password", password.expose())] {
        if text.trim().is_empty() {
            return refuse(what, "is empty");
        }
        if text.len() > 4096 {
            return refuse(what, "is longer than 4096 bytes");
        }
        if text.contains(|c: char| c.is_control()) {
            return refuse(what, "contains a control character");
        }
    }
    Ok(())
}
