"""Makes src/provider/public_suffixes.txt of Mozilla's list; for when it is some months old.

    python .ci/public_suffixes.py public_suffix_list.dat

The list is at https://publicsuffix.org/list/, and in Debian's package `publicsuffix`. A rule of one
label is left out, since every such domain counts as a public suffix.
"""

from __future__ import annotations

import collections
import re
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "src" / "provider" / "public_suffixes.txt"
HEAD = """\
# What public suffixes begin with, by what they end with. Made by .ci/public_suffixes.py of
# the Public Suffix List, version {version}; this file keeps its licence, the Mozilla Public
# License 2.0 (https://mozilla.org/MPL/2.0/).
"""


def main(source: Path) -> None:
    text = source.read_text("utf-8")
    version = re.search(r"^// VERSION: (\S+)$", text, re.MULTILINE)
    if not version:
        sys.exit(f"{source} is not the Public Suffix List: it names no version")
    starts = collections.defaultdict(set)
    for line in text.splitlines():
        rule = line.split("//")[0].strip()
        if "." in rule:
            labels = [
                label.encode("idna").decode() if not label.isascii() else label
                for label in rule.split(".")
            ]
            starts[".".join(labels[1:])].add(labels[0])
    lines = [f"{end} {' '.join(sorted(starts[end]))}\n" for end in sorted(starts)]
    TARGET.write_text(HEAD.format(version=version[1]) + "".join(lines), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
