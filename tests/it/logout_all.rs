//! Logging out of everything: every account of every service, in this vault and the registered
//! ones.

use crate::child;
use crate::fixture::{Device, cancel_after, clock, never, noted, pending, wait_until};
use crate::issuer::Issuer;
use crate::server::{Step, answering, slowly};
use crate::service::{Service, log_in, try_log_in};
use serde_json::json;
use sessionkeeper::cancel::{Cancel, Progress};
use sessionkeeper::error::Kind;
use sessionkeeper::keeper::{Conclusion, Keeper, LogoutAll, LogoutAllOptions, LogoutOptions};
use sessionkeeper::provider::Provider;
use sessionkeeper::session::Outcome;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant, SystemTime};

/// A box with three vaults: the shared one, with two accounts at an issuer and one at a service,
/// and the private ones of two add-ons, with an account at a service each.
struct Household {
    issuer: Issuer,
    services: [Service; 3],
    devices: [Device; 3],
}

impl Household {
    fn new() -> Self {
        let issuer = Issuer::signed_in();
        issuer.next("/token", [issuer.tokens(&json!({ "id_token": { "sub": "u2" } }))]);
        issuer.log_in().unwrap();
        let services = [(); 3].map(|()| Service::start());
        let (shared, time) = (&issuer.device.directory, &issuer.device.clock);
        let here = Device::at(shared, named(&services[0], "first"), time);
        let private = |number: usize| {
            let provider = named(&services[number], ["", "second", "third"][number]);
            Device::private(provider, time, shared, &format!("plugin.video.{number}"))
        };
        let devices = [here, private(1), private(2)];
        for device in &devices {
            log_in(device);
            device.status().unwrap();
        }
        Household { issuer, services, devices }
    }

    /// The keeper of the shared vault, as after a restart.
    fn keeper(&self) -> Keeper {
        self.issuer.device.restarted()
    }

    /// Everything that is due somewhere is done.
    fn deliver(&self) {
        for device in &self.devices {
            device.pass(120);
            device.restarted().upkeep(&never()).unwrap();
        }
    }
}

fn named(service: &Service, id: &str) -> Provider {
    service.provider_with(|text| text.replace("id = \"service\"", &format!("id = \"{id}\"")))
}

fn log_out_all(keeper: &Keeper) -> LogoutAll {
    keeper.log_out_all(&LogoutAllOptions::default(), &never()).unwrap()
}

fn within(seconds: f64) -> LogoutAllOptions {
    let deadline = Some(Duration::from_secs_f64(seconds));
    LogoutAllOptions { deadline, ..LogoutAllOptions::default() }
}

/// The lines, as a viewer would tell them apart.
fn lines(all: &LogoutAll) -> Vec<(&str, &str, &str, Conclusion)> {
    let mut lines: Vec<_> = all
        .entries
        .iter()
        .map(|entry| {
            let account = entry.account.as_ref().map_or("", |account| &account.id);
            (&*entry.addon, &*entry.provider, account, entry.conclusion)
        })
        .collect();
    lines.sort_unstable_by_key(|line| (line.0, line.1, line.2));
    lines
}

#[test]
fn five_accounts_of_four_services_in_three_vaults_with_one_server_down() {
    let house = Household::new();
    house.services[2].always("/logout", answering("503 Service Unavailable", "", ""));
    let keeper = house.keeper();
    let cancel = Cancel::new();
    let all = keeper.log_out_all(&LogoutAllOptions::default(), &cancel).unwrap();
    assert_eq!(
        lines(&all),
        [
            ("", "authorization", "u1", Conclusion::Proved),
            ("", "authorization", "u2", Conclusion::Proved),
            ("", "first", "acc-1", Conclusion::Proved),
            ("plugin.video.1", "second", "acc-1", Conclusion::Proved),
            ("plugin.video.2", "third", "acc-1", Conclusion::Later),
        ]
    );
    assert_eq!((all.proved, all.later, all.by_itself, all.unknown, all.failed), (4, 1, 0, 0, 0));
    assert_eq!(all.pending_revocations, Some(1));
    assert_eq!(cancel.progress(), Some(Progress { done: 5, total: 5 }));
    assert_eq!(all.entries[0].provider_name, "The test issuer");
    assert!(all.entries.iter().all(|entry| entry.expires_at.is_some()));
    for device in &house.devices {
        assert!(device.restarted().accounts(true).unwrap().accounts.is_empty());
    }
    let living = || house.services.iter().map(Service::live_sessions).collect::<Vec<_>>();
    assert_eq!(living(), [0, 0, 1]);
    house.services[2].as_usual("/logout");
    house.deliver();
    assert_eq!(living(), [0, 0, 0], "the rest is delivered afterwards");
    assert_eq!(pending(&house.devices[2]), 0);
    assert!(log_out_all(&keeper).entries.is_empty(), "nobody is there any more");
}

#[test]
fn all_servers_share_one_deadline() {
    let house = Household::new();
    house.issuer.always("/revoke", vec![Step::Stall]);
    for service in &house.services {
        service.always("/logout", vec![Step::Stall]);
    }
    let start = Instant::now();
    let all = house.keeper().log_out_all(&within(1.0), &never()).unwrap();
    assert!(start.elapsed() < Duration::from_millis(1900), "{:?}", start.elapsed());
    assert_eq!((all.later, all.failed, all.pending_revocations), (5, 0, Some(5)));
}

#[test]
fn more_accounts_than_threads_are_all_logged_out_in_time() {
    let issuer = Issuer::start();
    for number in 0..20 {
        let sub = format!("u{number}");
        issuer.next("/token", [issuer.tokens(&json!({ "id_token": { "sub": sub } }))]);
        issuer.log_in().unwrap();
    }
    issuer.always("/revoke", vec![Step::Stall]);
    let start = Instant::now();
    let all = issuer.device.log_out_all(&within(1.0), &never()).unwrap();
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!((all.entries.len(), all.later, all.pending_revocations), (20, 20, Some(20)));
    assert!(issuer.device.accounts(true).unwrap().accounts.is_empty());
}

#[test]
fn whoever_cancels_is_logged_out_here_at_once() {
    let house = Household::new();
    house.issuer.always("/revoke", vec![Step::Stall]);
    for service in &house.services {
        service.always("/logout", vec![Step::Stall]);
    }
    let start = Instant::now();
    let all = house.keeper().log_out_all(&within(30.0), &cancel_after(300)).unwrap();
    assert!(start.elapsed() < Duration::from_millis(1300), "{:?}", start.elapsed());
    assert_eq!((all.entries.len(), all.later), (5, 5));
    for device in &house.devices {
        assert!(device.restarted().accounts(true).unwrap().accounts.is_empty());
    }
}

#[test]
fn what_is_not_proved_is_not_said_to_be() {
    let house = Household::new();
    house.services[0].always("/logout", answering("200 OK", "", "bye"));
    house.services[1].always("/logout", answering("404 Not Found", "", ""));
    let all = log_out_all(&house.keeper());
    let of = |provider: &str| all.entries.iter().find(|entry| entry.provider == provider).unwrap();
    let first = of("first");
    assert_eq!(
        (first.conclusion, first.remote),
        (Conclusion::ByItself, Some(Outcome::Unconfirmed))
    );
    assert_eq!(first.status, Some(200));
    assert!(first.expires_at.is_some() && !first.reason.is_empty());
    assert_eq!(of("second").conclusion, Conclusion::Later, "it may have been a passing trouble");
    assert_eq!((all.proved, all.by_itself, all.later), (3, 1, 1));
}

#[test]
fn a_vault_that_cannot_be_read_is_in_the_list() {
    let house = Household::new();
    let held = house.devices[2].lock_vault("BEGIN EXCLUSIVE");
    let all = log_out_all(&house.keeper());
    drop(held);
    assert_eq!((all.proved, all.failed), (4, 1));
    assert_eq!(all.pending_revocations, None, "nobody knows");
    let failed = all.entries.last().unwrap();
    assert_eq!((&*failed.addon, failed.account.is_none()), ("plugin.video.2", true));
    assert!(!failed.reason.is_empty());
    assert_eq!(house.services[2].live_sessions(), 1);
}

#[test]
fn a_shared_vault_that_cannot_be_read_keeps_no_other_from_it() {
    let house = Household::new();
    let held = house.devices[0].lock_vault("BEGIN EXCLUSIVE");
    let all = log_out_all(&house.keeper());
    drop(held);
    assert_eq!(
        lines(&all),
        [
            ("", "", "", Conclusion::Failed),
            ("plugin.video.1", "second", "acc-1", Conclusion::Proved),
            ("plugin.video.2", "third", "acc-1", Conclusion::Proved),
        ]
    );
}

#[test]
fn a_register_that_cannot_be_read_keeps_nobody_logged_in() {
    let house = Household::new();
    let register = house.issuer.device.directory.join("data/vaults");
    std::fs::remove_dir_all(&register).unwrap();
    std::fs::write(&register, "").unwrap();
    let all = log_out_all(&house.keeper());
    assert_eq!((all.proved, all.failed, all.pending_revocations), (3, 1, None));
    let failed = all.entries.last().unwrap();
    assert!(failed.account.is_none() && failed.reason.contains("register"), "{failed:?}");
}

#[test]
fn vaults_that_others_hold_do_not_hold_it_up() {
    let service = Service::start();
    let shared = service.device();
    log_in(&shared);
    let devices = [1, 2, 3, 4, 5, 6].map(|number| {
        let addon = format!("plugin.video.{number}");
        let provider = named(&service, "private");
        let device = Device::private(provider, &shared.clock, &shared.directory, &addon);
        log_in(&device);
        device
    });
    let held = devices.each_ref().map(|device| device.lock_vault("BEGIN EXCLUSIVE"));
    let start = Instant::now();
    let all = shared.restarted().log_out_all(&within(2.0), &never()).unwrap();
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    assert_eq!((all.proved, all.failed, all.pending_revocations), (1, 6, None));
    drop(held);
}

#[test]
fn a_vault_that_is_not_there_is_in_the_list() {
    let house = Household::new();
    let here = house.devices[2].directory.join("data");
    let register = house.issuer.device.directory.join("data/vaults");
    for entry in std::fs::read_dir(register).unwrap() {
        let file = std::fs::File::options().append(true).open(entry.unwrap().path()).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(120)).unwrap();
    }
    // Its disk is away, or it was deleted.
    let cases = [
        (house.devices[2].directory.clone(), Conclusion::Failed, "cannot be reached", None),
        (here, Conclusion::Unknown, "gone", Some(0)),
    ];
    for (here, conclusion, reason, pending) in cases {
        let away = here.with_extension("away");
        std::fs::rename(&here, &away).unwrap();
        let all = log_out_all(&house.keeper());
        std::fs::rename(&away, &here).unwrap();
        let entry = all.entries.last().unwrap();
        assert_eq!((&*entry.addon, entry.conclusion), ("plugin.video.2", conclusion));
        assert!(entry.account.is_none() && entry.reason.contains(reason), "{entry:?}");
        assert_eq!(all.pending_revocations, pending);
    }
    let all = log_out_all(&house.keeper());
    assert_eq!(lines(&all), [("plugin.video.2", "third", "acc-1", Conclusion::Proved)]);
}

/// In another process, where nobody can cancel it.
#[test]
fn a_login_that_is_under_way_elsewhere_is_undone() {
    let house = Household::new();
    for number in [0, 2] {
        let (service, device) = (&house.services[number], &house.devices[number]);
        log_out_all(&house.keeper());
        service.next("/u/login", [slowly(1200)]);
        let before = service.requests("/u/login").len();
        std::thread::scope(|scope| {
            let elsewhere = device.restarted();
            let login = scope.spawn(move || try_log_in(&elsewhere, &never()));
            wait_until(5, "nobody logs in", || service.requests("/u/login").len() > before);
            log_out_all(&house.keeper());
            let _ = login.join().unwrap();
        });
        assert!(device.restarted().accounts(true).unwrap().accounts.is_empty());
        wait_until(5, "its session lives on", || {
            house.deliver();
            service.live_sessions() == 0
        });
    }
}

#[test]
fn another_add_on_may_not() {
    let house = Household::new();
    let keeper = house.issuer.device.called_by("plugin.video.other");
    let error = keeper.log_out_all(&LogoutAllOptions::default(), &never()).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert_eq!(house.keeper().accounts(true).unwrap().accounts.len(), 3);
    let own = LogoutOptions { local_only: true, ..LogoutOptions::default() };
    assert!(keeper.log_out(&own, &never()).is_ok(), "its own account is another matter");
}

/// A login that is under way when everything is logged out of is undone.
#[test]
fn what_is_under_way_is_ended_too() {
    let service = Service::start();
    let device = service.device();
    log_in(&device);
    device.advance(86_400 - 1800);
    service.next("/login", [slowly(600)]);
    std::thread::scope(|scope| {
        let renewal = scope.spawn(|| device.upkeep(&never()));
        while service.renewals() == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let all = log_out_all(&device);
        assert_eq!(all.entries.len(), 1);
        let _ = renewal.join().unwrap();
    });
    wait_until(5, "the late renewal outlives the logout", || {
        device.pass(30);
        device.upkeep(&never()).unwrap();
        service.live_sessions() == 0 && pending(&device) == 0
    });
    assert!(device.accounts(true).unwrap().accounts.is_empty());
}

#[test]
fn a_kill_half_way_loses_nothing() {
    const KILLS: usize = 24;
    const AT_MOST: usize = 120;
    let house = Household::new();
    let (mut round, mut between) = (0, 0);
    let mut wait = Duration::from_millis(8);
    while round < KILLS || (between == 0 && round < AT_MOST) {
        let mut victim = child::spawn("log out of all", &house.devices[0]);
        let mut lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        while !lines.next().unwrap().unwrap().contains("ready") {}
        std::thread::sleep(wait);
        victim.kill().unwrap();
        victim.wait().unwrap();
        let left: usize = house
            .devices
            .iter()
            .map(|device| device.restarted().accounts(true).unwrap().accounts.len())
            .sum();
        // A busy machine is slower, so each kill goes by what the one before it met.
        match left {
            0 => wait = wait.mul_f64(0.6),
            5 => wait = wait.mul_f64(1.5),
            _ => between += 1,
        }
        let all = log_out_all(&house.keeper());
        assert_eq!((all.entries.len(), all.failed), (left, 0), "round {round}");
        house.deliver();
        for (service, device) in house.services.iter().zip(&house.devices) {
            assert_eq!(service.live_sessions(), 0, "a revocation was lost in round {round}");
            assert_eq!(pending(&device.restarted()), 0, "round {round}");
        }
        round += 1;
        for device in &house.devices {
            log_in(&device.restarted());
        }
        house.issuer.log_in().unwrap();
        house.issuer.next("/token", [house.issuer.tokens(&json!({ "id_token": { "sub": "u2" } }))]);
        house.issuer.log_in().unwrap();
    }
    assert!(between > 0, "no kill was half-way");
    for device in &house.devices[1..] {
        let keeper = device.restarted();
        assert_eq!(noted(&keeper, "revoked"), round, "one `revoked` for each logout");
    }
}

pub fn victim(keeper: &Keeper) {
    println!("ready");
    log_out_all(keeper);
}

#[test]
fn a_device_where_nobody_is_logged_in_has_nothing_to_tell() {
    let service = Service::start();
    let device = Device::new(named(&service, "first"), &clock());
    let all = log_out_all(&device);
    assert!(all.entries.is_empty());
    assert_eq!(all.pending_revocations, Some(0));
}
