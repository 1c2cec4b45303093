"""The example of every metric's docstring gives the number that stands there."""

import doctest

import pytest

from distaff import registry


@pytest.mark.parametrize("name", registry.names("metrics"))
def test_the_example_gives_its_number(name: str) -> None:
    function = registry.get("metrics", name)
    (found,) = doctest.DocTestFinder(recurse=False).find(function, name, globs={name: function})
    assert any(f"{name}(" in example.source for example in found.examples), "there is an example"
    assert any(character.isdigit() for character in found.examples[-1].want), "with its number"
    report: list[str] = []
    failed = doctest.DocTestRunner().run(found, out=report.append).failed
    assert not failed, "".join(report)
