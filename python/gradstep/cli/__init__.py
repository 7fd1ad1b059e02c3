"""The entry point: names a missing extra in place of a traceback, and hands over to `commands`."""

import sys

EXTRAS = {"typer", "rich", "matplotlib", "mlxtend", "torch", "sklearn", "keras", "pycountry"}


def main() -> None:
    try:
        # Inside, because typer is an extra: `import gradstep` and this module need numpy alone.
        from gradstep.cli.commands import app

        app()
    except ModuleNotFoundError as missing:
        package = (missing.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        sys.exit(f"gradstep: this command needs {package}. Install it with: pip install 'gradstep[examples]'")
