//! Many at once on one data directory: threads, keepers and processes. One renewal request, no lost
//! update, and a logout wins.

mod service;

use service::{Service, log_in};
use sessionkeeper::cancel::Cancel;
use sessionkeeper::clock::{Clock, SystemClock};
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::{Keeper, LogoutOptions, Outgoing};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

fn apart(service: &Service, directory: &Path) -> Keeper {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    Keeper::with_clock(service.config(directory), clock).unwrap()
}

fn me(service: &Service) -> Outgoing {
    Outgoing {
        account: None,
        method: "GET".into(),
        url: service.url("/me"),
        headers: Vec::new(),
        body: None,
    }
}

fn companion(service: &Service, directory: &Path, part: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "companion_process", "--ignored", "--nocapture"])
        .env("COMPANION_DIRECTORY", directory)
        .env("COMPANION_PORT", service.port.to_string())
        .env("COMPANION_PART", part)
        .spawn()
        .unwrap()
}

#[test]
fn five_threads_and_another_process_make_one_renewal() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    service.token_life(2);
    service.slow_renewals(300);
    log_in(&apart(&service, directory.path()));
    service.token_life(86_400);
    std::thread::sleep(Duration::from_millis(2500));
    let mut other = companion(&service, directory.path(), "request");
    let keepers = [apart(&service, directory.path()), apart(&service, directory.path())];
    std::thread::scope(|scope| {
        for number in 0..5 {
            let (keeper, service) = (&keepers[number % 2], &service);
            scope.spawn(move || {
                assert_eq!(keeper.request(&me(service), &Cancel::new()).unwrap().status, 200);
            });
        }
    });
    assert!(other.wait().unwrap().success());
    assert_eq!(service.renewals(), 1);
    assert_eq!(keepers[0].status().unwrap().state, "signed_in");
}

#[test]
fn a_logout_wins_over_a_renewal_in_flight() {
    for is_same_process in [true, false] {
        let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
        service.slow_renewals(700);
        let keeper = apart(&service, directory.path());
        let other = apart(&service, directory.path());
        log_in(&keeper);
        std::thread::scope(|scope| {
            let renewal = scope.spawn(|| keeper.renew(&Cancel::new()));
            std::thread::sleep(Duration::from_millis(250));
            let leaver = if is_same_process { &keeper } else { &other };
            let start = Instant::now();
            let report = leaver.log_out(&LogoutOptions::default(), &Cancel::new()).unwrap();
            assert_eq!(report.remote, "revoked");
            assert!(start.elapsed() < Duration::from_millis(600), "{:?}", start.elapsed());
            let error = renewal.join().unwrap().unwrap_err();
            let kind = if is_same_process { Kind::Cancelled } else { Kind::NotSignedIn };
            assert_eq!(error.kind(), kind);
        });
        assert_eq!(apart(&service, directory.path()).status().unwrap().state, "signed_out");
        keeper.drain(false, &Cancel::new()).unwrap();
        assert_eq!(keeper.status().unwrap().pending_revocations, 0);
        assert_eq!(service.live_sessions(), 0);
    }
}

#[test]
fn a_mix_of_everything_ends_as_the_last_logout_says() {
    let (service, directory) = (Service::start(), tempfile::tempdir().unwrap());
    let mut other = companion(&service, directory.path(), "mix");
    mix(&service, directory.path());
    assert!(other.wait().unwrap().success());
    let keeper = apart(&service, directory.path());
    keeper.log_out(&LogoutOptions::default(), &Cancel::new()).unwrap();
    // Logins that a logout cancelled half-way are ended in the background.
    let start = Instant::now();
    while service.live_sessions() > 0 && start.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(50));
        keeper.drain(false, &Cancel::new()).unwrap();
    }
    let left = keeper.outbox().unwrap().entries;
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(keeper.status().unwrap().state, "signed_out");
    assert_eq!(service.live_sessions(), 0, "a session was lost");
    assert!(keeper.audit(10_000).unwrap().windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq));
}

/// Five threads that log in, renew, ask and log out for two seconds, in no order.
fn mix(service: &Service, directory: &Path) {
    let keepers = [apart(service, directory), apart(service, directory)];
    let barrier = Barrier::new(5);
    std::thread::scope(|scope| {
        for number in 0..5_usize {
            let (keeper, barrier) = (&keepers[number % 2], &barrier);
            scope.spawn(move || {
                barrier.wait();
                let start = Instant::now();
                let mut step = number;
                while start.elapsed() < Duration::from_secs(2) {
                    step = step.wrapping_mul(31).wrapping_add(7);
                    work(service, keeper, step % 7);
                }
            });
        }
    });
}

fn work(service: &Service, keeper: &Keeper, what: usize) {
    let cancel = Cancel::new();
    let password = sessionkeeper::secret::Secret::new("pässwörd");
    let result = match what {
        0 | 1 => keeper.log_in("viewer@example.com", &password, &cancel).map(drop),
        2 => keeper.log_out(&LogoutOptions::default(), &cancel).map(drop),
        3 => keeper.renew(&cancel).map(drop),
        4 => keeper.drain(true, &cancel).map(drop),
        _ => keeper.request(&me(service), &cancel).map(drop),
    };
    if let Err(error) = result {
        // Somebody else logged out, or logged in anew, meanwhile: these and no others.
        let expected = [Kind::NotSignedIn, Kind::SessionExpired, Kind::Cancelled];
        assert!(expected.contains(&error.kind()), "{error:?}");
    }
}

#[test]
#[ignore = "run by the tests above, in a process of its own"]
fn companion_process() {
    let directory = std::env::var_os("COMPANION_DIRECTORY").unwrap();
    let service = Service::elsewhere(std::env::var("COMPANION_PORT").unwrap().parse().unwrap());
    let directory = Path::new(&directory);
    if std::env::var("COMPANION_PART").unwrap() == "mix" {
        return mix(&service, directory);
    }
    let keeper = apart(&service, directory);
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                assert_eq!(keeper.request(&me(&service), &Cancel::new()).unwrap().status, 200);
            });
        }
    });
}
