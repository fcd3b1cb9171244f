//! What a logout sends (RFC 7009, OpenID Connect RP-Initiated Logout 1.0).

use super::issuer::{Issuer, METADATA, Reply, refusal};
use serde_json::json;
use sessionkeeper::cancel::Cancel;
use sessionkeeper::keeper::{LogoutOptions, Outgoing, Report};

fn log_out(issuer: &Issuer) -> Report {
    issuer.keeper.log_out(&LogoutOptions::default(), &Cancel::new()).unwrap()
}

#[test]
fn the_refresh_token_comes_first_and_is_called_by_its_name() {
    let issuer = Issuer::start();
    issuer.log_in().unwrap();
    // The server has set a cookie with every answer; a request of an add-on brings it along.
    let me = Outgoing {
        account: None,
        method: "GET".into(),
        url: issuer.url.clone() + "/me",
        headers: Vec::new(),
        body: None,
    };
    assert_eq!(issuer.keeper.request(&me, &Cancel::new()).unwrap().status, 200);
    assert_eq!(issuer.requests("/me")[0].headers["authorization"], "Bearer access-1");
    assert_eq!(log_out(&issuer).remote, "revoked");
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
        assert_eq!(seen.headers["content-type"], "application/x-www-form-urlencoded");
        for name in ["cookie", "authorization"] {
            assert!(!seen.headers.contains_key(name), "{name} at {}", seen.path);
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
    log_out(&issuer);
    for path in ["/device", "/token", "/revoke"] {
        for seen in issuer.requests(path) {
            assert_eq!(seen.form["client_secret"], "ä secret", "{path}");
            assert!(!seen.headers.contains_key("authorization"));
        }
    }
}

/// Section 2.2.1 of RFC 7009.
#[test]
fn tokens_of_a_kind_that_cannot_be_revoked() {
    let issuer = Issuer::start();
    issuer.log_in().unwrap();
    issuer.answer("/revoke", [Reply::Text(200, "text/plain", String::new())]);
    issuer.answer("/revoke", [refusal("unsupported_token_type")]);
    assert_eq!(log_out(&issuer).remote, "revoked", "it goes with the refresh token");

    issuer.log_in().unwrap();
    issuer.answer("/revoke", (0..9).map(|_| refusal("unsupported_token_type")));
    assert_eq!(log_out(&issuer).remote, "deferred");
    let drained = [(); 2].map(|()| issuer.keeper.drain(false, &Cancel::new()).unwrap());
    assert_eq!(drained[1].entries[0].last_outcome, "rejected", "neither can be");
}

#[test]
fn without_an_id_token_the_issuer_is_not_told_of_its_own_session() {
    let issuer = Issuer::start();
    let mut tokens = issuer.tokens();
    tokens.as_object_mut().unwrap().remove("id_token");
    issuer.answer("/token", [Reply::Json(200, tokens)]);
    issuer.log_in().unwrap();
    assert_eq!(log_out(&issuer).remote, "revoked");
    assert!(issuer.requests("/end").is_empty());
}

#[test]
fn a_logout_of_an_issuer_that_revokes_nothing_is_not_called_done() {
    let issuer = Issuer::start();
    issuer.change_metadata("revocation_endpoint", json!(null));
    issuer.log_in().unwrap();
    let report = log_out(&issuer);
    assert_eq!(report.remote, "unconfirmed", "a 200 of the other endpoint proves nothing");
    assert!(report.expires_at.is_some());
    assert_eq!(issuer.requests("/end").len(), 1);
}
