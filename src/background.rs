//! Work on a thread of its own, for callers that must be able to leave before it ends.
//!
//! The work then runs on by itself; nobody takes its result.

use crate::error::{Error, Kind, Result};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread::Builder;
use std::time::Duration;

/// How soon a caller leaves.
const SLICE: Duration = Duration::from_millis(20);

/// Runs `work` and waits for it, as long as `may_wait` agrees. Its error is the caller's.
pub fn run<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
    may_wait: impl Fn() -> Result<()>,
) -> Result<T> {
    let (sender, receiver) = sync_channel(1);
    let body = move || {
        // That nobody is waiting any more is no error.
        let _ = sender.send(work());
    };
    Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|_| Error::new(Kind::Internal, "no thread could be started"))?;
    loop {
        match receiver.recv_timeout(SLICE) {
            Ok(result) => return result,
            Err(RecvTimeoutError::Timeout) => may_wait()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::new(Kind::Internal, "the operation failed inside"));
            }
        }
    }
}
