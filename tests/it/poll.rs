//! The login that is described request by request: what is asked, how often, and what becomes of
//! each answer.

use crate::fixture::{Device, at_once, clock, log_out, never, pending, state};
use crate::server::{Seen, Server, Steps, answering};
use serde_json::{Value, json};
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::{State, Status};
use sessionkeeper::provider::Provider;
use sessionkeeper::session::Outcome;
use std::time::Duration;

const HEAD: &str = "id = \"tv\"\nname = \"TV\"\nwebsite = \"BASE\"\nhosts = [\"BASE\"]\n";

/// A code in the path, the device's own name in each request, an account of its own.
const PINS: &str = r#"
[session]
keep = ["user_id"]
[login]
flow = "poll"
[[login.steps]]
name = "the pin"
method = "POST"
url = "BASE/pins"
headers = { X-Device = "{device_id}" }
take = { pin = "/id", code = "/code" }
[login.show]
code = "{code}"
url = "https://tv.example/link"
url_with_code = "https://tv.example/link?pin={code}"
expires_in = 30
interval = 2
[login.poll]
url = "BASE/pins/{pin}"
headers = { X-Device = "{device_id}", X-At = "{now}", X-Once = "{uuid}" }
done = { has = ["/token"] }
pending = { status = 200, lacks = ["/token"] }
slow_down = { status = 420 }
denied = { json = { "/state" = "denied" } }
expired = { status = 404 }
take = { access_token = "/token", expires_in = "/life", account_name = "/user/name", user_id = "/user/number" }
[account]
url = "BASE/users/{user_id}"
headers = { X-Device = "{device_id}" }
bearer = true
id = "/mail"
[[logout.steps]]
flow = "request"
method = "DELETE"
url = "BASE/users/{user_id}/session"
query = { device = "{device_id}" }
json = { tokens = ["{access_token}"], all = false, number = 1 }
proof = { status = [200], json = { "/gone" = true } }
"#;

/// A client of its own is given out, which the token and its renewal need.
const CLIENTS: &str = r#"
[session]
keep = ["client_id", "client_secret"]
[login]
flow = "poll"
[[login.steps]]
name = "the code"
url = "BASE/code"
query = { client = "public" }
take = { user_code = "/user_code", device_code = "/device_code", life = "/expires_in", every = "/interval", full = { json = "/full", optional = true } }
[login.show]
code = "{user_code}"
url = "https://tv.example/device"
url_with_code = "{full}"
expires_in = "{life}"
interval = "{every}"
[login.poll]
url = "BASE/credentials"
query = { client = "public", code = "{device_code}" }
done = { has = ["/client_secret"] }
pending = { status = 403 }
take = { client_id = "/client_id", client_secret = "/client_secret" }
[[login.then]]
name = "the token"
url = "BASE/token"
form = { client_id = "{client_id}", client_secret = "{client_secret}", code = "{device_code}" }
[renew]
flow = "request"
url = "BASE/token"
query = { v = "2" }
form = { client_id = "{client_id}", client_secret = "{client_secret}", code = "{refresh_token}" }
[[logout.steps]]
flow = "request"
method = "POST"
url = "BASE/logout"
form = { client_id = "{client_id}" }
"#;

/// Only an address is opened, and all of it comes from the server.
const ADDRESS: &str = r#"
[login]
flow = "poll"
[[login.steps]]
name = "the address"
method = "POST"
url = "BASE/flow"
take = { where = "/login", secret = "/poll/token" }
[login.show]
url = "{where}"
[login.poll]
url = "BASE/poll"
form = { token = "{secret}" }
done = { status = 200 }
pending = [{ status = 404 }]
[session.answer]
access_token = "/appPassword"
account_id = "/loginName"
[[logout.steps]]
flow = "request"
method = "DELETE"
url = "BASE/password"
bearer = true
"#;

fn ok(body: &Value) -> Steps {
    answering("200 OK", "", &body.to_string())
}

fn service(text: &str) -> (Server, Device) {
    let server = Server::start(|_: &Seen| answering("500 Unforeseen", "", "{}"));
    let text = format!("{HEAD}{text}").replace("BASE", &format!("http://{}", server.authority()));
    let device = Device::new(Provider::parse(&text, None).unwrap(), &clock());
    (server, device)
}

fn log_in(device: &Device) -> Result<Status, Kind> {
    let kind = |error: sessionkeeper::error::Error| error.kind();
    let (number, _) = device.start_device_login(&never()).map_err(kind)?;
    device.finish_device_login(number, &never()).map_err(kind)
}

fn pins() -> (Server, Device) {
    let (server, device) = service(PINS);
    server.always("/pins", answering("201 Created", "", r#"{"id": 71, "code": "9W KP"}"#));
    let done = json!({ "token": "t-1", "life": 600, "user": { "name": "Zoë", "number": 5 } });
    server.always("/pins/71", ok(&done));
    server.always("/users/5", ok(&json!({ "mail": "zoe@tv.example" })));
    server.always("/users/5/session", ok(&json!({ "gone": true })));
    (server, device)
}

fn waits(device: &Device) -> Vec<u64> {
    let rounded = |wait: &Duration| (*wait + Duration::from_millis(500)).as_secs();
    device.clock.waits().iter().map(rounded).collect()
}

#[test]
fn the_device_says_who_it_is_in_every_request_and_the_session_keeps_what_it_took() {
    let (server, device) = pins();
    let waiting = || ok(&json!({ "token": null }));
    server.next("/pins/71", [waiting(), waiting()]);
    let (number, code) = device.start_device_login(&never()).unwrap();
    assert_eq!((code.user_code.as_str(), code.interval), ("9W KP", Duration::from_secs(2)));
    assert_eq!(code.verification_uri, "https://tv.example/link");
    let whole = "https://tv.example/link?pin=9W%20KP";
    assert_eq!(code.verification_uri_complete.as_deref(), Some(whole));
    let status = device.finish_device_login(number, &never()).unwrap();
    let account = status.account.unwrap();
    assert_eq!((account.id.as_str(), account.name.as_str()), ("zoe@tv.example", "Zoë"));
    assert!(status.expires_at.is_some());
    assert_eq!(waits(&device), [2, 2, 2]);
    let polls = server.requests("/pins/71");
    let of = |name: &str| -> Vec<String> {
        polls.iter().map(|seen| seen.header(name).unwrap().to_owned()).collect()
    };
    let own = of("x-device");
    assert!(own[0].len() == 32 && own.iter().all(|id| *id == own[0]), "{own:?}");
    assert_eq!(server.requests("/pins")[0].header("x-device"), Some(own[0].as_str()));
    assert_eq!(server.requests("/users/5")[0].header("x-device"), Some(own[0].as_str()));
    let mut once = of("x-once");
    once.dedup();
    assert_eq!(once.len(), 3, "each request has its own");
    assert!(of("x-at").iter().all(|at| at.parse::<i64>().unwrap() > 1_500_000_000));
    assert_eq!(log_out(&device.restarted()).remote, Outcome::Revoked);
    let end = server.requests("/users/5/session").remove(0);
    let body = end.text.rsplit_once("\r\n\r\n").unwrap().1;
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body, json!({ "tokens": ["t-1"], "all": false, "number": 1 }));
    assert!(end.text.contains(&format!("?device={}", own[0])), "{}", end.text);
}

#[test]
fn each_sign_means_what_it_says() {
    let body = |status, body: Value| answering(status, "", &body.to_string());
    let cases = [
        (body("404 No", json!({})), Some(Kind::CodeExpired), vec![2]),
        (body("200 OK", json!({ "state": "denied" })), Some(Kind::LoginDenied), vec![2]),
        (body("420 Enhance", json!({})), None, vec![2, 7]),
        (body("200 OK", json!({})), None, vec![2, 2]),
        (body("503 Busy", json!({})), None, vec![2, 7]),
        (body("429 Many", json!({})), None, vec![2, 7]),
        (vec![], None, vec![2, 4]),
        (body("400 Bad", json!({ "error": "broken" })), Some(Kind::UnexpectedAnswer), vec![2]),
        (body("302 Found", json!({})), Some(Kind::UnexpectedAnswer), vec![2]),
    ];
    at_once(&cases, |(answer, outcome, expected)| {
        let (server, device) = pins();
        server.next("/pins/71", [answer.clone()]);
        assert_eq!(log_in(&device).err(), *outcome);
        assert_eq!(waits(&device), *expected, "{outcome:?}");
    });
}

#[test]
fn a_code_that_is_not_entered_ends_by_itself() {
    let (server, device) = pins();
    server.always("/pins/71", ok(&json!({})));
    assert_eq!(log_in(&device).err(), Some(Kind::CodeExpired));
    assert_eq!(waits(&device).iter().sum::<u64>(), 30);
    assert_eq!(server.requests("/pins/71").len(), 14, "not in the last two seconds");
}

#[test]
fn a_client_that_is_given_out_is_kept_for_the_renewal_and_the_logout() {
    let (server, device) = service(CLIENTS);
    let code = json!({
        "user_code": "RE6W", "device_code": "d/c", "expires_in": "900", "interval": 5
    });
    server.always("/code", ok(&code));
    server.next("/credentials", [answering("403 No", "", r#"{"error": null}"#)]);
    server.always("/credentials", ok(&json!({ "client_id": "own", "client_secret": "hush" })));
    let tokens = |access: &str| {
        ok(&json!({ "access_token": access, "refresh_token": "r", "expires_in": 3600 }))
    };
    server.next("/token", [tokens("a-1")]);
    server.always("/token", tokens("a-2"));
    server.always("/logout", ok(&json!({})));
    assert!(log_in(&device).unwrap().renewable);
    let polls = server.requests("/credentials");
    assert!(polls[1].text.contains("?client=public&code=d%2Fc "), "{}", polls[1].text);
    let restarted = device.restarted();
    restarted.renew(&never()).unwrap();
    let sent = server.requests("/token");
    let form = |seen: &Seen, name: &str| seen.form.get(name).cloned().unwrap_or_default();
    for (seen, code) in [(&sent[0], "d/c"), (&sent[1], "r")] {
        assert_eq!(form(seen, "client_id"), "own");
        assert_eq!(
            (form(seen, "client_secret").as_str(), form(seen, "code").as_str()),
            ("hush", code)
        );
    }
    assert!(sent[1].text.starts_with("POST /token?v=2 "), "{}", sent[1].text);
    log_out(&restarted);
    assert_eq!(form(&server.requests("/logout")[0], "client_id"), "own");
}

#[test]
fn an_address_alone_is_enough_and_is_checked() {
    let (server, device) = service(ADDRESS);
    let flow = |login: &str| ok(&json!({ "poll": { "token": "p" }, "login": login }));
    server.next("/poll", [answering("404 No", "", "[]")]);
    server.always("/poll", ok(&json!({ "appPassword": "app", "loginName": "zoe" })));
    for bad in ["http://cloud.example/x", "javascript:x", "https://a@b.example", "x\u{202e}"] {
        server.next("/flow", [flow(bad)]);
        assert_eq!(log_in(&device).err(), Some(Kind::UnexpectedAnswer), "{bad}");
    }
    server.always("/flow", flow("https://cloud.example/flow/abc?x=1#y"));
    let (number, code) = device.start_device_login(&never()).unwrap();
    assert_eq!((code.user_code.as_str(), code.interval), ("", Duration::from_secs(5)));
    assert_eq!(code.verification_uri, "https://cloud.example/flow/abc?x=1#y");
    let status = device.finish_device_login(number, &never()).unwrap();
    assert_eq!(status.account.unwrap().id, "zoe");
    server.always("/password", ok(&json!({})));
    log_out(&device);
    assert_eq!(server.requests("/password")[0].header("authorization"), Some("Bearer app"));
}

#[test]
fn where_there_is_no_way_out_the_logout_is_of_this_device_and_says_so() {
    let steps = ADDRESS.find("[[logout.steps]]").unwrap();
    let (server, device) = service(&format!("{}[logout]\nleaves = \"all\"\n", &ADDRESS[..steps]));
    let flow = json!({ "poll": { "token": "p" }, "login": "https://cloud.example/flow" });
    server.always("/flow", ok(&flow));
    server.always("/poll", ok(&json!({ "appPassword": "app", "loginName": "zoe" })));
    log_in(&device).unwrap();
    let asked = server.journal().len();
    let report = log_out(&device);
    assert_eq!((report.remote, report.status), (Outcome::Unconfirmed, None));
    assert!(report.reason.contains("no way"), "{}", report.reason);
    assert_eq!((state(&device), pending(&device)), (State::SignedOut, 0));
    assert_eq!(server.journal().len(), asked);
}

#[test]
fn what_the_steps_should_hold_is_missed_by_name() {
    let (server, device) = pins();
    server.next("/pins", [ok(&json!({ "id": 71 })), answering("400 Bad", "", "{}")]);
    for said in ["holds nothing at '/code'", "the pin answered with status 400"] {
        let error = device.start_device_login(&never()).err().unwrap();
        assert!(error.message().contains(said), "{error}");
    }
    // A number that would lead elsewhere in the path is not put there.
    server.next("/pins", [ok(&json!({ "id": "..", "code": "1" }))]);
    assert_eq!(log_in(&device).err(), Some(Kind::UnexpectedAnswer));
    assert!(server.requests("/").is_empty());
}
