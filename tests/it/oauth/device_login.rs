//! The answers to the request for a code, and to the login (RFC 8628).

use crate::fixture::{at_once, never, state};
use crate::issuer::{Issuer, code, refusal, text_answer};
use crate::server::Steps;
use serde_json::{Value, json};
use sessionkeeper::clock::Clock;
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::State;
use std::time::Duration;

/// Logs in by one answer of the token endpoint. Gives when the access ends.
fn log_in_by(make: impl Fn(&Issuer) -> Steps) -> (Issuer, Result<Option<i64>, Kind>) {
    let issuer = Issuer::start();
    issuer.next("/token", [make(&issuer)]);
    let status = issuer.log_in();
    let outcome = status.map(|status| status.expires_at).map_err(|error| error.kind());
    (issuer, outcome)
}

fn by_changes(changes: &Value) -> (Issuer, Result<Option<i64>, Kind>) {
    log_in_by(|issuer| issuer.tokens(changes))
}

#[test]
fn when_the_access_ends() {
    let year = 365 * 86_400_i64;
    let cases: [(Value, Option<i64>); 14] = [
        (json!(3600), Some(3600)),
        (json!("3600"), Some(3600)),
        (json!(1), Some(1)),
        (Value::Null, None),
        (json!(0), None),
        (json!(-1), None),
        (json!(""), None),
        (json!("soon"), None),
        (json!([3600]), None),
        (json!({}), None),
        (json!(true), None),
        (json!(1e300), None),
        (json!(i64::MAX), Some(400 * 86_400)),
        (json!(400 * year), Some(400 * 86_400)),
    ];
    at_once(&cases, |(expires_in, wanted)| {
        let (issuer, outcome) = by_changes(&json!({ "expires_in": expires_in }));
        let ends = outcome.unwrap().map(|at| at - issuer.device.clock.now());
        assert_eq!(ends, *wanted, "{expires_in}");
        // Whatever it is, it is no reason for a request.
        assert_eq!(issuer.renewals().len(), 0, "{expires_in}");
    });
}

#[test]
fn answers_that_make_a_session() {
    let cases = [
        json!({}),
        json!({ "token_type": "bearer" }),
        json!({ "token_type": "BEARER" }),
        json!({ "token_type": null }),
        json!({ "refresh_token": null }),
        json!({ "refresh_token": "" }),
        json!({ "id_token": null }),
        json!({ "scope": "openid", "unknown": { "deep": [[[[1]]]] } }),
    ];
    at_once(&cases, |changes| {
        let (issuer, outcome) = by_changes(changes);
        assert!(outcome.is_ok(), "{changes}: {outcome:?}");
        let status = issuer.device.status().unwrap();
        assert_eq!(status.state, State::SignedIn);
        assert_eq!(status.renewable, changes.get("refresh_token").is_none(), "{changes}");
        let account = status.account.unwrap();
        if changes.get("id_token").is_none() {
            assert_eq!((account.id.as_str(), account.email.as_str()), ("u1", "zoë@例え.jp"));
        }
    });
}

#[test]
fn answers_that_make_none() {
    let long = "x".repeat(2 << 20);
    let cases: Vec<(&str, Value)> = vec![
        ("no access token", json!({ "access_token": null })),
        ("an empty one", json!({ "access_token": "" })),
        ("no text", json!({ "access_token": 5 })),
        ("a line break", json!({ "access_token": "a\r\nX-Evil: 1" })),
        ("a space", json!({ "access_token": "a b" })),
        ("a NUL", json!({ "access_token": "a\0" })),
        ("another script", json!({ "access_token": "ключ" })),
        ("too long an answer", json!({ "unknown": long })),
        ("a token of another kind", json!({ "token_type": "DPoP" })),
        ("another one", json!({ "token_type": "mac" })),
    ];
    at_once(&cases, |(name, changes)| {
        let (issuer, outcome) = by_changes(changes);
        assert_eq!(outcome, Err(Kind::UnexpectedAnswer), "{name}");
        assert_eq!(state(&issuer.device), State::SignedOut, "{name}");
    });
}

#[test]
fn answers_that_are_no_tokens_at_all() {
    let nested = "[".repeat(10_000);
    let cases = [
        text_answer(200, "text/html", "<!DOCTYPE html><h1>Welcome to the hotel's network</h1>"),
        text_answer(200, "application/json", ""),
        text_answer(200, "application/json", "null"),
        text_answer(200, "application/json", "[]"),
        text_answer(200, "application/json", "\"token\""),
        text_answer(200, "application/json", "{\"access_token\": \"a\""),
        text_answer(200, "application/json", &nested),
        text_answer(
            201,
            "application/json",
            "{\"access_token\": \"a\", \"token_type\": \"Bearer\"}",
        ),
        text_answer(302, "text/plain", ""),
        text_answer(400, "application/json", "{\"error\": \"UPPER case\"}"),
        text_answer(400, "text/html", "<h1>no</h1>"),
        refusal("invalid_client"),
        refusal("unauthorized_client"),
        refusal("something_new"),
    ];
    at_once(&cases, |answer| {
        let (issuer, outcome) = log_in_by(|_| answer.clone());
        assert_eq!(outcome, Err(Kind::UnexpectedAnswer));
        assert_eq!(issuer.requests("/token").len(), 1, "it stops");
        assert_eq!(state(&issuer.device), State::SignedOut);
    });
}

/// They are of no use here, but they are good at the server.
#[test]
fn what_cannot_be_used_is_revoked() {
    let cases = [json!({ "access_token": null }), json!({ "token_type": "DPoP" })];
    for changes in &cases {
        let (issuer, outcome) = by_changes(changes);
        assert_eq!(outcome, Err(Kind::UnexpectedAnswer));
        let revoked = issuer.requests("/revoke");
        let is_dead = revoked.iter().any(|seen| seen.form["token"].starts_with("refresh-"));
        assert!(is_dead, "a refresh token is left alive: {changes}");
    }
}

/// Whoever can change the page could have another code approved by the viewer, who is logged in
/// there; so it is https, but on this machine.
#[test]
fn the_page_for_the_code_is_https() {
    let issuer = Issuer::start();
    let ask = |name: &str, address: &str| {
        issuer.next("/device", [code(&json!({ name: address }))]);
        issuer.device.start_device_login(&never()).map(|_| ()).map_err(|error| {
            assert_eq!(error.kind(), Kind::UnexpectedAnswer);
            error.message().to_owned()
        })
    };
    for name in ["verification_uri", "verification_uri_complete"] {
        for bad in [
            "http://issuer.example/device",
            "http://192.168.1.7/device",
            "http://localhost.example/device",
            "https://bank.example@issuer.example/device",
        ] {
            let message = ask(name, bad).expect_err(bad);
            assert!(message.contains(name) && message.contains("https"), "{bad}: {message}");
        }
        for good in ["https://a.example/d", "http://localhost:80/d", "http://[::1]/d"] {
            assert_eq!(ask(name, good), Ok(()), "{name}: {good}");
        }
    }
}

/// RFC 8628 section 3.2.
#[test]
fn answers_to_the_request_for_a_code() {
    let issuer = Issuer::start();
    let ask = |changes: &Value| {
        issuer.next("/device", [code(changes)]);
        issuer.device.start_device_login(&never()).map(|(_, device)| device)
    };
    for name in ["device_code", "user_code", "verification_uri", "expires_in"] {
        for value in [Value::Null, json!(""), json!([]), json!("\r\n")] {
            if name == "device_code" && value == "\r\n" {
                continue; // Nobody is shown it, and a form can hold it.
            }
            let error = ask(&json!({ name: value })).err().unwrap();
            assert_eq!(error.kind(), Kind::UnexpectedAnswer, "{name}");
            assert!(error.message().contains(name), "{name}: {}", error.message());
        }
    }
    for bad in ["javascript:alert(1)", "data:,x", "//issuer.example/", "file:///etc/passwd", "x"] {
        assert!(ask(&json!({ "verification_uri": bad })).is_err(), "{bad}");
        assert!(ask(&json!({ "verification_uri_complete": bad })).is_err(), "{bad}");
    }
    for bad in [json!(0), json!(-5), json!("600"), json!(1.5)] {
        assert!(ask(&json!({ "expires_in": bad })).is_err(), "{bad}");
    }
    let old = ask(&json!({ "verification_uri": null, "verification_url": "https://a.example/d" }));
    assert_eq!(old.unwrap().verification_uri, "https://a.example/d");
    let intervals = [
        (Value::Null, 5),
        (json!(0), 1),
        (json!(1), 1),
        (json!(30), 30),
        (json!(86_400), 60),
        (json!(-1), 5),
        (json!("7"), 5),
    ];
    for (interval, wanted) in intervals {
        let device = ask(&json!({ "interval": interval })).unwrap();
        assert_eq!(device.interval, Duration::from_secs(wanted), "{interval}");
    }
    let device = ask(&json!({ "expires_in": 999_999_999 })).unwrap();
    assert!(device.expires_at <= issuer.device.clock.now() + 3600, "a code is not for days");
    for answer in [refusal("invalid_client"), text_answer(200, "text/html", "<p>")] {
        issuer.next("/device", [answer]);
        let error = issuer.device.start_device_login(&never()).err().unwrap();
        assert_eq!(error.kind(), Kind::UnexpectedAnswer);
    }
}
