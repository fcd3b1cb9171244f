"""What a logout leaves for Python to do: the hooks of an add-on, and what only Kodi can do.

The core queues these tasks in the transaction that removes the session. So each runs after the
session is gone, and at least once, also when the process died half-way. What fails is reported, to
the caller and to the audit trail, and stops nothing.
"""

from __future__ import annotations

from .errors import Cancelled, Error, safe_text
from .reports import LogoutAll, LogoutReport, TaskResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Dict, Mapping

    from ._types import Handler, Hook, Run, Stop

    Task = Dict[str, Any]

# What a hook is given for a logout whose own report nobody has any more.
EARLIER = LogoutReport(
    "cleared", "unconfirmed", None, (), 0, None, "the logout was earlier", None, "", ()
)


def report_of(done: LogoutAll, provider: str) -> LogoutReport | None:
    """What a logout of everything says of the last of the keeper's own accounts; None: it was of
    none."""
    own = [one for one in done.entries if (one.addon, one.provider) == ("", provider)]
    if not own or own[-1].remote is None:
        return None
    one = own[-1]
    told = (one.remote, one.status, (), 0, one.expires_at, one.reason)
    return LogoutReport("cleared", *told, None, "", ())


def finish(
    run: Run,
    stop: Stop | None,
    handlers: Mapping[str, Handler],
    hooks: Mapping[str, Hook],
    report: LogoutReport | None = None,
) -> list[TaskResult]:
    """Does the queued tasks that somebody is here for: `handlers` by kind, then `hooks` by name.

    `report` is that of the logout that has just ended; a hook's task of an earlier one is given
    `EARLIER`. A hook is taken off the queue only when its turn comes; once `stop` says True, the
    rest stays there.
    """
    results: list[TaskResult] = []
    try:
        for kind, handler in handlers.items():
            tasks = _take(run, stop, [kind], [])
            results.extend(_do(run, task, handler, task["name"]) for task in tasks)
        for name, hook in hooks.items():
            tasks = _take(run, stop, [], [name])
            for task in tasks:
                is_of_report = report is not None and report.local == "cleared"
                told = report if is_of_report and task is tasks[-1] else EARLIER
                results.append(_do(run, task, hook, told))
    except Cancelled:
        pass
    except Error as error:
        # The queue cannot be read now. What is in it is tried again later.
        results.append(TaskResult("after_logout", "failed", error.message))
    return results


def _take(run: Run, stop: Stop | None, kinds: list[str], hooks: list[str]) -> list[Task]:
    """The tasks that nobody in this process has begun yet, oldest first."""
    if stop is not None and stop():
        return []
    taken: list[Task] = run("take_tasks", {"kinds": kinds, "hooks": hooks}, stop)["tasks"]
    return sorted(taken, key=lambda task: task["id"])


def _do(run: Run, task: Task, work: Callable[[Any], object], given: Any) -> TaskResult:
    """Does one task. What ends the whole script is passed on, and the task comes again later."""
    try:
        work(given)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is harmless to the logout
        return _tell(run, task, "failed", safe_text(error))
    return _tell(run, task, "done", "")


def _tell(run: Run, task: Task, outcome: str, detail: str) -> TaskResult:
    try:  # noqa: SIM105 - importing contextlib costs more
        run("finish_task", {"id": task["id"], "outcome": outcome, "detail": detail}, None)
    except Error:
        pass  # where the trail cannot be written, the caller is told all the same
    return TaskResult(task["name"], outcome, detail)
