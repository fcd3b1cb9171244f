//! A session from elsewhere becomes one of ours: cookies and tokens that another program kept.
//!
//! Whoever hands it over keeps a copy until this has worked, so nothing here ends that session: it
//! is asked for, renewed at most, and stored as a login is. Only where the server has exchanged what
//! was handed over is it ours to end.

use super::begun_login::BegunLogin;
use super::doubt::Doubt;
use super::handle::Keeper;
use super::handover::HandedOver;
use super::login::{Admission, Stored};
use super::report::Status;
use crate::cancel::Cancel;
use crate::context::Context;
use crate::cookies::{GivenCookie, Jar};
use crate::error::{Error, Kind, Result};
use crate::login::{self, Renewal};
use crate::provider::Probe;
use crate::redact::escape;
use crate::secret::Secret;
use crate::session::claims::Claims;
use crate::session::{ACCESS_TOKEN, Credentials, REFRESH_TOKEN};
use crate::vault::StoredSession;
use serde_json::Value;

impl Keeper {
    /// Takes over a session from elsewhere, once the server has accepted it. A session of the same
    /// account is replaced, as by a login, and ended unless it is the same one.
    pub fn adopt(&self, handed: &HandedOver, cancel: &Cancel) -> Result<Status> {
        let given = self.given(handed);
        let (given, supposed) = given.inspect_err(|error| log::warn!("{error}"))?;
        self.vault()?.change_mark()?;
        let stored = self.to_its_end(cancel, move |keeper, cancel| {
            keeper.admit_given(&given, &supposed, false, cancel)
        })?;
        stored.map_or_else(|| self.status(), |stored| Ok(self.welcome(stored, cancel)))
    }

    /// Checks what was handed over, and stores it as a login is. `None`: it was before.
    pub(super) fn admit_given(
        &self,
        given: &Credentials,
        supposed: &Jar,
        yields: bool,
        cancel: &Cancel,
    ) -> Result<Option<Stored>> {
        self.check_encryption()?;
        let guard = self.shared.login_lock.lock(self.lock_timeout, cancel)?;
        let fingerprint = given.fingerprint(&self.provider);
        if self.has_adopted(&fingerprint)? {
            log::info!("this session was taken over before");
            return Ok(None);
        }
        let begun = BegunLogin::adopting(self, given)?;
        let way =
            |context: &Context, held: &mut Credentials, progress: &mut dyn login::Progress| {
                progress.begins(held)?;
                log::info!("taking over a session at {}", context.provider.name);
                let admission = self.check_given(context, held)?;
                held.jar.correct(supposed);
                Ok(Admission { adopted_from: Some(fingerprint), yields, ..admission })
            };
        self.admit(begun, guard, given.clone(), cancel, way).map(Some)
    }

    /// Whether a session that is stored here was made of what has this fingerprint. An error where
    /// one has ended that was.
    pub(super) fn has_adopted(&self, fingerprint: &str) -> Result<bool> {
        let (stored, has_ended) = self.vault()?.read(|tx| {
            let stored = tx.sessions().list(Some(&self.provider.key))?;
            Ok((stored, tx.handovers().has_ended(fingerprint)?))
        })?;
        let is_made_of_it =
            |one: &&StoredSession| one.session.adopted_from.as_deref() == Some(fingerprint);
        let made_of_it = stored.iter().find(is_made_of_it);
        let is_over = match made_of_it {
            Some(stored) => self.shared.sessions.has_ended(&stored.session.id),
            None => has_ended,
        };
        if is_over { Err(self.is_over()) } else { Ok(made_of_it.is_some()) }
    }

    /// What was handed over, each where a login here would have put it; and the cookies of which
    /// only the provider file tells where they are for.
    pub(super) fn given(&self, handed: &HandedOver) -> Result<(Credentials, Jar)> {
        let provider = &self.provider;
        let (mut credentials, mut supposed) = (self.begin_with()?, Jar::new());
        let home = provider.cookie_host();
        for cookie in &handed.cookies {
            if !credentials.jar.take(cookie, &provider.hosts, &home) {
                let name = escape(&cookie.name);
                log::info!("cookie {name:.60} was left out: it is not the provider's, or unusable");
            } else if cookie.domain.is_empty() {
                supposed.take(cookie, &provider.hosts, &home);
            }
        }
        let now = self.shared.clock.known_now();
        let tokens = Value::Object(handed.tokens.clone());
        login::take_given(provider, &tokens, now, &mut credentials)?;
        let token_cookie = provider.session.token_cookies.first().map(|name| &**name);
        for (name, cookie) in
            [(ACCESS_TOKEN, token_cookie), (REFRESH_TOKEN, provider.renewal_cookie())]
        {
            let (Some(value), Some(cookie)) = (credentials.value(name).cloned(), cookie) else {
                continue;
            };
            credentials.remove(name);
            let is_held = match name {
                ACCESS_TOKEN => credentials.token(&provider.session).is_some(),
                _ => credentials.jar.value(cookie).is_some(),
            };
            let cookie = cookie_of(cookie, value);
            if !is_held && credentials.jar.take(&cookie, &provider.hosts, &home) {
                supposed.take(&cookie, &provider.hosts, &home);
            }
        }
        let is_one = credentials.token(&provider.session).is_some()
            || login::can_renew(provider, &credentials, &*self.shared.clock);
        if is_one {
            return Ok((credentials, supposed));
        }
        let message = format!("what was handed over is no session at {}", provider.name);
        Err(Error::new(Kind::InvalidInput, message).with_hint(self.what_makes_a_session()))
    }

    fn what_makes_a_session(&self) -> String {
        let mut cookies: Vec<&str> =
            self.provider.session.token_cookies.iter().map(|name| &**name).collect();
        cookies.extend(self.provider.renewal_cookie());
        if cookies.is_empty() {
            return "It needs an access_token or a refresh_token.".to_owned();
        }
        format!("It needs one of the cookies {}, or an access_token.", cookies.join(", "))
    }

    /// Asks the server whether the session is good: whose account it is, else the logout's probe,
    /// else for a renewal, which alone may use up what was handed over.
    pub(super) fn check_given(
        &self,
        context: &Context,
        held: &mut Credentials,
    ) -> Result<Admission> {
        let provider = context.provider;
        let Some(Doubt { is_refused, unclear }) = Doubt::about(context, held) else {
            return Ok(Admission::default());
        };
        if let Some(renew) = &provider.renew
            && login::can_renew(provider, held, context.clock)
        {
            context.cancel.check()?;
            // Not cancelled once it has begun: a long-lived credential may have been exchanged.
            let whole = Context { cancel: &Cancel::new(), ..*context };
            return match login::renew(&whole, renew, held.clone())? {
                Renewal::Renewed(fresh) => {
                    *held = fresh;
                    Ok(Admission { was_renewed: true, ..Admission::default() })
                }
                Renewal::Over => Err(self.is_over()),
                Renewal::Lost(error) | Renewal::Failed(error) | Renewal::Absent(error) => {
                    Err(error)
                }
            };
        }
        let known_now = context.clock.known_now();
        let ends = held.token_ends_at(&provider.session, known_now);
        if is_refused || ends.is_some_and(|at| context.clock.is_past(at)) {
            return Err(self.is_over());
        }
        if let Some(error) = unclear {
            return Err(error);
        }
        if matches!(provider.logout.probe, Some(Probe::Request(_))) {
            let message = format!("{} did not say whether the session is valid", provider.name);
            return Err(Error::new(Kind::UnexpectedAnswer, message).with_hint("Try again later."));
        }
        // There is nothing to ask. A token that says itself that it is good is taken at its word.
        let token = held.token(&provider.session).unwrap_or_default();
        if Claims::read(&token).expires_at(known_now).is_some() {
            log::warn!("nothing at {} can tell whether the session is valid", provider.name);
            return Ok(Admission { is_unchecked: true, ..Admission::default() });
        }
        let message =
            format!("nothing at {} can tell whether this session is valid", provider.name);
        Err(Error::new(Kind::InvalidInput, message).with_hint("Log in."))
    }

    fn is_over(&self) -> Error {
        let message = format!("the session at {} is not valid any more", self.provider.name);
        Error::new(Kind::SessionExpired, message).with_hint("Log in.")
    }
}

fn cookie_of(name: &str, value: Secret) -> GivenCookie {
    let (name, domain, path) = (name.to_owned(), String::new(), String::new());
    GivenCookie { name, value, domain, path, expires: None }
}
