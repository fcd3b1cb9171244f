//! What a transaction can do, and the list of sealed tables.

use super::audit::AuditTrail;
use super::confirmations::{Confirmation, Confirmations};
use super::eras::Eras;
use super::handovers::Handovers;
use super::hosts::Hosts;
use super::outbox::{Outbox, OutboxEntry};
use super::permissions::{Permission, Permissions};
use super::seal::Keys;
use super::sessions::{Sessions, StoredSession};
use super::table::{AnyTable, Table};
use super::tasks::{QueuedTask, Tasks};
use crate::clock::Clock;
use rusqlite::Connection;

/// An open transaction. Either everything written in it happens, or nothing.
pub struct Transaction<'a> {
    connection: &'a Connection,
    keys: &'a Keys,
    clock: &'a dyn Clock,
}

impl<'a> Transaction<'a> {
    pub fn new(connection: &'a Connection, keys: &'a Keys, clock: &'a dyn Clock) -> Self {
        Transaction { connection, keys, clock }
    }

    pub fn sessions(&self) -> Sessions<'_> {
        Sessions::new(self.connection, self.keys)
    }

    pub fn permissions(&self) -> Permissions<'_> {
        Permissions::new(self.connection, self.keys)
    }

    pub fn outbox(&self) -> Outbox<'_> {
        Outbox::new(self.connection, self.keys, self.clock)
    }

    pub fn hosts(&self) -> Hosts<'_> {
        Hosts::new(self.connection)
    }

    pub fn tasks(&self) -> Tasks<'_> {
        Tasks::new(self.connection, self.keys)
    }

    pub fn confirmations(&self) -> Confirmations<'_> {
        Confirmations::new(self.connection, self.keys)
    }

    pub fn eras(&self) -> Eras<'_> {
        Eras::new(self.connection, self.keys)
    }

    pub fn handovers(&self) -> Handovers<'_> {
        Handovers::new(self.connection)
    }

    /// What this installation calls itself at a service: always the same, and another one at every
    /// other service.
    pub fn device_id(&self, service: &str) -> String {
        self.keys.device_id(service)
    }

    pub fn audit(&self) -> AuditTrail<'_> {
        AuditTrail::new(self.connection, self.clock)
    }
}

/// All sealed tables.
pub fn sealed_tables<'a>(
    connection: &'a Connection,
    keys: &'a Keys,
) -> [Box<dyn AnyTable + 'a>; 5] {
    [
        Box::new(Table::<StoredSession>::new(connection, keys)),
        Box::new(Table::<Permission>::new(connection, keys)),
        Box::new(Table::<OutboxEntry>::new(connection, keys)),
        Box::new(Table::<QueuedTask>::new(connection, keys)),
        Box::new(Table::<Confirmation>::new(connection, keys)),
    ]
}
