//! kill -9 at random moments of a logout: never logged in with an ended session, never a lost
//! revocation.

use crate::child;
use crate::fixture::{Device, ask, at_once, drain, log_out, never, noted, pending};
use crate::service::{Service, log_in};
use sessionkeeper::keeper::{Keeper, State};
use std::io::{BufRead, BufReader};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// In each of two directories, side by side.
const KILLS: u32 = 100;

#[test]
fn a_killed_logout_is_whole_or_has_not_begun() {
    let counts = Mutex::new([0_u32; 3]);
    at_once(&[1, 2], |_| {
        let service = Service::start();
        let device = service.device();
        // How long an unharmed logout takes here; the kills are spread over a little more.
        let unharmed = (0..3).map(|_| {
            log_in(&device.restarted());
            run_victim(&device, None)
        });
        let span = unharmed.min().unwrap().mul_f64(1.25);
        assert_eq!(service.live_sessions(), 0);
        for round in 0..KILLS {
            log_in(&device.restarted());
            assert_eq!(service.live_sessions(), 1);
            let moment = span.mul_f64(f64::from(round) / f64::from(KILLS));
            run_victim(&device, Some(moment));
            let place = place_of_the_kill(&service, &device.restarted());
            counts.lock().unwrap()[place] += 1;
            assert_eq!(service.live_sessions(), 0, "a revocation was lost in round {round}");
            assert_eq!(pending(&device.restarted()), 0);
        }
        let keeper = device.restarted();
        let (revoked, logouts) = (noted(&keeper, "revoked"), noted(&keeper, "logout"));
        assert_eq!(revoked, logouts, "one `revoked` for each logout");
    });
    let counts = counts.into_inner().unwrap();
    println!("killed before, between, after: {counts:?}");
    assert!(counts[0] > 0 && counts[1] + counts[2] > 0, "the kills missed the logout: {counts:?}");
}

/// Finishes what was killed. 0: it had not begun, 1: the server was still to be told, 2: all done.
fn place_of_the_kill(service: &Service, keeper: &Keeper) -> usize {
    let status = keeper.restore(true, &never()).unwrap();
    if status.state == State::SignedIn {
        assert_eq!(service.live_sessions(), 1, "logged in with an ended session");
        assert_eq!(ask(keeper).unwrap(), 200);
        log_out(keeper);
        return 0;
    }
    drain(keeper);
    if status.pending_revocations == 0 { 2 } else { 1 }
}

/// Lets another process log out; with `kill_after`, kills it then. Gives how long it lived.
fn run_victim(device: &Device, kill_after: Option<Duration>) -> Duration {
    let mut victim = child::spawn("victim", device);
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

pub fn victim(keeper: &Keeper) {
    println!("ready");
    log_out(keeper);
}
