//! Sessions that were opened by another definition than this keeper's: with an earlier version of
//! its provider file, which named other hosts.
//!
//! They are never used: their cookies and tokens are for those hosts alone. They are ended, by a
//! logout or a new login of the same account, and by their own definition.

use super::handle::Keeper;
use super::shared::Shared;
use crate::cancel::Cancel;
use crate::error::Result;
use crate::provider::{Given, Provider, id_of, service_of};
use crate::session::Session;
use crate::vault::{BusyTimeout, StoredSession};
use std::path::Path;
use std::sync::Arc;

/// Which stored session a service is known by, where its file does not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The one that has these parameters.
    WithTheseParameters,
    /// That one, or without any parameters the active one.
    Any,
}

impl Kept {
    /// The definition that the session was opened with.
    pub fn definition(
        self,
        directory: &Path,
        key_directory: Option<&Path>,
        id: &str,
        given: &Given,
    ) -> Option<Provider> {
        let shared = Shared::at(directory, key_directory.map(Path::to_owned)).ok()?;
        if !shared.has_vault() {
            return None;
        }
        let timeout = BusyTimeout::ordinary(&Cancel::new());
        let vault = shared.vault().ok()?.with_timeout(&timeout);
        let mut stored = vault.read(|tx| tx.sessions().list(None)).ok()?;
        stored.retain(|stored| id_of(&stored.session.provider) == id);
        stored.sort_by_key(|stored| !stored.is_active);
        let kept = stored.iter().filter_map(|StoredSession { session, .. }| {
            Provider::from_kept(&session.definition, &session.provider).ok()
        });
        let kept: Vec<Provider> = kept.collect();
        let meant = kept.iter().find(|provider| provider.has_parameters(given));
        let active = kept.first().filter(|_| self == Kept::Any && given.is_empty());
        meant.or(active).cloned()
    }
}

impl Keeper {
    /// The definition with this key, as far as it is known today.
    pub(super) fn definition_today(&self, key: &str) -> Option<Provider> {
        if key == self.provider.key {
            return Some(Provider::clone(&self.provider));
        }
        self.sources.with_key(key)
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
