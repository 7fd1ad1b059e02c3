"""The pictures of the README, and the command that draws them."""

from pathlib import Path

import pytest
from PIL import Image, ImageColor
from typer.testing import CliRunner

from gradstep import from_expression
from gradstep.schedules import Schedule
from gradstep_demo import DESCRIPTIONS, gallery
from gradstep_demo.figure import COLOURS

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / ".github" / "gallery"


def within(schedule: Schedule) -> set[str]:
    """The kinds of schedule that one is made of."""
    fields = [getattr(schedule, name) for name in schedule.checks()]
    parts = [part for field in fields for part in (field if isinstance(field, tuple) else [field])]
    return {type(schedule).__name__}.union(*(within(part) for part in parts if isinstance(part, Schedule)))


def test_every_kind_of_schedule_is_shown() -> None:
    shown = set().union(*(within(from_expression(each)) for each in gallery.LEAVES + gallery.COMBINED))
    own = {name for name, kind in Schedule.classes.items() if kind.__module__.startswith("gradstep.")}  # not a test's
    assert own - shown == set()


@pytest.mark.parametrize("expression", gallery.LEAVES + gallery.COMBINED)
def test_curve_fits_its_panel(expression: str) -> None:
    values = from_expression(expression)(range(gallery.STEPS))
    assert values.min() >= 0
    assert 0.6 < values.max() <= 1.01


def test_command_draws(tmp_path, monkeypatch) -> None:
    pictures = {name: draw for name, draw in gallery.PICTURES.items() if name not in DESCRIPTIONS}
    pictures["example"] = gallery.example("linear-regression", slice(0, 1))
    monkeypatch.setattr(gallery, "PICTURES", pictures)
    app = gallery.typer.Typer()
    app.command()(gallery.main)
    folder = tmp_path / "new" / "gallery"
    result = CliRunner().invoke(app, [str(folder), "--quick"])
    assert result.exit_code == 0, result.output
    assert {path.stem for path in folder.iterdir()} == set(pictures)
    for path in folder.iterdir():
        with Image.open(path) as picture:
            assert picture.format == "PNG"
            assert 500 < picture.width <= gallery.PIXELS
            assert len(set(picture.convert("RGB").tobytes())) > 2


def test_colours_of_thin_lines_stay_apart(tmp_path) -> None:
    path = tmp_path / "lines.png"
    picture = Image.new("RGB", (800, 800), "white")
    for number, colour in enumerate(COLOURS):
        picture.paste(colour, (100 * number, 0, 100 * number + 2, 800))
    picture.save(path)
    gallery.shrink(path)
    with Image.open(path) as small:
        kept = [small.convert("RGB").getpixel((100 * number, 400)) for number in range(len(COLOURS))]
    for colour, shade in zip(COLOURS, kept, strict=True):
        # An octree of 48 colours rounds each channel to a few levels; the nearest two of ours are further apart.
        assert max(abs(a - b) for a, b in zip(ImageColor.getrgb(colour), shade, strict=True)) <= 16


def test_readme_shows_what_is_committed() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {path.stem for path in COMMITTED.iterdir()} == set(gallery.PICTURES)
    assert all(f"(.github/gallery/{name}.png)" in readme for name in gallery.PICTURES)


def test_committed_pictures_are_small() -> None:
    sizes = [path.stat().st_size for path in COMMITTED.iterdir()]
    assert max(sizes) < 65_000
    assert sum(sizes) < 400_000
