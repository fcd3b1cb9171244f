//! The thread on which a client's connections live. It ends with the client, and they with it; and
//! an exchange that nobody waits for any more is dropped at once, with its connection.

use crate::cancel::{Cancel, Left, await_result};
use crate::error::{Error, Kind, Result};
use std::future::Future;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

pub(super) struct Runtime {
    handle: Handle,
    /// The thread ends when this is dropped.
    _stop: oneshot::Sender<()>,
}

impl Runtime {
    pub(super) fn start() -> Result<Self> {
        let failed = |_| {
            Error::new(Kind::Internal, "no thread could be started")
                .with_hint("The system is out of memory or threads.")
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let body = move || {
            let _ = runtime.block_on(stopped);
            // Not waiting for a name that is being looked up.
            runtime.shutdown_background();
        };
        thread::Builder::new().name("sessionkeeper-http".into()).spawn(body).map_err(failed)?;
        Ok(Runtime { handle, _stop: stop })
    }

    /// Runs `work` and waits for it; it is dropped when the caller leaves.
    pub(super) fn run<T: Send + 'static>(
        &self,
        cancel: &Cancel,
        deadline: Option<Instant>,
        work: impl Future<Output = T> + Send + 'static,
    ) -> std::result::Result<T, Left> {
        self.spawn(work).wait(cancel, deadline)
    }

    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Work<T> {
        let (sender, result) = mpsc::sync_channel(1);
        let task = self.handle.spawn(async move { drop(sender.send(work.await)) });
        Work { result, _abort: AbortOnDrop(task.abort_handle()) }
    }
}

/// Work under way, until this is dropped.
pub(super) struct Work<T> {
    result: Receiver<T>,
    _abort: AbortOnDrop,
}

impl<T> Work<T> {
    /// May be waited for again after the deadline.
    pub(super) fn wait(
        &self,
        cancel: &Cancel,
        deadline: Option<Instant>,
    ) -> std::result::Result<T, Left> {
        await_result(&self.result, cancel, deadline)
    }
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
