"""The entry point: names what is missing in place of a traceback, and hands over to `commands`."""

import sys
from collections.abc import Sequence

#: the smallest extras that have all that a command needs
EXTRAS = {"info": "cli", "plot": "cli,plot", "demo": "examples", "bench": "bench"}

#: the packages that these extras install, as Python imports them
PACKAGES = {
    *("typer", "rich", "matplotlib", "torch", "sklearn", "mlxtend", "keras", "pycountry"),
    *("timm", "schedulefree", "prodigyopt"),
}

#: the packages besides gradstep in its wheel
SIBLINGS = {"gradstep_demo", "gradstep_bench"}


def main() -> None:
    try:
        # Inside, because typer is an extra: `import gradstep` and this module need numpy alone.
        from gradstep.cli.commands import app

        app()
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package in SIBLINGS:
            sys.exit(
                f"gradstep: this command needs {package}, which comes with gradstep but is missing here. "
                "Install gradstep anew with: pip install --force-reinstall --no-deps gradstep"
            )
        if package not in PACKAGES:
            raise
        command, extras = _command(sys.argv[1:])
        sys.exit(f"gradstep: {command} needs {package}. Install it with: pip install 'gradstep[{extras}]'")


def _command(arguments: Sequence[str]) -> tuple[str, str]:
    """The command that was called, and its extras; the smallest for a call without one, as for help."""
    name = next((each for each in arguments if each in EXTRAS), None)
    return f"`gradstep {name}`" if name else "the command", EXTRAS[name or "info"]
