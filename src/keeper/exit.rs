//! The way out. First the device, in one transaction; then the server, within a deadline; then the
//! truth about both. DESIGN section 5.
//!
//! Nothing here can be undone by a crash: after the transaction the session cannot be restored, and
//! what revoking needs is in the outbox.

use super::Keeper;
use super::report::{Local, Report};
use crate::audit::Event;
use crate::cancel::Cancel;
use crate::clock::UnixTime;
use crate::error::{Error, Kind, Result};
use crate::http::{Client, Jar};
use crate::logout::{self, Verdict};
use crate::outbox::{FIRST_TRY_LEASE, Outcome};
use crate::session::{Revocation, Session};
use crate::vault::{Ended, InPlace};
use std::time::{Duration, Instant};

/// A logout that says nothing about its deadline gets at least this long, however it is set.
const SHORTEST_DEADLINE: Duration = Duration::from_millis(100);

/// How the logout is to be done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Do not try the server now; the outbox will.
    pub local_only: bool,
    pub everywhere: bool,
    /// `None`: the keeper's own.
    pub deadline: Option<Duration>,
}

/// What the disk made of a logout.
enum Cleared {
    NobodyThere,
    /// Gone, with what is left for the server to be told.
    Queued {
        entry: Option<i64>,
    },
    /// The session cannot be read any more, but the disk took no outbox entry.
    Unqueued,
    /// The disk refused everything; the session is gone from memory only.
    Kept(Error),
}

impl Keeper {
    /// Signs out. Succeeds whatever the network does, and when nobody is signed in.
    pub fn log_out(&self, manner: Manner, cancel: &Cancel) -> Result<Report> {
        if manner.everywhere && !self.provider.can_log_out_everywhere() {
            return Err(self.only_here());
        }
        let start = Instant::now();
        let turn = self.house.turn();
        self.house.stop_work(&self.provider.id);
        let mut seen: Option<Session> =
            self.house.live(&self.provider.id)?.map(|live| live.session);
        let lease = if manner.local_only { Duration::ZERO } else { FIRST_TRY_LEASE };
        let cleared = self.clear(&mut seen, lease);
        drop(turn);
        let Some(session) = seen else { return Ok(self.nobody(start)) };
        self.house.forget_session(&session);
        let revocation = self.revocation(&session, Duration::ZERO);
        let verdict = match &cleared {
            Cleared::NobodyThere => return Ok(self.nobody(start)),
            Cleared::Queued { entry: None } => credentials_over(),
            _ if manner.local_only => not_tried(),
            Cleared::Queued { entry: Some(id) } => {
                log::info!("signed out here; telling the server");
                self.deliver_first(*id, manner.deadline, cancel)
            }
            Cleared::Unqueued | Cleared::Kept(_) => {
                log::error!("the outbox could not be written; the server is told now or never");
                self.revoke_now(revocation.as_ref(), manner.deadline, cancel)
            }
        };
        if let Cleared::Queued { entry: Some(id) } = &cleared {
            self.house.state().sending.remove(id);
        }
        let report = report(&session, revocation.as_ref(), &verdict, start);
        log::info!("logout: {} ({})", report.remote, report.reason);
        let (account, outcome) = (&session.account.id, report.remote);
        self.house.events.tell(Event::Logout.name(), &self.provider.id, account, outcome);
        match cleared {
            Cleared::Kept(error) => Err(self.incomplete(&error, &verdict)),
            Cleared::Unqueued if !verdict.outcome.is_final() => Err(self.unqueued(&verdict)),
            _ => Ok(report),
        }
    }

    /// The transaction. `seen` becomes the session as it was stored last.
    fn clear(&self, seen: &mut Option<Session>, lease: Duration) -> Cleared {
        let account = seen.as_ref().map(|session| session.account.id.clone()).unwrap_or_default();
        let record = self.record(Event::Logout, &account, "cleared", "");
        let vault = match self.house.vault() {
            Ok(vault) => vault,
            Err(error) => return Cleared::Kept(error),
        };
        let mut latest = None;
        let mut retire = |session: &Session| {
            latest = Some(session.clone());
            self.revocation(session, lease)
        };
        let id = &self.provider.id;
        let cleared = match vault.end(id, None, &mut retire, &record) {
            Ok(Ended::Gone) => Cleared::NobodyThere,
            Ok(Ended::Ended { entry }) => {
                self.hold(entry);
                Cleared::Queued { entry }
            }
            Err(error) => {
                log::error!("the disk refused the logout ({error}); trying without a journal");
                match vault.end_in_place(id, None, &mut retire, &record) {
                    Ok(InPlace::Ended { entry }) => {
                        self.hold(entry);
                        Cleared::Queued { entry }
                    }
                    Ok(InPlace::Overwritten) => Cleared::Unqueued,
                    Err(_) => Cleared::Kept(error),
                }
            }
        };
        if latest.is_some() {
            *seen = latest;
        }
        cleared
    }

    /// Nobody else sends this entry while this logout does.
    fn hold(&self, entry: Option<i64>) {
        if let Some(id) = entry {
            self.house.state().sending.insert(id);
        }
    }

    /// What the outbox needs to end `session` at the server; `None` when its credentials are over.
    /// It is left alone for `lease`.
    pub(super) fn revocation(&self, session: &Session, lease: Duration) -> Option<Revocation> {
        let jar = Jar::from_sealed(&session.cookies).ok()?;
        let credentials = logout::credentials(&self.provider, &jar);
        let expires_at = credentials.last_expiry();
        let is_over = expires_at.is_some_and(|at| self.house.clock.is_past(at));
        if credentials.is_empty() || is_over {
            return None;
        }
        let created_at = self.house.clock.now();
        let lease = i64::try_from(lease.as_secs()).unwrap_or(0);
        Some(Revocation {
            session_id: session.id.clone(),
            provider: self.provider.id.clone(),
            account: session.account.id.clone(),
            created_at,
            first_attempt_at: created_at + lease,
            expires_at,
            cookies: credentials.to_sealed(),
            definition: self.provider.source.clone(),
        })
    }

    /// Tells the server at once, without the outbox, because the disk took no entry.
    fn revoke_now(
        &self,
        revocation: Option<&Revocation>,
        deadline: Option<Duration>,
        cancel: &Cancel,
    ) -> Verdict {
        let Some(revocation) = revocation else { return credentials_over() };
        let verdict = self
            .logout_client(deadline)
            .and_then(|client| Ok((client, Jar::from_sealed(&revocation.cookies)?)))
            .map(|(client, jar)| logout::revoke(&client, &self.provider, &jar, cancel));
        verdict
            .unwrap_or_else(|error| Verdict { reason: error.message().to_owned(), ..not_tried() })
    }

    /// A session that the server opened and the vault did not take: it goes to the outbox, or is
    /// ended without it.
    pub(super) fn revoke_unstored(&self, jar: &Jar, username: &str) {
        log::warn!("the login could not be kept; the server is told to end it");
        let cancel = Cancel::new();
        let queued = self.session_from(jar, username).and_then(|session| {
            let revocation = self.revocation(&session, FIRST_TRY_LEASE);
            Ok((self.house.vault()?, revocation))
        });
        let entry = queued.and_then(|(vault, revocation)| {
            revocation.map(|revocation| vault.enqueue(&revocation)).transpose()
        });
        match entry {
            Ok(None) => {}
            Ok(Some(id)) => {
                self.hold(Some(id));
                self.deliver_first(id, None, &cancel);
                self.house.state().sending.remove(&id);
            }
            Err(_) => {
                if let Ok(client) = self.logout_client(None) {
                    logout::revoke(&client, &self.provider, jar, &cancel);
                }
            }
        }
    }

    /// Tokens that came after the logout: they belong to the session that is to be revoked.
    pub(super) fn revoke_late(&self, session: &Session, jar: &Jar) -> Result<()> {
        let mut late = session.clone();
        late.cookies = jar.to_sealed();
        if let Some(revocation) = self.revocation(&late, Duration::ZERO) {
            self.house.vault()?.enqueue(&revocation)?;
        }
        Ok(())
    }

    /// A client whose requests end within the deadline, the probe's included.
    pub(super) fn logout_client(&self, deadline: Option<Duration>) -> Result<Client> {
        let deadline = deadline.unwrap_or(self.logout_deadline).max(SHORTEST_DEADLINE);
        let share = deadline / logout::requests(&self.provider);
        let mut network = self.network.clone();
        network.total_timeout = network.total_timeout.min(share);
        network.answer_timeout = network.answer_timeout.min(share);
        network.connect_timeout = network.connect_timeout.min(share);
        self.house.client(&network)
    }

    fn nobody(&self, start: Instant) -> Report {
        log::info!("logout: nobody was signed in at {}", self.provider.name);
        Report {
            local: Local::AlreadySignedOut,
            remote: "nothing_to_revoke",
            status: None,
            cookies_cleared: Vec::new(),
            duration_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            expires_at: None,
            reason: String::new(),
        }
    }

    fn only_here(&self) -> Error {
        let name = &self.provider.name;
        Error::new(
            Kind::InvalidInput,
            format!("{name} has no way to end the sessions on other devices"),
        )
        .hint("Log out on each device, or change the password at the service's website.")
    }

    fn incomplete(&self, error: &Error, verdict: &Verdict) -> Error {
        let server = if verdict.outcome.is_final() {
            "The server has ended the session."
        } else {
            "The server could not be told either."
        };
        let place = self.house.directory.display();
        Error::new(
            Kind::LogoutIncomplete,
            format!("signed out until the next start only: {}. {server}", error.message()),
        )
        .hint(format!("Make room or make {place} writable and log out again, or delete it."))
    }

    fn unqueued(&self, verdict: &Verdict) -> Error {
        Error::new(
            Kind::LogoutIncomplete,
            format!("signed out here, but the server will not be told: {}", verdict.reason),
        )
        .hint(format!(
            "The disk took no note of it. Change the password at {} to be sure.",
            self.provider.website
        ))
    }
}

fn credentials_over() -> Verdict {
    Verdict {
        outcome: Outcome::AlreadyEnded,
        status: None,
        retry_after: None,
        fault: None,
        reason: "the session's credentials had ended by themselves".to_owned(),
    }
}

fn not_tried() -> Verdict {
    Verdict {
        outcome: Outcome::Deferred,
        status: None,
        retry_after: None,
        fault: None,
        reason: "the server was not tried".to_owned(),
    }
}

fn report(
    session: &Session,
    revocation: Option<&Revocation>,
    verdict: &Verdict,
    start: Instant,
) -> Report {
    let cookies_cleared =
        Jar::from_sealed(&session.cookies).map(|jar| jar.names()).unwrap_or_default();
    let expires_at: Option<UnixTime> = revocation.and_then(|revocation| revocation.expires_at);
    Report {
        local: Local::Cleared,
        remote: verdict.outcome.name(),
        status: verdict.status,
        cookies_cleared,
        duration_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        expires_at,
        reason: verdict.reason.clone(),
    }
}
