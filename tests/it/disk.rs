//! What a failing disk does to a login, a renewal and a logout: nothing is lost, nothing is said
//! that is not so.
//!
//! Each system call that changes a file fails in its turn, once or from then on. Here at a stride;
//! with `SESSIONKEEPER_LONG` set, as `make soak` does, at every one.

use crate::faults::{Call, EVERY, Fault};
use crate::fixture::{Device, ask, drain, log_out, never, pending, state, told, wait_until};
use crate::issuer::Issuer;
use crate::server::answering;
use crate::service::{Service, proved_by_renewal, signed_in, try_log_in};
use sessionkeeper::clock::Clock;
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::{LogoutOptions, State};
use sessionkeeper::session::Outcome;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const ERRORS: [i32; 3] = [libc::EIO, libc::EROFS, libc::ENOSPC];

/// More than any of these operations makes.
const CALLS: usize = 400;

type Strike = fn(&Path, &'static [Call], usize, i32) -> Fault;

/// Runs `case` with a fault at one call after the other, until it strikes nothing any more. The
/// case gives what it came to, and whether the fault struck.
fn sweep(
    calls: &'static [Call],
    strike: Strike,
    case: impl Fn(&dyn Fn(&Path) -> Fault) -> (String, bool),
) {
    let step = if std::env::var_os("SESSIONKEEPER_LONG").is_some() { 1 } else { 5 };
    for (start, error) in (1..).zip(ERRORS) {
        let mut counts = BTreeMap::new();
        let has_ended = (start..CALLS).step_by(step).any(|nth| {
            let (outcome, has_struck) = case(&|place| strike(place, calls, nth, error));
            *counts.entry(outcome).or_insert(0) += 1;
            !has_struck
        });
        println!("{calls:?}, error {error}: {counts:?}");
        assert!(has_ended, "more calls than {CALLS}");
    }
}

/// Logs out with this fault; then, on a sound disk and after a restart, what was said must be so.
fn log_out_truly(fault: &dyn Fn(&Path) -> Fault, file: &str) -> (String, bool) {
    let (service, device) = signed_in();
    let fault = fault(&data(&device).join(file));
    let answer = device.log_out(&LogoutOptions::default(), &never());
    let has_struck = fault.has_struck();
    drop(fault);
    let after = device.restarted();
    let is_out = state(&after) == State::SignedOut;
    let outcome = match answer {
        Ok(report) => {
            assert!(is_out, "logged out ({report:?}), and back after the restart");
            assert_ne!(report.remote, Outcome::NothingToRevoke, "{report:?}");
            "logged out"
        }
        Err(error) => {
            assert_eq!(error.kind(), Kind::LogoutIncomplete, "{error}");
            "told what is left"
        }
    };
    if is_out {
        drain(&after);
        assert_eq!(service.live_sessions(), 0, "nobody will end the session ({outcome})");
    }
    assert_eq!(state(&device), State::SignedOut, "back without a restart ({outcome})");
    (outcome.to_owned(), has_struck)
}

#[test]
fn a_logout_on_a_disk_that_begins_to_fail_says_what_is_true() {
    for file in ["", "vault.db"] {
        sweep(&[Call::Write], Fault::ever, |fault| log_out_truly(fault, file));
        sweep(EVERY, Fault::ever, |fault| log_out_truly(fault, file));
    }
}

#[test]
fn a_logout_with_one_call_that_fails_is_done_all_the_same() {
    for calls in [&[Call::Write], &[Call::Sync], &[Call::Truncate, Call::Unlink, Call::Create][..]]
    {
        sweep(calls, Fault::once, |fault| {
            let (outcome, has_struck) = log_out_truly(fault, "");
            assert_eq!(outcome, "logged out");
            (outcome, has_struck)
        });
    }
}

#[test]
fn what_the_disk_refuses_is_not_taken_for_the_servers_refusal() {
    for calls in [&[Call::Sync][..], &[Call::Write]] {
        sweep(calls, Fault::once, |fault| {
            let (service, device) = signed_in();
            service.always("/logout", answering("503 Service Unavailable", "", ""));
            log_out(&device);
            let fault = fault(&data(&device));
            let drained = device.drain(false, &never());
            let has_struck = fault.has_struck();
            drop(fault);
            let after = device.restarted();
            let entries = after.outbox().unwrap().entries;
            let outcomes: Vec<_> = entries.iter().map(|entry| entry.last_outcome).collect();
            assert_eq!((outcomes, told(&device, "revocation_rejected")), (vec!["deferred"], 0));
            (format!("{:?}", drained.map(|report| report.deferred)), has_struck)
        });
    }
}

/// The server was asked and said yes; then a call fails, before the commit or after it.
#[test]
fn a_login_is_stored_or_ended() {
    for calls in [&[Call::Sync][..], &[Call::Write]] {
        sweep(calls, Fault::once, |fault| {
            let (service, device) = signed_in();
            let fault = fault(&data(&device));
            let answer = try_log_in(&device, &never());
            let has_struck = fault.has_struck();
            drop(fault);
            let after = device.restarted();
            drain(&after);
            assert_eq!(state(&after), State::SignedIn, "the old session or the new one stays");
            assert_eq!(ask(&after).unwrap(), 200, "the stored session was ended");
            assert_eq!(service.live_sessions(), 1, "{answer:?}");
            (format!("{:?}", answer.map(|status| status.state)), has_struck)
        });
    }
}

#[test]
fn a_renewal_that_the_disk_does_not_take_ends_nothing() {
    sweep(EVERY, Fault::ever, |fault| {
        let (service, device) = signed_in();
        device.advance(86_400 - 1800);
        let before = device.status().unwrap().expires_at;
        let fault = fault(&data(&device));
        device.renew(&never()).unwrap();
        let has_struck = fault.has_struck();
        assert_eq!(service.live_sessions(), 1, "ended for want of a disk");
        assert!(device.status().unwrap().expires_at > before);
        assert_eq!(device.details().unwrap().renewed_at, Some(device.clock.now()));
        assert_eq!(ask(&device).unwrap(), 200);
        drop(fault);
        let after = device.restarted();
        assert_eq!((state(&after), pending(&after)), (State::SignedIn, 0));
        assert_eq!(ask(&after).unwrap(), 200);
        (String::new(), has_struck)
    });
}

/// Each refresh token is sent once, in order, and the last of all is revoked.
#[test]
fn a_rotating_renewal_is_not_begun_or_kept_in_memory() {
    for logs_out_at_once in [false, true] {
        sweep(EVERY, Fault::ever, |fault| {
            let issuer = Issuer::signed_in();
            let fault = fault(&data(&issuer.device));
            let answer = issuer.renew();
            let has_struck = fault.has_struck();
            assert_eq!(issuer.requests("/revoke").len(), 0, "revoked for want of a disk");
            assert_eq!(state(&issuer.device), State::SignedIn);
            assert_eq!(issuer.sent().len(), usize::from(answer.is_ok()), "{answer:?}");
            if logs_out_at_once {
                let _ = issuer.device.log_out(&LogoutOptions::default(), &never());
                drop(fault);
            } else {
                drop(fault);
                issuer.renew().unwrap();
                assert_eq!(log_out(&issuer.device).remote, Outcome::Revoked);
            }
            let sent = issuer.sent();
            let expected: Vec<_> = (1..=sent.len()).map(|n| format!("refresh-{n}")).collect();
            assert_eq!(sent, expected);
            let last = format!("refresh-{}", sent.len() + 1);
            assert_eq!(issuer.requests("/revoke")[0].form["token"], last);
            (format!("{:?}", answer.map(|status| status.state)), has_struck)
        });
    }
}

#[test]
fn that_a_renewal_was_granted_is_known_though_the_disk_did_not_take_it() {
    let service = Service::start();
    let device = service.device_with(|text| proved_by_renewal(&text));
    try_log_in(&device, &never()).unwrap();
    let fault = Fault::ever(&data(&device), EVERY, 1, libc::EIO);
    device.renew(&never()).unwrap();
    assert!(fault.has_struck());
    drop(fault);
    service.end_all();
    assert_eq!(log_out(&device).remote, Outcome::AlreadyEnded, "the renewal's refusal proves it");
}

#[test]
fn a_device_whose_files_cannot_be_opened_is_forgotten_or_gives_nothing_up() {
    let mut counts = BTreeMap::new();
    for nth in 1..CALLS {
        let (service, device) = signed_in();
        service.always("/logout", vec![]);
        let calls = &[Call::Open, Call::Create];
        let fault = Fault::ever(&device.directory, calls, nth, libc::EIO);
        let answer = device.forget(&[], &never());
        let has_struck = fault.has_struck();
        drop(fault);
        let after = device.restarted();
        let held = u64::from(state(&after) == State::SignedIn) + pending(&after);
        let living = if answer.is_ok() { 0 } else { service.live_sessions() as u64 };
        assert_eq!(held, living, "at {nth}: {answer:?}");
        *counts.entry(answer.is_ok()).or_insert(0) += 1;
        if !has_struck {
            break;
        }
    }
    assert!(counts[&true] > 1 && counts[&false] > 1, "{counts:?}");
}

#[test]
fn what_is_kept_in_memory_is_stored_once_the_disk_works() {
    let (service, device) = signed_in();
    device.advance(86_400 - 1800);
    let fault = Fault::ever(&data(&device), EVERY, 1, libc::EROFS);
    device.restore(false, &never()).unwrap();
    let renewed = device.status().unwrap().expires_at;
    let on_disk = || device.restarted().status().unwrap().expires_at;
    std::thread::sleep(Duration::from_millis(600));
    assert!(on_disk() < renewed, "the disk refuses");
    drop(fault);
    wait_until(40, "nobody tries again", || on_disk() == renewed);
    assert_eq!((service.renewals(), told(&device, "renewed")), (1, 1));
}

#[test]
fn a_small_disk_that_is_full_or_read_only() {
    let Some(disk) = SmallDisk::mount() else { return };
    let service = Service::start();
    let device = service.device_at(&disk.0);
    try_log_in(&device, &never()).unwrap();
    device.advance(86_400 - 1800);
    disk.fill();
    device.renew(&never()).unwrap();
    assert_eq!((service.live_sessions(), ask(&device).unwrap()), (1, 200));
    assert_eq!(log_out(&device).remote, Outcome::Revoked, "from the reserve, if need be");
    assert_eq!(state(&device.restarted()), State::SignedOut);
    disk.clear();
    try_log_in(&device, &never()).unwrap();
    device.advance(86_400 - 1800);
    drop(device);
    disk.remount("ro");
    let device = service.device_at(&disk.0);
    device.renew(&never()).unwrap();
    let renewed = device.status().unwrap().expires_at;
    assert_eq!((service.live_sessions(), ask(&device).unwrap()), (1, 200));
    disk.remount("rw");
    wait_until(40, "nobody tries again", || {
        device.restarted().status().unwrap().expires_at == renewed
    });
    assert_eq!(log_out(&device).remote, Outcome::Revoked);
    assert_eq!(state(&device.restarted()), State::SignedOut);
}

/// A file system of half a megabyte, for those who may mount one. The others have the faults.
struct SmallDisk(PathBuf, #[allow(dead_code, reason = "deleted at the end")] tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("disk");
        std::fs::create_dir(&place).unwrap();
        let arguments = ["-t", "tmpfs", "-o", "size=512k,nr_inodes=20", "tmpfs"];
        run("mount", &arguments, &place).then_some(SmallDisk(place, directory))
    }

    /// No room for a byte, and none for a name.
    fn fill(&self) {
        use std::io::Write;
        let mut filler = std::fs::File::create(self.0.join("filler")).unwrap();
        while filler.write(&[0; 512]).is_ok_and(|written| written > 0) {}
        for n in 0..20 {
            let _ = std::fs::File::create(self.0.join(format!("name-{n}")));
        }
    }

    fn clear(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
        for n in 0..20 {
            let _ = std::fs::remove_file(self.0.join(format!("name-{n}")));
        }
    }

    fn remount(&self, mode: &str) {
        // Read-only once the last thread has let go of its files.
        wait_until(40, "nobody tries again", || {
            run("mount", &["-o", &format!("remount,{mode}")], &self.0)
        });
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        run("umount", &["-l"], &self.0);
    }
}

fn run(program: &str, arguments: &[&str], place: &Path) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).arg(place).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn data(device: &Device) -> PathBuf {
    device.directory.join("data")
}
