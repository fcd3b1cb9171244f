//! How far each sink has taken the trail.

use super::*;

const URL: &str = "https://audit.example/in?token=canary-sink-token";

fn write(vault: &Vault, lines: usize) {
    (0..lines).for_each(|_| vault.append(&record(Event::Restored)).unwrap());
}

fn next(vault: &Vault, sink: &str, limit: usize) -> Vec<i64> {
    let lines = vault.read(|tx| {
        let seq = tx.audit().acknowledged(sink)?;
        tx.audit().after(seq, limit)
    });
    lines.unwrap().into_iter().map(|line| line.seq).collect()
}

fn acknowledge(vault: &Vault, sink: &str, seq: i64) -> i64 {
    vault.transact(|tx| tx.audit().acknowledge(sink, seq)).unwrap()
}

#[test]
fn each_sink_takes_each_line_once() {
    let home = Home::new();
    let vault = home.open();
    assert_eq!(next(&vault, URL, 9), [0; 0]);
    write(&vault, 5);
    assert_eq!(next(&vault, URL, 3), [1, 2, 3]);
    assert_eq!(next(&vault, URL, 3), [1, 2, 3], "not taken yet");
    assert_eq!(acknowledge(&vault, URL, 3), 3);
    assert_eq!(next(&vault, URL, 9), [4, 5]);
    assert_eq!(next(&vault, "another", 9), [1, 2, 3, 4, 5]);
    let vault = home.open();
    assert_eq!(acknowledge(&vault, URL, 5), 5);
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
    assert_eq!(acknowledge(&vault, URL, 2), 2);
    assert_eq!(acknowledge(&vault, URL, 1), 2);
    assert_eq!(acknowledge(&vault, URL, i64::MIN), 2);
    assert_eq!(acknowledge(&vault, URL, i64::MAX), 3);
    assert_eq!(acknowledge(&vault, "another", -1), 0);
    write(&vault, 1);
    assert_eq!(next(&vault, URL, 9), [4]);
}

#[test]
fn many_who_acknowledge_at_once_keep_the_newest() {
    let home = Home::new();
    write(&home.open(), 40);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let vault = home.open();
            scope.spawn(move || {
                for n in 0..10 {
                    acknowledge(&vault, URL, n * 4 + thread);
                }
            });
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
    acknowledge(&home.open(), URL, 0);
    let bytes = fs::read(home.file()).unwrap();
    assert!(!bytes.windows(10).any(|window| window == b"sink-token"));
}

#[test]
fn after_forgetting_a_sink_begins_with_the_line_that_says_so() {
    let home = Home::new();
    let vault = home.open();
    write(&vault, 3);
    acknowledge(&vault, URL, 3);
    vault.forget().unwrap();
    assert_eq!(next(&vault, URL, 9), [1]);
    assert_eq!(events(&vault), ["forgotten"]);
}

#[test]
fn a_rescued_trail_that_is_shorter_is_followed_from_its_end() {
    let home = Home::new();
    let vault = home.open();
    write(&vault, 6);
    acknowledge(&vault, URL, 6);
    acknowledge(&vault, "another", 2);
    drop(vault);
    sql(&home, "DROP TRIGGER audit_is_not_shortened; DELETE FROM audit WHERE row > 4");
    let vault = home.open();
    assert_eq!(only_damage(&vault).outcome, "damaged");
    write(&vault, 1);
    assert_eq!(next(&vault, URL, 9), [5]);
    assert_eq!(next(&vault, "another", 9), [3, 4, 5]);
}
