//! Logging out of everything on this device: every account of every service, in this data directory
//! and in each private vault that is registered with it.
//!
//! Each logout is the ordinary one, first here and then at the server, and several run side by side
//! under one deadline. What has not begun by then, or after a cancel, is done here alone, and the
//! server is told later. So a kill half-way loses nothing.

use super::handle::Keeper;
use super::logout::LogoutOptions;
use super::register::{self, RegisteredVault};
use super::report::{Conclusion, LogoutAll, LogoutAllEntry, LogoutReport};
use super::shared::Shared;
use crate::cancel::{Cancel, Progress};
use crate::error::{Error, Kind, Result};
use crate::provider::id_of;
use crate::session::{Outcome, Session};
use crate::vault::BusyTimeout;
use crate::wire;
use serde::Deserialize;
use std::collections::VecDeque;
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
}

/// A vault, and the add-on whose private one it is; empty for this keeper's own.
struct OneVault {
    keeper: Keeper,
    addon: String,
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
        // Whoever holds one of the vaults must not cost the others their time.
        let reading = BusyTimeout::until(start + deadline / 4, cancel);
        let registered = register::list(&self.shared.directory, false)?;
        let vaults = self.with_registered(registered.vaults)?;
        let gone = registered.vanished.iter().map(|vault| LogoutAllEntry {
            conclusion: Conclusion::Unknown,
            ..LogoutAllEntry::of_vault(&vault.addon, "it is not there any more")
        });
        let mut unreadable: Vec<_> = gone.collect();
        let mut waiting = Vec::new();
        for (number, vault) in vaults.iter().enumerate() {
            // What they began is not wanted any more.
            vault.keeper.shared.running.cancel_all();
            match vault.keeper.logged(|| vault.keeper.stored_sessions(&reading)) {
                Ok(sessions) => waiting.extend(sessions.into_iter().map(|session| {
                    let is_own = number == 0 && session.provider == self.provider.key;
                    let hooks = if is_own { options.hooks.clone() } else { Vec::new() };
                    Leaving { vault: number, session, hooks }
                })),
                Err(error) if number == 0 => return Err(error),
                Err(error) => {
                    log::error!("the vault of {} cannot be read: {error}", vault.addon);
                    unreadable.push(LogoutAllEntry::of_vault(&vault.addon, error.message()));
                }
            }
        }
        let total = u32::try_from(waiting.len()).unwrap_or(u32::MAX);
        let threads = waiting.len().min(THREADS);
        let entries = waiting.iter().map(|_| None).collect();
        let waiting = waiting.into_iter().enumerate().collect();
        let work = Mutex::new(Work { waiting, entries, done: 0 });
        cancel.set_progress(Progress { done: 0, total });
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| work_off(&work, &vaults, until, cancel, total));
            }
        });
        let done = work.into_inner().unwrap_or_else(PoisonError::into_inner);
        let entries = done.entries.into_iter().flatten().chain(unreadable);
        let pending = vaults.iter().filter_map(|vault| {
            vault.keeper.vault().and_then(|vault| vault.read(|tx| tx.outbox().count(None))).ok()
        });
        Ok(LogoutAll::new(entries.collect(), pending.sum()))
    }

    /// This keeper's vault, and those that are registered with it.
    fn with_registered(&self, registered: Vec<RegisteredVault>) -> Result<Vec<OneVault>> {
        let mut vaults = vec![OneVault { keeper: self.clone(), addon: String::new() }];
        for RegisteredVault { addon, data_dir, key_dir } in registered {
            let shared = Shared::at(Path::new(&data_dir), Some(PathBuf::from(key_dir)))?;
            if shared.directory != self.shared.directory {
                let keeper = Keeper { shared, ..self.clone() };
                vaults.push(OneVault { keeper, addon });
            }
        }
        Ok(vaults)
    }

    fn stored_sessions(&self, timeout: &BusyTimeout) -> Result<Vec<Session>> {
        let stored =
            self.with_timeout(timeout.clone()).vault()?.read(|tx| tx.sessions().list(None))?;
        let living = |session| self.shared.sessions.living(session);
        Ok(stored.into_iter().filter_map(|stored| living(stored.session)).collect())
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
                everywhere: false,
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
