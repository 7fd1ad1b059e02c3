"""Run the fuzzer: ``python -m tests.fuzz --minutes 15``, ``python -m tests.fuzz --seed 1 --case 74``."""

import argparse
import sys
from collections import Counter

from . import accidents, files, interruptions, routes, texts, wrong_calls
from .running import Kind, Outcome, outcomes, run_case, summary, work

KINDS = {
    "layers": Kind(routes.layers, 6),
    "layouts": Kind(routes.layouts, 4),
    "engines": Kind(routes.engines, 4),
    "resumes": Kind(routes.resumes, 4),
    "by hand": Kind(routes.by_hand, 4),
    "formulas": Kind(routes.formulas, 4),
    "accidents": Kind(accidents.accidents, 8),
    "callbacks": Kind(accidents.callbacks, 4),
    "refused calls": Kind(wrong_calls.refused_calls, 10),
    "injected": Kind(interruptions.injected, 10),
    "signals": Kind(interruptions.signals, 2),
    "forks": Kind(interruptions.forks, 1),
    "files": Kind(files.files, 3),
    "schedules": Kind(texts.schedules, 6),
    "texts": Kind(texts.read_text, 8),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--case", type=int, help="run this one here, and show what it raises")
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--cases", type=int, default=10**9, help="how many to run")
    parser.add_argument("--minutes", type=float, default=1e9, help="for how long to run")
    parser.add_argument("--only", action="append", default=[], choices=KINDS, help="a kind of case; again for more")
    parser.add_argument("--most", type=int, default=20, help="after how many failures to stop")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        work(KINDS, given.seed, range(*map(int, given.worker.split(":"))), given.only)
        return 0
    if given.case is not None:
        outcome = run_case(KINDS, given.seed, given.case, given.only)
        print(outcome.kind, outcome.what, outcome.words, sep="\n")
        return outcome.what == "failed"
    return run(given)


def run(given: argparse.Namespace) -> int:
    found: list[Outcome] = []
    failed: Counter[str] = Counter()
    for outcome in outcomes(given.seed, given.first, given.cases, given.minutes, given.only):
        found.append(outcome)
        if outcome.what == "failed":
            only = "".join(f" --only '{each}'" for each in given.only)
            print(f"== {outcome.kind}: python -m tests.fuzz --seed {given.seed} --case {outcome.number}{only}")
            print(outcome.words, flush=True)
            failed[outcome.kind] += 1
            if failed.total() >= given.most:
                break
    print(summary(found))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
