from __future__ import annotations

from dataclasses import dataclass, field

from demo.waiting import DemoError
from tests.chaos.fight import LONGEST_MERCY, ON_THEIR_WAY, Fight
from tests.chaos.schedule import CONNECTIONS, Build, Strike

BUILDS = 3


@dataclass
class FakeClock:
    """Tell the time that pauses have let pass."""

    now: float = 1000.0

    def pause(self, seconds: float) -> None:
        """Let time pass at once."""
        self.now += seconds


@dataclass
class FakeCluster:
    """Note what is done to it; each build has one task, of which one succeeds every ten seconds.

    :param clock: the time.
    :param falls: programs that end by themselves, once.
    :param answers: whether its database answers.
    :param is_stuck: whether no build ever gets on.
    :param deaf: how many times nobody hears that a build is asked for.
    :param asked: the builds that somebody has asked for, each time.
    """

    clock: FakeClock
    falls: list[str] = field(default_factory=list)
    answers: bool = True
    is_stuck: bool = False
    deaf: int = 0
    asked: list[str] = field(default_factory=list)
    done: list[tuple[float, str]] = field(default_factory=list)

    @property
    def database(self) -> FakeCluster:
        """Stand for the database, too."""
        return self

    @property
    def seconds(self) -> float:
        """How long it has been there."""
        return round(self.clock.now - 1000, 1)

    def ask(self, query: str) -> list[dict[str, str]]:
        """Answer both queries of the fight."""
        if not self.answers:
            raise DemoError("cut")
        over = 0 if self.is_stuck else min(BUILDS, int(self.seconds // 10))
        if "dag_run" in query:
            return [{"build": str(number)} for number in range(over)]
        task = {"task_id": "run", "try_number": "1", "pid": "", "holder": ""}
        states = ["success" if number < over else "running" for number in range(BUILDS)]
        return [{**task, "build": str(number), "state": state} for number, state in enumerate(states)]

    def ask_for(self, build: Build) -> bool:
        """Hear that somebody asks for a build, maybe."""
        self.asked.append(build.name)
        self.deaf -= 1
        return self.deaf < 0

    def kill(self, name: str, *, takes_all: bool) -> None:
        """Note the kill."""
        self.done.append((self.seconds, f"kill {name}{' and all' if takes_all else ''}"))

    def revive(self, name: str) -> None:
        """Note the revival."""
        self.done.append((self.seconds, f"revive {name}"))

    def cut_connections(self) -> int:
        """Note the cut."""
        self.done.append((self.seconds, "cut"))
        return 9

    def ended_by_themselves(self) -> list[str]:
        """Let programs fall once."""
        fallen, self.falls = self.falls, []
        return fallen


def fight(cluster: FakeCluster, *strikes: Strike, seconds: float = 100, builds: int = BUILDS) -> Fight:
    """Fight it out in no time; after half of it nothing more is asked for."""
    clock = cluster.clock
    wanted = tuple(Build(str(number), "good", deferrable=True) for number in range(builds))
    found = Fight(
        cluster,
        strikes,
        wanted,
        cluster.ask_for,
        ask_until=seconds / 2,
        show=lambda _step: None,
        clock=lambda: clock.now,
        pause=clock.pause,
    )
    found.carry_out(seconds)
    return found


def test_what_is_killed_is_started_again() -> None:
    """Kills come at their times, revivals after the absence; the fight ends with the last build."""
    cluster = FakeCluster(FakeClock())
    strikes = (Strike(2, "worker-1", takes_all=True, absence=3), Strike(15, CONNECTIONS, takes_all=False, absence=9))
    found = fight(cluster, *strikes)

    assert len(found.over) == BUILDS
    assert cluster.done == [(2.0, "kill worker-1 and all"), (5.0, "revive worker-1"), (15.0, "cut")]
    assert [target for target, _ in found.struck] == ["worker-1", CONNECTIONS]
    assert 30 <= found.snapshots[-1].at < 32


def test_what_ends_by_itself_is_started_again_and_told() -> None:
    """A program that falls though nobody killed it is revived, and is part of the report."""
    cluster = FakeCluster(FakeClock(), falls=["scheduler-2"])
    found = fight(cluster)

    assert cluster.done == [(0.0, "revive scheduler-2")]
    assert found.revived == ["scheduler-2"]


def test_nothing_is_left_down_at_the_end() -> None:
    """What is still down when the builds are over is started again, so that its logs have an end."""
    cluster = FakeCluster(FakeClock())
    fight(cluster, Strike(28, "triggerer-1", takes_all=False, absence=60))
    assert [what for _, what in cluster.done] == ["kill triggerer-1", "revive triggerer-1"]


def test_a_strike_waits_for_progress() -> None:
    """A machine that is too slow to get up is not struck down again before a task has succeeded."""
    cluster = FakeCluster(FakeClock())
    fight(cluster, *(Strike(at, "worker-1", takes_all=False, absence=1) for at in (11, 13)))
    kills = [at for at, what in cluster.done if what == "kill worker-1"]
    assert kills[0] == 11
    assert 20 <= kills[1] < 22


def test_a_strike_does_not_wait_for_ever() -> None:
    """Where nothing goes on at all, the next strike comes all the same, and time is up in the end."""
    cluster = FakeCluster(FakeClock(), is_stuck=True)
    found = fight(cluster, *(Strike(at, "worker-1", takes_all=False, absence=1) for at in (1, 2)))
    first, second = (at for _, at in found.struck)

    assert not found.over
    assert LONGEST_MERCY <= second - first < LONGEST_MERCY + 1


def test_a_database_that_does_not_answer_is_asked_again() -> None:
    """The fight's own look may be cut off as well."""
    found = fight(FakeCluster(FakeClock(), answers=False), seconds=5)
    assert (found.snapshots, found.over) == ([], frozenset())


def test_a_build_that_was_asked_for_in_vain_is_asked_for_again() -> None:
    """An api-server that is down may have heard it: it is the same build that is asked for until the answer is good."""
    cluster = FakeCluster(FakeClock(), deaf=2)
    found = fight(cluster)
    assert cluster.asked == ["0", "0", "0", "1", "2"]
    assert [build.name for build in found.asked] == ["0", "1", "2"]


def test_builds_are_asked_for_as_others_are_over() -> None:
    """Never more than so many are on their way, and none is asked for when there is no time left for it."""
    cluster = FakeCluster(FakeClock(), is_stuck=True)
    assert len(fight(cluster, builds=100).asked) == ON_THEIR_WAY


def test_after_its_time_no_other_build_is_asked_for() -> None:
    """What was begun to be asked for in time is asked for to the end, nothing else."""
    cluster = FakeCluster(FakeClock(), deaf=300)
    found = fight(cluster, seconds=40, builds=3)
    assert [build.name for build in found.asked] == ["0"]
    assert 20 < found.snapshots[-1].at < 40
