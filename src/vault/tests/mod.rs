//! Tests of the vault as a whole, by concept; what they share is here.

mod accounts;
mod damage;
mod disk;
mod keys;
mod outbox;
mod rebuild;
mod sharing;
mod sinks;
mod stored;
mod tasks;

use super::*;
use crate::audit::{Event, NewAuditEvent};
use crate::clock::HeldClock;
use crate::secret::Secret;
use crate::session::{ACCESS_TOKEN, Account, Credentials, Revocation, Session};
use std::fs;
use tempfile::TempDir;

pub const NOW: i64 = 1_800_000_000;
pub const CANARY: &str = "canary-cookie-value-0123456789";

/// A data directory, its key directory, and a clock that the test sets.
pub struct Home {
    pub directory: TempDir,
    pub clock: Arc<HeldClock>,
}

impl Home {
    /// In memory where the system has such a place: the tests write a great deal.
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
        let mut keys: Vec<_> =
            fs::read_dir(self.keys()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(keys.len(), 1);
        keys.remove(0)
    }

    /// Removes all but the keys, and the lock file that says whose directory it is.
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

impl Vault {
    /// All sessions of all providers.
    pub fn sessions(&self) -> Result<Vec<Session>> {
        Ok(self.sessions_of(None)?.into_iter().map(|(session, _)| session).collect())
    }
}

pub fn credentials(token: &str) -> Credentials {
    let mut credentials = Credentials::new();
    credentials.set(ACCESS_TOKEN, Secret::new(token));
    credentials
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
        expires_at: Some(NOW + 3600),
        credentials: credentials(&format!("{CANARY} of {id}")),
        definition: String::new(),
    }
}

pub fn revoked(session: &Session) -> Revocation {
    Revocation {
        session_id: session.id.clone(),
        provider: session.provider.clone(),
        account: session.account.id.clone(),
        created_at: NOW,
        first_attempt_at: NOW,
        expires_at: session.expires_at,
        credentials: session.credentials.clone(),
        everywhere: false,
        definition: "id = \"angel\"\n".repeat(200),
    }
}

pub fn retire(session: &Session) -> Successors {
    Some(revoked(session)).into()
}

pub fn record(event: Event) -> NewAuditEvent {
    NewAuditEvent {
        event,
        provider: "angel".to_owned(),
        account: "7".to_owned(),
        outcome: "ok".to_owned(),
        detail: String::new(),
    }
}

pub fn log_in(vault: &Vault, id: &str, provider: &str) -> Session {
    vault.log_in(session(id, provider), &mut retire, &record(Event::Login)).unwrap()
}

pub fn end(vault: &Vault, provider: &str) -> Ended {
    vault.end(provider, SessionSelector::Active, &mut retire, &record(Event::Logout)).unwrap()
}

pub fn events(vault: &Vault) -> Vec<String> {
    vault.trail(100).unwrap().into_iter().map(|line| line.event).collect()
}

/// A second connection, for looking into the file and for changing it.
pub fn sql(home: &Home, statements: &str) {
    rusqlite::Connection::open(home.file()).unwrap().execute_batch(statements).unwrap();
}

/// Copies the files as a crash would leave them while `transaction` is being written.
pub fn crash(home: &Home, transaction: &Transaction<'_>) -> Home {
    transaction.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1").unwrap();
    for _ in 0..40 {
        transaction.execute("INSERT INTO reserve (space) VALUES (zeroblob(5000))", []).unwrap();
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

/// Whatever can be told from the first page is lost with it.
pub fn wipe_first_page(home: &Home) {
    let mut bytes = fs::read(home.file()).unwrap();
    bytes[..4_096].fill(0x55);
    fs::write(home.file(), bytes).unwrap();
}

/// From now on the vault's file cannot grow.
pub fn fill_up(vault: &Vault) {
    let state = vault.state();
    let connection = &state.open.as_ref().unwrap().connection;
    connection.execute_batch("PRAGMA max_page_count = 1").unwrap();
}

/// The one thing that was found damaged.
pub fn only_damage(vault: &Vault) -> Damage {
    let mut damage = vault.take_damage();
    assert_eq!(damage.len(), 1, "{damage:?}");
    damage.remove(0)
}
