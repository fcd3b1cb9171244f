//! Several accounts at one provider, one of them active; and those of all providers, for a list.

use super::handle::Keeper;
use super::report::{AccountLine, Accounts, State, Status};
use crate::audit::Event;
use crate::error::{Error, Kind, Result};
use crate::provider::{id_of, service_of};
use crate::vault::{Permission, StoredSession};

impl Keeper {
    /// The stored accounts of this provider, or of all in the data directory; to an add-on, those
    /// that it may use.
    pub fn accounts(&self, of_all: bool) -> Result<Accounts> {
        let provider = if of_all { None } else { Some(self.provider.key.as_str()) };
        let stored = self.vault()?.read(|tx| {
            let mut stored = tx.sessions().list(provider)?;
            if let Some(caller) = &self.caller {
                let answers = tx.permissions().list(None)?;
                stored.retain(|StoredSession { session, .. }| {
                    let is_of = |answer: &&Permission| {
                        answer.service == service_of(&session.provider)
                            && (&answer.account, &answer.addon) == (&session.account.id, caller)
                    };
                    answers.iter().find(is_of).is_some_and(|answer| answer.is_allowed)
                });
            }
            Ok(stored)
        })?;
        let line = |StoredSession { session, is_active, .. }: StoredSession| AccountLine {
            provider: id_of(&session.provider).to_owned(),
            active: is_active,
            state: State::of_session(self.has_lapsed(&session)),
            expires_at: session.expires_at,
            renewable: self.way_to_renew(&session).is_some(),
            signed_in_at: session.signed_in_at,
            account: session.account,
        };
        let is_here = |stored: &StoredSession| self.shared.sessions.is_in(&stored.session);
        Ok(Accounts { accounts: stored.into_iter().filter(is_here).map(line).collect() })
    }

    /// Makes a stored account the active one. An add-on chooses among those that it may use.
    pub fn switch(&self, account: &str) -> Result<Status> {
        let event = self.event(Event::Switched, account, "ok");
        let commit_lock = self.shared.commit_lock(&self.timeout)?;
        let provider = &self.provider.key;
        let switched = self.vault()?.transact(|tx| {
            if !self.may_use(tx, account)? {
                return Ok(None);
            }
            let before = tx.sessions().active(provider)?;
            let Some(session) = tx.sessions().activate(provider, account)? else { return Ok(None) };
            let is_new = before.is_none_or(|before| before.id != session.id);
            if is_new {
                tx.audit().append(&event)?;
            }
            Ok(Some(is_new))
        })?;
        drop(commit_lock);
        let is_new = switched.ok_or_else(|| self.unknown_account())?;
        if is_new {
            log::info!("switched to another account");
            self.shared.publish(&event);
        }
        self.status()
    }

    pub(super) fn unknown_account(&self) -> Error {
        let message = format!("no such account is stored for {}", self.provider.name);
        Error::new(Kind::UnknownAccount, message)
            .with_hint("Log in with it, or choose one of the stored accounts.")
    }
}

/// What was begun for one account is not done for the one that is active by now.
pub(super) fn another_account() -> Error {
    Error::new(Kind::NotSignedIn, "another account is the active one now")
        .with_hint("Switch back to this account, or use the session of the active one.")
}
