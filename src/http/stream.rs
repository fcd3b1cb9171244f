//! An answer's body that is read piece by piece: nothing is read ahead of whoever reads, and it is
//! given back, with its connection, when it is dropped.

use super::runtime::Runtime;
use super::worker::{Within, late};
use crate::cancel::{Cancel, Left};
use crate::error::{Error, Result};
use reqwest::Response;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

/// So long a piece waits for more that is on its way, to be worth its journey.
const GATHERING: Duration = Duration::from_millis(5);

/// A body that nobody has read yet, or not to its end.
pub struct Stream {
    unread: Arc<Mutex<Unread>>,
    within: Within,
    /// Where the connection lives.
    runtime: Arc<Runtime>,
}

struct Unread {
    response: Response,
    /// What came after the last piece instead of more.
    failure: Option<Error>,
    is_done: bool,
}

/// A part of a body.
pub struct Piece {
    pub bytes: Vec<u8>,
    /// True when nothing comes after it.
    pub is_last: bool,
}

impl Stream {
    pub(super) fn new(response: Response, within: Within, runtime: Arc<Runtime>) -> Self {
        let unread = Unread { response, failure: None, is_done: false };
        Stream { unread: Arc::new(Mutex::new(unread)), within, runtime }
    }

    /// Waits for what comes next, and gives about `most` bytes of it. What a failed read had got is
    /// lost, so the body ends with it. While it waits, `look` is called so often; it can cancel.
    pub fn read(
        &self,
        most: usize,
        cancel: &Cancel,
        often: Duration,
        look: &dyn Fn(),
    ) -> Result<Piece> {
        let (unread, within) = (Arc::clone(&self.unread), self.within.clone());
        let reading = async move { unread.lock().await.next(&within, most).await };
        let reading = self.runtime.spawn(reading);
        loop {
            match reading.wait(cancel, Some(std::time::Instant::now() + often)) {
                Err(Left::Late) => look(),
                read => return read.unwrap_or_else(|left| Err(late(left, &self.within.host))),
            }
        }
    }
}

impl Unread {
    async fn next(&mut self, within: &Within, most: usize) -> Result<Piece> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let mut bytes = Vec::new();
        if !self.is_done {
            match within.wait(self.response.chunk()).await? {
                Some(chunk) => bytes.extend_from_slice(&chunk),
                None => self.is_done = true,
            }
        }
        let until = Instant::now() + GATHERING;
        while !self.is_done && bytes.len() < most {
            let Ok(chunk) = timeout_at(until, self.response.chunk()).await else { break };
            match within.explain(chunk) {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => self.is_done = true,
                Err(error) => {
                    self.failure = Some(error);
                    break;
                }
            }
        }
        Ok(Piece { bytes, is_last: self.is_done })
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stream({})", self.within.host)
    }
}
