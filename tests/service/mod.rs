//! A small service on loopback for the Rust tests: the Angel Studios login in its bare outline, and
//! a logout whose answer each test writes itself, byte by byte.
//!
//! The real stand-in server, with TLS and the faults of the transport, is tests/servers/angel; what
//! is tested here is what the core makes of an answer, for many answers quickly.

#![allow(dead_code, reason = "each test file uses a part of it")]

use sessionkeeper::cancel::Cancel;
use sessionkeeper::http::{Proxy, Settings};
use sessionkeeper::keeper::{Config, Keeper};
use sessionkeeper::provider::Provider;
use sessionkeeper::secret::Secret;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The four cookies and their lifetimes, as Angel Studios sets them.
pub const COOKIES: [(&str, u32); 4] =
    [("jwt_v2", 86_400), ("session_v2", 86_400), ("inner", 86_400), ("remember", 15_552_000)];

/// How the service answers one logout.
#[derive(Clone)]
pub enum Answer {
    /// Ends the session and proves it.
    Good,
    /// The same, after a second.
    Slow,
    /// These bytes, then the connection is closed.
    Raw(Vec<u8>),
    /// Nothing at all: the connection is closed.
    Close,
    /// Nothing at all, and the connection stays open.
    Hang,
}

pub struct Service {
    pub port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    stopped: AtomicBool,
    answers: Mutex<Vec<Answer>>,
    always: Mutex<Option<Answer>>,
    requests: Mutex<Vec<Seen>>,
    live: Mutex<Vec<u32>>,
    last: AtomicU32,
    token_life: AtomicU32,
    renewal_ms: AtomicU32,
    is_ageless: AtomicBool,
    is_landing_broken: AtomicBool,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub cookie: String,
    pub head: String,
    pub body: String,
}

impl Service {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        state.token_life.store(86_400, Ordering::SeqCst);
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || {
                    let _ = serve(stream.unwrap(), &shared);
                });
            }
        });
        Service { port, state }
    }

    /// A service that another process runs at `port`, for its addresses only.
    pub fn elsewhere(port: u16) -> Self {
        Service { port, state: Arc::default() }
    }

    /// The next logouts are answered by these, in order; later ones well.
    pub fn answer_logouts(&self, answers: impl IntoIterator<Item = Answer>) {
        *self.state.answers.lock().unwrap() = answers.into_iter().collect();
    }

    pub fn always_answer(&self, answer: Option<Answer>) {
        *self.state.always.lock().unwrap() = answer;
    }

    pub fn token_life(&self, seconds: u32) {
        self.state.token_life.store(seconds, Ordering::SeqCst);
    }

    /// How long a renewal takes the server.
    pub fn slow_renewals(&self, milliseconds: u32) {
        self.state.renewal_ms.store(milliseconds, Ordering::SeqCst);
    }

    /// From now on the session's cookies have no end, and a bystander has one in ten minutes.
    pub fn set_ageless_cookies(&self) {
        self.state.is_ageless.store(true, Ordering::SeqCst);
    }

    /// The page after the login form answers 500.
    pub fn break_landing(&self) {
        self.state.is_landing_broken.store(true, Ordering::SeqCst);
    }

    /// Renewals that the server answered with fresh cookies.
    pub fn renewals(&self) -> usize {
        self.requests("/login").iter().filter(|seen| !seen.cookie.is_empty()).count()
    }

    pub fn requests(&self, path: &str) -> Vec<Seen> {
        let all = self.state.requests.lock().unwrap();
        all.iter().filter(|seen| seen.path.split('?').next() == Some(path)).cloned().collect()
    }

    pub fn all_requests(&self) -> Vec<Seen> {
        self.state.requests.lock().unwrap().clone()
    }

    /// Sessions that the server takes to be alive.
    pub fn live_sessions(&self) -> usize {
        self.state.live.lock().unwrap().len()
    }

    /// The sessions end at the server, as if somebody else had ended them.
    pub fn end_all(&self) {
        self.state.live.lock().unwrap().clear();
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// A provider file for this service; `change` may rewrite it.
    pub fn provider(&self, change: impl Fn(String) -> String) -> Provider {
        let text = include_str!("service.toml").replace("PORT", &self.port.to_string());
        Provider::parse(&change(text)).unwrap()
    }

    pub fn config(&self, directory: &Path) -> Config {
        Config {
            provider: self.provider(|text| text),
            directory: directory.join("data"),
            key_directory: Some(directory.join("keys")),
            network: Settings {
                connect_timeout: Duration::from_secs(2),
                answer_timeout: Duration::from_secs(2),
                total_timeout: Duration::from_secs(4),
                proxy: Proxy::None,
                ..Settings::default()
            },
            logout_deadline: Duration::from_secs(2),
            renewal_margin: 3600,
            audit_url: None,
            log_level: log::LevelFilter::Debug,
            log_to_terminal: false,
        }
    }

    pub fn keeper(&self, directory: &Path) -> Keeper {
        Keeper::open(self.config(directory)).unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if self.state.last.load(Ordering::SeqCst) == 0 {
            return; // Nobody was served, or another process serves.
        }
        self.state.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Signs in with the service's one password.
pub fn log_in(keeper: &Keeper) {
    let status =
        keeper.log_in("viewer@example.com", &Secret::new("pässwörd"), &Cancel::new()).unwrap();
    assert_eq!(status.state, "signed_in");
}

fn serve(mut stream: TcpStream, state: &State) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let Some(seen) = read_request(&mut stream)? else { return Ok(()) };
    state.requests.lock().unwrap().push(seen.clone());
    let path = seen.path.split('?').next().unwrap().to_owned();
    let number = session_of(&seen);
    let alive = number.filter(|number| state.live.lock().unwrap().contains(number));
    let reply = match path.as_str() {
        "/login" if alive.is_some() => {
            let pause = state.renewal_ms.load(Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(pause.into()));
            page("<p>welcome back</p>", &set_cookies(state, alive.unwrap()))
        }
        "/login" => page("<input type=hidden name=state id=state value='s1'>", &[]),
        "/password" => {
            page("<input name=state value=s2><input name=_csrf_token value='c&amp;1'>", &[])
        }
        "/u/login" if seen.body.contains("p%C3%A4ssw%C3%B6rd") && seen.body.contains("c%261") => {
            let number = state.last.fetch_add(1, Ordering::SeqCst) + 1;
            state.live.lock().unwrap().push(number);
            let headers = set_cookies(state, number);
            answer("302 Found", &[headers, vec!["Location: /done".to_owned()]].concat(), "")
        }
        "/u/login" => page("<p class='note error-message'>no</p>", &[]),
        "/done" if state.is_landing_broken.load(Ordering::SeqCst) => {
            answer("500 Internal Server Error", &[], "")
        }
        "/done" => page("<p>welcome</p>", &[]),
        "/me" if alive.is_some() => page("{\"me\": 1}", &[]),
        "/me" => answer("401 Unauthorized", &[], ""),
        "/logout" => return log_out(stream, state, number),
        _ => answer("404 Not Found", &[], ""),
    };
    stream.write_all(&reply)
}

fn log_out(mut stream: TcpStream, state: &State, number: Option<u32>) -> std::io::Result<()> {
    let always = state.always.lock().unwrap().clone();
    let next = {
        let mut answers = state.answers.lock().unwrap();
        if answers.is_empty() { None } else { Some(answers.remove(0)) }
    };
    match next.or(always).unwrap_or(Answer::Good) {
        Answer::Slow => {
            std::thread::sleep(Duration::from_secs(1));
            state.live.lock().unwrap().retain(|live| Some(*live) != number);
            stream.write_all(&good_logout())
        }
        Answer::Good => {
            state.live.lock().unwrap().retain(|live| Some(*live) != number);
            stream.write_all(&good_logout())
        }
        Answer::Raw(bytes) => stream.write_all(&bytes),
        Answer::Close => Ok(()),
        Answer::Hang => {
            std::thread::sleep(Duration::from_secs(8));
            Ok(())
        }
    }
}

/// The answer that proves a logout.
pub fn good_logout() -> Vec<u8> {
    let mut headers = vec!["Location: /login?from=logout".to_owned()];
    headers.extend(COOKIES.iter().map(|(name, _)| deletion(name)));
    answer("302 Found", &headers, "")
}

pub fn deletion(name: &str) -> String {
    format!("Set-Cookie: {name}=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0")
}

pub fn answer(status: &str, headers: &[String], body: &str) -> Vec<u8> {
    let mut text = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    text.push_str("Connection: close\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

fn page(body: &str, headers: &[String]) -> Vec<u8> {
    answer("200 OK", headers, body)
}

/// Cookies that carry the session's number; the token is a JWT with the account in it.
fn set_cookies(state: &State, number: u32) -> Vec<String> {
    use base64::Engine;
    let life = state.token_life.load(Ordering::SeqCst);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let exp = now.as_secs() + u64::from(life);
    let claims = format!(
        "{{\"sub\":\"acc-1\",\"email\":\"zoë@例え.jp\",\"exp\":{exp},\"n\":{number},\"i\":{}}}",
        state.last.fetch_add(1, Ordering::SeqCst)
    );
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
    let is_ageless = state.is_ageless.load(Ordering::SeqCst);
    let bystander = is_ageless.then(|| "Set-Cookie: bot_check=1; Path=/; Max-Age=600".to_owned());
    COOKIES
        .iter()
        .map(|(name, age)| {
            let value = match *name {
                "jwt_v2" => format!("e30.{payload}.s"),
                _ => format!("{number}-{name}-canary"),
            };
            let age = if is_ageless { String::new() } else { format!("Max-Age={age}; ") };
            format!("Set-Cookie: {name}={value}; Path=/; {age}Secure; HttpOnly")
        })
        .chain(bystander)
        .collect()
}

fn session_of(seen: &Seen) -> Option<u32> {
    seen.cookie
        .split("; ")
        .find_map(|pair| pair.strip_prefix("remember="))
        .and_then(|value| value.split('-').next())
        .and_then(|number| number.parse().ok())
}

fn read_request(stream: &mut TcpStream) -> std::io::Result<Option<Seen>> {
    let mut bytes = Vec::new();
    let mut chunk = [0_u8; 4096];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        match stream.read(&mut chunk)? {
            0 => return Ok(None),
            read => bytes.extend_from_slice(&chunk[..read]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let field = |name: &str| {
        head.lines().find_map(|line| {
            let (own, value) = line.split_once(':')?;
            own.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let length: usize = field("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    while bytes.len() < end + length {
        match stream.read(&mut chunk)? {
            0 => break,
            read => bytes.extend_from_slice(&chunk[..read]),
        }
    }
    let mut words = head.split(' ');
    Ok(Some(Seen {
        method: words.next().unwrap_or_default().to_owned(),
        path: words.next().unwrap_or_default().to_owned(),
        cookie: field("cookie").unwrap_or_default(),
        body: String::from_utf8_lossy(&bytes[end..]).into_owned(),
        head,
    }))
}
