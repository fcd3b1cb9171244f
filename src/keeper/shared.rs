//! What a data directory has one of in the whole process: its vault, locks, connections, events
//! and log. Kodi's invocations, its service and all its profiles share the process, so it is
//! looked up by the directory's path.

use super::begun_tasks::BegunTasks;
use super::clients::Clients;
use super::delivery::Delivery;
use super::device_codes::DeviceCodes;
use super::directories;
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
    /// A login is stored, or a logout done, as a whole: the second sees what the first did.
    commit_lock: Mutex<()>,
    vault: Mutex<Option<Arc<Vault>>>,
    pub sessions: SessionCache,
    pub running: Running,
    pub delivery: Delivery,
    pub device_codes: DeviceCodes,
    clients: Clients,
    /// When a renewal last failed, by provider.
    failed_renewals: Mutex<HashMap<String, Instant>>,
    pub begun_tasks: BegunTasks,
    /// True once this process has looked at the work that earlier ones left.
    pub has_finished_tasks: AtomicBool,
    /// True while the audit sink does not take what it is given.
    pub has_sink_failed: AtomicBool,
}

static ALL: Mutex<Vec<Arc<Shared>>> = Mutex::new(Vec::new());

impl Shared {
    /// What is shared at `directory`; the same for every caller in the process.
    pub fn at(directory: &Path, key_directory: Option<PathBuf>) -> Result<Arc<Self>> {
        let (directory, key_directory) = directories::settle(directory, key_directory)?;
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
            begun_tasks: BegunTasks::default(),
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

    /// The active session of `provider`, and how many of its logouts wait; read again only after a
    /// write.
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

    /// Nothing of any login is left in memory.
    pub fn clear(&self) {
        self.sessions.clear();
        self.clients.clear();
        self.delivery.clear();
    }

    pub fn failed_renewals(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.failed_renewals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn commit_lock(&self) -> MutexGuard<'_, ()> {
        self.commit_lock.lock().unwrap_or_else(PoisonError::into_inner)
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
