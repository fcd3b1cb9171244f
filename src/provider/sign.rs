//! Signs: what an answer shows where its status alone does not tell what it means.

use super::leaf::{HeaderName, Pointer, Scalar, Status};
use super::problem::{Checked, Problem};
use super::several::Several;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Any of them; one says all that it names.
pub type Signs = Several<Sign>;

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Sign {
    /// The statuses that the answer may have.
    pub status: Option<Several<Status>>,
    /// What the JSON answer holds, by JSON pointer: a text, a number, true or false.
    pub json: BTreeMap<Pointer, Scalar>,
    /// What the JSON answer holds, whatever it is but null.
    pub has: Vec<Pointer>,
    /// What the JSON answer does not hold, or as null.
    pub lacks: Vec<Pointer>,
    /// Headers, and what they say.
    pub header: BTreeMap<HeaderName, String>,
    /// A class of an element of the page.
    pub class: Option<String>,
    /// An input of the page, by its name or else its id.
    pub input: Option<String>,
}

impl Sign {
    fn check(&self) -> Checked {
        if self == &Sign::default() || self.status.as_ref().is_some_and(|list| list.is_empty()) {
            let message = "it says nothing: name a status, or what the answer holds";
            return Err(Problem::new("", message, "As in { status = 400 }."));
        }
        for (key, name) in [("class", &self.class), ("input", &self.input)] {
            if name.as_deref() == Some("") {
                return Err(Problem::new(key, "it is empty", ""));
            }
        }
        Ok(())
    }
}

/// Checks the signs of one key, where they are given.
pub(super) fn check_signs(signs: Option<&Signs>) -> Checked {
    let Some(signs) = signs else { return Ok(()) };
    if signs.is_empty() {
        return Err(Problem::new("", "name at least one sign", "As in { status = 400 }."));
    }
    signs.each(Sign::check)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_says_something() {
        let read =
            |text: &str| serde_json::from_str::<Signs>(text).map(|it| check_signs(Some(&it)));
        for good in [
            r#"{"status": 404}"#,
            r#"{"status": [400, 401], "json": {"/error": "x"}}"#,
            r#"[{"has": ["/a"]}, {"lacks": ["/b"], "class": "error", "input": "password"}]"#,
            r#"{"header": {"X-A": "b"}}"#,
        ] {
            read(good).unwrap().unwrap();
        }
        for bad in ["{}", "[]", r#"{"status": []}"#, r#"{"class": ""}"#, r#"[{"has": []}]"#] {
            read(bad).unwrap().unwrap_err();
        }
        for odd in [r#"{"status": 99}"#, r#"{"jsn": {}}"#, "1", r#"{"has": ["a"]}"#] {
            assert!(read(odd).is_err(), "{odd}");
        }
    }
}
