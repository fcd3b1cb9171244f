//! The locks of logins and drains: who waits is served in turn, and nobody waits for ever.

use crate::child;
use crate::fixture::{Device, ask, cancel_after, drain, log_out, never};
use crate::service::{log_in, signed_in, try_log_in};
use sessionkeeper::cancel::Cancel;
use sessionkeeper::error::{Kind, Result};
use sessionkeeper::keeper::Keeper;
use sessionkeeper::lock::FileMutex;
use sessionkeeper::session::Outcome;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

#[test]
fn who_waits_is_served_in_turn_across_processes() {
    let (_service, device) = signed_in();
    let children: Vec<_> = (0..6).map(|_| child::spawn("queue", &device)).collect();
    let longest = children.into_iter().map(|child| {
        let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let said = output.lines().find_map(|line| line.strip_prefix("longest wait: "));
        said.unwrap().parse::<u64>().unwrap()
    });
    let longest: Vec<u64> = longest.collect();
    assert!(longest.iter().all(|wait| *wait < 2000), "in ms: {longest:?}");
}

/// Eight threads that take one lock again and again, and say how long they had to wait for it.
pub fn queue(directory: &Path) {
    let (longest, start) = (AtomicU64::new(0), Instant::now());
    let mutex = FileMutex::new(directory.join("queue.lock"));
    scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while start.elapsed() < Duration::from_secs(4) {
                    let asked = Instant::now();
                    let _held = mutex.lock(Duration::from_secs(60), &never()).unwrap();
                    let wait = u64::try_from(asked.elapsed().as_millis()).unwrap();
                    longest.fetch_max(wait, Ordering::SeqCst);
                    sleep(Duration::from_millis(5));
                }
            });
        }
    });
    println!("longest wait: {}", longest.into_inner());
}

#[test]
fn a_program_that_is_stopped_inside_a_lock_holds_nobody_up_for_ever() {
    let (service, device) = signed_in();
    service.always("/logout", vec![]);
    log_out(&device);
    service.as_usual("/logout");
    log_in(&device);
    let hasty = device.with_lock_timeout(Duration::from_millis(500));
    let mut holder = Stopped::at("hold", &device);
    for work in [Work::Login, Work::Renewal, Work::Drain] {
        let start = Instant::now();
        let error = work.run(&hasty, &never()).unwrap_err();
        assert!((400..2000).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
        assert_eq!(error.kind(), Kind::Storage);
        let (message, id) = (error.message(), holder.0.id());
        assert!(message.ends_with(&format!("does not answer (process {id})")), "{message}");
        assert!(error.hint().contains("end it"), "{}", error.hint());
        let start = Instant::now();
        let cancelled = work.run(&device, &cancel_after(100)).unwrap_err();
        assert_eq!(cancelled.kind(), Kind::Cancelled);
        assert!(start.elapsed() < Duration::from_millis(400), "{:?}", start.elapsed());
    }
    let start = Instant::now();
    assert_eq!(hasty.drain(true, &never()).unwrap().entries.len(), 1, "later");
    assert_eq!(ask(&hasty).unwrap(), 200, "a session needs no lock");
    assert_eq!(log_out(&hasty).remote, Outcome::Revoked, "nor does a logout");
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    holder.0.kill().unwrap();
    log_in(&hasty);
    assert_eq!(drain(&hasty).entries.len(), 0);
}

#[test]
fn a_program_that_is_stopped_while_it_waits_is_passed_by() {
    let (_service, device) = signed_in();
    let held = locks(&device.directory);
    let held = held.each_ref().map(|lock| lock.lock(Duration::ZERO, &never()).unwrap());
    let _waiter = Stopped::at("wait", &device);
    drop(held);
    for work in [Work::Login, Work::Renewal] {
        let start = Instant::now();
        work.run(&device, &never()).unwrap();
        assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    }
}

#[derive(Clone, Copy)]
enum Work {
    Login,
    Renewal,
    Drain,
}

impl Work {
    fn run(self, keeper: &Keeper, cancel: &Cancel) -> Result<()> {
        match self {
            Work::Login => try_log_in(keeper, cancel).map(drop),
            Work::Renewal => keeper.renew(cancel).map(drop),
            Work::Drain => keeper.drain(false, cancel).map(drop),
        }
    }
}

/// Another process, stopped where it says that it is ready; ended with its owner.
struct Stopped(Child);

impl Stopped {
    fn at(part: &str, device: &Device) -> Self {
        let mut child = child::spawn(part, device);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        while !lines.next().unwrap().unwrap().contains("ready") {}
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-STOP", &id]).status().unwrap().success());
        Stopped(child)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Holds the locks of logins and of drains.
pub fn hold(directory: &Path) {
    let locks = locks(directory);
    let _held = locks.each_ref().map(|lock| lock.lock(Duration::ZERO, &never()).unwrap());
    println!("ready");
    sleep(Duration::from_secs(60));
}

/// Waits for them.
pub fn wait(directory: &Path) {
    let locks = locks(directory);
    scope(|scope| {
        for lock in &locks {
            scope.spawn(|| lock.lock(Duration::from_secs(60), &never()).map(drop));
        }
        sleep(Duration::from_millis(300));
        println!("ready");
    });
}

fn locks(directory: &Path) -> [FileMutex; 2] {
    ["login.lock", "outbox.lock"].map(|name| FileMutex::new(directory.join("data").join(name)))
}
