//! The work after a logout: only what can do no harm outside the add-on's own data.

use super::leaf::{Pointer, RelativePath};
use super::problem::{Checked, Problem};
use serde::{Deserialize, Serialize};

/// What a provider file may ask Kodi to do. Each is harmless at any time, and takes no path.
const BUILTINS: [&str; 8] = [
    "ActivateWindow(Home)",
    "CleanLibrary(video)",
    "Container.Refresh",
    "PlayerControl(Stop)",
    "Playlist.Clear",
    "ReloadSkin()",
    "UpdateLibrary(music)",
    "UpdateLibrary(video)",
];

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct AfterLogout {
    /// Files and directories below the data directory that are deleted.
    pub delete: Vec<RelativePath>,
    /// Properties of Kodi's home window that are cleared.
    pub window_properties: Vec<String>,
    /// Built-in functions of Kodi that are run, from a short list.
    pub builtins: Vec<String>,
    /// What an account's subscription had entitled to.
    pub downgrade_entitlements: Option<Downgrade>,
    /// True: other add-ons are told, at the very end, to read the user's data again.
    pub update: bool,
}

/// Items of a list that need the account's subscription, and what takes their place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Downgrade {
    /// The JSON file below the data directory that holds the items.
    pub list: RelativePath,
    /// The list in it, by JSON pointer; empty where the file is the list.
    #[serde(default)]
    pub items: Pointer,
    /// The key of an item's SKU.
    #[serde(default = "sku")]
    pub sku: String,
    /// What the SKU of an item that needs the subscription ends with.
    pub active_suffix: String,
    /// What it ends with for everybody else.
    pub inactive_suffix: String,
    /// The JSON file below the data directory that lists the SKUs there are.
    pub products: Option<RelativePath>,
}

fn sku() -> String {
    "sku".to_owned()
}

impl AfterLogout {
    pub(super) fn check(&self) -> Checked {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        for (index, name) in self.window_properties.iter().enumerate() {
            if name.is_empty() || !name.chars().all(good) {
                let key = format!("window_properties[{index}]");
                let message = format!("'{name}' is not the name of a property");
                return Err(Problem::new(key, message, "Use letters, digits, '.', '_' and '-'."));
            }
        }
        for (index, builtin) in self.builtins.iter().enumerate() {
            if !BUILTINS.contains(&builtin.as_str()) {
                let message = format!("'{builtin}' is not run after a logout");
                let hint = format!("These are: {}.", BUILTINS.join(", "));
                return Err(Problem::new(format!("builtins[{index}]"), message, hint));
            }
        }
        match &self.downgrade_entitlements {
            Some(rule)
                if rule.active_suffix.is_empty() || rule.active_suffix == rule.inactive_suffix =>
            {
                let key = "downgrade_entitlements.active_suffix";
                Err(Problem::new(key, "it has to differ from the inactive suffix", ""))
            }
            _ => Ok(()),
        }
    }
}
