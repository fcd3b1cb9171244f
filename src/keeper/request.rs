//! An add-on's own requests: with the session's credentials, to the provider's hosts and nowhere
//! else.
//!
//! Renewed before the token ends; after a 401, or an answer that says "unauthenticated", renewed
//! and sent once more. An answer that has come is handed over, whatever became of the session, but
//! not to an add-on whose permission was withdrawn meanwhile; one that is streamed ends with its
//! session.

use super::accounts::another_account;
use super::handle::Keeper;
use super::permissions::Standing;
use super::streams::Usage;
use crate::cancel::Cancel;
use crate::cookies::Jar;
use crate::error::{Error, Fault, Kind, Result};
use crate::http::{Answer, Body, Limits, Request, Stream, check_headers, set_by_the_session};
use crate::secret::Secret;
use crate::session::{Carried, Credentials, Session};
use crate::steps;
use crate::vault::random_id;
use crate::wire::{self, Bytes};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use url::Url;

/// A request as an add-on asks for it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outgoing {
    /// The id of the account that asks; `None`: the active one.
    #[serde(default)]
    pub account: Option<String>,
    pub method: String,
    pub url: String,
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    #[serde(default)]
    pub body: Option<Bytes>,
    /// In seconds, for all of it, the renewal that it may need included; of a streamed answer until
    /// it is handed over, and then for each piece. `None`: the keeper's.
    #[serde(default, deserialize_with = "wire::optional_seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub timeout: Option<Duration>,
    /// In seconds, until a connection stands; comes before `timeout` then. `None`: the keeper's.
    #[serde(default, deserialize_with = "wire::optional_seconds")]
    #[cfg_attr(test, schemars(with = "Option<f64>"))]
    pub connect_timeout: Option<Duration>,
    /// False: a redirect is just an answer.
    #[serde(default = "yes")]
    pub allow_redirects: bool,
    /// The body of a good answer (2xx) is left to be read.
    #[serde(default)]
    pub stream: bool,
}

fn yes() -> bool {
    true
}

/// The answer to it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Received {
    pub status: u16,
    /// What the standard calls the status; may be empty.
    pub reason: &'static str,
    pub url: String,
    pub headers: Vec<(String, String)>,
    /// Empty where it is streamed.
    #[serde(skip)]
    pub body: Vec<u8>,
    /// The number to read the body by, where there is something to read.
    pub stream: Option<u64>,
    /// The answer says that the session is not accepted. A streamed body is not looked into.
    pub is_unauthenticated: bool,
    /// What is to be said where this answer showed that the session is over; `None` where it did
    /// not.
    pub session_over: Option<Error>,
}

/// A request whose headers and address are checked.
struct Prepared<'a> {
    outgoing: &'a Outgoing,
    url: Url,
    headers: Vec<(String, String)>,
    deadline: Instant,
}

/// An answer, and what is to be read of it.
type Taken = (Answer, Option<Stream>);

/// What an add-on needs for requests of its own. Secret.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExportedCredentials {
    pub headers: BTreeMap<String, String>,
    pub cookies: BTreeMap<String, String>,
    pub token: String,
}

impl Outgoing {
    /// A request with nothing but its address.
    pub fn new(method: &str, url: &str) -> Self {
        Outgoing {
            account: None,
            method: method.to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            body: None,
            timeout: None,
            connect_timeout: None,
            allow_redirects: true,
            stream: false,
        }
    }
}

impl Keeper {
    pub fn request(&self, outgoing: &Outgoing, cancel: &Cancel) -> Result<Received> {
        let prepared = self.prepare(outgoing)?;
        let in_time = cancel.until(prepared.deadline);
        let keeper = self.obeying(&in_time);
        let session = keeper.session_for(outgoing, &in_time).map_err(|error| {
            let is_late = error.kind() == Kind::Cancelled && !cancel.is_cancelled();
            if is_late { not_in_time() } else { error }
        })?;
        let taken = self.send(&prepared, &session, cancel)?;
        if !self.is_refusal(&taken.0, &session) {
            return self.receive(taken, &session);
        }
        log::info!("the server does not accept the session; renewing it");
        let again = keeper.renew_from(&session, true, &in_time).and_then(|session| {
            self.check_active(outgoing.account.as_deref())?;
            Ok((self.send(&prepared, &session, cancel)?, session))
        });
        match again {
            Ok((taken, session)) => {
                let is_unauthenticated = self.is_refusal(&taken.0, &session);
                Ok(Received { is_unauthenticated, ..self.receive(taken, &session)? })
            }
            Err(error) => {
                let refused =
                    Received { is_unauthenticated: true, ..self.receive(taken, &session)? };
                if error.kind() == Kind::SessionExpired {
                    return Ok(Received { session_over: Some(error), ..refused });
                }
                log::info!("the answer stands as it is ({}): {error}", error.code());
                Ok(refused)
            }
        }
    }

    /// The headers that go with every request, and the session's own headers and cookies.
    pub fn credentials(&self, account: Option<&str>) -> Result<ExportedCredentials> {
        self.check_active(account)?;
        let session = self.signed_in()?;
        let token = session.credentials.token(&self.provider.session).unwrap_or_default();
        // A token that only ever is a cookie is not for a header.
        let has_hosts = !self.provider.api.bearer_hosts.is_empty();
        let carried =
            has_hosts.then(|| steps::carried(&self.provider, &session.credentials)).flatten();
        let Carried { headers, defaults, cookies } = carried.unwrap_or_default();
        let exposed = |(name, value): (String, Secret)| (name, value.expose().to_owned());
        let cookie = |name: String| {
            let value = session.credentials.jar.value(&name)?.expose().to_owned();
            Some((name, value))
        };
        Ok(ExportedCredentials {
            headers: defaults
                .into_iter()
                .chain(self.headers.iter().cloned())
                .chain(headers.into_iter().map(exposed))
                .collect(),
            cookies: session
                .credentials
                .jar
                .names()
                .into_iter()
                .filter_map(cookie)
                .chain(cookies.into_iter().map(exposed))
                .collect(),
            token: token.expose().to_owned(),
        })
    }

    /// A session that was handed out before the viewer switched must not act for somebody else.
    fn check_active(&self, account: Option<&str>) -> Result<()> {
        let session = self.signed_in()?;
        if account.is_none_or(|account| account == session.account.id) {
            return Ok(());
        }
        Err(another_account())
    }

    fn prepare<'a>(&self, outgoing: &'a Outgoing) -> Result<Prepared<'a>> {
        let url = Url::parse(&outgoing.url).map_err(|_| {
            Error::new(Kind::InvalidInput, "this is not an address")
                .with_hint("Write it in full, as in https://www.example.com/path.")
        })?;
        self.provider.hosts.check(&url)?;
        check_headers(&outgoing.headers)?;
        if let Some((name, _)) =
            outgoing.headers.iter().find(|(name, _)| self.provider.api.sets_header(name))
        {
            return Err(set_by_the_session(name));
        }
        let is_given = |(name, _): &&(String, String)| {
            outgoing.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
        };
        let usual = self.headers.iter().filter(|header| !is_given(header));
        let rest = outgoing.timeout.unwrap_or(self.network.total_timeout);
        Ok(Prepared {
            outgoing,
            url,
            headers: usual.chain(&outgoing.headers).cloned().collect(),
            deadline: Instant::now() + outgoing.connect_timeout.unwrap_or_default() + rest,
        })
    }

    fn session_for(&self, outgoing: &Outgoing, cancel: &Cancel) -> Result<Session> {
        self.check_active(outgoing.account.as_deref())?;
        let session = self.fresh(cancel)?;
        self.check_active(outgoing.account.as_deref())?;
        Ok(session)
    }

    fn send(&self, prepared: &Prepared, session: &Session, cancel: &Cancel) -> Result<Taken> {
        let Prepared { outgoing, url, headers, deadline } = prepared;
        let mut request = Request::get(url.clone());
        request.method = outgoing.method.to_ascii_uppercase();
        request.may_repeat = true;
        request.headers.clone_from(headers);
        request.body =
            outgoing.body.as_ref().map(|bytes| Body { content_type: None, bytes: bytes.0.clone() });
        if self.provider.api.bearer_hosts.check(url).is_ok() {
            request.carried =
                steps::carried(&self.provider, &session.credentials).unwrap_or_default();
        }
        let total = deadline.saturating_duration_since(Instant::now());
        let network = &self.network;
        let client = self.client()?.with_limits(Limits {
            connect: outgoing.connect_timeout.unwrap_or(network.connect_timeout),
            answer: outgoing.timeout.map_or(network.answer_timeout, |_| total),
            total,
            body: self.max_body,
            stream: outgoing.stream.then(|| outgoing.timeout.unwrap_or(network.answer_timeout)),
        });
        let mut jar = session.credentials.jar.clone();
        let (follows, hosts) = (outgoing.allow_redirects, &self.provider.hosts);
        let taken = client.send(&request, follows, hosts, &mut jar, cancel)?;
        if jar != session.credentials.jar {
            // The request has been made: what became of it matters more than the cookies.
            if let Err(error) = self.keep_cookies(session, &jar) {
                log::error!("the cookies of an answer could not be kept: {error}");
            }
        }
        Ok(taken)
    }

    fn receive(&self, (answer, rest): Taken, session: &Session) -> Result<Received> {
        if answer.is_cut {
            return Err(self.too_large());
        }
        // Kept first: a permission that is withdrawn after the look ends it.
        let stream = rest.map(|stream| self.keep_stream(session, stream)).transpose()?;
        let usage = Usage::new(session, self.caller.as_ref());
        if usage.addon.is_some() && self.standing(&usage) == Standing::Withheld {
            if let Some(number) = stream {
                self.close_stream(number);
            }
            return Err(self.needs_permission());
        }
        Ok(Received {
            status: answer.status,
            reason: answer.reason(),
            url: answer.url.to_string(),
            headers: answer.headers,
            body: answer.body,
            stream,
            is_unauthenticated: false,
            session_over: None,
        })
    }

    fn keep_cookies(&self, session: &Session, jar: &Jar) -> Result<()> {
        let kept = session.credentials.with_jar(jar.clone());
        let changes = Credentials::new().with_jar(jar.changes_since(&session.credentials.jar));
        let stored = self.store(session.clone(), None, &mut |session, is_newer| {
            session.credentials =
                if is_newer { session.credentials.overlaid_with(&changes) } else { kept.clone() };
        })?;
        let rule = &self.provider.session;
        if stored.is_none() && kept.token(rule) != session.credentials.token(rule) {
            // An entry of its own: what the logout's entry holds is needed as well.
            let late = Session { id: random_id()?, ..session.clone() };
            return self.revoke_late(&late, &changes);
        }
        Ok(())
    }
}

fn not_in_time() -> Error {
    Error::new(Kind::Network(Fault::Timeout), "the session was not ready for the request in time")
        .with_hint("Try again, or allow for more time.")
}
