//! What a server can do to us, and that it ends: in time, within the caps, with the right fault.

use super::{client, failure, get, hasty_client};
use crate::fixture::{cancel_after, never};
use crate::server::{Server, Step, answer};
use sessionkeeper::cookies::Jar;
use sessionkeeper::error::{Fault, Kind};
use sessionkeeper::http::Request;
use sessionkeeper::provider::Hosts;
use std::time::{Duration, Instant};

const MIB: usize = 1 << 20;

fn fault_of(bytes: impl Into<Vec<u8>>) -> Kind {
    failure(&client(), &Server::sending(bytes))
}

#[test]
fn what_is_not_http_is_malformed() {
    for head in [
        "HELLO\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "<html>HTTP/0.9</html>",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-A: b\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-A: b\0c\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ] {
        assert_eq!(fault_of(head), Kind::Network(Fault::Malformed), "{head:?}");
    }
}

#[test]
fn headers_have_a_cap() {
    let many = "X-A: b\r\n".repeat(10_000);
    assert_eq!(fault_of(answer("200 OK", &many, "")), Kind::Network(Fault::Malformed));
    let long = |size| format!("X-A: {}\r\n", "b".repeat(size));
    for size in [65 << 10, MIB] {
        let bytes = answer("200 OK", &long(size), "");
        assert_eq!(fault_of(bytes), Kind::Network(Fault::Malformed), "{size}");
    }
    let fits = get(&Server::sending(answer("200 OK", &long(60 << 10), ""))).unwrap();
    assert_eq!(fits.header("x-a").unwrap().len(), 60 << 10);
}

#[test]
fn a_body_is_cut_at_the_cap() {
    let exact = get(&Server::sending(answer("200 OK", "", &"x".repeat(MIB)))).unwrap();
    assert_eq!((exact.body.len(), exact.is_cut), (MIB, false));
    let longer = get(&Server::sending(answer("200 OK", "", &"x".repeat(MIB + 1)))).unwrap();
    assert_eq!((longer.body.len(), longer.is_cut), (MIB, true));
    let endless = Server::start(|_| {
        let mut steps =
            vec![Step::Send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec())];
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000)).into_bytes();
        steps.extend(std::iter::repeat_n(Step::Send(chunk), 1000));
        steps
    });
    let answer = get(&endless).unwrap();
    assert_eq!((answer.body.len(), answer.is_cut), (MIB, true));
}

/// A gzip stream of zeroes, made of one deflate block repeated: about 1:1000.
#[test]
fn a_gzip_bomb_is_cut_after_decoding() {
    // Fixed-Huffman block: literal 0, then copies of 258 bytes at distance 1, one bit each.
    let mut bits: Vec<bool> = Vec::new();
    let mut put = |value: u32, count: u32, is_code: bool| {
        for index in 0..count {
            let shift = if is_code { count - 1 - index } else { index };
            bits.push(value >> shift & 1 == 1);
        }
    };
    put(1, 1, false); // the last block
    put(1, 2, false); // with fixed codes
    put(0b0011_0000, 8, true); // literal 0
    for _ in 0..40_000 {
        put(0b1100_0101, 8, true); // length 258
        put(0, 5, true); // distance 1
    }
    put(0, 7, true); // end of block
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];
    for byte in bits.chunks(8) {
        gzip.push(byte.iter().enumerate().map(|(i, bit)| u8::from(*bit) << i).sum());
    }
    gzip.extend([0; 8]); // a wrong checksum: reading must stop long before
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        gzip.len()
    );
    let answer = get(&Server::sending([head.as_bytes(), &gzip].concat())).unwrap();
    assert_eq!((answer.body.len(), answer.is_cut), (MIB, true));
    assert!(answer.body.iter().all(|byte| *byte == 0));
}

#[test]
fn a_body_that_is_not_what_it_says_is_malformed() {
    let bytes = answer("200 OK", "Content-Encoding: gzip\r\n", "this is not gzip at all");
    assert_eq!(fault_of(bytes), Kind::Network(Fault::Malformed));
}

#[test]
fn a_connection_that_breaks_is_a_reset() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf".to_vec();
    for steps in [
        vec![],
        vec![Step::Reset],
        vec![Step::Send(b"HTTP/1.1 200 OK\r\nX-".to_vec())],
        vec![Step::Send(b"HTTP/1.1 200 OK\r\nX-".to_vec()), Step::Reset],
        vec![Step::Send(b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec())],
        vec![Step::Send(half.clone())],
        vec![Step::Send(half), Step::Reset],
    ] {
        let server = Server::start(move |_| steps.clone());
        assert_eq!(failure(&client(), &server), Kind::Network(Fault::Reset));
    }
}

#[test]
fn nobody_there_is_told_from_nobody_found() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    drop(listener);
    let url = url::Url::parse(&format!("http://{authority}/")).unwrap();
    let hosts = Hosts::new(&[authority], &[]).unwrap();
    let error =
        client().exchange(&Request::get(url), &hosts, &mut Jar::new(), &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::Network(Fault::Connect));
    assert_eq!(error.message(), "127.0.0.1 could not be reached");
}

#[test]
fn slow_and_silent_servers_meet_a_deadline() {
    let pause = Duration::from_millis(100);
    for steps in [
        vec![Step::Stall],
        vec![Step::Drip(answer("200 OK", "", "never"), pause)],
        vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n".to_vec()), Step::Stall],
        vec![
            Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n".to_vec()),
            Step::Drip(vec![b'x'; 99], pause),
        ],
    ] {
        let server = Server::start(move |_| steps.clone());
        let start = Instant::now();
        assert_eq!(failure(&hasty_client(), &server), Kind::Network(Fault::Timeout));
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    }
}

#[test]
fn a_cancel_is_heard_at_once_and_the_late_answer_dropped() {
    let late = answer("200 OK", "Set-Cookie: a=b", "");
    let server = Server::start(move |_| vec![Step::Drip(late.clone(), Duration::from_millis(5))]);
    let (start, cancel, mut jar) = (Instant::now(), cancel_after(100), Jar::new());
    let request = Request::get(server.url("/"));
    let error = client().exchange(&request, &server.hosts(), &mut jar, &cancel).unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    std::thread::sleep(Duration::from_millis(700));
    assert!(jar.is_empty());
    let error = client().exchange(&request, &server.hosts(), &mut jar, &cancel).unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    assert_eq!(server.journal().len(), 1, "nothing is sent once it is cancelled");
}
