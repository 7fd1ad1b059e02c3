"""Compiling a CPU target outside of the build, with the flags that CMakeLists.txt gives it."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def cmake_text():
    return (ROOT / "CMakeLists.txt").read_text()


def target_flags():
    """The flags of each target, by its name."""
    found = re.findall(r"^\s*gradstep_(?:vector_)?target\((\w+)([^)]*)\)", cmake_text(), re.MULTILINE)
    return {name: flags.split() for name, flags in found}


def common_flags():
    """The options of add_compile_options for every file, without the warnings."""
    line = re.search(r"^add_compile_options\((.*)\)$", cmake_text(), re.MULTILINE).group(1)
    return ["-std=c++20", "-O3", "-fPIC", *(flag for flag in line.split() if flag.startswith("-f"))]


def compile_object(compiler, target, source, output, *, extra=()):
    """Compile ``source`` as a part of ``target``."""
    macros = [f"-DGS_TARGET={target}", f"-DGS_{target.upper()}"]
    flags = [*common_flags(), *target_flags()[target], *extra]
    subprocess.run(
        [compiler, *flags, *macros, f"-I{ROOT / 'cpp'}", "-c", source, "-o", output], check=True, timeout=300
    )
    return output
