//! A logout of several steps, and the looks at the session before and after them.

use crate::fixture::{Device, commits, drain, log_out, noted};
use crate::server::{Step, answer, answering};
use crate::service::{COOKIES, Service, deletion, log_in, probe, without_proof, without_renewal};
use sessionkeeper::session::Outcome;

/// The steps of an application's backend: the first answer names where the session is ended.
fn backend(service: &Service) -> Device {
    let (first, then) = (service.url("/backend"), "bye");
    let steps = format!(
        "[[logout.steps]]\nflow = \"request\"\nmethod = \"POST\"\nurl = \"{first}\"\n\
         take.{then} = [\"/a\", \"/b\"]\nwarning = \"/warning\"\n\
         [logout.steps.proof]\nstatus = [200]\ndeletes = [[\"remember\"]]\n\
         [[logout.steps]]\nflow = \"request\"\nmethod = \"GET\"\nurl_from = \"{then}\"\n\
         [logout.steps.proof]\nstatus = [200]\njson = {{ \"/done\" = true }}\n"
    );
    let device = service
        .device_with(|text| format!("{}{steps}", &text[..text.find("[[logout.steps]]").unwrap()]));
    log_in(&device);
    device
}

fn deleting(body: &str) -> Vec<u8> {
    answer("200 OK", &deletion("remember"), body)
}

#[test]
fn the_second_step_goes_where_the_first_answer_says() {
    for body in
        ["{\"a\": \"URL\"}", "{\"a\": \"\", \"b\": \"URL\"}", "{\"a\": [1], \"b\": \"URL\"}"]
    {
        let service = Service::start();
        let device = backend(&service);
        let body = body.replace("URL", service.url("/bye").as_str());
        service.always("/backend", vec![Step::Send(deleting(&body))]);
        service.always("/bye", answering("200 OK", "", "{\"done\": true}"));
        let before = commits(&device);
        let report = log_out(&device);
        assert_eq!(report.remote, Outcome::Revoked, "{body}");
        assert_eq!(commits(&device) - before, 2, "what was taken is of no use any more");
        assert_eq!(
            report.notes.server_cookies_cleared.into_iter().collect::<Vec<_>>(),
            ["remember"]
        );
        assert_eq!(service.requests("/bye").len(), 1);
    }
}

#[test]
fn where_the_first_step_fails_its_word_counts_and_nothing_else_is_tried() {
    for (status, expected) in [("401 No", Outcome::AlreadyEnded), ("503 No", Outcome::Deferred)] {
        let service = Service::start();
        let device = backend(&service);
        service.always("/backend", answering(status, "", ""));
        assert_eq!(log_out(&device).remote, expected, "{status}");
    }
    let service = Service::start();
    let device = backend(&service);
    service.always("/backend", answering("404 Not Found", "", ""));
    assert_eq!(log_out(&device).remote, Outcome::Deferred);
    assert_eq!(drain(&device).deferred, 1);
    assert_eq!(drain(&device).entries[0].last_outcome, "rejected");
}

#[test]
fn what_was_dead_before_may_be_told_in_the_answer() {
    for (message, expected) in [("Invalid token", Outcome::AlreadyEnded), ("no", Outcome::Deferred)]
    {
        let service = Service::start();
        let ended = "ended = { status = 400, json = { \"/message\" = \"Invalid token\" } }\n";
        let device = service
            .device_with(|text| text.replacen("/logout\"\n", &format!("/logout\"\n{ended}"), 1));
        log_in(&device);
        let body = format!("{{\"message\": \"{message}\"}}");
        service.always("/logout", answering("400 Bad Request", "", &body));
        assert_eq!(log_out(&device).remote, expected, "{message}");
    }
}

#[test]
fn what_the_first_answer_named_is_kept_until_the_second_step_is_done() {
    let service = Service::start();
    let device = backend(&service);
    let body = format!("{{\"a\": \"{}\"}}", service.url("/bye"));
    service.next("/backend", [vec![Step::Send(deleting(&body))]]);
    service.always("/backend", answering("401 Unauthorized", "", ""));
    service.next("/bye", [vec![]]);
    service.always("/bye", answering("200 OK", "", "{\"done\": true}"));
    assert_eq!(log_out(&device).remote, Outcome::Deferred);
    assert_eq!(drain(&device.restarted()).revoked, 1);
    assert_eq!(service.requests("/bye").len(), 2);
}

#[test]
fn a_first_answer_that_names_nothing_proves_nothing() {
    let service = Service::start();
    let device = backend(&service);
    service.always("/backend", vec![Step::Send(deleting("{\"warning\": \"later\"}"))]);
    let report = log_out(&device);
    assert_eq!(report.remote, Outcome::Unconfirmed);
    assert_eq!(report.notes.audit_warning, "later");
    log_in(&device);
    let body = "{\"warning\": \"\\u001b[2J\"}";
    service.always("/backend", vec![Step::Send(deleting(body))]);
    assert_eq!(log_out(&device).notes.audit_warning, "", "it cannot be shown");
    assert_eq!(
        device.outbox().unwrap().entries[0].next_attempt_at,
        None,
        "it is answered the same"
    );
}

#[test]
fn one_step_that_may_go_otherwise_is_reason_enough_to_come_back() {
    let service = Service::start();
    let other = service.url("/other");
    let device = service.device_with(|text| {
        let start = without_proof(&text);
        format!(
            "{start}\n[[logout.steps]]\nflow = \"request\"\nmethod = \"GET\"\nurl = \"{other}\"\n"
        )
    });
    service.always("/logout", answering("200 OK", "", ""));
    for (status, is_tried_again) in [("200 OK", false), ("403 Forbidden", true)] {
        log_in(&device);
        service.always("/other", answering(status, "", ""));
        assert_eq!(log_out(&device).remote, Outcome::Unconfirmed);
        let entries = device.outbox().unwrap().entries;
        let next = entries.last().unwrap().next_attempt_at;
        assert_eq!(next.is_some(), is_tried_again, "{status}");
    }
}

#[test]
fn what_is_proved_is_not_looked_at_again() {
    let service = Service::start();
    let probe = probe(service.url("/me"));
    let device = service.device_with(|text| without_renewal(&text) + &probe);
    log_in(&device);
    let before = commits(&device);
    assert_eq!(log_out(&device).remote, Outcome::Revoked);
    assert_eq!(commits(&device) - before, 2, "nor kept for later");
    assert_eq!(service.requests("/me").len(), 1, "before the logout");
    assert_eq!(noted(&device, "revoked"), 1);
}

#[test]
fn every_cookie_that_the_server_deleted_is_named() {
    let service = Service::start();
    let device = service.device();
    log_in(&device);
    let report = log_out(&device);
    let named: Vec<_> = report.notes.server_cookies_cleared.into_iter().collect();
    let mut all = COOKIES.map(|(name, _)| name);
    all.sort_unstable();
    assert_eq!(named, all);
}
