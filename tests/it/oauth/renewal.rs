//! The answers to a renewal (RFC 6749 sections 5 and 6, OpenID Connect Core 1.0 section 12.2).

use crate::fixture::{at_once, drain, log_out, never, pending, told, wait_until};
use crate::issuer::{Issuer, json_answer, refusal, text_answer};
use crate::server::{Step, slowly};
use serde_json::{Value, json};
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::State;
use std::collections::BTreeSet;
use std::thread::scope;

#[test]
fn a_new_refresh_token_is_the_one_from_then_on() {
    let issuer = Issuer::signed_in();
    for _ in 0..3 {
        issuer.renew().unwrap();
    }
    assert_eq!(issuer.sent(), ["refresh-1", "refresh-2", "refresh-3"]);
    let renewal = &issuer.renewals()[0];
    assert_eq!(renewal.form.len(), 3, "{:?}", renewal.form);
    assert_eq!(renewal.form["client_id"], "the client");
    for name in ["cookie", "authorization"] {
        assert_eq!(renewal.header(name), None, "{name}");
    }
}

#[test]
fn without_a_new_one_the_old_one_is_kept() {
    let cases = [Value::Null, json!(""), json!(7), json!("a b"), json!("a\r\nb")];
    at_once(&cases, |value| {
        let issuer = Issuer::signed_in();
        issuer.next("/token", [issuer.tokens(&json!({ "refresh_token": value }))]);
        issuer.renew().unwrap();
        assert!(issuer.device.status().unwrap().renewable, "{value}");
        issuer.renew().unwrap();
        assert_eq!(issuer.sent(), ["refresh-1", "refresh-1"], "{value}");
    });
}

/// The server may have carried it out: its token is not sent a second time.
#[test]
fn an_answer_without_tokens_loses_the_old_one() {
    let made = Issuer::start();
    let cases = [
        text_answer(200, "text/html", "<h1>Welcome</h1>"),
        text_answer(200, "application/json", ""),
        text_answer(200, "application/json", "{\"access_token\": 1}"),
        made.tokens(&json!({ "access_token": null })),
        made.tokens(&json!({ "token_type": "DPoP" })),
        made.tokens(&json!({ "unknown": "x".repeat(2 << 20) })),
        vec![],
        vec![Step::Stall],
    ];
    at_once(&cases, |answer| {
        let issuer = Issuer::signed_in();
        issuer.next("/token", [answer.clone()]);
        assert!(issuer.renew().is_err());
        let status = issuer.device.status().unwrap();
        assert_eq!((status.state, status.renewable), (State::SignedIn, false));
        assert_eq!(issuer.renew().err().unwrap().kind(), Kind::InvalidInput);
        assert_eq!(issuer.sent(), ["refresh-1"]);
        log_out(&issuer.device);
        assert_eq!(issuer.requests("/revoke")[0].form["token"], "refresh-1");
    });
}

#[test]
fn a_refused_token_is_the_end_of_the_session() {
    let with_status = |status| json_answer(status, &json!({ "error": "invalid_grant" }));
    at_once(&[with_status(400), with_status(401)], |answer| {
        let issuer = Issuer::signed_in();
        issuer.next("/token", [answer.clone()]);
        assert_eq!(issuer.renew().err().unwrap().kind(), Kind::SessionExpired);
        assert_eq!(issuer.renew().err().unwrap().kind(), Kind::NotSignedIn);
        assert_eq!((told(&issuer.device, "session_expired"), issuer.sent().len()), (1, 1));
    });
}

#[test]
fn tokens_that_come_after_a_logout_are_revoked() {
    let issuer = Issuer::signed_in();
    issuer.next("/token", [slowly(600)]);
    let other = issuer.device.restarted();
    scope(|scope| {
        let renewal = scope.spawn(|| issuer.renew());
        wait_until(10, "nobody renews", || !issuer.renewals().is_empty());
        log_out(&other);
        assert_eq!(renewal.join().unwrap().unwrap_err().kind(), Kind::NotSignedIn);
    });
    drain(&issuer.device);
    let revoked: BTreeSet<_> =
        issuer.requests("/revoke").iter().map(|seen| seen.form["token"].clone()).collect();
    for token in ["refresh-2", "access-2"] {
        assert!(revoked.contains(token), "{token}: {revoked:?}");
    }
}

/// What a session's end leaves to tell the server: nothing where all is over, and everything where
/// an answer was lost that may have brought new tokens.
#[test]
fn a_session_that_ends_leaves_what_may_outlive_it() {
    for (later, answer, left) in
        [(0, refusal("invalid_grant"), 1), (3601, refusal("invalid_grant"), 0), (3601, vec![], 1)]
    {
        let issuer = Issuer::signed_in();
        issuer.device.pass(later);
        issuer.next("/token", [answer]);
        assert_eq!(issuer.renew().err().unwrap().kind(), Kind::SessionExpired);
        assert_eq!(pending(&issuer.device), left, "after {later} s");
        let drained = drain(&issuer.device);
        // Whether an exchanged token is dead does not show in the answer about it.
        let proved = u32::from(later == 0);
        assert_eq!(drained.revoked, proved, "after {later} s");
    }
}

#[test]
fn other_refusals_are_not() {
    let cases = [
        refusal("invalid_client"),
        refusal("invalid_request"),
        refusal("temporarily_unavailable"),
        text_answer(400, "text/html", "<h1>Bad Request</h1>"),
        text_answer(401, "text/plain", ""),
        json_answer(503, &json!({ "error": "invalid_grant" })),
        text_answer(429, "text/plain", ""),
        text_answer(503, "text/plain", ""),
    ];
    at_once(&cases, |answer| {
        let issuer = Issuer::signed_in();
        issuer.next("/token", [answer.clone()]);
        assert_eq!(issuer.renew().err().unwrap().kind(), Kind::UnexpectedAnswer);
        issuer.renew().unwrap();
        assert_eq!(issuer.sent(), ["refresh-1", "refresh-1"]);
    });
}

/// The tokens beside it are good, and the old one is used up.
#[test]
fn an_id_token_of_another_issuer_is_left_out() {
    let cases = [json!({ "iss": "https://evil.example" }), json!({ "aud": "another client" })];
    at_once(&cases, |claims| {
        let issuer = Issuer::signed_in();
        let foreign = issuer.tokens(&json!({ "id_token": claims }));
        issuer.next("/token", [foreign.clone()]);
        issuer.renew().unwrap();
        log_out(&issuer.device);
        let ended = &issuer.requests("/end")[0].form["id_token_hint"];
        let Step::Send(sent) = &foreign[0] else { unreachable!() };
        assert!(!String::from_utf8_lossy(sent).contains(ended.as_str()), "{claims}");
    });
}

/// Section 12.2: "its sub Claim Value MUST be the same as in the ID Token issued when the original
/// authentication occurred".
#[test]
fn an_id_token_of_another_account() {
    let issuer = Issuer::signed_in();
    issuer.next("/token", [issuer.tokens(&json!({ "id_token": { "sub": "somebody else" } }))]);
    assert!(issuer.renew().is_err(), "the session of somebody else was taken over");
}

/// Its end too: the old token's end says nothing of the new one.
#[test]
fn an_answer_with_an_access_token_alone() {
    let issuer = Issuer::signed_in();
    let answer = json!({ "access_token": "another", "token_type": "Bearer" });
    issuer.next("/token", [json_answer(200, &answer)]);
    assert_eq!(issuer.renew().unwrap().expires_at, None);
    let old = issuer.requests("/token").len();
    assert_eq!(issuer.device.restore(false, &never()).unwrap().state, State::SignedIn);
    assert_eq!(issuer.requests("/token").len(), old);
    log_out(&issuer.device);
    let tokens: Vec<_> =
        issuer.requests("/revoke").iter().map(|seen| seen.form["token"].clone()).collect();
    assert_eq!(tokens, ["refresh-1", "another"]);
    assert!(issuer.requests("/end")[0].form.contains_key("id_token_hint"), "the old one is kept");
}
