"""The search for secrets where they have no business: in output, in files, in other people's view.

A test plants values that occur nowhere else (canaries) and asks where they can be read: as they
stand, encoded in the ways that software encodes text, cut by line ends. It knows nothing of what is
searched, and changes nothing. For every suite: stdlib only.
"""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

# A part of a token shorter than this says nothing.
_TELLING_PART = 16
# The JOSE headers {"alg":… that every token of a service has in common.
_TOKEN_HEADER = "eyJhbGciOi"


class Search:
    """Looks for one set of secrets, which it calls by their names: no report repeats a value."""

    def __init__(self, secrets: Mapping[str, str | bytes]) -> None:
        # Upper and lower case are not told apart, for hex digits come in both.
        self._wanted = {name: [form.lower() for form in forms(v)] for name, v in secrets.items()}
        assert all(all(written) and written for written in self._wanted.values()), "empty secret"

    def __len__(self) -> int:
        return len(self._wanted)

    def content(self, place: str, content: str | bytes) -> list[str]:
        """The secrets that can be read in a text or in bytes."""
        data = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        data = data.lower()
        unbroken = re.sub(rb"\s*[\r\n]\s*", b"", data)
        return [
            f"{name} in {place}"
            for name, written in self._wanted.items()
            if any(form in data or form in unbroken for form in written)
        ]

    def files(self, *roots: Path, without: Iterable[Path] = ()) -> list[str]:
        """The secrets that can be read in the files below `roots`, or in their names."""
        left_out = set(without)
        found = []
        for file in written_files(*roots):
            found += self.content(f"the name of {file.name}", str(file.name))
            if file not in left_out:
                try:
                    content = file.read_bytes()
                except FileNotFoundError:
                    continue  # files come and go while others work
                found += self.content(str(file), content)
        return found


def written_files(*roots: Path) -> Iterator[Path]:
    for root in roots:
        for path in sorted(root.rglob("*")):
            if path.is_file():
                yield path


def forms(secret: str | bytes) -> list[bytes]:
    """A secret as it stands and as it would look encoded."""
    raw = secret.encode() if isinstance(secret, str) else secret
    found = [raw, raw.hex().encode(), repr(raw)[2:-1].encode(), *_base64(raw)]
    found += [quote(raw, safe=safe).encode() for safe in ("", "/", "*-._")]
    found += [quote_plus(raw).encode(), "".join(f"%{byte:02x}" for byte in raw).encode()]
    # How Rust and JSON show a list of bytes.
    found += [", ".join(map(str, raw)).encode(), ",".join(map(str, raw)).encode()]
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return _once(found)
    shown = json.dumps(text)[1:-1]
    found += [shown.encode(), shown.replace("/", "\\/").encode()]
    found += [json.dumps(text, ensure_ascii=False)[1:-1].encode(), repr(text)[1:-1].encode()]
    found += [ascii(text)[1:-1].encode(), text.encode("utf-16-le")]
    found.append(
        "".join(f"&#{ord(c)};" if ord(c) > 126 or c in "&<>\"'" else c for c in text).encode()
    )
    return _once(found)


def parts(token: str) -> list[str]:
    """The parts of a token or a sealed cookie that are its own, for a leak of half of it."""
    return [
        part
        for part in token.split(".")
        if len(part) >= _TELLING_PART and not part.startswith(_TOKEN_HEADER)
    ]


def _base64(raw: bytes) -> list[bytes]:
    """What a longer text that holds `raw` looks like in base64: `raw` may start at each of the
    three bytes of a group. The characters that its neighbours have a share in are left out."""
    found = []
    for offset in range(3):
        first = -(-8 * offset // 6)
        end = 8 * (offset + len(raw)) // 6
        standard = base64.b64encode(b"\0" * offset + raw)[first:end]
        found += [standard, standard.replace(b"+", b"-").replace(b"/", b"_")]
    return found


def _once(found: list[bytes]) -> list[bytes]:
    return [form for form in dict.fromkeys(found) if form]
