"""What tests of the card need now and then."""

import pytest

from distaff.scoring.measure import HALVES


@pytest.fixture
def no_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cards with values, chance and ceiling, and without what takes most of their time."""
    for cost in HALVES:
        monkeypatch.setitem(HALVES, cost, 0)
