//! A small issuer on loopback for the Rust tests: discovery, the device grant, renewal, revocation.
//! What is not scripted is answered well; each test writes the answers that it is about.
//!
//! The certified server, with TLS and the faults of the transport, is tests/servers/oidc; what is
//! tested here is what the core makes of an answer, and what the bodies of its requests hold.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sessionkeeper::cancel::Cancel;
use sessionkeeper::error::Result;
use sessionkeeper::http::{Proxy, Settings};
use sessionkeeper::keeper::{Config, Keeper, Status};
use sessionkeeper::provider::Provider;
use std::collections::{HashMap, VecDeque};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How one request is answered.
#[derive(Clone)]
pub enum Reply {
    Json(u16, Value),
    /// Status, content type, body.
    Text(u16, &'static str, String),
    /// The connection is closed without a word.
    Close,
    /// Nothing comes, and the connection stays open.
    Hang,
}

/// An error answer of RFC 6749 section 5.2.
pub fn refusal(code: &str) -> Reply {
    Reply::Json(400, json!({ "error": code }))
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub at: Instant,
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub form: HashMap<String, String>,
}

/// An issuer, and a device with a directory of its own.
pub struct Issuer {
    pub url: String,
    pub keeper: Keeper,
    _directory: tempfile::TempDir,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    scripts: Mutex<HashMap<String, VecDeque<Reply>>>,
    seen: Mutex<Vec<Seen>>,
    metadata: Mutex<Vec<(String, Value)>>,
    issued: AtomicU32,
    /// As the ID tokens name it.
    issuer: Mutex<String>,
}

pub const METADATA: &str = "/.well-known/openid-configuration";

impl Issuer {
    pub fn start() -> Self {
        Issuer::at("", METADATA)
    }

    /// An issuer with this path, whose metadata are at that place alone.
    pub fn at(path: &str, place: &str) -> Self {
        Issuer::with(path, place, |text| text)
    }

    /// The same, with another provider file.
    pub fn with(path: &str, place: &str, change: impl Fn(String) -> String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let base = format!("http://127.0.0.1:{port}");
        let url = format!("{base}{path}");
        let state = Arc::new(State::default());
        url.clone_into(&mut state.issuer.lock().unwrap());
        let metadata = json!({
            "issuer": url,
            "device_authorization_endpoint": format!("{base}/device"),
            "token_endpoint": format!("{base}/token"),
            "revocation_endpoint": format!("{base}/revoke"),
            "end_session_endpoint": format!("{base}/end"),
        });
        state.metadata.lock().unwrap().push((place.to_owned(), metadata));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream.unwrap(), &shared));
            }
        });
        let directory = tempfile::tempdir().unwrap();
        let text = include_str!("provider.toml").replace("PORT", &port.to_string());
        let text = change(text.replace("ISSUER", &url));
        let config = Config {
            provider: Provider::parse(&text).unwrap(),
            directory: directory.path().join("data"),
            key_directory: Some(directory.path().join("keys")),
            network: Settings {
                connect_timeout: Duration::from_secs(1),
                answer_timeout: Duration::from_secs(1),
                total_timeout: Duration::from_secs(2),
                proxy: Proxy::None,
                ..Settings::default()
            },
            logout_deadline: Duration::from_secs(2),
            renewal_margin: 3600,
            audit_url: None,
            log_level: log::LevelFilter::Debug,
            log_to_terminal: false,
        };
        Issuer { url, keeper: Keeper::open(config).unwrap(), _directory: directory, state }
    }

    /// The next requests to `path` are answered by these, in order; later ones well.
    pub fn answer(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        self.state.scripts.lock().unwrap().entry(path.to_owned()).or_default().extend(replies);
    }

    /// Changes one value of the metadata; `null` takes it away.
    pub fn change_metadata(&self, name: &str, value: Value) {
        let mut all = self.state.metadata.lock().unwrap();
        let metadata = all[0].1.as_object_mut().unwrap();
        if value.is_null() {
            metadata.remove(name);
        } else {
            metadata.insert(name.to_owned(), value);
        }
    }

    pub fn requests(&self, path: &str) -> Vec<Seen> {
        let all = self.state.seen.lock().unwrap();
        all.iter().filter(|seen| seen.path == path).cloned().collect()
    }

    pub fn paths(&self) -> Vec<String> {
        self.state.seen.lock().unwrap().iter().map(|seen| seen.path.clone()).collect()
    }

    pub fn renewals(&self) -> Vec<Seen> {
        let all = self.requests("/token");
        all.into_iter().filter(|seen| seen.form["grant_type"] == "refresh_token").collect()
    }

    /// Signs in by whatever the token endpoint answers.
    pub fn log_in(&self) -> Result<Status> {
        let (number, _) = self.keeper.start_device_login(&Cancel::new())?;
        self.keeper.finish_device_login(number, &Cancel::new())
    }

    pub fn renew(&self) -> Result<Status> {
        self.keeper.renew(&Cancel::new())
    }

    /// What a good answer to a request for tokens holds.
    pub fn tokens(&self) -> Value {
        tokens(&self.state)
    }

    /// An ID token of this issuer for this client, with these claims over the usual.
    pub fn id_token(&self, claims: &Value) -> String {
        id_token(&self.state.issuer.lock().unwrap(), claims)
    }
}

/// `value` with `changes` over it; `null` takes a value away.
pub fn changed(mut value: Value, changes: &Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        if change.is_null() {
            value.as_object_mut().unwrap().remove(name);
        } else {
            value[name] = change.clone();
        }
    }
    value
}

fn tokens(state: &State) -> Value {
    let number = state.issued.fetch_add(1, Ordering::SeqCst) + 1;
    json!({
        "access_token": format!("access-{number}"),
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": format!("refresh-{number}"),
        "id_token": id_token(&state.issuer.lock().unwrap(), &json!({ "n": number })),
    })
}

fn id_token(issuer: &str, claims: &Value) -> String {
    let usual = json!({ "iss": issuer, "aud": "the client", "sub": "u1", "email": "zoë@例え.jp" });
    let payload = changed(usual, claims).to_string();
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
}

fn serve(mut stream: TcpStream, state: &State) {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let Some(seen) = read_request(&mut stream) else { return };
    let path = seen.path.clone();
    state.seen.lock().unwrap().push(seen);
    let next = state.scripts.lock().unwrap().get_mut(&path).and_then(VecDeque::pop_front);
    let (status, kind, body) = match next.unwrap_or_else(|| good(state, &path)) {
        Reply::Json(status, value) => (status, "application/json", value.to_string()),
        Reply::Text(status, kind, body) => (status, kind, body),
        Reply::Close => return,
        Reply::Hang => {
            // Until the client leaves.
            let _ = stream.read(&mut [0; 1]);
            return;
        }
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Whatever\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Set-Cookie: tracker=1; Path=/; Max-Age=999\r\nConnection: close\r\n\r\n"
    );
    let _ = stream.write_all(&[head.as_bytes(), body.as_bytes()].concat());
}

fn good(state: &State, path: &str) -> Reply {
    let metadata = state.metadata.lock().unwrap();
    if let Some((_, value)) = metadata.iter().find(|(place, _)| place == path) {
        return Reply::Json(200, value.clone());
    }
    match path {
        "/device" => Reply::Json(200, code()),
        "/token" => Reply::Json(200, tokens(state)),
        "/revoke" | "/end" | "/me" => Reply::Text(200, "text/plain", String::new()),
        _ => Reply::Text(404, "text/plain", String::new()),
    }
}

/// What a good answer to a request for a code holds.
pub fn code() -> Value {
    json!({
        "device_code": "the device code",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://issuer.example/device",
        "expires_in": 600,
        "interval": 1,
    })
}

fn read_request(stream: &mut TcpStream) -> Option<Seen> {
    let at = Instant::now();
    let mut bytes = Vec::new();
    let mut chunk = [0_u8; 4096];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        match stream.read(&mut chunk) {
            Ok(read) if read > 0 => bytes.extend_from_slice(&chunk[..read]),
            _ => return None,
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let headers: HashMap<String, String> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
    while bytes.len() < end + length {
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
    }
    let mut words = head.split(' ');
    Some(Seen {
        at,
        method: words.next()?.to_owned(),
        path: words.next()?.split('?').next()?.to_owned(),
        headers,
        form: url::form_urlencoded::parse(&bytes[end..]).into_owned().collect(),
    })
}
