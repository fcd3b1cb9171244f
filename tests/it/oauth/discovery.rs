//! Where the metadata are, and whose (RFC 8414, OpenID Connect Discovery 1.0).

use crate::fixture::{at_once, never};
use crate::issuer::{Issuer, METADATA};
use serde_json::{Value, json};
use sessionkeeper::error::Kind;

#[test]
fn an_issuer_with_a_path() {
    let rfc8414 = "/.well-known/oauth-authorization-server";
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
