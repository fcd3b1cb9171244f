//! Where the browser ends on this machine (RFC 8252 section 7.3): a listener for one answer.
//!
//! Anybody on this machine can knock here, and browsers do so without a request. So a visitor has
//! to say a whole, small request in time, several are heard at once, and what is not the answer
//! costs nothing. Nothing that a visitor says is shown or logged.

use crate::error::{Error, Kind, Result};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use url::{Host, Position, Url};

/// The most that a visitor may say.
const LONGEST_HEAD: usize = 16 << 10;

/// How long he may take for it.
const LONGEST_VISIT: Duration = Duration::from_secs(5);

/// So many are heard at once; the oldest has to go for another.
const MOST_VISITS: usize = 16;

/// An answer is small; whoever does not take it at once goes without.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

pub struct Loopback {
    listener: TcpListener,
    /// Where the browser ends, with the port.
    pub redirect_uri: Url,
    visits: Vec<Visit>,
}

struct Visit {
    stream: TcpStream,
    head: Vec<u8>,
    until: Instant,
}

/// Somebody who asked for the address at which the browser ends.
pub struct Caller {
    stream: TcpStream,
    /// What was asked for, in full.
    pub address: String,
}

impl Loopback {
    /// Listens at `redirect_uri`; without a port, at one that is free. RFC 8252 section 7.3: "The
    /// authorization server MUST allow any port to be specified at the time of the request".
    pub fn open(redirect_uri: &Url) -> Result<Self> {
        let refused = |error: &std::io::Error| {
            let message = format!("nobody can listen for the browser ({})", error.kind());
            Error::new(Kind::InvalidInput, message)
                .with_hint("Paste the address at which the browser ends instead.")
        };
        let port = redirect_uri.port().unwrap_or(0);
        let place: SocketAddr = match redirect_uri.host() {
            Some(Host::Ipv4(address)) => (address, port).into(),
            Some(Host::Ipv6(address)) => (address, port).into(),
            _ => return Err(refused(&ErrorKind::AddrNotAvailable.into())),
        };
        let listener = TcpListener::bind(place).map_err(|error| refused(&error))?;
        listener.set_nonblocking(true).map_err(|error| refused(&error))?;
        let port = listener.local_addr().map_err(|error| refused(&error))?.port();
        let mut redirect_uri = redirect_uri.clone();
        // It is an address with a host, which takes any port.
        let _ = redirect_uri.set_port(Some(port));
        Ok(Loopback { listener, redirect_uri, visits: Vec::new() })
    }

    /// Hears whoever is there, without waiting. Gives the next one who asked for the address.
    pub fn next(&mut self, now: Instant) -> Option<Caller> {
        while let Ok((stream, _)) = self.listener.accept() {
            if stream.set_nonblocking(true).is_ok() {
                if self.visits.len() == MOST_VISITS {
                    self.visits.remove(0);
                }
                self.visits.push(Visit { stream, head: Vec::new(), until: now + LONGEST_VISIT });
            }
        }
        let mut index = 0;
        while index < self.visits.len() {
            match self.visits[index].hear(now) {
                Heard::More => index += 1,
                Heard::Nothing => drop(self.visits.remove(index)),
                Heard::Head => {
                    let Visit { stream, head, .. } = self.visits.remove(index);
                    match target(&head, &self.redirect_uri) {
                        Ok(address) => return Some(Caller { stream, address }),
                        Err(refusal) => answer(stream, refusal, "This is not the page."),
                    }
                }
            }
        }
        None
    }
}

impl Caller {
    /// This was the answer.
    pub fn thank(self) {
        let text = "The answer has arrived. You can close this window, and go back to where you \
                    began to log in.";
        answer(self.stream, "200 OK", text);
    }

    /// This was none, or of another login.
    pub fn refuse(self) {
        let text = "This address does not belong to the login that is under way.";
        answer(self.stream, "400 Bad Request", text);
    }
}

enum Heard {
    More,
    Head,
    /// He has gone, or never came to the point.
    Nothing,
}

impl Visit {
    fn hear(&mut self, now: Instant) -> Heard {
        let mut piece = [0; 4096];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => return Heard::Nothing,
                Ok(count) => self.head.extend_from_slice(&piece[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => return Heard::Nothing,
            }
            if self.head.len() > LONGEST_HEAD {
                return Heard::Nothing;
            }
            if self.head.windows(4).any(|window| window == b"\r\n\r\n") {
                return Heard::Head;
            }
        }
        if now < self.until { Heard::More } else { Heard::Nothing }
    }
}

/// The address that a request is for, or the status of its refusal.
fn target(head: &[u8], redirect_uri: &Url) -> std::result::Result<String, &'static str> {
    const BAD: &str = "400 Bad Request";
    let end = head.windows(4).position(|window| window == b"\r\n\r\n").ok_or(BAD)?;
    let head = std::str::from_utf8(&head[..end]).map_err(|_| BAD)?;
    let mut lines = head.split("\r\n");
    let words: Vec<_> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, "HTTP/1.1" | "HTTP/1.0"] = *words else { return Err(BAD) };
    if method != "GET" {
        return Err("405 Method Not Allowed\r\nAllow: GET");
    }
    // A page whose name leads here by a trick of its owner's (DNS rebinding) names itself.
    let authority = &redirect_uri[Position::BeforeHost..Position::AfterPort];
    let hosts: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.trim())
        .collect();
    // A browser leaves the scheme's own port out, and so does the parser of addresses.
    if hosts != [authority] || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(BAD);
    }
    if target.split('?').next() != Some(redirect_uri.path()) {
        return Err("404 Not Found");
    }
    Ok(format!("http://{authority}{target}"))
}

/// A page that nobody keeps, that loads nothing, and from which no address is passed on (RFC 9700
/// section 4.2.4).
fn answer(mut stream: TcpStream, status: &str, text: &str) {
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><meta charset=\"utf-8\"><title>Sessionkeeper</title>\
         <p>{text}</p></html>"
    );
    let whole = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n\
         Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    let said = stream
        .set_nonblocking(false)
        .and_then(|()| stream.set_write_timeout(Some(WRITE_TIMEOUT)))
        .and_then(|()| stream.write_all(whole.as_bytes()))
        .and_then(|()| stream.shutdown(Shutdown::Write));
    if let Err(error) = said {
        log::info!("the browser did not take its page ({})", error.kind());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(head: &str) -> std::result::Result<String, &'static str> {
        let uri = "http://127.0.0.1:8080/back".parse().unwrap();
        target(format!("{head}\r\n\r\n").as_bytes(), &uri).map_err(|status| &status[..3])
    }

    #[test]
    fn only_a_browser_that_ends_here_is_heard() {
        let host = "Host: 127.0.0.1:8080";
        assert_eq!(
            heard(&format!("GET /back?code=c&state=s HTTP/1.1\r\nA: b\r\n{host}")).unwrap(),
            "http://127.0.0.1:8080/back?code=c&state=s"
        );
        for (request, status) in [
            (format!("GET / HTTP/1.1\r\n{host}"), "404"),
            (format!("GET /favicon.ico HTTP/1.1\r\n{host}"), "404"),
            (format!("GET /back/?code=c HTTP/1.1\r\n{host}"), "404"),
            (format!("GET //back?code=c HTTP/1.1\r\n{host}"), "404"),
            (format!("POST /back?code=c HTTP/1.1\r\n{host}"), "405"),
            (format!("HEAD /back?code=c HTTP/1.1\r\n{host}"), "405"),
            (format!("GET /back?code=c HTTP/2\r\n{host}"), "400"),
            (format!("GET /back?code=c\r\n{host}"), "400"),
            (format!("GET  /back HTTP/1.1\r\n{host}"), "400"),
            (format!("GET /back?a\u{7f} HTTP/1.1\r\n{host}"), "400"),
            (format!("GET http://127.0.0.1:8080/back HTTP/1.1\r\n{host}"), "404"),
            ("GET /back?code=c HTTP/1.1".to_owned(), "400"),
            ("GET /back?code=c HTTP/1.1\r\nHost: evil.example".to_owned(), "400"),
            ("GET /back?code=c HTTP/1.1\r\nHost: localhost:8080".to_owned(), "400"),
            (format!("GET /back?code=c HTTP/1.1\r\n{host}\r\n{host}"), "400"),
            (String::new(), "400"),
            ("\0\0\0".to_owned(), "400"),
        ] {
            assert_eq!(heard(&request), Err(status), "{request:?}");
        }
    }
}
