"""Build images while Airflow's processes are killed: `python -m tests.chaos.run --seed N --builds M --minutes K`.

The exit code is 0 only if every promise of `tests.chaos.promises` was kept.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from demo.__main__ import every_end_is_ctrl_c
from demo.progress import Progress
from demo.waiting import DemoError
from tests.chaos import schedule
from tests.chaos.asking import Asking
from tests.chaos.cluster import ROOT, Cluster, ClusterSettings
from tests.chaos.evidence import control_door, gather
from tests.chaos.fight import Fight
from tests.chaos.promises import PROMISES, least_builds, violations
from tests.chaos.recovery import recovery, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.promises import Record

SETTLE = 300.0
"""Seconds that builds may take beyond the time of the strikes."""
SHOWN = 20
PLACES = {
    "folder": (".local/chaos", "for all that is written, in a folder named by the seed"),
    "services": (".venv/share/services", "where `tests.chaos.debian` has unpacked PostgreSQL and Redis"),
    "airflow": (".venv/chaos/bin/airflow", "the program of an environment with Celery and PostgreSQL's client"),
}


def main(arguments: list[str] | None = None) -> int:
    """Carry out the whole, and return the exit code."""
    options = _parser().parse_args(arguments)
    folder = options.folder / str(options.seed)
    progress = Progress(sys.stderr, width=shutil.get_terminal_size().columns)
    emulator = Path(sys.executable).with_name("aib-emulator")
    settings = ClusterSettings(folder, options.services, options.airflow, emulator)
    try:
        with every_end_is_ctrl_c(), Cluster(settings, show=progress.show) as cluster:
            is_good = _fight(cluster, options, progress.show)
    except DemoError as error:
        _say(f"\nseed {options.seed} failed: {error}\nThe logs are in {folder}.")
        return 1
    except KeyboardInterrupt:
        _say("\ninterrupted; what was started has been stopped")
        return 130
    if is_good:
        shutil.rmtree(folder)
    return 0 if is_good else 1


def _fight(cluster: Cluster, options: argparse.Namespace, show: Callable[[str], None]) -> bool:
    """Ask for builds, fight until they are over, report, and return whether all is as promised."""
    builds, seconds = schedule.builds(options.seed, options.builds), options.minutes * 60.0
    door = control_door(cluster.emulator_environment)
    with cluster.api() as api:
        asking = Asking(api, door)
        asking.prepare(show)
        asking.plan_failures(builds)
        faults = [door.plan_fault(**fault) for fault in schedule.faults(options.seed)]
        strikes = schedule.strikes(options.seed, seconds)
        fight = Fight(cluster, strikes, builds, asking.ask, ask_until=seconds, show=show)
        fight.carry_out(seconds + SETTLE)
    show("comparing what is left with what was promised")
    struck = sum(fault["struck"] for fault in door.faults())
    for fault in faults:
        door.remove_fault(fault["fault_id"])
    record = gather(
        tuple(fight.asked),
        fight.over,
        fight.snapshots[-1],
        emulator=cluster.emulator_environment,
        logs=(cluster.log_folder, cluster.settings.folder / "airflow" / "logs"),
        secrets=cluster.secrets(),
    )
    (cluster.settings.folder / "record.json").write_text(json.dumps(asdict(record), default=sorted, indent=1))
    _say(f"\nseed {options.seed}: {len(fight.asked)} of {len(builds)} builds were asked for in the time;")
    _say(f"{fight.snapshots[-1].at:.0f} s, {len(fight.struck)} kills, {len(fight.over)} builds over,")
    _say(f"{struck} calls struck by faults; ended though nobody killed it: {', '.join(fight.revived) or 'nothing'}\n")
    _say(table(recovery(target, at, fight.snapshots) for target, at in fight.struck))
    least = least_builds(len(builds))
    if len(fight.asked) < least:
        raise DemoError(f"fewer than {least} builds prove nothing: this machine is too slow, or too busy, for so many")
    return _judge(record, options.seed, cluster.settings.folder)


def _judge(record: Record, seed: int, folder: Path) -> bool:
    """Say which promise was broken first, and return whether none was."""
    found = violations(record)
    if not found:
        _say(f"\nAll {len(PROMISES)} promises were kept.")
        return True
    _say(f"\nfirst violated promise with seed {seed}:\n  {found[0]}")
    if found[1:]:
        _say("others:\n" + "\n".join(f"  {violation}" for violation in found[1:SHOWN]))
    _say(f"{len(found)} in all. The logs are in {folder}; the same again: --seed {seed}")
    return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.run", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides what is killed when (%(default)s)")
    parser.add_argument("--builds", type=int, default=100, help="how many images to ask for at most (%(default)s)")
    parser.add_argument("--minutes", type=float, default=11, help="for how long to kill, and to ask (%(default)s)")
    for name, (default, purpose) in PLACES.items():
        parser.add_argument(f"--{name}", type=_absolute, default=ROOT / default, help=purpose)
    return parser


def _absolute(text: str) -> Path:
    """Return the path for programs that work in another folder; links stay, an environment's Python is one."""
    return Path(text).absolute()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
