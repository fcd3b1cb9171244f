//! The way in by one request, answered with JSON.

use crate::fixture::{Device, at_once, clock, never, pending, state};
use crate::server::{Seen, Server, answering};
use serde_json::{Value, json};
use sessionkeeper::error::{Kind, Result};
use sessionkeeper::keeper::{State, Status};
use sessionkeeper::provider::Provider;
use sessionkeeper::secret::Secret;
use sessionkeeper::session::Account;

const FORM: &str =
    "form = { grant_type = \"password\", username = \"{username}\", password = \"{password}\" }";
const JSON: &str = "json = { user = \"{username}\", secret = \"{password}\" }";

/// A service whose login takes these bodies, and gives opaque tokens.
fn service(bodies: &str) -> (Server, Device) {
    let server = Server::start(|seen: &Seen| {
        let body = json!({ "access_token": format!("token-{}", seen.connection) });
        answering("200 OK", "", &body.to_string())
    });
    let text = format!(
        "id = \"opaque\"\nname = \"Opaque\"\nwebsite = \"BASE\"\nhosts = [\"BASE\"]\n\
         [[logout.steps]]\nflow = \"request\"\nmethod = \"POST\"\nurl = \"BASE/logout\"\n\
         bearer = true\n\
         [login]\nflow = \"password\"\nurl = \"BASE/login\"\n{bodies}\n"
    );
    let text = text.replace("BASE", &format!("http://{}", server.authority()));
    let device = Device::new(Provider::parse(&text, None).unwrap(), &clock());
    (server, device)
}

/// A service that tells who somebody is where this table says.
fn with_account(account: &str) -> (Server, Device) {
    service(&format!("{JSON}\n[account]\nurl = \"BASE/me\"\n{account}"))
}

fn account(id: &str, email: &str, name: &str) -> Account {
    Account { id: id.to_owned(), email: email.to_owned(), name: name.to_owned() }
}

fn log_in(device: &Device, name: &str) -> Result<Status> {
    device.log_in(name, &Secret::new("pässwörd"), &never())
}

/// The bodies that came, a form as its fields.
fn bodies(server: &Server) -> Vec<Value> {
    let body = |seen: Seen| {
        let text = seen.text.rsplit_once("\r\n\r\n").unwrap().1.to_owned();
        serde_json::from_str(&text).unwrap_or_else(|_| json!(seen.form))
    };
    server.requests("/login").into_iter().map(body).collect()
}

/// FastAPI answers 422 to a body that it does not read, others 415.
#[test]
fn a_server_that_cannot_read_the_form_gets_the_json() {
    let form = json!({ "grant_type": "password", "username": "viewer", "password": "pässwörd" });
    let other = json!({ "user": "viewer", "secret": "pässwörd" });
    at_once(&["415 Unsupported Media Type", "422 Unprocessable Content"], |status| {
        let (server, device) = service(&format!("{FORM}\n{JSON}"));
        server.next("/login", [answering(status, "", "{}")]);
        assert_eq!(log_in(&device, "viewer").unwrap().state, State::SignedIn);
        assert_eq!(bodies(&server), [form.clone(), other.clone()]);
    });
}

#[test]
fn nothing_else_is_tried_where_the_first_was_read() {
    let cases = [
        ("401 Unauthorized", Kind::CredentialsRefused),
        ("400 Bad Request", Kind::UnexpectedAnswer),
        ("500 Internal Server Error", Kind::UnexpectedAnswer),
    ];
    at_once(&cases, |(status, kind)| {
        let (server, device) = service(&format!("{FORM}\n{JSON}"));
        server.next("/login", [answering(status, "", "{}")]);
        assert_eq!(log_in(&device, "viewer").unwrap_err().kind(), *kind);
        assert_eq!(bodies(&server).len(), 1, "{status}");
        assert_eq!(state(&device), State::SignedOut);
    });
}

#[test]
fn a_service_with_one_kind_of_body_gets_it_once() {
    at_once(&[FORM, JSON], |body| {
        let (server, device) = service(body);
        server.always("/login", answering("422 Unprocessable Content", "", "{}"));
        assert_eq!(log_in(&device, "viewer").unwrap_err().kind(), Kind::UnexpectedAnswer);
        assert_eq!(bodies(&server).len(), 1, "{body}");
    });
}

#[test]
fn the_provider_file_may_say_who_is_asked() {
    let (server, device) = with_account("bearer = true\nname = \"/profile/full\"");
    let told = json!({ "id": 7, "email": "zoë@例え.jp", "profile": { "full": "Zoë" } });
    server.always("/me", answering("200 OK", "", &told.to_string()));
    let status = log_in(&device, "viewer").unwrap();
    assert_eq!(status.account, Some(account("7", "zoë@例え.jp", "Zoë")));
    let asked = &server.requests("/me")[0];
    assert_eq!(asked.method, "GET");
    assert!(asked.header("authorization").unwrap().starts_with("Bearer token-"));
}

#[test]
fn the_session_s_cookies_are_sent_and_the_token_only_where_it_is_wanted() {
    let (server, device) = with_account("");
    let cookie = "Set-Cookie: sid=1; Path=/";
    server.next("/login", [answering("200 OK", cookie, "{\"access_token\": \"t\"}")]);
    server.always("/me", answering("200 OK", "", "{\"id\": \"u1\"}"));
    assert_eq!(log_in(&device, "viewer").unwrap().account, Some(account("u1", "", "")));
    let asked = &server.requests("/me")[0];
    assert_eq!((asked.header("cookie"), asked.header("authorization")), (Some("sid=1"), None));
}

/// The name that was typed is not who it is, where the service knows better.
#[test]
fn what_is_asked_tells_accounts_apart() {
    let (server, device) = with_account("bearer = true");
    for id in ["u1", "u2"] {
        let told = json!({ "id": id }).to_string();
        server.next("/me", [answering("200 OK", "", &told)]);
        log_in(&device, "shared").unwrap();
    }
    assert_eq!(device.accounts(false).unwrap().accounts.len(), 2);
    assert!(server.requests("/logout").is_empty() && pending(&device) == 0);
}

#[test]
fn a_login_does_without_the_answer() {
    let cases = [("500 Internal Server Error", "{}"), ("200 OK", "[7]"), ("200 OK", "<p>")];
    at_once(&cases, |(status, body)| {
        let (server, device) = with_account("bearer = true");
        server.always("/me", answering(status, "", body));
        let status = log_in(&device, "viewer").unwrap();
        assert_eq!(status.account, Some(account("viewer", "", "")), "{body}");
    });
}
