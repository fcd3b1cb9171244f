//! What a data directory has one of in the whole process: its vault, locks, connections, events
//! and log. Kodi's invocations, its service and all its profiles share the process, so it is
//! looked up by the directory's path.

use super::begun_tasks::BegunTasks;
use super::browser_logins::BrowserLogins;
use super::clients::Clients;
use super::delivery::Delivery;
use super::device_codes::DeviceCodes;
use super::directories;
use super::questions::Questions;
use super::register::Registration;
use super::running::Running;
use super::session_cache::{Seen, SessionCache};
use super::streams::Streams;
use super::unstored::Unstored;
use crate::audit::{Event, NewAuditEvent};
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Kind, Result};
use crate::events::Events;
use crate::fork;
use crate::http::{Client, Settings};
use crate::lock::{FileMutex, Locked};
use crate::log::DirectoryLog;
use crate::provider::{id_of, service_of};
use crate::session::Session;
use crate::vault::{BusyTimeout, Vault, vault_in};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::time::{Duration, Instant};

/// What there is to do about a session that was opened with other hosts.
pub(super) const ELSEWHERE: &str = "The stored session is for other hosts than the provider file names, \
     and is kept from these. Log in again, or log out to end it.";

pub(super) struct Shared {
    pub directory: PathBuf,
    pub key_directory: PathBuf,
    /// A fork leaves its locks and connections as they were: they serve this process alone.
    process: u32,
    pub clock: Arc<dyn Clock>,
    pub events: Events,
    pub registration: Registration,
    pub log: Arc<DirectoryLog>,
    /// One renewal or login at a time.
    pub login_lock: FileMutex,
    /// One drain at a time.
    pub outbox_lock: FileMutex,
    /// A login is stored, or a logout done, as a whole: the second sees what the first did.
    commit_lock: Mutex<()>,
    vault: Mutex<Option<Vault>>,
    pub sessions: SessionCache,
    pub unstored: Unstored,
    pub running: Running,
    pub delivery: Delivery,
    pub device_codes: DeviceCodes,
    pub browser_logins: BrowserLogins,
    pub questions: Questions,
    pub streams: Streams,
    clients: Clients,
    /// How many renewals are on their way.
    renewing: AtomicUsize,
    /// Until when a session is not renewed by the time alone, by its id, and one that is handed over
    /// not asked about, by its fingerprint.
    renewal_rests: Mutex<HashMap<String, Instant>>,
    pub begun_tasks: BegunTasks,
    /// True once this process has looked at the work that earlier ones left.
    pub has_finished_tasks: AtomicBool,
    /// Held by the process that looks after the directory as its service.
    pub service: Mutex<Option<Locked>>,
    /// The audit sinks that do not take what they are given.
    failed_sinks: Mutex<HashSet<String>>,
    /// The places that were to hand a session over and of which something was said.
    handovers: Mutex<HashSet<String>>,
    last_use: Mutex<Instant>,
}

/// Whether a keeper has nothing open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Somebody uses it, or has just done so.
    No,
    /// It was closed just now.
    Begun,
    Already,
}

/// While it lives, a renewal is on its way: what it is made with may serve only once.
pub struct Renewing<'a>(&'a AtomicUsize);

/// Whoever holds a keeper holds its part of this.
static ALL: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

/// True while this process has a renewal on its way.
pub fn is_renewing() -> bool {
    let _gate = fork::keep_out();
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    let own = all.iter().filter_map(Weak::upgrade).filter(|shared| shared.process == process);
    own.into_iter().any(|shared| shared.renewing.load(Ordering::SeqCst) > 0)
}

impl Shared {
    /// What is shared at `directory`; the same for every caller in the process.
    pub fn at(directory: &Path, key_directory: Option<PathBuf>) -> Result<Arc<Self>> {
        let (directory, key_directory) = directories::settle(directory, key_directory)?;
        let _gate = fork::keep_out();
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|shared| shared.strong_count() > 0);
        let process = std::process::id();
        let known = all.iter().filter_map(Weak::upgrade).find(|shared| {
            shared.directory == directory
                && shared.key_directory == key_directory
                && shared.process == process
        });
        if let Some(shared) = known {
            return Ok(shared);
        }
        let shared =
            Arc::new(Shared::new(directory, key_directory, Arc::new(SystemClock::default())));
        all.push(Arc::downgrade(&shared));
        Ok(shared)
    }

    /// Apart from the process's own, for tests.
    pub fn apart(directory: &Path, keys: Option<PathBuf>, clock: Arc<dyn Clock>) -> Result<Self> {
        let (directory, key_directory) = directories::settle(directory, keys)?;
        Ok(Shared::new(directory, key_directory, clock))
    }

    fn new(directory: PathBuf, key_directory: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Shared {
            log: Arc::new(DirectoryLog::new(&directory)),
            login_lock: FileMutex::new(directory.join("login.lock")),
            outbox_lock: FileMutex::new(directory.join("outbox.lock")),
            directory,
            key_directory,
            process: std::process::id(),
            clock,
            events: Events::default(),
            registration: Registration::default(),
            commit_lock: Mutex::new(()),
            vault: Mutex::new(None),
            sessions: SessionCache::default(),
            unstored: Unstored::default(),
            running: Running::default(),
            delivery: Delivery::default(),
            device_codes: DeviceCodes::default(),
            browser_logins: BrowserLogins::default(),
            questions: Questions::default(),
            streams: Streams::default(),
            clients: Clients::default(),
            renewing: AtomicUsize::new(0),
            renewal_rests: Mutex::default(),
            begun_tasks: BegunTasks::default(),
            has_finished_tasks: AtomicBool::new(false),
            service: Mutex::default(),
            failed_sinks: Mutex::default(),
            handovers: Mutex::default(),
            last_use: Mutex::new(Instant::now()),
        }
    }

    /// The vault, opened when it is first used; a failure is tried again at the next call.
    pub fn vault(&self) -> Result<Vault> {
        self.note_use();
        let mut slot = self.vault.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            let clock = Arc::clone(&self.clock);
            *slot = Some(Vault::at(&self.directory, &self.key_directory, clock)?);
        }
        let vault = slot.clone();
        drop(slot);
        let vault = vault.ok_or_else(|| Error::new(Kind::Internal, "the vault is not there"))?;
        self.report_damage(&vault);
        self.registration.see_to(&self.directory, &self.key_directory);
        Ok(vault)
    }

    /// True where there is one, open or not.
    pub fn has_vault(&self) -> bool {
        vault_in(&self.directory).exists()
    }

    /// True when the vault is open, and nobody in this process is using it just now.
    pub fn is_vault_free(&self) -> bool {
        let vault = self.vault.try_lock().ok().and_then(|slot| slot.clone());
        vault.is_some_and(|vault| vault.is_free())
    }

    /// The active session of `provider`, and how many of its logouts wait; read again only after a
    /// write. Where the disk cannot be read, a session that it has not taken counts as last seen.
    pub fn seen(&self, provider: &str, timeout: &BusyTimeout) -> Result<Seen> {
        self.read_seen(provider, timeout).or_else(|error| {
            let is_unstored = |session: &Session| self.sessions.unstored(&session.id).is_some();
            let last = self.sessions.get(provider);
            last.filter(|seen| seen.session.as_ref().is_some_and(is_unstored)).ok_or(error)
        })
    }

    fn read_seen(&self, provider: &str, timeout: &BusyTimeout) -> Result<Seen> {
        self.unstored.hurry();
        let vault = self.vault()?.with_timeout(timeout);
        let mark = vault.change_mark()?;
        if let Some(seen) = self.sessions.get(provider).filter(|seen| seen.mark == mark) {
            return Ok(seen);
        }
        let service = service_of(provider);
        let (session, allowed, others, pending) = vault.read(|tx| {
            let session = tx.sessions().active(provider)?;
            let account = session.as_ref().map(|session| session.account.id.as_str());
            let answers = match account {
                Some(account) => tx.permissions().list(Some((service, account)))?,
                None => Vec::new(),
            };
            let allowed = answers.into_iter().filter(|answer| answer.is_allowed);
            let allowed = allowed.map(|answer| answer.addon).collect();
            let others =
                if session.is_some() { Vec::new() } else { tx.sessions().of_service(service)? };
            Ok((session, allowed, others, tx.outbox().count(Some(service))?))
        })?;
        self.report_damage(&vault);
        let is_other =
            |other: &Session| other.provider != provider && !self.sessions.has_ended(&other.id);
        let is_elsewhere = others.iter().any(|other| is_other(&other.session));
        if is_elsewhere && self.sessions.is_first_elsewhere(provider) {
            log::warn!("nobody is logged in at '{}' here: {ELSEWHERE}", id_of(provider));
        }
        let seen = Seen { mark, session, allowed, is_elsewhere, pending, ..Seen::default() };
        Ok(self.sessions.put(provider, seen))
    }

    /// The active session of `provider`.
    pub fn session(&self, provider: &str, timeout: &BusyTimeout) -> Result<Option<Session>> {
        Ok(self.seen(provider, timeout)?.session)
    }

    pub fn client(&self, settings: &Settings) -> Result<Client> {
        self.note_use();
        let _gate = fork::keep_out();
        self.clients.get(settings, &self.clock)
    }

    /// How long nobody has used the vault or the network.
    pub fn idle_for(&self) -> Duration {
        self.last_use.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Closes the vault, the connections and the files, unless somebody is at work with the vault;
    /// the next call opens what it needs.
    pub fn rest(&self) -> Rest {
        self.browser_logins.end_old(&*self.clock);
        let _gate = fork::keep_out();
        let mut slot = self.vault.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_some_and(Vault::is_in_use) {
            return Rest::No;
        }
        // The marks of the next vault are counted anew.
        self.sessions.outdate();
        let was_open = slot.take().is_some();
        drop(slot);
        self.clients.clear();
        self.login_lock.close();
        self.outbox_lock.close();
        self.log.close();
        if was_open { Rest::Begun } else { Rest::Already }
    }

    fn note_use(&self) {
        *self.last_use.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// The session is over in this process, whatever the disk says.
    pub fn end_session(&self, session: &Session) {
        self.sessions.end(session);
        self.streams.end_session(&session.provider, Some(&session.id));
    }

    /// Closes the idle connections: after a logout none is left that the server knows.
    pub fn close_connections(&self) {
        self.clients.clear();
    }

    /// Nothing of any login is left in memory.
    pub fn clear(&self) {
        self.sessions.clear();
        self.streams.end_all();
        self.clients.clear();
        self.delivery.clear();
    }

    pub fn begin_renewal(&self) -> Renewing<'_> {
        self.renewing.fetch_add(1, Ordering::SeqCst);
        Renewing(&self.renewing)
    }

    pub fn renewal_rests(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.renewal_rests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn handovers(&self) -> MutexGuard<'_, HashSet<String>> {
        self.handovers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn failed_sinks(&self) -> MutexGuard<'_, HashSet<String>> {
        self.failed_sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for it as for the vault.
    pub fn commit_lock(&self, timeout: &BusyTimeout) -> Result<MutexGuard<'_, ()>> {
        timeout.poll(&self.directory, || match self.commit_lock.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        })
    }

    fn report_damage(&self, vault: &Vault) {
        for damage in vault.take_damage() {
            self.sessions.endanger();
            let detail = damage.detail();
            log::error!("the vault is not as it was left ({}): {detail}", damage.outcome);
            let event = NewAuditEvent::new(Event::VaultDamaged, "", "", damage.outcome);
            self.events.publish(event.event, "", "", &event.outcome);
            let event = event.with_detail(&detail);
            if let Err(error) = vault.transact(|tx| tx.audit().append(&event)) {
                log::error!("the audit trail could not be written: {error}");
            }
        }
    }
}

impl Drop for Renewing<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
