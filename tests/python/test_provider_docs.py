"""docs/providers.md says what src/provider reads: the same keys, the same ones needed, its example
opens, and the errors that it quotes are those that come.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

import sessionkeeper

tomllib = pytest.importorskip("tomllib", reason="the standard library reads TOML since 3.11")

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
SOURCE = (ROOT / "src" / "provider" / "file.rs").read_text(encoding="utf-8")
(EXAMPLE,) = re.findall(r"^```toml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
# What a type of the source is called in a provider file.
TABLES = {
    "File": "",
    "Session": "session",
    "Api": "api",
    "Login": "login",
    "Page": "login.pages",
    "Take": "login.pages.take.*",
    "Submit": "login.submit",
    "Renew": "renew",
    "Logout": "logout",
    "Proof": "logout.proof",
    "Probe": "logout.probe",
}
OpenKeeper = Callable[..., sessionkeeper.Keeper]


def keys_of_the_source() -> dict[str, bool]:
    """Each key with its table, and whether a file is refused without it."""
    found = {}
    for kind, name, body in re.findall(r"(struct|enum) (\w+) \{\n(.*?)\n\}", SOURCE, re.DOTALL):
        if kind == "enum":
            found[f"{TABLES[name]}.flow"] = True
        field = r"(#\[serde\(default\)\]\s+)?(?:pub )?\b([a-z_]+): ([\w<>]+(?:<[^,}]*>)?)"
        for default, key, type_ in re.findall(field, body):
            found[f"{TABLES[name]}.{key}".lstrip(".")] = not (default or "Option<" in type_)
    return found


def keys_of_the_document() -> dict[str, bool]:
    """The same, from the tables of the document; a table's own section stands for its key."""
    found: dict[str, bool] = {}
    table = ""
    for line in TEXT.splitlines():
        opens = re.match(r"(?:### .*?|Each of )?`\[+([a-z.]+)\]+`", line)
        if opens:
            table = opens[1]
        elif line.startswith("#"):
            table = ""
        row = re.match(r"\| `([a-z_.*]+)` \| [^|]+ \| ([^|]+) \|", line)
        if row:
            found[f"{table}.{row[1]}".lstrip(".")] = row[2].startswith("needed")
    return found


def keys_of_the_example() -> set[str]:
    def walk(value: Any, path: str) -> Iterator[str]:
        if isinstance(value, list):
            for item in value:
                yield from walk(item, path)
        elif isinstance(value, dict):
            for key, inner in value.items():
                shown = f"{path}.{'*' if path.endswith('.take') else key}".lstrip(".")
                yield shown
                # What lies below these is named by the service, not by us.
                if key not in {"query", "headers", "form"}:
                    yield from walk(inner, shown)

    return set(walk(tomllib.loads(EXAMPLE), ""))


def test_every_key_is_in_the_document_with_its_default() -> None:
    source = keys_of_the_source()
    assert len(source) > 40
    own_section = {"session", "api", "login", "renew", "logout"}
    assert own_section <= set(source)
    expected = {key: needed for key, needed in source.items() if key not in own_section}
    assert keys_of_the_document() == expected
    for key in own_section:
        assert f"### `[{key}]`" in TEXT


def test_the_example_shows_every_key() -> None:
    shown = keys_of_the_example() - {"login.pages.take.*"}
    assert shown == set(keys_of_the_source())


def test_the_example_opens(open_keeper: OpenKeeper, tmp_path: Path) -> None:
    file = tmp_path / "service.toml"
    file.write_text(EXAMPLE, encoding="utf-8")
    assert open_keeper(file).status().provider == "example"
    assert open_keeper(tomllib.loads(EXAMPLE)).status().provider == "example"


def test_what_is_needed_is_needed_and_nothing_else(open_keeper: OpenKeeper) -> None:
    for key, needed in keys_of_the_source().items():
        definition = without(key)
        if key == "cookie_domains" or not needed:
            open_keeper(definition)
            continue
        with pytest.raises(sessionkeeper.InvalidProvider) as caught:
            open_keeper(definition)
        assert key.rpartition(".")[2] in str(caught.value), key


def test_an_unknown_key_is_refused_everywhere(open_keeper: OpenKeeper) -> None:
    for path in TABLES.values():
        definition = tomllib.loads(EXAMPLE)
        table_at(definition, path)["frobnicate"] = "x"
        with pytest.raises(sessionkeeper.InvalidProvider, match="frobnicate"):
            open_keeper(definition)


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("cookie_domains =", "cookie_domain ="),
        ('url = "https://www.example.com/logout"', 'url = "http://www.example.com/logout"'),
        (EXAMPLE[EXAMPLE.index("locations =") : EXAMPLE.index("[logout.probe]")], "\n"),
        ("{csrf}", "{crsf}"),
    ],
)
def test_the_errors_are_as_quoted(
    open_keeper: OpenKeeper, tmp_path: Path, written: str, instead: str
) -> None:
    assert EXAMPLE.count(written) == 1
    file = tmp_path / "service.toml"
    file.write_text(EXAMPLE.replace(written, instead), encoding="utf-8")
    with pytest.raises(sessionkeeper.InvalidProvider) as caught:
        open_keeper(file)
    quoted = re.findall(r"^sessionkeeper: (.*?)…?$", TEXT, re.MULTILINE)
    assert len(quoted) == 4
    assert [text for text in quoted if str(caught.value).startswith(text)], caught.value


@pytest.mark.parametrize("place", ["login.submit.query", "login.submit.headers"])
def test_a_password_goes_into_the_form_only(open_keeper: OpenKeeper, place: str) -> None:
    definition = tomllib.loads(EXAMPLE)
    table_at(definition, place)["x"] = "{password}"
    with pytest.raises(sessionkeeper.InvalidProvider, match="password"):
        open_keeper(definition)


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("https://www.example.com/x", True),
        ("http://localhost:8080/x", True),
        ("https://sub.www.example.com/x", False),
        ("https://www.example.com:8443/x", False),
        ("http://www.example.com/x", False),
        ("https://viewer@www.example.com/x", False),
    ],
)
def test_hosts_are_exact(open_keeper: OpenKeeper, address: str, is_allowed: bool) -> None:
    definition = tomllib.loads(EXAMPLE)
    definition["hosts"].append("localhost:8080")
    definition["logout"]["url"] = address
    if is_allowed:
        open_keeper(definition)
    else:
        with pytest.raises(sessionkeeper.InvalidProvider, match=r"logout\.url"):
            open_keeper(definition)


def table_at(definition: dict[str, Any], path: str) -> dict[str, Any]:
    """The table at a path; of several, the first."""
    found: Any = definition
    for step in path.split(".") if path else []:
        found = next(iter(found.values())) if step == "*" else found[step]
        found = found[0] if isinstance(found, list) else found
    table: dict[str, Any] = found
    return table


def without(key: str) -> dict[str, Any]:
    path, _, name = key.rpartition(".")
    definition: dict[str, Any] = tomllib.loads(EXAMPLE)
    del table_at(definition, path)[name]
    if key == "login.pages.take":
        # What it gave is not there to be filled in.
        definition["login"]["submit"]["query"] = {}
        del definition["login"]["submit"]["form"]["_csrf_token"]
    return definition
