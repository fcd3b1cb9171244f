//! What an add-on has under way when the viewer withdraws her permission, or logs out.

use crate::fixture::{ask, at_once, log_out, never, wait_until};
use crate::issuer::Issuer;
use crate::server::{Server, Step, Steps, slowly};
use crate::service::signed_in;
use serde_json::json;
use sessionkeeper::error::{Kind, Result};
use sessionkeeper::keeper::{Keeper, Outgoing, ReceivedPiece};
use std::thread;
use std::time::{Duration, Instant};

/// What the viewer does meanwhile.
type Act = fn(&Keeper);

const PLAYER: &str = "plugin.video.player";
const SIZE: Option<usize> = Some(64 << 10);

/// So many bytes, one every 100 ms.
fn dripping(length: usize) -> Steps {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
    vec![Step::Send(head.into_bytes()), Step::Drip(vec![b'x'; length], Duration::from_millis(100))]
}

/// A byte, and then nothing for as long as anybody waits.
fn stalling() -> Steps {
    vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx".to_vec()), Step::Stall]
}

fn getting(server: &Server, path: &str) -> Outgoing {
    let timeout = Some(Duration::from_secs(20));
    Outgoing { timeout, ..Outgoing::new("GET", server.url(path).as_str()) }
}

fn open(keeper: &Keeper, server: &Server) -> u64 {
    let outgoing = Outgoing { stream: true, ..getting(server, "/film") };
    keeper.request(&outgoing, &never()).unwrap().stream.unwrap()
}

fn read(keeper: &Keeper, stream: u64) -> Result<ReceivedPiece> {
    keeper.read_stream(stream, SIZE, &never())
}

/// What ends the stream, and after how long.
fn end_of(keeper: &Keeper, stream: u64) -> (Result<ReceivedPiece>, Duration) {
    let start = Instant::now();
    loop {
        let piece = read(keeper, stream);
        if piece.as_ref().map_or(true, |piece| piece.is_last) {
            return (piece, start.elapsed());
        }
    }
}

/// Somebody else logs in, and is the active one from then on.
fn log_in_another(issuer: &Issuer) {
    issuer.next("/token", [issuer.tokens(&json!({ "id_token": { "sub": "u2" } }))]);
    issuer.log_in().unwrap();
}

#[test]
fn a_stream_goes_by_the_permission_for_its_own_account() {
    at_once(&[true, false], |is_withdrawn| {
        let issuer = Issuer::signed_in();
        issuer.always("/film", dripping(25));
        let (viewer, addon) = (&issuer.device, issuer.device.of_addon(PLAYER));
        viewer.set_permission(PLAYER, "u1", Some(true)).unwrap();
        let stream = open(&addon, &issuer);
        log_in_another(&issuer);
        if *is_withdrawn {
            viewer.set_permission(PLAYER, "u2", Some(true)).unwrap();
            viewer.set_permission(PLAYER, "u1", Some(false)).unwrap();
        }
        let (end, took) = end_of(&addon, stream);
        if *is_withdrawn {
            assert_eq!(end.unwrap_err().kind(), Kind::NeedsPermission);
            assert!(took < Duration::from_secs(2), "{took:?}");
        } else {
            assert!(end.unwrap().is_last, "the viewer looks at something else, that is all");
        }
    });
}

#[test]
fn a_withdrawal_ends_a_stream_of_whichever_account_at_once() {
    let issuer = Issuer::signed_in();
    issuer.always("/film", stalling());
    let (viewer, addon) = issuer.device.shared_with_addon(PLAYER);
    for answer in [Some(false), None] {
        viewer.set_permission(PLAYER, "u1", Some(true)).unwrap();
        viewer.switch("u1").unwrap();
        let (waiting, unread) = (open(&addon, &issuer), open(&addon, &issuer));
        let viewers = open(&viewer, &issuer);
        read(&addon, waiting).unwrap();
        log_in_another(&issuer);
        thread::scope(|scope| {
            let waits = scope.spawn(|| end_of(&addon, waiting));
            thread::sleep(Duration::from_millis(100));
            viewer.set_permission(PLAYER, "u1", answer).unwrap();
            let (end, took) = waits.join().unwrap();
            assert_eq!(end.unwrap_err().kind(), Kind::NeedsPermission);
            assert!(took < Duration::from_millis(800), "{took:?}");
        });
        assert_eq!(read(&addon, unread).unwrap_err().kind(), Kind::NeedsPermission);
        assert_eq!(read(&viewer, viewers).unwrap().body, b"x", "nobody asked for this one's end");
        viewer.close_stream(viewers);
        wait_until(2, "a connection is left open", || issuer.open_connections() == 0);
    }
}

#[test]
fn what_another_process_ends_ends_a_read_that_waits() {
    let cases: [(Kind, Act); 2] = [
        (Kind::NotSignedIn, |viewer| drop(log_out(viewer))),
        (Kind::NeedsPermission, |viewer| {
            viewer.set_permission(PLAYER, "acc-1", Some(false)).unwrap();
        }),
    ];
    at_once(&cases, |(kind, end)| {
        let (service, device) = signed_in();
        service.always("/film", stalling());
        device.set_permission(PLAYER, "acc-1", Some(true)).unwrap();
        let addon = device.of_addon(PLAYER);
        let stream = open(&addon, &service);
        read(&addon, stream).unwrap();
        thread::scope(|scope| {
            let waits = scope.spawn(|| end_of(&addon, stream));
            thread::sleep(Duration::from_millis(100));
            end(&device);
            let (end, took) = waits.join().unwrap();
            assert_eq!(end.unwrap_err().kind(), *kind);
            assert!(took < Duration::from_secs(5), "{took:?}");
        });
    });
}

#[test]
fn an_answer_to_an_add_on_is_not_handed_over_after_the_withdrawal() {
    let cases: [(Option<Kind>, bool, Act); 4] = [
        (None, false, |_| ()),
        (None, false, |viewer| drop(log_out(viewer))),
        (Some(Kind::NeedsPermission), false, |viewer| {
            viewer.set_permission(PLAYER, "acc-1", Some(false)).unwrap();
        }),
        (Some(Kind::NeedsPermission), true, |viewer| {
            viewer.set_permission(PLAYER, "acc-1", None).unwrap();
        }),
    ];
    at_once(&cases, |(expected, stream, end)| {
        let (service, device) = signed_in();
        service.always("/film", slowly(700));
        device.set_permission(PLAYER, "acc-1", Some(true)).unwrap();
        let addon = device.of_addon(PLAYER);
        thread::scope(|scope| {
            let outgoing = Outgoing { stream: *stream, ..getting(&service, "/film") };
            let addon = &addon;
            let asks = scope.spawn(move || addon.request(&outgoing, &never()));
            wait_until(5, "nothing is asked", || !service.requests("/film").is_empty());
            end(&device);
            let answer = asks.join().unwrap();
            assert_eq!(answer.err().map(|error| error.kind()), *expected);
        });
        assert_eq!(ask(&device).is_ok(), device.status().unwrap().account.is_some());
    });
}
