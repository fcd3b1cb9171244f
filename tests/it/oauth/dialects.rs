//! Servers that are asked otherwise than the RFCs have it: `[oauth]` and `[renew]` of a provider
//! file.

use crate::fixture::{log_out, state};
use crate::issuer::{Issuer, METADATA, json_answer};
use crate::server::Seen;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::State;
use sessionkeeper::session::Outcome;

/// An issuer, and a device whose file has this in `[oauth]` and `[renew]`.
fn issuer(oauth: &str, renew: &str) -> Issuer {
    Issuer::with("", METADATA, |text| {
        text.replace("[oauth]", &format!("[oauth]\n{oauth}"))
            .replace("[renew]", &format!("[renew]\n{renew}"))
    })
}

/// What was sent at a login, a renewal and a logout, in order.
fn requests(issuer: &Issuer) -> Vec<Seen> {
    issuer.log_in().unwrap();
    issuer.renew().unwrap();
    assert_eq!(log_out(&issuer.device).remote, Outcome::Revoked);
    let asked = issuer.journal().into_iter().filter(|seen| seen.method == "POST");
    asked.filter(|seen| seen.path != "/end").collect()
}

#[test]
fn the_client_says_who_it_is_where_the_server_wants_it() {
    let basic = |id: &str, secret: &str| {
        format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")))
    };
    let cases = [
        ("", None, Some("the client"), None),
        ("client_secret = 's:1'", None, Some("the client"), Some("s:1")),
        ("client_auth = 'none'", None, Some("the client"), None),
        (
            "client_auth = 'basic'\nclient_secret = 's:1'",
            Some(basic("the+client", "s%3A1")),
            None,
            None,
        ),
        ("client_auth = 'basic'", Some(basic("the+client", "")), None, None),
    ];
    for (oauth, header, id, secret) in cases {
        let issuer = issuer(oauth, "");
        let sent = requests(&issuer);
        let paths: Vec<_> = sent.iter().map(|seen| seen.path.as_str()).collect();
        assert_eq!(paths, ["/device", "/token", "/token", "/revoke", "/revoke"], "{oauth}");
        for seen in sent {
            let field = |name: &str| seen.form.get(name).map(String::as_str);
            assert_eq!(seen.header("authorization"), header.as_deref(), "{oauth} {}", seen.path);
            assert_eq!((field("client_id"), field("client_secret")), (id, secret), "{oauth}");
        }
        // RP-Initiated Logout knows the id alone.
        let end = &issuer.requests("/end")[0];
        assert_eq!(
            (end.form["client_id"].as_str(), end.header("authorization")),
            ("the client", None)
        );
        assert!(!end.form.contains_key("client_secret"));
    }
}

#[test]
fn the_body_is_json_where_the_server_wants_it() {
    let issuer = issuer("encoding = 'json'\nclient_secret = 'secret'", "");
    for seen in requests(&issuer) {
        assert_eq!(seen.header("content-type"), Some("application/json"), "{}", seen.path);
        let body = seen.text.split("\r\n\r\n").nth(1).unwrap();
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            (&body["client_id"], &body["client_secret"]),
            (&json!("the client"), &json!("secret"))
        );
        let wanted = match seen.path.as_str() {
            "/device" => "scope",
            "/token" => "grant_type",
            _ => "token",
        };
        assert!(body[wanted].is_string(), "{body}");
    }
}

#[test]
fn names_headers_and_more_fields_are_the_servers() {
    let oauth = "names = { client_id = 'app', device_code = 'code', scope = 'scopes' }\n\
        grant_types.device_code = 'http://oauth.example/grant_type/device/1.0'\n\
        headers = { trakt-api-version = '2', Accept = 'application/vnd.example+json' }\n\
        extra.device = { kind = 'tv', installation = '{device_id}' }\nextra.token = { audience = 'a b' }\n\
        extra.revocation = { all = 'true' }";
    let issuer = issuer(oauth, "");
    for seen in requests(&issuer) {
        let field = |name: &str| seen.form.get(name).map(String::as_str);
        assert_eq!(seen.header("trakt-api-version"), Some("2"));
        assert_eq!(seen.header("accept"), Some("application/vnd.example+json"));
        assert_eq!((field("app"), field("client_id")), (Some("the client"), None));
        let of_device = (seen.path == "/device").then_some("openid offline_access");
        assert_eq!((field("scopes"), field("scope")), (of_device, None));
        assert_eq!(field("kind"), (seen.path == "/device").then_some("tv"));
        let id = field("installation").map(str::len);
        assert_eq!(id, (seen.path == "/device").then_some(32), "the device's own id");
        assert_eq!(field("audience"), (seen.path == "/token").then_some("a b"));
        assert_eq!(field("all"), (seen.path == "/revoke").then_some("true"));
    }
    let exchange = &issuer.requests("/token")[0].form;
    assert_eq!(exchange["grant_type"], "http://oauth.example/grant_type/device/1.0");
    assert_eq!(exchange["code"], "the device code");
    assert!(!exchange.contains_key("device_code"));
    assert_eq!(issuer.renewals()[0].form["refresh_token"], "refresh-1");
}

#[test]
fn a_browser_is_sent_with_the_servers_names_too() {
    let login = super::browser_login::LOGIN;
    let issuer = Issuer::with("", METADATA, |text| {
        let oauth = "[oauth]\nnames = { client_id = 'client_key' }\n\
            extra.authorization = { access_type = 'offline', prompt = 'consent' }";
        text.replace("flow = \"device_code\"", login).replace("[oauth]", oauth)
    });
    let never = crate::fixture::never();
    let begun = issuer.device.start_browser_login(sessionkeeper::keeper::Redirect::Paste, &never);
    let asked = crate::grants::asked(&begun.unwrap().url);
    assert_eq!((asked["client_key"].as_str(), asked.get("client_id")), ("the client", None));
    assert_eq!((asked["access_type"].as_str(), asked["prompt"].as_str()), ("offline", "consent"));
}

#[test]
fn the_word_of_an_error_is_where_the_file_says() {
    let issuer = issuer("error = '/message'", "");
    let answers = ["authorization_pending", "slow_down"]
        .map(|word| json_answer(400, &json!({ "status": 400, "message": word })));
    issuer.next("/token", answers);
    issuer.log_in().unwrap();
    issuer.next("/token", [json_answer(400, &json!({ "message": "access_denied" }))]);
    assert_eq!(issuer.log_in().unwrap_err().kind(), Kind::LoginDenied);
    // What stands at the usual place means nothing there.
    issuer.next("/token", [json_answer(400, &json!({ "error": "authorization_pending" }))]);
    assert_eq!(issuer.log_in().unwrap_err().kind(), Kind::UnexpectedAnswer);
}

#[test]
fn what_says_that_the_refresh_token_is_dead() {
    let word = |word: &str| json!({ "error": word, "message": word });
    let cases = [
        ("", "", 400, word("invalid_grant"), true),
        ("", "", 401, word("invalid_grant"), true),
        // Auth0's status, and GitHub's.
        ("", "", 403, word("invalid_grant"), true),
        ("", "refused_error = ['bad_refresh_token']", 200, word("bad_refresh_token"), true),
        ("", "", 429, word("invalid_grant"), false),
        ("", "", 400, word("Invalid refresh token"), false),
        ("", "", 403, json!({}), false),
        ("", "", 503, word("invalid_grant"), false),
        (
            "error = '/message'",
            "refused_error = ['Invalid refresh token']",
            400,
            word("Invalid refresh token"),
            true,
        ),
        ("", "refused_error = ['expired']", 400, word("invalid_grant"), false),
        ("", "refused_status = [401, 403]", 403, json!({}), true),
        ("", "refused_status = [401]", 403, json!({}), false),
        ("", "refused_status = [401]", 400, word("invalid_grant"), true),
    ];
    for (oauth, renew, status, body, is_over) in cases {
        let issuer = issuer(oauth, renew);
        issuer.log_in().unwrap();
        issuer.next("/token", [json_answer(status, &body)]);
        let error = issuer.renew().unwrap_err();
        assert_eq!(
            error.kind() == Kind::SessionExpired,
            is_over,
            "{renew} {status} {body}: {error}"
        );
        assert_eq!(state(&issuer.device) == State::SignedOut, is_over, "{renew} {status} {body}");
    }
}
