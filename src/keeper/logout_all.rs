//! Logging out of everything on this device: every account of every service, in this data directory
//! and in each private vault that is registered with it.
//!
//! Each logout is the ordinary one, first here and then at the server, and several run side by side
//! under one deadline. What has not begun by then, or after a cancel, is done here alone, and the
//! server is told later. So a kill half-way loses nothing.

use super::handle::{AT_ONCE, Keeper};
use super::handover::HandedOver;
use super::logout::LogoutOptions;
use super::register::{self, RegisteredVault};
use super::report::{Conclusion, LogoutAll, LogoutAllEntry, LogoutReport};
use super::shared::Shared;
use crate::cancel::{Cancel, Progress};
use crate::error::{Error, Kind, Result};
use crate::provider::id_of;
use crate::session::{Outcome, Session};
use crate::vault::{BusyTimeout, StoredSession};
use crate::wire;
use serde::Deserialize;
use std::collections::VecDeque;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// So many servers are told at once.
const THREADS: usize = 8;

/// With less than this left, no server is asked.
const TOO_LATE: Duration = Duration::from_millis(500);

/// However little time is left for the server, this long others are waited for at the vault: the
/// threads here are each other's others.
const WAIT: Duration = Duration::from_secs(2);

/// How everything is to be logged out of.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LogoutAllOptions {
    /// In seconds, for all of them together; `None`: the keeper's.
    #[serde(deserialize_with = "wire::optional_seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub deadline: Option<Duration>,
    /// Names of the embedding add-on's functions, for its own accounts at its own provider.
    pub hooks: Vec<String>,
    /// Sessions that were not taken over yet, and end as well.
    pub handed_over: Vec<HandedOver>,
}

/// However little time there is, all vaults are read for this long, side by side.
const READING: Duration = Duration::from_millis(500);

/// Of a vault whose disk or network path may come back.
const AWAY: &str = "its vault cannot be reached now";

const VANISHED: &str = "its vault is gone; a login that was in it may go on at the service";

/// A vault, and the add-on whose private one it is; empty for this keeper's own.
struct OneVault {
    keeper: Keeper,
    addon: String,
}

/// The vaults that there are, and a line for each that there is not.
struct Vaults {
    vaults: Vec<OneVault>,
    unread: Vec<LogoutAllEntry>,
}

/// What a vault holds, and what was in the way.
struct Found {
    sessions: Vec<Session>,
    error: Option<Error>,
}

/// Somebody who is to be logged out.
struct Leaving {
    vault: usize,
    session: Session,
    hooks: Vec<String>,
}

/// What is left to do, and what came of the rest.
struct Work {
    waiting: VecDeque<(usize, Leaving)>,
    entries: Vec<Option<LogoutAllEntry>>,
    done: u32,
}

impl Keeper {
    /// Logs out of everything. What could not be done is in the result.
    pub fn log_out_all(&self, options: &LogoutAllOptions, cancel: &Cancel) -> Result<LogoutAll> {
        if let Some(caller) = &self.caller {
            let message = format!("{caller} may not log out of everything");
            return Err(Error::new(Kind::InvalidInput, message)
                .with_hint("Log out of everything in Sessionkeeper's own settings."));
        }
        log::info!("logging out of everything");
        let (start, deadline) = (Instant::now(), options.deadline.unwrap_or(self.logout_deadline));
        let until = start + deadline;
        let Vaults { vaults, mut unread } = self.every_vault();
        // Whoever holds one of the vaults must not cost the others their time.
        let reading = BusyTimeout::until(start + READING.max(deadline / 4), cancel);
        let handing =
            LogoutOptions { handed_over: options.handed_over.clone(), ..LogoutOptions::default() };
        let handed = self.end_handed_over(&handing, &reading);
        let mut waiting = Vec::new();
        for (number, found) in read_all(&vaults, &reading).into_iter().enumerate() {
            let vault = &vaults[number];
            waiting.extend(found.sessions.into_iter().map(|session| {
                let is_own = number == 0 && session.provider == self.provider.key;
                let hooks = if is_own { options.hooks.clone() } else { Vec::new() };
                Leaving { vault: number, session, hooks }
            }));
            if let Some(error) = found.error {
                log::error!("a vault cannot be read ({}): {error}", vault.addon);
                unread.push(LogoutAllEntry::of_vault(&vault.addon, error.message()));
            }
        }
        let total = u32::try_from(waiting.len()).unwrap_or(u32::MAX);
        let threads = waiting.len().min(THREADS);
        let entries = waiting.iter().map(|_| None).collect();
        let waiting = waiting.into_iter().enumerate().collect();
        let work = Mutex::new(Work { waiting, entries, done: 0 });
        cancel.set_progress(Progress { done: 0, total });
        thread::scope(|scope| {
            let work_off = || work_off(&work, &vaults, until, cancel, total);
            for _ in 1..threads {
                // Where there is no thread to be had, the others do the work.
                let _ = thread::Builder::new().spawn_scoped(scope, work_off);
            }
            work_off();
        });
        let done = work.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut entries: Vec<_> = done.entries.into_iter().flatten().collect();
        for mut handed in handed {
            let left = until.saturating_duration_since(Instant::now());
            let verdict = self.tell_handed_over(&mut handed, &handing, left, cancel);
            let mut entry = LogoutAllEntry {
                provider: self.provider.id.clone(),
                provider_name: self.provider.name.clone(),
                account: Some(handed.leaving.session.account.clone()),
                status: verdict.status,
                ..LogoutAllEntry::of_vault("", &verdict.reason)
            };
            if handed.is_noted() || verdict.outcome.is_final() {
                entry.conclude(verdict.outcome, handed.ends_at());
            }
            entries.push(entry);
        }
        // What failed in a vault is unknown there; what was gone for certain holds nothing.
        let is_all_read = unread.iter().all(|entry| entry.conclusion == Conclusion::Unknown);
        let counting = BusyTimeout::until(until.max(Instant::now() + AT_ONCE), cancel);
        let pending = if is_all_read {
            vaults.iter().map(|vault| vault.pending(&counting)).sum()
        } else {
            None
        };
        entries.extend(unread);
        Ok(LogoutAll::new(entries, pending))
    }

    /// This keeper's vault, and those that are registered with it.
    fn every_vault(&self) -> Vaults {
        let mut vaults = vec![OneVault { keeper: self.clone(), addon: String::new() }];
        let registered = register::list(&self.shared.directory, false);
        let (registered, error) = match registered {
            Ok(registered) => (registered, None),
            Err(error) => (register::Vaults::default(), Some(error)),
        };
        let mut unread = Vec::new();
        if let Some(error) = error {
            log::error!("{error}");
            unread.push(LogoutAllEntry::of_vault("", error.message()));
        }
        for RegisteredVault { addon, data_dir, key_dir } in registered.vaults {
            match Shared::at(Path::new(&data_dir), Some(PathBuf::from(key_dir))) {
                Ok(shared) if shared.directory == self.shared.directory => {}
                Ok(shared) => {
                    let keeper = Keeper { shared, ..self.clone() };
                    vaults.push(OneVault { keeper, addon });
                }
                Err(error) => unread.push(LogoutAllEntry::of_vault(&addon, error.message())),
            }
        }
        let away = registered.away.iter();
        unread.extend(away.map(|vault| LogoutAllEntry::of_vault(&vault.addon, AWAY)));
        unread.extend(registered.vanished.iter().map(|vault| LogoutAllEntry {
            conclusion: Conclusion::Unknown,
            ..LogoutAllEntry::of_vault(&vault.addon, VANISHED)
        }));
        Vaults { vaults, unread }
    }

    /// Ends what is under way in the vault, in any process, and says who is logged in.
    fn read_out(&self, timeout: &BusyTimeout) -> Found {
        // Others hold it for a moment only. If not, the transactions order what they can.
        let _commit_lock = self.shared.commit_lock(timeout);
        self.shared.running.cancel_all();
        let read = self.with_timeout(timeout.clone()).vault().and_then(|vault| {
            let ended = vault.end_logins();
            Ok((vault.read(|tx| tx.sessions().list(None))?, ended.err()))
        });
        match read {
            Ok((stored, error)) => {
                let living = |stored: StoredSession| self.shared.sessions.living(stored.session);
                Found { sessions: stored.into_iter().filter_map(living).collect(), error }
            }
            Err(error) => Found { sessions: Vec::new(), error: Some(error) },
        }
    }

    /// Logs one account out. `None`: somebody else has done so meanwhile.
    fn log_one_out(
        &self,
        leaving: &Leaving,
        addon: &str,
        until: Instant,
        cancel: &Cancel,
    ) -> Option<LogoutAllEntry> {
        let Leaving { session, hooks, .. } = leaving;
        let mut entry = LogoutAllEntry {
            provider: id_of(&session.provider).to_owned(),
            account: Some(session.account.clone()),
            ..LogoutAllEntry::of_vault(addon, "")
        };
        let provider = match self.definition_of(session) {
            Ok(provider) => provider,
            Err(error) => {
                if self.end_for_good(session, None) {
                    entry.conclude(Outcome::Unconfirmed, session.expires_at);
                }
                error.message().clone_into(&mut entry.reason);
                return Some(entry);
            }
        };
        entry.provider_name.clone_from(&provider.name);
        let keeper = Keeper { provider: Arc::new(provider), ..self.clone() };
        let log_out = |left: Duration, cancel: &Cancel| {
            let options = LogoutOptions {
                local_only: left.is_zero(),
                deadline: Some(left),
                account: Some(session.account.id.clone()),
                hooks: hooks.clone(),
                ..LogoutOptions::default()
            };
            keeper.log_out_after(WAIT.max(left / 2), &options, cancel)
        };
        let left = until.saturating_duration_since(Instant::now());
        let is_late = left < TOO_LATE || cancel.is_cancelled();
        let report = if is_late {
            log_out(Duration::ZERO, &Cancel::new())
        } else {
            // Whoever cancels does not want to wait; logged out they want to be.
            log_out(left, &cancel.child()).or_else(|error| {
                let again = log_out(Duration::ZERO, &Cancel::new());
                // What has become of it in between is not known here.
                again.and_then(|report| if is_nothing(&report) { Err(error) } else { Ok(report) })
            })
        };
        match report {
            Ok(report) if is_nothing(&report) => return None,
            Ok(report) => {
                entry.conclude(report.remote, report.expires_at);
                entry.status = report.status;
                entry.reason = report.reason;
            }
            Err(error) => error.message().clone_into(&mut entry.reason),
        }
        Some(entry)
    }
}

impl OneVault {
    /// How many logouts wait in it; `None`: it cannot be read.
    fn pending(&self, timeout: &BusyTimeout) -> Option<u64> {
        let vault = self.keeper.with_timeout(timeout.clone()).vault().ok()?;
        vault.read(|tx| tx.outbox().count(None)).ok()
    }
}

/// Side by side, so that one which others hold costs the rest no time.
fn read_all(vaults: &[OneVault], timeout: &BusyTimeout) -> Vec<Found> {
    let read = |OneVault { keeper, .. }: &OneVault| keeper.logged(|| keeper.read_out(timeout));
    thread::scope(|scope| {
        let reader = |vault| thread::Builder::new().spawn_scoped(scope, move || read(vault));
        let readers: Vec<_> = vaults.iter().map(|vault| (vault, reader(vault))).collect();
        readers
            .into_iter()
            .map(|(vault, reader)| match reader {
                Ok(reader) => reader.join().unwrap_or_else(|panic| resume_unwind(panic)),
                // The system has no thread left.
                Err(_) => read(vault),
            })
            .collect()
    })
}

/// True where somebody else has logged the account out meanwhile.
fn is_nothing(report: &LogoutReport) -> bool {
    report.remote == Outcome::NothingToRevoke
}

/// What one of the threads does.
fn work_off(work: &Mutex<Work>, vaults: &[OneVault], until: Instant, cancel: &Cancel, total: u32) {
    let next = || lock(work).waiting.pop_front();
    while let Some((number, leaving)) = next() {
        let OneVault { keeper, addon } = &vaults[leaving.vault];
        let entry = keeper.logged(|| keeper.log_one_out(&leaving, addon, until, cancel));
        let mut work = lock(work);
        work.entries[number] = entry;
        work.done += 1;
        cancel.set_progress(Progress { done: work.done, total });
    }
}

fn lock(work: &Mutex<Work>) -> MutexGuard<'_, Work> {
    work.lock().unwrap_or_else(PoisonError::into_inner)
}
