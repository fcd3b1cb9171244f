//! Requests, redirects and where credentials go. The journals prove what was and was not sent.

use super::{client, client_with, get, get_with};
use crate::fixture::never;
use crate::server::{Server, Step, answer, answering};
use sessionkeeper::cookies::Jar;
use sessionkeeper::error::{Error, Fault, Kind, Result};
use sessionkeeper::http::{Answer, Proxy, Request, Resolve, Settings};
use sessionkeeper::provider::Hosts;
use sessionkeeper::secret::Secret;
use std::thread;
use std::time::Duration;
use url::Url;

fn follow(request: &Request, hosts: &Hosts, jar: &mut Jar) -> Result<Answer> {
    client().follow(request, hosts, jar, &never())
}

fn redirect_to(location: &str) -> Vec<u8> {
    answer("302 Found", &format!("Location: {location}"), "")
}

#[test]
fn an_answer_comes_back_whole() {
    let headers =
        "Date: Sun, 06 Nov 1994 08:49:37 GMT\nX-A: 1\nX-A: 2\nSet-Cookie: a=b\nSet-Cookie: c=d";
    let server = Server::sending(answer("418 Teapot", headers, "short and stout"));
    let answer = get(&server).unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (418, "short and stout"));
    assert_eq!(answer.date(), Some(784_111_777));
    assert_eq!(answer.header("X-a"), Some("1"));
    assert_eq!(answer.set_cookies, ["a=b", "c=d"]);
    assert!(answer.header("set-cookie").is_none() && !answer.is_cut);
    let sent = &server.journal()[0].text;
    assert!(sent.starts_with("GET / HTTP/1.1\r\n"), "{sent}");
    assert!(sent.contains("user-agent: Sessionkeeper/"));
}

#[test]
fn a_form_is_sent_with_the_cookies_and_the_token() {
    let server = Server::sending(answer("200 OK", "Set-Cookie: new=1", ""));
    let mut jar = Jar::new();
    let url = server.url("/login");
    jar.store(&url, &["old=0".to_owned()], None, &server.hosts());
    let request = Request::post_form(url, &[("p", "a b")]).with_bearer(&Secret::new("token"));
    client().exchange(&request, &server.hosts(), &mut jar, &never()).unwrap();
    assert_eq!(jar.names(), ["new", "old"]);
    let sent = &server.journal()[0].text;
    assert!(
        sent.starts_with("POST /login HTTP/1.1\r\n") && sent.ends_with("\r\n\r\np=a+b"),
        "{sent}"
    );
    for line in [
        "cookie: old=0",
        "authorization: Bearer token",
        "content-type: application/x-www-form-urlencoded",
    ] {
        assert!(sent.contains(&format!("\r\n{line}\r\n")), "{line}: {sent}");
    }
    let bare = Request::new("POST", server.url("/logout")).without_cookies();
    jar.remove("new");
    client().exchange(&bare, &server.hosts(), &mut jar, &never()).unwrap();
    let sent = &server.journal()[1].text;
    assert!(sent.contains("content-length: 0\r\n") && !sent.contains("cookie"), "{sent}");
    assert_eq!(jar.names(), ["old"], "a request without cookies takes none");
}

#[test]
fn connections_stay_warm() {
    let kept = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec();
    let server = Server::start(move |_| vec![Step::Send(kept.clone()), Step::Keep]);
    let client = client();
    for client in [&client, &client.clone()] {
        get_with(client, &server).unwrap();
    }
    let connections: Vec<_> = server.journal().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 0]);
}

#[test]
fn a_connection_that_the_server_closed_is_not_used_again() {
    let kept = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_vec();
    let server = Server::start(move |_| vec![Step::Send(kept.clone())]);
    let client = client();
    for _ in 0..5 {
        let request = Request::post_form(server.url("/"), &[("a", "b")]);
        client.exchange(&request, &server.hosts(), &mut Jar::new(), &never()).unwrap();
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn redirects_become_a_get_and_carry_cookies() {
    for status in ["301 Moved", "302 Found", "303 See Other"] {
        let server = Server::sending(answer("200 OK", "Set-Cookie: t=2", "in"));
        let moved = answering(status, "Location: b?code=1\nSet-Cookie: s=1; Path=/", "");
        server.always("/a", moved);
        let mut jar = Jar::new();
        let request = Request::post_form(server.url("/a"), &[("password", "hunter2")])
            .with_bearer(&Secret::new("token"));
        let answer = follow(&request, &server.hosts(), &mut jar).unwrap();
        assert_eq!((answer.status, answer.url), (200, server.url("/b?code=1")));
        assert_eq!(jar.names(), ["s", "t"]);
        let sent = &server.journal()[1].text;
        assert!(sent.starts_with("GET /b?code=1 HTTP/1.1\r\n") && sent.contains("cookie: s=1\r\n"));
        assert!(sent.contains("authorization: Bearer token"), "the origin is the same");
        assert!(!sent.contains("hunter2") && !sent.contains("content-type"), "{sent}");
    }
}

#[test]
fn a_redirect_off_the_hosts_is_not_taken() {
    let other = Server::sending(answer("200 OK", "", "caught"));
    let refused = [
        (format!("http://{}/x", other.authority()), Kind::HostNotAllowed),
        (format!("//{}/x", other.authority()), Kind::HostNotAllowed),
        (format!("http://viewer@{}/x", other.authority()), Kind::HostNotAllowed),
        ("https://www.\u{430}ngel.com/".to_owned(), Kind::HostNotAllowed),
        ("http://www.angel.com/".to_owned(), Kind::HostNotAllowed),
        ("data:text/html,x".to_owned(), Kind::HostNotAllowed),
        ("file:///etc/passwd".to_owned(), Kind::HostNotAllowed),
        ("javascript:alert(1)".to_owned(), Kind::HostNotAllowed),
        (format!("/\\{}/x", other.authority()), Kind::UnexpectedAnswer),
        (String::new(), Kind::UnexpectedAnswer),
        ("http://[".to_owned(), Kind::UnexpectedAnswer),
    ];
    for (location, kind) in refused {
        let server = Server::sending(redirect_to(&location));
        let error =
            follow(&Request::get(server.url("/")), &server.hosts(), &mut Jar::new()).unwrap_err();
        assert_eq!(error.kind(), kind, "{location}: {error}");
        assert_eq!(server.journal().len(), 1);
    }
    let server = Server::sending(answer("302 Found", "", ""));
    let answer = follow(&Request::get(server.url("/")), &server.hosts(), &mut Jar::new()).unwrap();
    assert_eq!(answer.status, 302, "a redirect to nowhere is an answer");
    assert!(other.journal().is_empty());
}

#[test]
fn the_token_stays_with_its_origin() {
    let other = Server::sending(answer("200 OK", "", ""));
    let server = Server::sending(redirect_to(other.url("/x").as_str()));
    let hosts = Hosts::new(&[server.authority(), other.authority()], &[]).unwrap();
    let request = Request::get(server.url("/")).with_bearer(&Secret::new("token"));
    follow(&request, &hosts, &mut Jar::new()).unwrap();
    assert_eq!(server.journal()[0].header("authorization"), Some("Bearer token"));
    assert!(!other.journal()[0].text.contains("token"), "{:?}", other.journal());
}

#[test]
fn a_body_is_never_sent_twice() {
    for status in ["307 Temporary Redirect", "308 Permanent Redirect"] {
        let server = Server::sending(answer("200 OK", "", ""));
        server.always("/a", answering(status, "Location: /b", ""));
        let request = Request::post_form(server.url("/a"), &[("password", "hunter2")]);
        let error = follow(&request, &server.hosts(), &mut Jar::new()).unwrap_err();
        assert_eq!(error.kind(), Kind::UnexpectedAnswer);
        assert_eq!(server.journal().len(), 1);
        let plain = follow(&Request::get(server.url("/a")), &server.hosts(), &mut Jar::new());
        assert_eq!(plain.unwrap().url, server.url("/b"));
    }
}

#[test]
fn redirects_have_an_end() {
    let chain = |length: usize| {
        let server = Server::sending(answer("200 OK", "", ""));
        for step in 0..length {
            server.always(
                &format!("/{step}"),
                vec![Step::Send(redirect_to(&(step + 1).to_string()))],
            );
        }
        server
    };
    let five = chain(5);
    let last = follow(&Request::get(five.url("/0")), &five.hosts(), &mut Jar::new()).unwrap();
    assert_eq!(last.url, five.url("/5"));
    for endless in [chain(6), Server::sending(redirect_to("/0"))] {
        let request = Request::get(endless.url("/0"));
        let error = follow(&request, &endless.hosts(), &mut Jar::new()).unwrap_err();
        assert_eq!(error.kind(), Kind::UnexpectedAnswer);
        assert_eq!(endless.journal().len(), 6);
    }
}

#[test]
fn nothing_is_sent_to_a_host_that_is_not_listed() {
    let server = Server::sending(answer("200 OK", "", ""));
    let hosts = Hosts::new(&["www.angel.com".to_owned()], &[]).unwrap();
    let request = Request::get(server.url("/"));
    let error = client().exchange(&request, &hosts, &mut Jar::new(), &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::HostNotAllowed);
    assert!(server.journal().is_empty());
}

/// A server that is sent `https://www.angel.com/`, by proxy or by a fixed address.
fn angel(settings: Settings) -> Error {
    let hosts = Hosts::new(&["www.angel.com".to_owned()], &[]).unwrap();
    let request = Request::get(Url::parse("https://www.angel.com/?code=hunter3").unwrap());
    let settings = Settings { total_timeout: std::time::Duration::from_secs(2), ..settings };
    client_with(&settings).exchange(&request, &hosts, &mut Jar::new(), &never()).unwrap_err()
}

#[test]
fn a_proxy_is_used_and_its_password_not_shown() {
    for (status, text) in [
        ("407 Proxy Authentication Required", "user name and a password"),
        ("502 Bad Gateway", "www.angel.com could not be reached through the proxy"),
    ] {
        let server = Server::sending(answer(status, "", ""));
        let proxy = Proxy::Url(format!("http://viewer:hunter2@{}", server.authority()));
        let error = angel(Settings { proxy, ..Settings::default() });
        assert_eq!(error.kind(), Kind::Network(Fault::Connect));
        assert!(error.message().contains(text), "{error}");
        assert!(!format!("{error}{}", error.hint()).contains("hunter"));
        assert!(server.journal()[0].text.starts_with("CONNECT www.angel.com:443 HTTP/1.1\r\n"));
    }
}

#[test]
fn a_fixed_address_is_used_and_goes_past_the_proxy() {
    // The address answers in clear text, which TLS must not take for an answer.
    let server = Server::start(|_| vec![]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let resolve = vec![Resolve::parse(&format!("www.angel.com:{port}:127.0.0.1")).unwrap()];
    let peer = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        let mut hello = [0; 3];
        stream.read_exact(&mut hello).unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        hello
    });
    let proxy = Proxy::Url(format!("http://{}", server.authority()));
    let error = angel(Settings { proxy, resolve, ..Settings::default() });
    assert_eq!(error.kind(), Kind::Network(Fault::Tls), "{error}");
    assert!(error.message().contains("does not speak TLS"), "{error}");
    assert_eq!(peer.join().unwrap()[0], 22, "a TLS handshake record");
    assert!(server.journal().is_empty());
}
