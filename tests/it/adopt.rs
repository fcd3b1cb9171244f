//! Sessions from elsewhere: checked at the server, stored as a login is, and never ended by being
//! taken over.

use crate::child;
use crate::fixture::{Device, ask, drain, log_out, never, noted, pending, state, told, wait_until};
use crate::issuer::{Issuer, json_answer, refusal, text_answer};
use crate::server::{Step, answering};
use crate::service::{Service, log_in, probe, signed_in, without_renewal};
use serde_json::{Value, json};
use sessionkeeper::cookies::GivenCookie;
use sessionkeeper::error::{Kind, Result};
use sessionkeeper::keeper::{HandedOver, Keeper, Local, State, Status};
use sessionkeeper::secret::Secret;
use sessionkeeper::session::Outcome;

pub fn cookie(name: &str, value: &str, domain: &str) -> GivenCookie {
    let (name, domain, path) = (name.to_owned(), domain.to_owned(), String::new());
    GivenCookie { name, value: Secret::new(value), domain, path, expires: None }
}

pub fn cookies(cookies: Vec<GivenCookie>) -> HandedOver {
    HandedOver { cookies, ..HandedOver::default() }
}

pub fn tokens(tokens: Value) -> HandedOver {
    let Value::Object(tokens) = tokens else { panic!("not an object") };
    HandedOver { tokens, ..HandedOver::default() }
}

/// What another program of the same user's holds, by name alone.
pub fn held_by(other: &Keeper) -> HandedOver {
    let all = other.credentials(None).unwrap().cookies;
    cookies(all.iter().map(|(name, value)| cookie(name, value, "")).collect())
}

fn adopt(keeper: &Keeper, adoption: &HandedOver) -> Result<Status> {
    keeper.adopt(adoption, &never())
}

/// Nothing is stored, nothing is sent to end anything, and nothing secret is said.
fn assert_untouched(service: &Service, device: &Device, live: usize) {
    assert_eq!((state(device), pending(device)), (State::SignedOut, 0));
    assert!(device.schedule().unwrap().drain_at.is_none());
    assert_eq!(service.requests("/logout").len(), 0);
    assert_eq!(service.live_sessions(), live);
    assert!(device.take_log().iter().all(|(_, line)| !line.contains("canary")));
}

#[test]
fn a_session_from_elsewhere_is_renewed_stored_and_logged_out_for_real() {
    let (service, other) = signed_in();
    let device = service.device();
    let status = adopt(&device, &held_by(&other)).unwrap();
    assert_eq!((status.state, status.account.unwrap().id.as_str()), (State::SignedIn, "acc-1"));
    assert_eq!((service.renewals(), service.live_sessions()), (1, 1));
    assert_eq!((noted(&device, "adopted"), noted(&device, "login")), (1, 0));
    assert_eq!(told(&device, "login"), 1, "for others it is a login");
    let keeper = device.restarted();
    assert_eq!(ask(&keeper).unwrap(), 200);
    let fresh = keeper.credentials(None).unwrap().token;
    assert_ne!(fresh, other.credentials(None).unwrap().token, "the renewed one is stored");
    assert_eq!(log_out(&keeper).remote, Outcome::Revoked);
    assert_eq!(service.live_sessions(), 0);
}

#[test]
fn a_session_that_is_over_is_not_stored() {
    let (service, other) = signed_in();
    let (device, held) = (service.device(), held_by(&other));
    service.end_all();
    let error = adopt(&device, &held).unwrap_err();
    assert_eq!(error.kind(), Kind::SessionExpired);
    assert!(error.message().contains("not valid any more"), "{error}");
    assert_untouched(&service, &device, 0);
    let trail = device.audit(10).unwrap();
    let last = trail.last().unwrap();
    assert_eq!((&*last.event, &*last.outcome), ("adopted", "session_expired"));
}

#[test]
fn without_an_answer_nothing_is_stored_and_another_time_will_do() {
    let (service, other) = signed_in();
    let (device, held) = (service.device(), held_by(&other));
    for (steps, kind) in [
        (vec![Step::Reset], "network_error"),
        (answering("503 Service Unavailable", "", ""), "unexpected_answer"),
    ] {
        service.next("/login", [steps]);
        assert_eq!(adopt(&device, &held).unwrap_err().code(), kind);
        assert_untouched(&service, &device, 1);
    }
    assert_eq!(adopt(&device, &held).unwrap().state, State::SignedIn);
    assert_eq!(service.live_sessions(), 1);
}

#[test]
fn what_comes_again_is_not_asked_for_again_nor_ended() {
    let (service, other) = signed_in();
    let (device, held) = (service.device(), held_by(&other));
    adopt(&device, &held).unwrap();
    let asked = service.journal().len();
    let again = device.restarted();
    assert_eq!(adopt(&again, &held).unwrap().state, State::SignedIn);
    assert_eq!(service.journal().len(), asked, "it was known");
    // The same session with another token: the other program has renewed it.
    other.renew(&never()).unwrap();
    assert_eq!(adopt(&again, &held_by(&other)).unwrap().state, State::SignedIn);
    assert_eq!((service.live_sessions(), pending(&again)), (1, 0));
    assert_eq!((again.accounts(false).unwrap().accounts.len(), ask(&again).unwrap()), (1, 200));
}

#[test]
fn it_takes_the_place_of_another_session_of_the_same_account() {
    let (service, other) = signed_in();
    let device = service.device();
    log_in(&device);
    assert_eq!(service.live_sessions(), 2);
    adopt(&device, &held_by(&other)).unwrap();
    assert_eq!((service.live_sessions(), pending(&device)), (1, 0));
    assert_eq!((ask(&device).unwrap(), noted(&device, "revoked")), (200, 1));
}

#[test]
fn a_logout_meanwhile_wins_and_ends_nothing_that_is_another_s() {
    let (service, other) = signed_in();
    let device = service.device();
    log_in(&device);
    service.next("/login", [vec![Step::Usual(std::time::Duration::from_millis(600))]]);
    let asked = service.requests("/login").len();
    std::thread::scope(|scope| {
        let adopting = scope.spawn(|| adopt(&device, &held_by(&other)));
        wait_until(10, "nobody checks", || service.requests("/login").len() > asked);
        assert_eq!(log_out(&device).local, Local::Cleared);
        assert_eq!(adopting.join().unwrap().unwrap_err().kind(), Kind::Cancelled);
    });
    assert_eq!((state(&device), pending(&device)), (State::SignedOut, 0));
    assert_eq!(ask(&other).unwrap(), 200, "the copy is as good as before");
}

#[test]
fn cookies_of_strangers_are_left_out_without_a_word_of_their_values() {
    let (service, other) = signed_in();
    let device = service.device();
    let strange = || {
        vec![
            cookie("theirs", "a-canary", ".example.org"),
            cookie("remember", "b-canary", "evil127.0.0.1"),
            cookie("remember", "c-canary\r\nX: y", "127.0.0.1"),
            cookie("re;member", "d-canary", "127.0.0.1"),
            cookie("", "e-canary", "127.0.0.1"),
            cookie("remember", &"f-canary".repeat(600), "127.0.0.1"),
        ]
    };
    let error = device.logged(|| adopt(&device, &cookies(strange()))).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.hint().contains("jwt_v2, remember"), "{}", error.hint());
    let log = device.take_log();
    assert_eq!(log.iter().filter(|(_, line)| line.contains("left out")).count(), 6);
    assert!(log.iter().all(|(_, line)| !line.contains("canary")), "{log:?}");
    assert_untouched(&service, &device, 1);
    let mut held = held_by(&other);
    held.cookies.extend(strange());
    assert_eq!(adopt(&device, &held).unwrap().cookies.len(), 4);
    assert!(!service.journal().iter().any(|seen| seen.text.contains("a-canary")));
}

#[test]
fn whose_account_it_is_is_asked_before_anything_is_renewed() {
    let (service, other) = signed_in();
    let asks = format!("\n[account]\nurl = '{}'\nid = '/me'\n", service.url("/me"));
    let device = service.device_with(|text| text + &asks);
    let status = adopt(&device, &held_by(&other)).unwrap();
    assert_eq!((status.account.unwrap().id.as_str(), service.renewals()), ("1", 0));
    // One that is refused there may have a token that is over: what renews it decides.
    let second = service.device_with(|text| text + &asks);
    service.next("/me", [answering("401 Unauthorized", "", "")]);
    adopt(&second, &held_by(&other)).unwrap();
    assert_eq!(service.renewals(), 1);
    let third = service.device_with(|text| without_renewal(&text) + &asks);
    let held = held_by(&other);
    service.end_all();
    assert_eq!(adopt(&third, &held).unwrap_err().kind(), Kind::SessionExpired);
    assert_untouched(&service, &third, 0);
}

#[test]
fn the_probe_of_the_logout_tells_where_nothing_else_does() {
    let (service, other) = signed_in();
    let probes = |text: String| without_renewal(&text) + &probe(service.url("/me"));
    let (device, held) = (service.device_with(probes), held_by(&other));
    service.next("/me", [answering("503 Service Unavailable", "", "")]);
    assert_eq!(adopt(&device, &held).unwrap_err().kind(), Kind::UnexpectedAnswer);
    assert_untouched(&service, &device, 1);
    assert_eq!(adopt(&device, &held).unwrap().state, State::SignedIn);
    let second = service.device_with(probes);
    service.end_all();
    assert_eq!(adopt(&second, &held).unwrap_err().kind(), Kind::SessionExpired);
    assert_untouched(&service, &second, 0);
}

#[test]
fn what_nobody_can_check_is_taken_at_its_word_or_not_at_all() {
    let (service, other) = signed_in();
    let device = service.device_with(|text| without_renewal(&text));
    let held = held_by(&other);
    assert_eq!(adopt(&device, &held).unwrap().state, State::SignedIn);
    let trail = device.audit(10).unwrap();
    let line = trail.iter().find(|line| line.event == "adopted").unwrap();
    assert_eq!(line.outcome, "unchecked");
    // The same as a token: it goes where the login would have put it.
    let token = other.credentials(None).unwrap().token;
    let second = service.device_with(|text| without_renewal(&text));
    let given = tokens(json!({ "access_token": token }));
    assert_eq!(adopt(&second, &given).unwrap().cookies, ["jwt_v2"]);
    assert_eq!(second.credentials(None).unwrap().cookies["jwt_v2"], token);
    // One that says of itself that it is over, and one that says nothing.
    let third = service.device_with(|text| without_renewal(&text));
    let opaque = tokens(json!({ "access_token": "opaque" }));
    assert_eq!(adopt(&third, &opaque).unwrap_err().kind(), Kind::InvalidInput);
    third.advance(2 * 86_400);
    assert_eq!(adopt(&third, &given).unwrap_err().kind(), Kind::SessionExpired);
    assert_untouched(&service, &third, 1);
}

// Tokens that serve once

#[test]
fn a_token_that_serves_once_is_exchanged_and_the_new_one_is_kept() {
    let issuer = Issuer::start();
    let given = tokens(json!({ "refresh_token": "handed-over", "scope": "openid" }));
    let status = adopt(&issuer.device, &given).unwrap();
    assert_eq!((status.state, status.renewable), (State::SignedIn, true));
    assert_eq!(status.account.unwrap().id, "u1");
    // Again, as after a crash before the caller could delete it: a server that sees it twice ends
    // the session (RFC 9700 section 4.14.2).
    adopt(&issuer.device.restarted(), &given).unwrap();
    assert_eq!(issuer.sent(), ["handed-over"]);
    issuer.renew().unwrap();
    assert_eq!(issuer.sent(), ["handed-over", "refresh-1"]);
}

#[test]
fn a_token_that_serves_once_is_not_used_up_where_the_access_token_will_do() {
    let issuer = Issuer::start();
    issuer.always("/userinfo", json_answer(200, &json!({ "sub": "u1", "email": "a@b.example" })));
    let given =
        json!({ "access_token": "a", "refresh_token": "r", "expires_at": 4_102_444_800_i64 });
    let status = adopt(&issuer.device, &tokens(given)).unwrap();
    assert_eq!(status.account.unwrap().email, "a@b.example");
    assert_eq!(issuer.sent(), Vec::<String>::new());
    let seen = issuer.requests("/userinfo");
    assert_eq!(seen[0].header("authorization"), Some("Bearer a"));
}

#[test]
fn a_token_that_was_refused_or_got_lost_is_left_to_who_handed_it_over() {
    let issuer = Issuer::start();
    let given = tokens(json!({ "refresh_token": "handed-over" }));
    for (steps, code) in [
        (refusal("invalid_grant"), "session_expired"),
        (vec![Step::Reset], "network_error"),
        (text_answer(503, "text/plain", ""), "unexpected_answer"),
    ] {
        issuer.next("/token", [steps]);
        assert_eq!(adopt(&issuer.device, &given).unwrap_err().code(), code);
        assert_eq!((state(&issuer.device), pending(&issuer.device)), (State::SignedOut, 0));
    }
    assert_eq!(issuer.requests("/revoke").len(), 0);
}

#[test]
fn a_token_that_the_server_has_exchanged_is_ours_to_end() {
    let issuer = Issuer::start();
    // Whose it is, is told wrongly: the login is none, and what it came with has to go.
    issuer.always("/userinfo", json_answer(200, &json!({ "sub": "somebody else" })));
    issuer.next("/token", [issuer.tokens(&json!({ "id_token": { "email": null } }))]);
    let given = tokens(json!({ "refresh_token": "handed-over" }));
    assert_eq!(adopt(&issuer.device, &given).unwrap_err().kind(), Kind::UnexpectedAnswer);
    drain(&issuer.device);
    let revoked = issuer.requests("/revoke");
    assert!(revoked.iter().any(|seen| seen.form["token"] == "refresh-1"), "{revoked:?}");
    assert_eq!(state(&issuer.device), State::SignedOut);
}

// Killed

pub fn adoption_victim(keeper: &Keeper) {
    let given = std::env::var("CHILD_GIVEN").unwrap();
    let given: Value = serde_json::from_str(&given).unwrap();
    let listed = given["cookies"].as_object().into_iter().flatten();
    let listed = listed.map(|(name, value)| cookie(name, value.as_str().unwrap(), "")).collect();
    let tokens = given["tokens"].as_object().cloned().unwrap_or_default();
    adopt(keeper, &HandedOver { cookies: listed, tokens }).unwrap();
}

#[test]
fn one_that_is_killed_ends_nothing_and_is_taken_over_later() {
    let (service, other) = signed_in();
    let device = service.device();
    let held = other.credentials(None).unwrap().cookies;
    service.always("/login", vec![Step::Stall]);
    let mut victim = child::spawn_with("adoption victim", &device, &json!({ "cookies": held }));
    wait_until(10, "nobody checks", || {
        !service.requests("/login").is_empty() && service.renewals() > 0
    });
    victim.kill().unwrap();
    victim.wait().unwrap();
    service.as_usual("/login");
    let keeper = device.restarted();
    let drained = drain(&keeper);
    assert_eq!((drained.revoked, drained.entries.len(), service.live_sessions()), (0, 0, 1));
    let trail = keeper.audit(10).unwrap();
    let told = trail.iter().find(|line| line.event == "adopted").unwrap();
    assert!(told.detail.contains("still has it"), "{}", told.detail);
    assert_eq!(adopt(&keeper, &held_by(&other)).unwrap().state, State::SignedIn);
    assert_eq!((service.live_sessions(), pending(&keeper)), (1, 0));
}

#[test]
fn what_the_server_had_exchanged_when_it_was_killed_is_ended() {
    let issuer = Issuer::start();
    issuer.always("/userinfo", vec![Step::Stall]);
    issuer.next("/token", [issuer.tokens(&json!({ "id_token": { "email": null } }))]);
    let given = json!({ "tokens": { "refresh_token": "handed-over" } });
    let mut victim = child::spawn_with("adoption victim", &issuer.device, &given);
    wait_until(10, "nobody checks", || !issuer.requests("/userinfo").is_empty());
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert_eq!(drain(&issuer.device.restarted()).entries.len(), 0);
    let revoked = issuer.requests("/revoke");
    assert!(revoked.iter().any(|seen| seen.form["token"] == "refresh-1"), "{revoked:?}");
}

#[test]
fn the_server_s_own_cookie_takes_the_place_of_one_that_was_only_supposed() {
    let (service, other) = signed_in();
    let device = service.device();
    let mut held = held_by(&other);
    held.cookies.retain(|cookie| cookie.name == "remember");
    // As the server sets it at its own path, where a copy at "/" would outlive its deletion.
    let deep = "HTTP/1.1 200 OK\r\nSet-Cookie: jwt_v2=e30.e30.s; Path=/\r\n\
        Set-Cookie: remember=1-new; Path=/logout; Max-Age=99\r\n\r\n";
    service.next("/login", [vec![Step::Send(deep.into())]]);
    adopt(&device, &held).unwrap();
    log_out(&device);
    let sent = service.requests("/logout")[0].header("cookie").unwrap().to_owned();
    assert!(!sent.contains("remember=1-remember-canary"), "{sent}");
    assert!(sent.contains("remember=1-new"), "{sent}");
}
