//! Sessions that were opened by another definition than this keeper's: with an earlier version of
//! its provider file, which named other hosts.
//!
//! They are never used: their cookies and tokens are for those hosts alone. They are ended, by a
//! logout or a new login of the same account, and by their own definition.

use super::handle::Keeper;
use crate::error::Result;
use crate::provider::{self, Provider, service_of};
use crate::session::Session;
use crate::vault::{BusyTimeout, StoredSession};
use std::sync::Arc;

impl Keeper {
    /// The definition with this key, as far as it is known today.
    pub(super) fn definition_today(&self, key: &str) -> Option<Provider> {
        if key == self.provider.key {
            return Some(Provider::clone(&self.provider));
        }
        provider::with_key(key)
    }

    /// The definition that a session is ended by: today's with its hosts, or else its own.
    pub(super) fn definition_of(&self, session: &Session) -> Result<Provider> {
        match self.definition_today(&session.provider) {
            Some(today) => Ok(today),
            None => Ok(Provider::from_kept(&session.definition, &session.provider)?),
        }
    }

    /// The keeper of the session that is meant, where only an earlier definition has it: of this
    /// account, or else the active one.
    pub(super) fn earlier(&self, account: Option<&str>, timeout: &BusyTimeout) -> Option<Keeper> {
        let stored = self.shared.vault().and_then(|vault| {
            let of_service = service_of(&self.provider.key);
            vault.with_timeout(timeout).read(|tx| tx.sessions().of_service(of_service))
        });
        let is_meant = |stored: &&StoredSession| match account {
            Some(account) => stored.session.account.id == account,
            None => stored.is_active,
        };
        let stored = stored.unwrap_or_default();
        let mut meant = stored.iter().filter(is_meant).map(|stored| &stored.session);
        let session = meant.clone().find(|session| session.provider == self.provider.key);
        let session = session.or_else(|| meant.next())?;
        if session.provider == self.provider.key || self.shared.sessions.has_ended(&session.id) {
            return None;
        }
        let provider = self.definition_of(session).ok()?;
        Some(Keeper { provider: Arc::new(provider), ..self.clone() })
    }
}
