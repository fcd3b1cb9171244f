//! What a data directory has one of in the whole process: its vault, locks, connections, events and
//! log. Kodi's invocations, its service and all its profiles share the process, so it is looked up
//! by the directory's path.

use super::clients::Clients;
use super::delivery::Delivery;
use super::device_codes::DeviceCodes;
use super::running::Running;
use super::session_cache::{Seen, SessionCache};
use crate::audit::{Event, NewAuditEvent};
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Kind, Result};
use crate::events::Events;
use crate::http::{Client, Settings};
use crate::lock::FileMutex;
use crate::log::DirectoryLog;
use crate::session::Session;
use crate::vault::Vault;
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

pub(super) struct Shared {
    pub directory: PathBuf,
    pub key_directory: PathBuf,
    pub clock: Arc<dyn Clock>,
    pub events: Events,
    pub log: Arc<DirectoryLog>,
    /// One renewal or login at a time.
    pub login_lock: FileMutex,
    /// One drain at a time.
    pub outbox_lock: FileMutex,
    /// A login is stored, or a logout done, as a whole: whoever comes second sees the first.
    commit_lock: Mutex<()>,
    vault: Mutex<Option<Arc<Vault>>>,
    pub sessions: SessionCache,
    pub running: Running,
    pub delivery: Delivery,
    pub device_codes: DeviceCodes,
    clients: Clients,
    /// When a renewal last failed, by provider.
    failed_renewals: Mutex<HashMap<String, Instant>>,
    /// Post-logout tasks that were begun in this process, which begins none twice; true for those
    /// of which it is known what became.
    begun_tasks: Mutex<HashMap<i64, bool>>,
    /// True once the work that earlier processes left was looked at.
    pub has_finished_tasks: AtomicBool,
    /// True while the audit sink does not take what it is given.
    pub has_sink_failed: AtomicBool,
}

static ALL: Mutex<Vec<Arc<Shared>>> = Mutex::new(Vec::new());

impl Shared {
    /// What is shared at `directory`; the same for every caller in the process.
    pub fn at(directory: &Path, key_directory: Option<PathBuf>) -> Result<Arc<Self>> {
        let (directory, key_directory) = settle_both(directory, key_directory)?;
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all
            .iter()
            .find(|shared| shared.directory == directory && shared.key_directory == key_directory);
        if let Some(shared) = known {
            return Ok(Arc::clone(shared));
        }
        let shared =
            Arc::new(Shared::new(directory, key_directory, Arc::new(SystemClock::default())));
        all.push(Arc::clone(&shared));
        Ok(shared)
    }

    /// Apart from the process's own, for tests.
    pub fn apart(directory: &Path, keys: Option<PathBuf>, clock: Arc<dyn Clock>) -> Result<Self> {
        let (directory, key_directory) = settle_both(directory, keys)?;
        Ok(Shared::new(directory, key_directory, clock))
    }

    fn new(directory: PathBuf, key_directory: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Shared {
            log: Arc::new(DirectoryLog::new(&directory)),
            login_lock: FileMutex::new(directory.join("login.lock")),
            outbox_lock: FileMutex::new(directory.join("outbox.lock")),
            directory,
            key_directory,
            clock,
            events: Events::default(),
            commit_lock: Mutex::new(()),
            vault: Mutex::new(None),
            sessions: SessionCache::default(),
            running: Running::default(),
            delivery: Delivery::default(),
            device_codes: DeviceCodes::default(),
            clients: Clients::default(),
            failed_renewals: Mutex::default(),
            begun_tasks: Mutex::default(),
            has_finished_tasks: AtomicBool::new(false),
            has_sink_failed: AtomicBool::new(false),
        }
    }

    /// The vault, opened when it is first asked for; a failure is tried again at the next call.
    pub fn vault(&self) -> Result<Arc<Vault>> {
        let mut slot = self.vault.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            let clock = Arc::clone(&self.clock);
            *slot = Some(Arc::new(Vault::open(&self.directory, &self.key_directory, clock)?));
        }
        let vault = slot.as_ref().map(Arc::clone);
        drop(slot);
        let vault = vault.ok_or_else(|| Error::new(Kind::Internal, "the vault is not there"))?;
        self.report_damage(&vault);
        Ok(vault)
    }

    /// True when the vault is open, and nobody in this process is using it just now.
    pub fn is_vault_free(&self) -> bool {
        let vault = self.vault.try_lock().ok().and_then(|slot| slot.clone());
        vault.is_some_and(|vault| vault.is_free())
    }

    /// The active session of `provider`, and how many of its logouts wait; read anew only after
    /// somebody wrote.
    pub fn seen(&self, provider: &str) -> Result<Seen> {
        let vault = self.vault()?;
        let mark = vault.change_mark()?;
        if let Some(seen) = self.sessions.get(provider).filter(|seen| seen.mark == mark) {
            return Ok(seen);
        }
        let (session, pending) = vault
            .read(|tx| Ok((tx.sessions().active(provider)?, tx.outbox().count(Some(provider))?)))?;
        self.report_damage(&vault);
        Ok(self.sessions.put(provider, Seen { mark, session, pending }))
    }

    /// The active session of `provider`.
    pub fn session(&self, provider: &str) -> Result<Option<Session>> {
        Ok(self.seen(provider)?.session)
    }

    pub fn client(&self, settings: &Settings) -> Result<Client> {
        self.clients.get(settings, &self.clock)
    }

    /// Closes the idle connections: after a logout none is left that the server knows.
    pub fn close_connections(&self) {
        self.clients.clear();
    }

    /// Drops every session from memory.
    pub fn clear(&self) {
        self.sessions.clear();
        self.clients.clear();
        self.delivery.release_all();
    }

    pub fn failed_renewals(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.failed_renewals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn begun_tasks(&self) -> MutexGuard<'_, HashMap<i64, bool>> {
        self.begun_tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn commit_lock(&self) -> MutexGuard<'_, ()> {
        self.commit_lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report_damage(&self, vault: &Vault) {
        for damage in vault.take_damage() {
            let kept = damage.kept_as.as_ref().map_or_else(
                || "no copy could be kept".to_owned(),
                |path| format!("the old file is kept as {}", path.display()),
            );
            log::error!("the vault was unusable ({}); {kept}", damage.outcome);
            self.events.publish(Event::VaultDamaged.as_str(), "", "", damage.outcome);
            let audit_event = NewAuditEvent {
                event: Event::VaultDamaged,
                provider: String::new(),
                account: String::new(),
                outcome: damage.outcome.to_owned(),
                detail: kept,
            };
            if let Err(error) = vault.transact(|tx| tx.audit().append(&audit_event)) {
                log::error!("the audit trail could not be written: {error}");
            }
        }
    }
}

/// Uniform in 0.0..1.0, for jitter.
pub(super) fn random_fraction() -> f64 {
    let mut bytes = [0_u8; 4];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_ne_bytes(bytes)) / 4_294_967_296.0,
        Err(_) => 0.5,
    }
}

fn settle_both(directory: &Path, keys: Option<PathBuf>) -> Result<(PathBuf, PathBuf)> {
    let directory = settle(directory)?;
    let keys = match keys {
        Some(path) => settle(&path)?,
        None => default_key_directory(&directory),
    };
    Ok((directory, keys))
}

/// One spelling for one directory, whether it exists yet or not: links are resolved as far as there
/// is something.
fn settle(path: &Path) -> Result<PathBuf> {
    let path = std::path::absolute(path).map_err(|error| {
        Error::new(
            Kind::InvalidInput,
            format!("'{}' is not a directory ({})", path.display(), error.kind()),
        )
    })?;
    for ancestor in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (ancestor.canonicalize(), path.strip_prefix(ancestor)) {
            return Ok(if rest.as_os_str().is_empty() { real } else { real.join(rest) });
        }
    }
    Ok(path)
}

fn default_key_directory(directory: &Path) -> PathBuf {
    dirs::data_local_dir()
        .map_or_else(|| directory.to_owned(), |base| base.join("sessionkeeper").join("keys"))
}
