"""Drafts by prompt lookup against the same rules in Python, and what they may cost."""

import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hostcc import CONSOLE, ROOT, build

LONGEST, SHORTEST, MOST = 8, 2, 7
ONE, INERTIA = 1024, 8
STEP, COST, ALLOWANCE, ADVANCE, LIMIT = 100, 20, 3, 20, 800
COSTS = range(4, 61)  # that are believed
MARGIN, FINE = 80, 256

Step = tuple[int, ...]  # matched, behind, drafts, accepted, saved


@pytest.fixture(scope="module")
def driver() -> Path:
    return build("lookup_host", [ROOT / "tests/host/lookup_host.c", CONSOLE / "lookup.c"])


def run(
    driver: Path, ids: Sequence[int], known: int, room: int = MOST, cost: int = COST
) -> list[Step]:
    """The steps, if each draft costs so much of one."""
    return measured(driver, ids, known, room, cost)[0]


def measured(
    driver: Path,
    ids: Sequence[int],
    known: int,
    room: int,
    cost: int,
    spread: int = 0,
    slow: int = 0,
) -> tuple[list[Step], float]:
    """The same, and what a draft costs by measurement; the totals must be the steps' sums."""
    words = " ".join(map(str, [known, room, cost, spread, slow, *ids]))
    done = subprocess.run([driver], input=words, capture_output=True, text=True, check=True)
    *steps, totals = [tuple(map(int, row.split())) for row in done.stdout.splitlines()]
    assert totals[:2] == tuple(sum(step[at] for step in steps) for at in (2, 3))
    return steps, totals[2] / FINE


def find(ids: Sequence[int]) -> tuple[int, int]:
    """The longest end of ids that occurs before, and what is behind it there."""
    for n in range(LONGEST, SHORTEST - 1, -1):
        for at in range(len(ids) - 1, n - 1, -1):
            if list(ids[at - n : at]) == list(ids[-n:]):
                return n, at
    return 0, 0


@dataclass
class Oracle:
    rates: dict[int, int] = field(
        default_factory=lambda: {n: ONE * (n + 1) // 10 for n in range(SHORTEST, LONGEST + 1)}
    )
    saved: int = ADVANCE * ALLOWANCE
    tokens: int = 0
    cost: int = COST  # what it is
    measured: int = 0  # what it is taken to be; 0: unknown
    stepped: bool = False  # there was a step without drafts

    def believed(self) -> int:
        known = min(max(self.measured // FINE, COSTS[0]), COSTS[-1])
        return known if self.measured else COST

    def drafts(self, matched: int, room: int) -> int:
        chance = ONE
        affordable = max(self.saved, 0) // self.believed()
        for n in range(min(room, MOST, affordable)):
            chance = chance * self.rates[min(matched + n, LONGEST)] // ONE
            if chance < ONE * self.believed() // MARGIN:
                return n
        return min(room, MOST, affordable)

    def took(self, drafts: int) -> None:
        if not drafts:
            self.stepped = True
            return
        paid = min(self.cost if self.stepped else COST, STEP)
        if self.stepped:
            now = max(paid * FINE, 1)
            before = self.measured
            self.measured = (before * (INERTIA - 1) + now) // INERTIA if before else now
        self.saved -= drafts * paid

    def step(self, text: Sequence[int], count: int, room: int) -> Step:
        matched, behind = find(text[:count])
        drafts = self.drafts(matched, room) if matched else 0
        self.took(drafts)
        guesses = list(text[:count])
        for i in range(drafts + 1):
            guesses.append(guesses[behind + i])
        for accepted in range(drafts + 1):
            self.tokens += 1
            if self.tokens > ADVANCE:
                self.saved = min(self.saved + ALLOWANCE, LIMIT)
            if not matched:
                break
            agreed, right = min(matched + accepted, LONGEST), False
            if guesses[count + accepted] == text[count + accepted]:
                right = True
                self.rates[agreed] += (ONE - self.rates[agreed]) // INERTIA
            else:
                self.rates[agreed] -= self.rates[agreed] // INERTIA
            if not right or accepted == drafts:
                break
            self.saved = min(self.saved + STEP, LIMIT)
        return matched, behind, drafts, accepted, self.saved


def text_of(rng: random.Random, vocabulary: int, n: int, again: float) -> list[int]:
    """Random ids, in which now and then a stretch from before comes again."""
    ids = [rng.randrange(vocabulary) for _ in range(8)]
    while len(ids) < n:
        if rng.random() < again:
            start = rng.randrange(len(ids))
            ids += ids[start : start + rng.randrange(1, 30)]
        else:
            ids.append(rng.randrange(vocabulary))
    return ids[:n]


@pytest.mark.parametrize("vocabulary", [1, 2, 5, 50, 1000])
@pytest.mark.parametrize("again", [0.0, 0.02, 0.2])
@pytest.mark.parametrize("cost", [0, 2, 5, 20, 45, 80, 300])
def test_every_step_is_the_oracle_s(driver: Path, vocabulary: int, again: float, cost: int) -> None:
    rng = random.Random(vocabulary + int(100 * again))
    for n, known, room in ((300, 1, MOST), (200, 100, 3), (60, 2, 0), (9, 8, MOST)):
        text = text_of(rng, vocabulary, n, again)
        oracle, count = Oracle(cost=cost), known
        for step in run(driver, text, known, room, cost):
            assert step == oracle.step(text, count, min(room, n - count - 1))
            count += step[3] + 1
        assert count == n


def test_few_tokens(driver: Path) -> None:
    """Shorter than anything that could have occurred before."""
    assert run(driver, [1, 1, 1], 0, 0)[0][0] == 0
    assert [step[0] for step in run(driver, [7, 7, 7, 7], 1)] == [0, 0, 2]


def test_a_text_that_repeats_itself(driver: Path) -> None:
    """Full drafts, from guesses too where the repeated stretch is shorter than they are."""
    for period in (1, 2, 3, 5, 40):
        text = list(range(period)) * (400 // period)
        steps = run(driver, text, 2 * period)
        assert max(step[2] for step in steps) == MOST
        assert sum(step[3] for step in steps) > len(text) // 2
        assert all(step[2] == step[3] for step in steps)


def test_what_failed_is_not_drafted_any_more(driver: Path) -> None:
    """1 2 is always followed by 3, which then is followed by something else each time."""
    text = [1, 2, 3] * 40
    for i in range(200):
        text += [1, 2, 3, 1000 + i]
    steps = run(driver, text, 6)
    assert max(step[2] for step in steps[:40]) == MOST
    assert {step[2:4] for step in steps[-100:]} == {(0, 0), (1, 1)}


@pytest.mark.parametrize(("cost", "spread"), [(10, 1), (12, 3), (17, 3), (25, 4), (40, 20)])
@pytest.mark.parametrize("slow", [0, 30])
def test_costs_are_measured(driver: Path, cost: int, spread: int, slow: int) -> None:
    """Though no two are alike, and though a step takes less time from some point on."""
    text = text_of(random.Random(4), 30, 4000, 0.2)
    _, found = measured(driver, text, 6, MOST, cost, spread, slow)
    assert abs(found - cost) <= max(1, spread / 2)


def test_dear_drafts_are_made_where_they_are_right(driver: Path) -> None:
    """And cheap ones where they are often wrong."""
    rng = random.Random(3)
    certain, doubtful = [1, 2, 3] * 200, text_of(rng, 30, 1200, 0.1)
    dear, cheap = (
        [sum(step[2] for step in run(driver, text, 6, cost=cost)) for text in (certain, doubtful)]
        for cost in (45, 5)
    )
    assert dear[0] > 300 and cheap[0] > 300
    assert 2 * dear[1] < cheap[1]


@pytest.mark.parametrize("cost", [2, 5, 20, 45, 100])
@pytest.mark.parametrize("shape", ["alternating", "random", "prose"])
def test_little_is_lost_at_any_time(driver: Path, shape: str, cost: int) -> None:
    """Whatever the text and the processor: steps, and what drafts cost, are at most 3 % more than
    tokens, of which there are 20 at least. Where drafts cost more than is thought before the first
    ones, these are lost beyond that, once."""
    rng = random.Random(shape)
    if shape == "alternating":  # right until there is a draft, then wrong
        text = [x for i in range(300) for x in (1, 2, 3, 1, 2, 4 + i % 2)]
    elif shape == "random":
        text = [rng.randrange(3) for _ in range(3000)]
    else:
        text = text_of(rng, 300, 3000, 0.05)
    first = max(cost - COST, 0) * (ADVANCE * ALLOWANCE // COST)
    spent = tokens = 0
    for _, _, drafts, accepted, _ in run(driver, text, 4, cost=cost):
        spent += STEP + drafts * cost
        tokens += accepted + 1
        beyond = drafts * max(cost - COSTS[-1], 0)  # is repaid before the next
        assert spent <= tokens * STEP + max(tokens, ADVANCE) * ALLOWANCE + first + beyond
