//! The work after a logout, as it is written.

use serde::Deserialize;

#[derive(Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub(in crate::provider) struct AfterLogout {
    /// Files and directories below the data directory that are deleted.
    pub delete: Vec<String>,
    /// Properties of Kodi's home window that are cleared.
    pub window_properties: Vec<String>,
    /// Built-in functions of Kodi that are run, from a short list.
    pub builtins: Vec<String>,
    /// What an account's subscription had entitled to.
    pub downgrade_entitlements: Option<Downgrade>,
    /// True: other add-ons are told, at the very end, to read the user's data again.
    pub update: bool,
}

#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::provider) struct Downgrade {
    /// The JSON file below the data directory that holds the items.
    pub list: String,
    /// The list in it, by JSON pointer; empty where the file is the list.
    #[serde(default)]
    pub items: String,
    /// The key of an item's SKU.
    #[serde(default = "sku")]
    pub sku: String,
    /// What the SKU of an item that needs the subscription ends with.
    pub active_suffix: String,
    /// What it ends with for everybody else.
    pub inactive_suffix: String,
    /// The JSON file below the data directory that lists the SKUs there are.
    pub products: Option<String>,
}

fn sku() -> String {
    "sku".into()
}
