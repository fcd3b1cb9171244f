//! Telling the server, now or later: each entry of the outbox is sent until it is answered for good.
//!
//! An entry is taken out by its proof alone, or when its credentials have ended by themselves and the
//! clock is known. Sending twice does no harm; `revoked` is written once, by whoever takes it out.

use super::Keeper;
use super::house::random_fraction;
use super::report::{Drained, EntryLine, Outbox};
use crate::audit::{Event, Record};
use crate::cancel::Cancel;
use crate::clock::UnixTime;
use crate::error::{Fault, Result};
use crate::http::{Client, Jar};
use crate::logout::{self, Verdict};
use crate::outbox::{Attempt, Outcome, TRIES_BEFORE_PARKING, is_unreachable, next_attempt_at};
use crate::provider::{self, Provider};
use crate::vault::Entry;
use std::time::Duration;

/// At most so many entries in one round; the rest is due at the next.
const ROUND: usize = 200;

impl Keeper {
    /// What the server has still to be told.
    pub fn outbox(&self) -> Result<Outbox> {
        let entries = self.house.vault()?.entries()?;
        Ok(Outbox { entries: entries.into_iter().map(EntryLine::from).collect() })
    }

    /// Tries the entries that are due, or all of them.
    pub fn drain(&self, due_only: bool, cancel: &Cancel) -> Result<Drained> {
        let vault = self.house.vault()?;
        let mut drained = Drained::default();
        if vault.pending(None)? > 0 {
            let _inside = self.house.postman.enter(cancel)?;
            let entries = if due_only {
                vault.due(self.house.clock.now(), ROUND)?
            } else {
                self.house.state().unreachable.clear();
                vault.entries()?
            };
            for entry in entries {
                cancel.check()?;
                self.try_entry(&entry, &mut drained, cancel)?;
            }
        }
        drained.entries = self.outbox()?.entries;
        Ok(drained)
    }

    /// The first try of an entry, by the logout that made it.
    pub(super) fn deliver_first(
        &self,
        id: i64,
        deadline: Option<Duration>,
        cancel: &Cancel,
    ) -> Verdict {
        let verdict = (|| {
            let entry = self.house.vault()?.entry(id)?;
            let entry = entry.ok_or_else(|| {
                crate::error::Error::new(crate::error::Kind::Storage, "the outbox entry is gone")
            })?;
            let client = self.logout_client(deadline)?;
            self.deliver(&entry, &self.provider, &client, cancel)
        })();
        verdict.unwrap_or_else(|error| {
            log::error!("the server was not told yet: {error}");
            Verdict {
                outcome: Outcome::Deferred,
                status: None,
                retry_after: None,
                fault: None,
                reason: error.message().to_owned(),
            }
        })
    }

    fn try_entry(&self, entry: &Entry, drained: &mut Drained, cancel: &Cancel) -> Result<()> {
        let provider_id = &entry.revocation.provider;
        if self.house.clock.now() < self.unreachable_until(provider_id) {
            return Ok(());
        }
        if !self.house.state().sending.insert(entry.id) {
            return Ok(());
        }
        let result = self.try_held(entry, drained, cancel);
        self.house.state().sending.remove(&entry.id);
        result
    }

    fn try_held(&self, entry: &Entry, drained: &mut Drained, cancel: &Cancel) -> Result<()> {
        // Somebody else may have answered for it while we were on our way.
        let Some(entry) = self.house.vault()?.entry(entry.id)? else { return Ok(()) };
        if entry.revocation.expires_at.is_some_and(|at| self.house.clock.is_past(at)) {
            let record = record(&entry, Event::RevocationExpired, "expired", "");
            if self.house.vault()?.settle(entry.id, &record)? {
                log::info!("the credentials of a waiting logout have ended by themselves");
                drained.expired += 1;
            }
            return Ok(());
        }
        let provider = self.definition(&entry)?;
        let client = self.client()?;
        let verdict = self.deliver(&entry, &provider, &client, cancel)?;
        drained.count(verdict.outcome);
        Ok(())
    }

    /// Sends one entry and writes down what came of it.
    fn deliver(
        &self,
        entry: &Entry,
        provider: &Provider,
        client: &Client,
        cancel: &Cancel,
    ) -> Result<Verdict> {
        let vault = self.house.vault()?;
        let jar = Jar::from_sealed(&entry.revocation.cookies)?;
        let mut verdict = logout::revoke(client, provider, &jar, cancel);
        let count = entry.attempts.saturating_add(1);
        if verdict.outcome == Outcome::Rejected && count < TRIES_BEFORE_PARKING {
            verdict.outcome = Outcome::Deferred;
        }
        log::info!("revocation, attempt {count}: {} ({})", verdict.outcome.name(), verdict.reason);
        self.house.state().unreachable.remove(&entry.revocation.provider);
        if verdict.outcome.is_final() {
            let outcome = verdict.outcome.name();
            if vault.settle(entry.id, &record(entry, Event::Revoked, outcome, &verdict.reason))? {
                let (provider, account) = (&entry.revocation.provider, &entry.revocation.account);
                self.house.events.tell(Event::Revoked.name(), provider, account, outcome);
            }
            return Ok(verdict);
        }
        let now = self.house.clock.now();
        let attempt = Attempt {
            outcome: verdict.outcome,
            count,
            retry_after: verdict.retry_after,
            fault: verdict.fault,
        };
        let next = next_attempt_at(now, &attempt, random_fraction());
        vault.postpone(entry.id, count, next, verdict.outcome.name())?;
        self.remember_failure(entry, &verdict, count, next)?;
        Ok(verdict)
    }

    fn remember_failure(
        &self,
        entry: &Entry,
        verdict: &Verdict,
        count: u32,
        next: i64,
    ) -> Result<()> {
        let provider = &entry.revocation.provider;
        if verdict.fault.is_some_and(is_unreachable) {
            self.house.state().unreachable.insert(provider.clone(), next);
        }
        let vault = self.house.vault()?;
        if verdict.fault == Some(Fault::Tls) && count == 1 {
            vault.append(&record(entry, Event::TlsFailure, "deferred", &verdict.reason))?;
        }
        if verdict.outcome == Outcome::Rejected && count == TRIES_BEFORE_PARKING {
            vault.append(&record(entry, Event::RevocationRejected, "rejected", &verdict.reason))?;
            let account = &entry.revocation.account;
            self.house.events.tell(Event::RevocationRejected.name(), provider, account, "rejected");
        }
        Ok(())
    }

    /// The definition to revoke by: today's where there is one, else the one kept with the entry.
    fn definition(&self, entry: &Entry) -> Result<Provider> {
        let id = &entry.revocation.provider;
        if *id == self.provider.id {
            return Ok(self.provider.clone());
        }
        provider::find(id).or_else(|_| Provider::parse(&entry.revocation.definition))
    }

    /// When the next drain has something to do.
    pub(super) fn next_drain(&self) -> Result<Option<UnixTime>> {
        let vault = self.house.vault()?;
        let due = vault.due(self.house.clock.now(), ROUND)?;
        let at = due.iter().map(|entry| {
            entry.next_attempt_at.max(self.unreachable_until(&entry.revocation.provider))
        });
        at.min().map_or_else(|| vault.next_due(), |at| Ok(Some(at)))
    }

    fn unreachable_until(&self, provider: &str) -> i64 {
        let now = self.house.clock.now();
        let until = self.house.state().unreachable.get(provider).copied().unwrap_or(0);
        // A clock that was set back must not keep a provider waiting.
        if until > now + 86_400 { 0 } else { until }
    }
}

fn record(entry: &Entry, event: Event, outcome: &str, detail: &str) -> Record {
    Record {
        event,
        provider: entry.revocation.provider.clone(),
        account: entry.revocation.account.clone(),
        outcome: outcome.to_owned(),
        detail: detail.to_owned(),
    }
}
