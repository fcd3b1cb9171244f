//! What must hold for any bytes from a server, a provider file or a disk; run over the committed
//! seeds by the tests, and over libFuzzer's inputs by `make fuzz` (tests/fuzz).
//!
//! A target panics where a promise is broken. It takes its input apart by lines, so that seeds can
//! be read and written by hand.

use crate::clock::{LONGEST_LIFE, UnixTime};
use crate::cookies::Jar;
use crate::http::{Answer, form};
use crate::logout;
use crate::provider::{Provider, is_loopback};
use crate::redact;
use crate::secret::Secret;
use crate::session::claims::{Claims, is_showable};
use crate::session::{Credentials, Outcome, Revocation, Session};
use crate::vault::Task;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::sync::LazyLock;
use std::time::Duration;
use url::Url;

/// A property of one part of the code.
pub type Target = fn(&[u8]);

/// All of them by the names of their seeds' directories.
pub const TARGETS: [(&str, Target); 10] = [
    ("claims", claims),
    ("dates", dates),
    ("form", forms),
    ("jar", jar),
    ("location", location),
    ("proof", proof),
    ("provider", provider_file),
    ("record", record),
    ("redaction", redaction),
    ("retry_after", retry_after),
];

/// A time at which every answer here is written.
const DATE: UnixTime = 1_800_000_000;
const HTTP_DATE: &str = "Fri, 15 Jan 2027 08:00:00 GMT";

static ANGEL: LazyLock<Provider> = LazyLock::new(|| {
    let text = include_str!("../resources/providers/angel.toml");
    Provider::parse(text, None).unwrap_or_else(|problem| panic!("{problem:?}"))
});

fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}

/// An answer of the logout's host: `head` is its status, then come its headers, one a line, and
/// after an empty line the body.
fn answer(text: &str) -> Answer {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.parse().ok()).unwrap_or(302);
    let mut answer = Answer {
        status,
        url: Url::parse("https://auth.angel.com/logout?client_id=x").expect("a constant"),
        headers: vec![("date".to_owned(), HTTP_DATE.to_owned())],
        set_cookies: Vec::new(),
        body: body.as_bytes().to_vec(),
        is_cut: false,
        had_credential: false,
    };
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().to_owned());
        match name.as_str() {
            "set-cookie" => answer.set_cookies.push(value),
            "date" => {}
            _ => answer.headers.push((name, value)),
        }
    }
    answer
}

/// A jar after a login: all four cookies of Angel, and one beside them.
fn full_jar(url: &Url) -> Jar {
    let mut jar = Jar::new();
    let names = ANGEL.logout.deleted_cookies().chain(["other"]);
    let lines: Vec<_> = names
        .map(|name| format!("{name}=v; Path=/; Domain=.angel.com; Secure; Max-Age=86400"))
        .collect();
    jar.store(url, &lines, Some(DATE), &ANGEL.hosts);
    jar
}

/// Set-Cookie lines from any host of a provider: nothing leaves its hosts, nothing grows without
/// end, and what counts as deleted is gone.
fn jar(data: &[u8]) {
    let answer = answer(&text(data));
    let mut jar = full_jar(&answer.url);
    let before = jar.clone();
    jar.store(&answer.url, &answer.set_cookies, answer.date(), &ANGEL.hosts);
    let names = jar.names();
    assert!(names.len() <= 200);
    for name in before.names() {
        if before.deleted_at(&name, &answer.url, &answer.set_cookies, answer.date()) {
            assert!(jar.value(&name).is_none(), "'{name}' counts as deleted and is there");
        }
    }
    for elsewhere in ["https://angel.com.evil.example/", "https://evilangel.com/"] {
        let elsewhere = Url::parse(elsewhere).expect("a constant");
        assert!(jar.subset_for(&[&elsewhere]).is_empty());
    }
    let plain = Url::parse("http://auth.angel.com/").expect("a constant");
    assert!(before.subset_for(&[&plain]).is_empty(), "they are Secure");
    let clock = crate::clock::SystemClock::default();
    if let Some(header) = jar.header_for(&answer.url, &clock) {
        let is_odd = |c: char| c.is_control() && c != '\t';
        assert!(!header.expose().contains(is_odd), "a header of two lines");
    }
    comes_back::<Jar>(&jar);
}

/// The answer to a logout: `revoked` only when every cookie that was held is gone.
fn proof(data: &[u8]) {
    let answer = answer(&text(data));
    let jar = full_jar(&answer.url);
    for proof in ANGEL.logout.proofs() {
        let verdict = logout::judge(Some(proof), &answer.url, &jar, &answer);
        if verdict.outcome != Outcome::Revoked {
            continue;
        }
        assert_eq!(answer.status, 302);
        let mut after = jar.clone();
        after.store(&answer.url, &answer.set_cookies, answer.date(), &ANGEL.hosts);
        for name in ANGEL.logout.deleted_cookies() {
            assert!(after.value(name).is_none(), "'{name}' is left");
        }
    }
    let unproved = logout::judge(None, &answer.url, &jar, &answer).outcome;
    assert_ne!(unproved, Outcome::Revoked, "without a proof nothing is proved");
}

/// Where a redirect leads: to one of the provider's own hosts, by https, or nowhere.
fn location(data: &[u8]) {
    let mut answer = answer("302");
    answer.headers.push(("location".to_owned(), text(data)));
    let Some(Ok(url)) = answer.location() else { return };
    if ANGEL.hosts.check(&url).is_ok() {
        let hosts = ["www.angel.com", "auth.angel.com", "api.angelstudios.com"];
        assert!(url.host_str().is_some_and(|host| hosts.contains(&host)), "{url}");
        assert_eq!((url.scheme(), url.port()), ("https", None), "{url}");
        assert!(!is_loopback(&url) && url.username().is_empty() && url.password().is_none());
    }
}

fn retry_after(data: &[u8]) {
    let mut answer = answer("503");
    answer.headers.extend(text(data).lines().map(|line| ("retry-after".into(), line.into())));
    if let Some(wait) = answer.retry_after() {
        assert!((Duration::from_secs(1)..=Duration::from_secs(86_400)).contains(&wait));
    }
}

/// A cookie's end, however it is written: never beyond what we allow, and read alike each time.
fn dates(data: &[u8]) {
    let line = text(data).replace(['\n', ';'], " ");
    let url = Url::parse("https://auth.angel.com/").expect("a constant");
    let mut jar = Jar::new();
    jar.store(&url, &[format!("a=b; Expires={line}")], Some(DATE), &ANGEL.hosts);
    if let Some(end) = jar.expires_at("a") {
        assert!((DATE + 1..=DATE + LONGEST_LIFE).contains(&end), "{end}");
    }
}

/// Pages: a value comes from the page, and finding one takes no time worth naming.
fn forms(data: &[u8]) {
    let html = text(data);
    for name in ["state", "_csrf_token"] {
        if let Some(value) = form::input_value(&html, name) {
            assert!(value.len() <= html.len() * 2, "out of nothing");
        }
    }
    let _ = form::has_class(&html, "error-message");
}

fn claims(data: &[u8]) {
    let token = Secret::new(text(data));
    let claims = Claims::read(&token);
    if let Some(end) = claims.expires_at(Some(DATE)) {
        assert!((0..=DATE + LONGEST_LIFE).contains(&end), "{end}");
    }
    if let Some(shown) = claims.text(&["sub".into(), "email".into(), "name".into()]) {
        assert!(is_showable(&shown), "{shown:?}");
    }
    let mut credentials = Credentials::new();
    credentials.set(crate::session::ACCESS_TOKEN, token);
    assert_eq!(format!("{credentials:?}"), "Credentials(Jar[], [\"access_token\"])");
}

/// A provider file: refused with a key and words, or the same after it was stored.
fn provider_file(data: &[u8]) {
    match Provider::parse(&text(data), None) {
        Ok(provider) => {
            let again = Provider::from_kept(&provider.source, &provider.key);
            let again = again.unwrap_or_else(|problem| panic!("{problem:?}"));
            assert!(again == provider, "{again:?}");
        }
        Err(problem) => {
            assert!(!problem.message.is_empty());
            assert!(!problem.message.contains(redact::is_hidden), "{:?}", problem.message);
        }
    }
}

/// What was unsealed may be anything that a newer or a broken version has sealed.
fn record(data: &[u8]) {
    let is_read = [
        reads::<Session>(data),
        reads::<Revocation>(data),
        reads::<Task>(data),
        reads::<Credentials>(data),
    ];
    assert!(is_read.iter().filter(|is_read| **is_read).count() <= 1, "one row, two kinds");
}

fn reads<T: DeserializeOwned + Serialize + PartialEq + Debug>(data: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<T>(data) else { return false };
    comes_back(&value);
    true
}

fn comes_back<T: DeserializeOwned + Serialize + PartialEq + Debug>(value: &T) {
    let stored = serde_json::to_vec(value).unwrap_or_else(|error| panic!("{error}"));
    let back: T = serde_json::from_slice(&stored).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(&back, value);
}

/// Whatever is written around it, a token does not get into the log.
fn redaction(data: &[u8]) {
    let token = "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ";
    let line = text(data);
    let (before, after) = line.split_once('\n').unwrap_or((&line, ""));
    for shown in [
        redact::scrub(&format!("{before} {token} {after}")),
        redact::scrub(&format!("{before} token={token}&{after}")),
        redact::scrub(&format!("{before} {{\"password\": \"{token}\", {after}")),
    ] {
        assert!(!shown.contains(token), "{shown}");
        assert!(!shown.contains(redact::is_hidden), "more than one line: {shown:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::path::Path;

    #[test]
    fn the_seeds_break_no_promise() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds");
        for (name, target) in TARGETS {
            let files = fs::read_dir(seeds.join(name)).unwrap_or_else(|_| panic!("{name}"));
            let paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
            assert!(paths.len() >= 4, "{name} has {} seeds", paths.len());
            for path in paths {
                eprintln!("{}", path.display());
                target(&fs::read(path).unwrap());
            }
        }
    }
}
