//! Who has logged in: by the ID token, or as the issuer says when it is asked (OpenID Connect Core
//! 1.0 sections 3.1.3.7 and 5.3).

use crate::fixture::{Device, at_once, log_out, pending, state};
use crate::issuer::{Issuer, METADATA, json_answer, text_answer};
use crate::server::{Step, Steps};
use serde_json::{Value, json};
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::State;
use sessionkeeper::session::Account;

/// An issuer whose ID tokens leave the rest to userinfo, as section 5.4 has it.
fn issuer() -> Issuer {
    let wanted = "[session]\naccount_name = [\"name\"]";
    Issuer::with("", METADATA, |text| text.replace("[session]", wanted))
}

/// Logs in by tokens with these changes.
fn log_in(issuer: &Issuer, changes: &Value) -> Result<Account, Kind> {
    issuer.next("/token", [issuer.tokens(changes)]);
    let status = issuer.log_in().map_err(|error| error.kind())?;
    Ok(status.account.unwrap())
}

fn userinfo(claims: &Value) -> Steps {
    json_answer(200, claims)
}

fn account(id: &str, email: &str, name: &str) -> Account {
    Account { id: id.to_owned(), email: email.to_owned(), name: name.to_owned() }
}

fn accounts(device: &Device) -> Vec<String> {
    let stored = device.accounts(false).unwrap().accounts;
    stored.into_iter().map(|line| line.account.id).collect()
}

#[test]
fn userinfo_tells_what_the_id_token_does_not() {
    let issuer = issuer();
    let told = json!({ "sub": "u1", "email": "zoë@例え.jp", "name": "Zoë" });
    issuer.next("/userinfo", [userinfo(&told)]);
    let found = log_in(&issuer, &json!({ "id_token": { "email": null } }));
    assert_eq!(found, Ok(account("u1", "zoë@例え.jp", "Zoë")));
    let asked = &issuer.requests("/userinfo")[0];
    assert_eq!((asked.method.as_str(), asked.header("cookie")), ("GET", None));
    assert_eq!(asked.header("authorization"), Some("Bearer access-1"));
}

#[test]
fn an_id_token_that_tells_all_is_enough() {
    let issuer = issuer();
    let found = log_in(&issuer, &json!({ "id_token": { "name": "Zoë" } }));
    assert_eq!(found, Ok(account("u1", "zoë@例え.jp", "Zoë")));
    assert!(issuer.requests("/userinfo").is_empty());
}

/// Section 5.3.2: "The sub Claim in the UserInfo Response MUST be verified to exactly match the sub
/// Claim in the ID Token". An access token of somebody else is not kept, and not left alive.
#[test]
fn userinfo_about_somebody_else_ends_the_login() {
    for sub in [json!("u2"), json!("U1"), json!(7)] {
        let issuer = issuer();
        issuer.next("/userinfo", [userinfo(&json!({ "sub": sub, "name": "Mallory" }))]);
        assert_eq!(log_in(&issuer, &json!({})), Err(Kind::UnexpectedAnswer), "{sub}");
        assert_eq!(state(&issuer.device), State::SignedOut);
        assert_eq!(issuer.requests("/revoke").len(), 2, "the tokens are left alive: {sub}");
    }
}

/// Who it is, is known all the same.
#[test]
fn a_login_does_without_userinfo() {
    let cases = [
        text_answer(401, "text/plain", ""),
        text_answer(403, "text/plain", ""),
        text_answer(404, "text/plain", ""),
        text_answer(302, "text/plain", ""),
        text_answer(503, "text/plain", ""),
        text_answer(200, "text/html", "<h1>Welcome</h1>"),
        text_answer(200, "application/json", "[]"),
        text_answer(200, "application/json", &format!("[\"{}\"]", "x".repeat(2 << 20))),
        json_answer(200, &json!({ "name": "Nobody" })),
        json_answer(200, &json!({ "sub": "", "name": "Nobody" })),
        vec![],
        vec![Step::Stall],
    ];
    at_once(&cases, |answer| {
        let issuer = issuer();
        issuer.always("/userinfo", answer.clone());
        assert_eq!(log_in(&issuer, &json!({})), Ok(account("u1", "zoë@例え.jp", "")));
        assert_eq!(issuer.requests("/userinfo").len(), 1);
        assert_eq!(log_in(&issuer, &json!({})).unwrap().id, "u1");
        assert_eq!(accounts(&issuer.device), ["u1"], "one person is one account");
    });
}

#[test]
fn the_token_goes_to_no_other_host() {
    let issuer = issuer();
    issuer.change_metadata("userinfo_endpoint", &json!("https://evil.example/userinfo"));
    assert_eq!(log_in(&issuer, &json!({})), Ok(account("u1", "zoë@例え.jp", "")));
}

/// Two people with tokens that say nothing were one account, and the second login revoked the
/// first one's session.
#[test]
fn opaque_tokens_of_two_people_are_two_accounts() {
    let issuer = issuer();
    for sub in ["u1", "u2", "u1"] {
        issuer.next("/userinfo", [userinfo(&json!({ "sub": sub }))]);
        assert_eq!(log_in(&issuer, &json!({ "id_token": null })), Ok(account(sub, "", "")));
    }
    // The login of the same person replaced the first one, which was ended.
    assert_eq!(
        (accounts(&issuer.device), pending(&issuer.device)),
        (vec!["u2".into(), "u1".into()], 0)
    );
    assert!(!issuer.requests("/revoke").is_empty());
}

#[test]
fn where_nobody_says_who_it_is_each_login_is_an_account() {
    let issuer = issuer();
    for userinfo in [json!(null), json!(issuer.url("/nowhere").as_str())] {
        issuer.change_metadata("userinfo_endpoint", &userinfo);
        let found = log_in(&issuer, &json!({ "id_token": null })).unwrap();
        assert_eq!((found.id.len(), found.email, found.name), (32, String::new(), String::new()));
    }
    assert_eq!((accounts(&issuer.device).len(), pending(&issuer.device)), (2, 0));
    assert!(issuer.requests("/revoke").is_empty());
}

const FOREIGN: [&str; 6] = [
    r#"{ "iss": "https://evil.example" }"#,
    r#"{ "iss": null }"#,
    r#"{ "aud": "another client" }"#,
    r#"{ "aud": ["another client", "one more"] }"#,
    r#"{ "aud": [] }"#,
    r#"{ "aud": null }"#,
];

/// Section 3.1.3.7. The login goes on, and says so.
#[test]
fn the_claims_of_an_id_token_that_is_not_for_us_are_not_used() {
    at_once(&FOREIGN, |claims| {
        let issuer = issuer();
        issuer.next("/userinfo", [userinfo(&json!({ "sub": "u7", "email": "seven@example.com" }))]);
        let claims: Value = serde_json::from_str(claims).unwrap();
        let tokens = json!({ "id_token": claims });
        let found = issuer.device.logged(|| log_in(&issuer, &tokens));
        assert_eq!(found, Ok(account("u7", "seven@example.com", "")), "{claims}");
        let log = issuer.device.take_log();
        assert!(log.iter().any(|(_, line)| line.contains("ID token")), "{claims}: {log:?}");
        log_out(&issuer.device);
        assert!(issuer.requests("/end").is_empty(), "it was sent on: {claims}");
    });
}

#[test]
fn an_id_token_for_several() {
    let issuer = issuer();
    let claims = json!({ "aud": ["another client", "the client"] });
    assert_eq!(log_in(&issuer, &json!({ "id_token": claims })).unwrap().id, "u1");
}

/// Without the issuer there is nothing to hold the token against.
#[test]
fn an_id_token_of_an_issuer_that_nobody_named() {
    let issuer = Issuer::with("", METADATA, |text| {
        let base = text.lines().find_map(|line| line.strip_prefix("website = ")).unwrap();
        let base = base.trim_matches('"').to_owned();
        let endpoint = |name: &str, path: &str| format!("{name} = \"{base}{path}\"\n");
        let endpoints = endpoint("device_authorization_endpoint", "/device")
            + &endpoint("token_endpoint", "/token")
            + &endpoint("revocation_endpoint", "/revoke")
            + &endpoint("end_session_endpoint", "/end");
        text.replace(&format!("issuer = \"{base}\"\n"), &endpoints)
    });
    let found = log_in(&issuer, &json!({})).unwrap();
    assert_eq!((found.id.len(), found.email.as_str()), (32, ""));
    log_out(&issuer.device);
    assert_eq!(issuer.requests("/end").len(), 1, "the issuer itself knows it");
}
