//! The sessions as they were last read, and what is known of them in this process alone.

use crate::session::Session;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A provider's active session and how many of its logouts wait, as read at one mark of the vault.
#[derive(Clone)]
pub struct Seen {
    pub mark: i64,
    pub session: Option<Session>,
    pub pending: u64,
}

#[derive(Default)]
pub struct SessionCache(Mutex<Known>);

#[derive(Default)]
struct Known {
    by_provider: HashMap<String, Seen>,
    /// Sessions that were logged out; they stay out even if the disk refused to forget them.
    ended: HashSet<String>,
    /// By provider, what was active when the vault was found damaged, until it is read again: if
    /// its row is gone, nobody else can end it at the server.
    endangered: HashMap<String, Session>,
    /// Sessions whose restore has been announced.
    restored: HashSet<String>,
}

impl SessionCache {
    pub fn get(&self, provider: &str) -> Option<Seen> {
        self.known().by_provider.get(provider).cloned()
    }

    /// Keeps what was read, without a session that has ended here, and gives it.
    pub fn put(&self, provider: &str, mut seen: Seen) -> Seen {
        let mut known = self.known();
        seen.session = seen.session.filter(|session| !known.ended.contains(&session.id));
        let id = seen.session.as_ref().map(|session| &session.id);
        known.endangered.retain(|_, session| Some(&session.id) != id);
        known.by_provider.insert(provider.to_owned(), seen.clone());
        seen
    }

    /// The session is over in this process, whatever the disk says.
    pub fn end(&self, session: &Session) {
        let mut known = self.known();
        known.ended.insert(session.id.clone());
        known.by_provider.remove(&session.provider);
        known.endangered.retain(|_, endangered| endangered.id != session.id);
    }

    /// The vault was damaged: what is remembered may be all that is left of a session.
    pub fn endanger(&self) {
        let mut known = self.known();
        let Known { by_provider, endangered, .. } = &mut *known;
        for (provider, seen) in by_provider {
            if let Some(session) = &seen.session {
                endangered.insert(provider.clone(), session.clone());
            }
        }
    }

    /// The session that was active, and whose row the damage took.
    pub fn lost(&self, provider: &str) -> Option<Session> {
        self.known().endangered.get(provider).cloned()
    }

    /// True when this session was logged out in this process.
    pub fn has_ended(&self, session_id: &str) -> bool {
        self.known().ended.contains(session_id)
    }

    /// True for the first call with this session.
    pub fn is_first_restore(&self, session_id: &str) -> bool {
        self.known().restored.insert(session_id.to_owned())
    }

    /// True when its restore has been announced.
    pub fn is_restored(&self, session_id: &str) -> bool {
        self.known().restored.contains(session_id)
    }

    pub fn clear(&self) {
        let mut known = self.known();
        known.by_provider.clear();
        known.endangered.clear();
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
