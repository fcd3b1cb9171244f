//! The settings of `open`.

use super::wait;
use crate::error::{Error, Kind, Result};
use crate::http::{Proxy, Resolve, Settings};
use crate::keeper::{Config, check_address};
use crate::plain::Dict;
use crate::provider;
use log::LevelFilter;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;

/// Reads the settings of `open`; what is missing has its default.
pub fn config(mut from: Dict) -> Result<Config> {
    let given = from.dict_of_texts("parameters")?;
    let provider = match from.take("provider") {
        Some(named) => provider::choose(Value::from(named), &given)?,
        None => return Err(Error::new(Kind::InvalidInput, "no provider is named")),
    };
    let defaults = Settings::default();
    let network = Settings {
        connect_timeout: wait(&mut from, "connect_timeout")?.unwrap_or(defaults.connect_timeout),
        answer_timeout: wait(&mut from, "answer_timeout")?.unwrap_or(defaults.answer_timeout),
        total_timeout: wait(&mut from, "timeout")?.unwrap_or(defaults.total_timeout),
        proxy: match from.text("proxy")?.as_deref() {
            None | Some("" | "system") => Proxy::System,
            Some("none") => Proxy::None,
            Some(url) => Proxy::Url(url.to_owned()),
        },
        ca_file: from.text("ca_file")?.filter(|path| !path.is_empty()).map(PathBuf::from),
        resolve: from
            .texts("resolve")?
            .iter()
            .map(|text| Resolve::parse(text))
            .collect::<Result<_>>()?,
    };
    let config = Config {
        provider,
        directory: directory(from.text("data_dir")?)?,
        key_directory: from.text("key_dir")?.map(PathBuf::from),
        network,
        logout_deadline: wait(&mut from, "logout_deadline")?.unwrap_or(Duration::from_secs(10)),
        renewal_margin: from.int("renewal_margin")?.unwrap_or(3600),
        audit_url: from
            .text("audit_url")?
            .filter(|text| !text.is_empty())
            .map(|text| check_address(&text))
            .transpose()?,
        log_level: level(from.text("log_level")?.as_deref())?,
        log_to_terminal: from.flag("log_to_terminal")?,
    };
    from.finish()?;
    Ok(config)
}

fn directory(given: Option<String>) -> Result<PathBuf> {
    if let Some(path) = given.filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(path));
    }
    let base = dirs::data_dir().ok_or_else(|| {
        Error::new(Kind::Storage, "the system names no directory for user data")
            .with_hint("Name one with --data-dir, or set HOME.")
    })?;
    Ok(base.join("sessionkeeper"))
}

fn level(name: Option<&str>) -> Result<LevelFilter> {
    match name {
        None | Some("" | "info") => Ok(LevelFilter::Info),
        Some("error") => Ok(LevelFilter::Error),
        Some("warning") => Ok(LevelFilter::Warn),
        Some("debug") => Ok(LevelFilter::Debug),
        Some(other) => Err(Error::new(
            Kind::InvalidInput,
            format!("log_level '{other}' is none of error, warning, info, debug"),
        )),
    }
}
