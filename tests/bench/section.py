"""A section of docs/benchmarks.md: what is measured, and the words around the figures."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Section:
    """Describe one section.

    :param name: as `--only` takes it
    :param text: the section with places for what `measure` gives; its first line is the heading
    :param measure: measures beside the peer, whose environment it is given, and gives what the text has places for
    """

    name: str
    text: str
    measure: Callable[[Path], dict[str, object]]

    @property
    def heading(self) -> str:
        """The first line."""
        return self.text.partition("\n")[0]

    def written(self, peers: Path) -> str:
        """Measure, and give the section, with how busy the machine was before."""
        load = os.getloadavg()[0]
        text = self.text.format(**self.measure(peers)).rstrip("\n")
        return f"{text}\n\nLoad of the machine when measuring began: {load:.1f}.\n"

    def kept(self, page: str) -> str:
        """Give the section as it stands on a page; nothing where it has never been measured."""
        _, heading, rest = page.partition(self.heading + "\n")
        return heading + rest.partition("\n## ")[0].rstrip("\n") + "\n" if heading else ""


def row(name: str, ours: float, peer: float, *, places: int = 0) -> str:
    """Return one row of a table: the ratio, ours, and the peer's."""
    ratio = f"{ours / peer:.2f}" if peer else "-"
    return f"| {name} | **{ratio}** | {ours:,.{places}f} | {peer:,.{places}f} |"


def goals(*found: tuple[str, float, float]) -> str:
    """Return the table of what this project has set itself, and what came of it.

    :param found: of each: what it is, what was measured, and the most that it should be
    """
    rows = (f"| {name} | {most:g} | {reached:.3g} | {_verdict(reached, most)} |" for name, reached, most in found)
    return "\n".join(("| goal of this project | at most | reached | |", "| --- | ---: | ---: | --- |", *rows))


def _verdict(reached: float, most: float) -> str:
    if reached <= most:
        return "yes"
    return f"no, {reached / most - 1:.0%} more" if most else "no"
