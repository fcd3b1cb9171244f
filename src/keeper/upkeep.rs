//! Looking after the house: what is due next, the audit trail, what this machine can do, and
//! forgetting everything.

use super::Keeper;
use super::report::{Chores, Forgotten};
use crate::audit::{Event, Line, Record};
use crate::cancel::Cancel;
use crate::error::Result;
use crate::http::{self, Jar};
use crate::provider;
use crate::session::Session;
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;

/// What `doctor` tells: what this machine can do, by area.
#[derive(Clone, Debug, Serialize)]
pub struct Facts(pub Value);

impl Keeper {
    /// When the service should renew and drain next.
    pub fn chores(&self) -> Result<Chores> {
        let live = self.house.live(&self.provider.id)?;
        let renew_at = live
            .as_ref()
            .filter(|live| self.way_to_renew(live).is_some() || self.has_lapsed(live))
            .and_then(|live| self.renewal_time(live));
        Ok(Chores { renew_at, drain_at: self.next_drain()? })
    }

    /// The last `limit` lines of the audit trail, oldest first.
    pub fn audit(&self, limit: usize) -> Result<Vec<Line>> {
        self.house.vault()?.trail(limit)
    }

    /// Logs out of everything and tries the servers once, then erases the key, the sessions and the
    /// outbox of this data directory. What a server has not been told by then, it never will be.
    pub fn forget(&self, cancel: &Cancel) -> Result<Forgotten> {
        log::info!("forgetting this device's key and sessions");
        let turn = self.house.turn();
        self.house.stop_work_of_all();
        let vault = self.house.vault()?;
        let mut retire = |session: &Session| {
            let other = provider::find(&session.provider).ok();
            let own = (session.provider == self.provider.id).then(|| self.provider.clone());
            let jar = Jar::from_sealed(&session.cookies).ok()?;
            let whose = (session.id.as_str(), session.account.id.as_str());
            self.revocation_of(&own.or(other)?, &jar, whose, Duration::ZERO).ok()
        };
        let mut record_for = |session: &Session| Record {
            provider: session.provider.clone(),
            ..self.record(Event::Logout, &session.account.id, "cleared", "")
        };
        let ended = vault.end_every(&mut retire, &mut record_for);
        drop(turn);
        if let Err(error) = self.drain(false, cancel) {
            log::warn!("the outbox could not be drained: {error}");
        }
        let (left, pending) = vault.forget()?;
        self.house.forget_everything();
        self.house.events.tell(Event::Forgotten.name(), &self.provider.id, "", "ok");
        let sessions = ended.unwrap_or(0) + left;
        Ok(Forgotten { forgotten: true, sessions, pending_revocations: pending })
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
            "tls": { "bundled_roots": http::bundled_roots() },
            "clock": {
                "now": clock.now(),
                "is_plausible": clock.is_plausible(),
                "is_known": clock.is_known(),
            },
        })))
    }
}
