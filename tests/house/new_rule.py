"""CONTRIBUTING.md adds a rule: the edits that it shows, made in a copy of the tree, are all that it takes.

It builds the core for one target, so that `.ci/run` calls it by its name and `pytest` alone does not.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest

from support.compiling import ROOT

#: not copied: what was built, and what git keeps
LEFT_OUT = shutil.ignore_patterns(".git", "build", "dist", "*.so", "__pycache__", ".*_cache", ".venv", "venv")

#: for a new process over the copy: where the rule must be found
FOUND = """
import inspect, pathlib
import gradstep, gradstep_bench.rules
from gradstep import functional, optim, rules
assert "QHM" in rules.ALL and "QHM" in gradstep.__all__
assert "nu" in inspect.signature(gradstep.QHM).parameters and "nu" in inspect.signature(optim.QHM).parameters
assert "nu" in inspect.signature(functional.qhm_).parameters
assert gradstep_bench.rules.RULES["qhm"].class_name == "QHM"
library = pathlib.Path(gradstep.__file__).parent
for stub, text in {"": "QHM,", "optimizers": "class QHM(", "optim": "class QHM(", "functional": "def qhm_("}.items():
    assert text in (library / stub / "__init__.pyi").read_text(), stub
assert "`QHM`" in pathlib.Path("README.md").read_text()
"""


def edits():
    """For each edit that CONTRIBUTING.md shows, its file, its language and its text."""
    section = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## A rule, ")[1].split("\n## ")[0]
    path = None
    for found in re.finditer(r"^\d\. `(?P<path>[^`]+)`|^```(?P<kind>\w+)\n(?P<text>.*?)^```", section, re.M | re.S):
        path = found["path"] or path
        if found["kind"] in ("cpp", "python", "diff"):
            yield path, found["kind"], found["text"]


def make(edit, tree):
    path, kind, text = edit
    file = tree / path
    if kind != "diff":
        assert not file.exists()
        file.write_text(text, encoding="utf-8")
        return
    lines = text.splitlines(keepends=True)
    before, after = "".join(line[1:] for line in lines if line[0] == " "), "".join(line[1:] for line in lines)
    whole = file.read_text(encoding="utf-8")
    assert whole.count(before) == 1, f"CONTRIBUTING.md shows what {path} does not hold once:\n{before}"
    file.write_text(whole.replace(before, after), encoding="utf-8")


def build(tree):
    """Build the core for the scalar target alone, as fast as it goes, and put it into the tree."""
    define = "--config-settings=cmake.define"
    options = ["GRADSTEP_TARGETS=", "GRADSTEP_EMULATED=OFF", "GRADSTEP_CUDA=OFF", "CMAKE_CXX_FLAGS_RELEASE=-O1"]
    made = tree / "built"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", made]
    subprocess.run([*pip, *(f"{define}.{option}" for option in options), tree], check=True)
    for module in (made / "gradstep").glob("_core*.so"):
        shutil.copy(module, tree / "python/gradstep")


@pytest.mark.slow
def test_the_rule_of_the_walk_through_is_offered_everywhere_and_is_right(tmp_path):
    tree = tmp_path / "gradstep"
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT)
    made = list(edits())
    assert sorted({path for path, _, _ in made}) == [
        "cpp/rules/list.h",
        "cpp/rules/qhm.h",
        "python/gradstep/rules/qhm.py",
        "tests/support/cases.py",
        "tests/support/reference.py",
    ]
    for edit in made:
        make(edit, tree)
    build(tree)

    def run(*command):
        path = os.pathsep.join(str(tree / each) for each in ("python", "bench"))
        subprocess.run([sys.executable, *command], check=True, cwd=tree, env={**os.environ, "PYTHONPATH": path})

    run(".ci/register.py")
    run("-c", FOUND)
    run("-m", "pytest", "-q", "tests/rules/test_rules.py", "-k", "QHM or every_rule")
    run("-m", "pytest", "-q", "tests/house/test_names.py", "tests/house/test_registration.py", "-k", "QHM or written")
