//! Vaults that earlier versions wrote.

use super::accounts::{sign_in, stored};
use super::*;
use crate::vault::seal::{Place, Purpose};
use rusqlite::params;
use serde_json::Value;
use std::collections::BTreeMap;

/// A sealed column, with the names that its fields had in version 1.
fn reseal(keys: &Keys, sealed: &[u8], place: Place<'_>) -> Vec<u8> {
    let mut fields: BTreeMap<String, Value> = keys.open(sealed, place).unwrap();
    let credentials = fields.remove("credentials").unwrap();
    fields.insert("cookies".to_owned(), credentials);
    fields.remove("everywhere");
    keys.seal(&fields, place).unwrap()
}

fn reseal_all(vault: &Vault) {
    let done = vault.write(|transaction, keys| {
        for (table, purpose) in [("sessions", Purpose::Session), ("outbox", Purpose::Outbox)] {
            let mut statement = transaction
                .prepare(&format!("SELECT row, id, provider, account, sealed FROM {table}"))?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let (id, provider, account): (String, String, String) =
                    (row.get(1)?, row.get(2)?, row.get(3)?);
                let place = Place { purpose, provider: &provider, account: &account, row: &id };
                let sealed = reseal(keys, &row.get::<_, Vec<u8>>(4)?, place);
                let number: i64 = row.get(0)?;
                transaction.execute(
                    &format!("UPDATE {table} SET sealed = ?2 WHERE row = ?1"),
                    params![number, sealed],
                )?;
            }
        }
        Ok(())
    });
    done.unwrap();
}

/// Puts the vault into a file as version 1 wrote it, by its own SQL.
fn make_version_1(home: &Home) {
    reseal_all(&home.open());
    let newer = home.data().join("newer.db");
    fs::rename(home.file(), &newer).unwrap();
    let tables = "PRAGMA page_size = 4096; PRAGMA auto_vacuum = NONE;
        PRAGMA application_id = 1397454452; BEGIN; ";
    sql(home, &format!("{tables} {} PRAGMA user_version = 1; COMMIT", schema::MIGRATIONS[0]));
    let rows = "INSERT INTO meta SELECT * FROM newer.meta;
        INSERT INTO sessions
            SELECT row, id, provider, account, generation, sealed FROM newer.sessions;
        INSERT INTO outbox SELECT * FROM newer.outbox;
        INSERT INTO definitions SELECT * FROM newer.definitions;
        INSERT INTO audit SELECT * FROM newer.audit;
        INSERT INTO reserve SELECT * FROM newer.reserve;";
    sql(home, &format!("ATTACH '{}' AS newer; {rows}", newer.display()));
    fs::remove_file(newer).unwrap();
}

/// A waiting logout, two accounts, and another provider's.
fn furnish(home: &Home) {
    let vault = home.open();
    for (id, of) in [("old", "7"), ("a", "7"), ("b", "8")] {
        sign_in(&vault, id, of);
    }
    log_in(&vault, "o", "other");
    drop(vault);
    make_version_1(home);
}

fn is_whole(vault: &Vault) {
    assert_eq!(stored(vault), ["a", "b*"]);
    let other = vault.session("other").unwrap().unwrap();
    assert_eq!(other.credentials, session("o", "other").credentials);
    assert_eq!(vault.entries().unwrap()[0].revocation, revoked(&session("old", "angel")));
    assert_eq!(events(vault), ["login"; 4]);
    assert!(vault.verify_trail().unwrap());
    assert_eq!(vault.facts().unwrap().schema, 2);
}

/// What is published is never changed: the vaults of others were written with it.
#[test]
fn version_1_is_as_it_was_published() {
    let hash = definitions::hash_of(schema::MIGRATIONS[0]);
    assert_eq!(hash, "d32769b5cd25f36a54cf68885185e8378bf3ce957ff5e78bb968b073455026f7");
}

#[test]
fn a_vault_of_version_1_loses_nothing() {
    let home = Home::new();
    furnish(&home);
    for vault in [home.open(), home.open()] {
        is_whole(&vault);
        assert_eq!(vault.take_damage(), []);
    }
    let vault = home.open();
    end(&vault, "angel");
    assert_eq!(stored(&home.open()), ["a"]);
    vault.activate("angel", "7", &record(Event::Switched)).unwrap().unwrap();
    assert_eq!(stored(&home.open()), ["a*"]);
}

#[test]
fn many_who_open_a_vault_of_version_1_find_it_whole() {
    let home = Home::new();
    furnish(&home);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let vault = home.open();
                is_whole(&vault);
                assert_eq!(vault.take_damage(), []);
            });
        }
    });
}

#[test]
fn a_crash_while_it_is_brought_up_is_undone() {
    let home = Home::new();
    furnish(&home);
    let mut file = rusqlite::Connection::open(home.file()).unwrap();
    let transaction = file.transaction().unwrap();
    transaction.execute_batch(schema::MIGRATIONS[1]).unwrap();
    transaction.execute_batch("PRAGMA user_version = 2").unwrap();
    let crashed = crash(&home, &transaction);
    let vault = crashed.open();
    is_whole(&vault);
    assert_eq!(vault.take_damage(), []);
}

#[test]
fn a_damaged_vault_of_version_1_is_rescued() {
    let damage: [&dyn Fn(&Home); 5] = [
        &|home| wipe_first_page(home),
        &|home| sql(home, "CREATE TABLE foreign_one (x)"),
        &|home| {
            sql(home, "CREATE TRIGGER evil AFTER UPDATE ON sessions BEGIN DELETE FROM outbox; END");
        },
        &|home| sql(home, "UPDATE meta SET sealed = randomblob(56)"),
        &|home| {
            sql(home, "DROP INDEX outbox_by_id");
        },
    ];
    for damage in damage {
        let home = Home::new();
        furnish(&home);
        damage(&home);
        let vault = home.open();
        is_whole(&vault);
        assert_eq!(only_damage(&vault).outcome, "damaged");
    }
}

/// Its newer tables lie elsewhere than those of a new vault.
#[test]
fn a_damaged_vault_that_was_once_of_version_1_is_rescued() {
    let home = Home::new();
    furnish(&home);
    let vault = home.open();
    vault.activate("angel", "7", &record(Event::Switched)).unwrap().unwrap();
    drop(vault);
    wipe_first_page(&home);
    let vault = home.open();
    assert_eq!(only_damage(&vault).outcome, "damaged");
    assert_eq!(stored(&vault), ["a*", "b"]);
    assert_eq!(vault.pending(None).unwrap(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_full_disk_version_1_can_still_be_logged_out_of() {
    let small = disk::Small::new();
    let home = &small.0;
    furnish(home);
    small.fill();
    let vault = home.open();
    is_whole(&vault);
    let ended = vault
        .end_without_journal("angel", SessionSelector::Active, &mut retire, &record(Event::Logout))
        .unwrap();
    assert!(matches!(ended, InPlace::Ended { entry: Some(_) }), "{ended:?}");
    assert_eq!(vault.take_damage(), []);
    drop(vault);
    assert_eq!(stored(&home.open()), ["a"]);
}
