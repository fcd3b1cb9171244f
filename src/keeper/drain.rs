//! Telling the server, now or later: each entry of the outbox is sent until there is a final
//! answer.
//!
//! Only proof removes an entry, or the end of its credentials by a clock that is known. What no
//! answer can change any more waits for that end, and nobody is asked. Sending twice does no harm;
//! `revoked` is written once, with the removal.

use super::attempt::Queued;
use super::handle::Keeper;
use super::report::{DrainReport, EntryLine, Outbox};
use crate::audit::{Event, NewAuditEvent};
use crate::backoff::{
    Attempt, TRIES_BEFORE_PARKING, is_unreachable, next_attempt_at, unreachable_pause,
};
use crate::cancel::Cancel;
use crate::clock::UnixTime;
use crate::error::{Fault, Kind, Result};
use crate::logout::{self, Verdict};
use crate::provider::{self, Given, Provider};
use crate::session::{Outcome, Revocation};
use crate::vault::{OutboxEntry, Vault};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// At most so many entries in one round; the rest is due at the next.
const ROUND: usize = 200;

/// After so many seconds it is seen whether an entry that is not sent any more has ended.
const LOOK_AGAIN: i64 = 24 * 3600;

impl Keeper {
    /// What the server still has to be told.
    pub fn outbox(&self) -> Result<Outbox> {
        let entries = self.shared.vault()?.read(|tx| tx.outbox().list())?;
        Ok(Outbox { entries: entries.into_iter().map(EntryLine::from).collect() })
    }

    /// Tries the entries that are due, or all of them.
    pub fn drain(&self, due_only: bool, cancel: &Cancel) -> Result<DrainReport> {
        let vault = self.shared.vault()?;
        let mut drained = DrainReport::default();
        self.finish_tasks();
        if vault.read(|tx| tx.outbox().count(None))? > 0 {
            let _inside = self.shared.outbox_lock.lock(cancel)?;
            let entries = if due_only {
                let held: Vec<String> = self.shared.delivery.held_back().into_keys().collect();
                let now = self.shared.clock.now();
                vault.read(|tx| tx.outbox().due(now, ROUND, &held))?
            } else {
                self.shared.delivery.release_all();
                vault.read(|tx| tx.outbox().list())?
            };
            for entry in entries {
                cancel.check()?;
                self.try_entry(&entry, &mut drained, cancel)?;
            }
        }
        drained.entries = self.outbox()?.entries;
        Ok(drained)
    }

    /// When the next drain has something to do.
    pub(super) fn next_drain(&self) -> Result<Option<UnixTime>> {
        let now = self.shared.clock.now();
        let until = |wait: Duration| {
            now.saturating_add(i64::try_from(wait.as_secs()).unwrap_or(i64::MAX)).saturating_add(1)
        };
        let held = self.shared.delivery.held_back();
        let held: BTreeMap<String, UnixTime> =
            held.into_iter().map(|(provider, wait)| (provider, until(wait))).collect();
        self.shared.vault()?.read(|tx| tx.outbox().next_due(&held))
    }

    /// The first try of an entry, by the logout that made it. The entry gets what the try brought.
    pub(super) fn deliver_first(
        &self,
        entry: &mut OutboxEntry,
        deadline: Option<Duration>,
        cancel: &Cancel,
    ) -> Verdict {
        self.deliver(entry, &self.provider, deadline, cancel).unwrap_or_else(|error| {
            log::error!("the server was not told yet: {error}");
            Verdict::new(Outcome::Deferred, error.message())
        })
    }

    fn try_entry(
        &self,
        entry: &OutboxEntry,
        drained: &mut DrainReport,
        cancel: &Cancel,
    ) -> Result<()> {
        if self.shared.delivery.held_back().contains_key(&entry.revocation.provider) {
            return Ok(());
        }
        let Some(_sending) = self.shared.delivery.begin(entry.id) else { return Ok(()) };
        // Somebody else may have dealt with it meanwhile.
        let stored = self.shared.vault()?.read(|tx| tx.outbox().get(entry.id))?;
        let Some(mut entry) = stored else { return Ok(()) };
        if entry.revocation.expires_at.is_some_and(|at| self.shared.clock.is_past(at)) {
            if self.settle(&entry, &about(&entry, Event::RevocationExpired, "expired"))? {
                log::info!("the credentials of a waiting logout have ended by themselves");
                drained.expired += 1;
            }
            return Ok(());
        }
        if entry.is_settled {
            let again = self.shared.clock.now().saturating_add(LOOK_AGAIN);
            let entry = OutboxEntry { next_attempt_at: again, ..entry };
            return self.shared.vault()?.transact(|tx| tx.outbox().postpone(&entry));
        }
        let whole = Some(self.network.total_timeout);
        let verdict = self
            .definition(&entry)
            .and_then(|provider| self.deliver(&mut entry, &provider, whole, cancel));
        match verdict {
            Ok(verdict) => drained.count(verdict.outcome),
            Err(error) if matches!(error.kind(), Kind::Cancelled | Kind::Storage) => {
                return Err(error);
            }
            // One entry that cannot be sent must not hold up the others.
            Err(error) => {
                log::error!("a waiting logout cannot be sent: {error}");
                drained.count(Outcome::Rejected);
                entry.attempts = entry.attempts.saturating_add(1);
                entry.refusals = TRIES_BEFORE_PARKING;
                self.postpone(entry, &Verdict::new(Outcome::Rejected, error.message()))?;
            }
        }
        Ok(())
    }

    /// Sends one entry and writes down what came of it; the entry gets the credentials that came
    /// meanwhile.
    fn deliver(
        &self,
        entry: &mut OutboxEntry,
        provider: &Provider,
        deadline: Option<Duration>,
        cancel: &Cancel,
    ) -> Result<Verdict> {
        let queued = Some(Queued { id: entry.id, attempts: entry.attempts });
        let verdict =
            self.send_revocation(&mut entry.revocation, provider, queued, deadline, cancel);
        let is_cut_short = cancel.is_cancelled() && verdict.status.is_none();
        entry.attempts = entry.attempts.saturating_add(u32::from(!is_cut_short));
        self.note(entry, verdict)
    }

    /// Writes down what a try came to that its caller has not waited for.
    pub(super) fn note_late(&self, id: i64, revocation: Revocation, verdict: Verdict) {
        let find = |vault: Arc<Vault>| vault.read(|tx| tx.outbox().get(id));
        let noted = self.shared.vault().and_then(find).and_then(|stored| match stored {
            Some(stored) => self.note(&mut OutboxEntry { revocation, ..stored }, verdict).map(drop),
            // Somebody else has dealt with it.
            None => Ok(()),
        });
        if let Err(error) = noted {
            log::error!("what the server answered could not be written down: {error}");
        }
    }

    /// Writes down what a try came to.
    fn note(&self, entry: &mut OutboxEntry, mut verdict: Verdict) -> Result<Verdict> {
        if verdict.outcome == Outcome::Rejected {
            entry.refusals = entry.refusals.saturating_add(1);
            if entry.refusals < TRIES_BEFORE_PARKING {
                verdict.outcome = Outcome::Deferred;
            }
        }
        let (outcome, reason) = (verdict.outcome.as_str(), &verdict.reason);
        log::info!("revocation, attempt {}: {outcome} ({reason})", entry.attempts);
        if verdict.outcome.is_final() {
            self.shared.delivery.release(&entry.revocation.provider);
            let event = about(entry, Event::Revoked, outcome).with_detail(reason);
            if self.settle(entry, &event)? {
                self.shared.publish(&event);
            }
        } else {
            self.postpone(entry.clone(), &verdict)?;
        }
        Ok(verdict)
    }

    /// Removes an entry that was answered for, and writes its audit event. False, and no event,
    /// when somebody else has done so; also when the entry has newer credentials by now, which the
    /// answer was not about: they are due at once.
    fn settle(&self, entry: &OutboxEntry, event: &NewAuditEvent) -> Result<bool> {
        self.shared.vault()?.transact(|tx| {
            let Some(stored) = tx.outbox().get(entry.id)? else { return Ok(false) };
            if stored.revocation != entry.revocation {
                let next_attempt_at = self.shared.clock.now();
                let anew = OutboxEntry { attempts: 0, refusals: 0, next_attempt_at, ..stored };
                tx.outbox().postpone(&anew)?;
                return Ok(false);
            }
            tx.outbox().delete(&stored)?;
            tx.audit().append(event)?;
            Ok(true)
        })
    }

    /// Leaves the entry for a later attempt. What the server will never take is tried once a day,
    /// and the user is told once.
    fn postpone(&self, mut entry: OutboxEntry, verdict: &Verdict) -> Result<()> {
        let Verdict { outcome, retry_after, fault, is_settled, .. } = *verdict;
        let delivery = &self.shared.delivery;
        let is_parked = outcome == Outcome::Rejected && entry.last_outcome != Some(outcome);
        let kind = if is_parked {
            Some(Event::RevocationRejected)
        } else {
            let is_news = fault == Some(Fault::Tls) && delivery.is_first_tls_failure(entry.id);
            is_news.then_some(Event::TlsFailure)
        };
        let event =
            kind.map(|kind| about(&entry, kind, outcome.as_str()).with_detail(&verdict.reason));
        let attempt = Attempt { outcome, count: entry.attempts, retry_after, fault };
        entry.next_attempt_at = next_attempt_at(self.shared.clock.now(), &attempt);
        entry.last_outcome = Some(outcome);
        entry.is_settled = is_settled;
        self.shared.vault()?.transact(|tx| {
            tx.outbox().postpone(&entry)?;
            event.iter().try_for_each(|event| tx.audit().append(event))
        })?;
        if let Some(event) = event.filter(|_| is_parked) {
            self.shared.publish(&event);
        }
        let provider = &entry.revocation.provider;
        if fault.is_some_and(is_unreachable) {
            delivery.hold_back(provider, unreachable_pause(entry.attempts));
        } else {
            delivery.release(provider);
        }
        Ok(())
    }

    /// The definition to revoke by: today's, unless there is none or it has no use for the entry's
    /// credentials; then the one that was kept with them.
    fn definition(&self, entry: &OutboxEntry) -> Result<Provider> {
        let id = &entry.revocation.provider;
        let today = if *id == self.provider.key {
            Ok(self.provider.clone())
        } else {
            provider::find(id, &Given::new())
        };
        let credentials = &entry.revocation.credentials;
        match today {
            Ok(today) if logout::needed_for_logout(&today, credentials).is_some() => Ok(today),
            _ => Ok(Provider::from_source(&entry.revocation.definition)?),
        }
    }
}

fn about(entry: &OutboxEntry, event: Event, outcome: &str) -> NewAuditEvent {
    NewAuditEvent::new(event, &entry.revocation.provider, &entry.revocation.account, outcome)
}

#[cfg(test)]
#[path = "drain_test.rs"]
mod tests;
