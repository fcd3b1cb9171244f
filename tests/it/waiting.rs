//! Others hold the vault: a backup, the `sqlite3` program, a process that was stopped.

use crate::fixture::{Device, cancel_after, drain, never, pending, state, wait_until};
use crate::service::{Service, log_in, signed_in};
use sessionkeeper::command::Command;
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::{Keeper, LogoutOptions, Outgoing, State};
use sessionkeeper::secret::Secret;
use sessionkeeper::session::Outcome;
use std::time::{Duration, Instant};

/// What a reader holds, which lets others read.
const READER: &str = "BEGIN; SELECT count(*) FROM sessions";
const LOCKS: [&str; 3] = [READER, "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"];

fn options(seconds: u64) -> LogoutOptions {
    LogoutOptions { deadline: Some(Duration::from_secs(seconds)), ..LogoutOptions::default() }
}

/// Runs `work` while the lock is held for so many milliseconds.
fn while_held<T>(device: &Device, lock: &str, milliseconds: u64, work: impl FnOnce() -> T) -> T {
    let other = device.lock_vault(lock);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_millis(milliseconds));
            drop(other);
        });
        work()
    })
}

#[test]
fn a_logout_waits_for_a_reader_as_long_as_it_may() {
    for lock in LOCKS {
        for held in [3_000, 5_000] {
            let (service, device) = signed_in();
            let logged_out =
                while_held(&device, lock, held, || device.log_out(&options(8), &never()));
            assert_eq!(logged_out.unwrap().remote, Outcome::Revoked, "{lock}, {held} ms");
            assert_eq!((state(&device), service.live_sessions()), (State::SignedOut, 0));
            let after = device.restarted();
            drain(&after);
            assert_eq!((state(&after), pending(&after)), (State::SignedOut, 0));
        }
    }
}

#[test]
fn a_logout_that_the_vault_kept_goes_on_in_the_background() {
    let (service, device) = signed_in();
    service.always("/logout", vec![]);
    let started = Instant::now();
    let error = while_held(&device, READER, 1_500, || {
        let error = device.log_out(&options(1), &never()).unwrap_err();
        assert!(started.elapsed() < Duration::from_millis(1_400), "{:?}", started.elapsed());
        error
    });
    assert_eq!(error.kind(), Kind::LogoutIncomplete);
    assert!(!error.message().contains("has ended the session"), "{error}");
    let after = device.restarted();
    wait_until(18, "nobody tries again", || state(&after) == State::SignedOut);
    assert_eq!(pending(&after), 1);
    service.as_usual("/logout");
    drain(&after);
    assert_eq!(service.live_sessions(), 0);
}

#[test]
fn who_cannot_be_read_is_out_all_the_same() {
    // The longer one outlasts the first try in the background.
    for (account, held) in [(None, 3_000), (Some("acc-1".to_owned()), 600)] {
        let (service, device) = signed_in();
        let keeper = device.restarted();
        let error = while_held(&device, "BEGIN EXCLUSIVE", held, || {
            let options = LogoutOptions { account: account.clone(), ..options(0) };
            keeper.log_out(&options, &never()).unwrap_err()
        });
        assert_eq!(error.kind(), Kind::LogoutIncomplete);
        assert_eq!((state(&keeper), accounts(&keeper)), (State::SignedOut, 0), "{account:?}");
        let after = device.restarted();
        wait_until(20, "nobody tries again", || state(&after) == State::SignedOut);
        drain(&after);
        assert_eq!(service.live_sessions(), 0);
        log_in(&keeper);
        assert_eq!(state(&device.restarted()), State::SignedIn, "a later login is another one");
        assert_eq!(accounts(&keeper), 1);
    }
}

#[test]
fn who_logs_in_elsewhere_after_that_is_in() {
    for seconds in [60, -60] {
        let (_service, device) = signed_in();
        let keeper = device.restarted();
        while_held(&device, "BEGIN EXCLUSIVE", 300, || {
            assert!(keeper.log_out(&options(0), &never()).is_err());
        });
        if seconds < 0 {
            // By the time alone, the next login would be an earlier one.
            wait_until(20, "nobody tries again", || state(&device) == State::SignedOut);
        }
        device.advance(seconds);
        log_in(&device);
        let until = Instant::now() + Duration::from_millis(500);
        while Instant::now() < until {
            assert_eq!(state(&keeper), State::SignedIn, "{seconds} s later");
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(state(&device), State::SignedIn, "{seconds} s later");
    }
}

fn accounts(keeper: &Keeper) -> usize {
    keeper.accounts(true).unwrap().accounts.len()
}

#[test]
fn nobody_else_is_out_where_an_account_cannot_be_read() {
    let (service, device) = signed_in();
    let keeper = device.restarted();
    let account = Some("somebody else".to_owned());
    while_held(&device, "BEGIN EXCLUSIVE", 600, || {
        let options = LogoutOptions { account, ..options(0) };
        assert!(keeper.log_out(&options, &never()).is_err());
    });
    assert_eq!((state(&keeper), accounts(&keeper)), (State::SignedIn, 1));
    let still_in = device.restarted();
    let until = Instant::now() + Duration::from_secs(1);
    while Instant::now() < until {
        assert_eq!(state(&still_in), State::SignedIn);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(service.live_sessions(), 1);
}

/// The disk takes the end of the session, and no note of what is left to tell the server.
#[test]
fn what_the_outbox_does_not_take_is_kept_until_it_does() {
    for is_answered in [true, false] {
        let (service, device) = signed_in();
        if !is_answered {
            service.always("/logout", vec![]);
        }
        let refusal = "CREATE TRIGGER refusal BEFORE INSERT ON outbox \
            BEGIN SELECT RAISE(ABORT, 'no'); END";
        drop(device.lock_vault(refusal));
        let answer = device.log_out(&options(2), &never());
        assert_eq!(state(&device), State::SignedOut);
        match answer {
            Ok(report) => assert_eq!((is_answered, report.remote), (true, Outcome::Revoked)),
            Err(error) => {
                assert_eq!((is_answered, error.kind()), (false, Kind::LogoutIncomplete));
            }
        }
        drop(device.lock_vault("DROP TRIGGER refusal"));
        service.as_usual("/logout");
        let left = u64::from(!is_answered);
        wait_until(20, "nobody tries again", || pending(&device) >= left);
        std::thread::sleep(Duration::from_millis(200));
        assert_eq!(pending(&device), left);
        drain(&device);
        assert_eq!((pending(&device), service.live_sessions()), (0, 0));
    }
}

#[test]
fn every_wait_for_the_vault_obeys_a_cancel() {
    for lock in [READER, "BEGIN EXCLUSIVE"] {
        let service = Service::start();
        let device = service.device();
        log_in(&device);
        let _other = device.lock_vault(lock);
        for (number, command) in commands(&device).into_iter().enumerate() {
            let start = Instant::now();
            let _ = command.run(&device.restarted(), &cancel_after(100));
            let took = start.elapsed();
            assert!(took < Duration::from_millis(400), "{lock}, command {number}: {took:?}");
        }
    }
}

fn commands(device: &Device) -> Vec<Command> {
    let url = device.provider().website.join("/me").unwrap().to_string();
    let password = Secret::new("pässwörd");
    vec![
        Command::Status {},
        Command::Details {},
        Command::Restore { offline: false },
        Command::Login { username: "viewer@example.com".to_owned(), password, answers: false },
        Command::Renew {},
        Command::Request(Outgoing::new("GET", &url)),
        Command::Session { account: None },
        Command::Accounts { all: true },
        Command::Switch { account: "acc-1".to_owned() },
        Command::Outbox {},
        Command::Drain { due_only: false },
        Command::Schedule {},
        Command::Audit { limit: 5 },
        Command::AuditTaken { sink: "a".to_owned(), seq: 1 },
        Command::TakeTasks { kinds: Vec::new(), hooks: Vec::new() },
        Command::Doctor {},
        Command::Logout(LogoutOptions::default()),
        Command::Forget { handed_over: Vec::new() },
    ]
}
