//! The ways in.

use super::hosts::Hosts;
use super::leaf::{Address, CookieName, RefusalStatuses};
use super::oauth::{OAuth, need};
use super::problem::{At, Checked, Problem, limit};
use super::question::Question;
use super::request::{Headers, Known, NO_PAIRS, Pairs, RequestTemplate, allow};
use super::several::Several;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What the user gives. The password goes into a body and nowhere else.
const USER: [&str; 2] = ["username", "password"];

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(tag = "flow"))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Login {
    /// A form on the service's own pages.
    HostedForm(HostedForm),
    /// One request with the name and the password.
    Password(PasswordLogin),
    /// A code that the user enters on another device (RFC 8628); needs `[oauth]`.
    DeviceCode {},
}

/// The ways in as those who log in tell them apart; a service has one of a kind at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LoginKind {
    /// A name and a password.
    Password,
    /// A code that the user enters on another device.
    DeviceCode,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HostedForm {
    /// The pages to fetch before the form is sent, in order.
    pub pages: Vec<Page>,
    /// The sending of the form.
    pub submit: Submit,
    /// What may be asked after that.
    #[serde(default)]
    pub question: Several<Question>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// What errors call the page.
    pub name: String,
    /// Where it is.
    pub url: Address,
    /// Added to the address's query.
    #[serde(default)]
    query: Pairs,
    /// More headers.
    #[serde(default)]
    headers: Headers,
    /// Values to take from the page.
    #[serde(default)]
    pub take: BTreeMap<String, Take>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Take {
    /// The `<input>` that holds the value, by its name or else its id.
    pub input: String,
    /// The cookie that serves where the input is missing or empty.
    pub or_cookie: Option<CookieName>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Submit {
    /// What errors call the form.
    pub name: String,
    /// Where the form is sent, by POST.
    pub url: Address,
    /// Added to the address's query.
    #[serde(default)]
    query: Pairs,
    /// More headers.
    #[serde(default)]
    headers: Headers,
    /// The form's fields.
    form: Pairs,
    /// The class of the element that says that the name or the password is wrong.
    pub refused_class: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PasswordLogin {
    /// Where it is sent, by POST.
    pub url: Address,
    /// Added to the address's query.
    #[serde(default)]
    query: Pairs,
    /// More headers.
    #[serde(default)]
    headers: Headers,
    /// The body, as a form.
    #[serde(default)]
    form: Pairs,
    /// The body, as a flat JSON object; beside a `form`, for a server that answers that with 415
    /// or 422.
    #[serde(default)]
    json: Pairs,
    /// The statuses that say that the name or the password is wrong.
    #[serde(default = "RefusalStatuses::unauthorized")]
    pub refused_status: RefusalStatuses,
    /// What may be asked after that.
    #[serde(default)]
    pub question: Several<Question>,
}

impl Page {
    pub fn request(&self) -> RequestTemplate<'_> {
        let Page { query, headers, .. } = self;
        RequestTemplate { query, headers, json: &NO_PAIRS, form: &NO_PAIRS }
    }
}

impl Submit {
    pub fn request(&self) -> RequestTemplate<'_> {
        let Submit { query, headers, form, .. } = self;
        RequestTemplate { query, headers, json: &NO_PAIRS, form }
    }
}

impl PasswordLogin {
    /// The request with each of its bodies, in the order in which they are tried; at least one.
    pub fn requests(&self) -> impl Iterator<Item = RequestTemplate<'_>> {
        let PasswordLogin { query, headers, json, form, .. } = self;
        [(&NO_PAIRS, form), (json, &NO_PAIRS)]
            .into_iter()
            .filter(|(json, form)| !json.is_empty() || !form.is_empty())
            .map(move |(json, form)| RequestTemplate { query, headers, json, form })
    }

    fn check(&self, hosts: &Hosts) -> Checked {
        if self.json.is_empty() && self.form.is_empty() {
            let hint = "As in json = { username = \"{username}\", password = \"{password}\" }.";
            return Err(Problem::new("", "nothing is sent: `json` and `form` are missing", hint));
        }
        let known = Known { query: &USER[..1], headers: &USER[..1], body: &USER };
        allow(hosts, "url", &self.url)?;
        self.requests().try_for_each(|request| request.check(&known))?;
        let check = |question: &Question| question.check(hosts, &USER[..1], &USER[1..]);
        self.question.each(check).at("question")
    }
}

impl HostedForm {
    fn check(&self, hosts: &Hosts) -> Checked {
        limit("pages", self.pages.len())?;
        let mut known = vec![USER[0]];
        for (index, page) in self.pages.iter().enumerate() {
            let held = Known { query: &known, headers: &known, body: &[] };
            let key = format!("pages[{index}]");
            allow(hosts, "url", &page.url).at(&key)?;
            page.request().check(&held).at(&key)?;
            if let Some(name) = page.take.keys().find(|name| USER.contains(&name.as_str())) {
                let key = format!("{key}.take.{name}");
                return Err(Problem::new(key, "what the user types has this name already", ""));
            }
            known.extend(page.take.keys().map(String::as_str));
        }
        let body = [known.as_slice(), &USER[1..]].concat();
        let held = Known { query: &known, headers: &known, body: &body };
        allow(hosts, "submit.url", &self.submit.url)?;
        self.submit.request().check(&held).at("submit")?;
        if self.submit.refused_class.is_empty() {
            let message = "name the class of the element that says that the password is wrong";
            return Err(Problem::new("submit.refused_class", message, ""));
        }
        let check = |question: &Question| question.check(hosts, &known, &USER[1..]);
        self.question.each(check).at("question")
    }
}

/// Checks the ways in, each by itself and beside the others.
pub(super) fn check_all(logins: &[Login], hosts: &Hosts, oauth: Option<&OAuth>) -> Checked {
    if logins.is_empty() {
        return Err(Problem::new("", "name at least one way in", "As in [[login]]."));
    }
    for (index, login) in logins.iter().enumerate() {
        login.check(hosts, oauth).at(&format!("[{index}]"))?;
    }
    let is_second = |at: &usize| logins[..*at].iter().any(|one| one.kind() == logins[*at].kind());
    match (0..logins.len()).find(is_second) {
        Some(at) => {
            let message = "another way in asks the user for the same";
            let hint = "One with a name and a password, one with a code.";
            Err(Problem::new(format!("[{at}]"), message, hint))
        }
        None => Ok(()),
    }
}

impl Login {
    pub fn kind(&self) -> LoginKind {
        match self {
            Login::HostedForm(_) | Login::Password(_) => LoginKind::Password,
            Login::DeviceCode {} => LoginKind::DeviceCode,
        }
    }

    /// What the service may ask besides.
    pub fn questions(&self) -> &[Question] {
        match self {
            Login::HostedForm(form) => &form.question,
            Login::Password(login) => &login.question,
            Login::DeviceCode {} => &[],
        }
    }

    pub(super) fn check(&self, hosts: &Hosts, oauth: Option<&OAuth>) -> Checked {
        match self {
            Login::HostedForm(form) => form.check(hosts),
            Login::Password(login) => login.check(hosts),
            Login::DeviceCode {} => need(oauth, "device_authorization_endpoint")
                .and_then(|()| need(oauth, "token_endpoint")),
        }
    }
}
