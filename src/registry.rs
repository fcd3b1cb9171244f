//! The keepers and operations of this process, by number: what every front works with.
//!
//! No call waits for longer than `SLICE`, and none panics.

use crate::command::{Command, Reply};
use crate::error::{Error, Kind, Result};
use crate::keeper::{Config, Keeper};
use crate::open_options::OpenOptions;
use crate::operation::{Operations, catch_panics};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A host that waits in here notices nothing else meanwhile.
const SLICE: Duration = Duration::from_millis(100);

/// Handles are places in this list plus one. It grows by one for each *different* configuration.
static KEEPERS: Mutex<Vec<(Config, Arc<Keeper>)>> = Mutex::new(Vec::new());
static OPERATIONS: LazyLock<Operations<Reply>> = LazyLock::new(Operations::default);

/// How far a command is.
pub enum Progress {
    Done(Reply),
    /// The handle to poll.
    Running(u64),
}

/// Gives the handle of a keeper; the same options give the same handle.
pub fn open(options: OpenOptions) -> Result<u64> {
    catch_panics(|| {
        let config = options.config()?;
        let mut keepers = KEEPERS.lock().unwrap_or_else(PoisonError::into_inner);
        let known = keepers.iter().position(|(known, _)| *known == config);
        let place = if let Some(place) = known {
            keepers[place].1.configure_log(config.log_level, config.log_to_terminal);
            place
        } else {
            let keeper = Keeper::open(config.clone())?;
            keepers.push((config, Arc::new(keeper)));
            keepers.len() - 1
        };
        Ok(place as u64 + 1)
    })
}

/// Begins a command, and waits a slice for its result.
pub fn start(keeper: u64, command: Command) -> Result<Progress> {
    let keeper = find(keeper)?;
    let began = Instant::now();
    let at_once = catch_panics(|| Ok(keeper.logged(|| command.at_once(&keeper))))?;
    if let Some(result) = at_once {
        return result.map(Progress::Done);
    }
    let operation =
        OPERATIONS.start(move |cancel| keeper.logged(|| command.run(&keeper, cancel)))?;
    poll(operation, SLICE.saturating_sub(began.elapsed()))
}

/// Waits for an operation, a slice at most. Its handle is gone with its result.
pub fn poll(operation: u64, wait: Duration) -> Result<Progress> {
    let polled = OPERATIONS.poll(operation, wait.min(SLICE))?;
    Ok(polled.map_or(Progress::Running(operation), Progress::Done))
}

/// Asks an operation to end; its result still has to be polled for.
pub fn cancel(operation: u64) {
    OPERATIONS.cancel(operation);
}

fn find(handle: u64) -> Result<Arc<Keeper>> {
    let keepers = KEEPERS.lock().unwrap_or_else(PoisonError::into_inner);
    usize::try_from(handle)
        .ok()
        .and_then(|handle| keepers.get(handle.checked_sub(1)?))
        .map(|(_, keeper)| Arc::clone(keeper))
        .ok_or_else(|| Error::new(Kind::InvalidInput, "there is no such keeper"))
}
