"""The unit tests beside the models (`_*__unit_tests.yml`), run on the hand-made warehouse."""

from __future__ import annotations

from tests.warehouse import hand_made


def test_every_formula_gives_what_its_example_says() -> None:
    result = hand_made.built().dbt.test_formulas()
    assert [(n.name, n.message) for n in result.nodes if n.status != "pass"] == []
    assert result.checks_passed >= 13
