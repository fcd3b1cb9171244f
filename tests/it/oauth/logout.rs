//! What a logout sends (RFC 7009, OpenID Connect RP-Initiated Logout 1.0).

use crate::fixture::{ask, cancel_after, drain, log_out, never, noted, pending, wait_until};
use crate::issuer::{Issuer, METADATA, refusal, text_answer};
use crate::server::slowly;
use serde_json::{Value, json};
use sessionkeeper::keeper::LogoutOptions;
use sessionkeeper::session::Outcome;
use std::time::{Duration, Instant};

#[test]
fn the_refresh_token_comes_first_and_is_called_by_its_name() {
    let issuer = Issuer::signed_in();
    // The server has set a cookie with every answer; a request of an add-on brings it along.
    assert_eq!(ask(&issuer.device).unwrap(), 200);
    assert_eq!(issuer.requests("/me")[0].header("authorization"), Some("Bearer access-1"));
    assert_eq!(log_out(&issuer.device).remote, Outcome::Revoked);
    let revoked = issuer.requests("/revoke");
    let form = |name: &str| revoked.iter().map(|seen| seen.form[name].clone()).collect::<Vec<_>>();
    assert_eq!(form("token"), ["refresh-1", "access-1"]);
    assert_eq!(form("token_type_hint"), ["refresh_token", "access_token"]);
    assert_eq!(form("client_id"), ["the client", "the client"]);
    let ends = issuer.requests("/end");
    assert_eq!(ends.len(), 1);
    assert!(ends[0].form["id_token_hint"].starts_with("e30."));
    for seen in revoked.iter().chain(&ends) {
        assert_eq!(seen.method, "POST");
        assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
        for name in ["cookie", "authorization"] {
            assert_eq!(seen.header(name), None, "{name} at {}", seen.path);
        }
    }
}

#[test]
fn a_client_with_a_secret_sends_it_in_the_body() {
    let issuer = Issuer::with("", METADATA, |text| {
        text.replace("client_id =", "client_secret = \"ä secret\"\nclient_id =")
    });
    issuer.log_in().unwrap();
    issuer.renew().unwrap();
    log_out(&issuer.device);
    for path in ["/device", "/token", "/revoke"] {
        for seen in issuer.requests(path) {
            assert_eq!(seen.form["client_secret"], "ä secret", "{path}");
            assert_eq!(seen.header("authorization"), None);
        }
    }
}

/// Section 2.2.1 of RFC 7009.
#[test]
fn tokens_of_a_kind_that_cannot_be_revoked() {
    let issuer = Issuer::signed_in();
    issuer.next("/revoke", [text_answer(200, "text/plain", ""), refusal("unsupported_token_type")]);
    assert_eq!(log_out(&issuer.device).remote, Outcome::Revoked, "it goes with the refresh token");

    issuer.log_in().unwrap();
    issuer.always("/revoke", refusal("unsupported_token_type"));
    assert_eq!(log_out(&issuer.device).remote, Outcome::Deferred);
    let drained = [(); 2].map(|()| drain(&issuer.device));
    assert_eq!(drained[1].entries[0].last_outcome, "rejected", "neither can be");

    let issuer = Issuer::signed_in();
    issuer.next("/revoke", [text_answer(200, "text/plain", ""), refusal("invalid_request")]);
    assert_eq!(log_out(&issuer.device).remote, Outcome::Deferred, "that is no word about its kind");
}

#[test]
fn without_an_id_token_the_issuer_is_not_told_of_its_own_session() {
    let issuer = Issuer::start();
    issuer.next("/token", [issuer.tokens(&json!({ "id_token": null }))]);
    issuer.log_in().unwrap();
    assert_eq!(log_out(&issuer.device).remote, Outcome::Revoked);
    assert!(issuer.requests("/end").is_empty());
}

#[test]
fn a_logout_of_an_issuer_that_revokes_nothing_is_not_called_done() {
    let issuer = Issuer::start();
    issuer.change_metadata("revocation_endpoint", &Value::Null);
    issuer.log_in().unwrap();
    let report = log_out(&issuer.device);
    assert_eq!(report.remote, Outcome::Unconfirmed, "a 200 of the other endpoint proves nothing");
    assert!(report.expires_at.is_some());
    assert_eq!(issuer.requests("/end").len(), 1);
}

/// An issuer whose logout proves nothing, and that refuses to renew after one renewal, which is
/// slow.
fn slow_to_renew() -> Issuer {
    let issuer = Issuer::with("", METADATA, |text| {
        let step = text.find("[[logout.steps]]").unwrap();
        let website = text.split('"').find(|word| word.starts_with("http")).unwrap();
        format!(
            "{}[[logout.steps]]\nflow = \"request\"\nmethod = \"POST\"\nurl = \"{website}/bye\"\n\
             bearer = true\n\n[logout.probe]\nflow = \"renew\"\n",
            &text[..step]
        )
    });
    issuer.log_in().unwrap();
    issuer.always("/bye", text_answer(200, "text/plain", ""));
    issuer.next("/token", [slowly(800)]);
    issuer.always("/token", refusal("invalid_grant"));
    issuer
}

fn tokens_that_logged_out(issuer: &Issuer) -> Vec<String> {
    let seen = issuer.requests("/bye");
    seen.iter().map(|seen| seen.header("authorization").unwrap().to_owned()).collect()
}

#[test]
fn neither_a_deadline_nor_a_cancel_loses_what_a_renewal_brings() {
    for is_cancelled in [false, true] {
        let issuer = slow_to_renew();
        let cancel = if is_cancelled { cancel_after(300) } else { never() };
        let deadline = Some(Duration::from_millis(if is_cancelled { 5000 } else { 300 }));
        let options = LogoutOptions { deadline, ..LogoutOptions::default() };
        let start = Instant::now();
        let report = issuer.device.log_out(&options, &cancel).unwrap();
        assert!(start.elapsed() < Duration::from_millis(700), "{:?}", start.elapsed());
        assert_eq!(report.remote, Outcome::Deferred);
        // Nobody asks for it: what was begun goes on.
        wait_until(9, "it does not go on", || pending(&issuer.device) == 0);
        assert_eq!(tokens_that_logged_out(&issuer), ["Bearer access-1", "Bearer access-2"]);
        assert_eq!(issuer.sent(), ["refresh-1", "refresh-2"]);
        assert_eq!(noted(&issuer.device, "revoked"), 1);
    }
}

/// "A 503 after a rotation may have rotated": 200 is also the answer for a token that was exchanged.
#[test]
fn a_revocation_after_a_renewal_that_failed_proves_nothing() {
    let issuer = Issuer::signed_in();
    issuer.next("/token", [text_answer(503, "text/plain", "")]);
    issuer.renew().unwrap_err();
    let report = log_out(&issuer.device);
    assert_eq!(report.remote, Outcome::Unconfirmed);
    let entry = issuer.device.outbox().unwrap().entries.remove(0);
    assert_eq!((entry.last_outcome, entry.next_attempt_at), ("unconfirmed", None));

    let issuer = Issuer::signed_in();
    issuer.next("/token", [text_answer(503, "text/plain", "")]);
    issuer.renew().unwrap_err();
    issuer.renew().unwrap();
    assert_eq!(log_out(&issuer.device).remote, Outcome::Revoked, "it was not exchanged");
}

#[test]
fn a_refresh_token_that_may_have_been_exchanged_is_not_called_revoked() {
    let issuer = Issuer::with("", METADATA, |text| {
        text.replace("flow = \"revoke\"", "flow = \"revoke\"\ntokens = [\"refresh_token\"]")
    });
    issuer.log_in().unwrap();
    issuer.next("/token", [text_answer(503, "text/plain", "")]);
    issuer.renew().unwrap_err();
    let report = log_out(&issuer.device);
    assert_eq!((report.remote, report.status), (Outcome::Unconfirmed, Some(200)));
    assert_eq!(issuer.requests("/revoke").len(), 1);
}

#[test]
fn a_revocation_endpoint_that_has_moved_is_looked_up_once_more() {
    for has_moved in [true, false] {
        let issuer = Issuer::signed_in();
        issuer.always("/revoke", text_answer(404, "text/plain", ""));
        if has_moved {
            let moved = format!("http://{}/revoke/2", issuer.authority());
            issuer.change_metadata("revocation_endpoint", &json!(moved));
            issuer.always("/revoke/2", text_answer(200, "text/plain", ""));
        }
        let remote = log_out(&issuer.device).remote;
        let asked = (issuer.requests("/revoke").len(), issuer.requests("/revoke/2").len());
        let expected =
            if has_moved { (Outcome::Revoked, (1, 2)) } else { (Outcome::Deferred, (1, 0)) };
        assert_eq!((remote, asked), expected);
    }
}

#[test]
fn an_issuer_that_only_ends_its_own_session_is_asked_again_where_that_may_help() {
    let issuer = Issuer::with("", METADATA, |text| {
        text.replacen("[[logout.steps]]\nflow = \"revoke\"\n", "", 1)
    });
    for (status, expected, is_tried_again) in [
        (200, Outcome::Unconfirmed, false),
        (403, Outcome::Unconfirmed, true),
        (503, Outcome::Deferred, true),
    ] {
        issuer.log_in().unwrap();
        issuer.always("/end", text_answer(status, "text/plain", ""));
        let report = log_out(&issuer.device);
        assert_eq!((report.remote, report.status), (expected, Some(status)));
        let entries = issuer.device.outbox().unwrap().entries;
        let next = entries.last().unwrap().next_attempt_at;
        assert_eq!(next.is_some(), is_tried_again, "{status}");
    }
}

/// An issuer whose logout is a POST to `/bye` that carries this.
fn with_logout(carries: &str) -> Issuer {
    let issuer = Issuer::with("", METADATA, |text| {
        let website = text.split('"').find(|word| word.starts_with("http")).unwrap();
        format!(
            "{}[[logout.steps]]\nflow = \"request\"\nmethod = \"POST\"\nurl = \"{website}/bye\"\n\
             {carries}\n[logout.steps.proof]\nstatus = [200]\njson = {{ \"/done\" = true }}\n",
            &text[..text.find("[[logout.steps]]").unwrap()]
        )
    });
    issuer.log_in().unwrap();
    issuer
}

#[test]
fn a_value_in_the_body_is_a_credential_too() {
    let issuer = with_logout("form = { token = \"{access_token}\" }");
    issuer.always("/bye", text_answer(200, "application/json", "{\"done\": true}"));
    assert_eq!(log_out(&issuer.device).remote, Outcome::Revoked);
    let sent = &issuer.requests("/bye")[0];
    assert_eq!((sent.form["token"].as_str(), sent.header("authorization")), ("access-1", None));
}

#[test]
fn a_refusal_says_that_the_session_is_over_where_it_is_of_nothing_that_the_rest_outlives() {
    for (carries, expected, renewals) in [
        ("form = { token = \"{access_token}\" }", Outcome::Alive, true),
        (
            "form = { a = \"{access_token}\", r = \"{refresh_token}\" }",
            Outcome::AlreadyEnded,
            false,
        ),
        ("query = { sid = \"{claim.sub}\" }", Outcome::AlreadyEnded, false),
    ] {
        let issuer = with_logout(carries);
        issuer.always("/bye", text_answer(401, "text/plain", ""));
        assert_eq!(log_out(&issuer.device).remote, expected, "{carries}");
        assert_eq!(!issuer.renewals().is_empty(), renewals, "{carries}");
    }
}

#[test]
fn a_refused_access_token_says_nothing_of_the_refresh_token_which_is_tried() {
    let dead = "{\"error\": \"invalid_token\"}";
    for (status, body, expected) in [
        (401, "", Outcome::AlreadyEnded),
        (403, "", Outcome::AlreadyEnded),
        (400, dead, Outcome::AlreadyEnded),
        (200, "", Outcome::Revoked),
    ] {
        let issuer = slow_to_renew();
        issuer.always("/bye", text_answer(status, "application/json", body));
        issuer.next("/token", [refusal("invalid_grant")]);
        let report = log_out(&issuer.device);
        assert_eq!((report.remote, report.status), (expected, Some(status)));
        assert!(!issuer.renewals().is_empty(), "{status}");
    }
}

/// RFC 7009 section 2.1: "If the token passed to the request is an access token, the server MAY revoke
/// the respective refresh token as well." Whether it did, nothing shows.
#[test]
fn an_access_token_alone_takes_no_refresh_token_with_it() {
    let tokens = "flow = \"revoke\"\ntokens = [\"access_token\"]";
    let issuer = Issuer::with("", METADATA, |text| text.replace("flow = \"revoke\"", tokens));
    issuer.log_in().unwrap();
    let report = log_out(&issuer.device);
    assert_eq!(issuer.requests("/revoke")[0].form["token_type_hint"], "access_token");
    assert_eq!(report.remote, Outcome::Unconfirmed);
}
