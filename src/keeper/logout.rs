//! Logging out. First the device, in one transaction; then the server, within a deadline; then the
//! truth about both.
//!
//! Nothing here can be undone by a crash: after the transaction the session cannot be restored,
//! and what revoking needs is in the outbox.

use super::handle::Keeper;
use super::report::{Local, LogoutReport};
use crate::audit::Event;
use crate::backoff::FIRST_TRY_LEASE;
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::logout::Verdict;
use crate::session::{Outcome, Revocation, Session};
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
    /// In seconds; `None`: the keeper's.
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
        let commit_lock = self.shared.commit_lock();
        let is_active = options.account.is_none()
            || options.account == self.active_session().map(|session| session.account.id);
        if is_active {
            self.shared.running.cancel(&self.provider.key);
        }
        let (local, leaving) = self.clear(options, is_active);
        if let Some(leaving) = &leaving {
            self.shared.sessions.end(&leaving.session);
        }
        let _sending = match &local {
            LocalOutcome::Cleared(Some(entry)) => self.shared.delivery.begin(entry.id),
            _ => None,
        };
        drop(commit_lock);
        let mut leaving = leaving.filter(|_| !matches!(local, LocalOutcome::NobodyThere));
        let verdict = match (&mut leaving, &local) {
            (Some(leaving), _) => self.tell(&local, leaving, options, cancel),
            (None, LocalOutcome::NobodyThere) => Verdict::new(Outcome::NothingToRevoke, ""),
            (None, _) => not_tried(),
        };
        let report = self.report(leaving, &verdict, options, start);
        match local {
            LocalOutcome::Kept(error) => Err(self.incomplete(&error, &verdict)),
            LocalOutcome::Overwritten if !verdict.outcome.is_final() => {
                Err(self.unqueued(&verdict))
            }
            _ => Ok(report),
        }
    }

    /// The transaction, and the session as it was stored last. Where the disk does not even let it
    /// be read, or has damaged it, the session is the one that this process remembers; `None`:
    /// nobody was logged in.
    fn clear(&self, options: &LogoutOptions, is_active: bool) -> (LocalOutcome, Option<Leaving>) {
        let id = &self.provider.key;
        let selector =
            options.account.as_deref().map_or(SessionSelector::Active, SessionSelector::Account);
        let find = |vault: Arc<Vault>| vault.read(|tx| tx.sessions().find(id, selector));
        let remembered = if is_active {
            self.active_session()
        } else {
            self.shared.vault().and_then(find).ok().flatten()
        };
        let lost = self.shared.sessions.lost(id).filter(|_| is_active);
        let account = remembered.as_ref().map_or("", |session| session.account.id.as_str());
        let event = self.event(Event::Logout, account, "cleared");
        let leave = |session| self.leaving(session, options);
        let vault = match self.shared.vault() {
            Ok(vault) => vault,
            Err(error) => return (LocalOutcome::Kept(error), remembered.map(leave)),
        };
        let mut leaving = None;
        let ended = vault.transact(|tx| {
            let found = tx.sessions().find(id, selector)?;
            let found = found.or_else(|| lost.clone());
            // A login under way in another process loses. Where there is none, nothing is written.
            if is_active && (found.is_some() || vault.has_logins()) {
                tx.eras().begin(id)?;
            }
            let Some(session) = found else { return Ok(LocalOutcome::NobodyThere) };
            let Leaving { session, revocation, tasks } = leaving.insert(leave(session));
            // The session goes first: its pages serve for what stays.
            tx.sessions().delete(session)?;
            let revocation = revocation.as_ref().ok();
            let entry = revocation.map(|revocation| tx.outbox().enqueue(revocation)).transpose()?;
            for task in tasks {
                tx.tasks().add(task.clone())?;
            }
            tx.audit().append(&event)?;
            Ok(LocalOutcome::Cleared(entry))
        });
        let local = ended.unwrap_or_else(|error| {
            log::error!("the disk refused the logout ({error}); trying without a journal");
            let mut remains_of = |session: &Session| {
                let Leaving { session, revocation, tasks } = leaving.insert(leave(session.clone()));
                Remains {
                    revocation: revocation.as_ref().ok().cloned(),
                    tasks: tasks.clone(),
                    event: self.event(Event::Logout, &session.account.id, "cleared"),
                }
            };
            match vault.end_degraded(id, selector, &mut remains_of) {
                LocalOutcome::Kept(_) => LocalOutcome::Kept(error),
                local => local,
            }
        });
        (local, leaving.or_else(|| remembered.map(leave)))
    }

    fn leaving(&self, session: Session, options: &LogoutOptions) -> Leaving {
        let lease = if options.local_only { 0 } else { FIRST_TRY_LEASE };
        let revocation = self.revocation(&session).map(|revocation| Revocation {
            everywhere: options.everywhere,
            promised_to: Some(session.account.clone()),
            first_attempt_at: revocation.created_at + lease,
            ..revocation
        });
        let tasks = self.tasks_after_logout(&session, &options.hooks);
        Leaving { session, revocation, tasks }
    }

    /// The active session, as far as it can be read or was read before.
    fn active_session(&self) -> Option<Session> {
        let (provider, sessions) = (&self.provider.key, &self.shared.sessions);
        let read = self.shared.session(provider);
        let known = read.unwrap_or_else(|_| sessions.get(provider).and_then(|seen| seen.session));
        known.or_else(|| sessions.lost(provider))
    }

    /// Tells the server.
    fn tell(
        &self,
        local: &LocalOutcome,
        leaving: &mut Leaving,
        options: &LogoutOptions,
        cancel: &Cancel,
    ) -> Verdict {
        match (local, &mut leaving.revocation) {
            (_, Err(verdict)) => verdict.clone(),
            _ if options.local_only => not_tried(),
            (LocalOutcome::Cleared(Some(entry)), Ok(revocation)) => {
                log::info!("logged out here; telling the server");
                let mut entry = entry.clone();
                let verdict = self.deliver_first(&mut entry, options.deadline, cancel);
                // The look whether the session is dead may have brought a newer credential.
                revocation.expires_at = entry.revocation.expires_at;
                verdict
            }
            (_, Ok(revocation)) => {
                log::error!("the outbox could not be written; the server is told now or never");
                self.send_unqueued(revocation, options.deadline, cancel)
            }
        }
    }

    /// Tells others what the logout came to, and does what is left to do on this device.
    fn report(
        &self,
        leaving: Option<Leaving>,
        verdict: &Verdict,
        options: &LogoutOptions,
        start: Instant,
    ) -> LogoutReport {
        log::info!("logout: {} ({})", verdict.outcome.as_str(), verdict.reason);
        let mut report = LogoutReport {
            local: if leaving.is_some() { Local::Cleared } else { Local::AlreadySignedOut },
            remote: verdict.outcome,
            status: verdict.status,
            cookies_cleared: Vec::new(),
            duration_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            expires_at: None,
            reason: verdict.reason.clone(),
            sessions_ended: None,
            notes: verdict.notes.clone(),
            tasks: Vec::new(),
        };
        let Some(Leaving { session, revocation, tasks }) = leaving else { return report };
        report.cookies_cleared = session.credentials.jar.names();
        report.expires_at = revocation.ok().and_then(|revocation| revocation.expires_at);
        let ended = verdict.others_ended + u32::from(verdict.this_ended);
        report.sessions_ended = options.everywhere.then_some(ended);
        let event = self.event(Event::Logout, &session.account.id, report.remote.as_str());
        self.shared.close_connections();
        self.shared.publish(&event);
        if !tasks.is_empty() {
            report.tasks = self.do_tasks();
        }
        report
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
}

fn not_tried() -> Verdict {
    Verdict::new(Outcome::Deferred, "the server was not tried")
}
