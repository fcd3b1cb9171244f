//! The front for Python: a few plain functions, plain data in and out. The only file that names
//! pyo3.
//!
//! Kodi makes a new interpreter for each invocation, and PyO3 does not promise to work in several;
//! it does for plain functions. So: no classes, no exceptions, no sub-modules, no Python object in
//! a static, none used from a Rust thread. Errors are returned as data; Python makes the
//! exceptions. No function keeps the GIL while it waits, nor waits for longer than 100 ms.

use crate::cancel as token;
use crate::catalogue;
use crate::command::{Command, Reply};
use crate::error::{Error, Kind, Result};
use crate::open_options::OpenOptions;
use crate::operation::catch_panics;
use crate::registry::{self, Progress};
use pyo3::exceptions::PyMemoryError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde::de::value::{MapAccessDeserializer, SeqDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::ser::{self, Serialize, Serializer};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::time::Duration;
use std::{fmt, vec};

/// 2^64: whole numbers below are read exactly.
const LARGEST_WHOLE: f64 = 9_223_372_036_854_775_808.0;

/// What is larger is wiped without the GIL.
const SMALL: usize = 1 << 20;

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{
        after_fork, before_fork, cancel, check_provider, close, finish, from_json, open, poll,
        providers, qr, start, to_json, version,
    };
}

#[pyfunction]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

#[pyfunction]
fn open<'py>(py: Python<'py>, options: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let options: Result<OpenOptions> = read(options);
    match options.and_then(|options| py.detach(|| registry::open(options))) {
        Ok(keeper) => single(py, "keeper", keeper),
        Err(error) => failure(py, &error),
    }
}

#[pyfunction]
fn close(py: Python<'_>, keeper: u64) {
    py.detach(|| registry::close(keeper));
}

#[pyfunction]
fn start<'py>(
    py: Python<'py>,
    keeper: u64,
    command: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let command: Result<Command> = read(command);
    progress(py, command.and_then(|command| py.detach(|| registry::start(keeper, command))))
}

#[pyfunction]
fn poll(py: Python<'_>, operation: u64, wait_ms: u64) -> PyResult<Bound<'_, PyDict>> {
    progress(py, py.detach(|| registry::poll(operation, Duration::from_millis(wait_ms))))
}

#[pyfunction]
fn cancel(py: Python<'_>, operation: u64) {
    py.detach(|| registry::cancel(operation));
}

/// For `os.register_at_fork`.
#[pyfunction]
fn before_fork(py: Python<'_>) {
    py.detach(registry::before_fork);
}

/// The same, in the parent and in the child.
#[pyfunction]
fn after_fork() {
    registry::after_fork();
}

/// For `atexit`.
#[pyfunction]
fn finish(py: Python<'_>, wait_ms: u64) -> bool {
    py.detach(|| registry::finish(Duration::from_millis(wait_ms)))
}

#[pyfunction]
fn providers<'py>(py: Python<'py>, sources: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let list = read(sources).and_then(|sources| {
        py.detach(|| catch_panics(|| Reply::of(&catalogue::providers(sources))))
    });
    progress(py, list.map(Progress::Done))
}

#[pyfunction]
fn check_provider<'py>(
    py: Python<'py>,
    definition: &Bound<'py, PyAny>,
    parameters: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let read = read(definition).and_then(|tree| Ok((tree, read(parameters)?)));
    let checked = read.and_then(|(tree, given)| {
        py.detach(|| catch_panics(|| Reply::of(&catalogue::check(tree, &given))))
    });
    progress(py, checked.map(Progress::Done))
}

#[pyfunction]
fn qr(py: Python<'_>, text: &str) -> Vec<String> {
    py.detach(|| catch_panics(|| Ok(catalogue::qr(text)))).unwrap_or_default()
}

/// Importing Python's own `json` takes milliseconds in a new interpreter. What serde_json does not
/// do as Python does it is left to that: `None`.
#[pyfunction]
fn to_json<'py>(py: Python<'py>, value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyBytes>> {
    serde_json::to_vec(&Input(value.clone(), 0)).ok().map(|text| PyBytes::new(py, &text))
}

/// As `to_json`; the value is the only item of the tuple.
#[pyfunction]
fn from_json<'py>(py: Python<'py>, text: &[u8]) -> Option<(Bound<'py, PyAny>,)> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Output(py).deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some((value,))
}

// Out: what serde_json made of a result

fn progress(py: Python<'_>, result: Result<Progress>) -> PyResult<Bound<'_, PyDict>> {
    let reply = match result {
        Ok(Progress::Done(reply)) => reply,
        Ok(Progress::Running(running)) => {
            let dict = single(py, "operation", running.operation)?;
            if let Some(token::Progress { done, total }) = running.progress {
                dict.set_item("progress", (done, total))?;
            }
            return Ok(dict);
        }
        Err(error) => return failure(py, &error),
    };
    let value = to_python(py, &reply.value)?;
    if let Some(body) = reply.body {
        value.set_item("body", PyBytes::new(py, &body))?;
        if body.len() > SMALL {
            py.detach(move || drop(body));
        }
    }
    single(py, "value", value)
}

fn failure<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyDict>> {
    single(py, "error", to_python(py, &json!(error))?)
}

fn single<'py>(
    py: Python<'py>,
    key: &str,
    value: impl IntoPyObject<'py>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item(key, value)?;
    Ok(dict)
}

fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Output(py).deserialize(value).map_err(|error| PyMemoryError::new_err(error.to_string()))
}

/// Makes Python objects of what a deserializer reads.
#[derive(Clone, Copy)]
struct Output<'py>(Python<'py>);

impl<'de, 'py> DeserializeSeed<'de> for Output<'py> {
    type Value = Bound<'py, PyAny>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Built<'py, D::Error> {
        from.deserialize_any(self)
    }
}

type Built<'py, E> = std::result::Result<Bound<'py, PyAny>, E>;

impl<'de, 'py> Visitor<'de> for Output<'py> {
    type Value = Bound<'py, PyAny>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("plain data")
    }

    fn visit_unit<E>(self) -> Built<'py, E> {
        Ok(self.0.None().into_bound(self.0))
    }

    fn visit_bool<E>(self, flag: bool) -> Built<'py, E> {
        Ok(PyBool::new(self.0, flag).to_owned().into_any())
    }

    fn visit_i64<E>(self, number: i64) -> Built<'py, E> {
        Ok(PyInt::new(self.0, number).into_any())
    }

    fn visit_u64<E>(self, number: u64) -> Built<'py, E> {
        Ok(PyInt::new(self.0, number).into_any())
    }

    /// serde_json reads a whole number that is too large for it as one of these.
    fn visit_f64<E: de::Error>(self, number: f64) -> Built<'py, E> {
        if number.abs() >= LARGEST_WHOLE {
            return Err(E::custom("a number that Python has to read"));
        }
        Ok(PyFloat::new(self.0, number).into_any())
    }

    fn visit_str<E>(self, text: &str) -> Built<'py, E> {
        Ok(PyString::new(self.0, text).into_any())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Built<'py, A::Error> {
        let list = PyList::empty(self.0);
        while let Some(item) = items.next_element_seed(self)? {
            list.append(item).map_err(de::Error::custom)?;
        }
        Ok(list.into_any())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Built<'py, A::Error> {
        let dict = PyDict::new(self.0);
        while let Some(key) = fields.next_key_seed(self)? {
            dict.set_item(key, fields.next_value_seed(self)?).map_err(de::Error::custom)?;
        }
        Ok(dict.into_any())
    }
}

// In: Python's objects, straight into the types that serde derives

fn read<T: DeserializeOwned>(given: &Bound<'_, PyAny>) -> Result<T> {
    T::deserialize(Input(given.clone(), 0))
}

fn refuse<T>(why: impl fmt::Display) -> Result<T> {
    Err(de::Error::custom(why))
}

/// No message holds a value that was given: it may be a secret in the wrong place.
impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Error::new(Kind::InvalidInput, message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let found = match found {
            Unexpected::Bool(_) => "bool",
            Unexpected::Unsigned(_) | Unexpected::Signed(_) => "int",
            Unexpected::Float(_) => "float",
            Unexpected::Str(_) => "str",
            Unexpected::Bytes(_) => "bytes",
            Unexpected::Unit | Unexpected::Option => "None",
            Unexpected::Seq => "list",
            _ => "dict",
        };
        Error::custom(format_args!("this has to be {}, not {found}", in_words(expected)))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Error::custom(format_args!("this has to be {}", in_words(expected)))
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Error::custom(format_args!("this has to be one of {}", known.join(", ")))
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Error::custom(format_args!("'{field}' is not known here"))
    }

    fn missing_field(field: &'static str) -> Self {
        Error::custom(format_args!("'{field}' is missing"))
    }
}

/// What serde expects, for people who do not write Rust.
fn in_words(expected: &dyn de::Expected) -> String {
    match expected.to_string().as_str() {
        "f64" => "a number".to_owned(),
        "i64" => "a whole number".to_owned(),
        "any valid JSON value" => "plain data".to_owned(),
        "u64" | "usize" => "a whole number from 0 on".to_owned(),
        other => other.to_owned(),
    }
}

/// A Python object that is read, and how many others it lies in.
struct Input<'py>(Bound<'py, PyAny>, usize);

/// A list that contains itself has no end.
const DEEPEST: usize = 100;

/// What is taken from Python.
enum Plain<'a, 'py> {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    Bytes(&'a [u8]),
    List(Vec<Input<'py>>),
    Dict(Vec<(String, Input<'py>)>),
}

impl<'py> Input<'py> {
    fn plain(&self) -> Result<Plain<'_, 'py>> {
        let Input(given, depth) = self;
        Ok(if *depth > DEEPEST {
            return refuse("this is nested too deeply");
        } else if given.is_none() {
            Plain::None
        } else if let Ok(flag) = given.cast::<PyBool>() {
            Plain::Bool(flag.is_true())
        } else if given.is_instance_of::<PyInt>() {
            Plain::Int(given.extract().or_else(|_| refuse("this is too large"))?)
        } else if given.is_instance_of::<PyFloat>() {
            Plain::Float(given.extract().or_else(|_| refuse("this is not a number"))?)
        } else if let Ok(text) = given.cast::<PyString>() {
            Plain::Text(text.to_cow().or_else(|_| refuse("this is not valid Unicode"))?)
        } else if let Ok(bytes) = given.cast::<PyBytes>() {
            Plain::Bytes(bytes.as_bytes())
        } else if given.is_instance_of::<PyList>() || given.is_instance_of::<PyTuple>() {
            let item = |item: PyResult<_>| Ok(Input(item?, depth + 1));
            let items = given.try_iter().and_then(|items| items.map(item).collect());
            Plain::List(items.or_else(|_| refuse("this cannot be read"))?)
        } else if let Ok(dict) = given.cast::<PyDict>() {
            let entry = |(key, value): (Bound<'py, PyAny>, _)| {
                Ok((key.extract()?, Input(value, depth + 1)))
            };
            let entries: PyResult<_> = dict.iter().map(entry).collect();
            Plain::Dict(entries.or_else(|_| refuse("a key here is not str"))?)
        } else {
            return refuse("this is of a type that is not taken here");
        })
    }
}

impl<'de> Deserializer<'de> for Input<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.plain()? {
            Plain::None => visitor.visit_unit(),
            Plain::Bool(flag) => visitor.visit_bool(flag),
            Plain::Int(number) => visitor.visit_i64(number),
            Plain::Float(number) => visitor.visit_f64(number),
            Plain::Text(text) => visitor.visit_str(&text),
            Plain::Bytes(bytes) => visitor.visit_bytes(bytes),
            Plain::List(items) => {
                let mut items = SeqDeserializer::new(items.into_iter());
                let list = visitor.visit_seq(&mut items)?;
                // serde does not look whether something is left.
                items.end().map(|()| list)
            }
            Plain::Dict(entries) => visitor.visit_map(Fields::new(entries)),
        }
    }

    /// serde would take bytes for text.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.0.is_instance_of::<PyBytes>() {
            return Err(de::Error::invalid_type(Unexpected::Bytes(&[]), &visitor));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.0.is_none() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    /// `{"variant": fields}`, or the name of a variant without any.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.plain()? {
            Plain::Dict(entries) if entries.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(Fields::new(entries)))
            }
            Plain::Dict(_) => refuse("this has to have one key"),
            Plain::Text(name) => visitor.visit_enum(name.into_deserializer()),
            _ => refuse("this has to be str"),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl IntoDeserializer<'_, Error> for Input<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl Serialize for Input<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        match self.plain().map_err(ser::Error::custom)? {
            Plain::None => to.serialize_unit(),
            Plain::Bool(flag) => to.serialize_bool(flag),
            Plain::Int(number) => to.serialize_i64(number),
            Plain::Float(number) if number.is_finite() => to.serialize_f64(number),
            Plain::Text(text) => to.serialize_str(&text),
            Plain::List(items) => to.collect_seq(items),
            Plain::Dict(entries) => to.collect_map(entries),
            Plain::Float(_) | Plain::Bytes(_) => Err(ser::Error::custom("JSON has no such value")),
        }
    }
}

struct Fields<'py> {
    entries: vec::IntoIter<(String, Input<'py>)>,
    current: Option<(String, Input<'py>)>,
}

impl<'py> Fields<'py> {
    fn new(entries: Vec<(String, Input<'py>)>) -> Self {
        Fields { entries: entries.into_iter(), current: None }
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        self.current = self.entries.next();
        let Some((key, _)) = &self.current else { return Ok(None) };
        seed.deserialize(key.as_str().into_deserializer()).map(Some)
    }

    /// What is wrong with a value is said with its field.
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        let Some((key, value)) = self.current.take() else { return refuse("there is no value") };
        seed.deserialize(value).map_err(|error| de::Error::custom(format_args!("{key}: {error}")))
    }
}
