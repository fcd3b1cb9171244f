//! Requests before another one, and what is taken from their answers for it: a page with a hidden
//! token, a session that has to be begun.

use super::hosts::Hosts;
use super::problem::{At, Checked, Problem, limit};
use super::request::request_table;
use super::scope::Scope;
use super::sign::{Signs, check_signs};
use super::take::Takes;

request_table! {
    pub struct Step, Get {
        /// What errors call it.
        pub name: String,
        /// Values to take from its answer.
        #[serde(default)]
        pub take: Takes,
        /// False: a redirect is not followed; it is the answer.
        #[serde(default = "yes")]
        pub follow: bool,
        /// True: the session's credential goes along, as `[api]` carries it.
        #[serde(default)]
        pub bearer: bool,
        /// What its answer shows where the server has this switched off.
        pub unavailable: Option<Signs>,
    }
}

fn yes() -> bool {
    true
}

/// Checks the steps of `key` in order. What each takes is known to the next, and to what follows.
pub(super) fn check_steps<'a>(
    key: &str,
    steps: &'a [Step],
    scope: &mut Scope<'a>,
    hosts: &Hosts,
) -> Checked {
    limit(key, steps.len())?;
    for (index, step) in steps.iter().enumerate() {
        step.check(scope, hosts).at(&format!("{key}[{index}]"))?;
    }
    Ok(())
}

impl Step {
    pub(super) fn check<'a>(&'a self, scope: &mut Scope<'a>, hosts: &Hosts) -> Checked {
        scope.check(self.request(), hosts)?;
        if self.bearer && !scope.is_session() {
            let message = "there is no access token yet";
            return Err(Problem::new("bearer", message, "Leave it out."));
        }
        check_signs(self.unavailable.as_ref()).at("unavailable")?;
        scope.take(&self.take)
    }
}
