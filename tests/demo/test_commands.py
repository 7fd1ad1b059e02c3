"""`gradstep demo` and `gradstep info`, as a user calls them."""

import io
import json
import re
import subprocess
import sys

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

import gradstep
import gradstep_demo
from gradstep import cli
from gradstep.cli import commands
from gradstep.cli.commands import app
from support.compiling import ROOT
from support.tolerances import SINGLE

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    tomllib = None

SIBLINGS = ("gradstep_demo", "gradstep_bench")

PNG = b"\x89PNG\r\n\x1a\n"


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("arguments", [["demo"], ["demo", "--list"]])
def test_list_names_every_example(gradstep_command, arguments):
    result = gradstep_command(*arguments)
    assert result.exit_code == 0
    for name, description in gradstep_demo.DESCRIPTIONS.items():
        assert name in result.output
        assert description in result.output


def test_unknown_name_names_those_that_there_are(gradstep_command):
    result = gradstep_command("demo", "mnist")
    assert result.exit_code == 2
    there_are = f"There are {', '.join(gradstep_demo.DESCRIPTIONS)}, and all"
    assert f"there is no 'mnist': did you mean 'mnist-mlp'? {there_are}" in result.output


@pytest.mark.parametrize(("name", "meant"), [("mnist-mpl", "mnist-mlp"), ("GANs", "gan"), ("al", "all")])
def test_a_misspelt_name_is_told_what_it_means(gradstep_command, name, meant):
    result = gradstep_command("demo", name)
    assert result.exit_code == 2
    assert f"there is no {name!r}: did you mean {meant!r}? There are" in result.output


def test_a_name_like_no_other(gradstep_command):
    assert "there is no 'xyz': There are linear-regression" in gradstep_command("demo", "xyz").output


def test_version(gradstep_command):
    result = gradstep_command("--version")
    assert (result.exit_code, result.output) == (0, f"gradstep {gradstep.__version__}\n")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("gradstep de", ["demo"]), ("gradstep demo mnist-c", ["mnist-cnn"]), ("gradstep demo a", ["all"])],
)
def test_a_shell_completes_commands_and_names(typed, offered):
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1), "_GRADSTEP_COMPLETE": "complete_bash"}
    result = CliRunner().invoke(app, [], prog_name="gradstep", env=words)
    assert result.output.split() == offered


def test_unusable_data_is_no_traceback(gradstep_command, tmp_path):
    result = gradstep_command("demo", "mnist-mlp", "--data", tmp_path / "nothing.npz")
    assert result.exit_code == 2
    assert "there is no file" in result.output
    assert "--data" in result.output


@pytest.mark.parametrize("name", gradstep_demo.DESCRIPTIONS)
def test_source_is_the_script_itself(gradstep_command, name):
    result = gradstep_command("demo", name, "--source")
    assert result.exit_code == 0, result.output
    file = ROOT / f"python/gradstep_demo/scripts/{name.replace('-', '_')}.py"
    assert result.output == file.read_text(encoding="utf-8")


def test_source_into_a_file_runs(tmp_path):
    file = tmp_path / "line.py"
    command = [sys.executable, "-m", "gradstep", "demo", "linear-regression", "--source"]
    with file.open("wb") as written:
        subprocess.run(command, stdout=written, check=True)
    result = subprocess.run([sys.executable, file], capture_output=True, text=True, check=True)
    assert "w = 0.600000, b = 2.200000" in result.stdout


def test_source_has_colours_on_a_terminal(gradstep_command, monkeypatch):
    environment = {"TERM": "xterm-256color", "COLUMNS": "60"}
    terminal = Console(file=io.StringIO(), force_terminal=True, color_system="256", width=60, _environ=environment)
    monkeypatch.setattr(commands, "Console", lambda: terminal)
    assert gradstep_command("demo", "mnist-mlp", "--source").exit_code == 0
    escape = r"\x1b\[[\d;]*m"
    shown = terminal.file.getvalue()
    assert re.sub(escape, "", shown) == gradstep_demo.source("mnist-mlp")  # no row is broken, cut or filled up
    assert len(set(re.findall(escape, shown))) > 4


@pytest.mark.parametrize("arguments", [["--source"], ["all", "--source"]])
def test_source_is_of_one_example(gradstep_command, arguments):
    result = gradstep_command("demo", *arguments)
    assert result.exit_code == 2
    assert "--source prints one example: name it" in result.output


def test_linear_regression(gradstep_command, tmp_path):
    out, file = tmp_path / "figures", tmp_path / "results" / "line.json"
    result = gradstep_command("demo", "linear-regression", "--out", out, "--json", file)
    assert result.exit_code == 0, result.output
    assert "Corrected: " in result.output
    assert (out / "linear-regression.png").read_bytes().startswith(PNG)
    results = read(file)
    assert results["test_accuracy"] is None
    assert results["w"] == pytest.approx(0.6, abs=1e-9)
    assert results["b"] == pytest.approx(2.2, abs=1e-9)
    assert [run["library"] for run in results["runs"]] == ["gradstep", "NumPy", "torch"]


def test_mnist_mlp_quick(gradstep_command, tmp_path):
    file = tmp_path / "mlp.json"
    arguments = ["--quick", "--epochs", 2, "--seed", 3, "--out", tmp_path, "--json", file]
    result = gradstep_command("demo", "mnist-mlp", *arguments)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "mnist-mlp.png").read_bytes().startswith(PNG)
    results = read(file)
    assert (results["name"], results["seed"], results["quick"]) == ("mnist-mlp", 3, True)
    pairs = [(run["settings"]["name"], run["library"]) for run in results["runs"]]
    assert pairs == [(s, library) for s in ("document", "ours") for library in ("gradstep", "torch")]
    ours = [run for run in results["runs"] if run["library"] == "gradstep"]
    assert results["test_accuracy"] == max(run["test_accuracy"] for run in ours) > 0.8
    assert 0 < results["step_seconds"] < results["seconds"]


def test_gradstep_trains_as_torch_does(gradstep_command, tmp_path):
    """The same weights, digits and order: the losses of the first epoch differ by rounding alone."""
    file = tmp_path / "mlp.json"
    gradstep_command("demo", "mnist-mlp", "--quick", "--out", tmp_path, "--json", file)
    runs = read(file)["runs"]
    for ours, torchs in zip(runs[::2], runs[1::2], strict=True):
        assert ours["curve"]["rate"] == pytest.approx(torchs["curve"]["rate"], rel=SINGLE)
        # Adagrad at 0.1 takes losses of 50 in its first steps, which magnify each rounding.
        assert ours["curve"]["loss"] == pytest.approx(torchs["curve"]["loss"], rel=0.02)


def test_all_runs_every_example(gradstep_command, monkeypatch, tmp_path):
    names = ["linear-regression", "boston-mlp"]
    monkeypatch.setattr(gradstep_demo, "DESCRIPTIONS", {name: gradstep_demo.DESCRIPTIONS[name] for name in names})
    file = tmp_path / "all.json"
    result = gradstep_command("demo", "all", "--epochs", 20, "--out", tmp_path, "--json", file)
    assert result.exit_code == 0, result.output
    assert {name: found["name"] for name, found in read(file).items()} == {name: name for name in names}
    for name in names:
        assert (tmp_path / f"{name}.png").read_bytes().startswith(PNG)
    summary = [line.split() for line in result.output.splitlines()[-6:]]
    assert ["example", "result", "seconds"] in summary
    assert [line[0] for line in summary if line and line[0] in names] == names


def test_info_shows_what_gradstep_says(gradstep_command, monkeypatch):
    values = {
        "active_target": "avx2",
        "targets": ["scalar", "avx2"],
        "versions": {"numpy": "2.4"},
        "speed": 2.34567,
    }
    monkeypatch.setattr(gradstep, "info", lambda: values)
    result = gradstep_command("info")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert lines.pop()[:2] == ["memory", "bandwidth"]
    assert lines == [
        ["active", "target", "avx2"],
        ["targets", "scalar", "avx2"],
        ["numpy", "2.4"],
        ["speed", "2.346"],
    ]


def fail_to_import(monkeypatch, package, *arguments):
    """`gradstep`, called with these arguments where a package is missing."""

    def fail():
        raise ModuleNotFoundError(f"No module named '{package}.part'", name=f"{package}.part")

    monkeypatch.setattr("gradstep.cli.commands.app", fail)
    monkeypatch.setattr(sys, "argv", ["gradstep", *arguments])
    cli.main()


@pytest.mark.parametrize(
    ("arguments", "command", "extras"),
    [
        (["info"], "`gradstep info`", "cli"),
        (["plot", "Linear(1, 0, 90)", "--steps", "90"], "`gradstep plot`", "cli,plot"),
        (["demo", "mnist-cnn"], "`gradstep demo`", "examples"),
        (["bench", "--quick"], "`gradstep bench`", "bench"),
        (["--help"], "the command", "cli"),
        ([], "the command", "cli"),
    ],
)
@pytest.mark.parametrize("package", sorted(cli.PACKAGES))
def test_missing_package_names_the_extras_of_the_command(monkeypatch, package, arguments, command, extras):
    with pytest.raises(SystemExit) as stopped:
        fail_to_import(monkeypatch, package, *arguments)
    expected = f"gradstep: {command} needs {package}. Install it with: pip install 'gradstep[{extras}]'"
    assert stopped.value.code == expected


@pytest.mark.parametrize("package", ["gradstep_demo", "gradstep_bench"])
def test_missing_sibling_is_named(monkeypatch, package):
    with pytest.raises(SystemExit, match=rf"needs {package}, which comes with gradstep but is missing here\. Install"):
        fail_to_import(monkeypatch, package, "demo")


EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"] if tomllib else None


def packages_of(extra):
    """The packages that an extra installs, with those of the extras that it names."""
    for requirement in EXTRAS[extra]:
        name, others = re.match(r"([\w-]+)(?:\[(.*)\])?", requirement).groups()
        if name == "gradstep":
            for other in others.split(","):
                yield from packages_of(other)
        else:
            yield {"scikit-learn": "sklearn"}.get(name, name)


@pytest.mark.skipif(tomllib is None, reason="Python 3.10 does not read TOML")
def test_packages_are_those_of_the_extras():
    named = {extra for extras in cli.EXTRAS.values() for extra in extras.split(",")}
    assert {package for extra in named for package in packages_of(extra)} == cli.PACKAGES


#: what each command does without its own work, and the packages that its extras do not install
NEEDS = {
    "info": (["info"], {"matplotlib", "torch", "sklearn", "mlxtend", "keras", "pycountry", *SIBLINGS}),
    "plot": (["plot", "1", "--steps", "9"], {"torch", "sklearn", "mlxtend", "keras", "pycountry", *SIBLINGS}),
    "demo": (["demo", "--list"], {"timm", "schedulefree", "prodigyopt", "gradstep_bench"}),
    "bench": (["bench", "--case", "none"], {"sklearn", "mlxtend", "keras", "pycountry", "gradstep_demo"}),
}


@pytest.mark.parametrize("command", NEEDS)
def test_command_needs_no_other_extra(command, tmp_path):
    arguments, absent = NEEDS[command]
    code = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in {sorted(absent)}:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent())
sys.argv = ["gradstep", *{arguments}]
from gradstep.cli import main
main()
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == (2 if command == "bench" else 0), result.stderr  # there is no case of that name
    assert "Traceback" not in result.stderr


def test_other_missing_modules_are_not_hidden(monkeypatch):
    def fail():
        raise ModuleNotFoundError("No module named 'nonsense'", name="nonsense")

    monkeypatch.setattr("gradstep.cli.commands.app", fail)
    with pytest.raises(ModuleNotFoundError, match="nonsense"):
        cli.main()


def test_module_is_the_command():
    result = subprocess.run(
        [sys.executable, "-m", "gradstep", "demo", "--list"], capture_output=True, text=True, check=True
    )
    assert "mnist-cnn" in result.stdout


def test_help_says_what_every_option_is_for(gradstep_command):
    commands = typer.main.get_command(app).commands
    assert set(commands) == {"bench", "demo", "plot", "info"}
    for name, command in commands.items():
        result = gradstep_command(name, "--help")
        assert result.exit_code == 0
        for parameter in command.params:
            assert parameter.help
            assert parameter.help in result.output


def test_help_of_all_is_plain_text(gradstep_command):
    output = gradstep_command("--help").output
    assert "Optimizers and learning-rate schedules" in output
    assert ">>>" not in output
