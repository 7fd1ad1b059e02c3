"""`gradstep demo` and `gradstep info`, as a user calls them."""

import json
import subprocess
import sys

import pytest
import typer

import gradstep
import gradstep_demo
from gradstep import cli
from gradstep.cli.commands import app

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
    assert f"there is no 'mnist'; there are: {', '.join(gradstep_demo.DESCRIPTIONS)}, and all" in result.output


def test_unusable_data_is_no_traceback(gradstep_command, tmp_path):
    result = gradstep_command("demo", "mnist-mlp", "--data", tmp_path / "nothing.npz")
    assert result.exit_code == 2
    assert "there is no file" in result.output
    assert "--data" in result.output


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
        assert ours["curve"]["rate"] == pytest.approx(torchs["curve"]["rate"])
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


@pytest.mark.parametrize(
    "package", ["typer", "rich", "torch", "matplotlib", "mlxtend", "sklearn", "keras", "pycountry"]
)
def test_missing_extra_names_the_pip_command(monkeypatch, package):
    def fail():
        raise ModuleNotFoundError(f"No module named '{package}'", name=package)

    monkeypatch.setattr("gradstep.cli.commands.app", fail)
    with pytest.raises(SystemExit, match=rf"needs {package}\..*pip install 'gradstep\[examples\]'"):
        cli.main()


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
