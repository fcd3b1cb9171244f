//! How often the token endpoint is asked while a code is waited for (RFC 8628 section 3.5).

use crate::fixture::{at_once, cancel_after, log_out, never, wait_until};
use crate::issuer::{Issuer, code, refusal, text_answer};
use crate::server::{Step, Steps};
use serde_json::{Value, json};
use sessionkeeper::error::Kind;
use std::time::{Duration, Instant};

/// What the server says of the code and then answers; how many seconds lie before each question;
/// and what that comes to.
type Case = (Value, Vec<Steps>, &'static [u64], Option<Kind>);

#[test]
fn the_server_is_asked_as_often_as_it_wants() {
    let pending = || refusal("authorization_pending");
    let slower = || refusal("slow_down");
    let silence = || vec![Step::Stall];
    let down = |status| text_answer(status, "text/html", "<h1>Sorry</h1>");
    let usual = || json!({});
    let cases: [Case; 14] = [
        (usual(), vec![pending(); 3], &[1, 1, 1, 1], None),
        (json!({ "interval": null }), vec![pending()], &[5, 5], None),
        // "the interval MUST be increased by 5 seconds for this and all subsequent requests"
        (usual(), vec![slower(), pending(), pending()], &[1, 6, 6, 6], None),
        (usual(), vec![slower(), slower()], &[1, 6, 11], None),
        // No answer, and none in time: twice as long each time.
        (usual(), vec![vec![]; 3], &[1, 2, 4, 8], None),
        (usual(), vec![silence(), silence()], &[1, 2, 4], None),
        (usual(), vec![silence(), slower()], &[1, 2, 7], None),
        (usual(), vec![down(503), pending()], &[1, 6, 6], None),
        (usual(), vec![down(429)], &[1, 6], None),
        // The code's life ends in the last second.
        (json!({ "expires_in": 1 }), vec![], &[1], Some(Kind::CodeExpired)),
        (json!({ "expires_in": 3 }), vec![pending(); 2], &[1, 1, 1], Some(Kind::CodeExpired)),
        (usual(), vec![pending(), refusal("expired_token")], &[1, 1], Some(Kind::CodeExpired)),
        (usual(), vec![pending(), refusal("invalid_grant")], &[1, 1], Some(Kind::CodeExpired)),
        (usual(), vec![refusal("access_denied")], &[1], Some(Kind::LoginDenied)),
    ];
    at_once(&cases, |(changes, answers, waits, outcome)| {
        let issuer = Issuer::start();
        issuer.next("/device", [code(changes)]);
        issuer.next("/token", answers.clone());
        let ended = issuer.log_in().err().map(|error| error.kind());
        let waited = issuer.device.clock.waits();
        let waited = waited.iter().map(|wait| (*wait + Duration::from_millis(500)).as_secs());
        assert_eq!((waited.collect::<Vec<_>>(), ended), (waits.to_vec(), *outcome), "{changes}");
        let asked = issuer.requests("/token").len();
        assert_eq!(asked, answers.len() + usize::from(outcome.is_none()), "{changes}, {waits:?}");
    });
}

#[test]
fn a_logout_in_another_process_ends_the_waiting() {
    let issuer = Issuer::start();
    let keeper = issuer.device.in_real_time();
    issuer.next("/token", [refusal("authorization_pending")]);
    let (number, _) = keeper.start_device_login(&never()).unwrap();
    std::thread::scope(|scope| {
        let login = scope.spawn(|| keeper.finish_device_login(number, &never()));
        wait_until(10, "nobody asks", || !issuer.requests("/token").is_empty());
        log_out(&issuer.device);
        assert_eq!(login.join().unwrap().unwrap_err().kind(), Kind::Cancelled);
    });
    assert_eq!(issuer.requests("/token").len(), 1, "nobody asks any more");
    assert!(issuer.log_in().is_ok());
}

#[test]
fn a_cancel_ends_the_waiting_at_once() {
    at_once(&[0, 1300], |after| {
        let issuer = Issuer::start();
        let keeper = issuer.device.in_real_time();
        issuer.next("/token", [refusal("authorization_pending"), vec![Step::Stall]]);
        let (number, _) = keeper.start_device_login(&never()).unwrap();
        let start = Instant::now();
        let error = keeper.finish_device_login(number, &cancel_after(*after)).err().unwrap();
        assert_eq!(error.kind(), Kind::Cancelled);
        assert!(start.elapsed() < Duration::from_millis(after + 500));
        let polls = issuer.requests("/token").len();
        std::thread::sleep(Duration::from_millis(1500));
        assert_eq!(issuer.requests("/token").len(), polls, "nobody asks any more");
    });
}
