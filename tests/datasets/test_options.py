"""Options of data sets, whatever NumPy or Python makes of them."""

import json

import numpy as np
import pytest

from distaff.datasets import load_dataset
from distaff.errors import BadInput


def test_what_is_numpys_is_recorded_as_pythons() -> None:
    given = {"x": np.arange(3), "y": range(2), "scale": np.int64(2), "orientation": (0, 1)}
    data = load_dataset("dsprites", resolution=16, **given, held_out={"x": np.array([1])}, hide=("shape",))
    options = json.loads(json.dumps(data.spec))["options"]
    assert options["x"] == [0, 1, 2]
    assert options["held_out"] == {"x": [1]}
    assert load_dataset("dsprites", **options).fingerprint() == data.fingerprint()


def test_a_tuple_of_factors_is_a_list_of_them() -> None:
    small = {"resolution": 16, "x": 4, "y": 4, "scale": 1, "orientation": 1}
    drawn = [
        load_dataset("dsprites", **small, correlate={"factors": names, "sigma": 0.2}).draw(
            50, np.random.default_rng(0)
        )
        for names in (("x", "y"), ["x", "y"])
    ]
    np.testing.assert_array_equal(*drawn)
    for hide in (("lighting",), ["lighting"]):  # the instance is hidden anyway
        assert load_dataset("smallnorb_drawn", hide=hide).label_names == ("category", "elevation", "azimuth")


@pytest.mark.parametrize("value", [object(), print])
def test_what_no_file_can_hold_is_refused(value: object) -> None:
    with pytest.raises(BadInput, match="must be numbers, text, or lists or tables of these"):
        load_dataset("dsprites", x=value)
