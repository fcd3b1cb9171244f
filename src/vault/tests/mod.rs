//! Tests of the vault as a whole, by concept. Their shared parts are here.

mod accounts;
mod damage;
mod disk;
mod keys;
mod logins;
mod orphans;
mod outbox;
mod permissions;
mod rescue;
mod sharing;
mod sinks;
mod stored;
mod tasks;

use super::error::{VaultError, VaultResult};
use super::rebuild::Damage;
use super::*;
use crate::audit::{AuditEvent, Event, NewAuditEvent};
use crate::clock::{Clock, HeldClock, Rest, UnixTime};
use crate::error::{Kind, Result};
use crate::secret::Secret;
use crate::session::{ACCESS_TOKEN, Account, Credentials, Evidence, Outcome, Revocation, Session};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

pub const NOW: i64 = 1_800_000_000;
pub const CANARY: &str = "canary-cookie-value-0123456789";

/// `short` in an ordinary run, `long` when `SESSIONKEEPER_LONG` is set, as `make soak` does.
pub fn step(short: usize, long: usize) -> usize {
    if std::env::var_os("SESSIONKEEPER_LONG").is_some() { long } else { short }
}

/// A data directory, its key directory, and a clock that the test sets.
pub struct Home {
    pub directory: TempDir,
    pub clock: Arc<HeldClock>,
}

impl Home {
    /// In memory if possible, because the tests write a great deal.
    pub fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let directory = if memory.is_dir() {
            TempDir::new_in(memory).or_else(|_| TempDir::new()).unwrap()
        } else {
            TempDir::new().unwrap()
        };
        Home { directory, clock: Arc::new(HeldClock::at(NOW)) }
    }

    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub fn keys(&self) -> PathBuf {
        self.directory.path().join("keys")
    }

    pub fn file(&self) -> PathBuf {
        self.data().join("vault.db")
    }

    pub fn try_open(&self) -> Result<Vault> {
        Vault::open(&self.data(), &self.keys(), self.clock.clone())
    }

    pub fn open(&self) -> Vault {
        self.try_open().unwrap()
    }

    pub fn key_file(&self) -> PathBuf {
        let entries = fs::read_dir(self.keys()).unwrap().map(|entry| entry.unwrap().path());
        let mut keys: Vec<_> =
            entries.filter(|path| path.extension().is_some_and(|end| end == "key")).collect();
        assert_eq!(keys.len(), 1);
        keys.remove(0)
    }

    /// Removes everything but the keys and the lock file, which says whose directory it is.
    pub fn clear_data(&self, vault: &str) {
        fs::remove_dir_all(self.data()).unwrap();
        fs::create_dir(self.data()).unwrap();
        fs::write(self.data().join("vault.lock"), vault).unwrap();
    }

    /// The vault's id.
    pub fn id(&self) -> String {
        self.key_file().file_stem().unwrap().to_string_lossy().into_owned()
    }
}

/// Shorthands: one transaction each.
impl Vault {
    pub fn open(data: &Path, keys: &Path, clock: Arc<dyn Clock>) -> Result<Vault> {
        let vault = Vault::at(data, keys, clock)?;
        vault.change_mark()?;
        Ok(vault)
    }

    /// For tests that reach into it.
    pub(super) fn state(&self) -> super::store::Taken<'_> {
        let timeout = BusyTimeout::of(Duration::from_secs(60));
        self.explained(self.store.take(&timeout.begin())).unwrap()
    }

    pub fn session(&self, provider: &str) -> Result<Option<Session>> {
        self.read(|tx| tx.sessions().active(provider))
    }

    pub fn find(&self, provider: &str, of: SessionSelector<'_>) -> Result<Option<Session>> {
        self.read(|tx| tx.sessions().find(provider, of))
    }

    /// All sessions of all providers.
    pub fn sessions(&self) -> Result<Vec<Session>> {
        let stored = self.read(|tx| tx.sessions().list(None))?;
        Ok(stored.into_iter().map(|stored| stored.session).collect())
    }

    pub fn activate(&self, provider: &str, account: &str) -> Result<Option<Session>> {
        self.transact(|tx| tx.sessions().activate(provider, account))
    }

    pub fn replace(&self, session: &Session) -> Result<Option<Session>> {
        self.transact(|tx| tx.sessions().replace(session.clone()))
    }

    pub fn enqueue(&self, revocation: &Revocation) -> Result<OutboxEntry> {
        self.transact(|tx| tx.outbox().enqueue(revocation))
    }

    pub fn entries(&self) -> Result<Vec<OutboxEntry>> {
        self.read(|tx| tx.outbox().list())
    }

    pub fn entry(&self, id: i64) -> Result<Option<OutboxEntry>> {
        self.read(|tx| tx.outbox().get(id))
    }

    pub fn pending(&self, provider: Option<&str>) -> Result<u64> {
        self.read(|tx| tx.outbox().count(provider))
    }

    /// The entries in the order in which they may be tried.
    pub fn waiting(&self) -> Result<Vec<i64>> {
        let waiting = self.read(|tx| tx.outbox().waiting())?;
        Ok(waiting.into_iter().map(|entry| entry.id).collect())
    }

    pub fn postpone(&self, id: i64, attempts: u32, at: UnixTime, outcome: &str) {
        let entry = self.entry(id).unwrap().unwrap();
        let last_outcome = Outcome::named(outcome);
        let next_attempt = Rest { until: at, length: at.saturating_sub(NOW) };
        let entry = OutboxEntry { attempts, next_attempt, last_outcome, ..entry };
        self.transact(|tx| tx.outbox().postpone(&entry)).unwrap();
    }

    pub fn remove(&self, entry: &OutboxEntry) -> bool {
        self.transact(|tx| tx.outbox().delete(entry)).unwrap()
    }

    pub fn append(&self, event: &NewAuditEvent) -> Result<()> {
        self.transact(|tx| tx.audit().append(event))
    }

    pub fn trail(&self, limit: usize) -> Result<Vec<AuditEvent>> {
        self.read(|tx| tx.audit().list(limit))
    }

    pub fn tasks(&self) -> Vec<QueuedTask> {
        self.read(|tx| tx.tasks().list(&TaskKind::ALL)).unwrap()
    }
}

pub fn session(id: &str, provider: &str) -> Session {
    Session {
        id: id.to_owned(),
        provider: provider.to_owned(),
        account: Account {
            id: "7".to_owned(),
            name: "Zoë".to_owned(),
            email: "viewer@example.com".to_owned(),
        },
        generation: 0,
        signed_in_at: NOW,
        renewed_at: NOW,
        was_renewed: false,
        adopted_from: None,
        expires_at: Some(NOW + 3600),
        credentials: credentials(&format!("{CANARY} of {id}")),
        definition: String::new(),
    }
}

pub fn credentials(token: &str) -> Credentials {
    let mut credentials = Credentials::new();
    credentials.set(ACCESS_TOKEN, Secret::new(token));
    credentials
}

pub fn revoked(session: &Session) -> Revocation {
    Revocation {
        session_id: session.id.clone(),
        provider: session.provider.clone(),
        host: format!("{}.example", session.provider),
        account: session.account.id.clone(),
        created_at: NOW,
        first_attempt_at: NOW,
        expires_at: session.expires_at,
        credentials: session.credentials.clone(),
        evidence: Evidence::default(),
        everywhere: false,
        promised_to: None,
        definition: "id = \"angel\"\n".repeat(200),
    }
}

pub fn record(event: Event) -> NewAuditEvent {
    NewAuditEvent::new(event, "angel", "7", "ok")
}

pub fn log_in(vault: &Vault, id: &str, provider: &str) -> Session {
    store_login(vault, &session(id, provider)).unwrap()
}

/// As the keeper stores a login: the account's older session goes into the outbox.
pub fn store_login(vault: &Vault, session: &Session) -> Result<Session> {
    vault.transact(|tx| {
        for old in tx.sessions().list(Some(&session.provider))? {
            if old.session.account.id == session.account.id {
                tx.sessions().delete(&old.session)?;
                tx.outbox().enqueue(&revoked(&old.session))?;
            }
        }
        let stored = tx.sessions().insert(session.clone())?;
        tx.sessions().activate(&stored.provider, &stored.account.id)?;
        tx.audit().append(&record(Event::Login))?;
        Ok(stored)
    })
}

/// Ends the active session as the keeper does; returns the number of the outbox entry.
pub fn end(vault: &Vault, provider: &str) -> Option<i64> {
    try_end(vault, provider, SessionSelector::Active, &[]).unwrap().map(|entry| entry.id)
}

pub fn try_end(
    vault: &Vault,
    provider: &str,
    of: SessionSelector<'_>,
    tasks: &[Task],
) -> Result<Option<OutboxEntry>> {
    vault.transact(|tx| end_in(tx, provider, of, tasks))
}

pub fn end_in(
    tx: &Transaction<'_>,
    provider: &str,
    of: SessionSelector<'_>,
    tasks: &[Task],
) -> VaultResult<Option<OutboxEntry>> {
    let Some(session) = tx.sessions().find(provider, of)? else { return Ok(None) };
    tx.sessions().delete(&session)?;
    let entry = tx.outbox().enqueue(&revoked(&session))?;
    for task in tasks {
        tx.tasks().add(task.clone())?;
    }
    tx.audit().append(&record(Event::Logout))?;
    Ok(Some(entry))
}

/// Ends a session as a logout does, with a definition of this length in its revocation.
pub fn end_truly(vault: &Vault, of: SessionSelector<'_>, definition: usize) -> LocalOutcome {
    let whose = vault.find("angel", of).ok().flatten().unwrap_or_else(|| session("a", "angel"));
    let revocation = Revocation { definition: "x".repeat(definition), ..revoked(&whose) };
    let remains_of = |_: &Session| Remains {
        revocation: Some(revocation.clone()),
        tasks: Vec::new(),
        event: record(Event::Logout),
    };
    vault.end(&Ending::of("angel", of), &mut { remains_of })
}

pub fn events(vault: &Vault) -> Vec<String> {
    vault.trail(100).unwrap().into_iter().map(|line| line.event).collect()
}

/// Changes the file through a second connection.
pub fn sql(home: &Home, statements: &str) {
    rusqlite::Connection::open(home.file()).unwrap().execute_batch(statements).unwrap();
}

/// A transaction with access to its connection.
pub fn raw<T>(
    vault: &Vault,
    mut work: impl FnMut(&rusqlite::Connection, &Transaction<'_>) -> VaultResult<T>,
) -> T {
    let behavior = rusqlite::TransactionBehavior::Immediate;
    let done = vault.run(behavior, |connection, keys| {
        work(connection, &Transaction::new(connection, keys, vault.clock()))
    });
    vault.explained(done).unwrap()
}

/// Copies the files as a crash would leave them while a transaction is being written.
pub fn crash(home: &Home, connection: &rusqlite::Connection) -> Home {
    connection.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1").unwrap();
    for _ in 0..40 {
        connection
            .execute("INSERT INTO sinks (name, seq) VALUES (hex(zeroblob(2500)), 0)", [])
            .unwrap();
    }
    let crashed = Home::new();
    fs::create_dir_all(crashed.data()).unwrap();
    for name in ["vault.db", "vault.db-journal", "vault.lock"] {
        fs::copy(home.data().join(name), crashed.data().join(name)).unwrap();
    }
    fs::create_dir_all(crashed.keys()).unwrap();
    fs::copy(home.key_file(), crashed.keys().join(home.key_file().file_name().unwrap())).unwrap();
    crashed
}

/// From now on the file's schema is not ours, though all rows can be read.
pub fn make_foreign(home: &Home) {
    sql(home, "CREATE TABLE somebody_elses (x)");
}

/// From now on the file cannot grow.
pub fn fill_up(vault: &Vault) {
    let state = vault.state();
    let connection = &state.open.as_ref().unwrap().connection;
    connection.execute_batch("PRAGMA max_page_count = 1").unwrap();
}

/// The only damage found.
pub fn only_damage(vault: &Vault) -> Damage {
    let mut damage = vault.take_damage();
    assert_eq!(damage.len(), 1, "{damage:?}");
    damage.remove(0)
}
