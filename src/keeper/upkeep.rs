//! Looking after the house: what is due next, the audit trail, what this machine can do, and
//! forgetting everything.

use super::Keeper;
use super::exit::Manner;
use super::report::{Chores, Forgotten};
use crate::audit::Line;
use crate::cancel::Cancel;
use crate::error::Result;
use serde::Serialize;
use serde_json::{Value, json};

/// What `doctor` tells: what this machine can do, by area.
#[derive(Clone, Debug, Serialize)]
pub struct Facts(pub Value);

impl Keeper {
    /// When the service should renew and drain next.
    pub fn chores(&self) -> Result<Chores> {
        let live = self.house.live(&self.provider.id)?;
        let renew_at = live
            .as_ref()
            .filter(|live| self.renewable_page(live).is_some() || self.has_lapsed(live))
            .and_then(|live| self.renewal_time(live));
        Ok(Chores { renew_at, drain_at: self.next_drain()? })
    }

    /// The last `limit` lines of the audit trail, oldest first.
    pub fn audit(&self, limit: usize) -> Result<Vec<Line>> {
        self.house.vault()?.trail(limit)
    }

    /// Logs out and tries the server once, then erases the key, the sessions and the outbox of this
    /// data directory. What the server has not been told by then, it never will be.
    pub fn forget(&self, cancel: &Cancel) -> Result<Forgotten> {
        let report = self.log_out(Manner::default(), cancel)?;
        log::info!("forgetting this device's key and sessions");
        if !cancel.is_cancelled() {
            if let Err(error) = self.drain(false, cancel) {
                log::warn!("the outbox could not be drained: {error}");
            }
        }
        let (others, pending) = self.house.vault()?.forget()?;
        let mut state = self.house.state();
        state.read.clear();
        drop(state);
        self.house.drop_connections();
        let own = u64::from(report.local == super::Local::Cleared);
        self.house.events.tell("forgotten", &self.provider.id, "", "ok");
        Ok(Forgotten { forgotten: true, sessions: others + own, pending_revocations: pending })
    }

    /// What this machine can do. No network.
    pub fn facts(&self) -> Result<Facts> {
        let vault = self.house.vault()?;
        let clock = &self.house.clock;
        let facts = vault.facts()?;
        Ok(Facts(json!({
            "versions": { "sessionkeeper": env!("CARGO_PKG_VERSION"), "sqlite": facts.sqlite },
            "vault": {
                "place": self.house.directory.display().to_string(),
                "schema": facts.schema,
                "is_sound": facts.integrity,
                "audit_trail_is_whole": facts.trail_holds,
            },
            "key": {
                "place": facts.key_place.display().to_string(),
                "is_beside_the_vault": facts.key_beside_vault,
            },
            "locks": { "across_processes": facts.file_locks && self.house.door.can_lock() },
            "file_system": { "journal_mode": facts.journal_mode },
            "tls": { "bundled_roots": webpki_roots::TLS_SERVER_ROOTS.len() },
            "clock": {
                "now": clock.now(),
                "is_plausible": clock.is_plausible(),
                "is_known": clock.is_known(),
            },
        })))
    }
}
