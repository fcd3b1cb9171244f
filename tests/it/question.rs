//! What a service asks after the name and the password: asked again, given up, too late, killed.

use crate::child;
use crate::fixture::{
    Device, cancel_after, clock, drain, log_out, never, noted, pending, state, wait_until,
};
use crate::server::{Seen, Server, Step, Steps, answering};
use serde_json::{Value, json};
use sessionkeeper::error::{Error, Kind, Result};
use sessionkeeper::keeper::{Keeper, LoginTurn, OpenQuestion, Rest, State};
use sessionkeeper::provider::Provider;
use sessionkeeper::secret::Secret;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const FILE: &str = r#"
id = "asking"
name = "Asking"
website = "BASE"
hosts = ["BASE"]

[session]
token_cookies = ["sid"]

[login]
flow = "password"
url = "BASE/login"
json = { user = "{username}", secret = "{password}" }

[[login.question]]
when = { status = [401], json = { "/need" = "totp" } }
kind = "totp"
about = "the code from your authenticator app"
take = { ticket = "/ticket" }
url = "BASE/code"
json = { ticket = "{ticket}", code = "{answer}" }
refused_status = [403]
expired = { status = [410] }

[[login.question]]
when = { json = { "/need" = "word" } }
kind = "text"
about = "the name of your first pet"
url = "BASE/word"
json = { word = "{answer}" }
refused_status = [418]
tries = 1

[[logout.steps]]
flow = "request"
method = "POST"
url = "BASE/logout"

[logout.steps.proof]
status = [200]
deletes = [["sid"]]
"#;

/// A service whose sessions begin with the password, and are good for something after the code.
struct Asking {
    server: Server,
    live: Arc<Mutex<BTreeSet<usize>>>,
    device: Device,
}

impl Deref for Asking {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl Asking {
    fn start() -> Self {
        let live = Arc::new(Mutex::new(BTreeSet::new()));
        let sessions = Arc::clone(&live);
        let server = Server::start(move |seen| serve(&mut sessions.lock().unwrap(), seen));
        let text = FILE.replace("BASE", &format!("http://{}", server.authority()));
        let device = Device::new(Provider::parse(&text, None).unwrap(), &clock());
        Asking { server, live, device }
    }

    /// Sessions at the server, whole or half.
    fn sessions(&self) -> usize {
        self.live.lock().unwrap().len()
    }

    /// What the codes came with.
    fn bodies(&self, path: &str) -> Vec<Value> {
        let body = |seen: Seen| serde_json::from_str(seen.text.rsplit_once("\r\n\r\n").unwrap().1);
        self.requests(path).into_iter().map(|seen| body(seen).unwrap()).collect()
    }

    /// No note of a login is left.
    fn assert_no_note(&self) {
        let files = std::fs::read_dir(self.device.directory.join("data")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        assert_eq!(names.filter(|name| name.starts_with("login-")).count(), 0);
    }
}

fn serve(live: &mut BTreeSet<usize>, seen: &Seen) -> Steps {
    let session =
        seen.header("cookie").and_then(|cookie| cookie.strip_prefix("sid=")?.parse().ok());
    let body = seen.text.rsplit_once("\r\n\r\n").unwrap().1;
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    match seen.path.as_str() {
        "/login" => {
            live.insert(seen.connection);
            let cookie = format!("Set-Cookie: sid={}; Path=/", seen.connection);
            let asked = json!({ "need": "totp", "ticket": format!("t{}", seen.connection) });
            answering("401 Unauthorized", &cookie, &asked.to_string())
        }
        "/code" if body["code"] == "123456" => answering("200 OK", "", "{}"),
        "/code" => answering("403 Forbidden", "", "{\"ticket\": \"next\"}"),
        "/logout" => {
            session.map(|session| live.remove(&session));
            let gone = "Set-Cookie: sid=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
            answering("200 OK", gone, "{}")
        }
        _ => answering("404 Not Found", "", ""),
    }
}

fn start(keeper: &Keeper) -> (u64, OpenQuestion) {
    asked(keeper.start_login("viewer", &Secret::new("pässwörd"), &never()))
}

fn asked(turn: Result<LoginTurn>) -> (u64, OpenQuestion) {
    match turn.unwrap() {
        LoginTurn::Asked { handle, question } => (handle, question),
        LoginTurn::Done(status) => panic!("{status:?}"),
    }
}

fn answer(keeper: &Keeper, handle: u64, answer: &str) -> Result<LoginTurn> {
    keeper.answer_login(handle, Some(&Secret::new(answer)), &never())
}

fn done(turn: Result<LoginTurn>) -> State {
    match turn.unwrap() {
        LoginTurn::Done(status) => status.state,
        LoginTurn::Asked { question, .. } => panic!("{question:?}"),
    }
}

fn give_up(keeper: &Keeper, handle: u64) -> Error {
    keeper.answer_login(handle, None, &never()).unwrap_err()
}

#[test]
fn a_question_is_answered() {
    let asking = Asking::start();
    let (handle, open) = start(&asking.device);
    let about = "the code from your authenticator app";
    let shown = serde_json::to_value(&open).unwrap();
    let expires_at = sessionkeeper::clock::Clock::now(&*asking.device.clock) + 300;
    assert_eq!(
        shown,
        json!({ "kind": "totp", "about": about, "tries_left": 3, "again": false,
                "expires_at": expires_at })
    );
    assert_eq!(state(&asking.device), State::SignedOut);
    assert_eq!(done(answer(&asking.device, handle, " 123 456 ")), State::SignedIn);
    assert_eq!(asking.bodies("/code"), [json!({ "ticket": "t0", "code": "123456" })]);
    assert_eq!(asking.requests("/code")[0].header("cookie"), Some("sid=0"));
    asking.assert_no_note();
    log_out(&asking.device);
    assert_eq!(asking.sessions(), 0);
}

#[test]
fn a_wrong_answer_is_asked_for_again_until_the_tries_are_over() {
    let asking = Asking::start();
    let (handle, _) = start(&asking.device);
    let (handle, open) = asked(answer(&asking.device, handle, "000000"));
    assert_eq!((open.question.tries_left, open.question.again), (2, true));
    let (handle, open) = asked(answer(&asking.device, handle, "000001"));
    assert_eq!(open.question.tries_left, 1);
    let error = answer(&asking.device, handle, "000002").unwrap_err();
    assert_eq!(error.kind(), Kind::AnswerRefused);
    let tickets: Vec<_> =
        asking.bodies("/code").iter().map(|body| body["ticket"].clone()).collect();
    assert_eq!(tickets, ["t0", "next", "next"], "each answer may bring another");
    assert_eq!((asking.sessions(), state(&asking.device)), (0, State::SignedOut));
    assert_eq!(pending(&asking.device), 0);
    asking.assert_no_note();
    assert_eq!(answer(&asking.device, handle, "123456").unwrap_err().kind(), Kind::InvalidInput);
}

#[test]
fn a_login_that_is_given_up_is_ended_at_the_server() {
    let asking = Asking::start();
    let (handle, _) = start(&asking.device);
    assert_eq!(asking.sessions(), 1, "the server has begun one");
    assert_eq!(give_up(&asking.device, handle).kind(), Kind::Cancelled);
    assert_eq!((asking.sessions(), pending(&asking.device)), (0, 0));
    asking.assert_no_note();
    assert_eq!(give_up(&asking.device, handle).kind(), Kind::InvalidInput, "it is over");
}

#[test]
fn where_nobody_can_answer_the_login_fails_and_is_ended() {
    let asking = Asking::start();
    let error = asking.device.log_in("viewer", &Secret::new("x"), &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::AnswerNeeded);
    assert!(error.message().contains("the code from your authenticator app"), "{error}");
    assert_eq!((asking.sessions(), asking.requests("/code").len()), (0, 0));
    asking.assert_no_note();
}

#[test]
fn a_question_that_is_not_answered_in_time_ends_the_login() {
    let asking = Asking::start();
    let (handle, _) = start(&asking.device);
    asking.device.pass(299);
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(asking.sessions(), 1);
    asking.device.pass(1);
    wait_until(10, "it does not end", || asking.sessions() == 0);
    wait_until(10, "it has not ended", || noted(&asking.device, "login") == 1);
    assert_eq!(answer(&asking.device, handle, "123456").unwrap_err().kind(), Kind::CodeExpired);
    assert!(asking.requests("/code").is_empty());
    asking.assert_no_note();
}

#[test]
fn a_server_that_has_given_up_waiting_says_so() {
    let asking = Asking::start();
    asking.next("/code", [answering("410 Gone", "", "{}")]);
    let (handle, _) = start(&asking.device);
    assert_eq!(answer(&asking.device, handle, "123456").unwrap_err().kind(), Kind::CodeExpired);
    assert_eq!(asking.sessions(), 0);
}

#[test]
fn what_cannot_be_an_answer_leaves_the_question_open() {
    let asking = Asking::start();
    let (handle, _) = start(&asking.device);
    for odd in ["", "  ", "1\n2", &"1".repeat(5000)] {
        let error = answer(&asking.device, handle, odd).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
    }
    assert!(asking.requests("/code").is_empty());
    assert_eq!(done(answer(&asking.device, handle, "123456")), State::SignedIn);
}

#[test]
fn a_question_may_follow_another() {
    let asking = Asking::start();
    asking.next("/code", [answering("200 OK", "", "{\"need\": \"word\"}")]);
    asking.next("/word", [answering("200 OK", "", "{}")]);
    let (handle, _) = start(&asking.device);
    let (handle, open) = asked(answer(&asking.device, handle, "123456"));
    assert_eq!(open.question.about, "the name of your first pet");
    assert_eq!(done(answer(&asking.device, handle, " Zoë II ")), State::SignedIn);
    assert_eq!(asking.bodies("/word"), [json!({ "word": "Zoë II" })], "blanks belong to words");
    let (handle, _) = start(&asking.device);
    asking.always("/code", answering("200 OK", "", "{\"need\": \"word\"}"));
    asking.always("/word", answering("200 OK", "", "{\"need\": \"word\"}"));
    let (handle, _) = asked(answer(&asking.device, handle, "123456"));
    let error = answer(&asking.device, handle, "x").unwrap_err();
    assert_eq!(error.kind(), Kind::AnswerRefused, "who asks the same again has refused it");
}

#[test]
fn a_service_that_never_has_enough_is_left() {
    let asking = Asking::start();
    let (mut handle, _) = start(&asking.device);
    asking.always("/code", answering("200 OK", "", "{\"need\": \"word\"}"));
    let again = json!({ "need": "totp", "ticket": "t" }).to_string();
    asking.always("/word", answering("401 Unauthorized", "", &again));
    let last = loop {
        match answer(&asking.device, handle, "123456") {
            Ok(turn) => (handle, _) = asked(Ok(turn)),
            Err(error) => break error,
        }
    };
    assert_eq!(last.kind(), Kind::UnexpectedAnswer);
    assert!(last.message().contains("more and more"), "{last}");
    assert_eq!(asking.requests("/code").len() + asking.requests("/word").len(), 6);
    assert_eq!(asking.sessions(), 0);
}

#[test]
fn two_logins_are_asked_side_by_side() {
    let asking = Asking::start();
    let (first, _) = start(&asking.device);
    let start_of_second = Instant::now();
    let (second, _) = start(&asking.device);
    assert!(start_of_second.elapsed() < Duration::from_secs(2), "nobody waits for who types");
    assert_ne!(first, second);
    assert_eq!(asking.sessions(), 2);
    assert_eq!(done(answer(&asking.device, second, "123456")), State::SignedIn);
    assert_eq!(give_up(&asking.device, first).kind(), Kind::Cancelled);
    assert_eq!((asking.sessions(), state(&asking.device)), (1, State::SignedIn));
    let codes = asking.bodies("/code");
    assert_eq!(codes.iter().map(|body| &body["ticket"]).collect::<Vec<_>>(), ["t1"]);
}

/// As the registry does with what nobody has used for a minute.
#[test]
fn a_login_goes_on_after_its_keeper_has_rested() {
    let asking = Asking::start();
    let (handle, _) = start(&asking.device);
    assert_eq!(asking.device.rest(Duration::ZERO), Rest::Begun);
    assert_eq!(done(answer(&asking.device, handle, "123456")), State::SignedIn);
    asking.assert_no_note();
}

#[test]
fn the_newest_questions_are_kept() {
    let asking = Asking::start();
    let handles: Vec<u64> = (0..9).map(|_| start(&asking.device).0).collect();
    wait_until(10, "the oldest goes on", || asking.sessions() == 8);
    assert_eq!(give_up(&asking.device, handles[0]).kind(), Kind::InvalidInput);
    for handle in &handles[1..] {
        give_up(&asking.device, *handle);
    }
    assert_eq!(asking.sessions(), 0);
}

#[test]
fn a_logout_ends_a_login_that_is_asked_something() {
    let asking = Asking::start();
    let (handle, _) = start(&asking.device);
    log_out(&asking.device);
    wait_until(10, "it goes on", || asking.sessions() == 0);
    assert_eq!(answer(&asking.device, handle, "123456").unwrap_err().kind(), Kind::Cancelled);
    assert!(asking.requests("/code").is_empty());
    // One that comes from another process is seen before the answer is sent.
    let (handle, _) = start(&asking.device);
    log_out(&asking.device.restarted());
    assert_eq!(answer(&asking.device, handle, "123456").unwrap_err().kind(), Kind::Cancelled);
    assert_eq!((asking.sessions(), asking.requests("/code").len()), (0, 0));
    asking.assert_no_note();
}

#[test]
fn a_caller_that_is_stopped_while_the_answer_is_sent_leaves_no_session() {
    let asking = Asking::start();
    let (handle, _) = start(&asking.device);
    asking.next("/code", [vec![Step::Usual(Duration::from_millis(500))]]);
    let code = Secret::new("123456");
    let begun = Instant::now();
    let stopped = asking.device.answer_login(handle, Some(&code), &cancel_after(100));
    assert_eq!(stopped.unwrap_err().kind(), Kind::Cancelled);
    assert!(begun.elapsed() < Duration::from_millis(450), "at once");
    wait_until(10, "it is not ended", || asking.sessions() == 0);
    assert_eq!(state(&asking.device), State::SignedOut);
}

/// Waits at the question until it is killed.
pub fn victim(keeper: &Keeper) {
    start(keeper);
    println!("asked");
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn a_process_that_is_killed_while_somebody_types_leaves_no_session() {
    let asking = Asking::start();
    let mut victim = child::spawn("question", &asking.device);
    wait_until(10, "nobody asks", || asking.sessions() == 1);
    // What came is noted before the question is put.
    let lines = std::io::BufReader::new(victim.stdout.take().unwrap());
    let asked = std::io::BufRead::lines(lines).any(|line| line.unwrap().contains("asked"));
    assert!(asked);
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert_eq!(asking.sessions(), 1);
    let keeper = asking.device.restarted();
    assert_eq!(drain(&keeper).revoked, 1);
    assert_eq!((asking.sessions(), state(&keeper)), (0, State::SignedOut));
    asking.assert_no_note();
}

#[test]
fn no_answer_is_told_to_anybody() {
    const CANARY: &str = "canary-answer";
    let asking = Asking::start();
    let keeper = &asking.device;
    keeper.logged(|| {
        let (handle, _) = start(keeper);
        let (handle, _) = asked(answer(keeper, handle, CANARY));
        answer(keeper, handle, &format!("{CANARY}\n")).unwrap();
        assert!(give_up(keeper, handle + 1).kind() == Kind::Cancelled);
    });
    let log: Vec<String> = keeper.take_log().into_iter().map(|(_, line)| line).collect();
    assert!(log.iter().any(|line| line.contains("asks for something more")), "{log:?}");
    let trail = serde_json::to_string(&keeper.audit(100).unwrap()).unwrap();
    assert!(!format!("{log:?}{trail}").contains(CANARY));
    for file in std::fs::read_dir(keeper.directory.join("data")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes()));
    }
}
