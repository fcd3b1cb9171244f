//! A login that has begun: noted before the server may open a session, and brought up to date with
//! what came, so that nothing the server has opened is ever forgotten.
//!
//! The note goes when the session is stored. When a logout came first, in whichever process, the
//! login has lost, and what it was given is revoked. A note whose process has ended is revoked by
//! the next one that comes by.

use super::handle::Keeper;
use crate::audit::{Event, NewAuditEvent};
use crate::backoff::FIRST_TRY_LEASE;
use crate::cancel::Cancel;
use crate::cookies::Jar;
use crate::error::{Error, Kind, Result};
use crate::login::Progress;
use crate::session::{Credentials, Revocation};
use crate::vault::{self, Era, LoginNote, SessionSelector, random_id};

pub(super) struct BegunLogin<'a> {
    keeper: &'a Keeper,
    /// The id of the session that is to come.
    pub session_id: String,
    /// What the user typed, or empty: whose session it is until the server has said so.
    pub username: &'a str,
    /// What somebody has handed over and may still hold; `None`: the server gives it all.
    given: Option<&'a Credentials>,
    /// `None` before anything was sent that may open a session.
    note: Option<(LoginNote, Era)>,
    /// The cookies from before that; they make no session.
    before: Jar,
}

impl Progress for BegunLogin<'_> {
    fn begins(&mut self, held: &Credentials) -> Result<()> {
        let provider = &self.keeper.provider;
        self.keeper.adopt_lost_logins()?;
        let vault = self.keeper.vault()?;
        let note = vault.begin_login(&self.begun(None))?;
        // After the note, so that a logout sees one of the two.
        let era = vault.read(|tx| tx.eras().present(&provider.key));
        self.note = Some((note, era.inspect_err(|_| self.end())?));
        self.before = held.jar.clone();
        Ok(())
    }

    fn received(&self, held: &Credentials) {
        let (Some((note, _)), Some(revocation)) = (&self.note, self.revocation(held)) else {
            return;
        };
        // The login goes on without it: its end is stored, or revoked.
        if let Err(error) = note.update(&self.begun(Some(revocation))) {
            log::error!("{error}");
        }
    }

    fn check(&self) -> Result<()> {
        let vault = self.keeper.vault()?;
        match vault.read(|tx| tx.eras().present(&self.keeper.provider.key)) {
            Ok(era) if !self.is_of(&era) => Err(logout_came_first()),
            // A vault that cannot be read just now says nothing.
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

impl<'a> BegunLogin<'a> {
    pub fn new(keeper: &'a Keeper, username: &'a str) -> Result<Self> {
        let (session_id, before) = (random_id()?, Jar::new());
        Ok(BegunLogin { keeper, session_id, username, given: None, note: None, before })
    }

    /// A session from elsewhere that is about to become one of ours.
    pub fn adopting(keeper: &'a Keeper, given: &'a Credentials) -> Result<Self> {
        Ok(BegunLogin { given: Some(given), ..BegunLogin::new(keeper, "")? })
    }

    /// What the audit trail calls it.
    pub fn event(&self) -> Event {
        if self.given.is_some() { Event::Adopted } else { Event::Login }
    }

    /// True when `new` and `old` are one session at the server, of which nothing may be revoked.
    pub fn is_made_of(&self, new: &Credentials, old: &Credentials) -> bool {
        let is_same = |one: &Credentials| one.are_of_one_session(old, &self.keeper.provider);
        is_same(new) || self.given.is_some_and(is_same)
    }

    /// True when the login began in this era: no logout came since.
    pub fn is_of(&self, era: &Era) -> bool {
        self.note.as_ref().is_some_and(|(_, begun)| begun == era)
    }

    /// What came of the login is in the database.
    pub fn end(&self) {
        if let Some((note, _)) = &self.note {
            note.remove();
        }
    }

    /// Ends a login that failed: what the server may have opened is revoked, through the outbox or,
    /// where the disk refuses, without it; then the note stays as well.
    pub fn fail(&self, error: &Error, held: &Credentials) {
        let what = if self.given.is_some() { "taking over a session" } else { "the login" };
        log::warn!("{what} failed ({}): {error}", error.code());
        let keeper = self.keeper;
        let event = keeper.event(self.event(), "", error.code());
        let is_refused = error.kind() == Kind::CredentialsRefused;
        let mut revocation = self.revocation(held).filter(|_| !is_refused);
        if let Some(revocation) = &mut revocation {
            log::warn!("the login could not be kept; the server is told to end it");
            revocation.first_attempt_at += FIRST_TRY_LEASE;
        }
        let noted = keeper.vault().and_then(|vault| {
            vault.transact(|tx| {
                tx.audit().append(&event)?;
                revocation.as_ref().map(|revocation| tx.outbox().enqueue(revocation)).transpose()
            })
        });
        let never = Cancel::new();
        match (noted, revocation) {
            (Ok(entry), _) => {
                self.end();
                if let Some(mut entry) = entry {
                    let _sending = keeper.shared.delivery.begin(entry.id);
                    keeper.deliver_first(&mut entry, None, &never);
                }
            }
            (Err(error), revocation) => {
                log::error!("the end of the login could not be noted: {error}");
                match revocation {
                    Some(revocation) => drop(keeper.send_unqueued(&revocation, None, &never)),
                    None => self.end(),
                }
            }
        }
        keeper.shared.close_connections();
    }

    fn begun(&self, revocation: Option<Revocation>) -> vault::BegunLogin {
        let provider = self.keeper.provider.key.clone();
        let is_adoption = self.given.is_some();
        vault::BegunLogin { session_id: self.session_id.clone(), provider, revocation, is_adoption }
    }

    /// What ends the session that the server may have opened; `None` where nothing came that could
    /// be one.
    fn revocation(&self, held: &Credentials) -> Option<Revocation> {
        let provider = &self.keeper.provider;
        // Who handed it over still has it, unless the server has taken that back.
        let is_lent = |given: &Credentials| {
            !provider.rotates() || given.renewal_value(provider) == held.renewal_value(provider)
        };
        if self.given.is_some_and(is_lent) {
            return None;
        }
        let new = held.jar.changes_since(&self.before);
        let has_cookie = provider.credential_cookies().iter().any(|name| new.value(name).is_some());
        if !has_cookie && !held.has_tokens() {
            return None;
        }
        let account = held.claim(provider, &provider.session.account_id);
        let account = account.unwrap_or_else(|| self.username.to_owned());
        self.keeper.revocation_by(provider, &self.session_id, &account, held).ok()
    }
}

impl Keeper {
    /// Sees to the logins whose processes have ended: what the server gave them is revoked, unless
    /// it was stored.
    pub(super) fn adopt_lost_logins(&self) -> Result<()> {
        let vault = self.vault()?;
        for (login, note) in vault.lost_logins()? {
            let event = interrupted(&login);
            let id = SessionSelector::Session(&login.session_id);
            let is_lost = vault.transact(|tx| {
                if tx.sessions().find(&login.provider, id)?.is_some() {
                    return Ok(false);
                }
                if let Some(revocation) = &login.revocation {
                    tx.outbox().enqueue(revocation)?;
                }
                tx.audit().append(&event)?;
                Ok(true)
            })?;
            note.remove();
            if is_lost {
                log::warn!("{}", event.detail);
            }
        }
        Ok(())
    }

    /// True when a drain would find logins whose processes have ended.
    pub(super) fn has_lost_logins(&self) -> Result<bool> {
        Ok(!self.vault()?.lost_logins()?.is_empty())
    }
}

pub(super) fn logout_came_first() -> Error {
    Error::new(Kind::Cancelled, "a logout came while the login was under way, and undid it")
        .with_hint("Log in again, if that is wanted.")
}

fn interrupted(login: &vault::BegunLogin) -> NewAuditEvent {
    let account = login.revocation.as_ref().map_or("", |revocation| revocation.account.as_str());
    let event = if login.is_adoption { Event::Adopted } else { Event::Login };
    let detail = if login.is_adoption && login.revocation.is_none() {
        "taking over a session was interrupted; whoever handed it over still has it"
    } else if login.revocation.is_some() {
        "a login was interrupted after the service had answered; the service is told to end it"
    } else {
        "a login was interrupted before the service had answered: if it did open a session, nothing \
         is known here by which it could be ended"
    };
    NewAuditEvent::new(event, &login.provider, account, "failed").with_detail(detail)
}
