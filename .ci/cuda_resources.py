#!/usr/bin/env python3
"""Reads what ptxas says of each kernel (a build with `-Xptxas=-v`, on the standard input), prints the registers and
fails where one spills or keeps something in local memory; only the kernel that prepares a step may do so.
"""

import re
import subprocess
import sys
from typing import NamedTuple

ALLOWED = "prepare_kernel"

FUNCTION = re.compile(r"Function properties for (\S+)")
ENTRY = re.compile(r"Compiling entry function '(\S+)' for '(\w+)'")
FRAME = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
REGISTERS = re.compile(r"Used (\d+) registers")


class Usage(NamedTuple):
    """Of one function, on one architecture."""

    name: str
    architecture: str
    local_bytes: int
    spilled_bytes: int

    @property
    def is_refused(self) -> bool:
        return bool(self.local_bytes or self.spilled_bytes) and ALLOWED not in self.name


def read_log(lines):
    """The usages, and the registers of each kernel by (name, architecture)."""
    usages, registers = [], {}
    kernel = function = None
    for line in lines:
        if found := ENTRY.search(line):
            kernel = found.groups()
        elif found := FUNCTION.search(line):
            function = found.group(1)
        elif found := FRAME.search(line):
            frame, stores, loads = (int(number) for number in found.groups())
            usages.append(Usage(function, kernel[1], frame, stores + loads))
        elif found := REGISTERS.search(line):
            registers[kernel] = int(found.group(1))
    return usages, registers


def in_words(names):
    """The names as C++ has them, without arguments and namespaces."""
    shown = subprocess.run(["c++filt"], input="\n".join(names), text=True, capture_output=True, check=True).stdout
    short = [re.sub(r"gradstep::(\w+::)?|\([^()]*\)$|^void ", "", line) for line in shown.splitlines()]
    return dict(zip(names, short, strict=True))


def table(registers, words):
    architectures = sorted({architecture for _, architecture in registers})
    yield "  ".join([f"{'registers':70}", *architectures])
    for name in sorted({name for name, _ in registers}, key=words.get):
        yield "  ".join([f"{words[name]:70}", *(f"{registers.get((name, a), '-'):>5}" for a in architectures)])


def main():
    usages, registers = read_log(sys.stdin)
    if not registers:
        return "no kernel was compiled: is this the output of a build with -Xptxas=-v?"
    words = in_words(sorted({usage.name for usage in usages}))
    print(*table(registers, words), sep="\n")
    refused = [
        f"{words[usage.name]} for {usage.architecture}: {usage.local_bytes} bytes of local memory, "
        f"{usage.spilled_bytes} bytes spilled"
        for usage in usages
        if usage.is_refused
    ]
    return "\n".join(refused) or None


if __name__ == "__main__":
    sys.exit(main())
