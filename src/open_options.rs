//! The options of `open`, as a front gives them; each may be left out.

use crate::error::{Error, Kind, Result};
use crate::http::{Proxy, Resolve, Settings};
use crate::keeper::{Config, Kept, check_addon, own_directory};
use crate::provider::{FileSource, Given, Sources, is_path};
use crate::wire::Seconds;
use log::LevelFilter;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OpenOptions {
    /// The id of a built-in service, the path of a .toml file, or what such a file would hold.
    pub provider: Value,
    /// What the provider leaves open, by name.
    pub parameters: Given,
    /// Where provider files are, besides those that are built in; `None`: where the user has them.
    pub sources: Option<Vec<FileSource>>,
    /// True: a service that none of these sources has, or that a secret is missing for, is known by
    /// its stored session.
    pub use_stored: bool,
    /// `None`: a directory of the user's own.
    pub data_dir: Option<PathBuf>,
    /// Where the device key is; `None`: a directory of its own among the user's local data.
    pub key_dir: Option<PathBuf>,
    /// The id of the add-on that calls, where the viewer decides what it may use; `None`: nobody is
    /// asked.
    pub caller: Option<String>,
    /// A PEM file of certificate authorities to trust beside the built-in ones.
    pub ca_file: Option<PathBuf>,
    /// "system", "none" or a URL.
    pub proxy: String,
    /// "HOST:PORT:ADDRESS" each.
    pub resolve: Vec<String>,
    pub timeout: Seconds,
    pub connect_timeout: Seconds,
    pub answer_timeout: Seconds,
    /// Headers that go with every request of an add-on, unless it gives its own.
    pub headers: BTreeMap<String, String>,
    /// The longest body of an answer to a request of an add-on, in bytes.
    pub max_body: u64,
    pub logout_deadline: Seconds,
    /// How long a login or a renewal waits for another one at this data directory.
    pub lock_timeout: Seconds,
    /// Seconds before its end at which a token is renewed.
    pub renewal_margin: i64,
    /// The id of the add-on whose data directory it is; its events name it.
    pub addon: Option<String>,
    /// The shared data directory: where `addon`'s vault is registered.
    pub register_in: Option<PathBuf>,
    /// What is due is done by a thread of this process, without being asked for.
    pub background: bool,
    pub log_level: LogLevel,
    /// Log lines are written to standard error as well.
    pub log_to_terminal: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum LogLevel {
    Error,
    Warning,
    Info,
    Debug,
}

impl Default for OpenOptions {
    fn default() -> Self {
        let network = Settings::default();
        OpenOptions {
            provider: "angel".into(),
            parameters: Given::new(),
            sources: None,
            use_stored: true,
            data_dir: None,
            key_dir: None,
            caller: None,
            ca_file: None,
            proxy: "system".to_owned(),
            resolve: Vec::new(),
            timeout: Seconds(network.total_timeout),
            connect_timeout: Seconds(network.connect_timeout),
            answer_timeout: Seconds(network.answer_timeout),
            headers: BTreeMap::new(),
            max_body: 64 << 20,
            logout_deadline: Seconds(Duration::from_secs(10)),
            lock_timeout: Seconds(Duration::from_secs(30)),
            renewal_margin: 3600,
            addon: None,
            register_in: None,
            background: false,
            log_level: LogLevel::Info,
            log_to_terminal: false,
        }
    }
}

impl OpenOptions {
    /// The configuration that they mean. Reads the provider's file where they name one.
    pub fn config(self) -> Result<Config> {
        let paths = [&self.data_dir, &self.key_dir, &self.ca_file, &self.register_in];
        for path in paths.into_iter().flatten() {
            if path.as_os_str().as_encoded_bytes().contains(&0) {
                let message = "a path holds a character that cannot be used";
                return Err(Error::new(Kind::InvalidInput, message));
            }
        }
        [&self.caller, &self.addon].into_iter().flatten().try_for_each(|id| check_addon(id))?;
        if self.register_in.is_some() && self.addon.is_none() {
            let message = "a vault is registered with the id of its add-on";
            return Err(Error::new(Kind::InvalidInput, message).with_hint("Give `addon` as well."));
        }
        let sources = self.sources.map_or_else(Sources::of_user, Sources::new);
        let directory = self.data_dir.map_or_else(own_directory, Ok)?;
        let id = self
            .provider
            .as_str()
            .filter(|name| self.use_stored && !is_path(name))
            .map(str::to_owned);
        let provider = sources.choose(self.provider, &self.parameters).or_else(|error| {
            let wanted = match error.kind() {
                Kind::UnknownProvider | Kind::InvalidProvider => Kept::Any,
                // What is missing may be a secret, which was given at the login.
                Kind::ParameterMissing => Kept::WithTheseParameters,
                _ => return Err(error),
            };
            let keys = self.key_dir.as_deref();
            let kept = id.and_then(|id| wanted.definition(&directory, keys, &id, &self.parameters));
            kept.ok_or(error)
        })?;
        Ok(Config {
            provider,
            sources,
            directory,
            key_directory: self.key_dir,
            caller: self.caller,
            network: Settings {
                connect_timeout: self.connect_timeout.0,
                answer_timeout: self.answer_timeout.0,
                total_timeout: self.timeout.0,
                proxy: match self.proxy.as_str() {
                    "system" => Proxy::System,
                    "none" => Proxy::None,
                    _ => Proxy::Url(self.proxy),
                },
                ca_file: self.ca_file,
                resolve: self
                    .resolve
                    .iter()
                    .map(|text| Resolve::parse(text))
                    .collect::<Result<_>>()?,
            },
            headers: self.headers.into_iter().collect(),
            // What does not fit into memory is not read anyway.
            max_body: usize::try_from(self.max_body).unwrap_or(usize::MAX),
            logout_deadline: self.logout_deadline.0,
            lock_timeout: self.lock_timeout.0,
            renewal_margin: self.renewal_margin,
            addon: self.addon,
            register_in: self.register_in,
            background: self.background,
            log_level: match self.log_level {
                LogLevel::Error => LevelFilter::Error,
                LogLevel::Warning => LevelFilter::Warn,
                LogLevel::Info => LevelFilter::Info,
                LogLevel::Debug => LevelFilter::Debug,
            },
            log_to_terminal: self.log_to_terminal,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn config(given: Value) -> Result<Config> {
        serde_json::from_value::<OpenOptions>(given).unwrap().config()
    }

    #[test]
    fn the_id_of_an_add_on_is_checked() {
        let good =
            config(json!({"addon": "plugin.video.x", "register_in": "/x", "data_dir": "/y"}));
        assert_eq!(good.unwrap().addon.as_deref(), Some("plugin.video.x"));
        for given in [
            json!({"addon": ""}),
            json!({"caller": "a\nb"}),
            json!({"addon": "../x"}),
            json!({"caller": "x".repeat(256)}),
            json!({"register_in": "/x"}),
        ] {
            let error = config(given).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidInput);
            assert!(!error.hint().is_empty());
        }
    }
}
