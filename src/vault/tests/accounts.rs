//! Several accounts of one provider: one is active, and only what was meant is ended.

use super::*;

pub fn account(id: &str, account: &str) -> Session {
    let mut session = session(id, "angel");
    session.account.id = account.to_owned();
    session
}

pub fn log_in_as(vault: &Vault, id: &str, of: &str) -> Session {
    store_login(vault, &account(id, of)).unwrap()
}

/// The ids of the stored sessions; the active one's with an asterisk.
pub fn stored(vault: &Vault) -> Vec<String> {
    let sessions = vault.read(|tx| tx.sessions().list(Some("angel"))).unwrap();
    let name = |StoredSession { session, is_active, .. }| {
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
    log_in_as(&vault, "a", "7");
    log_in_as(&vault, "b", "8");
    assert_eq!(stored(&vault), ["a", "b*"]);
    assert_eq!(retired(&vault), [""; 0]);
    let again = log_in_as(&vault, "c", "7");
    assert_eq!(stored(&vault), ["b", "c*"]);
    assert_eq!(retired(&vault), ["a"]);
    let vault = home.open();
    assert_eq!(vault.session("angel").unwrap(), Some(again));
    assert_eq!(stored(&vault), ["b", "c*"]);
    let all = vault.read(|tx| tx.sessions().list(None)).unwrap();
    let all: Vec<_> = all.iter().map(|stored| (&*stored.session.id, stored.is_active)).collect();
    assert_eq!(all, [("b", false), ("c", true), ("o", true)]);
}

#[test]
fn one_switches_between_stored_accounts() {
    let home = Home::new();
    let vault = home.open();
    let first = log_in_as(&vault, "a", "7");
    log_in_as(&vault, "b", "8");
    log_in(&vault, "o", "other");
    let switch = |to| vault.activate("angel", to).unwrap();
    assert_eq!(switch("7"), Some(first.clone()));
    assert_eq!(stored(&home.open()), ["a*", "b"]);
    assert_eq!(switch("7"), Some(first.clone()));
    assert_eq!(switch("9"), None);
    assert_eq!(vault.activate("third", "7").unwrap(), None);
    assert_eq!(vault.session("angel").unwrap(), Some(first));
    assert_eq!(vault.session("other").unwrap().unwrap().id, "o");
    assert_eq!(events(&vault), ["login"; 3]);
    assert_eq!(vault.entries().unwrap(), []);
}

#[test]
fn after_a_logout_nobody_is_active_and_the_others_stay() {
    let home = Home::new();
    let vault = home.open();
    log_in_as(&vault, "a", "7");
    log_in_as(&vault, "b", "8");
    assert!(end(&vault, "angel").is_some());
    assert_eq!(end(&vault, "angel"), None);
    for vault in [&vault, &home.open()] {
        assert_eq!(vault.session("angel").unwrap(), None);
        assert_eq!(stored(vault), ["a"]);
    }
    vault.activate("angel", "7").unwrap().unwrap();
    assert_eq!(stored(&vault), ["a*"]);
}

#[test]
fn an_inactive_account_is_ended_without_the_active_one() {
    let home = Home::new();
    let vault = home.open();
    for (id, of) in [("a", "7"), ("b", "8"), ("c", "9")] {
        log_in_as(&vault, id, of);
    }
    let end = |provider, of| {
        try_end(&vault, provider, of, &[]).unwrap().map(|entry| entry.revocation.session_id)
    };
    assert_eq!(end("other", SessionSelector::Account("7")), None);
    assert_eq!(end("angel", SessionSelector::Account("x")), None);
    assert_eq!(end("angel", SessionSelector::Account("7")).as_deref(), Some("a"));
    assert_eq!(end("angel", SessionSelector::Session("b")).as_deref(), Some("b"));
    assert_eq!(stored(&vault), ["c*"]);
    assert_eq!(retired(&vault), ["a", "b"]);
    assert_eq!(end("angel", SessionSelector::Account("9")).as_deref(), Some("c"));
    assert_eq!(stored(&vault), [""; 0]);
}

#[test]
fn a_renewal_makes_nobody_active() {
    let home = Home::new();
    let vault = home.open();
    let inactive = log_in_as(&vault, "a", "7");
    let active = log_in_as(&vault, "b", "8");
    let renewed = vault.replace(&inactive).unwrap().unwrap();
    assert!(renewed.generation > active.generation);
    assert_eq!(vault.session("angel").unwrap(), Some(active.clone()));
    assert_eq!(vault.find("angel", SessionSelector::Account("7")).unwrap(), Some(renewed.clone()));
    assert_eq!(vault.find("angel", SessionSelector::Session("a")).unwrap(), Some(renewed.clone()));
    end(&vault, "angel");
    vault.replace(&renewed).unwrap().unwrap();
    assert_eq!(stored(&vault), ["a"]);
    assert_eq!(vault.replace(&active).unwrap(), None);
    assert_eq!(stored(&vault), ["a"]);
}

#[test]
fn what_is_ended_without_an_entry_does_not_come_back() {
    for whom in
        [SessionSelector::Active, SessionSelector::Account("8"), SessionSelector::Session("b")]
    {
        let home = Home::new();
        let vault = home.open();
        log_in_as(&vault, "a", "7");
        log_in_as(&vault, "b", "8");
        fill_up(&vault);
        let local = end_truly(&vault, whom, 60_000);
        assert!(matches!(local, LocalOutcome::Unqueued), "{local:?}");
        let vault = home.open();
        assert_eq!(vault.session("angel").unwrap(), None);
        assert_eq!(stored(&vault), ["a"]);
        assert_eq!((rows(&home), vault.take_damage()), (1, vec![]));
        vault.activate("angel", "7").unwrap().unwrap();
        assert_eq!((stored(&vault), rows(&home)), (vec!["a*".to_owned()], 1));
    }
}

#[test]
fn on_a_full_disk_an_inactive_account_is_ended_alone() {
    let home = Home::new();
    let vault = home.open();
    log_in_as(&vault, "a", "7");
    log_in_as(&vault, "b", "8");
    fill_up(&vault);
    let local = end_truly(&vault, SessionSelector::Account("7"), 0);
    assert!(matches!(local, LocalOutcome::Cleared(Some(_))), "{local:?}");
    assert_eq!(stored(&home.open()), ["b*"]);
}

#[test]
fn a_login_that_fails_leaves_all_as_it_was() {
    let home = Home::new();
    let vault = home.open();
    log_in_as(&vault, "a", "7");
    let active = log_in_as(&vault, "b", "8");
    let huge = Session { definition: "x".repeat(2 << 20), ..account("c", "7") };
    assert_eq!(store_login(&vault, &huge).unwrap_err().kind(), Kind::Storage);
    let panics = |tx: &Transaction<'_>| -> VaultResult<()> {
        tx.sessions().delete(&active)?;
        panic!("on purpose")
    };
    let thread = std::thread::scope(|scope| scope.spawn(|| vault.transact(panics)).join().is_err());
    assert!(thread);
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
    log_in_as(&vault, "a", "7");
    log_in_as(&vault, "b", "8");
    let crashed = raw(&vault, |connection, tx| {
        tx.sessions().activate("angel", "7")?;
        Ok(crash(&home, connection))
    });
    assert_eq!(stored(&vault), ["a*", "b"]);
    assert_eq!(stored(&crashed.open()), ["a", "b*"]);
}

#[test]
fn damage_makes_nobody_active() {
    let home = Home::new();
    let vault = home.open();
    log_in_as(&vault, "a", "7");
    log_in_as(&vault, "b", "8");
    log_in_as(&vault, "c", "9");
    sql(&home, "UPDATE sessions SET sealed = randomblob(200) WHERE session = 'c'");
    assert_eq!(vault.session("angel").unwrap(), None);
    assert_eq!(stored(&vault), ["a", "b"]);
    assert_eq!(only_damage(&vault).outcome, "damaged");
    vault.activate("angel", "7").unwrap().unwrap();
    for active in [true, false] {
        make_foreign(&home);
        let vault = home.open();
        assert_eq!(only_damage(&vault).outcome, "damaged");
        assert_eq!(stored(&vault), [if active { "a*" } else { "a" }, "b"][usize::from(!active)..]);
        end(&vault, "angel");
        assert_eq!(stored(&vault), ["b"]);
    }
}
