//! What a logout makes of each answer that a cookie logout can get, written byte by byte.

use crate::fixture::{Device, drain, log_out, noted, pending, state};
use crate::server::{Step, answer, answering};
use crate::service::{
    COOKIES, Service, deletion, good_logout, log_in, probe, without_proof, without_renewal,
};
use sessionkeeper::keeper::State;
use sessionkeeper::session::Outcome;
use std::time::{Duration, Instant};

/// Logs in, lets the logout be answered with `bytes`, and gives the outcome and the status.
fn outcome(service: &Service, device: &Device, bytes: &[u8]) -> (&'static str, Option<u16>) {
    log_in(device);
    service.next("/logout", [vec![Step::Send(bytes.to_vec())]]);
    let start = Instant::now();
    let report = log_out(device);
    assert!(start.elapsed() < Duration::from_secs(4), "within the deadline");
    assert_eq!(state(device), State::SignedOut);
    let is_done = report.remote.is_final();
    let left = u64::from(!is_done);
    assert_eq!(pending(device), left, "{:?}: an entry stays until there is proof", report.remote);
    drain(device);
    assert_eq!(pending(device), 0);
    assert_eq!(noted(device, "revoked"), noted(device, "logout"), "one `revoked` for each logout");
    (report.remote.as_str(), report.status)
}

type Case<'a> = (&'a str, Vec<u8>, &'a str, Option<u16>);

fn check(cases: &[Case]) {
    let service = Service::start();
    check_at(&service, &service.device(), cases);
}

fn check_at(service: &Service, device: &Device, cases: &[Case]) {
    for (name, bytes, expected, status) in cases {
        assert_eq!(outcome(service, device, bytes), (*expected, *status), "{name}");
    }
}

/// All four deletions, but for what `change` makes of each.
fn deletions(change: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut headers = vec!["Location: /login?from=logout".to_owned()];
    headers.extend(COOKIES.iter().filter_map(|(name, _)| change(name)));
    headers
}

fn whole(name: &str) -> Option<String> {
    Some(deletion(name))
}

/// All four deletions, of which this is the one of `inner`.
fn with_inner(text: &str) -> Vec<String> {
    deletions(
        |name| if name == "inner" { Some(format!("Set-Cookie: {text}")) } else { whole(name) },
    )
}

fn found(headers: &[String]) -> Vec<u8> {
    answer("302 Found", &headers.join("\n"), "")
}

#[test]
fn statuses() {
    let proving = deletions(whole).join("\n");
    let groups: [(&str, &str, &[u16]); 4] = [
        ("unconfirmed", &proving, &[200, 202, 204, 226, 300, 301, 303, 307, 308]),
        ("unconfirmed", &proving, &[402, 403, 409, 418, 451]),
        ("deferred", "", &[400, 404, 405, 408, 410, 425, 429]),
        ("deferred", "", &[500, 501, 502, 503, 504, 507, 520, 599]),
    ];
    let mut cases = vec![(401, "already_ended", &*proving), (302, "revoked", &*proving)];
    for (outcome, headers, statuses) in groups {
        cases.extend(statuses.iter().map(|status| (*status, outcome, headers)));
    }
    let cases = cases.into_iter().map(|(status, outcome, headers)| {
        let body = if headers.is_empty() { "no" } else { "" };
        ("by status", answer(&format!("{status} Whatever"), headers, body), outcome, Some(status))
    });
    check(&cases.collect::<Vec<_>>());
}

#[test]
fn proofs_that_are_none() {
    let all = deletions(whole);
    let without_location: Vec<String> = all[1..].to_vec();
    let mut cases = vec![
        ("all of it", found(&all), "revoked", Some(302)),
        ("no Location", found(&without_location), "revoked", Some(302)),
        ("nothing deleted", found(&all[..1]), "unconfirmed", Some(302)),
    ];
    for location in ["/", "/watch/", "login", "https://evil.example/login", "", "javascript:1"] {
        let mut headers = all.clone();
        headers[0] = format!("Location: {location}");
        cases.push((location, found(&headers), "revoked", Some(302)));
        cases.push(("a Location alone", found(&headers[..1]), "unconfirmed", Some(302)));
    }
    for (missing, _) in COOKIES {
        let headers = deletions(|name| if name == missing { None } else { whole(name) });
        cases.push((missing, found(&headers), "unconfirmed", Some(302)));
    }
    for text in [
        "inner=; Path=/account; Max-Age=0",
        "inner=; Path=/; Domain=evil.example; Max-Age=0",
        "inner=; Path=/",
        "inner=deleted; Path=/",
        "inner=; Path=/; Max-Age=60",
        "inner=; Path=/; Expires=Thu, 01 Jan 2037 00:00:00 GMT",
        "Inner=; Path=/; Max-Age=0",
        "inner; Path=/; Max-Age=0",
    ] {
        cases.push((text, found(&with_inner(text)), "unconfirmed", Some(302)));
    }
    let mut set_again = all.clone();
    set_again.push("Set-Cookie: inner=new; Path=/".to_owned());
    cases.push(("deleted, then set again", found(&set_again), "unconfirmed", Some(302)));
    check(&cases);
}

#[test]
fn where_no_cookie_decides_the_redirect_does() {
    let service = Service::start();
    let login = service.url("/login");
    let device = service.device_with(|text| {
        let (start, _) = text.split_once("deletes = ").unwrap();
        format!("{start}locations = [\"{login}\"]\n")
    });
    let mut cases = vec![("no Location", found(&[]), "unconfirmed", Some(302))];
    for location in ["/login?from=logout", "login", login.as_str()] {
        let headers = [format!("Location: {location}")];
        cases.push((location, found(&headers), "revoked", Some(302)));
    }
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
        let headers = [format!("Location: {location}")];
        cases.push((location, found(&headers), "unconfirmed", Some(302)));
    }
    check_at(&service, &device, &cases);
}

#[test]
fn proofs_in_other_words() {
    let mut cases = Vec::new();
    for text in [
        "inner=; path=/; max-age=-1",
        "inner=;Path=/;Expires=Thu, 01-Jan-1970 00:00:01 GMT;HttpOnly;Secure;SameSite=Lax",
        "inner=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/",
        "inner=\"\"; Path=/; Max-Age=0",
        // PHP's setcookie, and many gateways.
        "inner=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0; path=/",
        "inner=still-here; Path=/; Max-Age=0",
    ] {
        cases.push((text, found(&with_inner(text)), "revoked", Some(302)));
    }
    for (text, outcome) in [
        ("{\"error\":\"invalid_token\"}", "already_ended"),
        ("{\"error\":\"invalid_grant\"}", "already_ended"),
        ("{\"error\":\"invalid_request\"}", "deferred"),
        ("<p>invalid_token</p>", "deferred"),
    ] {
        cases.push((text, answer("400 Bad Request", "", text), outcome, Some(400)));
    }
    check(&cases);
}

#[test]
fn answers_that_cannot_be_read() {
    let good = String::from_utf8(good_logout()).unwrap();
    let head = good.split("\r\n\r\n").next().unwrap().to_owned();
    let with = |line: &str| format!("{head}\r\n{line}\r\n\r\n").into_bytes();
    let many = vec!["X-Many: 1"; 10_000].join("\r\n");
    let cases = [
        ("nothing", Vec::new()),
        ("half a head", good.as_bytes()[..40].to_vec()),
        ("a mangled status line", b"HTTP/1.1 three-oh-two Found\r\n\r\n".to_vec()),
        ("another protocol", b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
        ("HTTP/0.9", b"<html>bye</html>".to_vec()),
        ("only an early answer", b"HTTP/1.1 100 Continue\r\n\r\n".to_vec()),
        ("two lengths", with("Content-Length: 7")),
        ("a NUL in a header", with("X-Odd: a\0b")),
        ("10,000 headers", with(&many)),
        ("a header of 1 MiB", with(&format!("X-Long: {}", "x".repeat(1 << 20)))),
    ];
    check(&cases.map(|(name, bytes)| (name, bytes, "deferred", None)));
}

#[test]
fn a_body_never_matters_nor_fills_the_memory() {
    let mut endless =
        String::from_utf8(good_logout()).unwrap().replace("Content-Length: 0\r\n", "");
    endless.push_str(&"x".repeat(3 << 20));
    check(&[("3 MiB", endless.into_bytes(), "revoked", Some(302))]);
}

#[test]
fn nothing_sent_proves_nothing() {
    let service = Service::start();
    let port = service.port();
    let there = format!("http://localhost:{port}/logout");
    let device = service.device_with(|text| {
        with_localhost(&text, port).replace(&format!("http://127.0.0.1:{port}/logout"), &there)
    });
    log_in(&device);
    assert_eq!(log_out(&device).remote, Outcome::Unconfirmed);
    assert!(service.requests("/logout").is_empty());
}

/// A provider with a second host, which the login's cookies are not for.
fn with_localhost(text: &str, port: u16) -> String {
    let one = format!("hosts = [\"127.0.0.1:{port}\"]\n\n[session]");
    let both = format!("hosts = [\"127.0.0.1:{port}\", \"localhost:{port}\"]\n\n[session]");
    text.replace(&one, &both)
}

/// The provider file without a proof for its logout, and maybe without a way to renew.
fn unproved(text: &str, is_renewable: bool) -> String {
    if is_renewable { without_proof(text).to_owned() } else { without_renewal(without_proof(text)) }
}

#[test]
fn a_probe_without_credentials_proves_nothing() {
    let service = Service::start();
    let port = service.port();
    let probe = probe(format!("http://localhost:{port}/me"));
    let device = service.device_with(|text| with_localhost(&text, port) + &probe);
    log_in(&device);
    service.next("/logout", [answering("200 OK", "", "bye")]);
    assert_eq!(log_out(&device).remote, Outcome::Unconfirmed);
    assert!(service.requests("/me").is_empty(), "nor is it made");
}

#[test]
fn a_probe_can_give_the_proof_that_the_answer_did_not() {
    for is_renewable in [true, false] {
        let service = Service::start();
        let probe = probe(service.url("/me"));
        let device = service.device_with(|text| unproved(&text, is_renewable) + &probe);
        log_in(&device);
        service.always("/logout", answering("200 OK", "", "bye"));
        assert_eq!(log_out(&device).remote, Outcome::Alive);
        service.end_all();
        // That the probe was accepted before is known after a restart as well.
        let drained = drain(&device.restarted());
        assert_eq!((drained.revoked, drained.entries.len()), (1, 0));
    }
}

#[test]
fn a_probe_that_a_living_session_fails_too_proves_nothing() {
    for is_renewable in [true, false] {
        let service = Service::start();
        let probe = probe(service.url("/other"));
        let device = service.device_with(|text| unproved(&text, is_renewable) + &probe);
        service.always("/other", answering("401 Unauthorized", "", ""));
        service.always("/logout", answering("200 OK", "", "bye"));
        log_in(&device);
        assert_eq!(log_out(&device).remote, Outcome::Unconfirmed);
        assert_eq!(service.live_sessions(), 1);
        assert_eq!((drain(&device).revoked, pending(&device)), (0, 1));
        let next = device.outbox().unwrap().entries[0].next_attempt_at;
        assert_eq!(next, None, "neither the logout nor the probe can say more");
    }
}

#[test]
fn what_outlives_a_refused_token_is_tried_as_well() {
    let service = Service::start();
    let device = service.device_with(|text| text + &probe(service.url("/me")));
    service.always("/logout", answering("200 OK", "", "bye"));
    log_in(&device);
    // The token was accepted once; the cookie that logs in again is as good as before.
    service.next("/me", [vec![Step::Usual(Duration::ZERO)]]);
    service.always("/me", answering("401 Unauthorized", "", ""));
    assert_eq!(log_out(&device).remote, Outcome::Alive);
    assert_eq!(service.live_sessions(), 1);
    service.end_all();
    assert_eq!(drain(&device).revoked, 1);
}
