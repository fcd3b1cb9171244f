//! The server as a service with a login form and cookies: the Angel Studios login in its bare
//! outline.

use crate::fixture::{Device, clock};
use crate::server::{Seen, Server, Step, Steps, answer};
use base64::Engine;
use sessionkeeper::cancel::Cancel;
use sessionkeeper::clock::{Clock, HeldClock};
use sessionkeeper::error::Result;
use sessionkeeper::keeper::{Keeper, State, Status};
use sessionkeeper::provider::Provider;
use sessionkeeper::secret::Secret;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

/// The four cookies and their lifetimes, as Angel Studios sets them.
pub const COOKIES: [(&str, u32); 4] =
    [("jwt_v2", 86_400), ("session_v2", 86_400), ("inner", 86_400), ("remember", 15_552_000)];

pub struct Service {
    server: Server,
    site: Arc<Site>,
}

impl Deref for Service {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

struct Site {
    clock: Arc<HeldClock>,
    live: Mutex<Vec<u32>>,
    last: AtomicU32,
    is_ageless: AtomicBool,
    /// The session whose logout the server cannot cope with.
    indigestible: AtomicU32,
}

/// A service, and a device that is logged in there.
pub fn signed_in() -> (Service, Device) {
    let service = Service::start();
    let device = service.device();
    log_in(&device);
    (service, device)
}

/// Logs in with the service's one password.
pub fn log_in(keeper: &Keeper) {
    assert_eq!(try_log_in(keeper, &Cancel::new()).unwrap().state, State::SignedIn);
}

pub fn try_log_in(keeper: &Keeper, cancel: &Cancel) -> Result<Status> {
    keeper.log_in("viewer@example.com", &Secret::new("pässwörd"), cancel)
}

impl Service {
    pub fn start() -> Self {
        let (clock, is_ageless) = (clock(), AtomicBool::new(false));
        let (live, last, indigestible) = (Mutex::default(), AtomicU32::new(0), AtomicU32::new(0));
        let site = Arc::new(Site { clock, live, last, is_ageless, indigestible });
        let shared = Arc::clone(&site);
        Service { server: Server::start(move |seen| shared.answer(seen)), site }
    }

    /// From now on the session's cookies have no end, and a bystander has one in ten minutes.
    pub fn set_ageless_cookies(&self) {
        self.site.is_ageless.store(true, Ordering::SeqCst);
    }

    /// Renewals that the server answered with fresh cookies.
    pub fn renewals(&self) -> usize {
        self.requests("/login").iter().filter(|seen| seen.header("cookie").is_some()).count()
    }

    /// Sessions that the server takes to be alive.
    pub fn live_sessions(&self) -> usize {
        self.site.live.lock().unwrap().len()
    }

    /// From now on the logout of the oldest living session ends in an error of the server.
    pub fn choke_on_the_oldest(&self) {
        let oldest = self.site.live.lock().unwrap()[0];
        self.site.indigestible.store(oldest, Ordering::SeqCst);
    }

    /// The sessions end at the server, as if somebody else had ended them.
    pub fn end_all(&self) {
        self.site.live.lock().unwrap().clear();
    }

    /// The newest session ends at the server.
    pub fn end_newest(&self) {
        self.site.live.lock().unwrap().pop();
    }

    /// A device whose clock the service goes by as well.
    pub fn device(&self) -> Device {
        self.device_with(|text| text)
    }

    /// The device whose directory this is already.
    pub fn device_at(&self, directory: &std::path::Path) -> Device {
        Device::at(directory, self.device().provider().clone(), &self.site.clock)
    }

    /// The same, with a definition made elsewhere.
    pub fn device_of(&self, provider: Provider) -> Device {
        Device::new(provider, &self.site.clock)
    }

    /// The same, with another provider file.
    pub fn device_with(&self, change: impl Fn(String) -> String) -> Device {
        Device::new(self.provider_with(change), &self.site.clock)
    }

    /// Its provider file, changed.
    pub fn provider_with(&self, change: impl Fn(String) -> String) -> Provider {
        let text = include_str!("service.toml").replace("PORT", &self.port().to_string());
        Provider::parse(&change(text), None).unwrap()
    }
}

impl Site {
    fn answer(&self, seen: &Seen) -> Steps {
        let number = session_of(seen);
        let alive = number.filter(|number| self.live.lock().unwrap().contains(number));
        let page = |body: &str, headers: &str| answer("200 OK", headers, body);
        let bytes = match (seen.path.as_str(), alive) {
            ("/login", Some(number)) => page("<p>welcome back</p>", &self.cookies(number)),
            ("/login", None) => page("<input type=hidden name=state id=state value='s1'>", ""),
            ("/password", _) => {
                page("<input name=state value=s2><input name=_csrf_token value='c&amp;1'>", "")
            }
            ("/u/login", _) if is_granted(seen) => {
                let number = self.last.fetch_add(1, Ordering::SeqCst) + 1;
                self.live.lock().unwrap().push(number);
                answer("302 Found", &format!("Location: /done\n{}", self.cookies(number)), "")
            }
            ("/u/login", _) => page("<p class='note error-message'>no</p>", ""),
            ("/done", _) => page("<p>welcome</p>", ""),
            ("/me", Some(_)) => page("{\"me\": 1}", ""),
            ("/me", None) => answer("401 Unauthorized", "", ""),
            ("/logout", Some(one)) if one == self.indigestible.load(Ordering::SeqCst) => {
                answer("500 Internal Server Error", "", "")
            }
            ("/logout", _) => {
                self.live.lock().unwrap().retain(|live| Some(*live) != number);
                good_logout()
            }
            _ => answer("404 Not Found", "", ""),
        };
        vec![Step::Send(bytes)]
    }

    /// Cookies that carry the session's number; the token is a JWT with the account in it.
    fn cookies(&self, number: u32) -> String {
        let ends = self.clock.now() + 86_400;
        let claims = format!(
            "{{\"sub\":\"acc-1\",\"email\":\"zoë@例え.jp\",\"exp\":{ends},\"n\":{number},\"i\":{}}}",
            self.last.fetch_add(1, Ordering::SeqCst)
        );
        let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
        let is_ageless = self.is_ageless.load(Ordering::SeqCst);
        let cookies = COOKIES.map(|(name, age)| {
            let value = match name {
                "jwt_v2" => format!("e30.{payload}.s"),
                _ => format!("{number}-{name}-canary"),
            };
            let age = if is_ageless { String::new() } else { format!("Max-Age={age}; ") };
            format!("Set-Cookie: {name}={value}; Path=/; {age}Secure; HttpOnly")
        });
        let bystander =
            if is_ageless { "\nSet-Cookie: bot_check=1; Path=/; Max-Age=600" } else { "" };
        cookies.join("\n") + bystander
    }
}

fn is_granted(seen: &Seen) -> bool {
    seen.form.get("password").is_some_and(|password| password == "pässwörd")
        && seen.form.get("_csrf_token").is_some_and(|token| token == "c&1")
}

fn session_of(seen: &Seen) -> Option<u32> {
    let mut pairs = seen.header("cookie")?.split("; ");
    pairs.find_map(|pair| pair.strip_prefix("remember="))?.split('-').next()?.parse().ok()
}

/// The provider file without a way to renew.
pub fn without_renewal(text: &str) -> String {
    let (from, to) = (text.find("[renew]").unwrap(), text.find("[[logout.steps]]").unwrap());
    format!("{}{}", &text[..from], &text[to..])
}

/// The provider file without a proof for its logout.
pub fn without_proof(text: &str) -> &str {
    &text[..text.find("[logout.steps.proof]").unwrap()]
}

/// The provider file, with a logout that only a renewal proves.
pub fn proved_by_renewal(text: &str) -> String {
    format!("{}\n[logout.probe]\nflow = \"renew\"\n", without_proof(text))
}

/// What makes a request to `url` the probe of a logout.
pub fn probe(url: impl std::fmt::Display) -> String {
    format!("\n[logout.probe]\nflow = \"request\"\nurl = \"{url}\"\nrefused_status = [401]\n")
}

/// What makes the service list the account's sessions at `/sessions`.
pub fn session_list(service: &Service) -> String {
    let base = format!("http://{}/sessions", service.authority());
    format!(
        "\n[everywhere]\nflow = \"list\"\nurl = \"{base}\"\nsessions = \"/all\"\n\
         current = \"/here\"\nend_url = \"{base}/{{id}}\"\n"
    )
}

/// The answer that proves a logout.
pub fn good_logout() -> Vec<u8> {
    let deletions = COOKIES.map(|(name, _)| deletion(name)).join("\n");
    answer("302 Found", &format!("Location: /login?from=logout\n{deletions}"), "")
}

pub fn deletion(name: &str) -> String {
    format!("Set-Cookie: {name}=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0")
}
