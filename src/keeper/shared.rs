//! What a data directory has one of in the whole process: its vault, gates, connections, events and
//! log. Kodi's invocations, its service and all its profiles share the process, so it is looked up by
//! the directory's path.

use crate::audit::{Event, NewAuditEvent};
use crate::cancel::Cancel;
use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Kind, Result};
use crate::events::Events;
use crate::http::{Client, Settings};
use crate::lock::FileMutex;
use crate::log::DirectoryLog;
use crate::login::Device;
use crate::session::Session;
use crate::vault::Vault;
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
    /// One delivery to the audit sink at a time.
    pub courier: Mutex<()>,
    /// A login is stored, or a logout done, as a whole: whoever comes second sees the first.
    commit_lock: Mutex<()>,
    vault: Mutex<Option<Arc<Vault>>>,
    state: Mutex<State>,
}

/// What is only remembered while the process lives.
#[derive(Default)]
pub(super) struct State {
    /// By provider: the vault's mark at which this was read.
    pub read: HashMap<String, (i64, Option<Session>)>,
    /// Sessions that were logged out; they stay out even if the disk refused to forget them.
    pub ended: HashSet<String>,
    /// Renewals and logins under way, by provider; a logout cancels them.
    pub working: Vec<(u64, String, Cancel)>,
    pub last_work: u64,
    /// Outbox entries that somebody is sending just now.
    pub sending: HashSet<i64>,
    /// Sessions whose restore has been told.
    pub restored: HashSet<String>,
    /// Providers that could not be reached, and until when they are left alone.
    pub unreachable: HashMap<String, Instant>,
    /// Outbox entries whose TLS trouble is in the audit trail.
    pub tls_told: HashSet<i64>,
    /// Post-logout tasks that were begun in this process, which begins none twice; true for those of
    /// which it is known what became.
    pub tasks_begun: HashMap<i64, bool>,
    /// True once the work that earlier processes left was looked at.
    pub has_finished_tasks: bool,
    /// True while the audit sink does not take what it is given.
    pub sink_failed: bool,
    /// When a renewal last failed, by provider.
    pub renewal_failed: HashMap<String, Instant>,
    /// Codes that are waited for: number, provider, code.
    devices: Vec<(u64, String, Device)>,
    clients: Vec<(Settings, Client)>,
}

/// Older codes than these are not waited for any more.
const DEVICES_KEPT: usize = 8;

/// More kinds of settings than this are not in use at once.
const CLIENTS_KEPT: usize = 8;

static ALL: Mutex<Vec<Arc<Shared>>> = Mutex::new(Vec::new());

impl Shared {
    /// The shared at `directory`; the same one for every caller in the process.
    pub fn at(directory: &Path, key_directory: Option<PathBuf>) -> Result<Arc<Self>> {
        let (directory, key_directory) = settle_both(directory, key_directory)?;
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all
            .iter()
            .find(|shared| shared.directory == directory && shared.key_directory == key_directory);
        if let Some(shared) = known {
            return Ok(Arc::clone(shared));
        }
        let shared = Arc::new(Shared::new(directory, key_directory, Arc::new(SystemClock::new())));
        all.push(Arc::clone(&shared));
        Ok(shared)
    }

    /// A shared of its own, for tests.
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
            courier: Mutex::new(()),
            commit_lock: Mutex::new(()),
            vault: Mutex::new(None),
            state: Mutex::default(),
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
        self.tell_damage(&vault);
        Ok(vault)
    }

    /// The active session of `provider` and its cookies; read anew only after somebody wrote.
    pub fn session(&self, provider: &str) -> Result<Option<Session>> {
        let vault = self.vault()?;
        let mark = vault.change_mark()?;
        if let Some((read_at, session)) = self.state().read.get(provider) {
            if *read_at == mark {
                return Ok(session.clone());
            }
        }
        let session = vault.read(|tx| tx.sessions().active(provider))?;
        self.tell_damage(&vault);
        let mut state = self.state();
        let session = session.filter(|session| !state.ended.contains(&session.id));
        state.read.insert(provider.to_owned(), (mark, session.clone()));
        Ok(session)
    }

    /// The session as it was last read, for when the disk cannot be.
    pub fn remembered(&self, provider: &str) -> Option<Session> {
        let state = self.state();
        let (_, session) = state.read.get(provider)?;
        session.clone()
    }

    /// The providers to be left alone, and for how long yet.
    pub fn held_back(&self) -> HashMap<String, Duration> {
        let now = Instant::now();
        let mut state = self.state();
        state.unreachable.retain(|_, until| *until > now);
        state.unreachable.iter().map(|(id, until)| (id.clone(), *until - now)).collect()
    }

    pub fn hold_back(&self, provider: &str, pause: Duration) {
        self.state().unreachable.insert(provider.to_owned(), Instant::now() + pause);
    }

    /// The session is over in this process, whatever the disk says.
    pub fn forget_session(&self, session: &Session) {
        let mut state = self.state();
        state.ended.insert(session.id.clone());
        state.read.remove(&session.provider);
        state.clients.clear();
    }

    /// True when this session was logged out in this process.
    pub fn has_ended(&self, session_id: &str) -> bool {
        self.state().ended.contains(session_id)
    }

    pub fn client(&self, settings: &Settings) -> Result<Client> {
        let known = |state: &State| {
            state.clients.iter().find(|(of, _)| of == settings).map(|(_, client)| client.clone())
        };
        if let Some(client) = known(&self.state()) {
            return Ok(client);
        }
        let client = Client::new(settings, Arc::clone(&self.clock))?;
        let mut state = self.state();
        if state.clients.len() == CLIENTS_KEPT {
            state.clients.remove(0);
        }
        state.clients.push((settings.clone(), client.clone()));
        Ok(client)
    }

    /// Nothing of what was signed in is left in memory.
    pub fn forget_everything(&self) {
        let mut state = self.state();
        state.read.clear();
        state.clients.clear();
        state.unreachable.clear();
    }

    /// Work for `provider` that a logout may cancel, until the guard is dropped.
    pub fn working(self: &Arc<Self>, provider: &str, cancel: &Cancel) -> Working {
        let mut state = self.state();
        state.last_work += 1;
        let number = state.last_work;
        state.working.push((number, provider.to_owned(), cancel.clone()));
        Working { shared: Arc::clone(self), number }
    }

    pub fn stop_work(&self, provider: &str) {
        for (_, of, cancel) in &self.state().working {
            if of == provider {
                cancel.cancel();
            }
        }
    }

    /// Keeps a code until somebody waits for it.
    pub fn keep_device(&self, provider: &str, device: &Device) -> u64 {
        let mut state = self.state();
        state.last_work += 1;
        let number = state.last_work;
        if state.devices.len() == DEVICES_KEPT {
            state.devices.remove(0);
        }
        state.devices.push((number, provider.to_owned(), device.clone()));
        number
    }

    pub fn take_device(&self, provider: &str, number: u64) -> Option<Device> {
        let devices = &mut self.state().devices;
        let place = devices.iter().position(|(of, whose, _)| *of == number && whose == provider)?;
        Some(devices.remove(place).2)
    }

    pub fn commit_lock(&self) -> MutexGuard<'_, ()> {
        self.commit_lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn stop_work_of_all(&self) {
        for (_, _, cancel) in &self.state().working {
            cancel.cancel();
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell_damage(&self, vault: &Vault) {
        for damage in vault.take_damage() {
            let kept = damage.kept_as.as_ref().map_or_else(
                || "no copy could be kept".to_owned(),
                |path| format!("the old file is kept as {}", path.display()),
            );
            log::error!("the vault was unusable ({}); {kept}", damage.outcome);
            self.events.tell(Event::VaultDamaged.as_str(), "", "", damage.outcome);
            let record = NewAuditEvent {
                event: Event::VaultDamaged,
                provider: String::new(),
                account: String::new(),
                outcome: damage.outcome.to_owned(),
                detail: kept,
            };
            if let Err(error) = vault.transact(|tx| tx.audit().append(&record)) {
                log::error!("the audit trail could not be written: {error}");
            }
        }
    }
}

pub(super) struct Working {
    shared: Arc<Shared>,
    number: u64,
}

impl Drop for Working {
    fn drop(&mut self) {
        self.shared.state().working.retain(|(number, _, _)| *number != self.number);
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
            format!("'{}' is no directory ({})", path.display(), error.kind()),
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
