//! Telling the server, now or later: each entry of the outbox is sent until there is a final
//! answer.
//!
//! An entry is removed only on proof, or when its credentials have ended by themselves and the
//! clock is known. Sending twice does no harm; `revoked` is written once, by whoever takes it out.

use super::Keeper;
use super::report::{DrainReport, EntryLine, Outbox};
use super::revocation::not_tried;
use super::shared::random_fraction;
use crate::audit::{Event, NewAuditEvent};
use crate::backoff::{
    Attempt, Outcome, TRIES_BEFORE_PARKING, is_unreachable, next_attempt_at, unreachable_pause,
};
use crate::cancel::Cancel;
use crate::clock::UnixTime;
use crate::error::{Fault, Kind, Result};
use crate::logout::{self, Verdict};
use crate::provider::{self, Given, Provider, id_of};
use crate::session::Credentials;
use crate::vault::OutboxEntry;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often a logout everywhere waits for the other sessions before it ends its own all the same.
const TRIES_BEFORE_SKIPPING: u32 = 5;

/// The most entries in one round; the rest wait for the next.
const ROUND: usize = 200;

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
            Verdict { reason: error.message().to_owned(), ..not_tried() }
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
        let result = self.try_held(entry.id, drained, cancel);
        match result {
            // One entry that cannot be sent must not hold up the others.
            Err(error) if !matches!(error.kind(), Kind::Cancelled | Kind::Storage) => {
                log::error!("a waiting logout cannot be sent: {error}");
                drained.rejected += 1;
                self.park(entry, entry.attempts.saturating_add(1), error.message())
            }
            other => other,
        }
    }

    fn try_held(&self, id: i64, drained: &mut DrainReport, cancel: &Cancel) -> Result<()> {
        // Somebody else may have answered for it while we were on our way.
        let entry = self.shared.vault()?.read(|tx| tx.outbox().get(id))?;
        let Some(mut entry) = entry else { return Ok(()) };
        if entry.revocation.expires_at.is_some_and(|at| self.shared.clock.is_past(at)) {
            let audit_event = audit_event(&entry, Event::RevocationExpired, "expired", "");
            if self.settle(&entry, &audit_event)? {
                log::info!("the credentials of a waiting logout have ended by themselves");
                drained.expired += 1;
            }
            return Ok(());
        }
        let provider = self.definition(&entry)?;
        let whole = Some(self.network.total_timeout);
        let verdict = self.deliver(&mut entry, &provider, whole, cancel)?;
        drained.count(verdict.outcome);
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
        let wait_for_others = entry.attempts < TRIES_BEFORE_SKIPPING;
        let revocation = entry.revocation.clone();
        let mut keep = |credentials: &Credentials| {
            entry.revocation.credentials = credentials.clone();
            let ends = (entry.revocation.expires_at, self.last_end(provider, credentials));
            entry.revocation.expires_at = ends.0.zip(ends.1).map(|(old, new)| old.max(new));
            let kept = self
                .shared
                .vault()
                .and_then(|vault| vault.transact(|tx| tx.outbox().enqueue(&entry.revocation)));
            kept.inspect_err(|error| log::error!("the outbox could not be written: {error}"))
                .is_ok()
        };
        let mut verdict =
            self.revoke_within(&revocation, provider, deadline, cancel, wait_for_others, &mut keep);
        let entry = &*entry;
        let is_cut_short = cancel.is_cancelled() && verdict.status.is_none();
        let attempts = entry.attempts.saturating_add(u32::from(!is_cut_short));
        let refusals = entry.refusals + u32::from(verdict.outcome == Outcome::Rejected);
        if verdict.outcome == Outcome::Rejected && refusals < TRIES_BEFORE_PARKING {
            verdict.outcome = Outcome::Deferred;
        }
        let (outcome, reason) = (verdict.outcome.as_str(), &verdict.reason);
        log::info!("revocation, attempt {attempts}: {outcome} ({reason})");
        let (provider, account) = (&entry.revocation.provider, &entry.revocation.account);
        if verdict.outcome.is_final() {
            self.shared.delivery.release(provider);
            if self.settle(entry, &audit_event(entry, Event::Revoked, outcome, reason))? {
                self.shared.events.publish(
                    Event::Revoked.as_str(),
                    id_of(provider),
                    account,
                    outcome,
                );
            }
        } else if verdict.outcome == Outcome::Rejected {
            self.park(entry, attempts, reason)?;
        } else {
            let attempt = Attempt {
                outcome: verdict.outcome,
                count: attempts,
                retry_after: verdict.retry_after,
                fault: verdict.fault,
            };
            let next = next_attempt_at(self.shared.clock.now(), &attempt, random_fraction());
            self.postpone(entry, attempts, refusals, next, outcome)?;
            self.remember_fault(entry, &verdict)?;
        }
        Ok(verdict)
    }

    /// Removes an entry that was answered for, and writes its line. False, and no line, when
    /// somebody else has done so; also when the entry has got newer credentials meanwhile, which
    /// the answer was not about: they are due now.
    fn settle(&self, entry: &OutboxEntry, audit_event: &NewAuditEvent) -> Result<bool> {
        self.shared.vault()?.transact(|tx| {
            let Some(stored) = tx.outbox().get(entry.id)? else { return Ok(false) };
            if stored.revocation != entry.revocation {
                let next_attempt_at = self.shared.clock.now();
                let anew = OutboxEntry { attempts: 0, refusals: 0, next_attempt_at, ..stored };
                tx.outbox().postpone(&anew)?;
                return Ok(false);
            }
            tx.outbox().delete(&stored)?;
            tx.audit().append(audit_event)?;
            Ok(true)
        })
    }

    /// Notes an attempt, and when the next one is due.
    fn postpone(
        &self,
        entry: &OutboxEntry,
        attempts: u32,
        refusals: u32,
        next_attempt_at: UnixTime,
        outcome: &str,
    ) -> Result<()> {
        let last_outcome = outcome.to_owned();
        let entry =
            OutboxEntry { attempts, refusals, next_attempt_at, last_outcome, ..entry.clone() };
        self.shared.vault()?.transact(|tx| tx.outbox().postpone(&entry))
    }

    /// Leaves an entry that the server will not take for a day at a time; the user is told once.
    fn park(&self, entry: &OutboxEntry, attempts: u32, reason: &str) -> Result<()> {
        let outcome = Outcome::Rejected;
        let attempt = Attempt { outcome, count: attempts, retry_after: None, fault: None };
        let next = next_attempt_at(self.shared.clock.now(), &attempt, random_fraction());
        self.postpone(entry, attempts, TRIES_BEFORE_PARKING, next, outcome.as_str())?;
        if entry.last_outcome != outcome.as_str() {
            let event = Event::RevocationRejected;
            let line = audit_event(entry, event, outcome.as_str(), reason);
            self.shared.vault()?.transact(|tx| tx.audit().append(&line))?;
            let (provider, account) = (&entry.revocation.provider, &entry.revocation.account);
            self.shared.events.publish(event.as_str(), id_of(provider), account, outcome.as_str());
        }
        Ok(())
    }

    fn remember_fault(&self, entry: &OutboxEntry, verdict: &Verdict) -> Result<()> {
        let provider = &entry.revocation.provider;
        match verdict.fault {
            Some(fault) if is_unreachable(fault) => {
                let pause = unreachable_pause(entry.attempts.saturating_add(1), random_fraction());
                self.shared.delivery.hold_back(provider, pause);
                if fault == Fault::Tls && self.shared.delivery.is_first_tls_failure(entry.id) {
                    let line = audit_event(entry, Event::TlsFailure, "deferred", &verdict.reason);
                    self.shared.vault()?.transact(|tx| tx.audit().append(&line))?;
                }
            }
            _ => self.shared.delivery.release(provider),
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
            Ok(today)
                if logout::can_revoke(&today, &logout::needed_for_logout(&today, credentials)) =>
            {
                Ok(today)
            }
            _ => Ok(Provider::from_source(&entry.revocation.definition)?),
        }
    }
}

fn audit_event(entry: &OutboxEntry, event: Event, outcome: &str, detail: &str) -> NewAuditEvent {
    NewAuditEvent {
        event,
        provider: entry.revocation.provider.clone(),
        account: entry.revocation.account.clone(),
        outcome: outcome.to_owned(),
        detail: detail.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock, HeldClock};
    use crate::cookies::Jar;
    use crate::http::{Proxy, Settings};
    use crate::keeper::Config;
    use crate::provider::Hosts;
    use crate::session::Revocation;
    use crate::vault::Vault;
    use std::path::Path;
    use std::sync::Arc;

    const NOW: UnixTime = 1_800_000_000;

    fn keeper(directory: &Path, provider: Provider) -> Keeper {
        let clock: Arc<dyn Clock> = Arc::new(HeldClock::at(NOW));
        let config = Config {
            provider,
            directory: directory.join("data"),
            key_directory: Some(directory.join("keys")),
            network: Settings { proxy: Proxy::None, ..Settings::default() },
            logout_deadline: Duration::from_secs(3),
            renewal_margin: 3600,
            log_level: log::LevelFilter::Info,
            log_to_terminal: false,
        };
        Keeper::with_clock(config, clock).unwrap()
    }

    fn enqueue(vault: &Vault, revocation: &Revocation) {
        vault.transact(|tx| tx.outbox().enqueue(revocation)).unwrap();
    }

    fn entry(number: usize, provider: &str, definition: &str) -> Revocation {
        Revocation {
            session_id: format!("{number:032x}"),
            provider: provider.into(),
            account: "a".into(),
            created_at: 0,
            first_attempt_at: i64::try_from(number).unwrap(),
            expires_at: None,
            credentials: Credentials::new(),
            everywhere: false,
            definition: definition.into(),
        }
    }

    #[test]
    fn a_poison_entry_does_not_stop_the_others() {
        let directory = tempfile::tempdir().unwrap();
        let keeper = keeper(directory.path(), provider::find("angel", &Given::new()).unwrap());
        let vault = keeper.shared.vault().unwrap();
        enqueue(&vault, &entry(1, "gone", "no longer a provider file"));
        let over = Revocation { expires_at: Some(10), ..entry(2, "angel", "") };
        enqueue(&vault, &over);
        let drained = keeper.drain(true, &Cancel::new()).unwrap();
        assert_eq!((drained.expired, drained.rejected, drained.entries.len()), (1, 1, 1));
        assert!(keeper.schedule().unwrap().drain_at > Some(NOW + 80_000), "parked, not lost");
        let told = keeper.events_after(0);
        assert_eq!(told.iter().filter(|one| one.event == "revocation_rejected").count(), 1);
    }

    #[test]
    fn an_answer_about_older_credentials_does_not_settle_newer_ones() {
        let directory = tempfile::tempdir().unwrap();
        let keeper = keeper(directory.path(), provider::find("angel", &Given::new()).unwrap());
        let vault = keeper.shared.vault().unwrap();
        enqueue(&vault, &entry(1, "angel", ""));
        let get = || vault.read(|tx| tx.outbox().get(1)).unwrap();
        keeper.postpone(&get().unwrap(), 4, 2, NOW + 900, "rejected").unwrap();
        let sent = get().unwrap();
        let mut credentials = Credentials::new();
        credentials.set("access_token", crate::secret::Secret::new("late"));
        enqueue(&vault, &Revocation { credentials, ..entry(1, "angel", "") });
        let line = audit_event(&sent, Event::Revoked, "revoked", "");
        assert!(!keeper.settle(&sent, &line).unwrap());
        let newer = get().unwrap();
        assert_eq!((newer.attempts, newer.refusals, newer.next_attempt_at), (0, 0, NOW));
        assert_eq!(keeper.audit(9).unwrap(), []);
        assert!(keeper.settle(&newer, &line).unwrap());
        assert!(!keeper.settle(&newer, &line).unwrap());
        assert_eq!(keeper.audit(9).unwrap().len(), 1);
    }

    #[test]
    fn what_is_held_back_is_not_due() {
        let directory = tempfile::tempdir().unwrap();
        let keeper = keeper(directory.path(), provider::find("angel", &Given::new()).unwrap());
        enqueue(&keeper.shared.vault().unwrap(), &entry(1, "gone", "x"));
        keeper.shared.delivery.hold_back("gone", Duration::from_secs(30));
        assert_eq!(keeper.drain(true, &Cancel::new()).unwrap().entries.len(), 1);
        let at = keeper.schedule().unwrap().drain_at.unwrap();
        assert!((NOW + 28..=NOW + 31).contains(&at), "in {} s", at - NOW);
    }

    #[test]
    fn credentials_of_another_host_are_not_replaced_by_none() {
        let text = include_str!("../../tests/it/service.toml").replace("PORT", "9");
        let directory = tempfile::tempdir().unwrap();
        let provider = Provider::parse(&text, None).unwrap();
        let source = provider.source.clone();
        let keeper = keeper(directory.path(), provider);
        let mut jar = Jar::new();
        let hosts = Hosts::new(&["old.example".into()], &[]).unwrap();
        let cookie = "remember=b; Path=/; Max-Age=9999".to_owned();
        jar.store(&"https://old.example/".parse().unwrap(), &[cookie], Some(NOW), &hosts);
        let held = Revocation {
            credentials: Credentials::new().with_jar(jar),
            ..entry(1, "service", &source)
        };
        enqueue(&keeper.shared.vault().unwrap(), &held);
        let drained = keeper.drain(true, &Cancel::new()).unwrap();
        assert_eq!((drained.unconfirmed, drained.entries.len()), (1, 1), "nothing was sent");
    }
}
