//! One exchange, from which whoever waits can leave at any time: it changes nothing but its own
//! answer, and is dropped where it stands.

use super::answer::Answer;
use super::limits::Limits;
use super::runtime::Runtime;
use super::{connect, fault};
use crate::cancel::{Cancel, Left, cancelled};
use crate::error::{Error, Kind, Result};
use reqwest::header::{CONTENT_LENGTH, HeaderMap, SET_COOKIE, TRANSFER_ENCODING};
use reqwest::{Client, Method, Response};
use std::future::Future;
use std::time::{Duration, Instant};
use url::Url;

/// All header lines together, `name: value` and the line's end.
const MAX_HEADERS: usize = 64 << 10;

/// A checked request and what it may take.
pub(super) struct Exchange {
    pub(super) client: Client,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<Vec<u8>>,
    pub(super) limits: Limits,
    /// When it all has to be over, whatever the limits say.
    pub(super) deadline: Instant,
    /// How the host is reached, for messages.
    pub(super) via: &'static str,
}

/// An answer, and the rest of it where that is to be read as a stream.
pub(super) type Taken = (Answer, Option<(Response, Within)>);

/// Runs the exchange and waits for it: until it is done, cancelled, or late.
pub(super) fn run(runtime: &Runtime, exchange: Exchange, cancel: &Cancel) -> Result<Taken> {
    let host = exchange.host();
    let done = runtime.run(cancel, Some(exchange.deadline), exchange.perform());
    done.unwrap_or_else(|left| Err(late(left, &host)))
}

/// What is said of an exchange that was left.
pub(super) fn late(left: Left, host: &str) -> Error {
    match left {
        Left::Cancelled => cancelled(),
        Left::Late => fault::timed_out(host),
        Left::Broken => Error::new(Kind::Internal, "the request hit a bug"),
    }
}

impl Exchange {
    fn host(&self) -> String {
        self.url.host_str().unwrap_or_default().to_owned()
    }

    async fn perform(self) -> Result<Taken> {
        let host = self.host();
        let Exchange { client, method, url, headers, body, limits, via, .. } = self;
        let mut request = client.request(method, url.clone()).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let within = Within { timeout: limits.answer, host, via };
        let response = within.wait(connect::within(limits.connect, request.send())).await?;
        let mut answer = take_head(&response, url).ok_or_else(|| fault::malformed(&within.host))?;
        match limits.stream {
            // A redirect or a refusal is for us to look at.
            Some(timeout) if response.status().is_success() => {
                Ok((answer, Some((response, Within { timeout, ..within }))))
            }
            _ => {
                read_body(response, &mut answer, limits.body, &within).await?;
                Ok((answer, None))
            }
        }
    }
}

/// How long each step may take, and what is said of one that fails.
#[derive(Clone)]
pub(super) struct Within {
    pub(super) timeout: Duration,
    pub(super) host: String,
    /// How the host is reached, for messages.
    pub(super) via: &'static str,
}

impl Within {
    pub(super) async fn wait<T>(
        &self,
        step: impl Future<Output = reqwest::Result<T>>,
    ) -> Result<T> {
        let done = tokio::time::timeout(self.timeout, step).await;
        self.explain(done.map_err(|_| fault::timed_out(&self.host))?)
    }

    pub(super) fn explain<T>(&self, done: reqwest::Result<T>) -> Result<T> {
        done.map_err(|error| fault::describe(&error, &self.host, self.via))
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
        had_credential: false,
    })
}

/// Reads up to the limit; a longer body is cut and its connection dropped with the response.
async fn read_body(
    mut response: Response,
    answer: &mut Answer,
    most: usize,
    within: &Within,
) -> Result<()> {
    while let Some(chunk) = within.wait(response.chunk()).await? {
        let room = most - answer.body.len();
        answer.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            answer.is_cut = true;
            break;
        }
    }
    Ok(())
}
