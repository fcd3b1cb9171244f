//! What is asked before a login, a renewal, an account, a logout: pages with hidden tokens, tokens of
//! an API, cookies that go along.

use crate::fixture::{Device, at_once, clock, log_out, never, pending};
use crate::server::{Seen, Server, answering};
use serde_json::json;
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::LogoutOptions;
use sessionkeeper::provider::Provider;
use sessionkeeper::secret::Secret;
use sessionkeeper::session::Outcome;

/// A site of Django's kind: a hidden token and a cookie for each form, a page to log out.
const SITE: &str = r#"
id = "site"
name = "Site"
website = "BASE"
hosts = ["BASE"]
[session]
token_cookies = ["sessionid"]
[account]
url = "BASE/api/me"
form = { csrf = "{mine}" }
id = "/id"
refused = { json = { "/id" = 0 } }
[[account.steps]]
name = "the account's token"
url = "BASE/api/token"
take = { mine = { header = "X-Token" } }
[login]
flow = "password"
url = "BASE/login"
headers = { Origin = "BASE" }
form = { csrfmiddlewaretoken = "{csrf}", user = "{username}", password = "{password}" }
refused = { class = "errornote" }
done = [{ status = 302, header = { location = "/home" } }, { status = 302, lacks = ["/x"], header = { location = "https://evil.example/home" } }]
[[login.steps]]
name = "the login page"
url = "BASE/login"
take = { csrf = { input = "csrfmiddlewaretoken" } }
[[logout.steps]]
flow = "page"
name = "the page to log out"
url = "BASE/home"
take = { csrf = { meta = "csrf-token", or_cookie = "csrftoken" } }
ended = { input = "password" }
[[logout.steps]]
flow = "request"
method = "POST"
url = "BASE/logout"
headers = { Referer = "BASE/home" }
form = { csrfmiddlewaretoken = "{csrf}", same = "{cookie.csrftoken}" }
[logout.steps.proof]
status = [200]
deletes = [["sessionid"]]
[logout.probe]
flow = "request"
url = "BASE/who"
refused = { json = { "/anon" = true } }
"#;

const LOGIN: &str =
    "<input type=hidden name=csrfmiddlewaretoken value=before><input name=password>";
const HOME: &str = "<meta name=csrf-token content='after&amp;'>";
const GONE: &str = "Set-Cookie: sessionid=\"\"; Max-Age=0; Path=/\r\n";

fn site(change: impl Fn(String) -> String) -> (Server, Device) {
    let server = Server::start(|seen: &Seen| match (seen.method.as_str(), seen.path.as_str()) {
        ("GET", "/login") => answering("200 OK", "Set-Cookie: csrftoken=c1; Path=/\r\n", LOGIN),
        ("POST", "/login") => {
            let headers = "Location: /home\r\nSet-Cookie: sessionid=s1; Path=/\r\n\
                Set-Cookie: csrftoken=c2; Path=/\r\n";
            answering("302 Found", headers, "")
        }
        ("GET", "/api/token") => answering("200 OK", "X-Token: t9\r\n", ""),
        ("POST", "/api/me") => answering("200 OK", "", r#"{"id": 7, "name": "Zoë"}"#),
        (_, "/home") => answering("200 OK", "", HOME),
        (_, "/logout") => answering("200 OK", GONE, ""),
        (_, "/who") => answering("200 OK", "", r#"{"anon": false}"#),
        _ => answering("404 Not Found", "", ""),
    });
    let text = change(SITE.replace("BASE", &format!("http://{}", server.authority())));
    let device = Device::new(Provider::parse(&text, None).unwrap(), &clock());
    (server, device)
}

fn log_in(device: &Device) -> Result<String, Kind> {
    let status = device.log_in("zoë", &Secret::new("pässwörd"), &never());
    status.map(|status| status.account.unwrap().id).map_err(|error| error.kind())
}

#[test]
fn a_form_is_sent_with_what_its_page_held() {
    let (server, device) = site(|text| text);
    assert_eq!(log_in(&device), Ok("7".to_owned()));
    let sent = server.requests("/login").remove(1);
    assert_eq!(sent.form["csrfmiddlewaretoken"], "before");
    assert_eq!(sent.form["password"], "pässwörd");
    assert_eq!(sent.header("cookie"), Some("csrftoken=c1"));
    assert_eq!(server.requests("/api/me")[0].form["csrf"], "t9");
    assert_eq!(log_out(&device).remote, Outcome::Revoked);
    let end = server.requests("/logout").remove(0);
    assert_eq!(
        (end.form["csrfmiddlewaretoken"].as_str(), end.form["same"].as_str()),
        ("after&", "c2")
    );
    assert!(end.header("referer").unwrap().ends_with("/home"));
}

#[test]
fn what_the_answer_shows_decides_and_not_its_status_alone() {
    let wrong = answering("200 OK", "", "<p class='x errornote'>");
    let odd = answering("200 OK", "", "<p>");
    let elsewhere = answering("302 Found", "Location: /captcha\r\n", "");
    let cases = [
        (wrong, Kind::CredentialsRefused),
        (odd, Kind::UnexpectedAnswer),
        (elsewhere, Kind::UnexpectedAnswer),
        (
            answering("302 Found", "Location: https://evil.example/home\r\n", ""),
            Kind::HostNotAllowed,
        ),
        (answering("307 Go", "Location: /home\r\n", ""), Kind::HostNotAllowed),
    ];
    at_once(&cases, |(answer, kind)| {
        let (server, device) = site(|text| text);
        let page = answering("200 OK", "", LOGIN);
        server.next("/login", [page, answer.clone()]);
        assert_eq!(log_in(&device), Err(*kind));
    });
    let (server, device) = site(|text| text);
    server.next("/login", [answering("200 OK", "", "no form here")]);
    assert_eq!(log_in(&device), Err(Kind::UnexpectedAnswer));
    assert_eq!(server.requests("/login").len(), 1, "no password was sent");
}

#[test]
fn what_the_server_has_switched_off_is_told() {
    let with_sign = |text: String| {
        let take = "take = { csrf = { input = \"csrfmiddlewaretoken\" } }";
        text.replace(take, &format!("{take}\nunavailable = {{ status = 401 }}"))
    };
    let (server, device) = site(with_sign);
    server.next("/login", [answering("401 No", "", "\"off\"")]);
    let error = device.log_in("zoë", &Secret::new("x"), &never()).unwrap_err();
    assert_eq!(error.message(), "the login page is switched off at the server");
    assert_eq!(log_in(&device), Ok("7".to_owned()), "as soon as it is switched on");
}

#[test]
fn an_account_that_is_nobody_s_is_not_taken() {
    let (server, device) = site(|text| text);
    server.always("/api/me", answering("200 OK", "", r#"{"id": 0}"#));
    assert_eq!(log_in(&device), Ok("zoë".to_owned()), "what the user typed stands in");
    let (server, device) = site(|text| text);
    server.always("/api/token", answering("500 Broken", "", ""));
    assert_eq!(log_in(&device), Ok("zoë".to_owned()));
    assert!(server.requests("/api/me").is_empty());
}

#[test]
fn a_page_of_the_logout_says_what_it_shows_and_no_more() {
    let page = |status, body| answering(status, "", body);
    let cases = [
        // The login form is back.
        (page("200 OK", LOGIN), Outcome::AlreadyEnded, 0),
        (page("401 Unauthorized", ""), Outcome::Alive, 0),
        (page("503 Busy", ""), Outcome::Deferred, 0),
        (page("404 Not Found", ""), Outcome::Deferred, 0),
        (vec![], Outcome::Deferred, 0),
        // No token in the page: the cookie's serves.
        (page("200 OK", "<p>"), Outcome::Revoked, 1),
    ];
    at_once(&cases, |(page, outcome, sent)| {
        let (server, device) = site(|text| text);
        log_in(&device).unwrap();
        server.always("/home", page.clone());
        assert_eq!(log_out(&device).remote, *outcome, "{outcome:?} {sent}");
        assert_eq!(server.requests("/logout").len(), *sent);
        assert_eq!(pending(&device), u64::from(!outcome.is_final()));
    });
}

#[test]
fn a_probe_is_refused_by_what_its_answer_shows() {
    let (server, device) = site(|text| text);
    log_in(&device).unwrap();
    server.always("/logout", answering("200 OK", "", ""));
    let who = |anon: bool| answering("200 OK", "", &json!({ "anon": anon }).to_string());
    server.next("/who", [who(false)]);
    server.always("/who", who(true));
    assert_eq!(log_out(&device).remote, Outcome::Revoked);
    assert_eq!(server.requests("/who").len(), 2);
}

/// With a request for all sessions; `own` says whether it ends this one as well.
fn everywhere(lines: &str) -> (Server, Device) {
    let lines = lines.to_owned();
    site(move |text| {
        let base = text.split("website = \"").nth(1).unwrap().split('"').next().unwrap();
        format!("{text}\n[everywhere]\n{}\n", lines.replace("BASE", base))
    })
}

const ALL: &str = "flow = 'request'\nurl = 'BASE/all'\njson = { }\ndone = { status = 204 }\n";

#[test]
fn one_request_ends_all_the_others() {
    let all = LogoutOptions { everywhere: true, ..LogoutOptions::default() };
    let cases = [
        ("", "204 No Content", Outcome::Revoked, None, 1),
        ("own = true", "204 No Content", Outcome::Revoked, None, 0),
        ("", "500 Broken", Outcome::Deferred, Some(0), 0),
        ("own = true", "200 OK", Outcome::Unconfirmed, Some(1), 1),
    ];
    at_once(&cases, |(lines, status, outcome, ended, logouts)| {
        let (server, device) = everywhere(&format!("{ALL}{lines}"));
        log_in(&device).unwrap();
        server.always("/all", answering(status, "", ""));
        let report = device.log_out(&all, &never()).unwrap();
        assert_eq!((report.remote, report.sessions_ended), (*outcome, *ended), "{lines} {status}");
        assert_eq!(server.requests("/logout").len(), *logouts, "{lines} {status}");
        assert_eq!(server.requests("/all")[0].method, "POST");
    });
}

#[test]
fn the_logout_itself_may_end_them_all() {
    let (_, device) = everywhere("flow = 'logout'\n");
    log_in(&device).unwrap();
    let all = LogoutOptions { everywhere: true, ..LogoutOptions::default() };
    let report = device.log_out(&all, &never()).unwrap();
    assert_eq!((report.remote, report.sessions_ended), (Outcome::Revoked, None));
}
