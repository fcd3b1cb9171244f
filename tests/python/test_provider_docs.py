"""docs/providers.md and docs/provider-keys.md say what the schema says: the same keys, types and
defaults; each example is good where it stands; what is quoted is what comes.
"""

from __future__ import annotations

import copy
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import sessionkeeper
from sessionkeeper.cli import display
from tests.python.provider_keys import (
    ROOT,
    at,
    example_of,
    is_request,
    keys_of,
    name_of,
    of_the_document,
    of_the_source,
)

tomllib = pytest.importorskip("tomllib", reason="the standard library reads TOML since 3.11")

GUIDE = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")
SOURCE = of_the_source()
TOLD = of_the_document()
# With the keys that are told of once for every request.
TABLES = {
    name: {**(TOLD["request"] if is_request(SOURCE.get(name, {})) else {}), **keys}
    for name, keys in TOLD.items()
}
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
QUOTED = re.findall(r"^```text\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
# The tables that are told of on their own, or are there as soon as one of their keys is.
OWN_TABLES = {
    *("session", "account", "api", "oauth", "login", "renew", "logout", "everywhere"),
    "after_logout",
}
FLOWS = {
    path: [name.split(" ")[1] for name in TABLES if name.startswith(f"{path} ")]
    for path in ("login", "renew", "logout.steps", "logout.probe", "everywhere")
}


# The reference


def test_every_table_is_in_the_document() -> None:
    assert sum(len(keys) for keys in SOURCE.values()) > 100
    keyless = {f"{path} {flow}" for path, flows in FLOWS.items() for flow in flows}
    assert {name for name in SOURCE if SOURCE[name]} == {name for name in TABLES if TABLES[name]}
    assert {name for name in SOURCE if not SOURCE[name]} <= keyless
    for path, flows in FLOWS.items():
        assert set(flows) == {name.split(" ")[1] for name in SOURCE if name.startswith(f"{path} ")}


@pytest.mark.parametrize("table", [name for name, keys in SOURCE.items() if keys])
def test_every_key_is_in_the_document_with_its_type_and_default(table: str) -> None:
    expected = SOURCE[table]
    if is_request(expected) and table != "request":
        assert not set(TOLD[table]) & set(TOLD["request"]), table
        assert all(expected[name] == key for name, key in SOURCE["request"].items()), table
    if table == "":
        assert set(expected) - set(TABLES[""]) == OWN_TABLES | {"parameters"}
        expected = {name: key for name, key in expected.items() if name in TABLES[""]}
    assert set(TABLES[table]) == set(expected)
    for name, key in expected.items():
        told = TABLES[table][name]
        default = "needed" if told.is_needed else told.default
        assert (told.type, default) == (key.type, key.default), name


# Each example of the reference, where it stands


def complete(**chosen: str) -> dict[str, Any]:
    """A definition with every key that its flows allow, made of the examples of the reference."""

    def table(name: str) -> dict[str, Any]:
        return example_of(TABLES, name, tomllib.loads)

    def request(name: str) -> dict[str, Any]:
        keys = table(name)
        if "json" in keys:
            keys.pop("form")
        if "steps" in TABLES[name] and name != "logout":
            keys["steps"] = [request("step")]
        return keys

    def with_flow(path: str) -> dict[str, Any]:
        flow = chosen.get(path, FLOWS[path][0])
        return {**request(f"{path} {flow}"), "flow": flow}

    login, step = with_flow("login"), with_flow("logout.steps")
    session = {**table("session"), "answer": table("session.answer")}
    # A step of a login has no token to send.
    before = {key: value for key, value in request("step").items() if key != "bearer"}
    steps = {"steps": [before]} if "steps" in login else {}
    login.update(
        steps
        | {
            "hosted_form": {"pages": [before], "submit": request("login.submit")},
            "poll": {
                "show": table("login.show"),
                "poll": request("login.poll"),
                "then": [before],
            },
        }.get(login["flow"], {})
    )
    if login["flow"] in {"device_code", "authorization_code"}:
        del session["keep"]
    steps = [step]
    if step["flow"] == "page":
        steps.append({"flow": "end_session"})
    if step["flow"] == "request":
        step["proof"] = proof = table("logout.steps.proof")
        # A redirect decides only where no cookie does.
        where = {key: proof[key] for key in ("status", "locations", "json")}
        del proof["locations"]
        second = {"flow": "request", "method": "GET", "url_from": step.pop("url_from")}
        steps.append({**second, "proof": where})
    after = table("after_logout")
    after["downgrade_entitlements"] = table("after_logout.downgrade_entitlements")
    return {
        **table(""),
        "parameters": {"base": table("parameters.NAME")},
        "session": session,
        "account": {**request("account"), "refused": table("sign")},
        "api": table("api"),
        "oauth": {
            **table("oauth"),
            "extra": table("oauth.extra"),
            "grant_types": table("oauth.grant_types"),
        },
        "login": login,
        "renew": with_flow("renew"),
        "logout": {**table("logout"), "steps": steps, "probe": with_flow("logout.probe")},
        "everywhere": with_flow("everywhere"),
        "after_logout": after,
    }


CHOICES = [{path: flow} for path, flows in FLOWS.items() for flow in flows]


@pytest.mark.parametrize("chosen", CHOICES, ids=str)
def test_the_examples_are_good_where_they_stand(chosen: dict[str, str]) -> None:
    found = sessionkeeper.check_provider(complete(**chosen))
    assert found.usable, found.problems


@pytest.mark.parametrize("chosen", [{"login": "password"}, {"renew": "request"}], ids=str)
def test_the_other_body_is_good_as_well(chosen: dict[str, str]) -> None:
    ((table, _),) = chosen.items()
    definition = complete(**chosen)
    del definition[table]["json"]
    definition[table]["form"] = {"a": "b"}
    assert sessionkeeper.check_provider(definition).usable
    definition[table]["json"] = {"a": "b"}
    found = sessionkeeper.check_provider(definition)
    # A login may have both, of which one is tried after the other.
    assert found.usable or "one body" in found.problems[0].message
    assert found.usable is (table == "login")


# These may be absent, unless something else is there that needs them; the test below.
SOMETIMES_NEEDED = {
    ("", "session"),
    ("", "oauth"),
    ("", "renew"),
    ("session", "token_cookies"),
    ("login password", "json"),
    ("login.submit", "json"),
    ("logout.steps", "end_session"),
    *((table, "take") for table in ("login password", "login.poll", "login.submit", "step")),
    *(("take", source) for source in ("input", "meta", "redirect")),
    *(("sign", key) for key in SOURCE["sign"]),
    ("logout.steps request", "take"),
    ("logout.steps request", "url"),
    ("logout.steps request", "url_from"),
}


@pytest.mark.parametrize("chosen", CHOICES, ids=str)
def test_what_is_needed_is_needed_and_nothing_else(chosen: dict[str, str]) -> None:
    usual = complete(**chosen)
    for path in keys_of(usual):
        table, name = name_of(path, usual)
        key = SOURCE.get(table, {}).get(name)
        if key is None or (table, name) in SOMETIMES_NEEDED:
            continue  # without a key, the name is the author's
        definition = copy.deepcopy(usual)
        del at(definition, path[:-1])[name]
        found = sessionkeeper.check_provider(definition)
        assert found.usable != key.is_needed, (path, found.problems)
        if key.is_needed:
            assert f"`{name}`" in found.problems[0].message, path


@pytest.mark.parametrize(
    ("chosen", "absent", "key"),
    [
        ({"login": "hosted_form"}, ("session",), "session.token_cookies"),
        ({"login": "device_code"}, ("oauth",), "login.flow"),
        ({"login": "password", "renew": "refresh_token"}, ("oauth",), "renew.flow"),
        ({"login": "password", "logout.steps": "revoke"}, ("oauth",), "logout.steps[0].flow"),
        ({"login": "password", "logout.steps": "end_session"}, ("oauth",), "logout.steps[0].flow"),
        ({"logout.probe": "renew"}, ("renew",), "logout.probe"),
        ({"login": "password"}, ("login", "json"), "login"),
        ({}, ("logout", "steps", 0, "take"), "logout.steps[1].url_from"),
        ({}, ("logout", "steps", 0, "url"), "logout.steps[0]"),
        ({}, ("logout", "steps", 1, "url_from"), "logout.steps[1]"),
    ],
    ids=str,
)
def test_what_is_needed_by_something_else(
    chosen: dict[str, str], absent: tuple[Any, ...], key: str
) -> None:
    definition = complete(**chosen)
    del at(definition, absent[:-1])[absent[-1]]
    (problem,) = sessionkeeper.check_provider(definition).problems
    assert problem.key == key, problem


@pytest.mark.parametrize("chosen", CHOICES, ids=str)
def test_an_unknown_key_is_refused_everywhere(chosen: dict[str, str]) -> None:
    usual = complete(**chosen)
    tables = {path[:-1] for path in keys_of(usual) if SOURCE.get(name_of(path, usual)[0])}
    assert len(tables) > 10
    for path in tables:
        definition = copy.deepcopy(usual)
        at(definition, path)["frobnicate"] = "x"
        found = sessionkeeper.check_provider(definition)
        names_what_is_given = path[-1:] in {("parameters",), ("take",)}
        (problem,) = found.problems
        assert names_what_is_given or "frobnicate" in problem.key, path


# The guide


@pytest.mark.parametrize("example", EXAMPLES, ids=["form", "api", "code", "poll", "browser"])
def test_the_examples_of_the_guide_open(example: str, tmp_path: Path) -> None:
    file = tmp_path / "service.toml"
    file.write_text(example, encoding="utf-8")
    found = sessionkeeper.check_provider(file)
    assert found.usable, found.problems
    assert found.advice == ()
    parameters = {name: one["example"] for name, one in parameters_of(example).items()}
    keeper = sessionkeeper.open(file, parameters=parameters, data_dir=tmp_path / "data")
    assert keeper.status().provider == found.id
    assert re.search(rf'^name = "{found.name}"$', example, re.MULTILINE)


def test_the_question_of_the_guide_is_good_where_it_belongs(tmp_path: Path) -> None:
    (question,) = re.findall(r"^    \[login\.question\]\n(?:    .+\n)+", GUIDE, re.MULTILINE)
    file = tmp_path / "service.toml"
    file.write_text(f"{EXAMPLES[1]}\n{textwrap.dedent(question)}", encoding="utf-8")
    found = sessionkeeper.check_provider(file)
    assert found.problems == ()
    assert "May ask for the code from your authenticator app then." in found.summary


def parameters_of(example: str) -> dict[str, dict[str, str]]:
    declared: dict[str, dict[str, str]] = tomllib.loads(example).get("parameters", {})
    return declared


def test_the_examples_show_every_way_in_and_most_tables() -> None:
    definitions = [tomllib.loads(example) for example in EXAMPLES]
    assert {one["login"]["flow"] for one in definitions} == set(FLOWS["login"])
    assert {one["renew"]["flow"] for one in definitions} == set(FLOWS["renew"])
    assert {s["flow"] for one in definitions for s in one["logout"]["steps"]} == set(
        FLOWS["logout.steps"]
    )
    assert set().union(*definitions) >= OWN_TABLES | {"parameters"}


@pytest.mark.parametrize(
    ("quoted", "written", "instead"),
    [
        (0, "", ""),
        (1, "json = { email", "jsn = { email"),
        (2, 'url = "{base}/logout"', 'url = "https://sso.example.com/logout"'),
    ],
)
def test_the_check_says_what_is_quoted(
    tmp_path: Path, quoted: int, written: str, instead: str
) -> None:
    example = EXAMPLES[1]
    assert not written or example.count(written) == 1
    file = tmp_path / "service.toml"
    file.write_text(example.replace(written, instead), encoding="utf-8")
    shown = display.check("service.toml", sessionkeeper.check_provider(file))
    assert f"{shown}\n" == QUOTED[quoted]


def test_the_test_of_the_guide_passes(tmp_path: Path) -> None:
    (test,) = re.findall(r"^```python\n(import json\n.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    (tmp_path / "service.toml").write_text(EXAMPLES[1], encoding="utf-8")
    (tmp_path / "test_service.py").write_text(test, encoding="utf-8")
    package = str(Path(sessionkeeper.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": package, "PYTHONWARNINGS": "error"}
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_service.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout


def test_the_builtins_are_those_that_are_told() -> None:
    definition = complete()
    definition["after_logout"]["builtins"] = ["Other"]
    (problem,) = sessionkeeper.check_provider(definition).problems
    (told,) = re.findall(
        r"^- `builtins` may be these.*?:\n(.*?)Anything", GUIDE, re.DOTALL | re.MULTILINE
    )
    assert problem.hint == f"These are: {', '.join(re.findall(r'`(.+?)`', told))}."


def test_links_within_the_documents_lead_somewhere() -> None:
    documents = {name: (ROOT / "docs" / name) for name in ("providers.md", "provider-keys.md")}
    texts = {name: path.read_text(encoding="utf-8") for name, path in documents.items()}

    def anchors(text: str) -> set[str]:
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
        return {heading.replace(" ", "-") for heading in plain}

    for name, text in texts.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            file, _, anchor = target.partition("#")
            if "://" in target:
                continue
            assert not file or (ROOT / "docs" / file).exists(), target
            if anchor:
                assert anchor in anchors(texts[file or name]), target
