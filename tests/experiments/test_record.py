import json
import math
from pathlib import Path

import pytest

from experiments.record import Peer, Scribe, write_json
from experiments.targets import LIMITS

FIELDS = {
    "experiment", "name", "value", "unit", "peer", "peer_value", "ratio", "target", "met", "key_bits", "seed", "commit",
    "machine",
}  # fmt: skip
SCRIBE = Scribe("trial", 2048, 7)


def test_a_record_has_exactly_its_fields_and_survives_json(tmp_path: Path) -> None:
    record = SCRIBE.record("addition", 3.0, "us", peer=Peer("product", 2.0), limit=LIMITS["addition"])
    write_json(tmp_path / "records.json", [record])
    (read,) = json.loads((tmp_path / "records.json").read_text())
    assert set(read) == FIELDS
    assert set(read["machine"]) == {"cpu", "cores", "python", "numpy", "gmpy2"}
    assert (read["value"], read["ratio"], read["target"], read["met"]) == (3.0, 1.5, "ratio <= 1.5", True)
    assert (read["experiment"], read["key_bits"], read["seed"]) == ("trial", 2048, 7)


def test_what_there_is_not_is_null() -> None:
    record = SCRIBE.record("rounds", 3, "rounds", keyless=True)
    assert (record.peer, record.peer_value, record.ratio, record.target, record.met, record.key_bits) == (None,) * 6


def test_a_missed_target_says_so() -> None:
    assert SCRIBE.record("encryption", 0.61, "ms", limit=LIMITS["encrypt T1"]).met is False


def test_a_target_about_another_key_size_is_left_out() -> None:
    small = Scribe("trial", 1024, 7)
    assert small.record("encryption", 0.1, "ms", limit=LIMITS["encrypt T1"]).target is None
    assert small.record("product", 0.01, "us", limit=LIMITS["product"]).met is True


def test_a_peer_of_zero_gives_no_ratio() -> None:
    assert SCRIBE.record("differing", 0, "records", peer=Peer("none", 0)).ratio is None


def test_a_unit_that_is_not_the_targets_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="its target is in 'ms'"):
        SCRIBE.record("encryption", 1.0, "us", limit=LIMITS["encrypt T1"])


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_no_measurement(value: float) -> None:
    with pytest.raises(ValueError, match="no measurement"):
        SCRIBE.record("encryption", value, "ms")
