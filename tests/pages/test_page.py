"""Pages and the parts they are made of: whole, escaped, in order."""

import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup

from distaff.pages import parts
from distaff.pages.experiment import experiment_page
from distaff.pages.figures import axes
from distaff.pages.page import Section, page

BAD = "<script>alert(1)</script>"


def test_sections_stand_in_order_and_text_is_escaped() -> None:
    text = page(BAD, [BAD], [Section("One", [BAD, Markup("<i>made</i>"), ""]), Section("", ["Two"])])
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 4  # twice as the title
    assert text.index("<h2>One</h2>") < text.index("<i>made</i>") < text.index('<p class="soft">Two</p>')
    assert text.count("<h2>") == 1
    assert text.count("<section>") == 2
    assert "http" not in text


def test_a_reader_who_prefers_dark_gets_every_colour_in_dark() -> None:
    text = page("a", [], [])
    light, dark = text.split("prefers-color-scheme: dark")[:2]
    for name in ("ink", "soft", "ground", "card", "holds", "undecided"):
        assert f"--{name}:" in light
        assert f"--{name}:" in dark


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.12345, "0.123"), (-9.9999, "-10.000"), (0.0012345, "0.00123"), (1e-9, "1e-09"), (1234.5678, "1235"),
     (0.0, "0"), (float("nan"), "–")],
)  # fmt: skip
def test_numbers_keep_three_digits(value: float, words: str) -> None:
    assert parts.number(value) == words


def test_numbers_of_a_table_stand_on_the_right_and_a_short_row_ends_with_its_last_cell() -> None:
    text = parts.table(("name", "value", ""), [("a", 0.5, None), (BAD, "why not")])
    assert '<tr><th>name</th><th class="n">value</th><th></th></tr>' in text
    assert '<tr><td>a</td><td class="n">0.500</td><td>–</td></tr>' in text
    assert "<td colspan=2>why not</td>" in text
    assert "<script" not in text


def test_a_frame_is_a_table_of_its_columns() -> None:
    frame = pd.DataFrame({"seed": [3], "mig": np.array([0.25], np.float32), "why": [None]}, index=["unseen"])
    text = parts.frame_table(frame)
    assert "unseen" not in text
    assert '<td class="n">3</td><td class="n">0.250</td><td>–</td>' in text


VERDICTS = ("holds", "fails", "undecided", "not judged")


def test_the_page_of_an_experiment() -> None:
    claim = {"bound": ">= 0.5", "measured": 0.61234, "low": 0.5, "high": 0.75, "seeds": 3}
    claims = [
        claim | {"claim": f"claim {n}", "verdict": verdict, "foretold": n == 0}
        for n, verdict in enumerate(VERDICTS)
    ]
    result = {
        "scale": "nano",
        "version": "9.9",
        "claims": [*claims, claims[0] | {"measured": None, "low": None, "high": None, "seeds": 0}],
    }
    shown = [
        ("table", "Numbers", pd.DataFrame({"mig": [0.125]})),
        ("figure", "A figure", axes()[0]),
        ("words", "", BAD),
    ]
    text = experiment_page("vae is pca", ["What.", "How."], "two minutes", result, "2 of 4", shown)
    assert "<h1>Vae is pca</h1>" in text
    assert text.index("What.") < text.index("How.") < text.index("Scale nano: two minutes. distaff 9.9.")
    assert "Claims that hold: 2 of 4" in text
    numbers = '<td class="n">0.612</td><td>0.500 to 0.750</td><td class="n">3</td>'
    for n, verdict in enumerate(VERDICTS):
        words = f'<td>claim {n}</td><td><span class="{verdict}">{verdict}</span></td>'
        when = f"<td>{'after' if n else 'before'}</td>"
        assert f'<tr>{words}<td><span class="n">&gt;= 0.5</span></td>{numbers}{when}</tr>' in text
    assert '<td class="n">–</td><td></td><td class="n">exact</td>' in text
    assert '<td class="n">0.125</td>' in text
    assert 'aria-label="A figure"' in text
    assert "&lt;script&gt;" in text
    assert "<script" not in text
