//! The audit trail, and what other add-ons are told.

use super::handle::Keeper;
use super::shared::Shared;
use crate::audit::{AuditEvent, Event, NewAuditEvent};
use crate::error::Result;
use crate::provider::id_of;

impl Keeper {
    /// The last `limit` lines of the audit trail that are for the caller, oldest first.
    pub fn audit(&self, limit: usize) -> Result<Vec<AuditEvent>> {
        let lines = self.vault()?.read(|tx| {
            let Some(sight) = self.sight(tx)? else { return tx.audit().list(limit) };
            let mut lines = tx.audit().list(usize::MAX)?;
            lines.retain(|line| sight.has_line(line));
            Ok(lines.split_off(lines.len().saturating_sub(limit)))
        })?;
        Ok(shown(lines))
    }

    /// The lines of the trail that are for the caller and that an audit sink has not taken, oldest
    /// first.
    pub fn audit_since(&self, sink: &str, limit: usize) -> Result<Vec<AuditEvent>> {
        let lines = self.vault()?.read(|tx| {
            let seq = tx.audit().acknowledged(&self.own_name(sink))?;
            let Some(sight) = self.sight(tx)? else { return tx.audit().after(seq, limit) };
            let lines = tx.audit().after(seq, usize::MAX)?.into_iter();
            Ok(lines.filter(|line| sight.has_line(line)).take(limit).collect())
        })?;
        Ok(shown(lines))
    }

    /// Notes that an audit sink has taken the lines up to `seq`, and gives the last that it has.
    pub fn audit_taken(&self, sink: &str, seq: i64) -> Result<i64> {
        let sink = self.own_name(sink);
        let last = self.vault()?.transact(|tx| tx.audit().acknowledge(&sink, seq))?;
        self.shared.failed_sinks().remove(&sink);
        Ok(last)
    }

    /// Notes that an audit sink did not take its lines; once, until it does again.
    pub fn audit_refused(&self, sink: &str, reason: &str) {
        if self.shared.failed_sinks().insert(self.own_name(sink)) {
            log::warn!("the audit sink failed: {reason}");
            let event = self.event(Event::AuditSinkFailed, "", "failed").with_detail(reason);
            self.append(&event);
        }
    }

    /// Writes to the audit trail; a failure stops nothing.
    pub(super) fn append(&self, event: &NewAuditEvent) {
        let written = self.vault().and_then(|vault| vault.transact(|tx| tx.audit().append(event)));
        if let Err(error) = written {
            log::error!("the audit trail could not be written: {error}");
        }
    }

    /// An event of this provider.
    pub(super) fn event(&self, event: Event, account: &str, outcome: &str) -> NewAuditEvent {
        NewAuditEvent::new(event, &self.provider.key, account, outcome)
    }
}

impl Shared {
    /// Tells other add-ons.
    pub fn publish(&self, event: &NewAuditEvent) {
        let NewAuditEvent { event, provider, account, outcome, .. } = event;
        self.events.publish(*event, id_of(provider), account, outcome);
    }
}

/// With the providers' ids, as everybody knows them.
fn shown(mut lines: Vec<AuditEvent>) -> Vec<AuditEvent> {
    for line in &mut lines {
        line.provider = id_of(&line.provider).to_owned();
    }
    lines
}
