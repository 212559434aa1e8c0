"""Measure beside named peers, in one run on this machine, and write docs/benchmarks.md.

`--only front` measures one section, and leaves the others of the page as they are.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from tests.bench.sections import checks, copies, dag_parsing, front, imports, load, rebuild, relays, watching

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
# In the order of the page.
SECTIONS = (
    imports.SECTION,
    dag_parsing.SECTION,
    rebuild.SECTION,
    watching.SECTION,
    relays.SECTION,
    checks.SECTION,
    copies.SECTION,
    front.SECTION,
    load.SECTION,
)
LIBRARIES = (
    "apache-airflow",
    "apache-airflow-providers-microsoft-azure",
    "azure-storage-blob",
    "azure-mgmt-imagebuilder",
)
HEAD = """\
# Benchmarks

<!-- Written by `make bench`. -->

Ours beside a named peer, measured in turns in one run on one machine. A ratio below 1 is in our favour.
`make bench` measures anew and writes this page.

Machine: {processors} processors, {system}, Python {python}. {libraries}.

"""


def main() -> int:
    """Measure everything, or what is asked for; print the page, and write it."""
    names = [section.name for section in SECTIONS]
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--peers", type=Path, required=True, help="the environment in which peers are installed")
    arguments.add_argument("--only", action="append", choices=names, help="a section to measure; the others stay")
    asked = arguments.parse_args()
    wanted = asked.only or names
    known = PAGE.read_text(encoding="utf-8")
    parts = [section.written(asked.peers) if section.name in wanted else section.kept(known) for section in SECTIONS]
    text = head() + "\n".join(part.rstrip("\n") + "\n" for part in parts if part)
    PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0


def head() -> str:
    """Return how the page begins."""
    return HEAD.format(
        processors=os.cpu_count(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        libraries=", ".join(f"{name} {version(name)}" for name in LIBRARIES),
    )


if __name__ == "__main__":
    sys.exit(main())
