//! Telling the server, now or later: each entry of the outbox is sent until there is a final
//! answer.
//!
//! Only proof removes an entry, or the end of its credentials by a clock that is known. What no
//! answer can change any more waits for that end, and nobody is asked. Sending twice does no harm;
//! `revoked` is written once, with the removal. Entries are sent one after the other, so those of
//! one host share a connection; a host that does not answer, or asks to wait, is not asked by the
//! next entry either.

use super::attempt::Queued;
use super::delivery::Resting;
use super::handle::Keeper;
use super::report::{Confirmations, ConfirmedLogout, DrainReport, EntryLine, Outbox};
use crate::audit::{Event, NewAuditEvent};
use crate::backoff::{self, TRIES_BEFORE_PARKING};
use crate::cancel::Cancel;
use crate::clock::{Rest, UnixTime};
use crate::error::{Fault, Kind, Result};
use crate::lock::Guard;
use crate::logout::{self, Verdict};
use crate::provider::Provider;
use crate::session::{Outcome, Revocation};
use crate::vault::{Confirmation, OutboxEntry, Waiting};
use std::collections::HashSet;
use std::time::Duration;

/// At most so many entries in one round; the rest is due at the next.
const ROUND: usize = 200;

/// After this time it is seen whether an entry that is not sent any more has ended.
const LOOK_AGAIN: Duration = Duration::from_secs(24 * 3600);

impl Keeper {
    /// What the server still has to be told, as far as it concerns the caller.
    pub fn outbox(&self) -> Result<Outbox> {
        let (mut entries, hosts, sight) = self
            .vault()?
            .read(|tx| Ok((tx.outbox().list()?, tx.hosts().resting()?, self.sight(tx)?)))?;
        if let Some(sight) = sight {
            entries.retain(|OutboxEntry { revocation, .. }| {
                sight.has_account(&revocation.provider, &revocation.account)
            });
        }
        let line = |entry: OutboxEntry| {
            let host = hosts.get(&entry.revocation.host).map(|rest| rest.until);
            EntryLine::new(entry, host)
        };
        Ok(Outbox { entries: entries.into_iter().map(line).collect() })
    }

    /// Tries the entries that are due, or all of them. Where another process is at it already,
    /// those that are due are left to it; all of them wait for it, as long as a login would.
    pub fn drain(&self, due_only: bool, cancel: &Cancel) -> Result<DrainReport> {
        let vault = self.vault()?;
        let mut drained = DrainReport::default();
        self.finish_tasks();
        self.adopt_lost_logins()?;
        if vault.read(|tx| tx.outbox().count(None))? > 0 {
            if let Some(_inside) = self.outbox_lock(due_only, cancel)? {
                self.try_entries(due_only, &mut drained, cancel)?;
            }
            // Nor does one stay whose buffers hold what an ended session was sent with.
            self.shared.close_connections();
        }
        drained.entries = self.outbox()?.entries;
        Ok(drained)
    }

    fn outbox_lock(&self, due_only: bool, cancel: &Cancel) -> Result<Option<Guard<'_>>> {
        let longest = if due_only { Duration::ZERO } else { self.lock_timeout };
        match self.shared.outbox_lock.lock(longest, cancel) {
            Err(error) if due_only && error.kind() == Kind::Storage => {
                log::info!("the waiting logouts are not sent now: {error}");
                Ok(None)
            }
            locked => locked.map(Some),
        }
    }

    fn try_entries(
        &self,
        due_only: bool,
        drained: &mut DrainReport,
        cancel: &Cancel,
    ) -> Result<()> {
        let mut waiting = self.waiting()?;
        if due_only {
            waiting.retain(|(_, wait)| wait.is_zero());
            waiting.truncate(ROUND);
        }
        let mut silent = HashSet::new();
        for (Waiting { id, host, .. }, _) in waiting {
            cancel.check()?;
            if !silent.contains(&host) && self.try_entry(id, drained, cancel)? {
                silent.insert(host);
            }
        }
        Ok(())
    }

    /// The logouts that the server has confirmed since their users were told that it would be told
    /// later, oldest first. Each is given once; to none of the add-ons that share the accounts, for
    /// the service tells the viewer.
    pub fn take_confirmations(&self) -> Result<Confirmations> {
        if self.caller.is_some() {
            return Ok(Confirmations { logouts: Vec::new() });
        }
        let vault = self.vault()?;
        let taken = if vault.read(|tx| tx.confirmations().list())?.is_empty() {
            Vec::new()
        } else {
            vault.transact(|tx| tx.confirmations().take())?
        };
        Ok(Confirmations { logouts: taken.into_iter().map(ConfirmedLogout::from).collect() })
    }

    /// When the next drain has something to do.
    pub(super) fn next_drain(&self) -> Result<Option<UnixTime>> {
        let soonest = self.waiting()?.into_iter().map(|(_, wait)| wait).min();
        Ok(soonest.map(|wait| Rest::of(self.shared.clock.now(), wait).until))
    }

    /// The entries, and how long each of them must still wait.
    fn waiting(&self) -> Result<Vec<(Waiting, Duration)>> {
        let (entries, hosts) =
            self.vault()?.read(|tx| Ok((tx.outbox().waiting()?, tx.hosts().resting()?)))?;
        let waits = self.shared.delivery.waits(&entries, &hosts, &*self.shared.clock);
        Ok(entries.into_iter().zip(waits).collect())
    }

    /// The first try of an entry, by the logout that made it. The viewer asked for it, so it is made
    /// even where the host rests. The entry gets what the try brought.
    pub(super) fn deliver_first(
        &self,
        entry: &mut OutboxEntry,
        deadline: Option<Duration>,
        cancel: &Cancel,
    ) -> Verdict {
        let provider = match self.definition(entry) {
            Ok(provider) => provider,
            Err(error) => {
                log::error!("the server was not told yet: {error}");
                return Verdict::new(Outcome::Deferred, error.message());
            }
        };
        let (verdict, host) = self.tell_server(entry, &provider, deadline, cancel);
        // What the server said is so, whether the disk takes a note of it or not.
        if let Err(error) = self.note(entry, &verdict, host, false) {
            log::error!("the server's answer could not be noted: {error}");
        }
        verdict
    }

    /// True when the entry's host is to be left alone now.
    fn try_entry(&self, id: i64, drained: &mut DrainReport, cancel: &Cancel) -> Result<bool> {
        let Some(_sending) = self.shared.delivery.begin(id) else { return Ok(false) };
        // Somebody else may have dealt with it meanwhile.
        let stored = self.vault()?.read(|tx| tx.outbox().get(id))?;
        let Some(mut entry) = stored else { return Ok(false) };
        if entry.revocation.expires_at.is_some_and(|at| self.shared.clock.is_past(at)) {
            let event = about(&entry, Event::RevocationExpired, "expired");
            if self.settle(&entry, &event, false)? {
                log::info!("the credentials of a waiting logout have ended by themselves");
                drained.expired += 1;
            }
            return Ok(false);
        }
        if entry.is_settled {
            let next_attempt = Rest::of(self.shared.clock.now(), LOOK_AGAIN);
            let entry = OutboxEntry { next_attempt, ..entry };
            self.vault()?.transact(|tx| tx.outbox().postpone(&entry))?;
            return Ok(false);
        }
        let whole = Some(self.network.total_timeout);
        let verdict = self.definition(&entry).and_then(|provider| {
            self.settle_end(&mut entry, &provider)?;
            self.count_attempt(&entry)?;
            let (verdict, host) = self.tell_server(&mut entry, &provider, whole, cancel);
            self.note(&entry, &verdict, host, true).map(|()| verdict)
        });
        match verdict {
            Ok(verdict) => {
                drained.count(verdict.outcome);
                Ok(host_of(&verdict) == Host::Silent)
            }
            Err(error) if matches!(error.kind(), Kind::Cancelled | Kind::Storage) => Err(error),
            // One entry that cannot be sent must not hold up the others.
            Err(error) => {
                log::error!("a waiting logout cannot be sent: {error}");
                drained.count(Outcome::Rejected);
                entry.attempts = entry.attempts.saturating_add(1);
                entry.refusals = TRIES_BEFORE_PARKING;
                let verdict = Verdict::new(Outcome::Rejected, error.message());
                self.postpone(entry, &verdict, Host::Unknown)?;
                Ok(false)
            }
        }
    }

    /// An entry that was made while the time was not known may have no end yet.
    fn settle_end(&self, entry: &mut OutboxEntry, provider: &Provider) -> Result<()> {
        let Revocation { expires_at, credentials, .. } = &mut entry.revocation;
        if expires_at.is_none() {
            *expires_at = self.last_end(provider, credentials);
            if expires_at.is_some() {
                self.enqueue(&entry.revocation)?;
            }
        }
        Ok(())
    }

    /// Before it is made: where the process ends before the answer, the next one is not due at once.
    fn count_attempt(&self, entry: &OutboxEntry) -> Result<()> {
        let attempts = entry.attempts.saturating_add(1);
        let unanswered = Verdict::new(Outcome::Deferred, "");
        let next_attempt = rest_after(&unanswered, attempts, self.shared.clock.now());
        let begun = OutboxEntry { attempts, next_attempt, ..entry.clone() };
        self.vault()?.transact(|tx| tx.outbox().postpone(&begun))
    }

    /// Sends one entry, which gets the credentials that came meanwhile. Says too what the answer
    /// tells of the host.
    fn tell_server(
        &self,
        entry: &mut OutboxEntry,
        provider: &Provider,
        deadline: Option<Duration>,
        cancel: &Cancel,
    ) -> (Verdict, Host) {
        let queued = Some(Queued { id: entry.id, attempts: entry.attempts });
        let verdict =
            self.send_revocation(&mut entry.revocation, provider, queued, deadline, cancel);
        let is_cut_short = cancel.is_cancelled() && verdict.status.is_none();
        entry.attempts = entry.attempts.saturating_add(u32::from(!is_cut_short));
        count_refusal(entry, verdict)
    }

    /// Writes down what a try came to that its caller has not waited for.
    pub(super) fn note_late(&self, id: i64, revocation: Revocation, verdict: Verdict) {
        let stored = self.vault().and_then(|vault| vault.read(|tx| tx.outbox().get(id)));
        let noted = stored.and_then(|stored| match stored {
            Some(stored) => {
                let mut entry = OutboxEntry { revocation, ..stored };
                let (verdict, host) = count_refusal(&mut entry, verdict);
                self.note(&entry, &verdict, host, true)
            }
            // Somebody else has dealt with it.
            None => Ok(()),
        });
        if let Err(error) = noted {
            log::error!("what the server answered could not be written down: {error}");
        }
    }

    /// Writes down what came of it. `is_later`: the logout has been reported, so a confirmation is
    /// to be announced.
    fn note(
        &self,
        entry: &OutboxEntry,
        verdict: &Verdict,
        host: Host,
        is_later: bool,
    ) -> Result<()> {
        if !verdict.outcome.is_final() {
            return self.postpone(entry.clone(), verdict, host);
        }
        let outcome = verdict.outcome.as_str();
        let event = about(entry, Event::Revoked, outcome).with_detail(&verdict.reason);
        if self.settle(entry, &event, is_later)? {
            self.shared.publish(&event);
        }
        Ok(())
    }

    /// Removes an entry that was answered for, and writes its audit event. False, and no event,
    /// when somebody else has done so; also when the entry has newer credentials by now, which the
    /// answer was not about: they are due at once. `is_announced`: a user who was promised it is
    /// told.
    fn settle(
        &self,
        entry: &OutboxEntry,
        event: &NewAuditEvent,
        is_announced: bool,
    ) -> Result<bool> {
        self.vault()?.transact(|tx| {
            tx.hosts().release(&entry.revocation.host)?;
            let Some(stored) = tx.outbox().get(entry.id)? else { return Ok(false) };
            if stored.revocation != entry.revocation {
                let next_attempt = Rest::of(self.shared.clock.now(), Duration::ZERO);
                let anew = OutboxEntry { attempts: 0, refusals: 0, next_attempt, ..stored };
                tx.outbox().postpone(&anew)?;
                return Ok(false);
            }
            tx.outbox().delete(&stored)?;
            let Revocation { session_id, provider, promised_to, .. } = stored.revocation;
            if let Some(account) = promised_to.filter(|_| is_announced) {
                tx.confirmations().add(&Confirmation { session_id, provider, account })?;
            }
            tx.audit().append(event)?;
            Ok(true)
        })
    }

    /// Leaves the entry for a later attempt. What the server will never take is tried once a day,
    /// and the user is told once.
    fn postpone(&self, mut entry: OutboxEntry, verdict: &Verdict, host: Host) -> Result<()> {
        let Verdict { outcome, fault, is_settled, .. } = *verdict;
        let (delivery, clock) = (&self.shared.delivery, &*self.shared.clock);
        let is_parked = outcome == Outcome::Rejected && entry.last_outcome != Some(outcome);
        let kind = if is_parked {
            Some(Event::RevocationRejected)
        } else {
            let is_news = fault == Some(Fault::Tls) && delivery.is_first_tls_failure(entry.id);
            is_news.then_some(Event::TlsFailure)
        };
        let event =
            kind.map(|kind| about(&entry, kind, outcome.as_str()).with_detail(&verdict.reason));
        let now = clock.now();
        entry.next_attempt = rest_after(verdict, entry.attempts, now);
        entry.last_outcome = Some(outcome);
        entry.is_settled = is_settled;
        let place = &entry.revocation.host;
        let held = self.vault()?.transact(|tx| {
            tx.outbox().postpone(&entry)?;
            event.iter().try_for_each(|event| tx.audit().append(event))?;
            match host {
                Host::Silent => {
                    tx.hosts().hold(place, |count| rest_after(verdict, count, now)).map(Some)
                }
                Host::Answering => tx.hosts().release(place).map(|()| None),
                Host::Unknown => Ok(None),
            }
        })?;
        delivery.rest(Resting::Entry(entry.id), entry.next_attempt, clock);
        if let Some(rest) = held {
            delivery.rest(Resting::Host(place.clone()), rest, clock);
        }
        if let Some(event) = event.filter(|_| is_parked) {
            self.shared.publish(&event);
        }
        Ok(())
    }

    /// The definition to revoke by: today's, unless there is none or it has no use for the entry's
    /// credentials; then the one that was kept with them.
    fn definition(&self, entry: &OutboxEntry) -> Result<Provider> {
        let Revocation { provider, credentials, definition, .. } = &entry.revocation;
        match self.definition_today(provider) {
            Some(today) if logout::needed_for_logout(&today, credentials).is_some() => Ok(today),
            _ => Ok(Provider::from_kept(definition, provider)?),
        }
    }
}

/// What an attempt tells of the host, whatever it means for the entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Host {
    /// It was not reached, broke off, cannot answer now, or asks to be left alone.
    Silent,
    Answering,
    /// Nothing was sent, or the caller left.
    Unknown,
}

fn host_of(verdict: &Verdict) -> Host {
    let cannot_now = verdict.outcome == Outcome::Deferred && verdict.status.is_some();
    if verdict.fault.is_some() || verdict.retry_after.is_some() || cannot_now {
        Host::Silent
    } else if verdict.status.is_some() {
        Host::Answering
    } else {
        Host::Unknown
    }
}

/// The pause after that many attempts, the last of which came to `verdict`.
fn rest_after(verdict: &Verdict, count: u32, now: UnixTime) -> Rest {
    let Verdict { outcome, retry_after, fault, .. } = *verdict;
    let attempt = backoff::Attempt { outcome, count, retry_after, fault };
    Rest::of(now, backoff::pause(&attempt))
}

/// What the verdict means for the entry: the server's refusals count. And what it tells of the host.
fn count_refusal(entry: &mut OutboxEntry, mut verdict: Verdict) -> (Verdict, Host) {
    let host = host_of(&verdict);
    if verdict.outcome == Outcome::Rejected {
        entry.refusals = entry.refusals.saturating_add(1);
        if entry.refusals < TRIES_BEFORE_PARKING {
            verdict.outcome = Outcome::Deferred;
        }
    }
    let (outcome, reason) = (verdict.outcome.as_str(), &verdict.reason);
    log::info!("revocation, attempt {}: {outcome} ({reason})", entry.attempts);
    (verdict, host)
}

fn about(entry: &OutboxEntry, event: Event, outcome: &str) -> NewAuditEvent {
    NewAuditEvent::new(event, &entry.revocation.provider, &entry.revocation.account, outcome)
}

#[cfg(test)]
#[path = "drain_test.rs"]
mod tests;
