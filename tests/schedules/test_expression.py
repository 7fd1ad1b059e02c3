"""Schedules from text: what is read, and what is refused, with the place."""

import re

import pytest

import gradstep as gs

S = gs.Linear(1, 0, 10)
RULE = "an expression consists of numbers, strings, lists, + - * / **, schedules and their methods"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Linear(1, 0, steps=10)", S),
        ("  Linear(\n    1, 0, 10)\n  .warmup(3)\n", S.warmup(3)),
        ("3e-4", gs.Constant(3e-4)),
        ("-(1 - 0.5) / 2", gs.Constant(-0.25)),
        ("Linear(1, 0, 2 * 5 - +0)", S),
        ("0.5 * Linear(1, 0, 10) + 1 - Constant(0.1)", 0.5 * S + 1 - gs.Constant(0.1)),
        ("(Linear(1, 0, 10) + 1).clip(lo=0.25, hi=None)", (S + 1).clip(0.25)),
        ("MultiStep(1, (2, 3), rate=0.5)", gs.MultiStep(1, [2, 3], 0.5)),
        ("PolynomialDecay(1, 10, cycle=True)", gs.PolynomialDecay(1, 10, cycle=True)),
        ("Linear(1, 0, 10, past='mirror')", gs.Linear(1, 0, 10, past="mirror")),
        ("Product(Linear(1, 0, 10), 2)", gs.Product(S, 2)),
    ],
)
def test_text_is_read_as_python_reads_it(text, expected):
    assert gs.from_expression(text) == expected


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("Liner(1, 0, 10)", "^^^^^", "there is no schedule 'Liner': did you mean 'Linear'? There are "),
        ("Linear(1, 0, 10).warm(3)", " " * 17 + "^^^^", "there is no method 'warm': did you mean 'warmup'? There are "),
        ("__import__('os').system('ls')", "^" * 10, "there is no schedule '__import__': There are "),
        ("Linear(1, 0, 10).__class__('x')", " " * 17 + "^" * 9, "there is no method '__class__': "),
        ("Linear(1, 0, 10).to_json()", " " * 17 + "^" * 7, "there is no method 'to_json': "),
        ("from_json('{}')", "^" * 9, "there is no schedule 'from_json': "),
        ("Linear(1, 0, 10).init", "^" * 21, f"this is not allowed here: {RULE}"),
        ("(lambda: 1)()", " " + "^" * 9, f"this can't be called: {RULE}"),
        ("[1, 2].clip(1)", "^" * 6, f"[1, 2] is not a schedule, so it has no methods: {RULE}"),
        ("[x for x in 'ab']", "^" * 17, f"this is not allowed here: {RULE}"),
        ("1 if 2 else 3", "^" * 13, f"this is not allowed here: {RULE}"),
        ("1j", "^^", f"this is not allowed here: {RULE}"),
        ("Linear(*[1, 0, 10])", " " * 7 + "^" * 11, f"this is not allowed here: {RULE}"),
        ("Linear(**{'init': 1})", "^" * 21, f"** before an argument is not allowed here: {RULE}"),
        ("'a' * 1000000000", "^^^", "'a' is not an operand: + - * / ** take schedules and numbers"),
        ("1 + [2]", "    ^^^", "[2] is not an operand: + - * / ** take schedules and numbers"),
        ("9**9**9**9", " " * 6 + "^" * 4, "write the number itself, such as 10000 or 1e-4"),
        ("1 // 2", "^^^^^^", f"this is not allowed here: {RULE}"),
        ("not 1", "^^^^^", f"this is not allowed here: {RULE}"),
        ("1 / 0", "^^^^^", "division by zero"),
        ("[1, 2]", "^^^^^^", "[1, 2], a list, is not a schedule: pass a schedule or a number"),
        ("1e999", "^^^^^", "value is inf: it must be a finite number"),
        ("Linear(1, 0", " " * 6 + "^", f"'(' was never closed: {RULE}"),
        ("", "^", f"invalid syntax: {RULE}"),
        (
            "1 + Linear(1, 0, 2.5)",
            "    " + "^" * 17,
            "steps is 2.5, a float: it counts updates, so it must be an integer\n"
            "Its arguments are (init, end, steps, end_at='steps', past='hold')",
        ),
        ("Linear(1).warmup(3)", "^" * 9, "missing 2 required positional arguments: 'end' and 'steps'"),
        ("Constant(1).clip(2, 1)", "^" * 22, "lo must not be above hi\nIts arguments are (lo=None, hi=None)"),
    ],
)
def test_what_is_refused_is_pointed_at(text, place, message):
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        gs.from_expression(text)
    assert str(refused.value).endswith(f"\n  {text}\n  {place}")


@pytest.mark.parametrize("text", ["-" * 100_000 + "1", "1" + "+1" * 100_000])
def test_deep_nesting_is_refused(text):
    with pytest.raises(ValueError, match="nested too deeply or too large to be read: write it in parts"):
        gs.from_expression(text)


@pytest.mark.parametrize("text", ["Constant(\uff11)", "Constant(1)\0"])
def test_other_characters_are_refused(text):
    with pytest.raises(ValueError, match="has characters beyond ASCII"):
        gs.from_expression(text)


def test_only_text_is_read():
    with pytest.raises(TypeError, match=r"Constant\(value=1.0\), a Constant, is not an expression: pass a text"):
        gs.from_expression(gs.Constant(1))
