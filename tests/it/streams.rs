//! Answers that are read piece by piece: as they come, to their end or until somebody ends them.

use crate::fixture::{Device, MAX_BODY, ask, at_once, cancel_after, log_out, never, wait_until};
use crate::server::{Server, Step, Steps, answer, answering, slowly};
use crate::service::{Service, log_in, signed_in, without_renewal};
use sessionkeeper::cancel::Cancel;
use sessionkeeper::error::{Fault, Kind, Result};
use sessionkeeper::keeper::{Keeper, LogoutOptions, Outgoing, Received, Rest};
use std::time::{Duration, Instant};

type Case = (&'static str, fn(&Device));

const SIZE: Option<usize> = Some(64 << 10);

/// An answer of this length, of which only `first` is sent at once; then `rest`.
fn sending(length: usize, first: &str, rest: impl IntoIterator<Item = Step>) -> Steps {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{first}");
    std::iter::once(Step::Send(head.into_bytes())).chain(rest).collect()
}

fn open(keeper: &Keeper, service: &Service, path: &str) -> Received {
    try_open(keeper, service, path, &never()).unwrap()
}

fn try_open(keeper: &Keeper, service: &Service, path: &str, cancel: &Cancel) -> Result<Received> {
    let outgoing = Outgoing { stream: true, ..Outgoing::new("GET", service.url(path).as_str()) };
    keeper.request(&outgoing, cancel)
}

/// Signed in, and a stream that has begun and says no more.
fn begun() -> (Service, Device, u64) {
    let (service, device) = signed_in();
    service.always("/film", sending(99, "begun", [Step::Stall]));
    let stream = open(&device, &service, "/film").stream.unwrap();
    assert_eq!(device.read_stream(stream, SIZE, &never()).unwrap().body, b"begun");
    (service, device, stream)
}

fn assert_closed(server: &Server) {
    wait_until(2, "a connection is left open", || server.open_connections() == 0);
}

#[test]
fn a_body_comes_in_pieces_as_it_arrives() {
    let (service, device) = signed_in();
    let late = Step::Drip(b"late".to_vec(), Duration::from_millis(150));
    service.always("/film", sending(10, "early ", [late]));
    let begun = Instant::now();
    let answer = open(&device, &service, "/film");
    assert_eq!((answer.status, answer.reason, answer.body.len()), (200, "OK", 0));
    let stream = answer.stream.unwrap();
    let mut pieces = Vec::new();
    loop {
        let piece = device.read_stream(stream, SIZE, &never()).unwrap();
        pieces.push((piece.body, begun.elapsed()));
        if piece.is_last {
            break;
        }
    }
    assert_eq!(pieces[0].0, b"early ");
    assert!(pieces[0].1 < Duration::from_millis(150), "{:?}", pieces[0].1);
    assert_eq!(pieces.into_iter().flat_map(|(body, _)| body).collect::<Vec<_>>(), b"early late");
    let error = device.read_stream(stream, SIZE, &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput, "it was read to its end");
}

#[test]
fn a_stream_that_was_read_leaves_its_connection_for_the_next_request() {
    let (service, device) = signed_in();
    service.keep_connections();
    service.always("/film", answering("200 OK", "", "all"));
    for _ in 0..3 {
        let stream = open(&device, &service, "/film").stream.unwrap();
        let rest = device.read_stream(stream, None, &never()).unwrap();
        assert_eq!((rest.body.as_slice(), rest.is_last), (&b"all"[..], true));
    }
    let connections: Vec<_> =
        service.requests("/film").iter().map(|seen| seen.connection).collect();
    assert!(connections.iter().all(|one| *one == connections[0]), "{connections:?}");
}

#[test]
fn the_rest_is_read_as_a_whole_up_to_the_longest_body() {
    let (service, device) = signed_in();
    service.always("/exact", answering("200 OK", "", &"x".repeat(MAX_BODY)));
    service.always("/longer", answering("200 OK", "", &"x".repeat(MAX_BODY + 1)));
    let exact = open(&device, &service, "/exact").stream.unwrap();
    assert_eq!(device.read_stream(exact, None, &never()).unwrap().body.len(), MAX_BODY);
    let longer = open(&device, &service, "/longer").stream.unwrap();
    let error = device.read_stream(longer, None, &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::UnexpectedAnswer);
    assert_eq!(error.message(), "the answer is larger than 3 MiB");
    assert!(error.hint().contains("max_body"));
    // In pieces it has no end.
    let longer = open(&device, &service, "/longer").stream.unwrap();
    let mut read = 0;
    loop {
        let piece = device.read_stream(longer, SIZE, &never()).unwrap();
        read += piece.body.len();
        if piece.is_last {
            break;
        }
    }
    assert_eq!(read, MAX_BODY + 1);
    assert_closed(&service);
}

#[test]
fn a_stream_that_is_closed_gives_its_connection_back() {
    let (service, device, stream) = begun();
    assert_eq!(service.open_connections(), 1);
    device.close_stream(stream);
    assert_closed(&service);
    assert!(device.read_stream(stream, SIZE, &never()).is_err());
    device.close_stream(stream);
    assert_eq!(ask(&device).unwrap(), 200);
}

#[test]
fn a_stream_ends_with_the_last_keeper_of_its_directory() {
    let (service, device, _) = begun();
    drop(device);
    assert_closed(&service);
}

#[test]
fn a_stream_that_nobody_reads_is_closed_in_time_and_one_that_waits_is_not() {
    let (service, device, stream) = begun();
    let idle = Duration::from_millis(100);
    std::thread::scope(|scope| {
        let read = scope.spawn(|| device.read_stream(stream, SIZE, &cancel_after(900)));
        std::thread::sleep(Duration::from_millis(700));
        assert_eq!(device.rest(idle), Rest::No, "it is being read");
        assert_eq!(read.join().unwrap().unwrap_err().kind(), Kind::Cancelled);
    });
    let unread = open(&device, &service, "/film").stream.unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(device.rest(idle), Rest::No, "there is time to read it");
    assert_eq!(service.open_connections(), 1);
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(device.rest(idle), Rest::Begun);
    assert_closed(&service);
    let error = device.read_stream(unread, SIZE, &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
}

#[test]
fn a_read_obeys_its_caller_and_what_it_may_have_lost_is_not_skipped() {
    let (service, device, stream) = begun();
    let start = Instant::now();
    let error = device.read_stream(stream, SIZE, &cancel_after(100)).unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    assert!(start.elapsed() < Duration::from_millis(600), "{:?}", start.elapsed());
    assert_eq!(device.read_stream(stream, SIZE, &never()).unwrap_err().kind(), Kind::InvalidInput);
    assert_closed(&service);
}

#[test]
fn a_pause_between_two_pieces_has_an_end() {
    let (service, device) = signed_in();
    service.always("/film", sending(99, "begun", [Step::Stall]));
    let url = service.url("/film");
    let timeout = Some(Duration::from_millis(300));
    let outgoing = Outgoing { stream: true, timeout, ..Outgoing::new("GET", url.as_str()) };
    let stream = device.request(&outgoing, &never()).unwrap().stream.unwrap();
    device.read_stream(stream, SIZE, &never()).unwrap();
    let start = Instant::now();
    let error = device.read_stream(stream, SIZE, &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::Network(Fault::Timeout));
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
    assert_closed(&service);
}

#[test]
fn a_body_that_breaks_off_is_an_error_after_what_had_come() {
    let (service, device) = signed_in();
    service.always("/film", sending(99, "half", []));
    let stream = open(&device, &service, "/film").stream.unwrap();
    let mut read = Vec::new();
    let error = loop {
        match device.read_stream(stream, SIZE, &never()) {
            Ok(piece) => {
                assert!(!piece.is_last);
                read.extend(piece.body);
            }
            Err(error) => break error,
        }
    };
    assert_eq!(read, b"half");
    assert_eq!(error.kind(), Kind::Network(Fault::Reset));
}

#[test]
fn a_logout_ends_what_is_being_read() {
    let cases: [Case; 4] = [
        ("logout", |device| drop(log_out(device))),
        ("local", |device| {
            let options = LogoutOptions { local_only: true, ..LogoutOptions::default() };
            device.log_out(&options, &never()).unwrap();
        }),
        ("forget", |device| assert!(device.forget(&[], &never()).unwrap().forgotten)),
        ("another login", |device| log_in(device)),
    ];
    at_once(&cases, |(name, end)| {
        let (service, device, waiting) = begun();
        let unread = open(&device, &service, "/film").stream.unwrap();
        std::thread::scope(|scope| {
            let read = scope.spawn(|| {
                let start = Instant::now();
                (device.read_stream(waiting, SIZE, &never()), start.elapsed())
            });
            std::thread::sleep(Duration::from_millis(100));
            end(&device);
            let (read, took) = read.join().unwrap();
            assert_eq!(read.unwrap_err().kind(), Kind::NotSignedIn, "{name}");
            assert!(took < Duration::from_millis(1500), "{name}: {took:?}");
        });
        let read = device.read_stream(unread, SIZE, &never());
        assert_eq!(read.unwrap_err().kind(), Kind::NotSignedIn, "{name}");
        assert_closed(&service);
    });
}

#[test]
fn a_logout_of_another_process_ends_a_stream_within_its_next_reads() {
    let (service, device) = signed_in();
    let drip = Step::Drip(vec![b'x'; 99], Duration::from_millis(100));
    service.always("/film", sending(99, "", [drip]));
    let stream = open(&device, &service, "/film").stream.unwrap();
    log_out(&device.restarted());
    let start = Instant::now();
    let error = loop {
        if let Err(error) = device.read_stream(stream, SIZE, &never()) {
            break error;
        }
    };
    assert_eq!(error.kind(), Kind::NotSignedIn);
    assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
    assert_closed(&service);
}

#[test]
fn a_session_that_is_renewed_or_not_active_goes_on() {
    let (service, device) = signed_in();
    let drip = Step::Drip(vec![b'x'; 25], Duration::from_millis(100));
    service.always("/film", sending(25, "", [drip]));
    let stream = open(&device, &service, "/film").stream.unwrap();
    device.renew(&never()).unwrap();
    assert_eq!(device.read_stream(stream, None, &never()).unwrap().body.len(), 25);
}

#[test]
fn a_refusal_is_answered_by_a_renewal_before_the_stream_is_handed_over() {
    let (service, device) = signed_in();
    service.next("/film", [answering("401 Unauthorized", "", "no"), sending(4, "film", [])]);
    let answer = open(&device, &service, "/film");
    assert_eq!((answer.status, answer.is_unauthenticated), (200, false));
    assert_eq!(device.read_stream(answer.stream.unwrap(), None, &never()).unwrap().body, b"film");
    assert_eq!(service.renewals(), 1);
}

#[test]
fn what_is_no_good_answer_comes_whole() {
    let service = Service::start();
    let device = service.device_with(|text| without_renewal(&text));
    log_in(&device);
    service.always("/gone", answering("404 Not Found", "", "gone"));
    service.always("/moved", answering("302 Found", "Location: /gone", "moved"));
    service.end_all();
    for (path, body) in [("/gone", "gone"), ("/moved", "gone")] {
        let answer = open(&device, &service, path);
        assert_eq!((answer.status, answer.stream), (404, None), "{path}");
        assert_eq!(answer.body, body.as_bytes());
    }
    let refused = open(&device, &service, "/me");
    assert_eq!((refused.status, refused.stream, refused.is_unauthenticated), (401, None, true));
    assert_eq!(refused.session_over.unwrap().kind(), Kind::SessionExpired);
}

#[test]
fn the_wait_for_a_stream_can_be_left() {
    let (service, device) = signed_in();
    service.always("/film", slowly(5000));
    let start = Instant::now();
    let error = try_open(&device, &service, "/film", &cancel_after(100)).unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    assert!(start.elapsed() < Duration::from_millis(600), "{:?}", start.elapsed());
}

#[test]
fn a_packed_body_is_unpacked_piece_by_piece() {
    let (service, device) = signed_in();
    // "hello" by gzip.
    let packed = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xcbH\xcd\xc9\xc9\x07\0\x86\xa6\x106\x05\0\0\0";
    let mut bytes = answer("200 OK", "Content-Encoding: gzip", "");
    let head = String::from_utf8(bytes)
        .unwrap()
        .replace("Content-Length: 0", &format!("Content-Length: {}", packed.len()));
    bytes = [head.as_bytes(), packed].concat();
    service.always("/film", vec![Step::Send(bytes)]);
    let stream = open(&device, &service, "/film").stream.unwrap();
    assert_eq!(device.read_stream(stream, None, &never()).unwrap().body, b"hello");
}
