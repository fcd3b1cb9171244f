//! The server as a token service that goes by its own clock, whatever the device's shows: JWTs of
//! half an hour, a deny-list, and for one of the two services a refresh token in a cookie that
//! serves once.

use crate::fixture::{Device, clock};
use crate::server::{Seen, Server, Step, Steps, answer};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use sessionkeeper::clock::{Clock, HeldClock};
use sessionkeeper::provider::{self, Given};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

/// In seconds, for a token.
pub const LIFE: i64 = 1800;

pub struct TokenService {
    server: Server,
    site: Arc<Site>,
    provider: &'static str,
}

impl Deref for TokenService {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

struct Site {
    clock: Arc<HeldClock>,
    sessions: Mutex<Sessions>,
}

#[derive(Default)]
struct Sessions {
    issued: usize,
    /// Session and end of each token that is not denied.
    tokens: HashMap<usize, (usize, i64)>,
    /// The session of each refresh token that has not been used.
    refresh: HashMap<usize, usize>,
}

impl TokenService {
    /// The service of that built-in provider: "jwt-audit" or "idempotent".
    pub fn start(provider: &'static str) -> Self {
        let site = Arc::new(Site { clock: clock(), sessions: Mutex::default() });
        let shared = Arc::clone(&site);
        TokenService { server: Server::start(move |seen| shared.answer(seen)), site, provider }
    }

    /// A device whose clock is `ahead` of the server's, and that knows nothing of the right time.
    pub fn device(&self, ahead: i64) -> Device {
        let base = format!("http://{}", self.authority());
        let given = Given::from([("base".to_owned(), base)]);
        let device = Device::new(provider::find(self.provider, &given).unwrap(), &clock());
        device.clock.set(self.now().saturating_add(ahead));
        device.clock.set_synchronised(false);
        device
    }

    /// What time it is.
    pub fn now(&self) -> i64 {
        self.site.clock.now()
    }

    /// So many seconds go by, here and at the device.
    pub fn pass(&self, device: &Device, seconds: u64) {
        self.site.clock.pass(Duration::from_secs(seconds));
        device.clock.pass(Duration::from_secs(seconds));
    }

    /// Sessions of which somebody could still use a token.
    pub fn live_sessions(&self) -> usize {
        let sessions = self.site.sessions.lock().unwrap();
        let tokens = sessions.tokens.values().filter(|(_, ends)| *ends > self.now());
        let mut live: Vec<_> =
            tokens.map(|(session, _)| session).chain(sessions.refresh.values()).collect();
        live.sort_unstable();
        live.dedup();
        live.len()
    }

    pub fn renewals(&self) -> usize {
        self.requests("/api/auth/refresh").len()
    }

    /// Where a logout goes.
    pub fn logout_path(&self) -> &'static str {
        if self.provider == "jwt-audit" { "/auth/logout" } else { "/api/auth/logout" }
    }
}

impl Site {
    fn answer(&self, seen: &Seen) -> Steps {
        let (mut sessions, now) = (self.sessions.lock().unwrap(), self.clock.now());
        let token = seen.header("authorization").and_then(|header| number_of(header, "jti"));
        let session = token.and_then(|token| sessions.tokens.get(&token)).copied();
        let session = session.filter(|(_, ends)| *ends > now).map(|(session, _)| session);
        let path = seen.path.trim_start_matches("/api");
        let (status, headers, body) = match (path, session) {
            ("/auth/login", _) => {
                sessions.issued += 1;
                let session = sessions.issued;
                sessions.issue(session, now, path != seen.path)
            }
            ("/auth/refresh", _) => {
                match refresh_token(seen).and_then(|one| sessions.use_up(one)) {
                    Some(session) => sessions.issue(session, now, true),
                    None => (401, String::new(), json!({ "detail": "no" })),
                }
            }
            ("/auth/logout", Some(session)) => {
                sessions.tokens.retain(|_, (of, _)| *of != session);
                sessions.refresh.retain(|_, of| *of != session);
                (200, String::new(), json!({ "message": "bye" }))
            }
            ("/auth/me" | "/me", Some(_)) => (200, String::new(), json!({ "id": "u1" })),
            _ => (401, String::new(), json!({ "detail": "not authenticated" })),
        };
        // RFC 9110 section 6.6.1: "An origin server with a clock MUST generate a Date header field".
        let at = UNIX_EPOCH + Duration::from_secs(u64::try_from(now).unwrap());
        let headers = format!("Date: {}\n{headers}", httpdate::fmt_http_date(at));
        let body = body.to_string();
        vec![Step::Send(answer(&format!("{status} Whatever"), headers.trim_end(), &body))]
    }
}

impl Sessions {
    fn issue(
        &mut self,
        session: usize,
        now: i64,
        is_renewable: bool,
    ) -> (u16, String, serde_json::Value) {
        self.issued += 1;
        let (number, ends) = (self.issued, now + LIFE);
        self.tokens.insert(number, (session, ends));
        let claims = json!({ "sub": "u1", "email": "zoë@例え.jp", "exp": ends, "jti": number });
        let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let mut cookie = String::new();
        if is_renewable {
            self.refresh.insert(number, session);
            let value = format!("refresh_token=r-{number}-x");
            cookie = format!("Set-Cookie: {value}; Path=/api/auth; Max-Age=604800; HttpOnly");
        }
        (200, cookie, json!({ "access_token": token, "token_type": "bearer", "expires_in": LIFE }))
    }

    fn use_up(&mut self, refresh: usize) -> Option<usize> {
        self.refresh.remove(&refresh)
    }
}

/// The number that a token carries under `name`.
fn number_of(header: &str, name: &str) -> Option<usize> {
    let payload = URL_SAFE_NO_PAD.decode(header.split('.').nth(1)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    usize::try_from(claims[name].as_u64()?).ok()
}

fn refresh_token(seen: &Seen) -> Option<usize> {
    let pairs = seen.header("cookie")?;
    let value = pairs.split("; ").find_map(|pair| pair.strip_prefix("refresh_token=r-"))?;
    value.split('-').next()?.parse().ok()
}
