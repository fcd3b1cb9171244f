//! The client: one request, or a request and the redirects it leads to.
//!
//! Every address is checked against the provider's hosts before anything is sent to it. Redirects
//! are followed here and never by reqwest; `Authorization` stays with its origin, cookies go where
//! the jar's rules send them, and a body is never sent a second time.

use super::answer::Answer;
use super::request::{Request, secret_value};
use super::runtime::Runtime;
use super::settings::{Proxy, Settings};
use super::tls;
use super::worker::{self, Exchange};
use crate::cancel::Cancel;
use crate::clock::Clock;
use crate::cookies::Jar;
use crate::error::{Error, Kind, Result};
use crate::provider::{Hosts, is_loopback};
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, COOKIE, HeaderValue};
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use url::Url;

const MAX_REDIRECTS: usize = 5;
/// A warm connection is kept this long.
const IDLE: Duration = Duration::from_secs(60);

/// Makes requests. Cloning gives another handle on the same connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    /// For each operation, redirects and body included.
    total_timeout: Duration,
}

struct Inner {
    settings: Settings,
    proxy: Option<Url>,
    tls: rustls::ClientConfig,
    clock: Arc<dyn Clock>,
    /// Without a proxy, for loopback and for hosts with a fixed address.
    direct: OnceLock<reqwest::Client>,
    routed: OnceLock<reqwest::Client>,
    runtime: OnceLock<Runtime>,
}

impl Client {
    /// Checks the settings and reads the certificates; no thread is started yet.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self> {
        let inner = Inner {
            proxy: settings.proxy.url()?,
            tls: tls::configure(settings.ca_file.as_deref())?,
            settings: settings.clone(),
            clock,
            direct: OnceLock::new(),
            routed: OnceLock::new(),
            runtime: OnceLock::new(),
        };
        Ok(Client { inner: Arc::new(inner), total_timeout: settings.total_timeout })
    }

    /// The same connections, for operations that take no longer than `longest`.
    #[must_use]
    pub fn limited_to(&self, longest: Duration) -> Self {
        let total_timeout = self.total_timeout.min(longest);
        Client { inner: Arc::clone(&self.inner), total_timeout }
    }

    /// Sends one request and takes its answer's cookies into `jar`. A redirect is just an answer.
    ///
    /// What proves a deletion is the jar *before* the answer; a caller who needs it keeps a clone.
    pub fn exchange(
        &self,
        request: &Request,
        hosts: &Hosts,
        jar: &mut Jar,
        cancel: &Cancel,
    ) -> Result<Answer> {
        self.exchange_until(self.deadline(), request, hosts, jar, cancel)
    }

    /// Sends a request and follows up to five redirects within one total deadline.
    ///
    /// 301, 302 and 303 become a GET without a body. 307 and 308 would send the request again as it
    /// is, so they are refused for anything but GET and HEAD (RFC 9700 4.12). A redirect without a
    /// `Location` is returned as the answer it is.
    pub fn follow(
        &self,
        request: &Request,
        hosts: &Hosts,
        jar: &mut Jar,
        cancel: &Cancel,
    ) -> Result<Answer> {
        self.follow_telling(request, hosts, jar, cancel, &mut |_| ())
    }

    /// The same, and tells before each request what is in the jar by then.
    pub fn follow_telling(
        &self,
        request: &Request,
        hosts: &Hosts,
        jar: &mut Jar,
        cancel: &Cancel,
        tell: &mut dyn FnMut(&Jar),
    ) -> Result<Answer> {
        let deadline = self.deadline();
        let mut request = request.clone();
        for _ in 0..=MAX_REDIRECTS {
            tell(jar);
            let answer = self.exchange_until(deadline, &request, hosts, jar, cancel)?;
            if !answer.is_redirect() {
                return Ok(answer);
            }
            let Some(target) = answer.location() else { return Ok(answer) };
            redirect(&mut request, answer.status, target?, hosts)?;
        }
        let host = request.url.host_str().unwrap_or_default();
        Err(Error::new(Kind::UnexpectedAnswer, format!("{host} redirects without end")))
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.total_timeout
    }

    fn exchange_until(
        &self,
        deadline: Instant,
        request: &Request,
        hosts: &Hosts,
        jar: &mut Jar,
        cancel: &Cancel,
    ) -> Result<Answer> {
        cancel.check()?;
        hosts.check(&request.url)?;
        let url = &request.url;
        let method = request.checked_method()?;
        let mut headers = request.checked_headers()?;
        let cookies =
            if request.send_cookies { jar.header_for(url, &*self.inner.clock) } else { None };
        if let Some(cookies) = cookies {
            headers.insert(COOKIE, secret_value(cookies.expose())?);
        }
        let body = request.body.as_ref().map(|body| body.bytes.to_vec());
        if body.is_none() && [Method::POST, Method::PUT, Method::PATCH].contains(&method) {
            // Without a length some servers refuse these methods.
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let (client, via) = self.inner.route(url)?;
        let answer_timeout = self.inner.settings.answer_timeout;
        let url = url.clone();
        let mut answer = worker::run(
            self.inner.runtime()?,
            Exchange { client, method, url, headers, body, answer_timeout, deadline, via },
            cancel,
        )?;
        answer.had_bearer = request.bearer.is_some();
        if let (Some(date), "https", false) =
            (answer.date(), answer.url.scheme(), is_loopback(&answer.url))
        {
            self.inner.clock.observe(date);
        }
        if request.send_cookies {
            jar.store(&answer.url, &answer.set_cookies, answer.date(), hosts);
        }
        Ok(answer)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({:?})", self.inner.settings)
    }
}

/// Turns `request` into the one that a redirect asks for.
fn redirect(request: &mut Request, status: u16, target: Url, hosts: &Hosts) -> Result<()> {
    hosts.check(&target)?;
    let host = request.url.host_str().unwrap_or_default();
    if request.url.scheme() == "https" && target.scheme() != "https" {
        let message = format!("{host} redirects to an address without encryption");
        return Err(Error::new(Kind::HostNotAllowed, message));
    }
    let is_safe = matches!(request.method.as_str(), "GET" | "HEAD");
    if matches!(status, 307 | 308) && (!is_safe || request.body.is_some()) {
        let message = format!("{host} asks for the credentials to be sent somewhere else");
        return Err(Error::new(Kind::UnexpectedAnswer, message)
            .with_hint("This looks like an attack, so nothing was sent there."));
    }
    if !is_safe {
        "GET".clone_into(&mut request.method);
    }
    request.body = None;
    request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    if target.origin() != request.url.origin() {
        request.bearer = None;
    }
    request.url = target;
    Ok(())
}

impl Inner {
    /// The reqwest client for `url`, made when it is first needed, and how it reaches the host.
    fn route(&self, url: &Url) -> Result<(reqwest::Client, &'static str)> {
        let is_fixed =
            self.settings.resolve.iter().any(|r| Some(r.host.as_str()) == url.host_str());
        let is_direct = self.settings.proxy == Proxy::None || is_loopback(url) || is_fixed;
        let slot = if is_direct { &self.direct } else { &self.routed };
        let client = if let Some(client) = slot.get() {
            client.clone()
        } else {
            let built = self.build(is_direct)?;
            slot.get_or_init(|| built).clone()
        };
        let via = if !is_direct && self.proxy.is_some() { " through the proxy" } else { "" };
        Ok((client, via))
    }

    /// Started when it is first needed.
    fn runtime(&self) -> Result<&Runtime> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        let started = Runtime::start()?;
        Ok(self.runtime.get_or_init(|| started))
    }

    fn build(&self, is_direct: bool) -> Result<reqwest::Client> {
        let failed = |_| Error::new(Kind::Internal, "the HTTP client could not be set up");
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("Sessionkeeper/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(self.tls.clone())
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.settings.connect_timeout)
            .pool_idle_timeout(IDLE);
        for resolve in &self.settings.resolve {
            builder = builder.resolve(&resolve.host, resolve.address);
        }
        if is_direct {
            builder = builder.no_proxy();
        } else if let Some(proxy) = &self.proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy.clone()).map_err(failed)?);
        }
        builder.build().map_err(failed)
    }
}
