//! The boundary: a few plain functions, plain data in and out. The only file that names pyo3.
//!
//! Kodi makes a new interpreter for each invocation, and PyO3 does not promise to work in several; it
//! does for plain functions. So: no classes, no exceptions, no sub-modules, no Python object in a
//! static, none used from a Rust thread. Errors are returned as data; Python makes the exceptions.
//! No function keeps the GIL while it waits, nor waits for longer than 100 ms.

use crate::error::{Error, Kind, Result};
use crate::keeper::{Config, Keeper};
use crate::operation::{Operations, Poll};
use crate::plain::{Dict, Plain, dict};
use crate::{catalogue, verb};
use log::Level;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString};
use serde_json::Value;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

const LONGEST_SLICE: u64 = 100;

/// Handles are places in this list plus one. It grows by one for each *different* configuration.
static KEEPERS: Mutex<Vec<(Config, Arc<Keeper>)>> = Mutex::new(Vec::new());
static OPERATIONS: LazyLock<Operations<Plain>> = LazyLock::new(Operations::new);

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(version, module)?)?;
    module.add_function(wrap_pyfunction!(open, module)?)?;
    module.add_function(wrap_pyfunction!(start, module)?)?;
    module.add_function(wrap_pyfunction!(poll, module)?)?;
    module.add_function(wrap_pyfunction!(cancel, module)?)?;
    module.add_function(wrap_pyfunction!(take_log, module)?)?;
    module.add_function(wrap_pyfunction!(take_events, module)?)?;
    module.add_function(wrap_pyfunction!(check_provider, module)?)?;
    module.add_function(wrap_pyfunction!(qr, module)?)?;
    module.add_function(wrap_pyfunction!(providers, module)?)
}

#[pyfunction]
fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

#[pyfunction]
fn open<'py>(py: Python<'py>, config: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyAny>> {
    let opened = dict_from(config).and_then(|given| py.detach(|| shielded(|| open_keeper(given))));
    answer(py, opened.map(|handle| dict([("keeper", Plain::Int(handle))])))
}

#[pyfunction]
fn start<'py>(
    py: Python<'py>,
    keeper: i64,
    verb: String,
    arguments: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let started = dict_from(arguments).and_then(|given| {
        py.detach(|| {
            shielded(|| {
                let keeper = find(keeper)?;
                OPERATIONS
                    .start(move |cancel| keeper.logged(|| verb::run(&keeper, &verb, given, cancel)))
            })
        })
    });
    let handle = started.and_then(|handle| {
        i64::try_from(handle).map_err(|_| Error::new(Kind::Internal, "out of handles"))
    });
    answer(py, handle.map(|handle| dict([("operation", Plain::Int(handle))])))
}

#[pyfunction]
fn poll(py: Python<'_>, operation: u64, wait_ms: u64) -> PyResult<Bound<'_, PyAny>> {
    let slice = Duration::from_millis(wait_ms.min(LONGEST_SLICE));
    let polled = py.detach(|| shielded(|| OPERATIONS.poll(operation, slice)));
    match polled {
        Ok(Poll::Running) => Ok(py.None().into_bound(py)),
        Ok(Poll::Done(result)) => answer(py, result.map(|value| dict([("value", value)]))),
        Err(error) => answer(py, Err(error)),
    }
}

#[pyfunction]
fn cancel(py: Python<'_>, operation: u64) {
    py.detach(|| OPERATIONS.cancel(operation));
}

#[pyfunction]
fn take_log(py: Python<'_>, keeper: i64) -> PyResult<Bound<'_, PyAny>> {
    let lines = py.detach(|| shielded(|| Ok(find(keeper)?.take_log())));
    let line = |(level, text): (Level, String)| {
        Plain::List(vec![Plain::Int(level_number(level)), Plain::Text(text)])
    };
    to_python(py, Plain::List(lines.unwrap_or_default().into_iter().map(line).collect()))
}

#[pyfunction]
fn take_events(py: Python<'_>, keeper: i64, after: i64) -> PyResult<Bound<'_, PyAny>> {
    let events = py.detach(|| {
        shielded(|| {
            let keeper = find(keeper)?;
            if after < 0 {
                let newest = ("seq", Plain::Int(keeper.newest_event()));
                return Ok(Plain::List(vec![dict([
                    newest,
                    ("event", Plain::Text(String::new())),
                ])]));
            }
            Plain::of(&keeper.events_after(after))
        })
    });
    to_python(py, events.unwrap_or(Plain::List(Vec::new())))
}

#[pyfunction]
fn providers(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let list = py.detach(|| shielded(|| Plain::of(&catalogue::providers()?.providers)));
    to_python(py, list.unwrap_or(Plain::List(Vec::new())))
}

#[pyfunction]
fn check_provider<'py>(
    py: Python<'py>,
    definition: &Bound<'py, PyAny>,
    parameters: &Bound<'py, PyDict>,
) -> PyResult<Bound<'py, PyAny>> {
    let checked = dict_from(parameters).and_then(|given| {
        let mut given = Dict(BTreeMap::from([("parameters".to_owned(), Plain::Dict(given))]));
        let given = given.dict_of_texts("parameters")?;
        let definition = definition_from(definition);
        py.detach(|| shielded(|| Plain::of(&catalogue::check(definition, &given))))
    });
    answer(py, checked)
}

#[pyfunction]
fn qr<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let rows = py.detach(|| shielded(|| Plain::of(&catalogue::qr(text))));
    to_python(py, rows.unwrap_or(Plain::List(Vec::new())))
}

fn open_keeper(given: Dict) -> Result<i64> {
    let config = verb::config(given)?;
    let mut keepers = KEEPERS.lock().unwrap_or_else(PoisonError::into_inner);
    let place = keepers.iter().position(|(known, _)| *known == config);
    let place = if let Some(place) = place {
        keepers[place].1.configure_log(config.log_level, config.log_to_terminal);
        place
    } else {
        let keeper = Keeper::open(config.clone())?;
        keepers.push((config, Arc::new(keeper)));
        keepers.len() - 1
    };
    i64::try_from(place + 1).map_err(|_| Error::new(Kind::Internal, "out of handles"))
}

fn find(handle: i64) -> Result<Arc<Keeper>> {
    let keepers = KEEPERS.lock().unwrap_or_else(PoisonError::into_inner);
    usize::try_from(handle - 1)
        .ok()
        .and_then(|place| keepers.get(place))
        .map(|(_, keeper)| Arc::clone(keeper))
        .ok_or_else(|| Error::new(Kind::InvalidInput, "there is no such keeper"))
}

/// A panic is a bug, and must not end Kodi.
fn shielded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::new(Kind::Internal, "the call failed inside")))
}

fn answer(py: Python<'_>, result: Result<Plain>) -> PyResult<Bound<'_, PyAny>> {
    to_python(py, result.unwrap_or_else(|error| verb::error(&error)))
}

/// As Python's `logging` orders them.
fn level_number(level: Level) -> i64 {
    match level {
        Level::Error => 3,
        Level::Warn => 2,
        Level::Info => 1,
        Level::Debug | Level::Trace => 0,
    }
}

fn dict_from(dict: &Bound<'_, PyDict>) -> Result<Dict> {
    let mut out = BTreeMap::new();
    for (key, value) in dict.iter() {
        let key: String =
            key.extract().map_err(|_| Error::new(Kind::InvalidInput, "the keys have to be str"))?;
        let value = from_python(&value).ok_or_else(|| {
            Error::new(Kind::InvalidInput, format!("'{key}' is of a type that is not taken here"))
        })?;
        out.insert(key, value);
    }
    Ok(Dict(out))
}

fn from_python(value: &Bound<'_, PyAny>) -> Option<Plain> {
    if value.is_none() {
        return Some(Plain::None);
    }
    if let Ok(flag) = value.cast::<PyBool>() {
        return Some(Plain::Bool(flag.is_true()));
    }
    if value.is_instance_of::<PyInt>() {
        return value.extract().ok().map(Plain::Int);
    }
    if value.is_instance_of::<PyFloat>() {
        return value.extract().ok().map(Plain::Float);
    }
    if value.is_instance_of::<PyString>() {
        return value.extract().ok().map(Plain::Text);
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Some(Plain::Bytes(bytes.as_bytes().to_vec()));
    }
    if let Ok(list) = value.cast::<PyList>() {
        return list.iter().map(|item| from_python(&item)).collect::<Option<_>>().map(Plain::List);
    }
    if let Ok(dict) = value.cast::<PyDict>() {
        return dict_from(dict).ok().map(Plain::Dict);
    }
    None
}

/// A definition, in which what cannot be there is null: the check names the key that holds it.
fn definition_from(value: &Bound<'_, PyAny>) -> Value {
    if let Ok(table) = value.cast::<PyDict>() {
        let pair =
            |(key, value): (Bound<'_, _>, Bound<'_, _>)| (key.to_string(), definition_from(&value));
        return table.iter().map(pair).collect();
    }
    if let Ok(items) = value.cast::<PyList>() {
        return items.iter().map(|item| definition_from(&item)).collect();
    }
    from_python(value).map_or(Value::Null, Value::from)
}

fn to_python(py: Python<'_>, value: Plain) -> PyResult<Bound<'_, PyAny>> {
    Ok(match value {
        Plain::None => py.None().into_bound(py),
        Plain::Bool(flag) => PyBool::new(py, flag).to_owned().into_any(),
        Plain::Int(number) => PyInt::new(py, number).into_any(),
        Plain::Float(number) => PyFloat::new(py, number).into_any(),
        Plain::Text(text) => PyString::new(py, &text).into_any(),
        Plain::Bytes(bytes) => PyBytes::new(py, &bytes).into_any(),
        Plain::List(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_python(py, item)?)?;
            }
            list.into_any()
        }
        Plain::Dict(mut map) => {
            let dict = PyDict::new(py);
            for (key, item) in std::mem::take(&mut map.0) {
                dict.set_item(key, to_python(py, item)?)?;
            }
            dict.into_any()
        }
    })
}
