//! Every status with every kind of headers, a break at every byte, a wrong byte at every place: what
//! a waiting logout makes of each. What is expected is written from the documents, in `expected`.

use crate::fixture::{Device, at_once, drain, never, noted, pending};
use crate::server::{Step, Steps, answer};
use crate::service::{COOKIES, Service, deletion, good_logout, log_in};
use sessionkeeper::keeper::LogoutOptions;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A device with a logout that waits, again and again.
struct Desk {
    service: Service,
    device: Device,
}

impl Desk {
    fn new() -> Self {
        let service = Service::start();
        let device = service.device();
        Desk { service, device }
    }

    /// What the waiting logout comes to when it is answered so. "rejected" from the first refusal
    /// on, although the keeper says so only at the third.
    fn outcome(&self, steps: &Steps) -> &'static str {
        if pending(&self.device) == 0 {
            log_in(&self.device);
            let options = LogoutOptions { local_only: true, ..LogoutOptions::default() };
            self.device.log_out(&options, &never()).unwrap();
            let refused = vec![Step::Send(answer("404 Not Found", "", ""))];
            self.service.next("/logout", [refused.clone(), refused]);
            drain(&self.device);
            drain(&self.device);
        }
        self.service.next("/logout", [steps.clone()]);
        let start = Instant::now();
        let drained = drain(&self.device);
        assert!(start.elapsed() < Duration::from_secs(5), "in time");
        let counts = [
            ("revoked", drained.revoked),
            ("already_ended", drained.already_ended),
            ("deferred", drained.deferred),
            ("unconfirmed", drained.unconfirmed),
            ("rejected", drained.rejected),
        ];
        let found: Vec<_> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
        let [(outcome, 1)] = found[..] else { panic!("one outcome: {found:?}") };
        let is_final = matches!(outcome, "revoked" | "already_ended");
        assert_eq!(pending(&self.device), u64::from(!is_final), "{outcome}");
        outcome
    }
}

/// Four desks side by side: most of the time they wait for the disk. Gives how often each outcome
/// came.
fn check<T: Sync>(
    cases: &[T],
    steps_of: impl Fn(&T) -> Steps + Sync,
    is_right: impl Fn(&T, &str) -> bool + Sync,
    name: impl Fn(&T) -> String + Sync,
) -> BTreeMap<&'static str, usize> {
    let counts = Mutex::new(BTreeMap::new());
    let shards: Vec<&[T]> = cases.chunks(cases.len().div_ceil(4)).collect();
    at_once(&shards, |shard| {
        let desk = Desk::new();
        let mut finals = 0;
        for case in *shard {
            let outcome = desk.outcome(&steps_of(case));
            assert!(is_right(case, outcome), "{}: {outcome}", name(case));
            finals += usize::from(matches!(outcome, "revoked" | "already_ended"));
            *counts.lock().unwrap().entry(outcome).or_insert(0) += 1;
        }
        assert_eq!(noted(&desk.device, "revoked"), finals, "one `revoked` for each end");
    });
    counts.into_inner().unwrap()
}

/// The status alone decides, but for the one that can carry the proof. RFC 9110 section 15: what is
/// not known counts as the first of its class, and what is beyond 599 as a server's error.
fn expected(status: u16, is_proof: bool) -> &'static str {
    match status {
        302 if is_proof => "revoked",
        401 => "already_ended",
        400 | 404 | 405 | 410 | 501 => "rejected",
        408 | 425 | 429 | 500.. => "deferred",
        _ => "unconfirmed",
    }
}

#[test]
fn every_status_with_every_kind_of_headers() {
    let all: Vec<String> = COOKIES.iter().map(|(name, _)| deletion(name)).collect();
    let proof = format!("Location: /login?from=logout\n{}", all.join("\n"));
    let other_path = proof.replace("Path=/;", "Path=/account;");
    let kinds: [(&str, String); 10] = [
        ("the proof", proof.clone()),
        ("nothing", String::new()),
        ("the redirect alone", "Location: /login".to_owned()),
        ("all deletions but one", format!("Location: /login\n{}", all[1..].join("\n"))),
        ("deletions of another path", other_path),
        ("set again", format!("{proof}\nSet-Cookie: inner=new; Path=/")),
        ("when to come back", "Retry-After: 3600".to_owned()),
        ("when to come back, in no words", "Retry-After: soon\nRetry-After: -1".to_owned()),
        ("a word on the token", "WWW-Authenticate: Bearer error=\"invalid_token\"".to_owned()),
        ("the end of the connection", "Connection: close".to_owned()),
    ];
    let mut cases = Vec::new();
    for status in (200..600).chain([600, 799, 999]) {
        // The first two for each; of the others one in turn.
        let turn = 2 + usize::from(status) % (kinds.len() - 2);
        cases.extend([0, 1, turn].map(|kind| (status, &kinds[kind])));
    }
    for status in [200, 302, 303, 400, 401, 403, 404, 429, 500, 501, 503] {
        cases.extend(kinds.iter().map(|kind| (status, kind)));
    }
    let counts = check(
        &cases,
        |(status, (_, headers))| {
            vec![Step::Send(answer(&format!("{status} Whatever"), headers, ""))]
        },
        |(status, (kind, _)), outcome| outcome == expected(*status, *kind == "the proof"),
        |(status, (kind, _))| format!("{status} with {kind}"),
    );
    assert_eq!(counts.len(), 5, "each outcome came: {counts:?}");
    assert_eq!(counts["revoked"], 2, "{counts:?}");
}

#[test]
fn a_break_at_every_byte() {
    let good = good_logout();
    let mut cases = Vec::new();
    for length in 0..good.len() {
        cases.extend([(length, true), (length, false)]);
    }
    // A whole answer may be lost as well when a reset follows it; when the connection just ends,
    // it counts.
    cases.push((good.len(), false));
    let counts = check(
        &cases,
        |(length, is_reset)| {
            let mut steps = vec![Step::Send(good[..*length].to_vec())];
            steps.extend(is_reset.then_some(Step::Reset));
            steps
        },
        |(length, _), outcome| {
            outcome == if *length == good.len() { "revoked" } else { "deferred" }
        },
        |(length, is_reset)| format!("after {length} bytes, reset: {is_reset}"),
    );
    assert_eq!(counts["revoked"], 1);
}

#[test]
fn a_wrong_byte_at_every_place() {
    let good = good_logout();
    let text = String::from_utf8(good.clone()).unwrap();
    // What makes the proof: the status, and the names of what is deleted.
    let mut vital: Vec<usize> = (9..12).collect();
    for (name, _) in COOKIES {
        let line = format!("Set-Cookie: {name}=");
        let at = text.find(&line).unwrap();
        vital.extend(at..at + line.len());
    }
    assert_eq!(&text[9..12], "302");
    let mut cases = Vec::new();
    for (place, right) in good.iter().enumerate() {
        let wrong = if vital.contains(&place) { &b"\0\n~\xff"[..] } else { &b"\0\xff"[..] };
        cases.extend(wrong.iter().filter(|byte| right != *byte).map(|byte| (place, *byte)));
    }
    let counts = check(
        &cases,
        |(place, byte)| {
            let mut bytes = good.clone();
            bytes[*place] = *byte;
            vec![Step::Send(bytes)]
        },
        |(place, _), outcome| outcome != "revoked" || !vital.contains(place),
        |(place, byte)| format!("byte {byte} at {place}, in {:?}", text.get(..*place)),
    );
    assert!(counts["deferred"] > 0 && counts["unconfirmed"] > 0, "{counts:?}");
}
