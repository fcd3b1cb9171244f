//! A server on loopback for tests: answers each connection with the bytes a script says, and keeps
//! a journal of what it was asked. It speaks no HTTP of its own, so it can speak it wrongly.

use crate::cancel::Cancel;
use crate::clock::HeldClock;
use crate::cookies::Jar;
use crate::error::{Kind, Result};
use crate::http::{Answer, Client, Proxy, Request, Settings};
use crate::provider::Hosts;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use url::Url;

/// What happens on a connection, in turn. After the last step the connection is closed.
#[derive(Clone)]
pub enum Step {
    Send(Vec<u8>),
    /// Sends the bytes one by one, with this pause before each.
    Drip(Vec<u8>, Duration),
    /// Says nothing until the other side goes away.
    Stall,
    /// Closes with RST instead of FIN.
    Reset,
}

type Script = dyn Fn(&str) -> Vec<Step> + Send + Sync;

pub struct Server {
    address: std::net::SocketAddr,
    journal: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// `script` gets the request's head and says what to do.
    pub fn start(script: impl Fn(&str) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let journal = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&journal);
        let script: Arc<Script> = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (script, journal) = (Arc::clone(&script), Arc::clone(&shared));
                thread::spawn(move || serve(stream.unwrap(), &*script, &journal));
            }
        });
        Server { address, journal }
    }

    /// Always the same bytes, then the end of the connection.
    pub fn sending(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Server::start(move |_| vec![Step::Send(bytes.clone())])
    }

    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    pub fn hosts(&self) -> Hosts {
        Hosts::new(&[self.authority()], &[]).unwrap()
    }

    /// The requests so far, each with its head and its body.
    pub fn journal(&self) -> Vec<String> {
        self.journal.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, script: &Script, journal: &Mutex<Vec<String>>) {
    let Some(request) = await_request(&stream) else { return };
    journal.lock().unwrap().push(request.clone());
    // One byte stays unread for now: a socket closed with unread bytes sends a reset.
    let mut rest = vec![0; request.len() - 1];
    stream.read_exact(&mut rest).unwrap();
    let mut byte = [0];
    for step in script(request.split("\r\n\r\n").next().unwrap()) {
        // The client may have gone, which is what some tests are about.
        let is_gone = match step {
            Step::Send(bytes) => stream.write_all(&bytes).is_err(),
            Step::Drip(bytes, pause) => bytes.iter().any(|byte| {
                thread::sleep(pause);
                stream.write_all(&[*byte]).is_err()
            }),
            Step::Stall => {
                stream.read_exact(&mut byte).unwrap();
                stream.read(&mut byte).is_ok_and(|count| count == 0)
            }
            Step::Reset => return,
        };
        if is_gone {
            return;
        }
    }
    let _ = stream.read_exact(&mut byte);
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.read(&mut byte);
}

/// Waits for a whole request, head and body, and leaves it unread.
fn await_request(stream: &TcpStream) -> Option<String> {
    let mut seen = vec![0; 64 << 10];
    loop {
        let count = stream.peek(&mut seen).ok().filter(|count| *count > 0)?;
        let text = String::from_utf8(seen[..count].to_vec()).unwrap();
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if text.len() >= end + 4 + length {
                return Some(text);
            }
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// An answer with a body, closed afterwards.
pub fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

/// A client without a proxy, whose deadlines no answer of a test comes near.
pub fn client() -> Client {
    client_with(&Settings { proxy: Proxy::None, ..Settings::default() })
}

/// A client that soon loses patience: 0.5 s for the headers, 1.5 s in all.
pub fn hasty_client() -> Client {
    client_with(&Settings {
        answer_timeout: Duration::from_millis(500),
        total_timeout: Duration::from_millis(1500),
        proxy: Proxy::None,
        ..Settings::default()
    })
}

pub fn client_with(settings: &Settings) -> Client {
    Client::new(settings, Arc::new(HeldClock::at(1_800_000_000))).unwrap()
}

/// One GET with an empty jar.
pub fn get_with(client: &Client, server: &Server) -> Result<Answer> {
    let request = Request::get(server.url("/"));
    client.exchange(&request, &server.hosts(), &mut Jar::new(), &Cancel::new())
}

pub fn get(server: &Server) -> Result<Answer> {
    get_with(&client(), server)
}

/// The kind of error that a GET ends with; its message names the host and nothing else of the URL.
pub fn failure(client: &Client, server: &Server) -> Kind {
    let error = get_with(client, server).unwrap_err();
    let message = error.message();
    assert!(message.contains("127.0.0.1") && !message.contains("http://"), "{error}");
    error.kind()
}
