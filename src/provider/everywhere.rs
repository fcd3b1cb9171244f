//! The ways to end the account's other sessions.

use super::hosts::Hosts;
use super::leaf::{GoneStatuses, Method, Pointer};
use super::problem::{At, Checked, Problem};
use super::request::{RequestTemplate, allow_text, request_table};
use super::scope::{Scope, TOKENS};
use super::sign::{Signs, check_signs};
use super::step::{Step, check_steps};
use serde::Deserialize;
use url::Url;

/// Where a session's id goes in an address.
const ID: &str = "{id}";

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(tag = "flow"))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Everywhere {
    /// The sessions that the service lists, one by one; this device's own ends by the logout.
    List(Box<SessionList>),
    /// One request that ends all the others.
    Request(Box<EndOthers>),
    /// The logout itself ends them all.
    Logout {},
}

request_table! {
    pub struct SessionList, Get {
        /// What is asked before, in order.
        #[serde(default)]
        pub steps: Vec<Step>,
        /// The list in the JSON answer, by JSON pointer.
        pub sessions: Pointer,
        /// A session's id in its item, by JSON pointer.
        #[serde(default = "id_pointer")]
        pub id: Pointer,
        /// What is true in the item of this device's own session, by JSON pointer.
        pub current: Pointer,
        /// Where one is ended; "{id}" stands for its id.
        #[cfg_attr(test, schemars(with = "super::leaf::Address"))]
        end_url: String,
        /// How one is ended: DELETE or POST.
        #[serde(default = "delete")]
        pub end_method: Method,
        /// The statuses that say that it is ended.
        #[serde(default = "GoneStatuses::deleted")]
        pub end_status: GoneStatuses,
        /// True: the session's credential goes along, as `[api]` carries it.
        #[serde(default)]
        pub bearer: bool,
    }
}

request_table! {
    pub struct EndOthers, Post {
        /// What is asked before, in order.
        #[serde(default)]
        pub steps: Vec<Step>,
        /// What the answer shows where they are ended.
        pub done: Signs,
        /// True: it ends this device's own session as well.
        #[serde(default)]
        pub own: bool,
        /// True: the session's credential goes along, as `[api]` carries it.
        #[serde(default)]
        pub bearer: bool,
    }
}

fn id_pointer() -> Pointer {
    Pointer::fixed("/id")
}

fn delete() -> Method {
    Method::Delete
}

impl SessionList {
    /// Where the session of that id is ended; the id is one part of the path, whatever it holds.
    pub fn end_url(&self, id: &str) -> Option<Url> {
        let escaped: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
        Url::parse(&self.end_url.replace(ID, &escaped.replace('+', "%20"))).ok()
    }

    fn check<'a>(&'a self, mut scope: Scope<'a>, hosts: &Hosts) -> Checked {
        check_steps("steps", &self.steps, &mut scope, hosts)?;
        scope.check(self.request(), hosts)?;
        if self.end_method == Method::Get {
            return Err(Problem::new("end_method", "GET ends nothing", "Use DELETE or POST."));
        }
        if !self.end_url.contains(ID) {
            let hint = "As in \"https://www.example.com/sessions/{id}\".";
            return Err(Problem::new(
                "end_url",
                "it does not say where the session's id goes",
                hint,
            ));
        }
        allow_text(hosts, "end_url", &self.end_url.replace(ID, "0"))
    }
}

impl Everywhere {
    pub(super) fn check<'a>(&'a self, mut scope: Scope<'a>, hosts: &Hosts) -> Checked {
        match self {
            Everywhere::List(list) => list.check(scope, hosts),
            Everywhere::Request(end) => {
                check_steps("steps", &end.steps, &mut scope, hosts)?;
                scope.check(end.request(), hosts)?;
                check_signs(Some(&end.done)).at("done")
            }
            Everywhere::Logout {} => Ok(()),
        }
    }

    /// Where it sends what before this session's end.
    pub fn requests(&self) -> Vec<(RequestTemplate<'_>, bool)> {
        let (steps, last) = match self {
            Everywhere::List(list) => (&list.steps, (list.request(), list.bearer)),
            Everywhere::Request(end) => (&end.steps, (end.request(), end.bearer)),
            Everywhere::Logout {} => return Vec::new(),
        };
        steps.iter().map(|step| (step.request(), step.bearer)).chain([last]).collect()
    }

    /// True where that takes an access token.
    pub fn sends_token(&self) -> bool {
        let takes = |(request, bearer): &(RequestTemplate, bool)| {
            *bearer || request.places().any(|name| name == TOKENS[0])
        };
        self.requests().iter().any(takes)
    }
}
