//! How far each sink has taken the trail.

use super::*;

const URL: &str = "https://audit.example/in?token=canary-sink-token";

fn write(vault: &Vault, lines: usize) {
    (0..lines).for_each(|_| vault.append(&record(Event::Restored)).unwrap());
}

fn next(vault: &Vault, sink: &str, limit: usize) -> Vec<i64> {
    vault.trail_after(sink, limit).unwrap().into_iter().map(|line| line.seq).collect()
}

#[test]
fn each_sink_takes_each_line_once() {
    let home = Home::new();
    let vault = home.open();
    assert_eq!(next(&vault, URL, 9), [0; 0]);
    write(&vault, 5);
    assert_eq!(next(&vault, URL, 3), [1, 2, 3]);
    assert_eq!(next(&vault, URL, 3), [1, 2, 3], "not taken yet");
    assert_eq!(vault.taken_by(URL, 3).unwrap(), 3);
    assert_eq!(next(&vault, URL, 9), [4, 5]);
    assert_eq!(next(&vault, "another", 9), [1, 2, 3, 4, 5]);
    let vault = home.open();
    assert_eq!(vault.taken_by(URL, 5).unwrap(), 5);
    assert_eq!(next(&vault, URL, 9), [0; 0]);
    write(&vault, 1);
    assert_eq!(next(&vault, URL, 9), [6]);
    assert_eq!(next(&vault, URL, 0), [0; 0]);
}

#[test]
fn a_sink_never_goes_back_and_never_ahead() {
    let home = Home::new();
    let vault = home.open();
    write(&vault, 3);
    assert_eq!(vault.taken_by(URL, 2).unwrap(), 2);
    assert_eq!(vault.taken_by(URL, 1).unwrap(), 2);
    assert_eq!(vault.taken_by(URL, i64::MIN).unwrap(), 2);
    assert_eq!(vault.taken_by(URL, i64::MAX).unwrap(), 3);
    assert_eq!(vault.taken_by("another", -1).unwrap(), 0);
    write(&vault, 1);
    assert_eq!(next(&vault, URL, 9), [4]);
}

#[test]
fn many_who_take_at_once_keep_the_newest() {
    let home = Home::new();
    write(&home.open(), 40);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let vault = home.open();
            scope.spawn(move || (0..10).for_each(|n| drop(vault.taken_by(URL, n * 4 + thread))));
        }
    });
    let vault = home.open();
    assert_eq!(next(&vault, URL, 1), [40]);
    let file = rusqlite::Connection::open(home.file()).unwrap();
    let rows: i64 = file.query_row("SELECT count(*) FROM sinks", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
}

#[test]
fn the_name_is_not_stored() {
    let home = Home::new();
    home.open().taken_by(URL, 0).unwrap();
    let bytes = fs::read(home.file()).unwrap();
    assert!(!bytes.windows(10).any(|window| window == b"sink-token"));
}

#[test]
fn forgetting_sends_nothing_twice() {
    let home = Home::new();
    let vault = home.open();
    write(&vault, 3);
    vault.taken_by(URL, 3).unwrap();
    vault.forget().unwrap();
    assert_eq!(next(&vault, URL, 9), [4]);
}

#[test]
fn a_rebuilt_trail_that_is_shorter_is_followed_from_its_end() {
    let home = Home::new();
    let vault = home.open();
    write(&vault, 6);
    vault.taken_by(URL, 6).unwrap();
    vault.taken_by("another", 2).unwrap();
    drop(vault);
    sql(&home, "DROP TRIGGER audit_is_not_shortened; DELETE FROM audit WHERE row > 4");
    let vault = home.open();
    assert_eq!(only_damage(&vault).outcome, "damaged");
    write(&vault, 1);
    assert_eq!(next(&vault, URL, 9), [5]);
    assert_eq!(next(&vault, "another", 9), [3, 4, 5]);
}
