//! A session that an add-on kept itself until now, and leaves to us for good: it becomes one of ours,
//! or steps back behind the login that there is. With a logout that comes first it ends: `handed_out`.
//!
//! What held it is emptied by whoever hands it over, once this says that it is taken. What cannot be
//! emptied comes again; it is known by its fingerprint and logs nobody in twice.

use super::doubt::Doubt;
use super::handle::Keeper;
use super::report::{TakeOver, TakenOver};
use crate::cancel::Cancel;
use crate::cookies::GivenCookie;
use crate::error::{Kind, Result};
use crate::login;
use crate::redact::escape;
use crate::session::{Credentials, Session};
use crate::vault::{SessionSelector, random_id};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::fmt;
use std::time::{Duration, Instant};

/// Somebody who is logged in waits this long for it, and the same one is tried again after the rest.
const MOMENT: Duration = Duration::from_secs(1);
const REST: Duration = Duration::from_secs(60);

/// A session as somebody hands it over. Secret.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HandedOver {
    pub cookies: Vec<GivenCookie>,
    /// By the names of RFC 6749 section 5.1, or of the provider's own answers; and `expires_at`.
    pub tokens: Map<String, Value>,
}

impl fmt::Debug for HandedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandedOver")
    }
}

impl Keeper {
    /// Takes over the session of an add-on once the server has accepted it, as [`Keeper::adopt`]
    /// does. Where its account is logged in already, and the server takes that session, it stays,
    /// and this one is ended; and nobody else's stops being the active one. With `is_offline` only
    /// what is known here counts.
    pub fn take_over(
        &self,
        handed: &HandedOver,
        is_offline: bool,
        cancel: &Cancel,
    ) -> Result<TakenOver> {
        let taken = |how| Ok(TakenOver { how });
        let (given, supposed) = match self.given(handed) {
            Ok(given) => given,
            Err(error) => {
                log::warn!("{error}");
                return taken(TakeOver::NoSession);
            }
        };
        let fingerprint = given.fingerprint(&self.provider);
        match self.has_adopted(&fingerprint) {
            Ok(false) => {}
            Err(error) if error.kind() != Kind::SessionExpired => return Err(error),
            Ok(true) | Err(_) => return taken(TakeOver::Taken),
        }
        let until = self.seen()?.session.filter(|session| self.is_usable(session));
        let until = until.map(|_| Instant::now() + MOMENT);
        if is_offline || (until.is_some() && !self.may_try(&fingerprint)) {
            return taken(TakeOver::Later);
        }
        // What is wrong with the configuration is not said of the session.
        self.client()?;
        let done = self.within(until, cancel, move |keeper, cancel| {
            if let Some(stored) = keeper.beside(&given)?
                && (given.are_of_one_session(&stored.credentials, &keeper.provider)
                    || keeper.is_accepted(&stored, cancel)?)
            {
                keeper.step_back(&stored, given, cancel)?;
                return Ok(None);
            }
            keeper.admit_given(&given, &supposed, true, cancel)
        });
        match done {
            Ok(Some(stored)) => {
                if let Some(stored) = stored {
                    self.welcome(stored, cancel);
                }
                taken(TakeOver::Taken)
            }
            Ok(None) => {
                log::info!("taking over a session takes longer; it goes on by itself");
                taken(TakeOver::Later)
            }
            Err(error) => match error.kind() {
                Kind::SessionExpired => taken(TakeOver::Taken),
                Kind::InvalidInput => taken(TakeOver::NoSession),
                _ => Err(error),
            },
        }
    }

    /// Says once in the log what is the matter with a place that was to hand a session over.
    pub fn note_handover(&self, place: &str, is_unreadable: bool) {
        let place = escape(place);
        if !self.shared.handovers().insert(place.clone()) {
            return;
        }
        if is_unreadable {
            log::warn!("{place:.300} holds no session that can be taken over");
        } else {
            log::warn!("{place:.300} cannot be erased: delete it, it holds a session");
        }
    }

    fn may_try(&self, fingerprint: &str) -> bool {
        let now = self.shared.clock.instant();
        let mut rests = self.shared.renewal_rests();
        rests.retain(|_, until| *until > now);
        let is_new = !rests.contains_key(fingerprint);
        rests.entry(fingerprint.to_owned()).or_insert(now + REST);
        is_new
    }

    pub(super) fn is_usable(&self, session: &Session) -> bool {
        !self.has_lapsed(session) || self.way_to_renew(session).is_some()
    }

    /// The session of the same account that is stored here.
    fn beside(&self, given: &Credentials) -> Result<Option<Session>> {
        let account = login::identify_offline(&self.provider, given, &random_id()?).id;
        let selector = SessionSelector::Account(&account);
        let found = self.vault()?.read(|tx| tx.sessions().find(&self.provider.key, selector))?;
        let living = found.and_then(|session| self.shared.sessions.living(session));
        Ok(living.filter(|session| self.is_usable(session)))
    }

    /// Whether the server still takes a stored session, as far as it can be asked.
    fn is_accepted(&self, stored: &Session, cancel: &Cancel) -> Result<bool> {
        let client = self.client()?;
        let context = self.context(&client, cancel);
        let mut held = stored.credentials.clone();
        let Some(Doubt { is_refused, unclear }) = Doubt::about(&context, &mut held) else {
            return Ok(true);
        };
        cancel.check()?;
        if self.way_to_renew(stored).is_some() {
            return match self.renew_from(stored, is_refused, cancel) {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == Kind::SessionExpired => Ok(false),
                Err(error) => Err(error),
            };
        }
        unclear.filter(|_| !is_refused).map_or(Ok(!is_refused), Err)
    }

    /// The stored session stays, and what was handed over ends. An add-on whose own session the
    /// server accepts may use the account, as after a login.
    fn step_back(&self, stored: &Session, mut given: Credentials, cancel: &Cancel) -> Result<()> {
        let account = &stored.account.id;
        let fingerprint = given.fingerprint(&self.provider);
        let is_same = given.are_of_one_session(&stored.credentials, &self.provider);
        let may_use = self.vault()?.read(|tx| self.may_use(tx, account))?;
        let newly_allowed = match &self.caller {
            Some(caller) if !may_use => {
                let client = self.client()?;
                let admission = self.check_given(&self.context(&client, cancel), &mut given)?;
                Some(caller).filter(|_| !admission.is_unchecked)
            }
            _ => None,
        };
        let id = random_id()?;
        let revocation = self.revocation_by(&self.provider, &id, account, &given);
        let revocation = revocation.ok().filter(|_| !is_same);
        self.vault()?.transact(|tx| {
            if let Some(caller) = newly_allowed {
                self.answer(tx, caller, account, Some(true))?;
            }
            if let Some(revocation) = &revocation {
                tx.outbox().enqueue(revocation)?;
            }
            tx.handovers().end(&fingerprint)
        })?;
        if revocation.is_some() {
            log::info!("somebody has logged in with this account since; the old session is ended");
        }
        Ok(())
    }
}
