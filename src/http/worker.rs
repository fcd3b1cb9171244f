//! One exchange, from which whoever waits can leave at any time: it changes nothing but its own
//! answer, and is dropped where it stands.

use super::answer::Answer;
use super::fault;
use super::runtime::Runtime;
use crate::cancel::{Cancel, Left, cancelled};
use crate::error::{Error, Kind, Result};
use reqwest::header::{CONTENT_LENGTH, HeaderMap, SET_COOKIE, TRANSFER_ENCODING};
use reqwest::{Client, Method, Response};
use std::future::Future;
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
    /// Until the headers are there, and for each piece of the body.
    pub(super) answer_timeout: Duration,
    /// When it all has to be over.
    pub(super) deadline: Instant,
    /// How the host is reached, for messages.
    pub(super) via: &'static str,
}

/// Runs the exchange and waits for it: until it is done, cancelled, or late.
pub(super) fn run(runtime: &Runtime, exchange: Exchange, cancel: &Cancel) -> Result<Answer> {
    let host = exchange.host();
    runtime.run(cancel, exchange.deadline, exchange.perform()).unwrap_or_else(|left| {
        Err(match left {
            Left::Cancelled => cancelled(),
            Left::Late => fault::timed_out(&host),
            Left::Broken => Error::new(Kind::Internal, "the request hit a bug"),
        })
    })
}

impl Exchange {
    fn host(&self) -> String {
        self.url.host_str().unwrap_or_default().to_owned()
    }

    async fn perform(self) -> Result<Answer> {
        let host = self.host();
        let Exchange { client, method, url, headers, body, answer_timeout, via, .. } = self;
        let mut request = client.request(method, url.clone()).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let within = Within { timeout: answer_timeout, host: &host, via };
        let response = within.wait(request.send()).await?;
        let mut answer = take_head(&response, url).ok_or_else(|| fault::malformed(&host))?;
        read_body(response, &mut answer, &within).await?;
        Ok(answer)
    }
}

/// How long each step may take, and what is said of one that fails.
struct Within<'a> {
    timeout: Duration,
    host: &'a str,
    via: &'a str,
}

impl Within<'_> {
    async fn wait<T>(&self, step: impl Future<Output = reqwest::Result<T>>) -> Result<T> {
        let done = tokio::time::timeout(self.timeout, step).await;
        let done = done.map_err(|_| fault::timed_out(self.host))?;
        done.map_err(|error| fault::describe(&error, self.host, self.via))
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
async fn read_body(mut response: Response, answer: &mut Answer, within: &Within<'_>) -> Result<()> {
    while let Some(chunk) = within.wait(response.chunk()).await? {
        let room = MAX_BODY - answer.body.len();
        answer.body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            answer.is_cut = true;
            break;
        }
    }
    Ok(())
}
