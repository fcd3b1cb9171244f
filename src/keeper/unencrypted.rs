//! Services in the viewer's own network that have no certificate: whoever is in that network can read
//! what is sent there, the password included. So nobody logs in before she has agreed for that
//! address. Once logged in, the logout has to reach the server the same way.

use super::handle::Keeper;
use crate::audit::Event;
use crate::error::{Error, Kind, Result};
use serde::Serialize;
use std::collections::BTreeSet;

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct UnencryptedAddresses {
    /// Each as "http://HOST:PORT".
    pub addresses: BTreeSet<String>,
}

impl Keeper {
    /// Where this service is reached without encryption, and nobody has agreed to that. No network.
    pub fn unencrypted(&self) -> Result<UnencryptedAddresses> {
        let mut addresses = self.provider.unencrypted();
        if !addresses.is_empty() {
            let allowed = self.vault()?.read(|tx| tx.unencrypted().all())?;
            addresses.retain(|address| !allowed.contains(address));
        }
        Ok(UnencryptedAddresses { addresses })
    }

    pub(super) fn check_encryption(&self) -> Result<()> {
        let Some(address) = self.unencrypted()?.addresses.pop_first() else { return Ok(()) };
        let message = format!("{address} is not encrypted, and nobody has agreed to that");
        Err(Error::new(Kind::EncryptionMissing, message).with_hint(
            "Everybody in this network can read what is sent there, the password included. Use \
             https://, or agree to it for this address.",
        ))
    }

    /// Stores the viewer's word on an address of this service, or takes it back; that keeps nobody
    /// from logging out there.
    pub fn set_unencrypted(&self, address: &str, allowed: bool) -> Result<()> {
        if !self.provider.unencrypted().contains(address) {
            let known: Vec<_> = self.provider.unencrypted().into_iter().collect();
            let message = format!("{} is not reached at that address", self.provider.name);
            return Err(Error::new(Kind::InvalidInput, message).with_hint(
                match known.as_slice() {
                    [] => {
                        "All its addresses are encrypted: there is nothing to agree to.".to_owned()
                    }
                    known => format!("Without encryption it is reached at {}.", known.join(", ")),
                },
            ));
        }
        let outcome = if allowed { "allowed" } else { "withdrawn" };
        let event = self.event(Event::Unencrypted, "", outcome).with_detail(address);
        self.vault()?.transact(|tx| {
            if tx.unencrypted().all()?.contains(address) == allowed {
                return Ok(());
            }
            if allowed {
                tx.unencrypted().allow(address)?;
            } else {
                tx.unencrypted().withdraw(address)?;
            }
            tx.audit().append(&event)
        })
    }
}
