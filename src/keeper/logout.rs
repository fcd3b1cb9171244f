//! The way out. First the device, in one transaction; then the server, within a deadline; then the
//! truth about both.
//!
//! Nothing here can be undone by a crash: after the transaction the session cannot be restored, and
//! what revoking needs is in the outbox.

use super::Keeper;
use super::report::{Local, Report};
use super::revocation::not_tried;
use crate::audit::Event;
use crate::backoff::FIRST_TRY_LEASE;
use crate::cancel::Cancel;
use crate::clock::UnixTime;
use crate::error::{Error, Kind, Result};
use crate::logout::Verdict;
use crate::session::{Revocation, Session};
use crate::vault::{Ended, InPlace, SessionSelector, Successors};
use std::time::{Duration, Instant};

/// How the logout is to be done.
#[derive(Clone, Debug, Default)]
pub struct LogoutOptions {
    /// Do not try the server now; the outbox will.
    pub local_only: bool,
    pub everywhere: bool,
    /// `None`: the keeper's own.
    pub deadline: Option<Duration>,
    /// The id of the account to sign out; `None`: the active one.
    pub account: Option<String>,
    /// Names of the embedding add-on's functions that are to be run afterwards.
    pub hooks: Vec<String>,
}

/// What the disk made of a logout.
enum Cleared {
    NobodyThere,
    /// Gone, and what the server is to be told is in the outbox.
    Queued(i64),
    /// Gone, and there is nothing to send; the verdict says why.
    Unsendable(Verdict),
    /// The session cannot be read any more, but the disk took no outbox entry.
    Unqueued,
    /// The disk refused everything; the session is gone from memory only.
    Kept(Error),
}

impl Keeper {
    /// Signs out. Succeeds whatever the network does, and when nobody is signed in.
    pub fn log_out(&self, manner: &LogoutOptions, cancel: &Cancel) -> Result<Report> {
        if manner.everywhere && !self.provider.can_log_out_everywhere() {
            return Err(self.only_here());
        }
        let start = Instant::now();
        let lease = if manner.local_only { Duration::ZERO } else { FIRST_TRY_LEASE };
        let commit_lock = self.shared.commit_lock();
        if manner.account.is_none() || manner.account == self.active_account() {
            self.shared.running.cancel(&self.provider.key);
        }
        let mut ends = None;
        let (cleared, session) = self.clear(manner, lease, &mut ends);
        if let Some(session) = &session {
            self.shared.sessions.end(session);
        }
        let _sending = match &cleared {
            Cleared::Queued(id) => self.shared.delivery.begin(*id),
            _ => None,
        };
        drop(commit_lock);
        let audit = self.deliver_audit_beside();
        let Some(session) = session else {
            return match cleared {
                Cleared::Kept(error) => Err(self.incomplete(&error, &not_tried())),
                _ => Ok(self.nobody(start)),
            };
        };
        let verdict = match &cleared {
            Cleared::NobodyThere => return Ok(self.nobody(start)),
            Cleared::Unsendable(verdict) => verdict.clone(),
            _ if manner.local_only => not_tried(),
            Cleared::Queued(id) => {
                log::info!("signed out here; telling the server");
                self.deliver_first(*id, manner.deadline, cancel)
            }
            Cleared::Unqueued | Cleared::Kept(_) => {
                log::error!("the outbox could not be written; the server is told now or never");
                self.revoke_now(&session, manner, cancel)
            }
        };
        let mut report = report(&session, ends, &verdict, start);
        if manner.everywhere {
            report.sessions_ended = Some(verdict.others_ended + u32::from(verdict.this_ended));
        }
        self.shared.close_connections();
        log::info!("logout: {} ({})", report.remote, report.reason);
        self.tell(Event::Logout, &session.account.id, report.remote);
        report.tasks = self.do_tasks();
        report.audit_warning = [verdict.warning.clone(), audit.warning()]
            .into_iter()
            .filter(|warning| !warning.is_empty())
            .collect::<Vec<_>>()
            .join("; ");
        match cleared {
            Cleared::Kept(error) => Err(self.incomplete(&error, &verdict)),
            Cleared::Unqueued if !verdict.outcome.is_final() => Err(self.unqueued(&verdict)),
            _ => Ok(report),
        }
    }

    /// The transaction, and the session as it was stored last. Where the disk does not even let it
    /// be read, the session is the one that this process remembers.
    /// `ends` gets when the server's session ends by itself.
    fn clear(
        &self,
        manner: &LogoutOptions,
        lease: Duration,
        ends: &mut Option<UnixTime>,
    ) -> (Cleared, Option<Session>) {
        let id = &self.provider.key;
        let whom =
            manner.account.as_deref().map_or(SessionSelector::Active, SessionSelector::Account);
        let remembered = self.remembered(whom);
        let account = remembered.as_ref().map_or("", |session| session.account.id.as_str());
        let record = self.record(Event::Logout, account, "cleared", "");
        let vault = match self.shared.vault() {
            Ok(vault) => vault,
            Err(error) => return (Cleared::Kept(error), remembered),
        };
        let mut latest = None;
        let mut unsendable = None;
        let mut retire = |session: &Session| {
            latest = Some(session.clone());
            let revocation = self.revocation(session, lease);
            let revocation = revocation.map_err(|verdict| unsendable = Some(verdict)).ok();
            let everywhere = manner.everywhere;
            *ends = revocation.as_ref().and_then(|entry| entry.expires_at);
            Successors {
                revocation: revocation.map(|entry| Revocation { everywhere, ..entry }),
                tasks: self.tasks_after_logout(&manner.hooks),
            }
        };
        let ended = match vault.end(id, whom, &mut retire, &record) {
            Ok(ended) => Ok(InPlace::from(ended)),
            Err(error) => {
                log::error!("the disk refused the logout ({error}); trying without a journal");
                vault.end_without_journal(id, whom, &mut retire, &record).map_err(|_| error)
            }
        };
        let cleared = match ended {
            Ok(InPlace::Ended { entry: Some(entry) }) => Cleared::Queued(entry),
            Ok(InPlace::Ended { entry: None }) => {
                unsendable.map_or(Cleared::NobodyThere, Cleared::Unsendable)
            }
            Ok(InPlace::Overwritten) => Cleared::Unqueued,
            Err(error) => Cleared::Kept(error),
        };
        (cleared, latest.or(remembered))
    }

    /// The session that is meant, as far as it can be read or was read before.
    fn remembered(&self, whom: SessionSelector<'_>) -> Option<Session> {
        let id = &self.provider.key;
        match whom {
            SessionSelector::Active => match self.shared.session(id) {
                Ok(session) => session,
                Err(_) => self.shared.sessions.get(id).and_then(|seen| seen.session),
            },
            SessionSelector::Account(_) | SessionSelector::Session(_) => {
                self.shared.vault().and_then(|vault| vault.session_of(id, whom)).ok().flatten()
            }
        }
    }

    fn active_account(&self) -> Option<String> {
        self.remembered(SessionSelector::Active).map(|session| session.account.id)
    }

    /// Tells the server at once, without the outbox, because the disk took no entry.
    fn revoke_now(&self, session: &Session, manner: &LogoutOptions, cancel: &Cancel) -> Verdict {
        match self.revocation(session, Duration::ZERO) {
            Ok(mut entry) => {
                entry.everywhere = manner.everywhere;
                self.revoke_unkept(&entry, manner.deadline, cancel)
            }
            Err(verdict) => verdict,
        }
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
            format!("signed out until the next start only: {}. {server}", error.message()),
        )
        .with_hint(format!("Make room or make {place} writable and log out again, or delete it."))
    }

    fn unqueued(&self, verdict: &Verdict) -> Error {
        Error::new(
            Kind::LogoutIncomplete,
            format!("signed out here, but the server will not be told: {}", verdict.reason),
        )
        .with_hint(format!(
            "The disk took no note of it. Change the password at {} to be sure.",
            self.provider.website
        ))
    }

    fn nobody(&self, start: Instant) -> Report {
        log::info!("logout: nobody was signed in at {}", self.provider.name);
        Report {
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

impl From<Ended> for InPlace {
    fn from(ended: Ended) -> Self {
        match ended {
            Ended::Gone => InPlace::Ended { entry: None },
            Ended::Ended { entry } => InPlace::Ended { entry },
        }
    }
}

fn report(session: &Session, ends: Option<UnixTime>, verdict: &Verdict, start: Instant) -> Report {
    Report {
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
