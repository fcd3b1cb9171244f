//! A file that only says what another service is to be used with: `use = "trakt"`, an id of its own,
//! and the values of parameters, as an add-on brings them that has registered a client.
//!
//! It becomes that service's definition with another id, and the values as its defaults.

use super::definition::Audience;
use super::document;
use super::parameters::Given;
use super::problem::{Checked, Problem};
use serde::Deserialize;
use serde_json::{Value, json};

const KEY: &str = "use";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Using {
    /// The id of the service that is used.
    #[serde(rename = "use")]
    pub service: String,
    id: String,
    name: Option<String>,
    revision: Option<u32>,
    #[serde(default)]
    audience: Audience,
    #[serde(default)]
    parameters: Given,
}

impl Using {
    /// What the tree says, where it is that of such a file.
    pub fn of(tree: &Value) -> Option<Checked<Self>> {
        tree.get(KEY)?;
        Some(
            document::refuse_control_characters("", tree)
                .and_then(|()| document::typed(tree.clone())),
        )
    }

    /// The tree of the service that is used, as the file wants it.
    pub fn applied_to(self, base: Option<Value>) -> Checked<Value> {
        let Using { service, id, name, revision, audience, parameters } = self;
        if id == service {
            let hint = "As in id = \"example-myaddon\".";
            return Err(Problem::new("id", "this is the id of the service that is used", hint));
        }
        let Some(mut tree) = base else {
            let message = format!("no service is called '{service}'");
            let hint = "`sessionkeeper providers` lists those that there are.";
            return Err(Problem::new(KEY, message, hint));
        };
        if tree.get(KEY).is_some() {
            let message = format!("'{service}' uses another service itself");
            return Err(Problem::new(KEY, message, "Name that one."));
        }
        tree["id"] = id.into();
        tree["audience"] = json!(audience);
        if let Some(name) = name {
            tree["name"] = name.into();
        }
        if let Some(revision) = revision {
            tree["revision"] = revision.into();
        }
        for (parameter, value) in parameters {
            let Some(declared) = tree.pointer_mut(&format!("/parameters/{parameter}")) else {
                let message = format!("'{service}' has no such parameter");
                let hint = "`sessionkeeper providers` lists those that it has.";
                return Err(Problem::new(format!("parameters.{parameter}"), message, hint));
            };
            declared["default"] = value.into();
            declared["asked"] = false.into();
        }
        Ok(tree)
    }
}
