//! Logging out. First the device, in one transaction; then the server, within a deadline; then the
//! truth about both.
//!
//! Nothing here can be undone by a crash: after the transaction the session cannot be restored,
//! and what revoking needs is in the outbox.

use super::handle::Keeper;
use super::handover::HandedOver;
use super::report::{Local, LogoutReport};
use crate::audit::Event;
use crate::backoff::FIRST_TRY_LEASE;
use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::logout::Verdict;
use crate::session::{Outcome, Revocation, Session};
use crate::vault::{BusyTimeout, Ending, LocalOutcome, Remains, SessionSelector, Task, Vault};
use crate::wire;
use serde::Deserialize;
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
    /// Sessions that were not taken over yet, and end as well; with `account`, those of another one
    /// do not.
    pub handed_over: Vec<HandedOver>,
}

/// A session that is to end, and what stays of it.
pub(super) struct Leaving {
    pub session: Session,
    /// The verdict where nothing can be sent.
    pub revocation: std::result::Result<Revocation, Verdict>,
    pub tasks: Vec<Task>,
}

impl Keeper {
    /// Logs out. Succeeds whatever the network does, and when nobody is logged in. To an add-on, an
    /// account that it may not use is none.
    pub fn log_out(&self, options: &LogoutOptions, cancel: &Cancel) -> Result<LogoutReport> {
        if options.everywhere && self.provider.everywhere.is_none() {
            return Err(self.only_here());
        }
        if options.account.as_deref() == Some("") {
            return Err(Error::new(Kind::InvalidInput, "the account's id is empty")
                .with_hint("Leave it out for the active account."));
        }
        // Where others hold the vault, half of the time is left for the server.
        let limit = options.deadline.unwrap_or(self.logout_deadline);
        let (start, wait) = (Instant::now(), limit / 2);
        let handed = self.end_handed_over(options, &BusyTimeout::until(start + wait, cancel));
        let mut report = self.log_out_after(wait, options, cancel);
        for mut handed in handed {
            let left = limit.saturating_sub(start.elapsed());
            let verdict = self.tell_handed_over(&mut handed, options, left, cancel);
            report = report.and_then(|report| self.with_handed_over(report, &handed, verdict));
        }
        report
    }

    /// The same, waiting for others at the vault for as long as it is said.
    pub(super) fn log_out_after(
        &self,
        wait: Duration,
        options: &LogoutOptions,
        cancel: &Cancel,
    ) -> Result<LogoutReport> {
        let start = Instant::now();
        let deadline = start + options.deadline.unwrap_or(self.logout_deadline);
        let timeout = BusyTimeout::until(start + wait, cancel);
        let Some(options) = &self.permitted(options, &timeout) else {
            let verdict = Verdict::new(Outcome::NothingToRevoke, "");
            return Ok(self.report(None, &verdict, options, start));
        };
        let earlier = self.earlier(options.account.as_deref(), &timeout);
        // Also where only another definition has a session: a login may be under way by this one.
        let report = self.end_own(options, start, deadline, &timeout, cancel);
        earlier.map_or(report, |earlier| earlier.log_out_after(wait, options, cancel))
    }

    /// Ends the session that is kept for this definition's hosts.
    fn end_own(
        &self,
        options: &LogoutOptions,
        start: Instant,
        deadline: Instant,
        timeout: &BusyTimeout,
        cancel: &Cancel,
    ) -> Result<LogoutReport> {
        let (mut local, leaving) = self.with_timeout(timeout.clone()).clear(options);
        let _sending = match &local {
            LocalOutcome::Cleared(Some(entry)) => self.shared.delivery.begin(entry.id),
            _ => None,
        };
        let mut leaving = leaving.filter(|_| !matches!(local, LocalOutcome::NobodyThere));
        let time_left = || Some(deadline.saturating_duration_since(Instant::now()));
        let verdict = match (&mut leaving, &local) {
            (Some(leaving), _) => self.tell(&local, leaving, options, time_left(), cancel),
            (None, LocalOutcome::NobodyThere) => Verdict::new(Outcome::NothingToRevoke, ""),
            (None, _) => not_tried(),
        };
        match (&local, &leaving) {
            (LocalOutcome::Kept(_), Some(leaving)) => {
                let keeper = self.with_timeout(BusyTimeout::until(deadline, cancel));
                local = keeper.clear_late(leaving, &verdict);
            }
            (LocalOutcome::Kept(_), None) => self.clear_unseen(options),
            (LocalOutcome::Unqueued, Some(Leaving { revocation: Ok(revocation), .. }))
                if !verdict.outcome.is_final() =>
            {
                self.enqueue_in_background(revocation.clone());
            }
            _ => {}
        }
        let report = self.report(leaving, &verdict, options, start);
        match local {
            LocalOutcome::Kept(error) => Err(self.incomplete(&error, &verdict)),
            LocalOutcome::Unqueued if !verdict.outcome.is_final() => Err(self.unqueued(&verdict)),
            _ => Ok(report),
        }
    }

    /// The transaction, and the session as it was stored last. Where the disk does not even let it
    /// be read, or has damaged it, the session is the one that this process remembers; `None`:
    /// nobody was logged in.
    fn clear(&self, options: &LogoutOptions) -> (LocalOutcome, Option<Leaving>) {
        // Others hold it for a moment only. If not, the transaction orders what it can.
        let _commit_lock = self.shared.commit_lock(&self.timeout);
        let id = &self.provider.key;
        let selector = selector(options);
        let active = self.active_session();
        let is_active = options.account.is_none()
            || options.account == active.as_ref().map(|session| session.account.id.clone());
        if is_active {
            self.shared.running.cancel(id);
        }
        let find = |vault: Vault| vault.read(|tx| tx.sessions().find(id, selector));
        let remembered =
            if is_active { active } else { self.vault().and_then(find).ok().flatten() };
        let lost = self.shared.sessions.lost(id).filter(|_| is_active);
        // From here on nobody in this process uses it.
        if let Some(session) = &remembered {
            self.shared.end_session(session);
        }
        let leave = |session| self.leaving(self.shared.sessions.newest(session), options);
        let mut leaving = None;
        let mut remains_of = |session: &Session| {
            let leaving = leaving.insert(leave(session.clone()));
            self.remains(leaving, leaving.revocation.as_ref().ok())
        };
        let local = match self.vault() {
            Ok(vault) => {
                let ending = Ending { provider: id, selector, lost, ends_logins: is_active };
                vault.end(&ending, &mut remains_of)
            }
            Err(error) => LocalOutcome::Kept(error),
        };
        if let LocalOutcome::Kept(error) = &local {
            log::error!("the logout could not be stored: {error}");
        }
        let leaving = leaving.or_else(|| remembered.map(leave));
        if let Some(leaving) = &leaving {
            self.shared.end_session(&leaving.session);
            // What is left of it is the outbox's, or this logout's.
            self.shared.sessions.drop_unstored(&leaving.session.id);
        }
        (local, leaving)
    }

    /// Once more, for a session that the vault has kept; then in the background, for as long as
    /// this process lives.
    fn clear_late(&self, leaving: &Leaving, verdict: &Verdict) -> LocalOutcome {
        let revocation = leaving.revocation.clone().ok();
        let revocation = revocation.filter(|_| !verdict.outcome.is_final());
        let id = leaving.session.id.clone();
        let remains = self.remains(leaving, revocation.as_ref());
        let end = move |keeper: &Keeper| keeper.end_stored(&keeper.provider.key, &id, &remains);
        match end(self) {
            // It was stored after all, or somebody else has ended the session.
            LocalOutcome::NobodyThere => LocalOutcome::Cleared(None),
            LocalOutcome::Kept(error) => {
                self.end_in_background(end);
                LocalOutcome::Kept(error)
            }
            done => done,
        }
    }

    /// The disk did not say who is logged in: whoever it was, or the account that was meant, is out.
    fn clear_unseen(&self, options: &LogoutOptions) {
        let provider = self.provider.key.clone();
        self.shared.sessions.shut(&provider, options.account.as_deref(), self.shared.clock.now());
        self.shared.streams.end_session(&provider, None);
        let options = options.clone();
        self.end_in_background(move |keeper| {
            let selector = selector(&options);
            let find = |vault: Vault| vault.read(|tx| tx.sessions().find(&provider, selector));
            let session = match keeper.vault().and_then(find) {
                Ok(Some(session)) if keeper.shared.sessions.is_shut(&session) => session,
                Ok(_) => return LocalOutcome::NobodyThere,
                Err(error) => return LocalOutcome::Kept(error),
            };
            let leaving = keeper.leaving(session, &options);
            let remains = keeper.remains(&leaving, leaving.revocation.as_ref().ok());
            let ended = keeper.end_stored(&provider, &leaving.session.id, &remains);
            if !matches!(ended, LocalOutcome::Kept(_)) {
                keeper.shared.end_session(&leaving.session);
                keeper.shared.sessions.reopen(&provider, options.account.as_deref());
            }
            ended
        });
    }

    /// Ends one session of any provider on this device, and leaves behind what is given.
    pub(super) fn end_stored(
        &self,
        provider: &str,
        session_id: &str,
        remains: &Remains,
    ) -> LocalOutcome {
        let ending = Ending::of(provider, SessionSelector::Session(session_id));
        self.vault().map_or_else(LocalOutcome::Kept, |vault| {
            vault.end(&ending, &mut |_: &Session| remains.clone())
        })
    }

    fn end_in_background(&self, end: impl Fn(&Keeper) -> LocalOutcome + Send + 'static) {
        let keeper = self.with_timeout(BusyTimeout::ordinary(&Cancel::new()));
        self.shared.unstored.add(move || {
            let is_done = !matches!(keeper.logged(|| end(&keeper)), LocalOutcome::Kept(_));
            if is_done {
                keeper.logged(|| log::info!("the logout is stored now"));
            }
            is_done
        });
    }

    fn remains(&self, leaving: &Leaving, revocation: Option<&Revocation>) -> Remains {
        Remains {
            revocation: revocation.cloned(),
            tasks: leaving.tasks.clone(),
            event: self.event(Event::Logout, &leaving.session.account.id, "cleared"),
        }
    }

    pub(super) fn leaving(&self, session: Session, options: &LogoutOptions) -> Leaving {
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
        let read = self.shared.session(provider, &self.timeout);
        let known = read.unwrap_or_else(|_| sessions.get(provider).and_then(|seen| seen.session));
        known.or_else(|| sessions.lost(provider))
    }

    /// Tells the server.
    fn tell(
        &self,
        local: &LocalOutcome,
        leaving: &mut Leaving,
        options: &LogoutOptions,
        deadline: Option<Duration>,
        cancel: &Cancel,
    ) -> Verdict {
        match (local, &mut leaving.revocation) {
            (_, Err(verdict)) => verdict.clone(),
            _ if options.local_only => not_tried(),
            (LocalOutcome::Cleared(Some(entry)), Ok(revocation)) => {
                log::info!("logged out here; telling the server");
                let mut entry = entry.clone();
                let verdict = self.deliver_first(&mut entry, deadline, cancel);
                // The look whether the session is dead may have brought a newer credential.
                revocation.expires_at = entry.revocation.expires_at;
                verdict
            }
            (_, Ok(revocation)) => {
                log::error!("the outbox could not be written; the server is told at once");
                self.send_unqueued(revocation, deadline, cancel)
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
        let is_counted =
            options.everywhere && !(verdict.is_uncounted && verdict.outcome.is_final());
        report.sessions_ended = is_counted.then_some(ended);
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
        .with_hint(format!(
            "It is tried again for as long as this program runs. Make room or make {place} \
             writable, end other programs that use it, or delete it."
        ))
    }

    pub(super) fn unqueued(&self, verdict: &Verdict) -> Error {
        Error::new(
            Kind::LogoutIncomplete,
            format!("logged out here, but the server will not be told: {}", verdict.reason),
        )
        .with_hint(format!(
            "The disk took no note of it; that is tried again for as long as this program runs. \
             Change the password at {} to be sure.",
            self.provider.website.as_str()
        ))
    }
}

fn selector(options: &LogoutOptions) -> SessionSelector<'_> {
    options.account.as_deref().map_or(SessionSelector::Active, SessionSelector::Account)
}

pub(super) fn not_tried() -> Verdict {
    Verdict::new(Outcome::Deferred, "the server was not tried")
}
