//! One exchange: sends a request, reads the answer up to the limits, stops when cancelled or late.

use super::answer::Answer;
use super::fault;
use crate::cancel::{Cancel, cancelled};
use crate::error::Result;
use reqwest::header::{CONTENT_LENGTH, HeaderName, SET_COOKIE, TRANSFER_ENCODING};
use reqwest::{RequestBuilder, Response};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};
use tokio::task::yield_now;
use tokio::time::{timeout, timeout_at};
use url::Url;

/// A body, after decoding.
const MAX_BODY: usize = 1 << 20;
/// All header lines together, `name: value` and the line's end.
const MAX_HEADERS: usize = 64 << 10;

/// A checked request and what it may take.
pub(super) struct Exchange {
    pub(super) request: RequestBuilder,
    pub(super) url: Url,
    /// Until the headers are there, and for each read of the body.
    pub(super) answer_timeout: Duration,
    /// When it all has to be over.
    pub(super) deadline: Instant,
    /// How the host is reached, for messages.
    pub(super) via: &'static str,
}

impl Exchange {
    /// Runs until it is done, cancelled, or late.
    pub(super) async fn run(self, cancel: &Cancel) -> Result<Answer> {
        let host = self.url.host_str().unwrap_or_default().to_owned();
        let mut work = pin!(timeout_at(self.deadline.into(), self.perform(&host)));
        let mut stop = pin!(cancel.until_cancelled());
        poll_fn(|context| match stop.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(cancelled())),
            Poll::Pending => work.as_mut().poll(context).map(|done| match done {
                Ok(answer) => answer,
                Err(_) => Err(fault::timed_out(&host)),
            }),
        })
        .await
    }

    async fn perform(self, host: &str) -> Result<Answer> {
        // Nobody looked at the idle connections since the last exchange. The first round takes in
        // what happened to them, the second lets them act on it: one that the server has closed is
        // not used again.
        yield_now().await;
        yield_now().await;
        let failed = |error: reqwest::Error| fault::describe(&error, host, self.via);
        let late = |_| fault::timed_out(host);
        let sent = timeout(self.answer_timeout, self.request.send()).await.map_err(late)?;
        let mut response = sent.map_err(failed)?;
        let mut answer = take_head(&response, self.url).ok_or_else(|| fault::malformed(host))?;
        while let Some(chunk) =
            timeout(self.answer_timeout, response.chunk()).await.map_err(late)?.map_err(failed)?
        {
            let room = MAX_BODY - answer.body.len();
            answer.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                // Its connection goes with the response.
                answer.is_cut = true;
                break;
            }
        }
        Ok(answer)
    }
}

/// The answer without its body; `None` when the headers are too large or contradict each other.
fn take_head(response: &Response, url: Url) -> Option<Answer> {
    let headers = response.headers();
    let size: usize =
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    // Two lengths for one body are how answers are smuggled (RFC 9112 6.3).
    let is_ambiguous =
        headers.contains_key(CONTENT_LENGTH) && headers.contains_key(TRANSFER_ENCODING);
    if size > MAX_HEADERS || is_ambiguous {
        return None;
    }
    let is_cookie = |name: &HeaderName| name == SET_COOKIE;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(Answer {
        status: response.status().as_u16(),
        url,
        headers: headers
            .iter()
            .filter(|(name, _)| !is_cookie(name))
            .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
            .collect(),
        // A value that is not UTF-8 could not be sent back as it came, so it is left out.
        set_cookies: headers
            .get_all(SET_COOKIE)
            .iter()
            .filter_map(|value| String::from_utf8(value.as_bytes().to_vec()).ok())
            .collect(),
        body: Vec::new(),
        is_cut: false,
    })
}
