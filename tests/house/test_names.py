"""The names of gradstep: what is imported when, and what tools that read types see."""

import importlib.util
import subprocess
import sys

import pytest

import gradstep
from support.compiling import ROOT

INTEROP = {"interop", *(f"interop.{path.stem}" for path in (ROOT / "python/gradstep/interop").glob("*.py"))}
SCRIPT = ROOT / ".ci/register.py"


def in_a_new_process(code):
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()


def test_what_follows_from_the_names_is_written():
    """The stubs, and the README's list of optimizers."""
    spec = importlib.util.spec_from_file_location("register", SCRIPT)
    register = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(register)
    for path, text in register.written().items():
        assert path.read_text(encoding="utf-8") == text, f"{path} is of other names: run .ci/register.py"


def test_what_an_import_of_gradstep_imports():
    """Only the functions that the core calls: no optimizers, no schedules, and no package other than NumPy."""
    code = "import sys, numpy; before = set(sys.modules); import gradstep; print(*sorted(set(sys.modules) - before))"
    found = in_a_new_process(code)
    own = {name for name in found if name.partition(".")[0] == "gradstep"}
    assert {name.removeprefix("gradstep.") for name in own} <= {"gradstep", "_core", *INTEROP}
    assert {name.partition(".")[0] for name in set(found) - own} <= {*sys.stdlib_module_names, "numpy"}


def test_every_name_is_there_without_an_import_of_its_module():
    code = (
        "import gradstep; from gradstep import *\n"
        "for name in gradstep.__all__: assert getattr(gradstep, name) is globals()[name], name\n"
        "assert {*gradstep.__all__, 'optim', '__version__'} <= set(dir(gradstep))\n"
        "print(gradstep.optim.AdamW.__module__)"
    )
    assert in_a_new_process(code) == ["gradstep.optim"]


def test_a_module_that_needs_what_is_not_installed():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import gradstep\n"
        "try: gradstep.optim\n"
        "except ImportError as error: print(error)"
    )
    assert " ".join(in_a_new_process(code)) == "gradstep.optim needs torch: pip install torch"


def test_a_name_that_there_is_not():
    with pytest.raises(AttributeError, match=r"^module 'gradstep' has no attribute 'AdamX'$"):
        gradstep.AdamX  # noqa: B018
