//! The ways out, as they are written.

use super::Pairs;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::provider) struct Logout {
    /// What is sent, in order.
    pub steps: Vec<Step>,
    /// How to find out whether the session is dead, where the answers do not prove it.
    pub probe: Option<Probe>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "flow", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::provider) enum Step {
    /// One request with the session's cookies.
    Request(Box<RequestStep>),
    /// The tokens, one by one (RFC 7009); needs `[oauth]`.
    Revoke {
        /// Which tokens, in order.
        #[serde(default = "both_tokens")]
        tokens: Vec<String>,
    },
    /// The session at the issuer (RP-Initiated Logout 1.0); needs `[oauth]`.
    EndSession {},
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::provider) struct RequestStep {
    /// GET, POST or DELETE.
    pub method: String,
    /// Where it is sent.
    pub url: Option<String>,
    /// The value, taken from an earlier step's answer, that says where it is sent.
    pub url_from: Option<String>,
    /// Added to the address's query.
    #[serde(default)]
    pub query: Pairs,
    /// More headers.
    #[serde(default)]
    pub headers: Pairs,
    /// The body, as a flat JSON object.
    #[serde(default)]
    pub json: Pairs,
    /// The body, as a form.
    #[serde(default)]
    pub form: Pairs,
    /// True: the access token goes along as `Authorization: Bearer`.
    #[serde(default)]
    pub bearer: bool,
    /// Values to take from the JSON answer, by JSON pointer.
    #[serde(default)]
    pub take: Pairs,
    /// Where the JSON answer may hold a warning for the user.
    pub warning: Option<String>,
    /// What the answer must show. Without a proof only the probe proves anything.
    pub proof: Option<Proof>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::provider) struct Proof {
    /// The statuses that an answer may have.
    pub status: Vec<u16>,
    /// Where the redirect may lead.
    #[serde(default)]
    pub locations: Vec<String>,
    /// The cookies that the answer must delete; each group is one cookie under all its names.
    #[serde(default)]
    pub deletes: Vec<Vec<String>>,
    /// What the JSON answer must hold, by JSON pointer: a text, a number, true or false.
    #[serde(default)]
    pub json: BTreeMap<String, Scalar>,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(in crate::provider) enum Scalar {
    Flag(bool),
    Number(i64),
    Text(String),
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "flow", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::provider) enum Probe {
    /// A request that a dead session is refused.
    Request {
        /// Where it is sent, by GET.
        url: String,
        /// The statuses that only a dead session gets.
        refused_status: Vec<u16>,
        /// True: the access token goes along as `Authorization: Bearer`.
        #[serde(default)]
        bearer: bool,
    },
    /// The renewal, which a dead session is refused; needs `[renew]`.
    Renew {},
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "flow", rename_all = "snake_case", deny_unknown_fields)]
pub(in crate::provider) enum Everywhere {
    /// The sessions that the service lists, one by one; the own one ends by the logout.
    List {
        /// Where the list is, by GET.
        url: String,
        /// The list in the JSON answer, by JSON pointer.
        sessions: String,
        /// A session's id in its item, by JSON pointer.
        #[serde(default = "id_pointer")]
        id: String,
        /// What is true in the item of the own session, by JSON pointer.
        current: String,
        /// Where one is ended; "{id}" stands for its id.
        end_url: String,
        /// How one is ended: DELETE or POST.
        #[serde(default = "delete")]
        end_method: String,
        /// The statuses that say that it is ended.
        #[serde(default = "deleted")]
        end_status: Vec<u16>,
        /// True: the access token goes along as `Authorization: Bearer`.
        #[serde(default)]
        bearer: bool,
    },
    /// The logout itself ends the session at the issuer, for every device that shares it.
    Logout {},
}

fn both_tokens() -> Vec<String> {
    vec!["refresh_token".into(), "access_token".into()]
}

fn deleted() -> Vec<u16> {
    vec![200, 204]
}

fn delete() -> String {
    "DELETE".into()
}

fn id_pointer() -> String {
    "/id".into()
}
