//! One exchange on a thread of its own, so that whoever waits can leave at any time.
//!
//! reqwest's blocking calls end only by their own deadlines. The caller waits on a channel, looks
//! at its cancel token, and goes when it has to; the thread then finds that nobody listens, drops
//! what it has, and ends at its next deadline. It changes nothing but its own answer.

use super::answer::Answer;
use super::fault;
use crate::cancel::{Cancel, Left, cancelled, run_beside};
use crate::error::{Error, Kind, Result};
use reqwest::Method;
use reqwest::blocking::{Client, Response};
use reqwest::header::{CONTENT_LENGTH, HeaderMap, SET_COOKIE, TRANSFER_ENCODING};
use std::io::{ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use url::Url;

/// A body, after decoding.
const MAX_BODY: usize = 1 << 20;
/// All header lines together, `name: value` and the line's end.
const MAX_HEADERS: usize = 64 << 10;

/// A checked request and what it may take.
pub(super) struct Exchange {
    pub(super) client: Client,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
    /// Until the headers are there, and for each read of the body.
    pub(super) answer_timeout: Duration,
    /// When it all has to be over.
    pub(super) deadline: Instant,
    /// How the host is reached, for messages.
    pub(super) via: &'static str,
}

/// Runs the exchange and waits for it: until it is done, cancelled, or late.
pub(super) fn run(exchange: Exchange, cancel: &Cancel) -> Result<Answer> {
    let host = exchange.url.host_str().unwrap_or_default().to_owned();
    let deadline = exchange.deadline;
    let is_abandoned = Arc::new(AtomicBool::new(false));
    let seen_by_worker = Arc::clone(&is_abandoned);
    let work = move || exchange.perform(&seen_by_worker);
    run_beside("sessionkeeper-http", cancel, Some(deadline), work).unwrap_or_else(|left| {
        is_abandoned.store(true, Ordering::Relaxed);
        Err(match left {
            Left::Cancelled => cancelled(),
            Left::Late => fault::timed_out(&host),
            Left::Broken => Error::new(Kind::Internal, "the request hit a bug"),
        })
    })
}

impl Exchange {
    fn perform(self, is_abandoned: &AtomicBool) -> Result<Answer> {
        let Exchange { client, method, url, headers, body, answer_timeout, deadline, via } = self;
        let host = url.host_str().unwrap_or_default().to_owned();
        let left = deadline.saturating_duration_since(Instant::now());
        let mut request = client.request(method, url.clone()).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request
            .timeout(answer_timeout.min(left))
            .send()
            .map_err(|error| fault::describe(&error, &host, via))?;
        let mut answer = take_head(&response, url).ok_or_else(|| fault::malformed(&host))?;
        let is_over = || is_abandoned.load(Ordering::Relaxed) || Instant::now() >= deadline;
        read_body(response, &mut answer, &is_over).map_err(|error| match error {
            Some(error) => fault::describe(&error, &host, via),
            None => fault::timed_out(&host),
        })?;
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
    let is_cookie = |name: &reqwest::header::HeaderName| name == SET_COOKIE;
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
        had_bearer: false,
    })
}

/// Reads up to the cap; a longer body is cut and its connection dropped with the response.
/// Fails with `None` when `is_over` ends the reading.
fn read_body(
    mut response: Response,
    answer: &mut Answer,
    is_over: &dyn Fn() -> bool,
) -> std::result::Result<(), Option<std::io::Error>> {
    let mut chunk = [0; 16 << 10];
    loop {
        if is_over() {
            return Err(None);
        }
        let count = match response.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(Some(error)),
        };
        let room = MAX_BODY - answer.body.len();
        answer.body.extend_from_slice(&chunk[..count.min(room)]);
        if count > room {
            answer.is_cut = true;
            return Ok(());
        }
    }
}
