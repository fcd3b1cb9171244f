//! Where the metadata are, and whose (RFC 8414, OpenID Connect Discovery 1.0).

use crate::fixture::{at_once, log_out, never, pending};
use crate::issuer::{Issuer, METADATA, METADATA_TOO, json_answer, text_answer};
use crate::server::Step;
use serde_json::{Value, json};
use sessionkeeper::error::Kind;

#[test]
fn an_issuer_with_a_path() {
    let rfc8414 = METADATA_TOO;
    let places = [
        ("", METADATA.to_owned()),
        ("/", METADATA.to_owned()),
        ("/tenant", format!("/tenant{METADATA}")),
        ("/tenant/", format!("/tenant{METADATA}")),
        ("/a/b%20c", format!("/a/b%20c{METADATA}")),
        ("", rfc8414.to_owned()),
        ("/tenant", format!("{rfc8414}/tenant")),
        ("/tenant/", format!("{rfc8414}/tenant")),
    ];
    at_once(&places, |(path, place)| {
        let issuer = Issuer::at(path, place);
        issuer.log_in().unwrap_or_else(|error| panic!("{path} at {place}: {error}"));
        assert!(issuer.paths().contains(place));
    });
}

#[test]
fn the_issuer_is_compared_letter_by_letter() {
    let issuer = Issuer::at("/tenant", &format!("/tenant{METADATA}"));
    let own = issuer.identifier.clone();
    let others = [
        json!(format!("{own}/")),
        json!(own.to_uppercase()),
        json!(own.replace("/tenant", "")),
        json!(own.replace("/tenant", "/tenant2")),
        json!(format!("{own}?x=1")),
        json!(format!(" {own}")),
        json!([own]),
        Value::Null,
    ];
    for other in others {
        issuer.change_metadata("issuer", &other);
        let error = issuer.device.start_device_login(&never()).err().unwrap();
        assert_eq!(error.kind(), Kind::UnexpectedAnswer, "{other}");
        assert!(issuer.requests("/device").is_empty(), "{other}");
    }
    issuer.change_metadata("issuer", &json!(own));
    issuer.device.start_device_login(&never()).unwrap();
}

#[test]
fn endpoints_that_are_no_addresses() {
    for name in ["token_endpoint", "device_authorization_endpoint", "revocation_endpoint"] {
        for bad in ["", "token", "//127.0.0.1/token", "javascript:alert(1)", "http://"] {
            let issuer = Issuer::start();
            issuer.change_metadata(name, &json!(bad));
            let error = issuer.device.start_device_login(&never()).err().unwrap();
            let kinds = [Kind::UnexpectedAnswer, Kind::HostNotAllowed];
            assert!(kinds.contains(&error.kind()), "{name} {bad}");
            assert_eq!(issuer.paths(), [METADATA], "{name} {bad}");
        }
    }
}

/// An issuer whose OpenID metadata lack what it has for devices, as django-oauth-toolkit's do.
fn in_two_parts() -> Issuer {
    let issuer = Issuer::start();
    let whole = issuer.metadata(&json!({}));
    for name in ["device_authorization_endpoint", "revocation_endpoint"] {
        issuer.change_metadata(name, &Value::Null);
    }
    let lacks = json!({ "userinfo_endpoint": null, "end_session_endpoint": null });
    let other = crate::issuer::changed(whole, &lacks);
    issuer.always(METADATA_TOO, json_answer(200, &other));
    issuer
}

#[test]
fn what_one_document_lacks_the_other_may_name() {
    let issuer = in_two_parts();
    issuer.log_in().unwrap();
    assert_eq!(issuer.paths()[..3], [METADATA, METADATA_TOO, "/device"]);
    log_out(&issuer.device);
    assert_eq!((issuer.requests("/revoke").len(), issuer.requests("/end").len()), (2, 1));
    assert_eq!(issuer.requests(METADATA).len(), 1, "it is learned once");
}

#[test]
fn a_complete_document_is_enough() {
    let issuer = Issuer::start();
    issuer.log_in().unwrap();
    assert!(issuer.requests(METADATA_TOO).is_empty());
}

#[test]
fn where_both_name_an_endpoint_openid_counts() {
    let issuer = in_two_parts();
    let token = issuer.url("/elsewhere").to_string();
    let other = issuer.metadata(&json!({
        "device_authorization_endpoint": issuer.url("/device").as_str(), "token_endpoint": token,
    }));
    issuer.always(METADATA_TOO, json_answer(200, &other));
    issuer.log_in().unwrap();
    assert!(issuer.requests("/elsewhere").is_empty());
}

/// RFC 8414 section 3.3, in each document by itself.
#[test]
fn a_document_of_another_issuer_is_left_out() {
    let evil = |issuer: &Issuer| {
        let own = issuer.url("/evil").to_string();
        json!({
            "issuer": "https://evil.example", "token_endpoint": own, "revocation_endpoint": own,
            "device_authorization_endpoint": own,
        })
    };
    let issuer = in_two_parts();
    issuer.always(METADATA_TOO, json_answer(200, &evil(&issuer)));
    let error = issuer.log_in().err().unwrap();
    assert!(error.message().contains("device_authorization_endpoint"), "{error}");
    let issuer = Issuer::start();
    let good = issuer.metadata(&json!({}));
    issuer.always(METADATA, json_answer(200, &evil(&issuer)));
    issuer.always(METADATA_TOO, json_answer(200, &good));
    issuer.log_in().unwrap();
    assert!(issuer.requests("/evil").is_empty());
}

/// What serves a page to every address, or forbids what it does not know, has no second document.
#[test]
fn what_is_no_document_is_left_out() {
    let cases = [
        text_answer(200, "text/html", "<h1>Welcome</h1>"),
        text_answer(200, "application/json", "[]"),
        text_answer(404, "text/plain", ""),
        text_answer(403, "text/plain", ""),
        text_answer(301, "text/plain", ""),
    ];
    at_once(&cases, |answer| {
        let issuer = Issuer::start();
        issuer.change_metadata("end_session_endpoint", &Value::Null);
        issuer.always(METADATA_TOO, answer.clone());
        issuer.log_in().unwrap();
        assert_eq!(issuer.requests(METADATA_TOO).len(), 1);
    });
}

/// An endpoint that was not learned would be missing at the logout.
#[test]
fn nothing_is_learned_while_one_document_cannot_be_had() {
    let cases = [text_answer(503, "text/plain", ""), vec![], vec![Step::Stall]];
    at_once(&cases, |answer| {
        let issuer = in_two_parts();
        let good = issuer.metadata(&json!({
            "device_authorization_endpoint": issuer.url("/device").as_str(),
            "revocation_endpoint": issuer.url("/revoke").as_str(),
        }));
        issuer.always(METADATA_TOO, answer.clone());
        assert!(issuer.log_in().is_err());
        assert!(issuer.requests("/device").is_empty());
        issuer.always(METADATA_TOO, json_answer(200, &good));
        issuer.log_in().unwrap();
        log_out(&issuer.device);
        assert_eq!((issuer.requests("/revoke").len(), pending(&issuer.device)), (2, 0));
    });
}
