//! What can be asked of a keeper, by name, with plain data in and out. The Python package and the
//! command line are written against these names; python/sessionkeeper/_native.pyi documents them.

use crate::cancel::Cancel;
use crate::error::{Error, Kind, Result};
use crate::http::{Proxy, Resolve, Settings};
use crate::keeper::{Config, Keeper, Manner, Outgoing};
use crate::plain::{Dict, Plain};
use crate::provider::{self, Login, Provider};
use crate::secret::Secret;
use log::LevelFilter;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// No wait is longer than a day; a longer one is a mistake.
const LONGEST_WAIT: f64 = 86_400.0;

/// Reads the settings of `open`; what is missing has its default.
pub fn config(mut from: Dict) -> Result<Config> {
    let provider = match (from.text("provider")?, from.text("provider_toml")?) {
        (_, Some(text)) => Provider::parse(&text)?,
        (Some(name), None) => provider::find(&name)?,
        (None, None) => return Err(Error::new(Kind::InvalidInput, "no provider is named")),
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
        log_level: level(from.text("log_level")?.as_deref())?,
    };
    from.finish()?;
    Ok(config)
}

/// Does what `verb` says; the result is what the verb's line in `_native.pyi` promises.
pub fn run(keeper: &Keeper, verb: &str, mut given: Dict, cancel: &Cancel) -> Result<Plain> {
    let given = &mut given;
    match verb {
        "status" => done(given, || Plain::of(&keeper.status()?)),
        "details" => done(given, || Plain::of(&keeper.details()?)),
        "restore" => {
            let offline = given.flag("offline")?;
            done(given, || Plain::of(&keeper.restore(offline, cancel)?))
        }
        "login" => {
            let username = required(given.text("username")?, "username")?;
            let password = required(given.bytes("password")?, "password")?;
            let password = Secret::from_utf8(password)
                .ok_or_else(|| Error::new(Kind::InvalidInput, "the password is not UTF-8 text"))?;
            done(given, || Plain::of(&keeper.log_in(&username, &password, cancel)?))
        }
        "renew" => done(given, || Plain::of(&keeper.renew(cancel)?)),
        "request" => {
            let outgoing = Outgoing {
                method: required(given.text("method")?, "method")?,
                url: required(given.text("url")?, "url")?,
                headers: given.pairs("headers")?,
                body: given.bytes("body")?,
            };
            done(given, || request(keeper, &outgoing, cancel))
        }
        "session" => done(given, || session(keeper)),
        "logout" => {
            let manner = Manner {
                local_only: given.flag("local_only")?,
                everywhere: given.flag("everywhere")?,
                deadline: wait(given, "deadline")?,
            };
            done(given, || Plain::of(&keeper.log_out(manner, cancel)?))
        }
        "outbox" => done(given, || Plain::of(&keeper.outbox()?)),
        "drain" => {
            let due_only = given.flag("due_only")?;
            done(given, || Plain::of(&keeper.drain(due_only, cancel)?))
        }
        "next_work" => done(given, || Plain::of(&keeper.chores()?)),
        "audit" => {
            let limit = given.int("limit")?.unwrap_or(100);
            let limit = usize::try_from(limit)
                .map_err(|_| Error::new(Kind::InvalidInput, "the limit is negative"))?;
            done(given, || Ok(dict([("events", Plain::of(&keeper.audit(limit)?)?)])))
        }
        "forget" => done(given, || Plain::of(&keeper.forget(cancel)?)),
        "doctor" => done(given, || Plain::of(&keeper.facts()?)),
        _ => Err(Error::new(Kind::InvalidInput, format!("there is no verb '{verb}'"))),
    }
}

/// The built-in providers, for a list to choose from.
pub fn providers() -> Result<Plain> {
    let line = |provider: Provider| {
        let login = match provider.login {
            Login::HostedForm(_) => "password",
        };
        dict([
            ("id", Plain::Text(provider.id.clone())),
            ("name", Plain::Text(provider.name.clone())),
            ("website", Plain::Text(provider.website.to_string())),
            ("login", Plain::Text(login.to_owned())),
            ("renewable", Plain::Bool(provider.renew.is_some())),
            ("everywhere", Plain::Bool(provider.can_log_out_everywhere())),
        ])
    };
    Ok(Plain::List(provider::catalogue()?.into_iter().map(line).collect()))
}

/// An error as Python gets it.
pub fn error(error: &Error) -> Plain {
    dict([(
        "error",
        dict([
            ("code", Plain::Text(error.code().to_owned())),
            ("message", Plain::Text(error.message().to_owned())),
            ("hint", Plain::Text(error.advice().to_owned())),
        ]),
    )])
}

pub fn dict<const N: usize>(pairs: [(&str, Plain); N]) -> Plain {
    Plain::Dict(Dict(BTreeMap::from(pairs.map(|(key, value)| (key.to_owned(), value)))))
}

/// Refuses arguments that the verb does not know, then works.
fn done(given: &mut Dict, work: impl FnOnce() -> Result<Plain>) -> Result<Plain> {
    given.finish()?;
    work()
}

fn request(keeper: &Keeper, outgoing: &Outgoing, cancel: &Cancel) -> Result<Plain> {
    let received = keeper.request(outgoing, cancel)?;
    let header =
        |(name, value): (String, String)| Plain::List(vec![Plain::Text(name), Plain::Text(value)]);
    Ok(dict([
        ("status", Plain::Int(i64::from(received.status))),
        ("url", Plain::Text(received.url)),
        ("headers", Plain::List(received.headers.into_iter().map(header).collect())),
        ("body", Plain::Bytes(received.body)),
    ]))
}

fn session(keeper: &Keeper) -> Result<Plain> {
    let credentials = keeper.credentials()?;
    let texts = |map: BTreeMap<String, String>| {
        Plain::Dict(Dict(map.into_iter().map(|(key, value)| (key, Plain::Text(value))).collect()))
    };
    Ok(dict([
        ("headers", texts(credentials.headers)),
        ("cookies", texts(credentials.cookies)),
        ("token", Plain::Text(credentials.token)),
    ]))
}

fn required<T>(value: Option<T>, name: &str) -> Result<T> {
    value.ok_or_else(|| Error::new(Kind::InvalidInput, format!("'{name}' is missing")))
}

fn wait(from: &mut Dict, key: &str) -> Result<Option<Duration>> {
    let Some(seconds) = from.float(key)? else { return Ok(None) };
    if seconds > 0.0 && seconds <= LONGEST_WAIT {
        return Ok(Some(Duration::from_secs_f64(seconds)));
    }
    Err(Error::new(
        Kind::InvalidInput,
        format!("'{key}' has to be more than 0 and at most {LONGEST_WAIT} seconds"),
    ))
}

fn directory(given: Option<String>) -> Result<PathBuf> {
    if let Some(path) = given.filter(|path| !path.is_empty()) {
        return Ok(PathBuf::from(path));
    }
    let base = dirs::data_dir().ok_or_else(|| {
        Error::new(Kind::Storage, "the system names no directory for user data")
            .hint("Name one with --data-dir, or set HOME.")
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
