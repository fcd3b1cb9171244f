//! The ways to end the account's other sessions.

use super::hosts::Hosts;
use super::leaf::{Address, GoneStatuses, Method, Pointer};
use super::problem::{Checked, Problem};
use super::request::{allow, allow_text};
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
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SessionList {
    /// Where the list is, by GET.
    pub url: Address,
    /// The list in the JSON answer, by JSON pointer.
    pub sessions: Pointer,
    /// A session's id in its item, by JSON pointer.
    #[serde(default = "id_pointer")]
    pub id: Pointer,
    /// What is true in the item of this device's own session, by JSON pointer.
    pub current: Pointer,
    /// Where one is ended; "{id}" stands for its id.
    #[cfg_attr(test, schemars(with = "Address"))]
    end_url: String,
    /// How one is ended: DELETE or POST.
    #[serde(default = "delete")]
    pub end_method: Method,
    /// The statuses that say that it is ended.
    #[serde(default = "GoneStatuses::deleted")]
    pub end_status: GoneStatuses,
    /// True: the access token goes along as `Authorization: Bearer`.
    #[serde(default)]
    pub bearer: bool,
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

    pub(super) fn check(&self, hosts: &Hosts) -> Checked {
        allow(hosts, "url", &self.url)?;
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
