//! Who may use an account: the add-on that logged in, and those that the viewer allowed.
//!
//! The account is the viewer's. Where the keeper is an add-on's, a session that she has not allowed
//! it is withheld in [`Keeper::seen`], which every verb that needs a session goes through. This is
//! consent and a record of it; add-ons share a process, so it is no defence.

use super::handle::{AT_ONCE, Keeper};
use super::logout::LogoutOptions;
use super::report::{Access, PermissionLine, Permissions};
use super::session_cache::Seen;
use super::streams::Usage;
use crate::audit::Event;
use crate::error::{Error, Kind, Result};
use crate::provider::service_of;
use crate::vault::{BusyTimeout, Permission, SessionSelector, Transaction, VaultResult};

/// What has become of a session that an add-on was given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Usable,
    /// It is there, and the viewer has withdrawn her permission.
    Withheld,
    /// It is not stored any more.
    Gone,
}

impl Keeper {
    /// What there is, as far as the caller may use it.
    pub(super) fn seen(&self) -> Result<Seen> {
        let seen = self.shared.seen(&self.provider.key, &self.timeout)?;
        Ok(match &self.caller {
            Some(addon) => seen.by(addon),
            None => seen,
        })
    }

    /// Whether the caller may use the active account, and what it takes to ask the viewer. No
    /// network.
    pub fn access(&self) -> Result<Access> {
        let service = self.provider.name.clone();
        let Some(addon) = &self.caller else {
            return Ok(Access { addon: None, service, account: None, answer: Some(true) });
        };
        let seen = self.shared.seen(&self.provider.key, &self.timeout)?;
        let account = seen.session.map(|session| session.account);
        let answer = account.as_ref().map(|account| {
            self.vault()?.read(|tx| tx.permissions().get(self.service(), &account.id, addon))
        });
        let answer = answer.transpose()?.flatten().map(|permission| permission.is_allowed);
        Ok(Access { addon: Some(addon.clone()), service, account, answer })
    }

    /// The viewer's answers about the accounts of this service, or of all; to an add-on, those about
    /// itself.
    pub fn permissions(&self, of_all: bool) -> Result<Permissions> {
        let mut answers = self.vault()?.read(|tx| tx.permissions().list(None))?;
        answers.retain(|answer| {
            (of_all || answer.service == self.service())
                && self.caller.as_ref().is_none_or(|caller| *caller == answer.addon)
        });
        Ok(Permissions { permissions: answers.into_iter().map(PermissionLine::from).collect() })
    }

    /// Stores the viewer's answer about an add-on and an account of this service, or with `None`
    /// forgets it: then she is asked again. It counts at once, for whoever uses the vault.
    pub fn set_permission(&self, addon: &str, account: &str, allowed: Option<bool>) -> Result<()> {
        check_addon(addon)?;
        if self.caller.as_ref().is_some_and(|caller| caller != addon) {
            let message = "an add-on asks the viewer for itself, and for no other";
            return Err(Error::new(Kind::InvalidInput, message));
        }
        self.vault()?.transact(|tx| {
            if self.is_stored(tx, account)? {
                self.answer(tx, addon, account, allowed)
            } else {
                Err(self.unknown_account().into())
            }
        })?;
        if allowed != Some(true) {
            self.end_streams_of(Some(addon), account);
        }
        Ok(())
    }

    /// The add-on reads nothing more in the name of this account.
    pub(super) fn end_streams_of(&self, addon: Option<&str>, account: &str) {
        self.shared.streams.end(&self.needs_permission(), |usage| {
            usage.addon.as_deref() == addon
                && usage.account == account
                && service_of(&usage.provider) == self.service()
        });
    }

    /// Whether what was begun in an account's name may go on. Where the disk does not say at once,
    /// it may.
    pub(super) fn standing(&self, usage: &Usage) -> Standing {
        let Usage { provider, session_id, account, addon } = usage;
        let keeper = self.with_timeout(BusyTimeout::of(AT_ONCE));
        let stands = keeper.vault().and_then(|vault| {
            vault.read(|tx| {
                if tx.sessions().find(provider, SessionSelector::Session(session_id))?.is_none() {
                    return Ok(Standing::Gone);
                }
                let Some(addon) = addon else { return Ok(Standing::Usable) };
                let answer = tx.permissions().get(service_of(provider), account, addon)?;
                let is_allowed = answer.is_some_and(|answer| answer.is_allowed);
                Ok(if is_allowed { Standing::Usable } else { Standing::Withheld })
            })
        });
        stands.unwrap_or(Standing::Usable)
    }

    /// Stores an answer with its line in the audit trail, unless it is the one that stands.
    pub(super) fn answer(
        &self,
        tx: &Transaction<'_>,
        addon: &str,
        account: &str,
        allowed: Option<bool>,
    ) -> VaultResult<()> {
        let service = self.service();
        let before = tx.permissions().get(service, account, addon)?;
        let before = before.map(|permission| permission.is_allowed);
        if before == allowed {
            return Ok(());
        }
        match allowed {
            Some(is_allowed) => tx.permissions().set(&Permission {
                addon: addon.to_owned(),
                service: service.to_owned(),
                account: account.to_owned(),
                is_allowed,
                since: self.shared.clock.now(),
            })?,
            None => tx.permissions().remove(service, account, addon)?,
        }
        let outcome = match (before, allowed) {
            (_, Some(true)) => "allowed",
            (None, Some(false)) => "refused",
            // Also a refusal, where she is to be asked again.
            _ => "withdrawn",
        };
        let event = self.event(Event::Permission, account, outcome).with_detail(addon);
        tx.audit().append(&event)
    }

    /// The logout as far as the caller may ask for it; `None`: that account is nothing to it. An
    /// add-on's logout names the account, so that nobody else's is ended if another one becomes
    /// active meanwhile. Where the disk does not say, it goes on: logging out always works.
    pub(super) fn permitted(
        &self,
        options: &LogoutOptions,
        timeout: &BusyTimeout,
    ) -> Option<LogoutOptions> {
        let mut options = options.clone();
        if self.caller.is_none() {
            return Some(options);
        }
        let read = self.vault().and_then(|vault| {
            vault.with_timeout(timeout).read(|tx| {
                let account = match &options.account {
                    Some(account) => Some(account.clone()),
                    None => self.active_account(tx)?,
                };
                let Some(account) = account else { return Ok((true, None)) };
                Ok((self.may_use(tx, &account)?, Some(account)))
            })
        });
        match read {
            Ok((false, _)) => return None,
            Ok((true, account)) => options.account = account,
            Err(error) => log::warn!("whether the add-on may log out cannot be read: {error}"),
        }
        Some(options)
    }

    /// The id of the service's active account, by whatever hosts it was logged in.
    fn active_account(&self, tx: &Transaction<'_>) -> VaultResult<Option<String>> {
        let stored = tx.sessions().of_service(self.service())?;
        let mut active = stored.into_iter().filter(|stored| stored.is_active);
        let is_own = |key: &str| key == self.provider.key;
        let own = active.clone().find(|stored| is_own(&stored.session.provider));
        Ok(own.or_else(|| active.next()).map(|stored| stored.session.account.id))
    }

    pub(super) fn may_use(&self, tx: &Transaction<'_>, account: &str) -> VaultResult<bool> {
        let Some(caller) = &self.caller else { return Ok(true) };
        let answer = tx.permissions().get(self.service(), account, caller)?;
        Ok(answer.is_some_and(|answer| answer.is_allowed))
    }

    fn is_stored(&self, tx: &Transaction<'_>, account: &str) -> VaultResult<bool> {
        let stored = tx.sessions().of_service(self.service())?;
        Ok(stored.iter().any(|stored| stored.session.account.id == account))
    }

    /// The name of something that the caller has given to it, which other add-ons' are not to meet.
    pub(super) fn own_name(&self, name: &str) -> String {
        self.caller.as_ref().map_or_else(|| name.to_owned(), |caller| format!("{caller}/{name}"))
    }

    pub(super) fn service(&self) -> &str {
        service_of(&self.provider.key)
    }

    pub(super) fn needs_permission(&self) -> Error {
        let message = format!("this add-on may not use the account at {} yet", self.provider.name);
        Error::new(Kind::NeedsPermission, message)
            .with_hint("Call request_access(), or allow it in Sessionkeeper under Accounts.")
    }
}

/// An id as Kodi takes it, so that it can stand in the audit trail and in a dialog.
pub fn check_addon(id: &str) -> Result<()> {
    let is_usual = |c: char| c.is_ascii_alphanumeric() || ".-_@!$".contains(c);
    if !id.is_empty() && id.len() <= 255 && id.chars().all(is_usual) {
        return Ok(());
    }
    Err(Error::new(Kind::InvalidInput, "this is not the id of an add-on")
        .with_hint("It looks like plugin.video.example."))
}
