//! The answers to a renewal (RFC 6749 sections 5 and 6, OpenID Connect Core 1.0 section 12.2).

use super::at_once;
use super::issuer::{Issuer, Reply, changed, refusal};
use serde_json::{Value, json};
use sessionkeeper::cancel::Cancel;
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::LogoutOptions;

fn signed_in() -> Issuer {
    let issuer = Issuer::start();
    issuer.log_in().unwrap();
    issuer
}

fn sent(issuer: &Issuer) -> Vec<String> {
    issuer.renewals().iter().map(|seen| seen.form["refresh_token"].clone()).collect()
}

#[test]
fn a_new_refresh_token_is_the_one_from_then_on() {
    let issuer = signed_in();
    for _ in 0..3 {
        issuer.renew().unwrap();
    }
    assert_eq!(sent(&issuer), ["refresh-1", "refresh-2", "refresh-3"]);
    let renewal = &issuer.renewals()[0];
    assert_eq!(renewal.form.len(), 3, "{:?}", renewal.form);
    assert_eq!(renewal.form["client_id"], "the client");
    for name in ["cookie", "authorization"] {
        assert!(!renewal.headers.contains_key(name), "{name}");
    }
}

#[test]
fn without_a_new_one_the_old_one_is_kept() {
    let cases = [Value::Null, json!(""), json!(7), json!("a b"), json!("a\r\nb")];
    at_once(&cases, |value| {
        let issuer = signed_in();
        let answer = changed(issuer.tokens(), &json!({ "refresh_token": value }));
        issuer.answer("/token", [Reply::Json(200, answer)]);
        issuer.renew().unwrap();
        assert!(issuer.keeper.status().unwrap().renewable, "{value}");
        issuer.renew().unwrap();
        assert_eq!(sent(&issuer), ["refresh-1", "refresh-1"], "{value}");
    });
}

/// The server may have carried it out: its token is not sent a second time.
#[test]
fn an_answer_without_tokens_loses_the_old_one() {
    let text = |kind, body: &str| Reply::Text(200, kind, body.to_owned());
    let made = Issuer::start();
    let cases = [
        text("text/html", "<h1>Welcome</h1>"),
        text("application/json", ""),
        text("application/json", "{\"access_token\": 1}"),
        Reply::Json(200, changed(made.tokens(), &json!({ "access_token": null }))),
        Reply::Json(200, changed(made.tokens(), &json!({ "token_type": "DPoP" }))),
        Reply::Json(200, changed(made.tokens(), &json!({ "unknown": "x".repeat(2 << 20) }))),
        Reply::Close,
        Reply::Hang,
    ];
    at_once(&cases, |reply| {
        let issuer = signed_in();
        issuer.answer("/token", [reply.clone()]);
        assert!(issuer.renew().is_err());
        let status = issuer.keeper.status().unwrap();
        assert_eq!((status.state, status.renewable), ("signed_in", false));
        assert_eq!(issuer.renew().err().unwrap().kind(), Kind::InvalidInput);
        assert_eq!(sent(&issuer), ["refresh-1"]);
        issuer.keeper.log_out(&LogoutOptions::default(), &Cancel::new()).unwrap();
        assert_eq!(issuer.requests("/revoke")[0].form["token"], "refresh-1");
    });
}

#[test]
fn a_refused_token_is_the_end_of_the_session() {
    let with_status = |status| Reply::Json(status, json!({ "error": "invalid_grant" }));
    at_once(&[with_status(400), with_status(401)], |reply| {
        let issuer = signed_in();
        issuer.answer("/token", [reply.clone()]);
        assert_eq!(issuer.renew().err().unwrap().kind(), Kind::SessionExpired);
        assert_eq!(issuer.renew().err().unwrap().kind(), Kind::NotSignedIn);
        let events = issuer.keeper.events_after(0);
        let told = events.iter().filter(|one| one.event == "session_expired").count();
        assert_eq!((told, sent(&issuer).len()), (1, 1));
    });
}

#[test]
fn other_refusals_are_not() {
    let cases = [
        refusal("invalid_client"),
        refusal("invalid_request"),
        refusal("temporarily_unavailable"),
        Reply::Text(400, "text/html", "<h1>Bad Request</h1>".into()),
        Reply::Text(401, "text/plain", String::new()),
        Reply::Json(403, json!({ "error": "invalid_grant" })),
        Reply::Text(429, "text/plain", String::new()),
        Reply::Text(503, "text/plain", String::new()),
    ];
    at_once(&cases, |reply| {
        let issuer = signed_in();
        issuer.answer("/token", [reply.clone()]);
        assert_eq!(issuer.renew().err().unwrap().kind(), Kind::UnexpectedAnswer);
        issuer.renew().unwrap();
        assert_eq!(sent(&issuer), ["refresh-1", "refresh-1"]);
    });
}

#[test]
fn an_id_token_of_another_issuer() {
    let cases = [json!({ "iss": "https://evil.example" }), json!({ "aud": "another client" })];
    at_once(&cases, |claims| {
        let issuer = signed_in();
        let token = issuer.id_token(claims);
        let answer = changed(issuer.tokens(), &json!({ "id_token": token }));
        issuer.answer("/token", [Reply::Json(200, answer)]);
        assert_eq!(issuer.renew().err().unwrap().kind(), Kind::UnexpectedAnswer, "{claims}");
    });
}

/// Section 12.2: "its sub Claim Value MUST be the same as in the ID Token issued when the original
/// authentication occurred".
#[test]
fn an_id_token_of_another_account() {
    let issuer = signed_in();
    let token = issuer.id_token(&json!({ "sub": "somebody else" }));
    let answer = changed(issuer.tokens(), &json!({ "id_token": token }));
    issuer.answer("/token", [Reply::Json(200, answer)]);
    assert!(issuer.renew().is_err(), "the session of somebody else was taken over");
}

/// Its end too: the old token's end says nothing of the new one.
#[test]
fn an_answer_with_an_access_token_alone() {
    let issuer = signed_in();
    let answer = json!({ "access_token": "another", "token_type": "Bearer" });
    issuer.answer("/token", [Reply::Json(200, answer)]);
    assert_eq!(issuer.renew().unwrap().expires_at, None);
    let old = issuer.requests("/token").len();
    assert_eq!(issuer.keeper.restore(false, &Cancel::new()).unwrap().state, "signed_in");
    assert_eq!(issuer.requests("/token").len(), old);
    issuer.keeper.log_out(&LogoutOptions::default(), &Cancel::new()).unwrap();
    let tokens: Vec<_> =
        issuer.requests("/revoke").iter().map(|seen| seen.form["token"].clone()).collect();
    assert_eq!(tokens, ["refresh-1", "another"]);
    assert!(issuer.requests("/end")[0].form.contains_key("id_token_hint"), "the old one is kept");
}
