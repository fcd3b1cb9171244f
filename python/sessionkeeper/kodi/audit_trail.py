"""The audit trail as lines for the viewer: newest first, local time, words in the viewer's
language.
"""

from __future__ import annotations

from typing import Sequence

import sessionkeeper
from sessionkeeper.kodi import times
from sessionkeeper.kodi.strings import IDS, text


def lines(events: Sequence[sessionkeeper.AuditEvent]) -> list[str]:
    return [line(event) for event in reversed(events)]


def line(event: sessionkeeper.AuditEvent) -> str:
    words = [times.date_and_time(event.at), word(event.event, "event")]
    if event.outcome:
        words.append(word(event.outcome, "outcome", "error"))
    if event.detail:
        words.append(f"({event.detail})")
    return "  ".join(words)


def word(name: str, *kinds: str) -> str:
    """The viewer's word for it; a name that this version does not know is shown as it is."""
    for kind in kinds:
        if f"{kind}_{name}" in IDS:
            return text(f"{kind}_{name}")
    return name
