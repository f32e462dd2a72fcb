import re

import pytest

from experiments.targets import LIMITS, ROWS, Limit, Measure


def test_every_limit_belongs_to_a_row_and_its_number_stands_there() -> None:
    for name, limit in LIMITS.items():
        text = f"{limit.row} {ROWS[limit.row]}".replace(",", "")
        for bound in (limit.low, limit.high):
            if bound is None or name in _WORDED_OTHERWISE:
                continue
            shown = 1 / bound if limit.measure is Measure.RATIO and bound < 0.5 else bound
            assert re.search(rf"(?<![\d.]){shown:g}(?![\d.])", text), (name, shown)


_WORDED_OTHERWISE = {
    "naive Bayes, accuracy",
    "logistic regression, Adult, accuracy",
    "tree, Adult, differing predictions",
}


def test_every_row_with_a_number_has_a_limit() -> None:
    assert set(ROWS) - {limit.row for limit in LIMITS.values()} == {"network"}


@pytest.mark.parametrize(
    ("limit", "value", "peer", "met"),
    [
        (Limit("", Measure.VALUE, None, 2.0, "ms"), 2.0, None, True),
        (Limit("", Measure.VALUE, None, 2.0, "ms"), 2.1, None, False),
        (Limit("", Measure.VALUE, 0.9, 1.1, ""), 0.8, None, False),
        (Limit("", Measure.VALUE, 0.9, 1.1, ""), 1.0, None, True),
        (Limit("", Measure.RATIO, None, 1 / 15, "x"), 1.0, 15.0, True),
        (Limit("", Measure.RATIO, None, 1 / 15, "x"), 1.0, 14.0, False),
        (Limit("", Measure.DIFFERENCE, None, 0.5, ""), 3.0, 3.5, True),
        (Limit("", Measure.DIFFERENCE, None, 0.5, ""), 4.1, 3.5, False),
    ],
)
def test_a_limit_is_met_up_to_its_bounds(limit: Limit, value: float, peer: float | None, met: bool) -> None:
    assert limit.met(value, peer, value / peer if peer else None) is met


@pytest.mark.parametrize("measure", [Measure.RATIO, Measure.DIFFERENCE])
def test_a_comparison_needs_somebody_to_compare_with(measure: Measure) -> None:
    with pytest.raises(ValueError, match="none was measured"):
        Limit("", measure, None, 1.0, "").met(1.0, None, None)


def test_texts() -> None:
    assert LIMITS["encrypt T1"].text == "<= 0.6 ms"
    assert LIMITS["encrypt T1, ratio"].text == "ratio <= 1/15"
    assert LIMITS["addition"].text == "ratio <= 1.5"
    assert LIMITS["growth"].text == ">= 0.9, <= 1.1"
    assert LIMITS["naive Bayes, accuracy"].text == "within 0.002 of peer"
    assert LIMITS["tree, Adult, rounds"].text == "<= 4,000 rounds"
