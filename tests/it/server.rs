//! The one server of these tests: on each connection it does what a script says, and it keeps what
//! it was asked. It knows HTTP only as far as it reads requests, so it can answer wrongly.
//!
//! The services as real as they get, with TLS, are in tests/servers; what is tested with this one
//! is what the core makes of an answer, for many answers quickly.

use sessionkeeper::provider::Hosts;
use std::collections::{HashMap, VecDeque};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use url::{Url, form_urlencoded};

/// What happens after a request, in turn. After the last step the connection is closed.
#[derive(Clone)]
pub enum Step {
    Send(Vec<u8>),
    /// Sends the bytes one by one, with this pause before each.
    Drip(Vec<u8>, Duration),
    /// What the server does where nothing is scripted: decided now, said after this time.
    Usual(Duration),
    /// Says nothing until the other side goes away.
    Stall,
    /// Closes with RST instead of FIN.
    Reset,
    /// Leaves the connection open for another request.
    Keep,
}

pub type Steps = Vec<Step>;

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The number of the connection that it came on.
    pub connection: usize,
    pub method: String,
    /// Without the query.
    pub path: String,
    pub form: HashMap<String, String>,
    /// Head and body.
    pub text: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        let head = self.text.split("\r\n\r\n").next()?;
        let mut fields = head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    usual: Box<dyn Fn(&Seen) -> Steps + Send + Sync>,
    next: Mutex<HashMap<String, VecDeque<Steps>>>,
    always: Mutex<HashMap<String, Steps>>,
    journal: Mutex<Vec<Seen>>,
    keeps: AtomicBool,
    open: AtomicUsize,
    has_panicked: AtomicBool,
}

impl Server {
    /// `usual` answers each request that no script is for.
    pub fn start(usual: impl Fn(&Seen) -> Steps + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            usual: Box::new(usual),
            next: Mutex::default(),
            always: Mutex::default(),
            journal: Mutex::default(),
            keeps: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            has_panicked: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().enumerate() {
                shared.open.fetch_add(1, Ordering::SeqCst);
                let alarm = Alarm(Arc::clone(&shared));
                thread::spawn(move || serve(stream.unwrap(), connection, &alarm.0));
            }
        });
        Server { address, state }
    }

    /// Always the same bytes, then the end of the connection.
    pub fn sending(bytes: impl Into<Vec<u8>>) -> Self {
        let steps = vec![Step::Send(bytes.into())];
        Server::start(move |_| steps.clone())
    }

    /// The next requests for `path` are answered by these, in order, before anything else.
    pub fn next(&self, path: &str, scripts: impl IntoIterator<Item = Steps>) {
        self.state.next.lock().unwrap().entry(path.to_owned()).or_default().extend(scripts);
    }

    pub fn always(&self, path: &str, steps: Steps) {
        self.state.always.lock().unwrap().insert(path.to_owned(), steps);
    }

    pub fn as_usual(&self, path: &str) {
        self.state.always.lock().unwrap().remove(path);
    }

    pub fn journal(&self) -> Vec<Seen> {
        self.state.journal.lock().unwrap().clone()
    }

    pub fn requests(&self, path: &str) -> Vec<Seen> {
        self.journal().into_iter().filter(|seen| seen.path == path).collect()
    }

    /// From now on a connection is left open after an answer, as servers do.
    pub fn keep_connections(&self) {
        self.state.keeps.store(true, Ordering::SeqCst);
    }

    /// How many connections the other side has not closed.
    pub fn open_connections(&self) -> usize {
        self.state.open.load(Ordering::SeqCst)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn authority(&self) -> String {
        self.address.to_string()
    }

    pub fn hosts(&self) -> Hosts {
        Hosts::new(&[self.authority()], &[]).unwrap()
    }

    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let has_panicked = self.state.has_panicked.load(Ordering::SeqCst);
        assert!(thread::panicking() || !has_panicked, "the server panicked");
    }
}

struct Alarm(Arc<State>);

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::SeqCst);
        self.0.has_panicked.fetch_or(thread::panicking(), Ordering::SeqCst);
    }
}

impl State {
    fn steps_for(&self, seen: &Seen) -> Steps {
        let next = self.next.lock().unwrap().get_mut(&seen.path).and_then(VecDeque::pop_front);
        let script = next.or_else(|| self.always.lock().unwrap().get(&seen.path).cloned());
        script.unwrap_or_else(|| vec![Step::Usual(Duration::ZERO)])
    }
}

fn serve(mut stream: TcpStream, connection: usize, state: &State) {
    let mut byte = [0];
    while let Some((seen, length)) = await_request(&stream, connection) {
        state.journal.lock().unwrap().push(seen.clone());
        // One byte stays unread for now: a socket closed with unread bytes sends a reset.
        stream.read_exact(&mut vec![0; length - 1]).unwrap();
        let mut steps = VecDeque::from(state.steps_for(&seen));
        let mut is_kept = state.keeps.load(Ordering::SeqCst);
        while let Some(step) = steps.pop_front() {
            // The client may have gone, which is what some tests are about.
            let is_gone = match step {
                Step::Send(bytes) if is_kept => stream.write_all(&without_close(&bytes)).is_err(),
                Step::Send(bytes) => stream.write_all(&bytes).is_err(),
                Step::Drip(bytes, pause) => bytes.iter().any(|byte| {
                    thread::sleep(pause);
                    stream.write_all(&[*byte]).is_err()
                }),
                Step::Usual(pause) => {
                    steps.extend((state.usual)(&seen));
                    thread::sleep(pause);
                    false
                }
                Step::Stall => {
                    let _ = stream.read_exact(&mut byte);
                    let _ = stream.read(&mut byte);
                    true
                }
                Step::Reset => true,
                Step::Keep => {
                    is_kept = true;
                    false
                }
            };
            if is_gone {
                return;
            }
        }
        let _ = stream.read_exact(&mut byte);
        if !is_kept {
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.read(&mut byte);
            return;
        }
    }
}

/// Waits for a whole request, head and body, and leaves it unread. Gives its length as well.
fn await_request(stream: &TcpStream, connection: usize) -> Option<(Seen, usize)> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = stream.peek(&mut buffer).ok().filter(|count| *count > 0)?;
        let bytes = &buffer[..count];
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let mut words = text.split([' ', '?']);
            let seen = Seen {
                connection,
                method: words.next()?.to_owned(),
                path: words.next()?.to_owned(),
                form: form_urlencoded::parse(&bytes[end + 4..]).into_owned().collect(),
                text,
            };
            let body = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
            if count >= end + 4 + body {
                return Some((seen, count));
            }
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// An answer whose length is told and after which the connection is closed; a header a line.
pub fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let mut text =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n");
    for header in headers.lines() {
        text.push_str(header);
        text.push_str("\r\n");
    }
    [text.as_bytes(), b"\r\n", body.as_bytes()].concat()
}

fn without_close(bytes: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(bytes).replacen("Connection: close\r\n", "", 1).into_bytes()
}

/// The same as a script.
pub fn answering(status: &str, headers: &str, body: &str) -> Steps {
    vec![Step::Send(answer(status, headers, body))]
}

/// What the server does usually, said later.
pub fn slowly(milliseconds: u64) -> Steps {
    vec![Step::Usual(Duration::from_millis(milliseconds))]
}
