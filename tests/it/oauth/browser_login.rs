//! Logging in by the address at which a browser has ended (RFC 6749 section 4.1, RFC 7636,
//! RFC 9207, RFC 9700).

use crate::fixture::{Device, at_once, never, noted, pending, state};
use crate::grants::asked;
use crate::issuer::{Issuer, METADATA, json_answer, refusal, text_answer};
use serde_json::{Value, json};
use sessionkeeper::error::{Error, Kind, Result};
use sessionkeeper::keeper::{BegunInBrowser, Keeper, Redirect, State, Status};
use sessionkeeper::secret::Secret;

const BACK: &str = "https://app.example/back";

pub const LOGIN: &str = "flow = \"authorization_code\"\n\
    redirect_uris = [\"http://127.0.0.1/callback\", \"https://app.example/back\"]";

fn issuer() -> Issuer {
    Issuer::for_browsers(LOGIN)
}

fn start(keeper: &Keeper) -> BegunInBrowser {
    keeper.start_browser_login(Redirect::Paste, &never()).unwrap()
}

fn finish(keeper: &Keeper, begun: &BegunInBrowser, address: &str) -> Result<Status> {
    keeper.finish_browser_login(begun.handle, Some(&Secret::new(address)), &never())
}

/// The notes of logins that have begun and not ended.
pub fn notes(device: &Device) -> usize {
    let entries = std::fs::read_dir(device.directory.join("data")).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("login-")).count()
}

/// Nobody is logged in, and nothing is left of a login.
#[track_caller]
pub fn nothing_is_left(issuer: &Issuer) {
    let device = &issuer.device;
    assert_eq!((state(device), pending(device), notes(device)), (State::SignedOut, 0, 0));
}

fn error(outcome: Result<Status>) -> Error {
    outcome.map(|status| status.state).unwrap_err()
}

#[test]
fn what_is_asked_and_what_comes_of_it() {
    let issuer = issuer();
    let begun = start(&issuer.device);
    assert_eq!(begun.redirect_uri, BACK);
    assert!(begun.url.starts_with(issuer.url("/authorize?").as_str()), "{}", begun.url);
    let asked = asked(&begun.url);
    let fixed = [
        ("response_type", "code"),
        ("client_id", "the client"),
        ("redirect_uri", BACK),
        ("scope", "openid offline_access"),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in fixed {
        assert_eq!(asked[name], value);
    }
    for random in ["state", "nonce", "code_challenge"] {
        assert_eq!(asked[random].len(), 43, "256 bits");
    }
    assert_eq!(asked.len(), fixed.len() + 3);
    let status = finish(&issuer.device, &begun, &issuer.authorize(&begun.url)).unwrap();
    assert_eq!((status.state, status.account.unwrap().id.as_str()), (State::SignedIn, "u1"));
    assert_eq!(issuer.paths(), [METADATA, "/token", "/userinfo"][..issuer.paths().len()]);
    let sent = &issuer.requests("/token")[0].form;
    assert_eq!((sent["client_id"].as_str(), sent["redirect_uri"].as_str()), ("the client", BACK));
    assert_eq!(sent["code_verifier"].len(), 43);
    assert!(!sent.contains_key("state") && !sent.contains_key("client_secret"));
    assert_eq!(notes(&issuer.device), 0);
    // It is like any other session.
    issuer.renew().unwrap();
    assert_eq!(issuer.sent(), ["refresh-1"]);
}

#[test]
fn nothing_of_it_comes_twice() {
    let issuer = issuer();
    let keeper = &issuer.device;
    let (first, second) = (start(keeper), start(keeper));
    let (one, other) = (asked(&first.url), asked(&second.url));
    for random in ["state", "nonce", "code_challenge"] {
        assert_ne!(one[random], other[random]);
    }
    let address = issuer.authorize(&first.url);
    finish(keeper, &first, &address).unwrap();
    // The same address once more, also by a login that waits.
    for begun in [&first, &second] {
        assert_eq!(error(finish(keeper, begun, &address)).kind(), Kind::InvalidInput);
    }
    assert_eq!(issuer.requests("/token").len(), 1);
    assert_eq!(state(keeper), State::SignedIn);
}

#[test]
fn an_address_that_is_no_answer_is_not_sent_and_ends_nothing() {
    let issuer = issuer();
    let begun = start(&issuer.device);
    let right = issuer.authorize(&begun.url);
    let state_of = asked(&begun.url)["state"].clone();
    for wrong in [
        right.replace(&state_of, &"x".repeat(43)),
        right.replace(&state_of, ""),
        right.replace("&state=", "&other="),
        right.replace("app.example", "app.example.evil.example"),
        right.replace("https://app.example", "https://app.example@evil.example"),
        right.replace("https:", "http:"),
        right.replace("/back", "/back/"),
        format!("{right}&state={state_of}"),
        "code-0".to_owned(),
        String::new(),
    ] {
        let error = error(finish(&issuer.device, &begun, &wrong));
        assert_eq!(error.kind(), Kind::InvalidInput, "{wrong}");
        assert!(!error.message().contains("code-0") && !error.message().contains(&state_of));
        nothing_is_left(&issuer);
    }
    assert_eq!(issuer.requests("/token").len(), 0);
    assert_eq!(finish(&issuer.device, &begun, &right).unwrap().state, State::SignedIn);
}

/// Whether the issuer says that it names itself, what becomes of its answer on the way, and whether
/// that is taken.
type Answered = (bool, fn(&str) -> String, bool);

/// RFC 9207 section 2.4; the mix-up attack of RFC 9700 section 4.4.
#[test]
fn the_answer_of_another_issuer_ends_the_login() {
    let promised = "authorization_response_iss_parameter_supported";
    let cases: [Answered; 5] = [
        (true, str::to_owned, true),
        (false, str::to_owned, true),
        (true, |right| right.split("&iss=").next().unwrap().to_owned(), false),
        (true, |right| right.replace("iss=", "iss=https%3A%2F%2Fevil.example%3Fx%3D"), false),
        (false, |right| format!("{right}&iss=https%3A%2F%2Fevil.example"), false),
    ];
    at_once(&cases, |(promises, change, is_taken)| {
        let issuer = issuer();
        issuer.change_metadata(promised, &json!(promises));
        let begun = start(&issuer.device);
        let right = issuer.authorize(&begun.url);
        assert_eq!(right.contains("iss="), *promises);
        let outcome = finish(&issuer.device, &begun, &change(&right));
        assert_eq!(outcome.is_ok(), *is_taken);
        if !is_taken {
            assert_eq!(error(outcome).kind(), Kind::UnexpectedAnswer);
            nothing_is_left(&issuer);
            assert_eq!(noted(&issuer.device, "login"), 1, "the trail tells of it");
            let again = error(finish(&issuer.device, &begun, &right));
            assert_eq!(again.kind(), Kind::InvalidInput, "it is over");
            assert_eq!(issuer.requests("/token").len(), 0);
        }
    });
}

#[test]
fn what_the_browser_was_told_instead_of_a_code() {
    let cases = [
        (
            "error=access_denied&error_description=Hello",
            Kind::LoginDenied,
            "refused in the browser",
        ),
        ("error=server_error", Kind::UnexpectedAnswer, "(server_error)"),
        ("error=invalid_scope&code=code-0", Kind::UnexpectedAnswer, "(invalid_scope)"),
        ("error=%3Cscript%3E", Kind::UnexpectedAnswer, "in the browser"),
        ("code=", Kind::UnexpectedAnswer, "in the browser"),
    ];
    at_once(&cases, |(answer, kind, told)| {
        let issuer = issuer();
        let begun = start(&issuer.device);
        let state = asked(&begun.url)["state"].clone();
        let outcome = finish(&issuer.device, &begun, &format!("{BACK}?{answer}&state={state}"));
        let error = error(outcome);
        assert_eq!(error.kind(), *kind);
        assert!(error.message().contains(told), "{error}");
        assert!(!error.message().contains("script") && !error.message().contains("Hello"));
        assert_eq!(issuer.requests("/token").len(), 0);
        nothing_is_left(&issuer);
    });
}

/// RFC 9700 section 2.1.1, RFC 8414 section 2.
#[test]
fn an_issuer_that_names_no_pkce_with_s256_is_not_used() {
    let cases = [
        (json!(["S256"]), true),
        (json!(["plain", "S256"]), true),
        (Value::Null, true),
        (json!(["plain"]), false),
        (json!(["s256"]), false),
        (json!([]), false),
    ];
    at_once(&cases, |(methods, is_used)| {
        let issuer = issuer();
        issuer.change_metadata("code_challenge_methods_supported", methods);
        let begun = issuer.device.start_browser_login(Redirect::Loopback, &never());
        assert_eq!(begun.is_ok(), *is_used, "{methods}");
        if let Some(error) = begun.err() {
            assert_eq!(error.kind(), Kind::UnexpectedAnswer);
            assert!(error.message().contains("PKCE with S256"), "{error}");
        }
    });
}

/// The authorization code injection of RFC 9700 section 4.5, and what else makes a code worthless.
#[test]
fn a_code_that_is_not_this_logins_is_of_no_use() {
    let issuer = issuer();
    let keeper = &issuer.device;
    let stolen = start(keeper);
    let theirs = issuer.authorize(&stolen.url);
    let code_of = |address: &str| asked(address)["code"].clone();
    for code in [code_of(&theirs), "code-of-nobody".to_owned()] {
        let begun = start(keeper);
        let own = issuer.authorize(&begun.url);
        let injected = own.replace(&code_of(&own), &code);
        let error = error(finish(keeper, &begun, &injected));
        assert_eq!(error.kind(), Kind::LoginDenied);
        assert!(!error.message().contains(&code));
        nothing_is_left(&issuer);
        // It is over: the right one comes too late.
        assert_eq!(finish(keeper, &begun, &own).unwrap_err().kind(), Kind::InvalidInput);
    }
    // A code of another client: the issuer knows whose it is.
    let other = issuer.authorize(&stolen.url.replace("the+client", "another"));
    assert_eq!(error(finish(keeper, &stolen, &other)).kind(), Kind::LoginDenied);
    nothing_is_left(&issuer);
    assert_eq!(issuer.requests("/token").len(), 3);
}

#[test]
fn two_logins_at_once_do_not_disturb_each_other() {
    let issuer = issuer();
    let keeper = &issuer.device;
    let (first, second) = (start(keeper), start(keeper));
    let (one, other) = (issuer.authorize(&first.url), issuer.authorize(&second.url));
    assert_eq!(error(finish(keeper, &first, &other)).kind(), Kind::InvalidInput);
    assert_eq!(error(finish(keeper, &second, &one)).kind(), Kind::InvalidInput);
    finish(keeper, &second, &other).unwrap();
    finish(keeper, &first, &one).unwrap();
    assert_eq!(issuer.requests("/token").len(), 2);
}

#[test]
fn an_address_comes_in_time_or_not_at_all() {
    let issuer = issuer();
    let keeper = &issuer.device;
    let (late, in_time) = (start(keeper), start(keeper));
    keeper.pass(899);
    finish(keeper, &in_time, &issuer.authorize(&in_time.url)).unwrap();
    keeper.pass(1);
    let address = issuer.authorize(&late.url);
    assert_eq!(error(finish(keeper, &late, &address)).kind(), Kind::CodeExpired);
    assert_eq!(error(finish(keeper, &late, &address)).kind(), Kind::InvalidInput);
    assert_eq!((issuer.requests("/token").len(), notes(keeper)), (1, 0));
}

/// OpenID Connect Core 1.0 section 3.1.3.7; the tokens are good at the server, and are ended there.
#[test]
fn an_id_token_of_another_login_is_not_taken() {
    for claims in [json!({ "nonce": "another" }), json!({ "nonce": null }), json!({})] {
        let issuer = issuer();
        let begun = start(&issuer.device);
        let address = issuer.authorize(&begun.url);
        issuer.next("/token", [issuer.tokens(&json!({ "id_token": claims }))]);
        let error = error(finish(&issuer.device, &begun, &address));
        assert_eq!(error.kind(), Kind::UnexpectedAnswer);
        assert!(issuer.requests("/revoke").iter().any(|seen| seen.form["token"] == "refresh-1"));
        nothing_is_left(&issuer);
    }
    // Where none comes there is nothing to compare.
    let issuer = issuer();
    let begun = start(&issuer.device);
    let address = issuer.authorize(&begun.url);
    issuer.next("/token", [issuer.tokens(&json!({ "id_token": null }))]);
    finish(&issuer.device, &begun, &address).unwrap();
}

#[test]
fn answers_of_the_token_endpoint_that_make_no_session() {
    let cases = [
        (refusal("invalid_grant"), Kind::LoginDenied),
        (json_answer(200, &json!({ "error": "bad_verification_code" })), Kind::LoginDenied),
        (refusal("invalid_client"), Kind::UnexpectedAnswer),
        (json_answer(200, &json!({ "token_type": "Bearer" })), Kind::UnexpectedAnswer),
        (text_answer(200, "text/html", "<h1>hello</h1>"), Kind::UnexpectedAnswer),
        (text_answer(302, "text/html", ""), Kind::UnexpectedAnswer),
        (text_answer(503, "text/html", ""), Kind::UnexpectedAnswer),
    ];
    at_once(&cases, |(answer, kind)| {
        let issuer = issuer();
        let begun = start(&issuer.device);
        let address = issuer.authorize(&begun.url);
        issuer.next("/token", [answer.clone()]);
        assert_eq!(error(finish(&issuer.device, &begun, &address)).kind(), *kind);
        assert_eq!(issuer.requests("/token").len(), 1, "a code serves once");
        nothing_is_left(&issuer);
    });
}

#[test]
fn where_the_browser_is_sent_to_is_known_and_safe() {
    let begin = |change: &dyn Fn(&Issuer), text: &dyn Fn(String) -> String| {
        let issuer =
            Issuer::with("", METADATA, |file| text(file.replace("flow = \"device_code\"", LOGIN)));
        change(&issuer);
        let begun = issuer.device.start_browser_login(Redirect::Paste, &never());
        begun.map(|begun| begun.url).map_err(|error| error.kind())
    };
    let named = |value: Value| {
        begin(&|issuer| issuer.change_metadata("authorization_endpoint", &value), &|text| text)
    };
    // It need not be one of the hosts: nothing is sent there from here.
    assert!(named(json!("https://login.example/a?x=1")).unwrap().contains("/a?x=1&response_type="));
    for bad in ["http://login.example/a", "javascript:alert(1)", "https://a@login.example/a", "x"] {
        assert_eq!(named(json!(bad)), Err(Kind::UnexpectedAnswer), "{bad}");
    }
    assert_eq!(named(Value::Null), Err(Kind::UnexpectedAnswer));
    // Where the file says it all, an issuer without metadata will do; one in trouble will not, as
    // it may have something to say.
    let fixed = |text: String| {
        let base = text.split("issuer = \"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let endpoints = format!(
            "[oauth]\nauthorization_endpoint = \"{base}/auth\"\ntoken_endpoint = \"{base}/token\""
        );
        text.replace("[oauth]", &endpoints)
    };
    let answering = |status: u16| {
        move |issuer: &Issuer| issuer.always(METADATA, text_answer(status, "text/plain", ""))
    };
    assert!(begin(&answering(404), &fixed).unwrap().contains("/auth?response_type="));
    assert_eq!(begin(&answering(503), &fixed), Err(Kind::UnexpectedAnswer));
    let of_another =
        |issuer: &Issuer| issuer.change_metadata("issuer", &json!("https://b.example"));
    assert_eq!(begin(&of_another, &fixed), Err(Kind::UnexpectedAnswer));
}

#[test]
fn a_way_in_that_the_service_does_not_have_is_refused() {
    let codes = Issuer::start();
    let begun = codes.device.start_browser_login(Redirect::Paste, &never());
    assert_eq!(begun.err().unwrap().kind(), Kind::InvalidInput);
    let issuer = issuer();
    assert_eq!(
        issuer.device.start_device_login(&never()).err().unwrap().kind(),
        Kind::InvalidInput
    );
    let only = |uri: &str| {
        let login = format!("flow = \"authorization_code\"\nredirect_uris = [\"{uri}\"]");
        Issuer::for_browsers(&login)
    };
    let there = only(BACK);
    let begun = there.device.start_browser_login(Redirect::Loopback, &never());
    assert_eq!(begun.err().unwrap().kind(), Kind::InvalidInput);
    // What the browser cannot reach still stands in its address bar.
    let here = only("http://127.0.0.1/callback");
    let begun = start(&here.device);
    assert_eq!(begun.redirect_uri, "http://127.0.0.1/callback");
    finish(&here.device, &begun, &here.authorize(&begun.url)).unwrap();
    // A login by an address does not wait for a browser.
    let begun = start(&issuer.device);
    let waited = issuer.device.finish_browser_login(begun.handle, None, &never());
    assert_eq!(waited.unwrap_err().kind(), Kind::InvalidInput);
    finish(&issuer.device, &begun, &issuer.authorize(&begun.url)).unwrap();
}
