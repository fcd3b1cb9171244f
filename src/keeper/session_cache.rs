//! The sessions as they were last read, and what is known of them in this process alone.

use crate::clock::UnixTime;
use crate::session::Session;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A provider's active session and how many of its logouts wait, as read at one mark of the vault.
#[derive(Clone, Default)]
pub struct Seen {
    pub mark: i64,
    pub session: Option<Session>,
    /// The add-ons that may use the session's account.
    pub allowed: Vec<String>,
    /// True where there is a session, and whoever looks may not use it.
    pub is_withheld: bool,
    /// True where there is none, and one for other hosts.
    pub is_elsewhere: bool,
    pub pending: u64,
}

impl Seen {
    /// As this add-on may see it.
    pub fn by(mut self, addon: &str) -> Self {
        let is_allowed = self.allowed.iter().any(|allowed| allowed == addon);
        self.is_withheld = self.session.take_if(|_| !is_allowed).is_some();
        self
    }
}

/// A mark that no vault has.
const NEVER: i64 = -1;

#[derive(Default)]
pub struct SessionCache(Mutex<Known>);

#[derive(Default)]
struct Known {
    by_provider: HashMap<String, Seen>,
    /// Sessions that were logged out; they stay out even if the disk refused to forget them.
    ended: HashSet<String>,
    /// Providers, and accounts of theirs (`None`: whichever), that somebody logged out of while the
    /// disk did not say who was logged in. Whoever had logged in by then is out.
    shut: HashMap<(String, Option<String>), UnixTime>,
    /// By provider, what was active when the vault was found damaged, until it is read again: if
    /// its row is gone, nobody else can end it at the server.
    endangered: HashMap<String, Session>,
    /// Sessions whose restore has been announced.
    restored: HashSet<String>,
    /// Providers with a session for other hosts, which has been said.
    elsewhere: HashSet<String>,
    /// Sessions as they are by now, where the disk has not taken the change; by their ids.
    unstored: HashMap<String, Session>,
}

impl SessionCache {
    pub fn get(&self, provider: &str) -> Option<Seen> {
        let known = self.known();
        let seen = known.by_provider.get(provider)?.clone();
        Some(known.corrected(seen))
    }

    /// Keeps what was read, and gives it as far as it is still so: without a session that has ended
    /// here, and with what the disk has not taken.
    pub fn put(&self, provider: &str, seen: Seen) -> Seen {
        let mut known = self.known();
        let corrected = known.corrected(seen.clone());
        let id = corrected.session.as_ref().map(|session| &session.id);
        known.endangered.retain(|_, session| Some(&session.id) != id);
        known.by_provider.insert(provider.to_owned(), seen);
        corrected
    }

    /// The session has changed, and the disk has not taken it. True: nor has it taken an earlier
    /// change.
    pub fn keep_unstored(&self, session: Session) -> bool {
        self.known().unstored.insert(session.id.clone(), session).is_some()
    }

    /// The disk has taken it, or it is of no use any more.
    pub fn drop_unstored(&self, session_id: &str) {
        self.known().unstored.remove(session_id);
    }

    /// What the disk has not taken of this session.
    pub fn unstored(&self, session_id: &str) -> Option<Session> {
        self.known().unstored.get(session_id).cloned()
    }

    /// A stored session, with what the disk has not taken of it.
    pub fn newest(&self, stored: Session) -> Session {
        self.known().newest(stored)
    }

    /// A stored session as it is by now; `None` where it has ended in this process.
    pub fn living(&self, stored: Session) -> Option<Session> {
        let known = self.known();
        known.is_in(&stored).then(|| known.newest(stored))
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

    /// Whoever is logged in at the provider now, or with this account, is out in this process,
    /// whatever the disk says.
    pub fn shut(&self, provider: &str, account: Option<&str>, now: UnixTime) {
        self.known().shut.insert((provider.to_owned(), account.map(str::to_owned)), now);
    }

    /// A new login, or the end of the old one.
    pub fn reopen(&self, provider: &str, account: Option<&str>) {
        self.known().shut.remove(&(provider.to_owned(), account.map(str::to_owned)));
    }

    /// True when this session was shut out.
    pub fn is_shut(&self, session: &Session) -> bool {
        self.known().is_shut(session)
    }

    /// True unless this session is over in this process, whatever the disk says.
    pub fn is_in(&self, session: &Session) -> bool {
        self.known().is_in(session)
    }

    /// True when this session was logged out in this process.
    pub fn has_ended(&self, session_id: &str) -> bool {
        self.known().ended.contains(session_id)
    }

    /// True for the first call with this session.
    pub fn is_first_restore(&self, session_id: &str) -> bool {
        self.known().restored.insert(session_id.to_owned())
    }

    /// True for the first call with this provider.
    pub fn is_first_elsewhere(&self, provider: &str) -> bool {
        self.known().elsewhere.insert(provider.to_owned())
    }

    /// True when its restore has been announced.
    pub fn is_restored(&self, session_id: &str) -> bool {
        self.known().restored.contains(session_id)
    }

    /// What was read stays for when the disk can no longer be read; it is read anew before that.
    pub fn outdate(&self) {
        self.known().by_provider.values_mut().for_each(|seen| seen.mark = NEVER);
    }

    pub fn clear(&self) {
        let mut known = self.known();
        known.by_provider.clear();
        known.unstored.clear();
        known.endangered.clear();
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn corrected(&self, mut seen: Seen) -> Seen {
        let session = seen.session.filter(|session| self.is_in(session));
        seen.session = session.map(|session| self.newest(session));
        seen
    }

    fn is_in(&self, session: &Session) -> bool {
        !self.ended.contains(&session.id) && !self.is_shut(session)
    }

    fn is_shut(&self, session: &Session) -> bool {
        self.shut.iter().any(|((provider, account), at)| {
            *provider == session.provider
                && account.as_ref().is_none_or(|account| *account == session.account.id)
                && session.signed_in_at <= *at
        })
    }

    fn newest(&self, stored: Session) -> Session {
        let Some(newer) = self.unstored.get(&stored.id) else { return stored };
        if newer.generation == stored.generation {
            return newer.clone();
        }
        // Another process has written in between, at most cookies: the tokens are ours.
        let mut credentials = stored.credentials.overlaid_with(&newer.credentials);
        credentials.is_spent = newer.credentials.is_spent;
        let Session { renewed_at, was_renewed, expires_at, .. } = *newer;
        Session { renewed_at, was_renewed, expires_at, credentials, ..stored }
    }
}
