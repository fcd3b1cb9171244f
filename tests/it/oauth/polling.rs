//! How often the token endpoint is asked while a code is waited for (RFC 8628 section 3.5).

use crate::fixture::{at_once, cancel_after, never};
use crate::issuer::{Issuer, code, refusal, text_answer};
use crate::server::{Step, Steps};
use serde_json::{Value, json};
use sessionkeeper::error::Kind;
use std::time::{Duration, Instant};

/// What the server is told to say of the code, what it then answers, when it is asked.
struct Case {
    name: &'static str,
    code: Value,
    answers: Vec<Steps>,
    /// In seconds after the code came.
    polls: Vec<f64>,
    outcome: Option<Kind>,
}

fn case(name: &'static str, answers: Vec<Steps>, polls: &[f64]) -> Case {
    Case { name, code: json!({}), answers, polls: polls.to_vec(), outcome: None }
}

#[test]
fn the_server_is_asked_as_often_as_it_wants() {
    let pending = || refusal("authorization_pending");
    let slower = || refusal("slow_down");
    let silence = || vec![Step::Stall];
    let down = |status| text_answer(status, "text/html", "<h1>Sorry</h1>");
    let cases = [
        case("pending", vec![pending(); 3], &[1.0, 2.0, 3.0, 4.0]),
        Case {
            code: json!({ "interval": null }),
            ..case("no interval", vec![pending()], &[5.0, 10.0])
        },
        // "the interval MUST be increased by 5 seconds for this and all subsequent requests"
        case("slow_down", vec![slower(), pending(), pending()], &[1.0, 7.0, 13.0, 19.0]),
        case("slow_down twice", vec![slower(), slower()], &[1.0, 7.0, 18.0]),
        case("no answer", vec![vec![]; 3], &[1.0, 3.0, 7.0, 15.0]),
        // After the two seconds that are waited for the answer.
        case("silence", vec![silence(), silence()], &[1.0, 5.0, 11.0]),
        case("trouble", vec![down(503), pending()], &[1.0, 7.0, 13.0]),
        case("too many requests", vec![down(429)], &[1.0, 7.0]),
        case("slow_down after silence", vec![silence(), slower()], &[1.0, 5.0, 12.0]),
        Case {
            code: json!({ "expires_in": 1 }),
            outcome: Some(Kind::CodeExpired),
            ..case("a short life", vec![], &[])
        },
        Case {
            code: json!({ "expires_in": 3 }),
            outcome: Some(Kind::CodeExpired),
            ..case("its end", vec![pending(); 3], &[1.0, 2.0])
        },
        Case {
            outcome: Some(Kind::CodeExpired),
            ..case("expired_token", vec![pending(), refusal("expired_token")], &[1.0, 2.0])
        },
        Case {
            outcome: Some(Kind::LoginDenied),
            ..case("access_denied", vec![refusal("access_denied")], &[1.0])
        },
    ];
    at_once(&cases, |case| {
        let issuer = Issuer::start();
        issuer.next("/device", [code(&case.code)]);
        issuer.next("/token", case.answers.clone());
        let (number, _) = issuer.device.start_device_login(&never()).unwrap();
        let start = Instant::now();
        let ended = issuer.device.finish_device_login(number, &never());
        assert_eq!(ended.err().map(|error| error.kind()), case.outcome, "{}", case.name);
        let polls: Vec<f64> = issuer
            .requests("/token")
            .iter()
            .map(|seen| seen.at.duration_since(start).as_secs_f64())
            .collect();
        let fits = |(at, due): (&f64, &f64)| (-0.05..1.5).contains(&(at - due));
        let is_right = polls.len() == case.polls.len() && polls.iter().zip(&case.polls).all(fits);
        assert!(is_right, "{}: asked at {polls:.2?}, not at {:?}", case.name, case.polls);
    });
}

#[test]
fn a_cancel_ends_the_waiting_at_once() {
    for after in [0, 1300] {
        let issuer = Issuer::start();
        issuer.next("/token", [refusal("authorization_pending"), vec![Step::Stall]]);
        let (number, _) = issuer.device.start_device_login(&never()).unwrap();
        let start = Instant::now();
        let ended = issuer.device.finish_device_login(number, &cancel_after(after));
        let error = ended.err().unwrap();
        assert_eq!(error.kind(), Kind::Cancelled);
        assert!(start.elapsed() < Duration::from_millis(after + 500));
        let polls = issuer.requests("/token").len();
        std::thread::sleep(Duration::from_millis(1500));
        assert_eq!(issuer.requests("/token").len(), polls, "nobody asks any more");
    }
}
