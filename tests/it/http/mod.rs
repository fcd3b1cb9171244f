//! The HTTP client by itself, against a server that also answers wrongly.

mod client;
mod limits;

use crate::fixture::never;
use crate::server::Server;
use sessionkeeper::clock::HeldClock;
use sessionkeeper::cookies::Jar;
use sessionkeeper::error::{Kind, Result};
use sessionkeeper::http::{Answer, Client, Proxy, Request, Settings};
use std::sync::Arc;
use std::time::Duration;

/// A client without a proxy, whose deadlines no answer of a test comes near.
fn client() -> Client {
    client_with(&Settings { proxy: Proxy::None, ..Settings::default() })
}

/// A client that soon loses patience: 0.5 s for the headers, 1.5 s in all.
fn hasty_client() -> Client {
    client_with(&Settings {
        answer_timeout: Duration::from_millis(500),
        total_timeout: Duration::from_millis(1500),
        proxy: Proxy::None,
        ..Settings::default()
    })
}

fn client_with(settings: &Settings) -> Client {
    Client::new(settings, Arc::new(HeldClock::at(1_800_000_000))).unwrap()
}

/// One GET with an empty jar.
fn get_with(client: &Client, server: &Server) -> Result<Answer> {
    let request = Request::get(server.url("/"));
    client.exchange(&request, &server.hosts(), &mut Jar::new(), &never())
}

fn get(server: &Server) -> Result<Answer> {
    get_with(&client(), server)
}

/// The kind of error that a GET ends with; its message names the host and nothing else of the URL.
fn failure(client: &Client, server: &Server) -> Kind {
    let error = get_with(client, server).unwrap_err();
    let message = error.message();
    assert!(message.contains("127.0.0.1") && !message.contains("http://"), "{error}");
    error.kind()
}
