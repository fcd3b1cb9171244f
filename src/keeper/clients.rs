//! The HTTP clients of a data directory, one for each kind of network settings.

use crate::clock::Clock;
use crate::error::Result;
use crate::http::{Client, Settings};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most kinds of settings that are in use at once.
const KEPT: usize = 8;

#[derive(Default)]
pub struct Clients(Mutex<Vec<(Settings, Client)>>);

impl Clients {
    /// The client for `settings`, with the connections that it has open.
    pub fn get(&self, settings: &Settings, clock: &Arc<dyn Clock>) -> Result<Client> {
        let mut clients = self.all();
        if let Some((_, client)) = clients.iter().find(|(of, _)| of == settings) {
            return Ok(client.clone());
        }
        let client = Client::new(settings, Arc::clone(clock))?;
        if clients.len() == KEPT {
            clients.remove(0);
        }
        clients.push((settings.clone(), client.clone()));
        Ok(client)
    }

    /// Closes the idle connections.
    pub fn clear(&self) {
        self.all().clear();
    }

    fn all(&self) -> MutexGuard<'_, Vec<(Settings, Client)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
