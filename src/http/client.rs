//! The client: one request, or a request and the redirects it leads to.
//!
//! Every address is checked against the provider's hosts before anything is sent to it. Redirects
//! are followed here and never by reqwest; `Authorization` stays with its origin, cookies go where
//! the jar's rules send them, and a body is sent a second time only to its own origin, where the
//! request says that it may be.

use super::answer::Answer;
use super::connect;
use super::limits::Limits;
use super::request::{Request, secret_value};
use super::runtime::Runtime;
use super::settings::{Proxy, Settings};
use super::stream::Stream;
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
use tower::util::MapFutureLayer;
use url::Url;

const MAX_REDIRECTS: usize = 5;
/// A warm connection is kept this long.
const IDLE: Duration = Duration::from_secs(60);

/// Makes requests. Cloning gives another handle on the same connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    /// For each operation.
    limits: Limits,
}

struct Inner {
    settings: Settings,
    proxy: Option<Url>,
    tls: rustls::ClientConfig,
    clock: Arc<dyn Clock>,
    /// Without a proxy, for loopback and for hosts with a fixed address.
    direct: OnceLock<reqwest::Client>,
    routed: OnceLock<reqwest::Client>,
    runtime: OnceLock<Arc<Runtime>>,
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
        Ok(Client { inner: Arc::new(inner), limits: Limits::of(settings) })
    }

    /// The same connections, for operations that take no longer than `longest`.
    #[must_use]
    pub fn limited_to(&self, longest: Duration) -> Self {
        self.with_limits(Limits { total: self.limits.total.min(longest), ..self.limits })
    }

    /// The same connections, for operations with these limits.
    #[must_use]
    pub fn with_limits(&self, limits: Limits) -> Self {
        Client { inner: Arc::clone(&self.inner), limits }
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
        self.send(request, false, hosts, jar, cancel).map(|(answer, _)| answer)
    }

    /// `follow` or `exchange`, and the rest of the answer where the limits ask for a stream.
    pub fn send(
        &self,
        request: &Request,
        follows: bool,
        hosts: &Hosts,
        jar: &mut Jar,
        cancel: &Cancel,
    ) -> Result<(Answer, Option<Stream>)> {
        if follows {
            return self.follow_until(self.deadline(), request, hosts, jar, cancel, &mut |_| ());
        }
        self.exchange_until(self.deadline(), request, hosts, jar, cancel)
    }

    /// Sends a request and follows up to five redirects within one total deadline.
    ///
    /// 301, 302 and 303 become a GET without a body. 307 and 308 would send the request again as it
    /// is, so for anything but GET and HEAD they are refused (RFC 9700 4.12), unless the request may
    /// be repeated and stays with its origin. A redirect without a `Location` is returned as the
    /// answer it is.
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
        let followed = self.follow_until(self.deadline(), request, hosts, jar, cancel, tell);
        followed.map(|(answer, _)| answer)
    }

    fn follow_until(
        &self,
        deadline: Instant,
        request: &Request,
        hosts: &Hosts,
        jar: &mut Jar,
        cancel: &Cancel,
        tell: &mut dyn FnMut(&Jar),
    ) -> Result<(Answer, Option<Stream>)> {
        let mut request = request.clone();
        for _ in 0..=MAX_REDIRECTS {
            tell(jar);
            let taken = self.exchange_until(deadline, &request, hosts, jar, cancel)?;
            let answer = &taken.0;
            let target = if answer.is_redirect() { answer.location() } else { None };
            let Some(target) = target else { return Ok(taken) };
            redirect(&mut request, answer.status, target?, hosts)?;
        }
        let host = request.url.host_str().unwrap_or_default();
        Err(Error::new(Kind::UnexpectedAnswer, format!("{host} redirects without end")))
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.limits.total
    }

    fn exchange_until(
        &self,
        deadline: Instant,
        request: &Request,
        hosts: &Hosts,
        jar: &mut Jar,
        cancel: &Cancel,
    ) -> Result<(Answer, Option<Stream>)> {
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
        let (url, limits) = (url.clone(), self.limits);
        let runtime = self.inner.runtime()?;
        let exchange = Exchange { client, method, url, headers, body, limits, deadline, via };
        let (mut answer, rest) = worker::run(runtime, exchange, cancel)?;
        let rest =
            rest.map(|(response, within)| Stream::new(response, within, Arc::clone(runtime)));
        answer.had_bearer = request.bearer.is_some();
        // RFC 9111 section 5.1: "The presence of an Age header field implies that the response was
        // not generated or validated by the origin server for this request".
        let is_fresh = answer.header("age").is_none();
        if let (Some(date), "https", false, true) =
            (answer.date(), answer.url.scheme(), is_loopback(&answer.url), is_fresh)
        {
            self.inner.clock.observe(date);
        }
        if request.send_cookies {
            jar.store(&answer.url, &answer.set_cookies, answer.date(), hosts);
        }
        Ok((answer, rest))
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
    let is_same_origin = target.origin() == request.url.origin();
    if matches!(status, 307 | 308) && (!is_safe || request.body.is_some()) {
        if is_same_origin && request.may_repeat {
            request.url = target;
            return Ok(());
        }
        let mut to = target;
        to.set_query(None);
        to.set_fragment(None);
        let message =
            format!("{host} redirects a {} to {to}, and it was not sent there", request.method);
        return Err(Error::new(Kind::UnexpectedAnswer, message).with_hint(
            "What it holds is for the first address. Name the new one, if that is right.",
        ));
    }
    if !is_safe {
        "GET".clone_into(&mut request.method);
    }
    request.body = None;
    request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    if !is_same_origin {
        request.bearer = None;
        request.basic = None;
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
    fn runtime(&self) -> Result<&Arc<Runtime>> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        let started = Arc::new(Runtime::start()?);
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
            .connector_layer(MapFutureLayer::new(connect::open))
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
