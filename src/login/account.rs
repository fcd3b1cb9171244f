//! Who has logged in.
//!
//! What the tokens and the answer to the login say, and, where the provider can be asked, what it
//! says: by the request of `[account]`, or else by OpenID Connect's userinfo (Core 1.0 section 5.3).
//! An answer that does not come costs a name, not the login; one about somebody else ends the login.

use super::answer;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::{Answer, Request};
use crate::oauth::{Endpoint, OAuthClient};
use crate::provider::{AccountRequest, Provider, SessionRule, Values};
use crate::session::claims::{Claims, shown};
use crate::session::{Account, Credentials};
use crate::steps::{self, unexpected, unexpected_status};
use serde_json::Value;
use std::time::Duration;

/// Nobody waits for longer to be told a name.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The scope by which a token is good for userinfo (OpenID Connect Core 1.0 section 3.1.2.1).
const OPENID: &str = "openid";

const NAME: &str = "the answer about the account";

/// What somebody who was asked whose account it is has said of the session.
pub enum Known {
    Yes,
    No,
    /// No answer, or none that tells.
    Unclear(Error),
    /// There is nobody to ask.
    Nobody,
}

/// Asks whose account it is, to learn whether the session is good.
pub fn is_known(context: &Context, credentials: &mut Credentials) -> Known {
    if credentials.token(&context.provider.session).is_none() {
        return Known::Nobody;
    }
    let answer = match &context.provider.account {
        Some(account) => request(context, account, credentials)
            .and_then(|request| exchange(context, &request, credentials)),
        None => match userinfo(context, credentials) {
            Ok(Some(request)) => exchange(context, &request, credentials),
            Ok(None) => return Known::Nobody,
            Err(error) => Err(error),
        },
    };
    match answer {
        Ok(answer) if is_refused(context, &answer) => Known::No,
        Ok(answer) if answer.status == 200 => Known::Yes,
        Ok(answer) if answer.status == 401 => Known::No,
        Ok(answer) => Known::Unclear(unexpected_status(NAME, answer.status)),
        Err(error) => Known::Unclear(error),
    }
}

/// The account whose credentials these are; `username` is what the user typed, or empty. Where
/// nobody says who it is, the id is `unknown`: two logins are not taken for one person.
pub fn identify(
    context: &Context,
    credentials: &mut Credentials,
    username: &str,
    unknown: &str,
) -> Result<Account> {
    let provider = context.provider;
    let asked = match &provider.account {
        Some(request) => ask(context, request, credentials),
        None if claimed(provider, credentials).are_all(&provider.session) => None,
        None => ask_userinfo(context, credentials)?,
    };
    Ok(account_of(provider, credentials, asked.unwrap_or_default(), username, unknown))
}

/// The same by what is here, without asking.
pub fn identify_offline(provider: &Provider, credentials: &Credentials, unknown: &str) -> Account {
    account_of(provider, credentials, Facts::default(), "", unknown)
}

fn claimed(provider: &Provider, credentials: &Credentials) -> Facts {
    Facts::by(&provider.session, |names| credentials.claim(provider, names))
}

fn account_of(
    provider: &Provider,
    credentials: &Credentials,
    asked: Facts,
    username: &str,
    unknown: &str,
) -> Account {
    let [id, email, name] =
        answer::ACCOUNT.map(|name| credentials.value(name).map(|text| text.expose().to_owned()));
    let Facts { id, email, name } =
        asked.or(claimed(provider, credentials)).or(Facts { id, email, name });
    let email = email.unwrap_or_default();
    let stand_in = [username, &email, unknown].into_iter().find(|text| !text.is_empty());
    Account {
        id: id.or_else(|| stand_in.map(str::to_owned)).unwrap_or_default(),
        email,
        name: name.unwrap_or_default(),
    }
}

#[derive(Default)]
struct Facts {
    id: Option<String>,
    email: Option<String>,
    name: Option<String>,
}

impl Facts {
    /// By the claims that `rule` names.
    fn by(rule: &SessionRule, find: impl Fn(&[String]) -> Option<String>) -> Self {
        let [id, email, name] =
            [&rule.account_id, &rule.account_email, &rule.account_name].map(|names| find(names));
        Facts { id, email, name }
    }

    /// True where nothing that `rule` asks for is missing.
    fn are_all(&self, rule: &SessionRule) -> bool {
        (self.id.is_some() || rule.account_id.is_empty())
            && (self.email.is_some() || rule.account_email.is_empty())
            && (self.name.is_some() || rule.account_name.is_empty())
    }

    fn or(self, others: Facts) -> Facts {
        Facts {
            id: self.id.or(others.id),
            email: self.email.or(others.email),
            name: self.name.or(others.name),
        }
    }
}

/// The request that the provider file names.
fn ask(
    context: &Context,
    account: &AccountRequest,
    credentials: &mut Credentials,
) -> Option<Facts> {
    let request = request(context, account, credentials);
    let request = request.inspect_err(|error| {
        log::warn!("it could not be asked whose account it is: {}", error.message());
    });
    let body = send(context, &request.ok()?, credentials)?;
    if is_refused(context, &body) {
        log::warn!("{NAME} says that nobody is logged in, and is not used");
        return None;
    }
    let body: Value = serde_json::from_slice(&body.body).unwrap_or_default();
    let at = |pointer: &str| body.pointer(pointer).and_then(shown);
    Some(Facts { id: at(&account.id), email: at(&account.email), name: at(&account.name) })
}

/// True for an answer that shows that the session is over, whatever its status.
fn is_refused(context: &Context, answer: &Answer) -> bool {
    let signs = context.provider.account.as_ref().and_then(|account| account.refused.as_ref());
    signs.is_some_and(|signs| steps::shows(signs, answer))
}

fn request(
    context: &Context,
    account: &AccountRequest,
    credentials: &mut Credentials,
) -> Result<Request> {
    let mut values = Values::new();
    steps::run(context, &account.steps, credentials, &mut values)?;
    let mut request = steps::fill(context, account.request(), credentials, &values)
        .ok_or_else(|| steps::lacks_value(NAME))?;
    request.bearer = account.bearer.then(|| credentials.token(&context.provider.session)).flatten();
    Ok(request)
}

/// OpenID Connect Core 1.0 section 5.3; `None` where there is no such endpoint or no such answer.
fn ask_userinfo(context: &Context, credentials: &mut Credentials) -> Result<Option<Facts>> {
    let found = userinfo(context, credentials).unwrap_or_else(|error| {
        log::warn!("where to ask whose account it is was not learned: {}", error.message());
        None
    });
    let Some(request) = found else { return Ok(None) };
    let Some(answer) = send(context, &request, credentials) else { return Ok(None) };
    // Section 5.3.2: "The sub (subject) Claim MUST always be returned in the UserInfo Response."
    let claims = Claims::of_object(&answer.body).unwrap_or_default();
    let Some(subject) = claims.subject() else {
        log::warn!("{NAME} names nobody, and is not used");
        return Ok(None);
    };
    // "The sub Claim in the UserInfo Response MUST be verified to exactly match the sub Claim in the
    // ID Token; if they do not match, the UserInfo Response values MUST NOT be used." The access
    // token is then not that of whoever has logged in.
    let provider = context.provider;
    let logged_in = credentials.id_claims(provider).subject();
    if logged_in.is_some_and(|logged_in| logged_in != subject) {
        return Err(unexpected(NAME, "is about somebody else"));
    }
    Ok(Some(Facts::by(&provider.session, |names| claims.text(names))))
}

/// The request to the issuer's endpoint; `None` where there is none that would answer.
fn userinfo(context: &Context, credentials: &mut Credentials) -> Result<Option<Request>> {
    let provider = context.provider;
    let Some(oauth) = &provider.oauth else { return Ok(None) };
    if !oauth.scope.split(' ').any(|scope| scope == OPENID) {
        return Ok(None);
    }
    let client = OAuthClient::new(context.client, provider, context.cancel)?;
    let Some(url) = client.find(Endpoint::Userinfo, credentials)? else { return Ok(None) };
    let mut request = Request::get(url).without_cookies();
    request.bearer = credentials.token(&provider.session);
    Ok(Some(request))
}

fn exchange(context: &Context, request: &Request, credentials: &mut Credentials) -> Result<Answer> {
    let client = context.client.limited_to(LONGEST_WAIT);
    let request = request.clone().accepting_json();
    client.exchange(&request, &context.provider.hosts, &mut credentials.jar, context.cancel)
}

/// The answer, if it is one that can be read.
fn send(context: &Context, request: &Request, credentials: &mut Credentials) -> Option<Answer> {
    match exchange(context, request, credentials) {
        Ok(answer) if answer.status == 200 && !answer.is_cut => Some(answer),
        Ok(answer) => {
            log::warn!("{NAME} came with status {}, and is not used", answer.status);
            None
        }
        Err(error) => {
            log::warn!("it could not be asked whose account it is: {}", error.message());
            None
        }
    }
}
