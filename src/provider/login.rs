//! The ways in.

use super::hosts::Hosts;
use super::leaf::{Method, RefusalStatuses};
use super::oauth::{OAuth, need};
use super::problem::{At, Checked, Problem};
use super::request::{NO_PAIRS, RequestTemplate, request_table};
use super::scope::Scope;
use super::sign::{Signs, check_signs};
use super::step::{Step, check_steps};
use super::take::Takes;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(tag = "flow"))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Login {
    /// A form on the service's own pages.
    HostedForm(Box<HostedForm>),
    /// One request with the name and the password.
    Password(Box<PasswordLogin>),
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
    pub pages: Vec<Step>,
    /// The sending of the form.
    pub submit: Submit,
}

request_table! {
    pub struct Submit, Post {
        /// What errors call the form.
        pub name: String,
        /// The class of the element that says that the name or the password is wrong.
        pub refused_class: Option<String>,
        /// What an answer shows that says so.
        pub refused: Option<Signs>,
        /// Values to take from the answer, for the session.
        #[serde(default)]
        pub take: Takes,
    }
}

request_table! {
    pub struct PasswordLogin, Post {
        /// What is asked before, in order.
        #[serde(default)]
        pub steps: Vec<Step>,
        /// What the answer shows where somebody is logged in.
        pub done: Option<Signs>,
        /// The statuses that say that the name or the password is wrong.
        #[serde(default = "RefusalStatuses::unauthorized")]
        pub refused_status: RefusalStatuses,
        /// What an answer shows that says so, where its status does not tell.
        pub refused: Option<Signs>,
        /// Values to take from the answer, for the session.
        #[serde(default)]
        pub take: Takes,
    }
}

impl PasswordLogin {
    /// The request with each of its bodies, in the order in which they are tried; at least one. The
    /// JSON is for a server that answers a form with 415 or 422.
    pub fn requests(&self) -> impl Iterator<Item = RequestTemplate<'_>> {
        let whole = self.request();
        let form = RequestTemplate { json: None, ..whole };
        let json = RequestTemplate { form: &NO_PAIRS, ..whole };
        let form = (!whole.form.is_empty()).then_some(form);
        form.into_iter().chain(whole.json.is_some().then_some(json))
    }

    fn check<'a>(&'a self, scope: &mut Scope<'a>, hosts: &Hosts) -> Checked {
        if self.requests().next().is_none() {
            let hint = "As in json = { username = \"{username}\", password = \"{password}\" }.";
            return Err(Problem::new("", "nothing is sent: `json` and `form` are missing", hint));
        }
        check_steps("steps", &self.steps, scope, hosts)?;
        let known = scope.with_password();
        self.requests().try_for_each(|request| {
            need_body(request)?;
            known.check(request, hosts)
        })?;
        check_signs(self.done.as_ref()).at("done")?;
        check_signs(self.refused.as_ref()).at("refused")?;
        scope.take(&self.take)
    }
}

impl HostedForm {
    fn check<'a>(&'a self, scope: &mut Scope<'a>, hosts: &Hosts) -> Checked {
        check_steps("pages", &self.pages, scope, hosts)?;
        self.submit.check(scope, hosts).at("submit")
    }
}

impl Submit {
    fn check<'a>(&'a self, scope: &mut Scope<'a>, hosts: &Hosts) -> Checked {
        let request = self.request();
        need_body(request)?;
        if request.json.is_none() && request.form.is_empty() {
            let hint = "As in form = { email = \"{username}\", password = \"{password}\" }.";
            return Err(Problem::new("", "nothing is sent: `form` is missing", hint));
        }
        scope.with_password().check(request, hosts)?;
        let class = self.refused_class.as_deref();
        if class == Some("") || (class.is_none() && self.refused.is_none()) {
            let message = "name the class of the element that says that the password is wrong";
            return Err(Problem::new("refused_class", message, ""));
        }
        check_signs(self.refused.as_ref()).at("refused")?;
        scope.take(&self.take)
    }
}

/// The password goes into a body.
fn need_body(request: RequestTemplate) -> Checked {
    if request.method == Method::Post {
        return Ok(());
    }
    Err(Problem::new("method", "a password is sent by POST", "Leave it out."))
}

/// Checks the ways in, each by itself and beside the others. `scope` is what is known at first.
/// Gives the names of what they take.
pub(super) fn check_all<'a>(
    logins: &'a [Login],
    scope: &Scope<'a>,
    hosts: &Hosts,
    oauth: Option<&OAuth>,
) -> Checked<Vec<&'a str>> {
    if logins.is_empty() {
        return Err(Problem::new("", "name at least one way in", "As in [[login]]."));
    }
    let mut taken = Vec::new();
    for (index, login) in logins.iter().enumerate() {
        let mut scope = scope.clone();
        login.check(&mut scope, hosts, oauth).at(&format!("[{index}]"))?;
        taken.extend(scope.taken());
    }
    let is_second = |at: &usize| logins[..*at].iter().any(|one| one.kind() == logins[*at].kind());
    match (0..logins.len()).find(is_second) {
        Some(at) => {
            let message = "another way in asks the user for the same";
            let hint = "One with a name and a password, one with a code.";
            Err(Problem::new(format!("[{at}]"), message, hint))
        }
        None => Ok(taken),
    }
}

impl Login {
    pub fn kind(&self) -> LoginKind {
        match self {
            Login::HostedForm(_) | Login::Password(_) => LoginKind::Password,
            Login::DeviceCode {} => LoginKind::DeviceCode,
        }
    }

    fn check<'a>(&'a self, scope: &mut Scope<'a>, hosts: &Hosts, oauth: Option<&OAuth>) -> Checked {
        match self {
            Login::HostedForm(form) => {
                *scope = scope.with_user();
                form.check(scope, hosts)
            }
            Login::Password(login) => {
                *scope = scope.with_user();
                login.check(scope, hosts)
            }
            Login::DeviceCode {} => need(oauth, "device_authorization_endpoint")
                .and_then(|()| need(oauth, "token_endpoint")),
        }
    }
}
