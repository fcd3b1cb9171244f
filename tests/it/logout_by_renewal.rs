//! Logouts whose end only a renewal shows, because a dead session cannot be renewed: how often one
//! is made, when it is made first, and what it proves.

use crate::fixture::{Device, ask, drain, log_out, never, noted, pending};
use crate::server::{Seen, answering};
use crate::service::{Service, log_in, proved_by_renewal, session_list};
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::LogoutOptions;
use sessionkeeper::session::Outcome;

/// The service without a proof for its logout, but for a renewal that is refused.
fn signed_in() -> (Service, Device) {
    let service = Service::start();
    let device = signed_in_at(&service);
    (service, device)
}

fn signed_in_at(service: &Service) -> Device {
    let device = service.device_with(|text| proved_by_renewal(&text));
    log_in(&device);
    device
}

/// Where the logout went since the login, in order: the renewals' page and the logout's.
fn ways(service: &Service) -> String {
    let paths = service.journal().into_iter().filter(|seen| seen.header("cookie").is_some());
    let ways = paths.map(|seen| match seen.path.as_str() {
        "/login" => "r",
        "/logout" => "l",
        _ => "",
    });
    ways.collect()
}

fn settled(device: &Device) -> bool {
    device.outbox().unwrap().entries[0].next_attempt_at.is_none()
}

#[test]
fn a_renewal_that_is_refused_after_one_that_was_granted_proves_the_end() {
    let (service, device) = signed_in();
    assert_eq!(log_out(&device).remote, Outcome::Revoked);
    assert_eq!(ways(&service), "rlr");
    assert_eq!((service.live_sessions(), pending(&device), noted(&device, "revoked")), (0, 0, 1));
}

#[test]
fn a_session_that_was_over_is_not_logged_out_and_cannot_be_proved_dead() {
    let (service, device) = signed_in();
    service.end_all();
    // A page that asks for a password may ask anybody: no renewal was granted before.
    assert_eq!(log_out(&device).remote, Outcome::Unconfirmed);
    assert_eq!(ways(&service), "rlr");
    assert!(settled(&device), "neither the logout nor the renewal can say more");
    assert_eq!((drain(&device).unconfirmed, ways(&service).as_str()), (0, "rlr"));
}

#[test]
fn a_server_that_renews_and_does_not_end_is_not_asked_for_ever() {
    let (service, device) = signed_in();
    service.always("/logout", answering("200 OK", "", "bye"));
    assert_eq!(log_out(&device).remote, Outcome::Alive);
    assert_eq!(ways(&service), "rlrlrl");
    assert_eq!(drain(&device).alive, 1);
    assert_eq!(ways(&service), "rlrlrllrlrl", "the second try begins with the logout");
    assert_eq!(service.renewals(), 5);
    assert!(settled(&device), "no more renewals are made, and the logout is answered the same");
    assert_eq!((drain(&device).alive, ways(&service).len()), (0, 11));
}

#[test]
fn a_renewal_that_fails_does_not_keep_the_logout_from_being_sent_and_proves_nothing() {
    let (service, device) = signed_in();
    service.next("/login", [answering("503 Service Unavailable", "", "")]);
    assert_eq!(log_out(&device).remote, Outcome::Unconfirmed);
    assert_eq!((ways(&service).as_str(), service.live_sessions()), ("rlr", 0));
    let (service, device) = signed_in();
    service.next("/login", [vec![]]);
    assert_eq!(log_out(&device).remote, Outcome::Unconfirmed);
    assert_eq!((ways(&service).as_str(), service.live_sessions()), ("rlr", 0));
}

#[test]
fn what_a_renewal_brings_is_kept_for_the_next_try() {
    let (service, device) = signed_in();
    service.next("/logout", [vec![]]);
    let report = log_out(&device);
    assert_eq!(report.remote, Outcome::Deferred);
    assert_eq!(ways(&service), "rl");
    let token = |seen: &Seen| {
        let cookies = seen.header("cookie").unwrap().to_owned();
        cookies.split("; ").find(|pair| pair.starts_with("jwt_v2=")).unwrap().to_owned()
    };
    assert_eq!(drain(&device.restarted()).revoked, 1);
    let logouts = service.requests("/logout");
    let renewals = service.requests("/login");
    assert_eq!(ways(&service), "rllr", "one renewal was granted already");
    assert_eq!(token(&logouts[0]), token(&logouts[1]));
    assert_ne!(
        token(renewals.iter().find(|seen| seen.header("cookie").is_some()).unwrap()),
        token(&logouts[0])
    );
}

/// The same, where the service lists the account's sessions too.
fn listing() -> (Service, Device) {
    let service = Service::start();
    let list = session_list(&service);
    let device = service.device_with(|text| proved_by_renewal(&text) + &list);
    log_in(&device);
    (service, device)
}

#[test]
fn other_sessions_are_counted_once_however_often_the_logout_is_sent() {
    let (service, device) = listing();
    let list = |ids: &str| answering("200 OK", "", &format!("{{\"all\": [{ids}]}}"));
    service.next("/sessions", [list("{\"id\": 1}, {\"id\": 2}")]);
    service.always("/sessions", list("{\"id\": 2}"));
    service.always("/sessions/1", answering("204 No Content", "", ""));
    service.always("/sessions/2", answering("403 Forbidden", "", ""));
    service.always("/logout", answering("200 OK", "", "bye"));
    let options = LogoutOptions { everywhere: true, ..LogoutOptions::default() };
    let report = device.log_out(&options, &never()).unwrap();
    assert_eq!((report.remote, report.sessions_ended), (Outcome::Alive, Some(1)));
    assert_eq!(service.requests("/sessions").len(), 3);
}

#[test]
fn what_was_over_already_is_said_and_cannot_end_the_others() {
    for everywhere in [true, false] {
        let (service, device) = listing();
        device.renew(&never()).unwrap();
        service.end_all();
        let options = LogoutOptions { everywhere, ..LogoutOptions::default() };
        let report = device.log_out(&options, &never()).unwrap();
        let (expected, ended) =
            if everywhere { (Outcome::Deferred, Some(1)) } else { (Outcome::AlreadyEnded, None) };
        assert_eq!((report.remote, report.sessions_ended), (expected, ended), "{}", report.reason);
        assert!(service.requests("/logout").is_empty());
    }
}

#[test]
fn a_refused_renewal_leaves_nothing_to_tell_where_it_proves_the_end() {
    for (was_renewed, is_proof) in [(true, true), (true, false), (false, true), (false, false)] {
        let service = Service::start();
        let device = if is_proof { signed_in_at(&service) } else { service.device() };
        if !is_proof {
            log_in(&device);
        }
        if was_renewed {
            device.renew(&never()).unwrap();
        }
        service.end_all();
        assert_eq!(ask(&device).unwrap_err().kind(), Kind::SessionExpired);
        assert_eq!(pending(&device), u64::from(!(was_renewed && is_proof)));
    }
}
