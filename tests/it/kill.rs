//! kill -9 at random moments of a logout: never logged in with an ended session, never a lost
//! revocation. And at every step of a login: no session at the server that nobody holds.

use crate::child;
use crate::fixture::{Device, ask, at_once, drain, log_out, never, noted, pending, state};
use crate::server::Step;
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
    run("victim", device, kill_after)
}

fn run(part: &str, device: &Device, kill_after: Option<Duration>) -> Duration {
    let mut victim = child::spawn(part, device);
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

pub fn login_victim(keeper: &Keeper) {
    println!("ready");
    log_in(keeper);
}

/// The sessions at the server that no device holds, after a restart and a drain.
fn sessions_that_nobody_holds(service: &Service, device: &Device) -> usize {
    let keeper = device.restarted();
    drain(&keeper);
    let held = usize::from(state(&keeper) == State::SignedIn);
    assert!(service.live_sessions() >= held, "logged in with an ended session");
    service.live_sessions() - held
}

#[test]
fn a_login_that_is_killed_at_any_step_leaves_no_session() {
    // The request at which the process is killed, before it is answered, and what the trail says.
    let after = Some("after the service had answered");
    for (path, told) in [
        ("/login", None),
        ("/password", None),
        ("/u/login", Some("before the service had answered")),
        ("/done", after),
        ("/me", after),
    ] {
        let service = Service::start();
        let asks = format!("\n[account]\nurl = '{}'\n", service.url("/me"));
        let device = service.device_with(|text| text + &asks);
        service.always(path, vec![Step::Stall]);
        let mut victim = child::spawn("login victim", &device);
        await_that(|| !service.requests(path).is_empty());
        victim.kill().unwrap();
        victim.wait().unwrap();
        assert_eq!(service.live_sessions(), usize::from(told == after), "{path}");
        let keeper = device.restarted();
        assert_eq!(keeper.schedule().unwrap().drain_at.is_some(), told.is_some(), "{path}");
        let drained = drain(&keeper);
        assert_eq!(drained.revoked, u32::from(told == after), "{path}");
        assert_eq!((drained.entries.len(), state(&keeper)), (0, State::SignedOut), "{path}");
        assert_eq!(service.live_sessions(), 0, "{path}");
        let trail = keeper.audit(10).unwrap();
        let interrupted: Vec<_> =
            trail.iter().filter(|line| line.detail.contains("interrupted")).collect();
        assert!(
            interrupted.iter().all(|line| (&*line.event, &*line.outcome) == ("login", "failed"))
        );
        assert_eq!(interrupted.len(), usize::from(told.is_some()), "{path}");
        assert!(interrupted.iter().all(|line| line.detail.contains(told.unwrap())), "{path}");
        service.as_usual(path);
        log_in(&keeper);
        assert_eq!((service.live_sessions(), pending(&keeper)), (1, 0));
    }
}

#[test]
fn the_next_login_ends_what_a_killed_one_left() {
    let service = Service::start();
    let device = service.device();
    service.next("/done", [vec![Step::Stall]]);
    let mut victim = child::spawn("login victim", &device);
    await_that(|| !service.requests("/done").is_empty());
    let keeper = device.restarted();
    assert!(keeper.schedule().unwrap().drain_at.is_none(), "the login is still under way");
    drain(&keeper);
    assert_eq!(service.live_sessions(), 1, "it was not disturbed");
    victim.kill().unwrap();
    victim.wait().unwrap();
    log_in(&keeper);
    assert_eq!(keeper.drain(true, &never()).unwrap().revoked, 1);
    assert_eq!((service.live_sessions(), state(&keeper)), (1, State::SignedIn));
}

/// Kills at random moments. What came between the server's decision and the note of its answer is
/// told apart: nothing that could end it has reached this device.
#[test]
fn a_login_that_is_killed_at_any_moment_leaves_no_session() {
    let service = Service::start();
    let device = service.device();
    let unharmed = (0..3).map(|_| run("login victim", &device, None));
    let span = unharmed.min().unwrap().mul_f64(1.25);
    let (mut stored, mut out_of_reach) = (0, 0);
    for round in 0..KILLS {
        log_out(&device.restarted());
        drain(&device.restarted());
        service.end_all();
        let asked = service.requests("/done").len();
        run("login victim", &device, Some(span.mul_f64(f64::from(round) / f64::from(KILLS))));
        let left = sessions_that_nobody_holds(&service, &device);
        let has_answer = service.requests("/done").len() > asked;
        assert!(left == 0 || !has_answer, "a session was lost in round {round}");
        stored += u32::from(state(&device.restarted()) == State::SignedIn);
        out_of_reach += left;
    }
    println!("{stored} logins stored, {out_of_reach} sessions out of reach, of {KILLS} kills");
    assert!(stored > 0 && stored < KILLS, "the kills missed the login: {stored}");
}

pub fn await_that(is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(2));
    }
}
