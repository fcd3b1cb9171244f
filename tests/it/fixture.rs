//! A device with a data directory of its own, and what every test does there. The only place that
//! knows how a keeper is set up.

use sessionkeeper::cancel::Cancel;
use sessionkeeper::clock::{Clock, HeldClock, SystemClock};
use sessionkeeper::error::Result;
use sessionkeeper::http::{Proxy, Settings};
use sessionkeeper::keeper::{
    Config, DrainReport, Keeper, LogoutOptions, LogoutReport, Outgoing, Received, State,
};
use sessionkeeper::provider::{Provider, Sources};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// How long an answer is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The longest body that a keeper takes.
pub const MAX_BODY: usize = 3 << 20;

/// A keeper, and the place where another one finds what it stored.
pub struct Device {
    keeper: Keeper,
    config: Config,
    pub clock: Arc<HeldClock>,
    pub directory: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Deref for Device {
    type Target = Keeper;

    fn deref(&self) -> &Keeper {
        &self.keeper
    }
}

impl Device {
    pub fn new(provider: Provider, clock: &Arc<HeldClock>) -> Self {
        let temporary = tempfile::tempdir().unwrap();
        let device = Device::at(temporary.path(), provider, clock);
        Device { _temporary: Some(temporary), ..device }
    }

    /// The device whose directory this is already.
    pub fn at(directory: &Path, provider: Provider, clock: &Arc<HeldClock>) -> Self {
        let config = config(provider, directory);
        let (clock, directory) = (Arc::clone(clock), directory.to_owned());
        Device { keeper: keeper(&config, &clock), config, clock, directory, _temporary: None }
    }

    /// A device whose vault is registered with the device at `shared`, as that add-on's own.
    pub fn private(provider: Provider, clock: &Arc<HeldClock>, shared: &Path, addon: &str) -> Self {
        let device = Device::new(provider, clock);
        let config = Config {
            addon: Some(addon.to_owned()),
            register_in: Some(shared.join("data")),
            ..device.config.clone()
        };
        Device { keeper: keeper(&config, clock), config, ..device }
    }

    /// A device like this one, with its data in another directory.
    pub fn with_data_in(&self, directory: &Path) -> Self {
        let config = Config { directory: directory.join("data"), ..self.config.clone() };
        let (clock, directory) = (Arc::clone(&self.clock), directory.to_owned());
        Device { keeper: keeper(&config, &clock), config, clock, directory, _temporary: None }
    }

    /// A keeper of another add-on than that whose vault it is.
    pub fn called_by(&self, addon: &str) -> Keeper {
        let caller = Some(addon.to_owned());
        keeper(&Config { caller, ..self.config.clone() }, &self.clock)
    }

    /// A keeper that remembers nothing, as after a restart or in another process.
    pub fn restarted(&self) -> Keeper {
        keeper(&self.config, &self.clock)
    }

    /// The keeper of an add-on that shares the accounts, in a process of its own.
    pub fn of_addon(&self, id: &str) -> Keeper {
        keeper(&Config { caller: Some(id.to_owned()), ..self.config.clone() }, &self.clock)
    }

    /// The viewer's keeper and an add-on's, in one process.
    pub fn shared_with_addon(&self, id: &str) -> (Keeper, Keeper) {
        let caller = Some(id.to_owned());
        let addon = Keeper::open(Config { caller, ..self.config.clone() }).unwrap();
        (Keeper::open(self.config.clone()).unwrap(), addon)
    }

    /// A keeper with this patience.
    pub fn with_lock_timeout(&self, lock_timeout: Duration) -> Keeper {
        keeper(&Config { lock_timeout, ..self.config.clone() }, &self.clock)
    }

    /// A keeper whose requests carry these headers.
    pub fn with_headers(&self, headers: Vec<(String, String)>) -> Keeper {
        self.try_with_headers(headers).unwrap()
    }

    pub fn try_with_headers(&self, headers: Vec<(String, String)>) -> Result<Keeper> {
        let clock: Arc<HeldClock> = Arc::clone(&self.clock);
        Keeper::with_clock(Config { headers, ..self.config.clone() }, clock)
    }

    /// What this process has one of for each directory.
    pub fn shared_at(&self, directory: &Path) -> Keeper {
        let directory = directory.to_owned();
        Keeper::open(Config { directory, ..self.config.clone() }).unwrap()
    }

    /// A keeper that waits as long as it says.
    pub fn in_real_time(&self) -> Keeper {
        Keeper::with_clock(self.config.clone(), Arc::new(SystemClock::default())).unwrap()
    }

    /// A connection to the vault from outside, which holds this lock.
    pub fn lock_vault(&self, lock: &str) -> rusqlite::Connection {
        let other = rusqlite::Connection::open(self.directory.join("data/vault.db")).unwrap();
        other.execute_batch(lock).unwrap();
        other
    }

    /// Sets the wall clock by so much; no time passes.
    pub fn advance(&self, seconds: i64) {
        self.clock.set(self.clock.now() + seconds);
    }

    /// So many seconds go by.
    pub fn pass(&self, seconds: u64) {
        self.clock.pass(Duration::from_secs(seconds));
    }
}

fn keeper(config: &Config, clock: &Arc<HeldClock>) -> Keeper {
    let clock: Arc<HeldClock> = Arc::clone(clock);
    Keeper::with_clock(config.clone(), clock).unwrap()
}

fn config(provider: Provider, directory: &Path) -> Config {
    Config {
        provider,
        sources: Sources::default(),
        directory: directory.join("data"),
        key_directory: Some(directory.join("keys")),
        caller: None,
        network: Settings {
            connect_timeout: LONGEST_WAIT,
            answer_timeout: LONGEST_WAIT,
            total_timeout: 2 * LONGEST_WAIT,
            proxy: Proxy::None,
            ..Settings::default()
        },
        headers: Vec::new(),
        max_body: MAX_BODY,
        logout_deadline: LONGEST_WAIT,
        lock_timeout: 5 * LONGEST_WAIT,
        renewal_margin: 3600,
        addon: None,
        register_in: None,
        background: false,
        log_level: log::LevelFilter::Debug,
        log_to_terminal: false,
    }
}

/// A clock that shows the right time until a test moves it.
pub fn clock() -> Arc<HeldClock> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Arc::new(HeldClock::at(i64::try_from(now).unwrap()))
}

pub fn never() -> Cancel {
    Cancel::new()
}

/// A cancel that comes by itself.
pub fn cancel_after(milliseconds: u64) -> Cancel {
    let cancel = Cancel::new();
    let other = cancel.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(milliseconds));
        other.cancel();
    });
    cancel
}

/// Waits for what others do meanwhile, for so many seconds at most; then it fails with the words.
#[track_caller]
pub fn wait_until(seconds: u64, otherwise: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(seconds), "{otherwise}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub fn state(keeper: &Keeper) -> State {
    keeper.status().unwrap().state
}

pub fn pending(keeper: &Keeper) -> u64 {
    keeper.status().unwrap().pending_revocations
}

pub fn log_out(keeper: &Keeper) -> LogoutReport {
    keeper.log_out(&LogoutOptions::default(), &never()).unwrap()
}

/// Tries every waiting logout, due or not.
pub fn drain(keeper: &Keeper) -> DrainReport {
    keeper.drain(false, &never()).unwrap()
}

/// Asks the provider who is logged in, as an add-on does. Gives the status.
pub fn ask(keeper: &Keeper) -> Result<u16> {
    get(keeper, keeper.provider().website.join("/me").unwrap().as_str())
}

pub fn get(keeper: &Keeper, url: &str) -> Result<u16> {
    let received = try_request(keeper, url)?;
    received.session_over.map_or(Ok(received.status), Err)
}

/// The answer to a GET with the session's credentials.
pub fn request(keeper: &Keeper, url: &str) -> Received {
    try_request(keeper, url).unwrap()
}

fn try_request(keeper: &Keeper, url: &str) -> Result<Received> {
    keeper.request(&Outgoing::new("GET", url), &never())
}

/// How often the vault was written, from the header of its file.
pub fn commits(device: &Device) -> u32 {
    let bytes = std::fs::read(device.directory.join("data/vault.db")).unwrap();
    u32::from_be_bytes(bytes[24..28].try_into().unwrap())
}

/// How many lines of the audit trail tell of `event`.
pub fn noted(keeper: &Keeper, event: &str) -> usize {
    keeper.audit(10_000).unwrap().iter().filter(|line| line.event == event).count()
}

/// How often other add-ons were told of `event`.
pub fn told(keeper: &Keeper, event: &str) -> usize {
    keeper.events_after(0).iter().filter(|one| one.event.as_str() == event).count()
}

/// Runs the cases at once: most of their time they wait.
pub fn at_once<T: Sync>(cases: &[T], run: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| run(case));
        }
    });
}
