//! The front for Python: a few plain functions, plain data in and out. The only file that names
//! pyo3.
//!
//! Kodi makes a new interpreter for each invocation, and PyO3 does not promise to work in several;
//! it does for plain functions. So: no classes, no exceptions, no sub-modules, no Python object in
//! a static, none used from a Rust thread. Errors are returned as data; Python makes the
//! exceptions. No function keeps the GIL while it waits, nor waits for longer than 100 ms.

use crate::catalogue;
use crate::command::{Command, Reply};
use crate::error::{Error, Kind, Result};
use crate::open_options::OpenOptions;
use crate::operation::catch_panics;
use crate::registry::{self, Progress};
use pyo3::prelude::*;
use pyo3::types::iter::BoundDictIterator;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use serde::de::value::MapAccessDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde_json::Value;
use std::fmt;
use std::time::Duration;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(version, module)?)?;
    module.add_function(wrap_pyfunction!(open, module)?)?;
    module.add_function(wrap_pyfunction!(start, module)?)?;
    module.add_function(wrap_pyfunction!(poll, module)?)?;
    module.add_function(wrap_pyfunction!(cancel, module)?)?;
    module.add_function(wrap_pyfunction!(check_provider, module)?)?;
    module.add_function(wrap_pyfunction!(qr, module)?)?;
    module.add_function(wrap_pyfunction!(providers, module)?)
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

#[pyfunction]
fn providers(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let list = py.detach(|| catch_panics(|| Reply::of(&catalogue::providers()?)));
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

// Out: what serde_json made of a result

fn progress(py: Python<'_>, result: Result<Progress>) -> PyResult<Bound<'_, PyDict>> {
    let reply = match result {
        Ok(Progress::Done(reply)) => reply,
        Ok(Progress::Running(operation)) => return single(py, "operation", operation),
        Err(error) => return failure(py, &error),
    };
    let value = to_python(py, &reply.value)?;
    if let Some(body) = reply.body {
        value.set_item("body", PyBytes::new(py, &body))?;
    }
    single(py, "value", value)
}

fn failure<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyDict>> {
    let shape = PyDict::new(py);
    shape.set_item("code", error.code())?;
    shape.set_item("message", error.message())?;
    shape.set_item("hint", error.hint())?;
    single(py, "error", shape)
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
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => PyInt::new(py, whole).into_any(),
            None => PyFloat::new(py, number.as_f64().unwrap_or(f64::NAN)).into_any(),
        },
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_python(py, item)?)?;
            }
            list.into_any()
        }
        Value::Object(map) => {
            let dict = PyDict::new(py);
            for (key, item) in map {
                dict.set_item(key, to_python(py, item)?)?;
            }
            dict.into_any()
        }
    })
}

// In: Python's objects, straight into the types that serde derives

fn read<T: DeserializeOwned>(given: &Bound<'_, PyAny>) -> Result<T> {
    T::deserialize(Input(given))
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

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Self {
        Error::custom(format_args!("there is no '{found}', only {}", known.join(", ")))
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

/// A Python object that is read.
struct Input<'a, 'py>(&'a Bound<'py, PyAny>);

impl<'de> Deserializer<'de> for Input<'_, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let given = self.0;
        if given.is_none() {
            visitor.visit_unit()
        } else if let Ok(flag) = given.cast::<PyBool>() {
            visitor.visit_bool(flag.is_true())
        } else if given.is_instance_of::<PyInt>() {
            given.extract().map_or_else(|_| refuse("this is too large"), |n| visitor.visit_i64(n))
        } else if given.is_instance_of::<PyFloat>() {
            given.extract().map_or_else(|_| refuse("this is no number"), |n| visitor.visit_f64(n))
        } else if let Ok(text) = given.cast::<PyString>() {
            match text.to_cow() {
                Ok(text) => visitor.visit_str(&text),
                Err(_) => refuse("this is not valid Unicode"),
            }
        } else if let Ok(bytes) = given.cast::<PyBytes>() {
            visitor.visit_bytes(bytes.as_bytes())
        } else if given.is_instance_of::<PyList>() || given.is_instance_of::<PyTuple>() {
            visitor.visit_seq(Items(given, 0))
        } else if let Ok(dict) = given.cast::<PyDict>() {
            visitor.visit_map(Fields { dict: dict.iter(), current: None })
        } else {
            refuse("this is of a type that is not taken here")
        }
    }

    /// serde would take bytes for text.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0.cast::<PyBytes>() {
            Ok(_) => Err(de::Error::invalid_type(Unexpected::Bytes(&[]), &visitor)),
            Err(_) => self.deserialize_any(visitor),
        }
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
        if let Ok(dict) = self.0.cast::<PyDict>() {
            let fields = Fields { dict: dict.iter(), current: None };
            return visitor.visit_enum(MapAccessDeserializer::new(fields));
        }
        match self.0.extract::<String>() {
            Ok(name) => visitor.visit_enum(name.into_deserializer()),
            Err(_) => refuse("this has to be str"),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// A list or a tuple, and how far it is read.
struct Items<'a, 'py>(&'a Bound<'py, PyAny>, usize);

impl<'de> SeqAccess<'de> for Items<'_, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.0.len().is_ok_and(|length| self.1 >= length) {
            return Ok(None);
        }
        let Ok(item) = self.0.get_item(self.1) else { return refuse("this cannot be read") };
        self.1 += 1;
        seed.deserialize(Input(&item)).map(Some)
    }
}

struct Fields<'py> {
    dict: BoundDictIterator<'py>,
    current: Option<(String, Bound<'py, PyAny>)>,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let Some((key, value)) = self.dict.next() else { return Ok(None) };
        let Ok(key) = key.extract::<String>() else { return refuse("a key here is not str") };
        let read = seed.deserialize(IntoDeserializer::<Error>::into_deserializer(&*key))?;
        self.current = Some((key, value));
        Ok(Some(read))
    }

    /// What is wrong with a value is said with its field.
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        let Some((key, value)) = self.current.take() else { return refuse("there is no value") };
        seed.deserialize(Input(&value))
            .map_err(|error| de::Error::custom(format_args!("{key}: {error}")))
    }
}
