//! A session that an add-on kept itself until now, and leaves to us for good: it becomes one of ours,
//! steps back behind the login that there is, or ends with the logout that comes first.
//!
//! What held it is emptied by whoever hands it over, once this says that it is taken. What cannot be
//! emptied comes again; it is known by its fingerprint and logs nobody in twice.

use super::handle::Keeper;
use super::logout::{Leaving, LogoutOptions, not_tried};
use super::report::{Local, LogoutReport, TakeOver, TakenOver};
use crate::audit::Event;
use crate::cancel::Cancel;
use crate::clock::UnixTime;
use crate::cookies::GivenCookie;
use crate::error::{Kind, Result};
use crate::login::{self, Known};
use crate::logout::{self, Tried, Verdict};
use crate::redact::escape;
use crate::session::{Account, Credentials, Outcome, Session};
use crate::vault::{BusyTimeout, OutboxEntry, SessionSelector, Transaction, random_id};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt;
use std::time::{Duration, Instant};

/// Somebody who is logged in waits this long for it, and the same one is tried again after the rest.
const MOMENT: Duration = Duration::from_secs(1);
const REST: Duration = Duration::from_secs(60);

/// A session as somebody hands it over. Secret.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HandedOver {
    pub cookies: Vec<GivenCookie>,
    /// By the names of RFC 6749 section 5.1, or of the provider's own answers; and `expires_at`.
    pub tokens: Map<String, Value>,
}

impl fmt::Debug for HandedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandedOver")
    }
}

/// One that was handed over to be logged out.
pub(super) struct HandedOut {
    pub leaving: Leaving,
    /// `None`: there is nothing to send, or the outbox has not taken it.
    pub entry: Option<OutboxEntry>,
}

impl HandedOut {
    /// False where the disk has taken no note of what the server is to be told.
    pub fn is_noted(&self) -> bool {
        self.entry.is_some() || self.leaving.revocation.is_err()
    }

    /// When its session ends by itself, as far as it tells.
    pub fn ends_at(&self) -> Option<UnixTime> {
        self.leaving.revocation.as_ref().ok().and_then(|revocation| revocation.expires_at)
    }
}

impl Keeper {
    /// Takes over the session of an add-on once the server has accepted it, as [`Keeper::adopt`]
    /// does. Where its account is logged in already, and the server takes that session, it stays,
    /// and this one is ended; and nobody else's stops being the active one. With `is_offline` only
    /// what is known here counts.
    pub fn take_over(
        &self,
        handed: &HandedOver,
        is_offline: bool,
        cancel: &Cancel,
    ) -> Result<TakenOver> {
        let taken = |how| Ok(TakenOver { how });
        let (given, supposed) = match self.given(handed) {
            Ok(given) => given,
            Err(error) => {
                log::warn!("{error}");
                return taken(TakeOver::NoSession);
            }
        };
        let fingerprint = given.fingerprint(&self.provider);
        match self.has_adopted(&fingerprint) {
            Ok(false) => {}
            Err(error) if error.kind() != Kind::SessionExpired => return Err(error),
            Ok(true) | Err(_) => return taken(TakeOver::Taken),
        }
        let until = self.seen()?.session.filter(|session| self.is_usable(session));
        let until = until.map(|_| Instant::now() + MOMENT);
        if is_offline || (until.is_some() && !self.may_try(&fingerprint)) {
            return taken(TakeOver::Later);
        }
        // What is wrong with the configuration is not said of the session.
        self.client()?;
        let done = self.within(until, cancel, move |keeper, cancel| {
            if let Some(stored) = keeper.beside(&given)?
                && (given.are_of_one_session(&stored.credentials, &keeper.provider)
                    || keeper.is_accepted(&stored, cancel)?)
            {
                keeper.step_back(&stored, given, cancel)?;
                return Ok(None);
            }
            keeper.admit_given(&given, &supposed, true, cancel)
        });
        match done {
            Ok(Some(stored)) => {
                if let Some(stored) = stored {
                    self.welcome(stored, cancel);
                }
                taken(TakeOver::Taken)
            }
            Ok(None) => {
                log::info!("taking over a session takes longer; it goes on by itself");
                taken(TakeOver::Later)
            }
            Err(error) => match error.kind() {
                Kind::SessionExpired => taken(TakeOver::Taken),
                Kind::InvalidInput => taken(TakeOver::NoSession),
                _ => Err(error),
            },
        }
    }

    /// Says once in the log what is the matter with a place that was to hand a session over.
    pub fn note_handover(&self, place: &str, is_unreadable: bool) {
        let place = escape(place);
        if !self.shared.handovers().insert(place.clone()) {
            return;
        }
        if is_unreadable {
            log::warn!("{place:.300} holds no session that can be taken over");
        } else {
            log::warn!("{place:.300} cannot be erased: delete it, it holds a session");
        }
    }

    fn may_try(&self, fingerprint: &str) -> bool {
        let now = self.shared.clock.instant();
        let mut rests = self.shared.renewal_rests();
        rests.retain(|_, until| *until > now);
        let is_new = !rests.contains_key(fingerprint);
        rests.entry(fingerprint.to_owned()).or_insert(now + REST);
        is_new
    }

    pub(super) fn is_usable(&self, session: &Session) -> bool {
        !self.has_lapsed(session) || self.way_to_renew(session).is_some()
    }

    /// The session of the same account that is stored here.
    fn beside(&self, given: &Credentials) -> Result<Option<Session>> {
        let account = login::identify_offline(&self.provider, given, &random_id()?).id;
        let selector = SessionSelector::Account(&account);
        let found = self.vault()?.read(|tx| tx.sessions().find(&self.provider.key, selector))?;
        let living = found.and_then(|session| self.shared.sessions.living(session));
        Ok(living.filter(|session| self.is_usable(session)))
    }

    /// Whether the server still takes a stored session, as far as it can be asked.
    fn is_accepted(&self, stored: &Session, cancel: &Cancel) -> Result<bool> {
        let client = self.client()?;
        let context = self.context(&client, cancel);
        let mut held = stored.credentials.clone();
        let (mut is_refused, mut unclear) = (false, None);
        match login::is_known(&context, &mut held) {
            Known::Yes => return Ok(true),
            Known::No => is_refused = true,
            Known::Unclear(error) => unclear = Some(error),
            Known::Nobody => {}
        }
        match logout::probe(&context, &held) {
            Tried::Accepted => return Ok(true),
            Tried::Refused(_) => is_refused = true,
            Tried::Unclear => {}
        }
        cancel.check()?;
        if self.way_to_renew(stored).is_some() {
            return match self.renew_from(stored, is_refused, cancel) {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == Kind::SessionExpired => Ok(false),
                Err(error) => Err(error),
            };
        }
        unclear.filter(|_| !is_refused).map_or(Ok(!is_refused), Err)
    }

    /// The stored session stays, and what was handed over ends. An add-on whose own session the
    /// server accepts may use the account, as after a login.
    fn step_back(&self, stored: &Session, mut given: Credentials, cancel: &Cancel) -> Result<()> {
        let account = &stored.account.id;
        let fingerprint = given.fingerprint(&self.provider);
        let is_same = given.are_of_one_session(&stored.credentials, &self.provider);
        let may_use = self.vault()?.read(|tx| self.may_use(tx, account))?;
        let newly_allowed = match &self.caller {
            Some(caller) if !may_use => {
                let client = self.client()?;
                let admission = self.check_given(&self.context(&client, cancel), &mut given)?;
                Some(caller).filter(|_| !admission.is_unchecked)
            }
            _ => None,
        };
        let id = random_id()?;
        let revocation = self.revocation_by(&self.provider, &id, account, &given);
        let revocation = revocation.ok().filter(|_| !is_same);
        self.vault()?.transact(|tx| {
            if let Some(caller) = newly_allowed {
                self.answer(tx, caller, account, Some(true))?;
            }
            if let Some(revocation) = &revocation {
                tx.outbox().enqueue(revocation)?;
            }
            tx.handovers().end(&fingerprint)
        })?;
        if revocation.is_some() {
            log::info!("somebody has logged in with this account since; the old session is ended");
        }
        Ok(())
    }

    // Logging out

    /// The first half of a logout of what was handed over: it will not log in any more, and what
    /// ends it at the server is in the outbox. What is stored here already, and what is of another
    /// account than the one that is meant, is left alone.
    pub(super) fn end_handed_over(
        &self,
        options: &LogoutOptions,
        timeout: &BusyTimeout,
    ) -> Vec<HandedOut> {
        let keeper = self.with_timeout(timeout.clone());
        let ended = options.handed_over.iter().filter_map(|handed| keeper.end_one(handed, options));
        ended.collect()
    }

    fn end_one(&self, handed: &HandedOver, options: &LogoutOptions) -> Option<HandedOut> {
        let (given, _) = self
            .given(handed)
            .inspect_err(|error| log::warn!("nothing to log out: {error}"))
            .ok()?;
        let id = random_id().ok()?;
        let account = login::identify_offline(&self.provider, &given, &id);
        let is_meant = |meant: &String| *meant == account.id || account.id == id;
        if !options.account.as_ref().is_none_or(is_meant) {
            return None;
        }
        let fingerprint = given.fingerprint(&self.provider);
        let stored = self.vault().and_then(|vault| {
            vault.read(|tx| {
                let stored = tx.sessions().list(Some(&self.provider.key))?;
                Ok((stored, tx.handovers().has_ended(&fingerprint)?))
            })
        });
        let is_known = stored.is_ok_and(|(stored, has_ended)| {
            has_ended
                || stored.iter().map(|stored| &stored.session).any(|session| {
                    session.adopted_from.as_deref() == Some(&fingerprint)
                        || given.are_of_one_session(&session.credentials, &self.provider)
                })
        });
        let session = self.session_of_given(id, account, given, &fingerprint);
        let note = |tx: &Transaction<'_>| tx.handovers().end(&fingerprint);
        if is_known {
            let noted = self.vault().and_then(|vault| vault.transact(note));
            noted.inspect_err(|error| log::error!("{error}")).ok();
            return None;
        }
        let leaving = self.leaving(session, options);
        let event = self.event(Event::Logout, &leaving.session.account.id, "cleared");
        let event = event.with_detail("it had not been taken over yet");
        let stored = self.vault().and_then(|vault| {
            vault.transact(|tx| {
                note(tx)?;
                for task in &leaving.tasks {
                    tx.tasks().add(task.clone())?;
                }
                tx.audit().append(&event)?;
                let revocation = leaving.revocation.as_ref().ok();
                revocation.map(|revocation| tx.outbox().enqueue(revocation)).transpose()
            })
        });
        let entry = stored.unwrap_or_else(|error| {
            log::error!("the logout of what was handed over could not be stored: {error}");
            None
        });
        Some(HandedOut { leaving, entry })
    }

    /// The second half: the server is told.
    pub(super) fn tell_handed_over(
        &self,
        handed: &mut HandedOut,
        options: &LogoutOptions,
        left: Duration,
        cancel: &Cancel,
    ) -> Verdict {
        let HandedOut { leaving, entry } = handed;
        match (&leaving.revocation, entry) {
            (Err(verdict), _) => verdict.clone(),
            (Ok(_), Some(_)) if options.local_only => not_tried(),
            (Ok(_), Some(entry)) => {
                let _sending = self.shared.delivery.begin(entry.id);
                self.deliver_first(entry, Some(left), cancel)
            }
            (Ok(revocation), None) => self.send_unqueued(revocation, Some(left), cancel),
        }
    }

    /// The report of a logout with what became of one that was handed over.
    pub(super) fn with_handed_over(
        &self,
        mut report: LogoutReport,
        handed: &HandedOut,
        verdict: Verdict,
    ) -> Result<LogoutReport> {
        if !handed.is_noted() && !verdict.outcome.is_final() {
            return Err(self.unqueued(&verdict));
        }
        report.local = Local::Cleared;
        report.cookies_cleared.extend(handed.leaving.session.credentials.jar.names());
        report.cookies_cleared.sort();
        report.cookies_cleared.dedup();
        // The worse of the two is what there is to know.
        let is_first = report.remote == Outcome::NothingToRevoke;
        if is_first || (report.remote.is_final() && !verdict.outcome.is_final()) {
            report.remote = verdict.outcome;
            report.status = verdict.status;
            report.reason = verdict.reason;
            report.notes = verdict.notes;
        }
        report.expires_at = report.expires_at.max(handed.ends_at());
        if !handed.leaving.tasks.is_empty() {
            report.tasks.extend(self.do_tasks());
        }
        self.shared.close_connections();
        Ok(report)
    }

    fn session_of_given(
        &self,
        id: String,
        account: Account,
        credentials: Credentials,
        fingerprint: &str,
    ) -> Session {
        let now = self.shared.clock.now();
        let rule = &self.provider.session;
        Session {
            id,
            provider: self.provider.key.clone(),
            account,
            generation: 0,
            signed_in_at: now,
            renewed_at: now,
            was_renewed: false,
            adopted_from: Some(fingerprint.to_owned()),
            expires_at: credentials.token_ends_at(rule, self.shared.clock.known_now()),
            credentials,
            definition: self.provider.source.clone(),
        }
    }
}
