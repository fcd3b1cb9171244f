//! What an add-on at the shared accounts is told of the others: nothing. It sees the waiting logouts
//! and the lines of the audit trail that are about accounts that it may use, or could until they
//! were logged out, and the viewer's words on itself.

use super::handle::Keeper;
use crate::audit::{AuditEvent, Event};
use crate::provider::service_of;
use crate::vault::{Transaction, VaultResult};
use std::collections::HashMap;

pub(super) struct Sight {
    addon: String,
    /// The viewer's last word on it, by service and account.
    words: HashMap<(String, String), bool>,
}

impl Keeper {
    /// `None`: nothing is kept from the caller.
    pub(super) fn sight(&self, tx: &Transaction<'_>) -> VaultResult<Option<Sight>> {
        let Some(addon) = self.caller.clone() else { return Ok(None) };
        let mut words = HashMap::new();
        for line in tx.audit().of(Event::Permission)? {
            if line.detail == addon {
                words.insert(key(&line.provider, &line.account), line.outcome == "allowed");
            }
        }
        // A logout takes the answers along: only then does the trail say what the last one was.
        for stored in tx.sessions().list(None)? {
            words.insert(key(&stored.session.provider, &stored.session.account.id), false);
        }
        for answer in tx.permissions().list(None)? {
            if answer.addon == addon {
                words.insert((answer.service, answer.account), answer.is_allowed);
            }
        }
        Ok(Some(Sight { addon, words }))
    }
}

impl Sight {
    pub fn has_account(&self, provider: &str, account: &str) -> bool {
        self.words.get(&key(provider, account)).is_some_and(|is_allowed| *is_allowed)
    }

    pub fn has_line(&self, line: &AuditEvent) -> bool {
        if line.event == Event::Permission.as_str() {
            return line.detail == self.addon;
        }
        self.has_account(&line.provider, &line.account)
    }
}

fn key(provider: &str, account: &str) -> (String, String) {
    (service_of(provider).to_owned(), account.to_owned())
}
