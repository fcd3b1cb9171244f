//! A session from elsewhere becomes one of ours: cookies and tokens that another program kept.
//!
//! Whoever hands it over keeps a copy until this has worked, so nothing here ends that session: it
//! is asked for, renewed at most, and stored as a login is. Only where the server has exchanged what
//! was handed over is it ours to end.

use super::begun_login::BegunLogin;
use super::handle::Keeper;
use super::login::Admission;
use super::report::Status;
use crate::cancel::Cancel;
use crate::context::Context;
use crate::cookies::{GivenCookie, Jar};
use crate::error::{Error, Kind, Result};
use crate::login::{self, Known, Renewal};
use crate::logout::{self, Tried};
use crate::provider::Probe;
use crate::redact::escape;
use crate::secret::Secret;
use crate::session::claims::Claims;
use crate::session::{ACCESS_TOKEN, Credentials, REFRESH_TOKEN, Session};
use crate::vault::{SessionSelector, random_id};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A session as somebody hands it over. Secret.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Adoption {
    #[serde(default)]
    pub cookies: Vec<GivenCookie>,
    /// By the names of RFC 6749 section 5.1, or of the provider's own answers; and `expires_at`.
    #[serde(default)]
    pub tokens: Map<String, Value>,
    /// True: it is taken as it is, without a word to the server, to be logged out right away.
    #[serde(default)]
    pub unchecked: bool,
    /// True: where a session of the same account is here and good, that one stays, and the server
    /// is told to end this one.
    #[serde(default)]
    pub yields: bool,
}

impl Keeper {
    /// Takes over a session from elsewhere, once the server has accepted it. A session of the same
    /// account is replaced, as by a login, and ended unless it is the same one.
    pub fn adopt(&self, adoption: &Adoption, cancel: &Cancel) -> Result<Status> {
        let given = self.given(adoption);
        let (given, supposed) = given.inspect_err(|error| log::warn!("{error}"))?;
        let (is_offline, yields) = (adoption.unchecked, adoption.yields);
        self.vault()?.change_mark()?;
        let stored = self.to_its_end(cancel, move |keeper, cancel| {
            let guard = keeper.shared.login_lock.lock(keeper.lock_timeout, cancel)?;
            let fingerprint = given.fingerprint(&keeper.provider);
            if keeper.has_adopted(&fingerprint)? {
                log::info!("this session was taken over before");
                return Ok(None);
            }
            if yields && keeper.end_beside_another(&given)? {
                return Ok(None);
            }
            let begun = BegunLogin::adopting(keeper, &given)?;
            let way =
                |context: &Context, held: &mut Credentials, progress: &mut dyn login::Progress| {
                    progress.begins(held)?;
                    let admission = if is_offline {
                        Admission { is_unchecked: true, is_offline, ..Admission::default() }
                    } else {
                        log::info!("taking over a session at {}", context.provider.name);
                        let admission = keeper.check_given(context, held)?;
                        held.jar.correct(&supposed);
                        admission
                    };
                    Ok(Admission { adopted_from: Some(fingerprint), ..admission })
                };
            keeper.admit(begun, guard, given.clone(), cancel, way).map(Some)
        })?;
        stored.map_or_else(|| self.status(), |stored| Ok(self.welcome(stored, cancel)))
    }

    /// What was handed over, each where a login here would have put it; and the cookies of which
    /// only the provider file tells where they are for.
    fn given(&self, adoption: &Adoption) -> Result<(Credentials, Jar)> {
        let provider = &self.provider;
        let (mut credentials, mut supposed) = (Credentials::new(), Jar::new());
        let home = provider.cookie_host();
        for cookie in &adoption.cookies {
            if !credentials.jar.take(cookie, &provider.hosts, &home) {
                let name = escape(&cookie.name);
                log::info!("cookie {name:.60} was left out: it is not the provider's, or unusable");
            } else if cookie.domain.is_empty() {
                supposed.take(cookie, &provider.hosts, &home);
            }
        }
        let now = self.shared.clock.known_now();
        let tokens = Value::Object(adoption.tokens.clone());
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

    fn has_adopted(&self, fingerprint: &str) -> Result<bool> {
        let key = &self.provider.key;
        let all = self.vault()?.read(|tx| tx.sessions().list(Some(key)))?;
        Ok(all.iter().any(|one| {
            one.session.adopted_from.as_deref() == Some(fingerprint)
                && !self.shared.sessions.has_ended(&one.session.id)
        }))
    }

    /// Where a good session of the same account is stored, tells the server to end this one, unless
    /// the two are one; false where there is none.
    fn end_beside_another(&self, given: &Credentials) -> Result<bool> {
        let (provider, id) = (&self.provider, random_id()?);
        let account = login::identify_offline(provider, given, &id).id;
        let selector = SessionSelector::Account(&account);
        let found = self.vault()?.read(|tx| tx.sessions().find(&provider.key, selector))?;
        let is_good = |stored: &Session| {
            !self.shared.sessions.has_ended(&stored.id)
                && (!self.has_lapsed(stored) || self.way_to_renew(stored).is_some())
        };
        let Some(stored) = found.filter(is_good) else { return Ok(false) };
        if !given.are_of_one_session(&stored.credentials, provider) {
            log::info!("somebody has logged in with this account since; the old session is ended");
            if let Ok(revocation) = self.revocation_by(provider, &id, &account, given) {
                self.enqueue(&revocation)?;
            }
        }
        Ok(true)
    }

    /// Asks the server whether the session is good: whose account it is, else the logout's probe,
    /// else for a renewal, which alone may use up what was handed over.
    fn check_given(&self, context: &Context, held: &mut Credentials) -> Result<Admission> {
        let provider = context.provider;
        let mut is_refused = false;
        let mut unclear = None;
        match login::is_known(context, held) {
            Known::Yes => return Ok(Admission::default()),
            Known::No => is_refused = true,
            Known::Unclear(error) => unclear = Some(error),
            Known::Nobody => {}
        }
        match logout::probe(context, held) {
            Tried::Accepted => return Ok(Admission::default()),
            Tried::Refused(_) => is_refused = true,
            Tried::Unclear => {}
        }
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
        if matches!(provider.logout.probe, Some(Probe::Request { .. })) {
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
