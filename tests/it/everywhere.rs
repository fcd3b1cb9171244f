//! A logout on all devices, where the service lists them: what is counted, what waits, what is said.

use crate::fixture::{Device, drain, never, pending};
use crate::server::{Steps, answering};
use crate::service::{Service, log_in, session_list};
use sessionkeeper::clock::Clock;
use sessionkeeper::keeper::{LogoutOptions, LogoutReport};
use sessionkeeper::session::Outcome;
use std::time::Duration;

const ENDED: (&str, &str) = ("204 No Content", "");

/// A service that answers the list with these sessions, and a device that is logged in there.
fn listing(sessions: &str) -> (Service, Device) {
    let service = Service::start();
    let list = session_list(&service);
    let device = service.device_with(|text| text + &list);
    log_in(&device);
    service.always("/sessions", answering("200 OK", "", &format!("{{\"all\": [{sessions}]}}")));
    (service, device)
}

fn ends(service: &Service, ids: &[&str], (status, headers): (&str, &str)) {
    for id in ids {
        service.always(&format!("/sessions/{id}"), answering(status, headers, ""));
    }
}

fn log_out(device: &Device) -> LogoutReport {
    let options = LogoutOptions { everywhere: true, ..LogoutOptions::default() };
    device.log_out(&options, &never()).unwrap()
}

const FOUR: &str =
    r#"{"id": "a", "here": true}, {"id": "b", "here": false}, {"id": 7}, {"id": "ü/ä"}"#;

#[test]
fn each_of_the_others_is_ended_and_counted_and_this_one_by_the_logout() {
    let (service, device) = listing(FOUR);
    ends(&service, &["b", "7", "%C3%BC%2F%C3%A4"], ENDED);
    let report = log_out(&device);
    assert_eq!((report.remote, report.sessions_ended), (Outcome::Revoked, Some(4)));
    let asked: Vec<_> = service.journal().into_iter().map(|seen| seen.path).collect();
    let first = asked.iter().position(|path| path == "/sessions").unwrap();
    let others = ["/sessions", "/sessions/b", "/sessions/7", "/sessions/%C3%BC%2F%C3%A4"];
    assert_eq!(asked[first..first + 4], others);
    assert_eq!(asked[first + 4..], ["/logout"], "the last, for it ends what the others need");
    assert_eq!((service.live_sessions(), pending(&device)), (0, 0));
}

#[test]
fn a_logout_here_leaves_the_others_alone() {
    let (service, device) = listing(FOUR);
    let report = device.log_out(&LogoutOptions::default(), &never()).unwrap();
    assert_eq!((report.remote, report.sessions_ended), (Outcome::Revoked, None));
    assert!(service.requests("/sessions").is_empty());
}

#[test]
fn one_that_the_server_does_not_end_is_said_and_this_one_is_ended_all_the_same() {
    let (service, device) = listing(FOUR);
    ends(&service, &["b", "7"], ENDED);
    ends(&service, &["%C3%BC%2F%C3%A4"], ("403 Forbidden", ""));
    let report = log_out(&device);
    let said = (report.remote, report.status, report.sessions_ended);
    assert_eq!(said, (Outcome::Unconfirmed, Some(403), Some(3)));
    assert_eq!((service.live_sessions(), pending(&device)), (0, 1));
}

#[test]
fn what_this_session_came_to_is_said_where_it_is_not_ended_itself() {
    let (service, device) = listing(FOUR);
    ends(&service, &["b", "7", "%C3%BC%2F%C3%A4"], ENDED);
    service.next("/logout", [answering("403 Forbidden", "", "")]);
    let report = log_out(&device);
    let said = (report.remote, report.status, report.sessions_ended);
    assert_eq!(said, (Outcome::Unconfirmed, Some(403), Some(3)));
    assert_eq!((drain(&device).revoked, service.live_sessions()), (1, 0));
}

#[test]
fn what_cannot_be_read_or_named_is_not_called_ended() {
    let many =
        |count| (0..count).map(|id| format!("{{\"id\": {id}}}")).collect::<Vec<_>>().join(",");
    for (name, sessions, asked, ended, outcome) in [
        ("many", many(200).as_str(), 200, 201, Outcome::Revoked),
        ("too many", many(201).as_str(), 200, 201, Outcome::Unconfirmed),
        ("one without an id", r#"{"here": false}"#, 0, 1, Outcome::Unconfirmed),
        ("an id that is a place", r#"{"id": ".."}"#, 0, 1, Outcome::Unconfirmed),
        ("an empty id", r#"{"id": ""}"#, 0, 1, Outcome::Unconfirmed),
    ] {
        let (service, device) = listing(sessions);
        let ids: Vec<_> = (0..asked).map(|id: i32| id.to_string()).collect();
        ends(&service, &ids.iter().map(String::as_str).collect::<Vec<_>>(), ENDED);
        let deadline = Some(Duration::from_secs(30));
        let options = LogoutOptions { everywhere: true, deadline, ..LogoutOptions::default() };
        let report = device.log_out(&options, &never()).unwrap();
        assert_eq!((report.remote, report.sessions_ended), (outcome, Some(ended)), "{name}");
        let paths = service.journal().into_iter().map(|seen| seen.path);
        let one_by_one = paths.filter(|path| path.starts_with("/sessions/")).count();
        assert_eq!(one_by_one, ids.len(), "{name}");
    }
    let (service, device) = listing("");
    service.always("/sessions", answering("200 OK", "", "<p>sessions</p>"));
    let report = log_out(&device);
    assert_eq!((report.remote, report.sessions_ended), (Outcome::Unconfirmed, Some(1)));
}

fn busy() -> Steps {
    answering("503 Service Unavailable", "Retry-After: 1234", "")
}

#[test]
fn a_list_that_is_not_to_be_had_now_is_waited_for_as_long_as_the_server_asks() {
    let (service, device) = listing(FOUR);
    ends(&service, &["b", "7", "%C3%BC%2F%C3%A4"], ENDED);
    service.next("/sessions", [busy()]);
    let report = log_out(&device);
    let said = (report.remote, report.status, report.sessions_ended);
    assert_eq!(said, (Outcome::Deferred, Some(503), Some(0)));
    assert!(service.requests("/logout").is_empty(), "this session is what the others end by");
    let next = device.outbox().unwrap().entries[0].next_attempt_at.unwrap();
    assert!(next >= device.clock.now() + 1234, "{next}");
    assert_eq!((drain(&device).revoked, service.live_sessions()), (1, 0));
}

#[test]
fn after_one_that_gives_no_answer_none_is_asked_and_those_before_stay_counted() {
    let (service, device) = listing(FOUR);
    ends(&service, &["b", "%C3%BC%2F%C3%A4"], ENDED);
    service.always("/sessions/7", vec![]);
    let report = log_out(&device);
    assert_eq!((report.remote, report.sessions_ended), (Outcome::Deferred, Some(1)));
    assert!(service.requests("/sessions/%C3%BC%2F%C3%A4").is_empty());
    assert!(service.requests("/logout").is_empty());
}

#[test]
fn in_the_end_this_session_does_not_wait_for_the_others() {
    let (service, device) = listing(FOUR);
    service.always("/sessions", busy());
    assert_eq!(log_out(&device).remote, Outcome::Deferred);
    for _ in 1..5 {
        assert_eq!(drain(&device).deferred, 1);
        assert!(service.requests("/logout").is_empty());
    }
    assert_eq!(drain(&device).deferred, 1, "the others are not ended");
    assert_eq!((service.requests("/logout").len(), service.live_sessions()), (1, 0));
}
