//! Hosts belong to a session: a provider file that keeps its id and names other hosts is a file of
//! another service, as far as using the session goes. Ending it works all the same.

use crate::fixture::{Device, at_once, drain, get, log_out, pending, state};
use crate::server::{Server, answering};
use crate::service::{Service, log_in, signed_in};
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::{Keeper, Local, State};
use sessionkeeper::session::Outcome;

/// The device after its provider file was changed.
fn after(change: impl Fn(String) -> String, service: &Service, device: &Device) -> Device {
    Device::at(&device.directory, service.provider_with(change), &device.clock)
}

/// Where somebody else listens.
fn stranger() -> Server {
    Server::start(|_| answering("200 OK", "", "{}"))
}

/// Adds the stranger to the hosts that get the token.
fn with_bearer_host(text: &str, stranger: &Server) -> String {
    let host = stranger.authority();
    text.replace("hosts = [\"127", &format!("hosts = [\"{host}\", \"127"))
}

fn lines(keeper: &Keeper) -> String {
    keeper.take_log().into_iter().map(|(_, line)| line + "\n").collect()
}

#[test]
fn other_hosts_do_not_get_the_session() {
    let (service, device) = signed_in();
    let stranger = stranger();
    let changed = after(|text| with_bearer_host(&text, &stranger), &service, &device);
    changed.logged(|| assert_eq!(state(&changed), State::SignedOut));
    let log = lines(&changed);
    assert!(log.contains("other hosts") && log.contains("Log in again"), "{log}");
    let error = get(&changed, stranger.url("/").as_str()).unwrap_err();
    assert_eq!(error.kind(), Kind::NotSignedIn);
    assert!(error.hint().contains("hosts"), "{}", error.hint());
    assert!(changed.credentials(None).is_err());
    assert!(stranger.journal().is_empty());
    // With its own file the session is there as before.
    assert_eq!(state(&device.restarted()), State::SignedIn);
}

/// What the service itself gave up is not kept for it either.
#[test]
fn fewer_hosts_are_other_hosts() {
    let (service, device) = signed_in();
    let bearer = format!("bearer_hosts = [\"127.0.0.1:{}\"]\n", service.port());
    let changed = after(|text| text.replace(&bearer, ""), &service, &device);
    assert_eq!(state(&changed), State::SignedOut);
}

/// What is asked there, and how, may change: nobody is logged out by that.
#[test]
fn the_same_hosts_keep_the_session() {
    let (service, device) = signed_in();
    let port = service.port();
    let probe = format!(
        "\n[logout.probe]\nflow = \"request\"\nurl = \"http://127.0.0.1:{port}/me\"\nrefused_status = [401]\n"
    );
    let cases = [
        ("/logout\"", "/sign-out\""),
        ("[login]", "[account]\nurl = \"BASE/me\"\n[login]"),
        ("name = \"The test service\"", "name = \"Another name\""),
        ("hosts = [", "hosts = [ "),
        ("\n[logout.steps.proof]", &format!("{probe}\n[logout.steps.proof]")),
        // The order says nothing, nor does a host that is there twice.
        ("hosts = [", &format!("hosts = [\"http://127.0.0.1:{port}/x\", ")),
    ];
    at_once(&cases, |(from, to)| {
        let base = format!("http://127.0.0.1:{port}");
        let changed = |text: String| text.replace(from, to).replace("BASE", &base);
        assert_eq!(state(&after(changed, &service, &device)), State::SignedIn, "{to}");
    });
}

/// By the definition that was kept with it, so the new hosts see nothing of it.
#[test]
fn logging_out_ends_the_old_session() {
    for account in [None, Some("acc-1".to_owned())] {
        let (service, device) = signed_in();
        let stranger = stranger();
        let elsewhere = format!("http://{}/logout", stranger.authority());
        let own = service.url("/logout").to_string();
        let changed = after(
            |text| with_bearer_host(&text, &stranger).replace(&own, &elsewhere),
            &service,
            &device,
        );
        let options = sessionkeeper::keeper::LogoutOptions { account, ..Default::default() };
        let report = changed.log_out(&options, &crate::fixture::never()).unwrap();
        assert_eq!((report.local, report.remote), (Local::Cleared, Outcome::Revoked));
        assert_eq!(service.live_sessions(), 0);
        assert!(stranger.journal().is_empty());
        assert_eq!(log_out(&changed).local, Local::AlreadySignedOut);
        assert_eq!(state(&device.restarted()), State::SignedOut);
    }
}

#[test]
fn without_the_network_it_waits_for_its_own_server() {
    let (service, device) = signed_in();
    let stranger = stranger();
    service.always("/logout", answering("503 Service Unavailable", "", ""));
    let changed = after(|text| with_bearer_host(&text, &stranger), &service, &device);
    assert_eq!(log_out(&changed).remote, Outcome::Deferred);
    assert_eq!(pending(&changed), 1, "it is counted among those of this service");
    service.as_usual("/logout");
    assert_eq!(drain(&changed.restarted()).revoked, 1);
    assert_eq!(service.live_sessions(), 0);
    assert!(stranger.journal().is_empty());
}

#[test]
fn a_new_login_replaces_the_old_session_of_the_same_account() {
    let (service, device) = signed_in();
    let stranger = stranger();
    let changed = after(|text| with_bearer_host(&text, &stranger), &service, &device);
    log_in(&changed);
    drain(&changed);
    assert_eq!((service.live_sessions(), pending(&changed)), (1, 0));
    assert_eq!(state(&changed), State::SignedIn);
    assert_eq!(state(&device.restarted()), State::SignedOut);
    assert!(stranger.journal().is_empty());
}
