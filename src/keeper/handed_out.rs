//! A logout of what was handed over and has not been taken over yet: it logs nobody in any more, and
//! the server is told as of any other session. It waits for no login, and becomes nobody's account.

use super::handle::Keeper;
use super::handover::HandedOver;
use super::login::Admission;
use super::logout::{Leaving, LogoutOptions, not_tried};
use super::report::{Local, LogoutReport};
use crate::audit::Event;
use crate::cancel::Cancel;
use crate::clock::UnixTime;
use crate::error::Result;
use crate::login;
use crate::logout::Verdict;
use crate::session::Outcome;
use crate::vault::{BusyTimeout, OutboxEntry, Transaction, random_id};
use std::time::Duration;

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
        let admission =
            Admission { adopted_from: Some(fingerprint.clone()), ..Admission::default() };
        let session = self.new_session(id, account, given, &admission);
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
}
