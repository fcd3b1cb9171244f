//! The viewer's answers about add-ons: kept, bound to their place, gone with the logout.

use super::*;

fn answer(addon: &str, provider: &str, account: &str, is_allowed: bool) -> Permission {
    let [addon, service, account] = [addon, provider, account].map(str::to_owned);
    Permission { addon, service, account, is_allowed, since: NOW }
}

fn set(vault: &Vault, answer: &Permission) {
    vault.transact(|tx| tx.permissions().set(answer)).unwrap();
}

fn answers(vault: &Vault) -> Vec<Permission> {
    vault.read(|tx| tx.permissions().list(None)).unwrap()
}

fn log_out(vault: &Vault, provider: &str) {
    let ending = Ending::of(provider, SessionSelector::Active);
    let remains =
        |_: &Session| Remains { revocation: None, tasks: Vec::new(), event: record(Event::Logout) };
    assert!(matches!(vault.end(&ending, &mut { remains }), LocalOutcome::Cleared(None)));
}

#[test]
fn the_last_answer_stands_and_survives_a_restart() {
    let home = Home::new();
    let vault = home.open();
    let others = [answer("b", "angel", "7", true), answer("a", "other", "7", true)];
    for answer in &others {
        set(&vault, answer);
    }
    set(&vault, &answer("a", "angel", "7", true));
    let last = answer("a", "angel", "7", false);
    set(&vault, &last);
    drop(vault);
    let vault = home.open();
    let of = |addon: &str| vault.read(|tx| tx.permissions().get("angel", "7", addon)).unwrap();
    assert_eq!((of("a"), of("c")), (Some(last), None));
    assert_eq!(answers(&vault).len(), 3);
    vault.transact(|tx| tx.permissions().remove("angel", "7", "a")).unwrap();
    assert_eq!(answers(&vault), others);
}

#[test]
fn a_logout_takes_the_answers_about_its_account_along() {
    let home = Home::new();
    let vault = home.open();
    let account = log_in(&vault, "a", "angel").account.id;
    let other = answer("a", "angel", "somebody else", true);
    set(&vault, &other);
    set(&vault, &answer("a", "angel", &account, true));
    set(&vault, &answer("b", "angel", &account, false));
    log_out(&vault, "angel");
    assert_eq!(answers(&vault), [other]);
}

#[test]
fn an_answer_counts_only_where_it_was_given() {
    for change in ["session = 'b'", "provider = 'other'", "account = '8'"] {
        let home = Home::new();
        let vault = home.open();
        set(&vault, &answer("a", "angel", "7", true));
        drop(vault);
        sql(&home, &format!("UPDATE permissions SET {change}"));
        let vault = home.open();
        assert_eq!(answers(&vault), [], "{change}");
        assert_eq!(only_damage(&vault).outcome, "damaged");
    }
}

#[test]
fn a_rescue_keeps_the_answers_and_of_two_the_last() {
    let home = Home::new();
    let vault = home.open();
    set(&vault, &answer("b", "angel", "7", true));
    set(&vault, &answer("a", "angel", "7", false));
    drop(vault);
    // As if an old page had come back.
    let old = "INSERT INTO permissions SELECT row + 1000, session, provider, account, sealed
               FROM permissions WHERE session = 'a'";
    sql(&home, old);
    make_foreign(&home);
    let vault = home.open();
    assert_eq!(only_damage(&vault).outcome, "damaged");
    let mut kept = answers(&vault);
    kept.sort_by(|one, other| one.addon.cmp(&other.addon));
    assert_eq!(kept, [answer("a", "angel", "7", false), answer("b", "angel", "7", true)]);
}
