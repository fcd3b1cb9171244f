//! An add-on's own requests: with the session's credentials, to the provider's hosts and nowhere
//! else.
//!
//! Renewed before the token ends; after a 401, or an answer that says "unauthenticated", renewed
//! and sent once more. An answer that has come is handed over, whatever became of the session.

use super::accounts::another_account;
use super::handle::Keeper;
use crate::cancel::Cancel;
use crate::cookies::Jar;
use crate::error::{Error, Kind, Result};
use crate::http::{Answer, Body, Request};
use crate::session::{Credentials, Session};
use crate::vault::random_id;
use crate::wire::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
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
}

/// The answer to it. The body is at most 1 MiB.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Received {
    pub status: u16,
    pub url: String,
    pub headers: Vec<(String, String)>,
    #[serde(skip)]
    pub body: Vec<u8>,
    /// What is to be said where this answer showed that the session is over; `None` where it did
    /// not.
    pub session_over: Option<Error>,
}

/// What an add-on needs for requests of its own. Secret.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ExportedCredentials {
    pub headers: BTreeMap<String, String>,
    pub cookies: BTreeMap<String, String>,
    pub token: String,
}

impl Keeper {
    pub fn request(&self, outgoing: &Outgoing, cancel: &Cancel) -> Result<Received> {
        let url = Url::parse(&outgoing.url).map_err(|_| {
            Error::new(Kind::InvalidInput, "this is not an address")
                .with_hint("Write it in full, as in https://www.example.com/path.")
        })?;
        self.provider.hosts.check(&url)?;
        self.check_active(outgoing.account.as_deref())?;
        let session = self.fresh(cancel)?;
        self.check_active(outgoing.account.as_deref())?;
        let answer = self.send(outgoing, &url, &session, cancel)?;
        if !self.is_unauthenticated(&answer) || !self.had_credentials(&answer, &session) {
            return receive(answer);
        }
        log::info!("the server does not accept the session; renewing it");
        let again = self.renew_from(&session, true, cancel).and_then(|session| {
            self.check_active(outgoing.account.as_deref())?;
            self.send(outgoing, &url, &session, cancel)
        });
        match again {
            Ok(answer) => receive(answer),
            Err(error) if error.kind() == Kind::SessionExpired => {
                Ok(Received { session_over: Some(error), ..receive(answer)? })
            }
            Err(error) => {
                log::info!("the answer stands as it is ({}): {error}", error.code());
                receive(answer)
            }
        }
    }

    /// The session's own headers and cookies.
    pub fn credentials(&self, account: Option<&str>) -> Result<ExportedCredentials> {
        self.check_active(account)?;
        let session = self.signed_in()?;
        let token = session.credentials.token(&self.provider.session).unwrap_or_default();
        // A token that only ever is a cookie is not for a header.
        let bearer = (!self.provider.api.bearer_hosts.is_empty())
            .then(|| ("Authorization".to_owned(), format!("Bearer {}", token.expose())));
        let cookie = |name: String| {
            let value = session.credentials.jar.value(&name)?.expose().to_owned();
            Some((name, value))
        };
        Ok(ExportedCredentials {
            headers: bearer.into_iter().collect(),
            cookies: session.credentials.jar.names().into_iter().filter_map(cookie).collect(),
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

    fn send(
        &self,
        outgoing: &Outgoing,
        url: &Url,
        session: &Session,
        cancel: &Cancel,
    ) -> Result<Answer> {
        let mut request = Request::get(url.clone());
        request.method = outgoing.method.to_ascii_uppercase();
        request.headers.clone_from(&outgoing.headers);
        request.body =
            outgoing.body.as_ref().map(|bytes| Body { content_type: None, bytes: bytes.0.clone() });
        if self.provider.api.bearer_hosts.check(url).is_ok() {
            request.bearer = session.credentials.token(&self.provider.session);
        }
        let mut jar = session.credentials.jar.clone();
        let answer = self.client()?.follow(&request, &self.provider.hosts, &mut jar, cancel)?;
        if jar != session.credentials.jar {
            // The request has been made: what became of it matters more than the cookies.
            if let Err(error) = self.keep_cookies(session, &jar) {
                log::error!("the cookies of an answer could not be kept: {error}");
            }
        }
        Ok(answer)
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

    /// True when the request that was answered had something by which the server knows the
    /// session; otherwise its refusal says nothing.
    fn had_credentials(&self, answer: &Answer, session: &Session) -> bool {
        let sent = session.credentials.jar.subset_for(&[&answer.url]);
        let mut cookies = self.provider.session.token_cookies.iter();
        answer.had_bearer || cookies.any(|name| sent.value(name).is_some())
    }

    /// 401, or a GraphQL error that says so.
    fn is_unauthenticated(&self, answer: &Answer) -> bool {
        if answer.status == 401 {
            return true;
        }
        if self.provider.api.unauthenticated.is_empty() || answer.status != 200 {
            return false;
        }
        let Ok(Value::Object(body)) = serde_json::from_slice(&answer.body) else { return false };
        let says = |text: Option<&Value>| {
            let text = text.and_then(Value::as_str).unwrap_or_default().to_lowercase();
            self.provider.api.unauthenticated.iter().any(|words| text.contains(words.as_str()))
        };
        body.get("errors").and_then(Value::as_array).is_some_and(|errors| {
            errors
                .iter()
                .any(|error| says(error.get("message")) || says(error.pointer("/extensions/code")))
        })
    }
}

fn receive(answer: Answer) -> Result<Received> {
    if answer.is_cut {
        return Err(Error::new(Kind::UnexpectedAnswer, "the answer is larger than 1 MiB"));
    }
    Ok(Received {
        status: answer.status,
        url: answer.url.to_string(),
        headers: answer.headers,
        body: answer.body,
        session_over: None,
    })
}
