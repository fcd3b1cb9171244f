//! kill -9 at random moments of a logout: never signed in with an ended session, never a lost
//! revocation. The process that is killed is this test's own binary.

mod service;

use service::{Service, log_in};
use sessionkeeper::cancel::Cancel;
use sessionkeeper::clock::{Clock, SystemClock};
use sessionkeeper::keeper::{Keeper, LogoutOptions, Outgoing};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const KILLS: u32 = 200;

#[test]
fn a_killed_logout_is_whole_or_has_not_begun() {
    let service = Service::start();
    let directory = tempfile::tempdir().unwrap();
    let mut counts = [0_u32; 3];
    // How long an unharmed logout takes here; the kills are spread over a little more.
    let unharmed = (0..3).map(|_| {
        log_in(&fresh(&service, directory.path()));
        run_victim(&service, directory.path(), None)
    });
    let span = unharmed.min().unwrap().mul_f64(1.25);
    assert_eq!(service.live_sessions(), 0);
    for round in 0..KILLS {
        log_in(&fresh(&service, directory.path()));
        assert_eq!(service.live_sessions(), 1);
        run_victim(
            &service,
            directory.path(),
            Some(span.mul_f64(f64::from(round) / f64::from(KILLS))),
        );
        let keeper = fresh(&service, directory.path());
        let status = keeper.restore(true, &Cancel::new()).unwrap();
        let me = Outgoing {
            account: None,
            method: "GET".into(),
            url: service.url("/me"),
            headers: Vec::new(),
            body: None,
        };
        if status.state == "signed_in" {
            counts[0] += 1;
            assert_eq!(service.live_sessions(), 1, "signed in with an ended session");
            assert_eq!(keeper.request(&me, &Cancel::new()).unwrap().status, 200);
            keeper.log_out(&LogoutOptions::default(), &Cancel::new()).unwrap();
        } else {
            counts[if status.pending_revocations == 0 { 2 } else { 1 }] += 1;
            keeper.drain(false, &Cancel::new()).unwrap();
        }
        assert_eq!(service.live_sessions(), 0, "a revocation was lost in round {round}");
        assert_eq!(keeper.status().unwrap().pending_revocations, 0);
    }
    let trail = fresh(&service, directory.path()).audit(5000).unwrap();
    let count = |event: &str| trail.iter().filter(|line| line.event == event).count();
    assert_eq!(count("revoked"), count("logout"), "one `revoked` for each logout");
    println!("killed before, between, after: {counts:?}, spread over {span:?}");
    assert!(counts[0] > 0 && counts[1] + counts[2] > 0, "the kills missed the logout: {counts:?}");
}

/// A keeper that remembers nothing, as after a restart.
fn fresh(service: &Service, directory: &Path) -> Keeper {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    Keeper::with_clock(service.config(directory), clock).unwrap()
}

/// Lets another process log out; with `kill_after`, kills it then. Gives how long it lived.
fn run_victim(service: &Service, directory: &Path, kill_after: Option<Duration>) -> Duration {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "victim", "--ignored", "--nocapture"])
        .env("VICTIM_DIRECTORY", directory)
        .env("VICTIM_PORT", service.port.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    while !lines.next().unwrap().unwrap().contains("ready") {}
    let start = Instant::now();
    if let Some(after) = kill_after {
        std::thread::sleep(after);
        victim.kill().unwrap();
    }
    victim.wait().unwrap();
    start.elapsed()
}

#[test]
#[ignore = "run by the test above, in a process of its own"]
fn victim() {
    let directory = std::env::var_os("VICTIM_DIRECTORY").unwrap();
    let service = Service::elsewhere(std::env::var("VICTIM_PORT").unwrap().parse().unwrap());
    let keeper = fresh(&service, Path::new(&directory));
    println!("ready");
    keeper.log_out(&LogoutOptions::default(), &Cancel::new()).unwrap();
}
