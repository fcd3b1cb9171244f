//! Logging in by a browser that ends on this machine (RFC 8252 section 7.3): who is heard there.

use super::browser_login::{LOGIN, notes, nothing_is_left};
use crate::child;
use crate::fixture::{cancel_after, drain, log_out, never, state, wait_until};
use crate::grants::asked;
use crate::issuer::Issuer;
use crate::server::Step;
use sessionkeeper::error::{Kind, Result};
use sessionkeeper::keeper::{BegunInBrowser, Keeper, Redirect, State, Status};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use url::Url;

fn issuer() -> Issuer {
    Issuer::for_browsers(LOGIN)
}

fn start(keeper: &Keeper) -> BegunInBrowser {
    keeper.start_browser_login(Redirect::Loopback, &never()).unwrap()
}

fn wait(keeper: &Keeper, begun: &BegunInBrowser) -> Result<Status> {
    keeper.finish_browser_login(begun.handle, None, &never())
}

fn place(begun: &BegunInBrowser) -> (String, u16) {
    let url = Url::parse(&begun.redirect_uri).unwrap();
    assert_eq!((url.host_str(), url.path()), (Some("127.0.0.1"), "/callback"));
    ("127.0.0.1".to_owned(), url.port().expect("a port of its own"))
}

fn connect(begun: &BegunInBrowser) -> TcpStream {
    let stream = TcpStream::connect(place(begun)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// True when nobody listens there any more.
fn is_closed(begun: &BegunInBrowser) -> bool {
    TcpStream::connect(place(begun)).is_err()
}

/// What is answered to these bytes; empty where nothing is.
fn say(begun: &BegunInBrowser, bytes: &[u8]) -> String {
    let mut stream = connect(begun);
    // Whoever is not heard to the end finds the connection closed.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    assert!(!answer.contains("Location:"), "nobody is sent on from here");
    answer
}

/// A browser at this address.
fn visit(begun: &BegunInBrowser, address: &str) -> String {
    let url = Url::parse(address).unwrap();
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = format!("127.0.0.1:{}", place(begun).1);
    say(begun, format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n").as_bytes())
}

/// Lets `visits` happen while the login waits. Gives its end.
fn while_it_waits(
    keeper: &Keeper,
    begun: &BegunInBrowser,
    visits: impl FnOnce(),
) -> Result<Status> {
    std::thread::scope(|scope| {
        let login = scope.spawn(|| wait(keeper, begun));
        visits();
        login.join().unwrap()
    })
}

#[test]
fn a_browser_that_ends_here_logs_in() {
    let issuer = issuer();
    let keeper = issuer.device.in_real_time();
    let begun = start(&keeper);
    assert_eq!(asked(&begun.url)["redirect_uri"], begun.redirect_uri);
    let status = while_it_waits(&keeper, &begun, || {
        let page = visit(&begun, &issuer.authorize(&begun.url));
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
        for header in
            ["Cache-Control: no-store", "Referrer-Policy: no-referrer", "Connection: close"]
        {
            assert!(page.contains(header), "{page}");
        }
        assert!(!page.contains("code-0") && !page.contains(&asked(&begun.url)["state"]));
    });
    assert_eq!(status.unwrap().state, State::SignedIn);
    assert!(is_closed(&begun));
    assert_eq!(notes(&issuer.device), 0);
}

/// Whatever else comes is sent away, and the right one is heard all the same.
#[test]
fn garbage_ends_nothing() {
    let issuer = issuer();
    let keeper = issuer.device.in_real_time();
    let begun = start(&keeper);
    let right = issuer.authorize(&begun.url);
    let state_of = asked(&begun.url)["state"].clone();
    let status = while_it_waits(&keeper, &begun, || {
        // They say nothing, or never come to an end.
        let mut slow: Vec<_> = (0..10).map(|_| connect(&begun)).collect();
        for stream in &mut slow[..5] {
            stream.write_all(b"GET /callback?code=").unwrap();
        }
        slow[9].write_all(&[0xff; 300]).unwrap();
        assert!(visit(&begun, "http://127.0.0.1/favicon.ico").starts_with("HTTP/1.1 404"));
        assert!(visit(&begun, "http://127.0.0.1/").starts_with("HTTP/1.1 404"));
        for wrong in [
            right.replace(&state_of, &"x".repeat(43)),
            right.split("&state=").next().unwrap().to_owned(),
            begun.redirect_uri.clone(),
            format!("{}?error=access_denied", begun.redirect_uri),
        ] {
            assert!(visit(&begun, &wrong).starts_with("HTTP/1.1 400"), "{wrong}");
        }
        for garbage in [
            &b"\r\n\r\n"[..],
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            b"GET /callback HTTP/1.1\r\n\r\n",
            b"GET /callback HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            b"\xff\xfe /callback HTTP/1.1\r\n\r\n",
        ] {
            assert!(say(&begun, garbage).starts_with("HTTP/1.1 400"), "{garbage:?}");
        }
        let post =
            format!("POST /callback HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", place(&begun).1);
        assert!(say(&begun, post.as_bytes()).starts_with("HTTP/1.1 405"));
        // Huge: it is not heard to the end.
        let huge = format!("GET /callback?code={}", "c".repeat(1 << 20));
        assert_eq!(say(&begun, huge.as_bytes()), "");
        assert!(visit(&begun, &right).starts_with("HTTP/1.1 200"));
        // Those who still hold on are let go of.
        for stream in &mut slow {
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    assert_eq!(status.unwrap().state, State::SignedIn);
    assert_eq!(issuer.requests("/token").len(), 1);
    assert!(is_closed(&begun));
}

#[test]
fn a_crowd_does_not_keep_the_browser_out() {
    let issuer = issuer();
    let keeper = issuer.device.in_real_time();
    let begun = start(&keeper);
    let right = issuer.authorize(&begun.url);
    let status = while_it_waits(&keeper, &begun, || {
        let crowd: Vec<_> = (0..60).map(|_| connect(&begun)).collect();
        assert!(visit(&begun, &right).starts_with("HTTP/1.1 200"));
        drop(crowd);
    });
    assert_eq!(status.unwrap().state, State::SignedIn);
}

#[test]
fn who_is_slow_is_sent_away() {
    let issuer = issuer();
    let keeper = issuer.device.in_real_time();
    let begun = start(&keeper);
    let status = while_it_waits(&keeper, &begun, || {
        let mut slow = connect(&begun);
        let since = Instant::now();
        slow.write_all(b"GET /callback?x=").unwrap();
        assert_eq!(slow.read_to_end(&mut Vec::new()).unwrap(), 0);
        assert!(since.elapsed() < Duration::from_secs(9));
        visit(&begun, &issuer.authorize(&begun.url));
    });
    status.unwrap();
}

#[test]
fn a_refusal_in_the_browser_ends_the_waiting() {
    let issuer = issuer();
    let keeper = issuer.device.in_real_time();
    let begun = start(&keeper);
    let state = asked(&begun.url)["state"].clone();
    let refused = while_it_waits(&keeper, &begun, || {
        let answer = format!("{}?error=access_denied&state={state}", begun.redirect_uri);
        assert!(visit(&begun, &answer).starts_with("HTTP/1.1 200"));
    });
    assert_eq!(refused.unwrap_err().kind(), Kind::LoginDenied);
    assert!(is_closed(&begun));
    nothing_is_left(&issuer);
}

#[test]
fn a_cancel_ends_the_waiting_at_once() {
    let issuer = issuer();
    let keeper = issuer.device.in_real_time();
    let begun = start(&keeper);
    let since = Instant::now();
    let ended = keeper.finish_browser_login(begun.handle, None, &cancel_after(300));
    assert_eq!(ended.unwrap_err().kind(), Kind::Cancelled);
    assert!(since.elapsed() < Duration::from_secs(2));
    wait_until(5, "somebody still listens", || is_closed(&begun));
    wait_until(5, "the note is still there", || notes(&issuer.device) == 0);
    nothing_is_left(&issuer);
}

#[test]
fn a_logout_in_another_process_ends_the_waiting() {
    let issuer = issuer();
    let keeper = issuer.device.in_real_time();
    let begun = start(&keeper);
    let ended = while_it_waits(&keeper, &begun, || {
        wait_until(5, "it has not begun", || notes(&issuer.device) == 1);
        log_out(&issuer.device);
    });
    assert_eq!(ended.unwrap_err().kind(), Kind::Cancelled);
    assert!(is_closed(&begun));
    nothing_is_left(&issuer);
}

#[test]
fn nobody_is_waited_for_longer_than_five_minutes() {
    let issuer = issuer();
    // Its clock does not wait.
    let begun = start(&issuer.device);
    assert_eq!(wait(&issuer.device, &begun).unwrap_err().kind(), Kind::CodeExpired);
    let waited: Duration = issuer.device.clock.waits().iter().sum();
    assert_eq!(waited.as_secs(), 300);
    assert!(is_closed(&begun));
    nothing_is_left(&issuer);
}

#[test]
fn two_logins_listen_at_places_of_their_own() {
    let issuer = issuer();
    let keeper = issuer.device.in_real_time();
    let (first, second) = (start(&keeper), start(&keeper));
    assert_ne!(first.redirect_uri, second.redirect_uri);
    let one = issuer.authorize(&first.url);
    let mixed_up = one.replace(&first.redirect_uri, &second.redirect_uri);
    let status = while_it_waits(&keeper, &second, || {
        assert!(visit(&second, &mixed_up).starts_with("HTTP/1.1 400"));
        visit(&second, &issuer.authorize(&second.url));
    });
    status.unwrap();
    assert!(is_closed(&second) && !is_closed(&first));
    // Its browser was on another machine: the address was pasted.
    let pasted = sessionkeeper::secret::Secret::new(one);
    keeper.finish_browser_login(first.handle, Some(&pasted), &never()).unwrap();
    assert!(is_closed(&first));
}

#[test]
fn what_nobody_waits_for_is_closed() {
    let issuer = issuer();
    let begun: Vec<_> = (0..9).map(|_| start(&issuer.device)).collect();
    assert!(is_closed(&begun[0]) && !is_closed(&begun[1]), "eight are kept");
    issuer.device.pass(300);
    let newest = start(&issuer.device);
    assert!(begun.iter().all(is_closed) && !is_closed(&newest));
}

/// The port that the service was told is used, and nobody else's login disturbed there.
#[test]
fn a_fixed_port_is_used_by_one_login_at_a_time() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let uri = format!("http://127.0.0.1:{free}/callback");
    let login = format!("flow = \"authorization_code\"\nredirect_uris = [\"{uri}\"]");
    let issuer = Issuer::for_browsers(&login);
    let keeper = issuer.device.in_real_time();
    let begun = start(&keeper);
    assert_eq!(begun.redirect_uri, uri);
    let second = keeper.start_browser_login(Redirect::Loopback, &never());
    let error = second.err().unwrap();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.hint().contains("Paste"), "{}", error.hint());
    let status = while_it_waits(&keeper, &begun, || {
        visit(&begun, &issuer.authorize(&begun.url));
    });
    status.unwrap();
}

pub fn victim(keeper: &Keeper) {
    let begun = start(keeper);
    println!("\n{} {}", begun.redirect_uri, begun.url);
    let _ = wait(keeper, &begun);
}

#[test]
fn a_process_that_is_killed_leaves_nothing() {
    // While it waits for the browser, and while it waits for the tokens.
    for has_code in [false, true] {
        let issuer = issuer();
        let device = &issuer.device;
        issuer.always("/token", vec![Step::Stall]);
        let mut victim = child::spawn("real browser victim", device);
        let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let line = lines.find_map(|line| line.ok().filter(|line| line.contains("/authorize?")));
        let line = line.unwrap();
        let (uri, url) = line.split_once(' ').unwrap();
        let begun = BegunInBrowser {
            handle: 0,
            url: url.to_owned(),
            redirect_uri: uri.to_owned(),
            expires_at: 0,
        };
        wait_until(10, "it has not begun", || notes(device) == 1);
        if has_code {
            visit(&begun, &issuer.authorize(&begun.url));
            wait_until(10, "nobody asks", || !issuer.requests("/token").is_empty());
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
        assert!(is_closed(&begun));
        assert_eq!(state(device), State::SignedOut);
        drain(device);
        nothing_is_left(&issuer);
        let trail = device.audit(10).unwrap();
        assert!(trail.iter().any(|line| line.detail.contains("before the service had answered")));
        // What it had begun serves nobody else.
        let pasted = sessionkeeper::secret::Secret::new(issuer.authorize(&begun.url));
        let ended = device.finish_browser_login(1, Some(&pasted), &never());
        assert_eq!(ended.unwrap_err().kind(), Kind::InvalidInput);
    }
}
