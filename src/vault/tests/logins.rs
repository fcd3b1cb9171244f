//! Logins under way: noted until they are over, and found by others only when nobody is at work.

use super::*;
use std::io::Write;

const ID: &str = "0123456789abcdef0123456789abcdef";

fn begun(revocation: Option<Revocation>) -> BegunLogin {
    let (session_id, provider) = (ID.to_owned(), "angel".to_owned());
    BegunLogin { session_id, provider, revocation, is_adoption: false }
}

fn given(token: &str) -> BegunLogin {
    let session = Session { credentials: credentials(token), ..session(ID, "angel") };
    begun(Some(revoked(&session)))
}

fn lost(vault: &Vault) -> Vec<BegunLogin> {
    vault.lost_logins().unwrap().into_iter().map(|(login, _)| login).collect()
}

#[test]
fn a_note_is_found_when_its_process_has_ended_with_the_newest_that_came() {
    let home = Home::new();
    let (vault, other) = (home.open(), home.open());
    assert!(!vault.has_logins());
    let note = vault.begin_login(&begun(None)).unwrap();
    assert!(vault.has_logins() && lost(&vault).is_empty() && lost(&other).is_empty());
    drop(note);
    assert_eq!(lost(&other), [begun(None)]);
    fs::remove_file(home.data().join(format!("login-{ID}"))).unwrap();
    let note = vault.begin_login(&begun(None)).unwrap();
    note.update(&given("first")).unwrap();
    note.update(&given(CANARY)).unwrap();
    drop(note);
    let file = fs::read(home.data().join(format!("login-{ID}"))).unwrap();
    assert!(!file.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()), "sealed");
    let found = other.lost_logins().unwrap();
    assert_eq!(found[0].0, given(CANARY));
    assert!(lost(&vault).is_empty(), "somebody is at work on it");
    found[0].1.remove();
    drop(found);
    assert!(!vault.has_logins() && lost(&vault).is_empty());
}

#[test]
fn a_record_that_was_cut_short_leaves_the_one_before() {
    let home = Home::new();
    let vault = home.open();
    drop(vault.begin_login(&begun(None)).unwrap());
    let path = home.data().join(format!("login-{ID}"));
    let whole = fs::read(&path).unwrap();
    let add = |bytes: &[u8]| {
        fs::write(&path, &whole).unwrap();
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(bytes).unwrap();
    };
    for tail in [&[][..], &[9], &[9, 0, 0, 0], &[9, 0, 0, 0, 1, 2], &[1, 0, 0, 0, 7], &[255; 64]] {
        add(tail);
        assert_eq!(lost(&vault), [begun(None)], "{tail:?}");
    }
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(lost(&vault).is_empty() && !path.exists(), "{length}");
    }
    fs::write(home.data().join("login-elsewhere"), "not ours").unwrap();
    assert!(!vault.has_logins());
}

#[test]
fn forgetting_leaves_no_note() {
    let home = Home::new();
    let vault = home.open();
    let note = vault.begin_login(&given("a")).unwrap();
    vault.forget().unwrap();
    assert!(!vault.has_logins());
    note.remove();
}

#[test]
fn an_era_ends_with_a_logout_at_its_provider_and_with_the_vault() {
    let home = Home::new();
    let vault = home.open();
    let present = |provider: &str| vault.read(|tx| tx.eras().present(provider)).unwrap();
    let (angel, other) = (present("angel"), present("other"));
    vault.transact(|tx| tx.eras().begin("angel")).unwrap();
    assert!(present("angel") != angel && present("other") == other);
    let later = present("angel");
    vault.transact(|tx| tx.eras().begin("angel")).unwrap();
    assert!(present("angel") != angel && present("angel") != later);
    let (angel, other) = (present("angel"), present("other"));
    vault.transact(|tx| tx.eras().begin_everywhere()).unwrap();
    assert!(present("angel") != angel && present("other") != other);
    let other = present("other");
    vault.forget().unwrap();
    assert!(present("other") != other, "a login that began before is not for this vault");
}
