//! Logging out: first the device, in one transaction; then the server, within a deadline; then the
//! truth about both.
//!
//! Nothing here can be undone by a crash: after the transaction the session cannot be restored, and
//! what revoking needs is in the outbox.

use super::Keeper;
use super::report::{Local, LogoutReport};
use super::revocation::not_tried;
use crate::audit::Event;
use crate::backoff::FIRST_TRY_LEASE;
use crate::cancel::Cancel;
use crate::clock::UnixTime;
use crate::error::{Error, Kind, Result};
use crate::logout::Verdict;
use crate::session::{Revocation, Session};
use crate::vault::{LocalOutcome, Remains, SessionSelector, Task, Vault};
use crate::wire;
use serde::Deserialize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How the logout is to be done.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LogoutOptions {
    /// Do not try the server now; the outbox will.
    pub local_only: bool,
    pub everywhere: bool,
    /// In seconds; `None`: the keeper's own.
    #[serde(deserialize_with = "wire::optional_seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub deadline: Option<Duration>,
    /// The id of the account to log out; `None`: the active one.
    pub account: Option<String>,
    /// Names of the embedding add-on's functions that are to be run afterwards.
    pub hooks: Vec<String>,
}

/// A session that is to end, and what stays of it.
struct Leaving {
    session: Session,
    /// The verdict where nothing can be sent.
    revocation: std::result::Result<Revocation, Verdict>,
    tasks: Vec<Task>,
}

impl Keeper {
    /// Logs out. Succeeds whatever the network does, and when nobody is logged in.
    pub fn log_out(&self, options: &LogoutOptions, cancel: &Cancel) -> Result<LogoutReport> {
        if options.everywhere && self.provider.everywhere.is_none() {
            return Err(self.only_here());
        }
        if options.account.as_deref() == Some("") {
            return Err(Error::new(Kind::InvalidInput, "the account's id is empty")
                .with_hint("Leave it out for the active account."));
        }
        let start = Instant::now();
        let lease = if options.local_only { Duration::ZERO } else { FIRST_TRY_LEASE };
        let commit_lock = self.shared.commit_lock();
        if options.account.is_none() || options.account == self.active_account() {
            self.shared.running.cancel(&self.provider.key);
        }
        let (local, leaving) = self.clear(options, lease);
        if let Some(leaving) = &leaving {
            self.shared.sessions.end(&leaving.session);
        }
        let _sending = match &local {
            LocalOutcome::Cleared(Some(entry)) => self.shared.delivery.begin(entry.id),
            _ => None,
        };
        drop(commit_lock);
        let Some(Leaving { session, revocation, .. }) = leaving else {
            return match local {
                LocalOutcome::Kept(error) => Err(self.incomplete(&error, &not_tried())),
                _ => Ok(self.nobody(start)),
            };
        };
        let mut ends = revocation.as_ref().ok().and_then(|revocation| revocation.expires_at);
        let verdict = match (&local, &revocation) {
            (LocalOutcome::NobodyThere, _) => return Ok(self.nobody(start)),
            (LocalOutcome::Cleared(_), Err(verdict)) => verdict.clone(),
            _ if options.local_only => not_tried(),
            (LocalOutcome::Cleared(Some(entry)), Ok(_)) => {
                log::info!("logged out here; telling the server");
                let mut entry = entry.clone();
                let verdict = self.deliver_first(&mut entry, options.deadline, cancel);
                // The look whether the session is dead may have been given a newer cookie.
                ends = entry.revocation.expires_at;
                verdict
            }
            (_, revocation) => {
                log::error!("the outbox could not be written; the server is told now or never");
                match revocation {
                    Ok(revocation) => self.revoke_unkept(revocation, options.deadline, cancel),
                    Err(verdict) => verdict.clone(),
                }
            }
        };
        let mut report = report(&session, ends, &verdict, start);
        if options.everywhere {
            report.sessions_ended = Some(verdict.others_ended + u32::from(verdict.this_ended));
        }
        self.shared.close_connections();
        log::info!("logout: {} ({})", report.remote, report.reason);
        self.publish(Event::Logout, &session.account.id, report.remote);
        report.tasks = self.do_tasks();
        report.audit_warning.clone_from(&verdict.warning);
        match local {
            LocalOutcome::Kept(error) => Err(self.incomplete(&error, &verdict)),
            LocalOutcome::Overwritten if !verdict.outcome.is_final() => {
                Err(self.unqueued(&verdict))
            }
            _ => Ok(report),
        }
    }

    /// The transaction, and the session as it was stored last. Where the disk does not even let it
    /// be read, the session is the one that this process remembers.
    fn clear(&self, options: &LogoutOptions, lease: Duration) -> (LocalOutcome, Option<Leaving>) {
        let id = &self.provider.key;
        let selector =
            options.account.as_deref().map_or(SessionSelector::Active, SessionSelector::Account);
        let remembered = self.remembered(selector);
        let account = remembered.as_ref().map_or("", |session| session.account.id.as_str());
        let audit_event = self.audit_event(Event::Logout, account, "cleared", "");
        let mut leaving = None;
        let vault = match self.shared.vault() {
            Ok(vault) => vault,
            Err(error) => {
                let leaving = remembered.map(|session| self.leaving(session, options, lease));
                return (LocalOutcome::Kept(error), leaving);
            }
        };
        let ended = vault.transact(|tx| {
            let Some(session) = tx.sessions().find(id, selector)? else {
                return Ok(LocalOutcome::NobodyThere);
            };
            let Leaving { session, revocation, tasks } =
                leaving.insert(self.leaving(session, options, lease));
            // The session goes first: its pages serve for what stays.
            tx.sessions().delete(session)?;
            let revocation = revocation.as_ref().ok();
            let entry = revocation.map(|revocation| tx.outbox().enqueue(revocation)).transpose()?;
            for task in tasks {
                tx.tasks().add(task.clone())?;
            }
            tx.audit().append(&audit_event)?;
            Ok(LocalOutcome::Cleared(entry))
        });
        if leaving.is_none() {
            leaving = remembered.map(|session| self.leaving(session, options, lease));
        }
        let local = ended.unwrap_or_else(|error| {
            log::error!("the disk refused the logout ({error}); trying without a journal");
            let remains = Remains {
                revocation: leaving.as_ref().and_then(|one| one.revocation.as_ref().ok()),
                tasks: leaving.as_ref().map_or(&[], |one| one.tasks.as_slice()),
                event: &audit_event,
            };
            match vault.end_degraded(id, selector, &remains) {
                LocalOutcome::Kept(_) => LocalOutcome::Kept(error),
                local => local,
            }
        });
        (local, leaving)
    }

    fn leaving(&self, session: Session, options: &LogoutOptions, lease: Duration) -> Leaving {
        let revocation = self.revocation(&session, lease);
        let everywhere = options.everywhere;
        Leaving {
            revocation: revocation.map(|entry| Revocation { everywhere, ..entry }),
            tasks: self.tasks_after_logout(&session, &options.hooks),
            session,
        }
    }

    /// The session that is meant, as far as it can be read or was read before.
    fn remembered(&self, selector: SessionSelector<'_>) -> Option<Session> {
        let id = &self.provider.key;
        match selector {
            SessionSelector::Active => match self.shared.session(id) {
                Ok(session) => session,
                Err(_) => self.shared.sessions.get(id).and_then(|seen| seen.session),
            },
            SessionSelector::Account(_) | SessionSelector::Session(_) => {
                let find = |vault: Arc<Vault>| vault.read(|tx| tx.sessions().find(id, selector));
                self.shared.vault().and_then(find).ok().flatten()
            }
        }
    }

    fn active_account(&self) -> Option<String> {
        self.remembered(SessionSelector::Active).map(|session| session.account.id)
    }

    fn only_here(&self) -> Error {
        let name = &self.provider.name;
        Error::new(
            Kind::InvalidInput,
            format!("{name} has no way to end the sessions on other devices"),
        )
        .with_hint("Log out on each device, or change the password at the service's website.")
    }

    fn incomplete(&self, error: &Error, verdict: &Verdict) -> Error {
        let server = if verdict.outcome.is_final() {
            "The server has ended the session."
        } else {
            "The server could not be told either."
        };
        let place = self.shared.directory.display();
        Error::new(
            Kind::LogoutIncomplete,
            format!("logged out until the next start only: {}. {server}", error.message()),
        )
        .with_hint(format!("Make room or make {place} writable and log out again, or delete it."))
    }

    fn unqueued(&self, verdict: &Verdict) -> Error {
        Error::new(
            Kind::LogoutIncomplete,
            format!("logged out here, but the server will not be told: {}", verdict.reason),
        )
        .with_hint(format!(
            "The disk took no note of it. Change the password at {} to be sure.",
            self.provider.website.as_str()
        ))
    }

    fn nobody(&self, start: Instant) -> LogoutReport {
        log::info!("logout: nobody was logged in at {}", self.provider.name);
        LogoutReport {
            local: Local::AlreadySignedOut,
            remote: "nothing_to_revoke",
            status: None,
            cookies_cleared: Vec::new(),
            duration_ms: milliseconds(start),
            expires_at: None,
            reason: String::new(),
            sessions_ended: None,
            audit_warning: String::new(),
            tasks: Vec::new(),
        }
    }
}

fn report(
    session: &Session,
    ends: Option<UnixTime>,
    verdict: &Verdict,
    start: Instant,
) -> LogoutReport {
    LogoutReport {
        local: Local::Cleared,
        remote: verdict.outcome.as_str(),
        status: verdict.status,
        cookies_cleared: session.credentials.jar.names(),
        duration_ms: milliseconds(start),
        expires_at: ends,
        reason: verdict.reason.clone(),
        sessions_ended: None,
        audit_warning: String::new(),
        tasks: Vec::new(),
    }
}

fn milliseconds(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
