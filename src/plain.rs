//! Plain data, as it crosses the boundary to Python: nothing but None, bool, int, float, str, bytes,
//! list and dict. Knows nothing of Python itself.

use crate::error::{Error, Kind, Result};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use zeroize::Zeroize;

/// A value on its way in or out. No `Debug`: it may hold a password.
pub enum Plain {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Plain>),
    Dict(Dict),
}

/// The arguments of a call, or its result.
#[derive(Default)]
pub struct Dict(pub BTreeMap<String, Plain>);

impl Plain {
    /// What serde makes of `value`; bytes have to be put in by hand.
    pub fn of(value: &impl Serialize) -> Result<Self> {
        serde_json::to_value(value)
            .map(Plain::from)
            .map_err(|_| Error::new(Kind::Internal, "a result could not be put into words"))
    }

    fn type_name(&self) -> &'static str {
        match self {
            Plain::None => "None",
            Plain::Bool(_) => "bool",
            Plain::Int(_) => "int",
            Plain::Float(_) => "float",
            Plain::Text(_) => "str",
            Plain::Bytes(_) => "bytes",
            Plain::List(_) => "list",
            Plain::Dict(_) => "dict",
        }
    }
}

impl From<Value> for Plain {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Plain::None,
            Value::Bool(flag) => Plain::Bool(flag),
            Value::Number(number) => number
                .as_i64()
                .map_or_else(|| Plain::Float(number.as_f64().unwrap_or(0.0)), Plain::Int),
            Value::String(text) => Plain::Text(text),
            Value::Array(items) => Plain::List(items.into_iter().map(Plain::from).collect()),
            Value::Object(map) => Plain::Dict(Dict(
                map.into_iter().map(|(key, value)| (key, Plain::from(value))).collect(),
            )),
        }
    }
}

impl From<Plain> for Value {
    fn from(value: Plain) -> Self {
        match value {
            Plain::None | Plain::Bytes(_) => Value::Null,
            Plain::Bool(flag) => Value::from(flag),
            Plain::Int(number) => Value::from(number),
            Plain::Float(number) => Value::from(number),
            Plain::Text(text) => Value::from(text),
            Plain::List(items) => items.into_iter().map(Value::from).collect(),
            Plain::Dict(mut dict) => std::mem::take(&mut dict.0)
                .into_iter()
                .map(|(key, value)| (key, Value::from(value)))
                .collect(),
        }
    }
}

/// A dictionary that is written down.
pub fn dict<const N: usize>(pairs: [(&str, Plain); N]) -> Plain {
    Plain::Dict(Dict(BTreeMap::from(pairs.map(|(key, value)| (key.to_owned(), value)))))
}

impl Dict {
    /// Takes `key` out; `None` where it is missing or None.
    pub fn take(&mut self, key: &str) -> Option<Plain> {
        self.0.remove(key).filter(|value| !matches!(value, Plain::None))
    }

    pub fn text(&mut self, key: &str) -> Result<Option<String>> {
        match self.take(key) {
            None => Ok(None),
            Some(Plain::Text(text)) => Ok(Some(text)),
            Some(other) => Err(mistyped(key, "str", &other)),
        }
    }

    pub fn bytes(&mut self, key: &str) -> Result<Option<Vec<u8>>> {
        match self.take(key) {
            None => Ok(None),
            Some(Plain::Bytes(bytes)) => Ok(Some(bytes)),
            Some(other) => Err(mistyped(key, "bytes", &other)),
        }
    }

    pub fn flag(&mut self, key: &str) -> Result<bool> {
        match self.take(key) {
            None => Ok(false),
            Some(Plain::Bool(flag)) => Ok(flag),
            Some(other) => Err(mistyped(key, "bool", &other)),
        }
    }

    pub fn int(&mut self, key: &str) -> Result<Option<i64>> {
        match self.take(key) {
            None => Ok(None),
            Some(Plain::Int(number)) => Ok(Some(number)),
            Some(other) => Err(mistyped(key, "int", &other)),
        }
    }

    pub fn float(&mut self, key: &str) -> Result<Option<f64>> {
        match self.take(key) {
            None => Ok(None),
            Some(Plain::Float(number)) => Ok(Some(number)),
            #[allow(clippy::cast_precision_loss, reason = "seconds")]
            Some(Plain::Int(number)) => Ok(Some(number as f64)),
            Some(other) => Err(mistyped(key, "float", &other)),
        }
    }

    pub fn texts(&mut self, key: &str) -> Result<Vec<String>> {
        self.list(key)?
            .into_iter()
            .map(|item| match item {
                Plain::Text(text) => Ok(text),
                other => Err(mistyped(key, "list of str", &other)),
            })
            .collect()
    }

    /// A dict of str.
    pub fn dict_of_texts(&mut self, key: &str) -> Result<BTreeMap<String, String>> {
        let mut texts = BTreeMap::new();
        let mut dict = match self.take(key) {
            None => return Ok(texts),
            Some(Plain::Dict(dict)) => dict,
            Some(other) => return Err(mistyped(key, "dict of str", &other)),
        };
        for (name, value) in std::mem::take(&mut dict.0) {
            match value {
                Plain::Text(text) => drop(texts.insert(name, text)),
                other => return Err(mistyped(key, "dict of str", &other)),
            }
        }
        Ok(texts)
    }

    /// A list of two-item lists of str.
    pub fn pairs(&mut self, key: &str) -> Result<Vec<(String, String)>> {
        self.list(key)?
            .into_iter()
            .map(|item| match item {
                Plain::List(pair) => match <[Plain; 2]>::try_from(pair) {
                    Ok([Plain::Text(name), Plain::Text(value)]) => Ok((name, value)),
                    _ => Err(mistyped(key, "list of [str, str]", &Plain::None)),
                },
                other => Err(mistyped(key, "list of [str, str]", &other)),
            })
            .collect()
    }

    /// Fails when something is left that nobody asked for.
    pub fn finish(&self) -> Result<()> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(key) => Err(Error::new(Kind::InvalidInput, format!("'{key}' is not known here"))),
        }
    }

    fn list(&mut self, key: &str) -> Result<Vec<Plain>> {
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(Plain::List(items)) => Ok(items),
            Some(other) => Err(mistyped(key, "list", &other)),
        }
    }
}

impl Drop for Dict {
    /// Passwords and bodies pass through here.
    fn drop(&mut self) {
        for value in self.0.values_mut() {
            match value {
                Plain::Text(text) => text.zeroize(),
                Plain::Bytes(bytes) => bytes.zeroize(),
                _ => {}
            }
        }
    }
}

fn mistyped(key: &str, expected: &str, found: &Plain) -> Error {
    Error::new(
        Kind::InvalidInput,
        format!("'{key}' has to be {expected}, not {}", found.type_name()),
    )
}
