"""Summary of a run of bench/gpu.sh, `summary.py LOGS RESULTS`, in less than 11,000 characters, the verdicts last.

It reads the list of parts, their logs and pytest's junit file. A section says so where its source can't be read.
"""

import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

STATUS = {0: "passed", 9: "found errors", 124: "out of time, interrupted", 137: "out of time, killed", 139: "crashed"}
SANITIZERS = ("memcheck", "racecheck", "synccheck", "initcheck")
SHOWN_APART = ("kernel_times", "benchmark")  #: parts whose logs have a separate section
#: the numbers of ncu that are shown
COUNTERS = re.compile(
    r"Duration|DRAM Throughput|^Memory Throughput|Registers Per|Achieved Occ|No Eligible|Issued Warp|Long Scoreboard"
    r"|long_scoreboard"
)


def clip(text, characters):
    """The end of the text, as many characters of it, from the beginning of a line."""
    if len(text) <= characters:
        return text
    return "...\n" + text[-characters:].partition("\n")[2]


def read_log(logs, name):
    path = logs / f"{name}.log"
    return path.read_text(errors="replace") if path.exists() else ""


def read_parts(logs):
    """(name, status, seconds) in the order in which they ended."""
    lines = (logs / "parts.txt").read_text().splitlines()
    return [(name, int(status), int(seconds)) for name, status, seconds, *_ in map(str.split, lines)]


def failures(logs, parts):
    for name, status, _ in parts:
        if status and name not in SHOWN_APART:
            yield f"-- {name}: the end of its log"
            yield clip(read_log(logs, name).strip(), 700 if name in SANITIZERS else 1200)


def rule_names():
    from gradstep import rules

    return sorted((name.lower() for name in rules.ALL), key=len, reverse=True)


def rule_of(test, rules):
    """The rule that is named in a test's parameters, by its class or by its kernel."""
    for word in test.partition("[")[2].rstrip("]").replace("_", "").lower().split("-"):
        for rule in (*rules, "amsgrad"):
            if word.startswith(rule):
                return rule
    return "no rule of its own"


def tests_by_rule(results):
    rules = rule_names()
    passed, failed, messages = Counter(), Counter(), []
    for case in ET.parse(results / "tests.xml").iter("testcase"):
        name = case.get("name")
        if case.find("skipped") is not None:
            continue
        bad = [found for kind in ("failure", "error") if (found := case.find(kind)) is not None]
        (failed if bad else passed)[rule_of(name, rules)] += 1
        messages += [f"  {name}: {(found.get('message') or '').strip().splitlines()[:1]}"[:150] for found in bad]
    yield f"{passed.total()} tests passed, {failed.total()} failed; by rule, failed ones of all:"
    counts = [f"{rule} {failed[rule]}/{failed[rule] + passed[rule]}" for rule in sorted(passed | failed)]
    yield ", ".join(counts)
    yield from messages[:12]


def sanitizer_lines(logs):
    for tool in SANITIZERS:
        found = re.findall(r"(?:ERROR|RACECHECK) SUMMARY: .*", read_log(logs, tool))
        yield f"{tool}: {found[-1] if found else 'said nothing of what it found'}"


def kernel_times(logs):
    yield clip(read_log(logs, "kernel_times").strip(), 2500)


def counters(logs):
    """Of each kernel that ncu looked at: its name, and what is worth a look."""
    for line in read_log(logs, "ncu").splitlines():
        if re.search(r"\(\d+, \d+, \d+\)x\(\d+, \d+, \d+\)", line):
            yield re.sub(r"\(.*", "", re.sub(r"gradstep::(\w+::)?|^\s*void ", "", line)).strip()
        elif COUNTERS.search(line.strip()):
            yield "  " + " ".join(line.split())[:90]


def benchmark(logs):
    yield clip(read_log(logs, "benchmark").strip(), 3000)


def verdicts(parts):
    for name, status, seconds in parts:
        yield f"{name:14} {seconds:4d} s  {STATUS.get(status, f'failed ({status})')}"


def section(title, characters, make, *given):
    """A part of the summary; what goes wrong there must not take the rest along."""
    try:
        text = "\n".join(make(*given))
    except Exception as error:
        text = f"not to be had: {type(error).__name__}: {error}"
    return f"== {title}\n{clip(text, characters)}" if text else f"== {title}: nothing"


def main(logs, results):
    logs, results = Path(logs), Path(results)
    parts = read_parts(logs)
    print(
        f"== commit {(results / 'COMMIT').read_text().strip()}",
        clip(read_log(logs, "stale") + read_log(logs, "environment").strip(), 900),
        section("what failed", 2200, failures, logs, parts),
        section("ncu", 1500, counters, logs),
        section("kernels of a step", 1600, kernel_times, logs),
        section("tests", 1500, tests_by_rule, results),
        section("compute-sanitizer", 500, sanitizer_lines, logs),
        section("benchmark", 2000, benchmark, logs),
        section("parts", 700, verdicts, parts),
        sep="\n",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
