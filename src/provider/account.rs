//! The request that tells whose account it is.

use super::hosts::Hosts;
use super::leaf::Pointer;
use super::problem::{At, Checked};
use super::request::request_table;
use super::scope::Scope;
use super::sign::{Signs, check_signs};
use super::step::{Step, check_steps};

request_table! {
    pub struct AccountRequest, Get {
        /// What is asked before, in order.
        #[serde(default)]
        pub steps: Vec<Step>,
        /// True: the session's credential goes along, as `[api]` carries it.
        #[serde(default)]
        pub bearer: bool,
        /// What an answer shows that says that the session is over, where its status does not tell.
        pub refused: Option<Signs>,
        /// The account's id in the answer.
        #[serde(default = "id")]
        pub id: Pointer,
        /// Its e-mail address.
        #[serde(default = "email")]
        pub email: Pointer,
        /// Its name.
        #[serde(default = "name")]
        pub name: Pointer,
    }
}

fn id() -> Pointer {
    Pointer::fixed("/id")
}

fn email() -> Pointer {
    Pointer::fixed("/email")
}

fn name() -> Pointer {
    Pointer::fixed("/name")
}

impl AccountRequest {
    pub(super) fn check<'a>(&'a self, mut scope: Scope<'a>, hosts: &Hosts) -> Checked {
        check_steps("steps", &self.steps, &mut scope, hosts)?;
        scope.check(self.request(), hosts)?;
        check_signs(self.refused.as_ref()).at("refused")
    }
}
