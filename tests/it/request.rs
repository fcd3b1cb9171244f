//! An add-on's own requests through the session.

use crate::fixture::{MAX_BODY, ask, get, never, request, state, told};
use crate::server::{Step, answer, answering, slowly};
use crate::service::{Service, log_in, probe, signed_in, without_renewal};
use sessionkeeper::error::{Fault, Kind, Result};
use sessionkeeper::keeper::{Keeper, Outgoing, Received, State};
use sessionkeeper::wire::Bytes;
use std::net::TcpListener;
use std::time::{Duration, Instant};

#[test]
fn requests_go_to_the_providers_hosts_only() {
    let (_service, device) = signed_in();
    let other = Service::start();
    let elsewhere = [other.url("/me").as_str(), "https://example.com/", "file:///etc/passwd"]
        .map(|url| (url.to_owned(), Kind::HostNotAllowed));
    let cases = elsewhere.into_iter().chain([("not an address".into(), Kind::InvalidInput)]);
    for (url, kind) in cases {
        assert_eq!(get(&device, &url).unwrap_err().kind(), kind, "{url}");
    }
    assert!(other.journal().is_empty());
}

#[test]
fn a_session_that_somebody_ended_is_noticed_and_told_once() {
    let (service, device) = signed_in();
    service.end_all();
    for kind in [Kind::SessionExpired, Kind::NotSignedIn] {
        assert_eq!(ask(&device).unwrap_err().kind(), kind);
    }
    assert_eq!(told(&device, "session_expired"), 1);
    assert_eq!(state(&device), State::SignedOut);
}

#[test]
fn one_address_that_refuses_is_not_the_end_of_the_session() {
    let service = Service::start();
    let me = probe(service.url("/me"));
    let device = service.device_with(|text| without_renewal(&text) + &me);
    log_in(&device);
    service.always("/editors-only", answering("401 Unauthorized", "", "not you"));
    for _ in 0..2 {
        let refused = request(&device, service.url("/editors-only").as_str());
        assert_eq!((refused.status, refused.body.as_slice()), (401, &b"not you"[..]));
        assert!(refused.session_over.is_none());
    }
    assert_eq!(state(&device), State::SignedIn);
    assert_eq!(told(&device, "session_expired"), 0);
    assert_eq!(ask(&device).unwrap(), 200);
}

#[test]
fn what_got_no_credential_says_nothing_of_the_session() {
    let service = Service::start();
    let port = service.port();
    let device = service.device_with(|text| {
        let hosts = format!("hosts = [\"127.0.0.1:{port}\"]\n\n[session]");
        let both = format!("hosts = [\"127.0.0.1:{port}\", \"localhost:{port}\"]\n\n[session]");
        without_renewal(&text.replace(&hosts, &both))
    });
    log_in(&device);
    // Neither the cookies nor the token are for this host.
    let refused = request(&device, &format!("http://localhost:{port}/me"));
    assert_eq!((refused.status, refused.session_over.is_some()), (401, false));
    assert!(service.requests("/me")[0].header("cookie").is_none());
    assert_eq!(state(&device), State::SignedIn);
}

#[test]
fn the_answer_that_shows_the_end_is_handed_over() {
    for has_probe in [true, false] {
        let service = Service::start();
        let more = if has_probe { probe(service.url("/me")) } else { String::new() };
        let device = service.device_with(|text| without_renewal(&text) + &more);
        log_in(&device);
        service.end_all();
        service.always("/film", answering("401 Unauthorized", "", "who are you?"));
        let refused = request(&device, service.url("/film").as_str());
        assert_eq!((refused.status, refused.body.as_slice()), (401, &b"who are you?"[..]));
        assert_eq!(refused.session_over.unwrap().kind(), Kind::SessionExpired);
        assert_eq!((state(&device), told(&device, "session_expired")), (State::SignedOut, 1));
    }
}

#[test]
fn an_answer_is_handed_over_though_the_renewal_failed() {
    let (service, device) = signed_in();
    service.always("/film", answering("401 Unauthorized", "", "who are you?"));
    service.always("/login", answering("503 Service Unavailable", "", ""));
    let refused = request(&device, service.url("/film").as_str());
    assert_eq!((refused.status, refused.body.as_slice()), (401, &b"who are you?"[..]));
    assert!(refused.session_over.is_none());
    assert_eq!(state(&device), State::SignedIn);
}

/// A request that takes what it says, and how long it took.
fn timed(keeper: &Keeper, outgoing: &Outgoing) -> (Result<Received>, Duration) {
    let start = Instant::now();
    (keeper.request(outgoing, &never()), start.elapsed())
}

fn getting(url: impl AsRef<str>) -> Outgoing {
    Outgoing::new("GET", url.as_ref())
}

#[test]
fn a_deadline_holds_however_slowly_the_server_drips() {
    let (service, device) = signed_in();
    let drip = |bytes: Vec<u8>| Step::Drip(bytes, Duration::from_millis(50));
    service.always("/head", vec![drip(answer("200 OK", "", "never"))]);
    let head = answer("200 OK", "", &"x".repeat(99));
    service.always("/body", vec![Step::Send(head[..head.len() - 99].into()), drip(vec![b'x'; 99])]);
    service.always("/chain", vec![Step::Usual(Duration::from_millis(300))]);
    service.next("/chain", vec![answering("302 Found", "Location: /head", "")]);
    for path in ["/head", "/body", "/chain"] {
        let timeout = Some(Duration::from_millis(500));
        let outgoing = Outgoing { timeout, ..getting(service.url(path)) };
        let (result, took) = timed(&device, &outgoing);
        assert_eq!(result.unwrap_err().kind(), Kind::Network(Fault::Timeout), "{path}");
        assert!((400..900).contains(&took.as_millis()), "{path}: {took:?}");
    }
}

#[test]
fn a_deadline_counts_the_renewal_and_the_vault_as_well() {
    let (service, device) = signed_in();
    service.always("/login", slowly(1500));
    let timeout = Some(Duration::from_millis(400));
    let outgoing = Outgoing { timeout, ..getting(service.url("/me")) };
    device.advance(86_400 - 1800);
    let (result, took) = timed(&device, &outgoing);
    assert_eq!(result.unwrap_err().kind(), Kind::Network(Fault::Timeout));
    assert!(took < Duration::from_millis(900), "{took:?}");
    assert!(service.requests("/me").is_empty());
    // The renewal goes on by itself, and serves the next request.
    std::thread::sleep(Duration::from_millis(1600));
    assert_eq!(ask(&device).unwrap(), 200);
    assert_eq!(service.renewals(), 1);
    let _lock = device.lock_vault("BEGIN EXCLUSIVE");
    let (result, took) = timed(&device.restarted(), &outgoing);
    assert!(result.is_err());
    assert!(took < Duration::from_millis(900), "{took:?}");
}

#[test]
fn a_deadline_may_be_later_than_the_keepers_own() {
    let (service, device) = signed_in();
    service.always("/me", slowly(2300));
    assert_eq!(ask(&device).unwrap_err().kind(), Kind::Network(Fault::Timeout));
    let timeout = Some(Duration::from_secs(10));
    let outgoing = Outgoing { timeout, ..getting(service.url("/me")) };
    assert_eq!(device.request(&outgoing, &never()).unwrap().status, 200);
}

#[test]
fn a_connection_has_a_limit_of_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = listener.local_addr().unwrap();
    let service = Service::start();
    let device = service.device_with(|text| {
        let port = service.port();
        let hosts = format!("hosts = [\"127.0.0.1:{port}\"]\n\n[session]");
        let both = format!("hosts = [\"127.0.0.1:{port}\", \"{silent}\"]\n\n[session]");
        text.replace(&hosts, &both)
    });
    log_in(&device);
    // It takes the connection, and never says a word of TLS.
    let connect_timeout = Some(Duration::from_millis(200));
    let outgoing = Outgoing { connect_timeout, ..getting(format!("https://{silent}/")) };
    let (result, took) = timed(&device, &outgoing);
    let error = result.unwrap_err();
    assert_eq!(error.kind(), Kind::Network(Fault::Connect), "{error}");
    assert_eq!(error.message(), "127.0.0.1 could not be reached in time");
    assert!(took < Duration::from_millis(700), "{took:?}");
    // Once it stands, the limit is over.
    service.always("/me", slowly(600));
    let (result, took) =
        timed(&device, &Outgoing { connect_timeout, ..getting(service.url("/me")) });
    assert_eq!(result.unwrap().status, 200);
    assert!(took >= Duration::from_millis(600));
}

#[test]
fn a_redirect_is_handed_over_where_it_is_not_wanted() {
    let (service, device) = signed_in();
    let moved = "Location: /me\nSet-Cookie: seen=1; Path=/";
    service.always("/film", answering("302 Found", moved, "over there"));
    let outgoing = Outgoing { allow_redirects: false, ..getting(service.url("/film")) };
    let answer = device.request(&outgoing, &never()).unwrap();
    assert_eq!((answer.status, answer.reason), (302, "Found"));
    assert_eq!(answer.body, b"over there");
    assert!(answer.headers.contains(&("location".to_owned(), "/me".to_owned())));
    assert!(service.requests("/me").is_empty());
    assert!(device.status().unwrap().cookies.contains(&"seen".to_owned()));
    assert_eq!(request(&device, service.url("/film").as_str()).status, 200);
}

#[test]
fn a_body_is_sent_on_within_its_origin_alone() {
    let service = Service::start();
    let port = service.port();
    let device = service.device_with(|text| {
        let hosts = format!("hosts = [\"127.0.0.1:{port}\"]\n\n[session]");
        let both = format!("hosts = [\"127.0.0.1:{port}\", \"localhost:{port}\"]\n\n[session]");
        text.replace(&hosts, &both)
    });
    log_in(&device);
    service.always("/film", answering("200 OK", "", "seen"));
    let elsewhere = format!("http://localhost:{port}/film");
    let cases = [("307 Temporary Redirect", "POST"), ("308 Permanent Redirect", "PUT")];
    for (status, method) in cases {
        let body = Some(Bytes(b"film=1".to_vec().into()));
        let outgoing = Outgoing { body, ..Outgoing::new(method, service.url("/old").as_str()) };
        service.always("/old", answering(status, "Location: /film?token=canary", ""));
        assert_eq!(device.request(&outgoing, &never()).unwrap().body, b"seen");
        let location = format!("Location: {elsewhere}?token=canary");
        service.always("/old", answering(status, &location, ""));
        let error = device.request(&outgoing, &never()).unwrap_err();
        assert_eq!(error.kind(), Kind::UnexpectedAnswer);
        let to =
            format!("127.0.0.1 redirects a {method} to {elsewhere}, and it was not sent there");
        assert_eq!(error.message(), to);
    }
    let seen = service.requests("/film");
    let seen: Vec<_> =
        seen.iter().map(|seen| (seen.method.as_str(), seen.form["film"].as_str())).collect();
    assert_eq!(seen, [("POST", "1"), ("PUT", "1")]);
}

#[test]
fn a_caller_may_say_how_the_answer_is_to_be_packed() {
    let (service, device) = signed_in();
    let headers = vec![("Accept-Encoding".to_owned(), "identity".to_owned())];
    let outgoing = Outgoing { headers, ..getting(service.url("/me")) };
    assert_eq!(device.request(&outgoing, &never()).unwrap().status, 200);
    assert_eq!(ask(&device).unwrap(), 200);
    let sent: Vec<_> = service
        .requests("/me")
        .iter()
        .map(|seen| seen.header("accept-encoding").map(str::to_owned))
        .collect();
    assert_eq!(sent, [Some("identity".to_owned()), Some("gzip".to_owned())]);
}

#[test]
fn a_body_is_taken_up_to_the_keepers_longest() {
    let (service, device) = signed_in();
    service.always("/exact", answering("200 OK", "", &"x".repeat(MAX_BODY)));
    service.always("/longer", answering("200 OK", "", &"x".repeat(MAX_BODY + 1)));
    assert_eq!(request(&device, service.url("/exact").as_str()).body.len(), MAX_BODY);
    let error = device.request(&getting(service.url("/longer")), &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::UnexpectedAnswer);
    assert_eq!(error.message(), "the answer is larger than 3 MiB");
}

#[test]
fn usual_headers_go_along_and_a_requests_own_win() {
    let (service, device) = signed_in();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let keeper = device.with_headers(vec![pair("User-Agent", "film/1"), pair("X-A", "usual")]);
    let outgoing = Outgoing { headers: vec![pair("x-a", "own")], ..getting(service.url("/me")) };
    assert_eq!(keeper.request(&outgoing, &never()).unwrap().status, 200);
    assert_eq!(ask(&keeper).unwrap(), 200);
    let sent = |name: &str| -> Vec<_> {
        service.requests("/me").iter().map(|seen| seen.header(name).map(str::to_owned)).collect()
    };
    assert_eq!(sent("user-agent"), [Some("film/1".to_owned()), Some("film/1".to_owned())]);
    assert_eq!(sent("x-a"), [Some("own".to_owned()), Some("usual".to_owned())]);
    let headers = keeper.credentials(None).unwrap().headers;
    assert_eq!(headers.keys().collect::<Vec<_>>(), ["Authorization", "User-Agent", "X-A"]);
}

#[test]
fn what_the_session_sets_is_refused_and_nothing_sent() {
    let (service, device) = signed_in();
    for name in ["Authorization", "authorization", "Cookie", "Host", "Content-Length"] {
        let headers = vec![(name.to_owned(), "canary".to_owned())];
        let outgoing = Outgoing { headers: headers.clone(), ..getting(service.url("/me")) };
        let error = device.request(&outgoing, &never()).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput, "{name}");
        assert!(error.message().contains(&name.to_lowercase()), "{error}");
        assert!(error.hint().contains("Leave it out"), "{}", error.hint());
        assert!(!format!("{error}{}", error.hint()).contains("canary"));
        assert_eq!(device.try_with_headers(headers).err().unwrap().kind(), Kind::InvalidInput);
    }
    assert!(service.requests("/me").is_empty());
}

#[test]
fn an_answer_tells_whether_the_session_is_accepted() {
    let service = Service::start();
    let me = probe(service.url("/me"));
    let device = service.device_with(|text| without_renewal(&text) + &me);
    log_in(&device);
    let graphql =
        |errors: &str| answering("200 OK", "", &format!(r#"{{"data": 1, "errors": {errors}}}"#));
    let cases = [
        (answering("200 OK", "", "{}"), false),
        (answering("401 Unauthorized", "", ""), true),
        (answering("403 Forbidden", "", ""), false),
        (graphql(r#"[{"message": "You are Unauthenticated!"}]"#), true),
        (graphql(r#"[1, {"extensions": {"code": "UNAUTHENTICATED"}}]"#), true),
        (graphql(r#"[{"message": "no such film"}]"#), false),
        (graphql(r#"{"message": "unauthenticated"}"#), false),
        (answering("200 OK", "", r#"[[{"message": "unauthenticated"}]]"#), false),
        (answering("200 OK", "", r#"{"data": {"title": "unauthenticated"}}"#), false),
    ];
    for (steps, expected) in cases {
        service.always("/film", steps);
        let answer = request(&device, service.url("/film").as_str());
        assert_eq!(answer.is_unauthenticated, expected, "{}: {:?}", answer.status, answer.body);
        assert!(answer.session_over.is_none());
    }
}
