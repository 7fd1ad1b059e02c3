"""Cases by their numbers, in a process that may die of one."""

import json
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .drawing import Draw, NotApplicable

ROOT = Path(__file__).parents[2]
PATIENCE = 120  #: seconds for a case; the longest takes one or two


class Kind(NamedTuple):
    """One kind of case, and how often it comes."""

    run: Callable[[Draw], str]
    weight: int


class Outcome(NamedTuple):
    number: int
    kind: str
    what: str  #: "ok", "none" for a case that another option ruled out, or "failed"
    words: str


def run_case(kinds: dict[str, Kind], seed: int, number: int, only: list[str]) -> Outcome:
    """Run one case here."""
    draw = Draw(seed, number)
    chosen = {name: kind for name, kind in kinds.items() if not only or name in only}
    (name,) = draw.choices(list(chosen), [each.weight for each in chosen.values()])
    try:
        return Outcome(number, name, "ok", chosen[name].run(draw))
    except NotApplicable as reason:
        return Outcome(number, name, "none", str(reason))
    except BaseException as error:
        words = "".join(traceback.format_exception(error, limit=-6))
        return Outcome(number, name, "failed", words)


def work(kinds: dict[str, Kind], seed: int, numbers: range, only: list[str]) -> None:
    """Run cases here, and tell of each, before and after, in a line of JSON."""
    for number in numbers:
        print(json.dumps({"begun": number}), flush=True)
        print(json.dumps(run_case(kinds, seed, number, only)._asdict()), flush=True)


def outcomes(seed: int, first: int, count: int, minutes: float, only: list[str]) -> Iterator[Outcome]:
    """Run cases in a process of their own, and in the next one after it has died."""
    end, stop = first + count, time.monotonic() + 60 * minutes
    while first < end:
        command = [sys.executable, "-X", "faulthandler", "-m", "tests.fuzz", "--worker", f"{first}:{end}"]
        command += ["--seed", str(seed), *(f"--only={each}" for each in only)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as worker:
            assert worker.stdout is not None
            begun = first
            for line in worker.stdout:
                told: dict[str, Any] = json.loads(line)
                if "begun" in told:
                    begun = told["begun"]
                    continue
                yield Outcome(**told)
                first = begun + 1
                if time.monotonic() > stop:
                    worker.kill()
                    return
            assert worker.stderr is not None
            words = worker.stderr.read()
        if first < end:
            died = f"the process died with {worker.returncode}:\n{words[-3000:]}"
            yield Outcome(begun, "?", "failed", died)
            first = begun + 1


def summary(found: list[Outcome]) -> str:
    """How many cases of each kind ran, and what failed."""
    counted: dict[str, Counter[str]] = {}
    for each in found:
        counted.setdefault(each.kind, Counter())[each.what] += 1
    lines = [f"{'kind':14}{'ok':>8}{'no case':>8}{'failed':>8}"]
    for kind, counts in sorted(counted.items()):
        lines.append(f"{kind:14}" + "".join(f"{counts[what]:8}" for what in ("ok", "none", "failed")))
    lines.append(f"{'all':14}" + "".join(f"{sum(c[w] for c in counted.values()):8}" for w in ("ok", "none", "failed")))
    return "\n".join(lines)
