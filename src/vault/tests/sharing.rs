//! Several vaults on one directory, as threads and processes have them.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn the_mark_tells_of_every_write() {
    let home = Home::new();
    let (one, two) = (home.open(), home.open());
    let mark = one.change_mark().unwrap();
    assert_eq!(one.change_mark().unwrap(), mark);
    one.sessions().unwrap();
    assert_eq!(one.change_mark().unwrap(), mark);
    log_in(&one, "a", "angel");
    let own = one.change_mark().unwrap();
    assert_ne!(own, mark);
    log_in(&two, "b", "angel");
    let others = one.change_mark().unwrap();
    assert!(others != own && others != mark);
    assert_eq!(one.session("angel").unwrap().unwrap().id, "b");
    assert_eq!(one.change_mark().unwrap(), others);
}

#[test]
fn the_mark_tells_of_a_vault_that_was_replaced() {
    let home = Home::new();
    let (one, two) = (home.open(), home.open());
    log_in(&one, "a", "angel");
    let mark = one.change_mark().unwrap();
    two.forget().unwrap();
    let forgotten = one.change_mark().unwrap();
    assert_ne!(forgotten, mark);
    assert_eq!(one.session("angel").unwrap(), None);
    let copy = home.data().join("copy");
    fs::copy(home.file(), &copy).unwrap();
    fs::rename(copy, home.file()).unwrap();
    assert_ne!(one.change_mark().unwrap(), forgotten);
    assert_eq!(one.take_damage(), []);
}

#[test]
fn threads_on_one_directory_lose_nothing() {
    let home = Home::new();
    let start = std::sync::Barrier::new(4);
    thread::scope(|scope| {
        for thread in 0..4 {
            let (home, start) = (&home, &start);
            scope.spawn(move || {
                start.wait();
                let vault = home.open();
                for n in 0..10 {
                    log_in(&vault, &format!("{thread}-{n}"), "angel");
                }
                assert_eq!(vault.take_damage(), []);
            });
        }
    });
    let vault = home.open();
    assert_eq!(vault.sessions().unwrap().len(), 1);
    assert_eq!(vault.entries().unwrap().len(), 39);
    assert_eq!(vault.trail(100).unwrap().len(), 40);
}

#[test]
fn one_of_many_removes_an_entry() {
    let home = Home::new();
    let entry = home.open().enqueue(&revoked(&session("a", "angel"))).unwrap();
    let removed = thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| home.open().remove(&entry))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(removed.into_iter().filter(|removed| *removed).count(), 1);
}

#[test]
fn damage_found_by_many_is_dealt_with_once() {
    let home = Home::new();
    log_in(&home.open(), "a", "angel");
    make_foreign(&home);
    let found: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let vault = home.open();
                    assert_eq!(vault.session("angel").unwrap().unwrap().id, "a");
                    vault.take_damage().len()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(found, 1);
}

#[test]
fn a_panic_in_a_transaction_leaves_the_vault_usable() {
    let home = Home::new();
    let vault = home.open();
    log_in(&vault, "a", "angel");
    let panics = |tx: &Transaction<'_>| -> VaultResult<()> {
        end_in(tx, "angel", SessionSelector::Active, &[])?;
        panic!("on purpose")
    };
    let panicked = thread::scope(|scope| scope.spawn(|| vault.transact(panics)).join().is_err());
    assert!(panicked);
    assert!(vault.session("angel").unwrap().is_some());
    assert_eq!(end(&vault, "angel"), Some(1));
}

#[test]
fn a_vault_that_is_held_is_in_use() {
    let home = Home::new();
    let vault = home.open();
    let other = rusqlite::Connection::open(home.file()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let hasty = vault.with_timeout(&BusyTimeout::of(Duration::from_millis(20)));
    let error = hasty.append(&record(Event::Login)).unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::Storage, "the vault is in use"));
    other.execute_batch("ROLLBACK").unwrap();
    vault.append(&record(Event::Login)).unwrap();
}

#[test]
fn the_floor_of_the_clock_is_the_newest_known_time() {
    use crate::clock::{Clock, SystemClock};
    let home = Home::new();
    let future = SystemClock::default().now() + 50_000;
    home.clock.set(future + 900_000);
    home.clock.set_synchronised(false);
    let vault = home.open();
    vault.append(&record(Event::Login)).unwrap();
    home.clock.set(future);
    home.clock.set_synchronised(true);
    vault.append(&record(Event::Login)).unwrap();
    let clock = Arc::new(SystemClock::default());
    let _vault = Vault::open(&home.data(), &home.keys(), clock.clone()).unwrap();
    assert!(!clock.is_plausible());
    clock.raise_floor(future - 100_000);
    assert!(!clock.is_plausible(), "the newest one counts");
}

/// Nobody waits longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

#[test]
fn opening_is_not_starved_by_those_who_read() {
    let home = Home::new();
    let readers: Vec<_> = (0..8).map(|_| home.open()).collect();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for vault in &readers {
            let stop = &stop;
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    vault.session("angel").unwrap();
                }
            });
        }
        let opened: Vec<_> = (0..4)
            .map(|_| {
                let start = Instant::now();
                (home.try_open().is_ok(), start.elapsed())
            })
            .collect();
        stop.store(true, Ordering::Relaxed);
        assert!(opened.iter().all(|(ok, took)| *ok && *took < LONGEST_WAIT), "{opened:?}");
    });
}

#[test]
fn eighty_writers_are_all_served() {
    // Two seconds are long for a vault, and short for a machine that is at something else.
    let mut longest = Vec::new();
    while !longest.last().is_some_and(|wait| matches!(wait, Ok(wait) if *wait < LONGEST_WAIT)) {
        assert!(longest.len() < 3, "{longest:?}");
        longest.push(eighty_writers());
    }
}

/// Each opens the vault and writes. The longest that one of them waited, or the error of one that was
/// not served.
fn eighty_writers() -> Result<Duration> {
    let home = Home::new();
    let start = std::sync::Barrier::new(80);
    let waits: Result<Vec<_>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..80)
            .map(|n| {
                let (home, start) = (&home, &start);
                scope.spawn(move || {
                    start.wait();
                    let begin = Instant::now();
                    let vault = home.try_open()?;
                    let opened = begin.elapsed();
                    vault.enqueue(&revoked(&session(&n.to_string(), "angel")))?;
                    Ok(opened.max(begin.elapsed().saturating_sub(opened)))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let longest = waits?.into_iter().max().unwrap();
    assert_eq!(home.open().pending(None).unwrap(), 80);
    Ok(longest)
}

#[test]
fn a_logout_gives_a_locked_vault_up_after_its_wait() {
    for lock in ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"] {
        let home = Home::new();
        let vault = home.open();
        log_in(&vault, "a", "angel");
        let other = rusqlite::Connection::open(home.file()).unwrap();
        other.execute_batch(lock).unwrap();
        let start = Instant::now();
        let mut unasked = |_: &Session| unreachable!("no session was read");
        let local = vault.end(&Ending::of("angel", SessionSelector::Active), &mut unasked);
        let LocalOutcome::Kept(error) = local else { panic!("{local:?}") };
        assert_eq!(error.message(), "the vault is in use");
        assert!(start.elapsed() < Duration::from_millis(2_500), "{:?}", start.elapsed());
        other.execute_batch("ROLLBACK").unwrap();
        assert!(vault.session("angel").unwrap().is_some());
        assert_eq!(end(&vault, "angel"), Some(1));
    }
}

#[cfg(unix)]
#[test]
fn a_lock_file_that_was_removed_still_keeps_others_out() {
    let home = Home::new();
    let (vault, other) = (home.open(), home.open());
    fs::remove_file(home.data().join("vault.lock")).unwrap();
    let timeout = BusyTimeout::of(Duration::from_millis(20));
    let guard = vault.store.lock.exclusive(&timeout.begin()).ok().unwrap();
    assert!(guard.is_held());
    assert!(other.store.lock.shared(&timeout.begin()).is_err());
    drop(guard);
    assert!(other.store.lock.shared(&timeout.begin()).ok().unwrap().is_held());
}
