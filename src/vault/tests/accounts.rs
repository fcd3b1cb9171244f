//! Several accounts of one provider: one is active, and only what was meant is ended.

use super::*;
use crate::vault::accounts::mark_active;

pub fn account(id: &str, account: &str) -> Session {
    let mut session = session(id, "angel");
    session.account.id = account.to_owned();
    session
}

pub fn sign_in(vault: &Vault, id: &str, of: &str) -> Session {
    vault.log_in(account(id, of), &mut retire, &record(Event::Login)).unwrap()
}

/// The ids of the stored sessions; the active one's with an asterisk.
pub fn stored(vault: &Vault) -> Vec<String> {
    let sessions = vault.sessions_of(Some("angel")).unwrap();
    let name = |(session, is_active): (Session, bool)| {
        if is_active { format!("{}*", session.id) } else { session.id }
    };
    sessions.into_iter().map(name).collect()
}

fn retired(vault: &Vault) -> Vec<String> {
    vault.entries().unwrap().into_iter().map(|entry| entry.revocation.session_id).collect()
}

fn rows(home: &Home) -> i64 {
    let file = rusqlite::Connection::open(home.file()).unwrap();
    file.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_login_retires_the_same_account_only() {
    let home = Home::new();
    let vault = home.open();
    log_in(&vault, "o", "other");
    sign_in(&vault, "a", "7");
    sign_in(&vault, "b", "8");
    assert_eq!(stored(&vault), ["a", "b*"]);
    assert_eq!(retired(&vault), [""; 0]);
    let again = sign_in(&vault, "c", "7");
    assert_eq!(stored(&vault), ["b", "c*"]);
    assert_eq!(retired(&vault), ["a"]);
    let vault = home.open();
    assert_eq!(vault.session("angel").unwrap(), Some(again));
    assert_eq!(stored(&vault), ["b", "c*"]);
    let all: Vec<_> = vault.sessions_of(None).unwrap();
    let all: Vec<_> = all.iter().map(|(session, active)| (&*session.id, *active)).collect();
    assert_eq!(all, [("b", false), ("c", true), ("o", true)]);
}

#[test]
fn one_switches_between_stored_accounts() {
    let home = Home::new();
    let vault = home.open();
    let first = sign_in(&vault, "a", "7");
    sign_in(&vault, "b", "8");
    log_in(&vault, "o", "other");
    let switch = |to| vault.activate("angel", to, &record(Event::Switched)).unwrap();
    assert_eq!(switch("7"), Some(first.clone()));
    assert_eq!(stored(&home.open()), ["a*", "b"]);
    assert_eq!(switch("7"), Some(first.clone()));
    assert_eq!(switch("9"), None);
    assert_eq!(vault.activate("third", "7", &record(Event::Switched)).unwrap(), None);
    assert_eq!(vault.session("angel").unwrap(), Some(first));
    assert_eq!(vault.session("other").unwrap().unwrap().id, "o");
    assert_eq!(events(&vault), ["login", "login", "login", "switched"]);
    assert_eq!(vault.entries().unwrap(), []);
}

#[test]
fn after_a_logout_nobody_is_active_and_the_others_stay() {
    let home = Home::new();
    let vault = home.open();
    sign_in(&vault, "a", "7");
    sign_in(&vault, "b", "8");
    assert!(matches!(end(&vault, "angel"), Ended::Ended { entry: Some(_) }));
    assert_eq!(end(&vault, "angel"), Ended::Gone);
    for vault in [&vault, &home.open()] {
        assert_eq!(vault.session("angel").unwrap(), None);
        assert_eq!(stored(vault), ["a"]);
    }
    vault.activate("angel", "7", &record(Event::Switched)).unwrap().unwrap();
    assert_eq!(stored(&vault), ["a*"]);
}

#[test]
fn an_inactive_account_is_ended_without_the_active_one() {
    let home = Home::new();
    let vault = home.open();
    for (id, of) in [("a", "7"), ("b", "8"), ("c", "9")] {
        sign_in(&vault, id, of);
    }
    let end = |provider, whom| vault.end(provider, whom, &mut retire, &record(Event::Logout));
    assert_eq!(end("other", SessionSelector::Account("7")).unwrap(), Ended::Gone);
    assert_eq!(end("angel", SessionSelector::Account("x")).unwrap(), Ended::Gone);
    assert_eq!(
        end("angel", SessionSelector::Account("7")).unwrap(),
        Ended::Ended { entry: Some(1) }
    );
    assert_eq!(
        end("angel", SessionSelector::Session("b")).unwrap(),
        Ended::Ended { entry: Some(2) }
    );
    assert_eq!(stored(&vault), ["c*"]);
    assert_eq!(retired(&vault), ["a", "b"]);
    assert_eq!(
        end("angel", SessionSelector::Account("9")).unwrap(),
        Ended::Ended { entry: Some(3) }
    );
    assert_eq!(stored(&vault), [""; 0]);
}

#[test]
fn a_renewal_makes_nobody_active() {
    let home = Home::new();
    let vault = home.open();
    let inactive = sign_in(&vault, "a", "7");
    let active = sign_in(&vault, "b", "8");
    let renewed = vault.renew(inactive, Some(&record(Event::Renewed))).unwrap().unwrap();
    assert!(renewed.generation > active.generation);
    assert_eq!(vault.session("angel").unwrap(), Some(active.clone()));
    assert_eq!(
        vault.session_of("angel", SessionSelector::Account("7")).unwrap(),
        Some(renewed.clone())
    );
    assert_eq!(
        vault.session_of("angel", SessionSelector::Session("a")).unwrap(),
        Some(renewed.clone())
    );
    end(&vault, "angel");
    vault.renew(renewed, None).unwrap().unwrap();
    assert_eq!(stored(&vault), ["a"]);
    assert_eq!(vault.renew(active, None).unwrap(), None);
    assert_eq!(stored(&vault), ["a"]);
}

#[test]
fn what_is_overwritten_in_place_does_not_come_back() {
    for whom in
        [SessionSelector::Active, SessionSelector::Account("8"), SessionSelector::Session("b")]
    {
        let home = Home::new();
        let vault = home.open();
        sign_in(&vault, "a", "7");
        sign_in(&vault, "b", "8");
        fill_up(&vault);
        let mut huge = |session: &Session| {
            let definition = "x".repeat(300_000);
            Some(Revocation { definition, ..revoked(session) }).into()
        };
        let record = record(Event::Logout);
        let ended = vault.end_without_journal("angel", whom, &mut huge, &record).unwrap();
        assert_eq!(ended, InPlace::Overwritten);
        let vault = home.open();
        assert_eq!(vault.session("angel").unwrap(), None);
        assert_eq!(stored(&vault), ["a"]);
        assert_eq!((rows(&home), vault.take_damage()), (2, vec![]));
        vault.activate("angel", "7", &record).unwrap().unwrap();
        assert_eq!((stored(&vault), rows(&home)), (vec!["a*".to_owned()], 1));
    }
}

#[test]
fn in_place_an_inactive_account_is_ended_alone() {
    let home = Home::new();
    let vault = home.open();
    sign_in(&vault, "a", "7");
    sign_in(&vault, "b", "8");
    fill_up(&vault);
    let record = record(Event::Logout);
    let ended = vault
        .end_without_journal("angel", SessionSelector::Account("7"), &mut retire, &record)
        .unwrap();
    assert!(matches!(ended, InPlace::Ended { entry: Some(_) }), "{ended:?}");
    assert_eq!(stored(&home.open()), ["b*"]);
}

#[test]
fn a_login_that_fails_leaves_all_as_it_was() {
    let home = Home::new();
    let vault = home.open();
    sign_in(&vault, "a", "7");
    let active = sign_in(&vault, "b", "8");
    let mut huge = |session: &Session| {
        let definition = "x".repeat(2 << 20);
        Some(Revocation { definition, ..revoked(session) }).into()
    };
    let failed = vault.log_in(account("c", "7"), &mut huge, &record(Event::Login));
    assert_eq!(failed.unwrap_err().kind(), Kind::Storage);
    let panicked = std::thread::scope(|scope| {
        let login = || {
            vault.log_in(account("c", "7"), &mut |_| panic!("on purpose"), &record(Event::Login))
        };
        scope.spawn(login).join().is_err()
    });
    assert!(panicked);
    for vault in [&vault, &home.open()] {
        assert_eq!(vault.session("angel").unwrap(), Some(active.clone()));
        assert_eq!(stored(vault), ["a", "b*"]);
        assert_eq!(retired(vault), [""; 0]);
        assert_eq!(events(vault), ["login", "login"]);
    }
}

#[test]
fn a_crash_in_a_switch_leaves_the_former_account_active() {
    let home = Home::new();
    let vault = home.open();
    sign_in(&vault, "a", "7");
    sign_in(&vault, "b", "8");
    let crashed = vault.write(|transaction, _| {
        mark_active(transaction, "angel", 1)?;
        Ok(crash(&home, transaction))
    });
    let crashed = crashed.unwrap();
    assert_eq!(stored(&vault), ["a*", "b"]);
    assert_eq!(stored(&crashed.open()), ["a", "b*"]);
}

#[test]
fn damage_makes_nobody_active() {
    let home = Home::new();
    let vault = home.open();
    sign_in(&vault, "a", "7");
    sign_in(&vault, "b", "8");
    sign_in(&vault, "c", "9");
    sql(&home, "UPDATE sessions SET sealed = randomblob(200) WHERE id = 'c'");
    assert_eq!(vault.session("angel").unwrap(), None);
    assert_eq!(stored(&vault), ["a", "b"]);
    assert_eq!(only_damage(&vault).outcome, "damaged");
    vault.activate("angel", "7", &record(Event::Switched)).unwrap().unwrap();
    for active in [true, false] {
        wipe_first_page(&home);
        let vault = home.open();
        assert_eq!(only_damage(&vault).outcome, "damaged");
        assert_eq!(stored(&vault), [if active { "a*" } else { "a" }, "b"][usize::from(!active)..]);
        end(&vault, "angel");
        assert_eq!(stored(&vault), ["b"]);
    }
}
