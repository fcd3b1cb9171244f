//! The keeper: a provider at a data directory, with network settings. What has to be one for the whole
//! process (vault, locks, connections, events, log) is in the directory's `Shared`.

use super::directories::settled;
use super::register::{self, Vaults};
use super::report::{Details, State, Status};
use super::session_cache::Seen;
use super::shared::{ELSEWHERE, Rest, Shared};
use crate::cancel::Cancel;
use crate::clock::{Clock, UnixTime};
use crate::error::{Error, Kind, Result};
use crate::events::Notification;
use crate::http;
use crate::provider::{Provider, Renew, Sources};
use crate::session::Session;
use crate::vault::{BusyTimeout, SessionSelector, Vault};
use log::{Level, LevelFilter};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a call that answers at once may wait for others.
pub(super) const AT_ONCE: Duration = Duration::from_millis(50);

/// An answer may be left unread so many times as long as a keeper unused.
const UNREAD: u32 = 5;

/// How a keeper is set up.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    pub provider: Provider,
    /// Where the definitions of others are.
    pub sources: Sources,
    pub directory: PathBuf,
    /// Where the device keys are; `None`: a directory of its own among the user's local data.
    pub key_directory: Option<PathBuf>,
    /// The add-on that calls, where the viewer decides what it may use; `None`: nobody is asked.
    pub caller: Option<String>,
    pub network: http::Settings,
    /// Headers that go with every request of an add-on, unless it gives its own.
    pub headers: Vec<(String, String)>,
    /// The longest body of an answer to a request of an add-on, in bytes.
    pub max_body: usize,
    /// How long a logout tries to reach the server before it leaves that to the outbox.
    pub logout_deadline: Duration,
    /// How long a login or a renewal waits for another one at this data directory.
    pub lock_timeout: Duration,
    /// How long before its end a token is renewed, in seconds.
    pub renewal_margin: i64,
    /// The add-on whose data directory it is; in its events.
    pub addon: Option<String>,
    /// The shared data directory, where the service finds that add-on's vault.
    pub register_in: Option<PathBuf>,
    /// True: what is due is done without being asked for, by a thread of the process.
    pub background: bool,
    pub log_level: LevelFilter,
    /// True: the log goes to the terminal (standard error) as well.
    pub log_to_terminal: bool,
}

/// The sessions of one provider at one data directory. A clone is another handle on the same.
#[derive(Clone)]
pub struct Keeper {
    pub(super) shared: Arc<Shared>,
    /// Shared by the copies that each operation gets.
    pub(super) provider: Arc<Provider>,
    pub(super) sources: Sources,
    /// The add-on that calls, where the viewer decides what it may use.
    pub(super) caller: Option<String>,
    pub(super) network: http::Settings,
    pub(super) headers: Vec<(String, String)>,
    pub(super) max_body: usize,
    pub(super) logout_deadline: Duration,
    pub(super) lock_timeout: Duration,
    pub(super) renewal_margin: i64,
    /// How long its calls wait for others at the vault.
    pub(super) timeout: BusyTimeout,
}

impl Keeper {
    /// Reads no disk and uses no network; the vault is opened when it is first needed.
    pub fn open(config: Config) -> Result<Self> {
        let shared = Shared::at(&config.directory, config.key_directory.clone())?;
        Self::with_shared(config, shared)
    }

    /// A keeper apart from the process's own, with a clock that the caller holds; for tests.
    pub fn with_clock(config: Config, clock: Arc<dyn Clock>) -> Result<Self> {
        let shared = Shared::apart(&config.directory, config.key_directory.clone(), clock)?;
        Self::with_shared(config, Arc::new(shared))
    }

    fn with_shared(config: Config, shared: Arc<Shared>) -> Result<Self> {
        if config.renewal_margin < 0 {
            return Err(Error::new(Kind::InvalidInput, "the renewal margin is negative"));
        }
        if config.max_body == 0 {
            return Err(Error::new(Kind::InvalidInput, "max_body is 0: no answer has a body then"));
        }
        http::check_headers(&config.headers)?;
        shared.log.configure(config.log_level, config.log_to_terminal);
        // The shared vault is nobody's own, by whatever name it is reached.
        let register = config.register_in.as_deref().map(settled).transpose()?;
        if let Some(addon) =
            config.addon.as_ref().filter(|_| register.as_ref() != Some(&shared.directory))
        {
            shared.events.set_addon(addon);
            if let Some(register) = register {
                shared.registration.set(&register, addon);
            }
        }
        Ok(Keeper {
            shared,
            provider: Arc::new(config.provider),
            sources: config.sources,
            caller: config.caller,
            network: config.network,
            headers: config.headers,
            max_body: config.max_body,
            logout_deadline: config.logout_deadline,
            lock_timeout: config.lock_timeout,
            renewal_margin: config.renewal_margin,
            timeout: BusyTimeout::ordinary(&Cancel::new()),
        })
    }

    /// The same keeper, for an operation: its waits for the vault end with the cancel.
    #[must_use]
    pub fn obeying(&self, cancel: &Cancel) -> Self {
        self.with_timeout(BusyTimeout::ordinary(cancel))
    }

    pub(super) fn with_timeout(&self, timeout: BusyTimeout) -> Self {
        Keeper { timeout, ..self.clone() }
    }

    /// The vault, for this keeper's calls.
    pub(super) fn vault(&self) -> Result<Vault> {
        self.shared.unstored.hurry();
        Ok(self.shared.vault()?.with_timeout(&self.timeout))
    }

    /// The data directory, in its one spelling.
    pub fn directory(&self) -> &Path {
        &self.shared.directory
    }

    /// True where there is a vault already; anything else than this would make one.
    pub fn has_vault(&self) -> bool {
        self.shared.has_vault()
    }

    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// Runs `work` with what it logs going to this directory's log.
    pub fn logged<T>(&self, work: impl FnOnce() -> T) -> T {
        self.shared.log.enter(work)
    }

    /// Somebody opens it once more, with the same configuration.
    pub fn open_again(&self, config: &Config) {
        self.configure_log(config.log_level, config.log_to_terminal);
        self.shared.registration.renew();
    }

    /// The private vaults that are registered in this data directory. What is gone is dropped.
    pub fn vaults(&self) -> Result<Vaults> {
        register::list(&self.shared.directory, true)
    }

    /// From now on, lines below `level` are not written, for the whole data directory; the others
    /// go to the terminal as well where `to_terminal` says so.
    pub fn configure_log(&self, level: LevelFilter, to_terminal: bool) {
        self.shared.log.configure(level, to_terminal);
    }

    /// The log lines that nobody has taken yet.
    pub fn take_log(&self) -> Vec<(Level, String)> {
        self.shared.log.take()
    }

    /// What happened in this process after `seq`.
    pub fn events_after(&self, seq: i64) -> Vec<Notification> {
        self.shared.events.after(seq)
    }

    pub fn newest_event(&self) -> i64 {
        self.shared.events.newest()
    }

    /// Closes the vault, the connections and the files when nobody has used them for `idle`; the
    /// next call opens them again. An answer that is still read keeps them open.
    pub fn rest(&self, idle: Duration) -> Rest {
        let is_read = !self.shared.streams.close_unread(idle * UNREAD);
        let is_in_use = is_read || self.shared.idle_for() < idle;
        if is_in_use { Rest::No } else { self.shared.rest() }
    }

    /// True when a keeper made anew would know as much as this one.
    pub fn is_replaceable(&self) -> bool {
        self.shared.unstored.is_done()
    }

    /// Does what only reads, if nobody else is at work on the vault; `None`: that may take longer.
    pub fn at_once<T>(&self, work: impl FnOnce(&Keeper) -> Result<T>) -> Option<Result<T>> {
        if !self.shared.is_vault_free() {
            return None;
        }
        let done = work(&self.with_timeout(BusyTimeout::of(AT_ONCE)));
        let is_in_the_way = done.as_ref().is_err_and(|error| error.kind() == Kind::Storage);
        (!is_in_the_way).then_some(done)
    }

    /// What is stored. No network.
    pub fn status(&self) -> Result<Status> {
        Ok(self.status_of(&self.seen()?))
    }

    /// `status`, with times; for the user. No network.
    pub fn details(&self) -> Result<Details> {
        let seen = self.seen()?;
        Ok(Details {
            status: self.status_of(&seen),
            signed_in_at: seen.session.as_ref().map(|session| session.signed_in_at),
            renewed_at: seen.session.as_ref().map(|session| session.renewed_at),
            renews_at: seen.session.as_ref().and_then(|session| self.next_renewal(session)),
            ends_at: seen.session.as_ref().and_then(|session| self.latest_end(session)),
        })
    }

    pub(super) fn status_of(&self, seen: &Seen) -> Status {
        match &seen.session {
            None if seen.is_withheld => {
                Status::without_session(State::NeedsPermission, &self.provider.id, seen.pending)
            }
            None => Status::without_session(State::SignedOut, &self.provider.id, seen.pending),
            Some(session) => {
                let is_renewable = self.way_to_renew(session).is_some();
                Status::of(session, self.has_lapsed(session), is_renewable, seen.pending)
            }
        }
    }

    pub(super) fn signed_in(&self) -> Result<Session> {
        let Seen { session, is_withheld, is_elsewhere, .. } = self.seen()?;
        if is_withheld {
            return Err(self.needs_permission());
        }
        session.ok_or_else(|| {
            self.nobody_there(if is_elsewhere { ELSEWHERE } else { "Log in first." })
        })
    }

    /// The session of this account, active or not.
    pub(super) fn session_of(&self, account: &str) -> Result<Session> {
        let active = self.shared.session(&self.provider.key, &self.timeout)?;
        if let Some(session) = active.filter(|session| session.account.id == account) {
            return Ok(session);
        }
        let selector = SessionSelector::Account(account);
        let stored = self.vault()?.read(|tx| tx.sessions().find(&self.provider.key, selector))?;
        let session = stored.and_then(|session| self.shared.sessions.living(session));
        session.ok_or_else(|| self.nobody_there("Log in first."))
    }

    fn nobody_there(&self, hint: &str) -> Error {
        Error::new(Kind::NotSignedIn, format!("nobody is logged in at {}", self.provider.name))
            .with_hint(hint)
    }

    /// True when the access token has ended for certain. By a clock that is not known it has not:
    /// it is used on, and the server decides.
    pub(super) fn has_lapsed(&self, session: &Session) -> bool {
        self.ends_at(session).is_some_and(|at| self.shared.clock.is_past(at))
    }

    /// When the token is to be renewed: the margin before its end, but never in the first half of
    /// its life, so that a short-lived one is not renewed at every request.
    pub(super) fn renewal_time(&self, session: &Session) -> Option<UnixTime> {
        let ends = self.ends_at(session)?;
        let lifetime = ends.saturating_sub(session.renewed_at).max(0);
        Some(ends - self.renewal_margin.min(lifetime / 2))
    }

    /// When the access token ends. One that was over when it came shows that this clock and the
    /// server's do not agree; then only the server can tell, unless the clock was set back since.
    fn ends_at(&self, session: &Session) -> Option<UnixTime> {
        let Session { expires_at, renewed_at, .. } = session;
        let is_told_apart = *renewed_at > self.shared.clock.now();
        expires_at.filter(|ends| ends > renewed_at || is_told_apart)
    }

    /// When it is renewed without the user.
    fn next_renewal(&self, session: &Session) -> Option<UnixTime> {
        self.way_to_renew(session).and_then(|_| self.renewal_time(session))
    }

    /// When the session ends however often it is renewed: with the cookie that renews it. Where a
    /// token does, or each renewal brings another cookie, nobody knows.
    fn latest_end(&self, session: &Session) -> Option<UnixTime> {
        if self.way_to_renew(session).is_none() {
            return session.expires_at;
        }
        let cookie = self.provider.renewal_cookie().filter(|_| !self.provider.rotates())?;
        let ends = session.credentials.jar.expires_at(cookie)?;
        Some(session.expires_at.map_or(ends, |at| at.max(ends)))
    }

    pub(super) fn is_renewal_due(&self, session: &Session) -> bool {
        self.renewal_time(session).is_some_and(|at| self.shared.clock.seems_past(at))
    }

    /// The way to renew, if the provider has one and the session holds what it needs.
    pub(super) fn way_to_renew(&self, session: &Session) -> Option<&Renew> {
        let can =
            crate::login::can_renew(&self.provider, &session.credentials, &*self.shared.clock);
        self.provider.renew.as_ref().filter(|_| can)
    }

    pub(super) fn client(&self) -> Result<http::Client> {
        self.shared.client(&self.network)
    }
}
