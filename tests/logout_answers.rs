//! What a logout makes of each answer that a cookie logout can get, against a
//! server that writes its answers byte by byte.

mod service;

use service::{Answer, COOKIES, Service, answer, deletion, good_logout, log_in};
use sessionkeeper::cancel::Cancel;
use sessionkeeper::keeper::{Keeper, LogoutOptions};
use std::time::{Duration, Instant};

const LOCATION: &str = "Location: /login?from=logout";

/// Logs in, lets the logout be answered with `bytes`, and gives the outcome and the status.
fn outcome(service: &Service, keeper: &Keeper, bytes: Vec<u8>) -> (&'static str, Option<u16>) {
    log_in(keeper);
    service.answer_logouts([Answer::Raw(bytes)]);
    let start = Instant::now();
    let report = keeper.log_out(&LogoutOptions::default(), &Cancel::new()).unwrap();
    assert!(start.elapsed() < Duration::from_secs(4), "within the deadline");
    assert_eq!(keeper.status().unwrap().state, "signed_out");
    let pending = keeper.status().unwrap().pending_revocations;
    let is_done = matches!(report.remote, "revoked" | "already_ended");
    assert_eq!(
        pending,
        u64::from(!is_done),
        "{}: an entry stays until there is proof",
        report.remote
    );
    service.answer_logouts([]);
    keeper.drain(false, &Cancel::new()).unwrap();
    assert_eq!(keeper.status().unwrap().pending_revocations, 0);
    let trail = keeper.audit(1000).unwrap();
    let count = |event: &str| trail.iter().filter(|line| line.event == event).count();
    assert_eq!(count("revoked"), count("logout"), "one `revoked` for each logout");
    (report.remote, report.status)
}

fn check(cases: &[(&str, Vec<u8>, &str, Option<u16>)]) {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = service.keeper(directory.path());
    for (name, bytes, expected, status) in cases {
        let found = outcome(&service, &keeper, bytes.clone());
        assert_eq!(found, (*expected, *status), "{name}");
    }
}

/// All four deletions, but for what `change` makes of each.
fn deletions(change: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut headers = vec![LOCATION.to_owned()];
    headers.extend(COOKIES.iter().filter_map(|(name, _)| change(name)));
    headers
}

fn whole(name: &str) -> Option<String> {
    Some(deletion(name))
}

#[test]
fn statuses() {
    let all = deletions(whole);
    let mut cases = Vec::new();
    for (status, expected) in [
        ("200 OK", "unconfirmed"),
        ("202 Accepted", "unconfirmed"),
        ("204 No Content", "unconfirmed"),
        ("226 IM Used", "unconfirmed"),
        ("300 Multiple Choices", "unconfirmed"),
        ("301 Moved Permanently", "unconfirmed"),
        ("303 See Other", "unconfirmed"),
        ("307 Temporary Redirect", "unconfirmed"),
        ("308 Permanent Redirect", "unconfirmed"),
        ("402 Payment Required", "unconfirmed"),
        ("403 Forbidden", "unconfirmed"),
        ("409 Conflict", "unconfirmed"),
        ("418 I'm a teapot", "unconfirmed"),
        ("451 Unavailable", "unconfirmed"),
        ("401 Unauthorized", "already_ended"),
        ("302 Found", "revoked"),
    ] {
        let number: u16 = status[..3].parse().unwrap();
        cases.push((status, answer(status, &all, ""), expected, Some(number)));
    }
    for status in [
        "400 Bad Request",
        "404 Not Found",
        "405 Method Not Allowed",
        "410 Gone",
        "501 Not Implemented",
        "408 Request Timeout",
        "425 Too Early",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "502 Bad Gateway",
        "503 Service Unavailable",
        "504 Gateway Timeout",
        "507 Insufficient Storage",
        "520 Unknown",
        "599 Odd",
    ] {
        let number: u16 = status[..3].parse().unwrap();
        cases.push((status, answer(status, &[], "no"), "deferred", Some(number)));
    }
    check(&cases);
}

#[test]
fn proofs_that_are_none() {
    let all = deletions(whole);
    let without_location: Vec<String> = all[1..].to_vec();
    let found = |headers: &[String]| answer("302 Found", headers, "");
    let mut cases = vec![
        ("all of it", found(&all), "revoked", Some(302)),
        ("no Location", found(&without_location), "unconfirmed", Some(302)),
        ("nothing deleted", found(&[LOCATION.to_owned()]), "unconfirmed", Some(302)),
    ];
    for location in [
        "http://127.0.0.1:1/login",
        "https://127.0.0.1/login",
        "/elsewhere",
        "//evil.example/login",
        "https://evil.example/login",
        "javascript:alert(1)",
        "data:text/html,x",
        "",
        "/\\evil",
        "http://user@127.0.0.1/login",
        "/login\\..\\x",
        "/LOGIN",
    ] {
        let mut headers = all.clone();
        headers[0] = format!("Location: {location}");
        cases.push((location, found(&headers), "unconfirmed", Some(302)));
    }
    for (missing, _) in COOKIES {
        let headers = deletions(|name| if name == missing { None } else { whole(name) });
        cases.push((missing, found(&headers), "unconfirmed", Some(302)));
    }
    let one =
        |text: &'static str| {
            deletions(move |name| {
                if name == "inner" { Some(format!("Set-Cookie: {text}")) } else { whole(name) }
            })
        };
    for text in [
        "inner=; Path=/account; Max-Age=0",
        "inner=; Path=/; Domain=evil.example; Max-Age=0",
        "inner=; Path=/",
        "inner=; Path=/; Max-Age=60",
        "inner=; Path=/; Expires=Thu, 01 Jan 2037 00:00:00 GMT",
        "inner=still-here; Path=/; Max-Age=0",
        "Inner=; Path=/; Max-Age=0",
        "inner; Path=/; Max-Age=0",
    ] {
        cases.push((text, found(&one(text)), "unconfirmed", Some(302)));
    }
    let mut set_again = all.clone();
    set_again.push("Set-Cookie: inner=new; Path=/".to_owned());
    cases.push(("deleted, then set again", found(&set_again), "unconfirmed", Some(302)));
    check(&cases);
}

#[test]
fn proofs_in_other_words() {
    let found = |headers: &[String]| answer("302 Found", headers, "");
    let one =
        |text: &'static str| {
            deletions(move |name| {
                if name == "inner" { Some(format!("Set-Cookie: {text}")) } else { whole(name) }
            })
        };
    let mut cases = Vec::new();
    for text in [
        "inner=; path=/; max-age=-1",
        "inner=;Path=/;Expires=Thu, 01-Jan-1970 00:00:01 GMT;HttpOnly;Secure;SameSite=Lax",
        "inner=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/",
        "inner=\"\"; Path=/; Max-Age=0",
    ] {
        cases.push((text, found(&one(text)), "revoked", Some(302)));
    }
    let absolute = {
        let mut headers = deletions(whole);
        headers[0] = "LOCATION: login".to_owned();
        found(&headers)
    };
    cases.push(("a relative Location", absolute, "revoked", Some(302)));
    let body = |text: &str| answer("400 Bad Request", &[], text);
    cases.push((
        "invalid_token",
        body("{\"error\":\"invalid_token\"}"),
        "already_ended",
        Some(400),
    ));
    cases.push((
        "invalid_grant",
        body("{\"error\":\"invalid_grant\"}"),
        "already_ended",
        Some(400),
    ));
    cases.push(("invalid_request", body("{\"error\":\"invalid_request\"}"), "deferred", Some(400)));
    cases.push(("html", body("<p>invalid_token</p>"), "deferred", Some(400)));
    check(&cases);
}

#[test]
fn answers_that_cannot_be_read() {
    let good = String::from_utf8(good_logout()).unwrap();
    let head = good.split("\r\n\r\n").next().unwrap().to_owned();
    let with = |line: &str| format!("{head}\r\n{line}\r\n\r\n").into_bytes();
    let cases = vec![
        ("nothing", Vec::new(), "deferred", None),
        ("half a head", good.as_bytes()[..40].to_vec(), "deferred", None),
        (
            "a mangled status line",
            b"HTTP/1.1 three-oh-two Found\r\n\r\n".to_vec(),
            "deferred",
            None,
        ),
        ("another protocol", b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), "deferred", None),
        ("HTTP/0.9", b"<html>bye</html>".to_vec(), "deferred", None),
        ("only an early answer", b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), "deferred", None),
        ("two lengths", with("Content-Length: 7"), "deferred", None),
        ("a NUL in a header", with("X-Odd: a\0b"), "deferred", None),
        ("10,000 headers", with(&vec!["X-Many: 1"; 10_000].join("\r\n")), "deferred", None),
        ("a header of 1 MiB", with(&format!("X-Long: {}", "x".repeat(1 << 20))), "deferred", None),
    ];
    check(&cases);
}

#[test]
fn a_body_never_matters_nor_fills_the_memory() {
    let mut endless =
        String::from_utf8(good_logout()).unwrap().replace("Content-Length: 0\r\n", "");
    endless.push_str(&"x".repeat(3 << 20));
    check(&[("3 MiB", endless.into_bytes(), "revoked", Some(302))]);
}

#[test]
fn three_refusals_park_the_entry() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = service.keeper(directory.path());
    log_in(&keeper);
    let gone = Answer::Raw(answer("404 Not Found", &[], ""));
    service.always_answer(Some(gone));
    assert_eq!(
        keeper.log_out(&LogoutOptions::default(), &Cancel::new()).unwrap().remote,
        "deferred"
    );
    assert_eq!(keeper.drain(false, &Cancel::new()).unwrap().deferred, 1);
    let drained = keeper.drain(false, &Cancel::new()).unwrap();
    assert_eq!((drained.rejected, drained.entries[0].last_outcome.as_str()), (1, "rejected"));
    let soon = drained.entries[0].next_attempt_at - drained.entries[0].created_at;
    assert!(soon > 80_000, "daily from now on, not in {soon} s");
    keeper.drain(false, &Cancel::new()).unwrap();
    let trail = keeper.audit(100).unwrap();
    let told = trail.iter().filter(|line| line.event == "revocation_rejected").count();
    assert_eq!(told, 1, "shown once");
    service.always_answer(None);
    assert_eq!(keeper.drain(false, &Cancel::new()).unwrap().revoked, 1, "kept until its expiry");
}

#[test]
fn the_server_says_when_to_come_back() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = service.keeper(directory.path());
    log_in(&keeper);
    let busy = answer("503 Service Unavailable", &["Retry-After: 7200".to_owned()], "");
    service.answer_logouts([Answer::Raw(busy)]);
    assert_eq!(
        keeper.log_out(&LogoutOptions::default(), &Cancel::new()).unwrap().remote,
        "deferred"
    );
    let entry = keeper.outbox().unwrap().entries.remove(0);
    let wait = entry.next_attempt_at - entry.created_at;
    assert!((7190..7300).contains(&wait), "{wait}");
    assert_eq!(keeper.drain(true, &Cancel::new()).unwrap().entries.len(), 1, "it is not due");
    assert_eq!(service.requests("/logout").len(), 1);
}

#[test]
fn a_server_that_hangs_costs_the_deadline_and_no_more() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let keeper = service.keeper(directory.path());
    log_in(&keeper);
    service.answer_logouts([Answer::Hang]);
    let manner =
        LogoutOptions { deadline: Some(Duration::from_millis(500)), ..LogoutOptions::default() };
    let start = Instant::now();
    let report = keeper.log_out(&manner, &Cancel::new()).unwrap();
    assert_eq!(report.remote, "deferred");
    assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
}
