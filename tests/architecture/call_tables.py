"""Write the tables of calls in the emulator's pages from its routes; what stands beside a call is kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from aib_emulator.arm.route import GROUP, SCOPE, SUBSCRIPTION
from aib_emulator.server import EmulatorThread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aib_emulator.arm.route import Route

DOCS = Path(__file__).resolve().parents[2] / "docs"
EMULATOR, STORAGE = DOCS / "emulator.md", DOCS / "emulator_storage.md"
HEAD = "| call | |\n| --- | --- |\n"
ROW = re.compile(r"^\| `([A-Z]+ \S+)` \|.*$", re.MULTILINE)
SHORT = {GROUP: "{group}", SUBSCRIPTION: "{sub}", SCOPE: "{scope}"}
PLACES = (
    (r"/_emulator", EMULATOR, "What can go wrong on demand"),
    (r"Microsoft\.VirtualMachineImages/", EMULATOR, "Image Builder"),
    (r"Microsoft\.Authorization/", EMULATOR, "Roles"),
    (r"/deployments", EMULATOR, "Deployments"),
    (r"Microsoft\.Storage/", STORAGE, "Microsoft.Storage"),
    (r"Microsoft\.Compute/|/aliases\.json", STORAGE, "Microsoft.Compute"),
    (r"^/(tenants|subscriptions)", EMULATOR, "Resource Manager"),
    ("", EMULATOR, "Entra"),
)
"""Which calls stand where: by the first expression that their path fits, page and heading."""


def call_of(route: Route) -> str:
    """Return a call as the pages write it."""
    long = next((prefix for prefix in SHORT if route.path.startswith(prefix)), "")
    return f"{route.method} {SHORT.get(long, '')}{route.path[len(long) :]}"


def by_place(routes: Iterable[Route]) -> dict[tuple[Path, str], list[str]]:
    """Return the calls that each table has, in the order of the routes."""
    tables: dict[tuple[Path, str], list[str]] = {(page, heading): [] for _, page, heading in PLACES}
    for route in routes:
        page, heading = next((page, heading) for path, page, heading in PLACES if re.search(path, route.path))
        tables[page, heading].append(call_of(route))
    return tables


def with_calls(text: str, heading: str, calls: Iterable[str]) -> str:
    """Return a page whose table under a heading has these calls: known ones stay where they are, new ones follow."""
    start = text.index(f"# {heading}\n")
    before, head, after = text[start:].partition(HEAD)
    table, gap, rest = after.partition("\n\n")
    wanted = list(calls)
    rows = {row[1]: row[0] for row in ROW.finditer(table) if row[1] in wanted}
    rows |= {call: f"| `{call}` | |" for call in wanted if call not in rows}
    return text[:start] + before + head + "\n".join(rows.values()) + gap + rest


def call_pages(routes: Iterable[Route]) -> dict[Path, str]:
    """Return each page that has tables of calls, as it has to be."""
    texts = {page: page.read_text(encoding="utf-8") for page in (EMULATOR, STORAGE)}
    for (page, heading), calls in by_place(routes).items():
        texts[page] = with_calls(texts[page], heading, calls)
    return texts


def served_pages() -> Iterator[tuple[Path, str]]:
    """Start an emulator for a moment, and yield its pages."""
    with EmulatorThread() as thread:
        yield from call_pages(thread.emulator.served_routes).items()
