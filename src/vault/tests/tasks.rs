//! What is left to do after a logout: kept with it, handed out once, never lost without a word.

use super::accounts::{account, sign_in, stored};
use super::*;
use std::thread;

const PAYLOAD: &str = "canary-payload-0123456789";

fn task(kind: &str, name: &str) -> Task {
    Task { kind: kind.to_owned(), name: name.to_owned(), payload: Secret::new(PAYLOAD) }
}

fn retire_with(tasks: Vec<Task>) -> impl FnMut(&Session) -> Successors {
    move |session| Successors { revocation: Some(revoked(session)), tasks: tasks.clone() }
}

/// Logs in, and out again with these tasks.
fn leave(vault: &Vault, id: &str, tasks: &[Task]) {
    log_in(vault, id, "angel");
    let mut retire = retire_with(tasks.to_vec());
    vault.end("angel", SessionSelector::Active, &mut retire, &record(Event::Logout)).unwrap();
}

fn names(tasks: &[TakenTask]) -> Vec<&str> {
    tasks.iter().map(|taken| taken.task.name.as_str()).collect()
}

fn take(vault: &Vault) -> Vec<TakenTask> {
    vault.take_tasks(&["property", "builtin"], &[]).unwrap()
}

fn failed(_: &TakenTask) -> NewAuditEvent {
    record(Event::TaskFailed)
}

#[test]
fn tasks_are_handed_out_once_and_in_order() {
    let home = Home::new();
    let tasks =
        [task("builtin", "1"), task("property", "2"), task("hook", "mine"), task("hook", "yours")];
    leave(&home.open(), "a", &tasks);
    let vault = home.open();
    assert_eq!(vault.waiting_tasks().unwrap(), 4);
    assert_eq!(vault.take_tasks(&[], &["mine".to_owned()]).unwrap(), []);
    assert_eq!(vault.take_tasks(&["hook"], &[]).unwrap(), []);
    let taken = take(&vault);
    assert_eq!(names(&taken), ["1", "2"]);
    let expected = TakenTask {
        id: taken[0].id,
        session_id: "a".to_owned(),
        provider: "angel".to_owned(),
        account: "7".to_owned(),
        task: tasks[0].clone(),
    };
    assert_eq!(taken[0], expected);
    assert_eq!(vault.waiting_tasks().unwrap(), 2);
    assert_eq!(take(&home.open()), []);
    let kinds = ["hook", "property"];
    assert_eq!(names(&vault.take_tasks(&kinds, &["mine".to_owned()]).unwrap()), ["mine"]);
    assert_eq!(vault.waiting_tasks().unwrap(), 1);
}

#[test]
fn nothing_to_take_is_no_write() {
    let home = Home::new();
    let vault = home.open();
    let mark = vault.change_mark().unwrap();
    assert_eq!(take(&vault), []);
    assert_eq!(vault.abandon_tasks(NOW, &mut failed).unwrap(), []);
    assert_eq!(vault.change_mark().unwrap(), mark);
}

#[test]
fn a_task_is_finished_once() {
    let home = Home::new();
    let vault = home.open();
    leave(&vault, "a", &[task("builtin", "1")]);
    let done = record(Event::TaskDone);
    assert!(!vault.finish_task(1, &done).unwrap(), "nobody has taken it");
    let id = take(&vault)[0].id;
    assert!(home.open().finish_task(id, &done).unwrap());
    assert!(!vault.finish_task(id, &done).unwrap());
    assert_eq!(events(&vault), ["login", "logout", "task_done"]);
    leave(&vault, "b", &[task("builtin", "1")]);
    assert!(take(&vault)[0].id > id);
}

#[test]
fn a_task_that_was_cut_short_is_told_and_not_run_again() {
    let home = Home::new();
    let vault = home.open();
    leave(&vault, "a", &[task("builtin", "1"), task("builtin", "2"), task("hook", "later")]);
    let taken = take(&vault);
    drop(vault);
    home.clock.set(NOW + 60);
    let vault = home.open();
    assert_eq!(take(&vault), []);
    assert_eq!(vault.abandon_tasks(NOW, &mut failed).unwrap(), []);
    assert!(vault.finish_task(taken[0].id, &record(Event::TaskDone)).unwrap());
    assert_eq!(vault.abandon_tasks(NOW + 30, &mut failed).unwrap(), taken[1..]);
    assert_eq!(vault.abandon_tasks(NOW + 30, &mut failed).unwrap(), []);
    assert!(!vault.finish_task(taken[1].id, &record(Event::TaskDone)).unwrap());
    assert_eq!(events(&vault), ["login", "logout", "task_done", "task_failed"]);
    assert_eq!(vault.waiting_tasks().unwrap(), 1);
}

#[test]
fn a_task_taken_under_a_clock_that_was_ahead_is_cut_short() {
    let home = Home::new();
    let vault = home.open();
    home.clock.set(NOW + 90_000);
    leave(&vault, "a", &[task("builtin", "1")]);
    take(&vault);
    home.clock.set(NOW + 5_000);
    assert_eq!(vault.abandon_tasks(NOW, &mut failed).unwrap(), []);
    home.clock.set(NOW);
    assert_eq!(names(&vault.abandon_tasks(NOW - 600, &mut failed).unwrap()), ["1"]);
}

#[test]
fn many_who_take_at_once_share_the_tasks() {
    let home = Home::new();
    let tasks: Vec<_> = (0..10).map(|n| task("builtin", &n.to_string())).collect();
    drop(home.open());
    let start = std::sync::Barrier::new(5);
    let mut taken: Vec<i64> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let vault = home.open();
                    start.wait();
                    let mut taken = Vec::new();
                    while taken.len() < 200 && vault.trail(1).unwrap()[0].event != "forgotten" {
                        taken.extend(take(&vault).into_iter().map(|taken| taken.id));
                    }
                    taken
                })
            })
            .collect();
        let vault = home.open();
        vault.append(&record(Event::Restored)).unwrap();
        start.wait();
        for n in 0..5 {
            leave(&vault, &n.to_string(), &tasks);
        }
        while vault.waiting_tasks().unwrap() > 0 {
            thread::yield_now();
        }
        vault.append(&record(Event::Forgotten)).unwrap();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    taken.sort_unstable();
    assert_eq!(taken, (1..=50).collect::<Vec<_>>());
}

#[test]
fn a_logout_that_fails_leaves_all_as_it_was() {
    let home = Home::new();
    let vault = home.open();
    log_in(&vault, "a", "angel");
    let huge = Task { payload: Secret::new("x".repeat(2 << 20)), ..task("builtin", "2") };
    let mut retire = retire_with(vec![task("builtin", "1"), huge]);
    let failed = vault.end("angel", SessionSelector::Active, &mut retire, &record(Event::Logout));
    assert_eq!(failed.unwrap_err().kind(), Kind::Storage);
    let failed = vault.end_every(&mut retire, &mut |_| record(Event::Logout));
    assert_eq!(failed.unwrap_err().kind(), Kind::Storage);
    for vault in [&vault, &home.open()] {
        assert_eq!(stored(vault), ["a*"]);
        assert_eq!((vault.pending(None).unwrap(), vault.waiting_tasks().unwrap()), (0, 0));
        assert_eq!(events(vault), ["login"]);
    }
}

#[test]
fn a_crash_leaves_the_session_or_its_tasks() {
    let home = Home::new();
    let vault = home.open();
    log_in(&vault, "a", "angel");
    let mut retire = retire_with(vec![task("builtin", "1")]);
    let crashed = vault.write(|transaction, keys| {
        let whose = ("angel", SessionSelector::Active);
        sessions::end(transaction, keys, vault.clock(), whose, &mut retire, None)?;
        Ok(crash(&home, transaction))
    });
    let crashed = crashed.unwrap();
    let before = crashed.open();
    assert_eq!((stored(&before).len(), before.waiting_tasks().unwrap()), (1, 0));
    assert_eq!((stored(&vault).len(), vault.waiting_tasks().unwrap()), (0, 1));
    // Whoever dies while it takes has taken nothing.
    let crashed = vault.write(|transaction, _| {
        transaction.execute("UPDATE tasks SET taken_at = 1", [])?;
        Ok(crash(&home, transaction))
    });
    assert_eq!(crashed.unwrap().open().waiting_tasks().unwrap(), 1);
    assert_eq!(vault.waiting_tasks().unwrap(), 0);
}

#[test]
fn a_login_and_the_end_of_all_leave_tasks_too() {
    let home = Home::new();
    let vault = home.open();
    sign_in(&vault, "a", "7");
    sign_in(&vault, "b", "8");
    let mut retire = retire_with(vec![task("builtin", "1")]);
    vault.log_in(account("c", "7"), &mut retire, &record(Event::Login)).unwrap();
    assert_eq!(take(&vault)[0].session_id, "a");
    assert_eq!(vault.end_every(&mut retire, &mut |_| record(Event::Logout)).unwrap(), 2);
    let taken = take(&vault);
    let of: Vec<_> = taken.iter().map(|taken| (&*taken.session_id, &*taken.account)).collect();
    assert_eq!(of, [("b", "8"), ("c", "7")]);
    vault.forget().unwrap();
    assert_eq!(vault.abandon_tasks(i64::MAX, &mut failed).unwrap(), []);
}

#[test]
fn a_task_that_does_not_open_takes_no_other_with_it() {
    for change in [
        "UPDATE tasks SET sealed = randomblob(200) WHERE row = 1",
        "UPDATE tasks SET name = '9' WHERE row = 1",
        "UPDATE tasks SET kind = 'property' WHERE row = 1",
        "UPDATE tasks SET sealed = (SELECT sealed FROM tasks WHERE row = 2) WHERE row = 1",
        "UPDATE tasks SET account = '8' WHERE row = 1",
    ] {
        let home = Home::new();
        let vault = home.open();
        leave(&vault, "a", &[task("builtin", "1"), task("builtin", "2")]);
        sql(&home, change);
        assert_eq!(names(&take(&vault)), ["2"], "{change}");
        assert_eq!(only_damage(&vault).outcome, "damaged");
        assert_eq!(vault.pending(None).unwrap(), 1);
    }
}

#[test]
fn a_rebuilt_vault_has_the_tasks_of_the_damaged_one() {
    let home = Home::new();
    let vault = home.open();
    leave(&vault, "a", &[task("builtin", "1")]);
    let taken = take(&vault);
    leave(&vault, "b", &[task("builtin", "2")]);
    drop(vault);
    wipe_first_page(&home);
    let vault = home.open();
    assert_eq!(only_damage(&vault).outcome, "damaged");
    assert_eq!(names(&take(&vault)), ["2"]);
    assert!(vault.finish_task(taken[0].id, &record(Event::TaskDone)).unwrap());
    leave(&vault, "c", &[task("builtin", "3")]);
    assert!(take(&vault)[0].id > 1_000);
}

#[test]
fn a_session_that_has_left_a_task_does_not_come_back() {
    let home = Home::new();
    let vault = home.open();
    leave(&vault, "a", &[task("builtin", "1")]);
    log_in(&vault, "a", "angel");
    vault.forget_entries();
    drop(vault);
    wipe_first_page(&home);
    assert_eq!(stored(&home.open()), [""; 0]);
}

impl Vault {
    fn forget_entries(&self) {
        self.write(|transaction, _| Ok(transaction.execute_batch("DELETE FROM outbox")?)).unwrap();
    }
}

#[test]
fn what_a_task_needs_is_sealed() {
    let home = Home::new();
    leave(&home.open(), "a", &[task("builtin", "1")]);
    let bytes = fs::read(home.file()).unwrap();
    assert!(!bytes.windows(PAYLOAD.len()).any(|window| window == PAYLOAD.as_bytes()));
    assert_eq!(format!("{:?}", task("hook", "1").payload), "[redacted]");
}

#[test]
fn on_a_full_disk_the_revocation_comes_before_the_tasks() {
    for (length, tasks) in [(10, 1), (60_000, 0)] {
        let home = Home::new();
        let vault = home.open();
        log_in(&vault, "a", "angel");
        fill_up(&vault);
        let payload = Secret::new("x".repeat(length));
        let mut retire = retire_with(vec![Task { payload, ..task("builtin", "1") }]);
        let record = record(Event::Logout);
        let ended = vault
            .end_without_journal("angel", SessionSelector::Active, &mut retire, &record)
            .unwrap();
        assert_eq!(ended, InPlace::Ended { entry: Some(1) });
        let vault = home.open();
        assert_eq!((stored(&vault).len(), vault.waiting_tasks().unwrap()), (0, tasks));
        assert_eq!(vault.take_damage(), []);
    }
}
