//! What is left to do after a logout: stored with it, kept until finished.

use super::accounts::{log_in_as, stored};
use super::*;

const PAYLOAD: &str = "canary-payload-0123456789";

fn task(kind: TaskKind, name: &str) -> Task {
    Task {
        session_id: "a".to_owned(),
        provider: "angel".to_owned(),
        account: "7".to_owned(),
        kind,
        name: name.to_owned(),
        payload: Secret::new(PAYLOAD),
    }
}

fn builtin(name: &str) -> Task {
    task(TaskKind::Builtin, name)
}

/// Logs in, then out, with these tasks.
fn leave(vault: &Vault, id: &str, tasks: &[Task]) {
    log_in(vault, id, "angel");
    try_end(vault, "angel", SessionSelector::Active, tasks).unwrap().unwrap();
}

fn names(tasks: &[QueuedTask]) -> Vec<&str> {
    tasks.iter().map(|queued| queued.task.name.as_str()).collect()
}

fn finish(vault: &Vault, id: i64) -> bool {
    vault.transact(|tx| tx.tasks().finish(id)).unwrap()
}

#[test]
fn tasks_stay_in_order_until_each_is_finished() {
    let home = Home::new();
    let tasks =
        [builtin("1"), task(TaskKind::Delete, "2"), task(TaskKind::Hook, "mine"), builtin("4")];
    leave(&home.open(), "a", &tasks);
    let vault = home.open();
    let queued = vault.tasks();
    assert_eq!(
        queued.iter().map(|one| &one.task).collect::<Vec<_>>(),
        tasks.iter().collect::<Vec<_>>()
    );
    let list = |kinds: &[TaskKind]| vault.read(|tx| tx.tasks().list(kinds)).unwrap();
    assert_eq!(names(&list(&[TaskKind::Hook, TaskKind::Delete])), ["2", "mine"]);
    assert_eq!(list(&[]), []);
    assert!(home.open().tasks() == queued, "looking takes nothing");
    assert!(finish(&vault, queued[0].id));
    assert!(!finish(&home.open(), queued[0].id));
    assert_eq!(vault.read(|tx| tx.tasks().get(queued[0].id)).unwrap(), None);
    assert_eq!(names(&home.open().tasks()), ["2", "mine", "4"]);
    // A number is never used twice.
    finish(&vault, queued[3].id);
    leave(&vault, "b", &[builtin("5")]);
    assert!(vault.tasks().last().unwrap().id > queued[3].id);
}

#[test]
fn one_of_many_finishes_a_task() {
    let home = Home::new();
    leave(&home.open(), "a", &[builtin("1")]);
    let finished = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| finish(&home.open(), 1))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(finished.into_iter().filter(|finished| *finished).count(), 1);
}

#[test]
fn a_logout_that_fails_leaves_all_as_it_was() {
    let home = Home::new();
    let vault = home.open();
    log_in(&vault, "a", "angel");
    let huge = Task { payload: Secret::new("x".repeat(2 << 20)), ..builtin("2") };
    let failed = try_end(&vault, "angel", SessionSelector::Active, &[builtin("1"), huge]);
    assert_eq!(failed.unwrap_err().kind(), Kind::Storage);
    for vault in [&vault, &home.open()] {
        assert_eq!(stored(vault), ["a*"]);
        assert_eq!((vault.pending(None).unwrap(), vault.tasks()), (0, vec![]));
        assert_eq!(events(vault), ["login"]);
    }
}

#[test]
fn a_crash_leaves_the_session_or_its_tasks() {
    let home = Home::new();
    let vault = home.open();
    log_in(&vault, "a", "angel");
    let crashed = raw(&vault, |connection, tx| {
        end_in(tx, "angel", SessionSelector::Active, &[builtin("1")])?;
        Ok(crash(&home, connection))
    });
    let before = crashed.open();
    assert_eq!((stored(&before).len(), before.tasks().len()), (1, 0));
    assert_eq!((stored(&vault).len(), vault.tasks().len()), (0, 1));
    // A crash before the commit has finished nothing.
    let crashed = raw(&vault, |connection, tx| {
        assert!(tx.tasks().finish(1)?);
        Ok(crash(&home, connection))
    });
    assert_eq!(crashed.open().tasks().len(), 1);
    assert_eq!(vault.tasks(), []);
}

#[test]
fn a_task_that_does_not_open_takes_no_other_with_it() {
    for change in [
        "UPDATE tasks SET sealed = randomblob(200) WHERE row = 1",
        "UPDATE tasks SET name = '9' WHERE row = 1",
        "UPDATE tasks SET kind = 'hook' WHERE row = 1",
        "UPDATE tasks SET sealed = (SELECT sealed FROM tasks WHERE row = 2) WHERE row = 1",
        "UPDATE tasks SET account = '8' WHERE row = 1",
    ] {
        let home = Home::new();
        let vault = home.open();
        leave(&vault, "a", &[builtin("1"), builtin("2")]);
        sql(&home, change);
        assert_eq!(names(&vault.tasks()), ["2"], "{change}");
        assert_eq!(only_damage(&vault).outcome, "damaged");
        assert_eq!(vault.pending(None).unwrap(), 1);
    }
}

#[test]
fn a_rescued_vault_has_the_tasks_of_the_damaged_one() {
    let home = Home::new();
    let vault = home.open();
    leave(&vault, "a", &[builtin("1"), builtin("2")]);
    drop(vault);
    make_foreign(&home);
    let vault = home.open();
    assert_eq!(only_damage(&vault).outcome, "damaged");
    assert_eq!(names(&vault.tasks()), ["1", "2"]);
    leave(&vault, "c", &[builtin("3")]);
    assert!(vault.tasks()[2].id > 1_000);
}

#[test]
fn a_session_that_has_left_a_task_does_not_come_back() {
    let home = Home::new();
    let vault = home.open();
    leave(&vault, "a", &[builtin("1")]);
    log_in(&vault, "a", "angel");
    drop(vault);
    sql(&home, "DELETE FROM outbox");
    make_foreign(&home);
    assert_eq!(stored(&home.open()), [""; 0]);
}

#[test]
fn what_a_task_needs_is_sealed() {
    let home = Home::new();
    leave(&home.open(), "a", &[builtin("1")]);
    let bytes = fs::read(home.file()).unwrap();
    assert!(!bytes.windows(PAYLOAD.len()).any(|window| window == PAYLOAD.as_bytes()));
    assert_eq!(format!("{:?}", builtin("1").payload), "[redacted]");
}

#[test]
fn a_kind_is_stored_by_its_name() {
    for kind in TaskKind::ALL {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
}

#[test]
fn on_a_full_disk_the_revocation_comes_before_the_tasks() {
    for (length, tasks) in [(10, 1), (60_000, 0)] {
        let home = Home::new();
        let vault = home.open();
        log_in_as(&vault, "a", "7");
        fill_up(&vault);
        let task = Task { payload: Secret::new("x".repeat(length)), ..builtin("1") };
        let mut remains_of = |session: &Session| Remains {
            revocation: Some(revoked(session)),
            tasks: vec![task.clone()],
            event: record(Event::Logout),
        };
        let local = vault.end(&Ending::of("angel", SessionSelector::Active), &mut remains_of);
        assert!(matches!(local, LocalOutcome::Cleared(Some(entry)) if entry.id == 1));
        let vault = home.open();
        assert_eq!((stored(&vault).len(), vault.tasks().len()), (0, tasks));
        assert_eq!(vault.take_damage(), []);
    }
}
