"""Papers named in docstrings are identified, each by the one number it has."""

import ast
import re
from pathlib import Path

import pytest

from distaff import registry

SOURCE = Path(registry.__file__).parent
ROOMS = ("batches", "datasets", "evaluation", "methods", "metrics", "networks", "studies", "testing")
FILES = sorted(path for room in ROOMS for path in (SOURCE / room).rglob("*.py"))

#: by authors and year; several where the authors had several papers that year, none where no number is known
PAPERS = {
    "Alonso 2026": ("arXiv:2602.14687",),  # Chanin and Garriga-Alonso
    "Aubry et al. 2014": ("doi:10.1109/CVPR.2014.487",),
    "Baldi and Hornik 1989": ("doi:10.1016/0893-6080(89)90014-2",),
    "Barrett et al. 2018": ("arXiv:1807.04225",),
    "Beck and Teboulle 2009": ("doi:10.1137/080716542",),
    "Bengio et al. 2013": ("arXiv:1207.4404",),
    "Bengio et al. 2017": ("arXiv:1703.07718",),
    "Bouchacourt et al. 2018": ("arXiv:1705.08841",),
    "Brady et al. 2023": ("arXiv:2305.14229",),
    "Burda et al. 2016": ("arXiv:1509.00519",),
    "Burgess and Kim 2018": ("github.com/google-deepmind/3d-shapes",),
    "Burgess et al. 2018": ("arXiv:1804.03599",),
    "Cao et al. 2022": ("arXiv:2206.04756",),
    "Chan et al. 1983": ("doi:10.1080/00031305.1983.10483115",),
    "Chen et al. 2016": ("arXiv:1606.03657",),
    "Chen et al. 2018": ("arXiv:1802.04942",),
    "Cover and Hart 1967": ("doi:10.1109/TIT.1967.1053964",),
    "De Mol 2004": ("doi:10.1002/cpa.20042",),
    "Do and Tran 2020": ("arXiv:1908.09961",),
    "Duan et al. 2020": ("arXiv:1905.12614",),
    "Eastwood et al. 2023": ("arXiv:2210.00364",),
    "Eastwood and Williams 2018": ("openreview:By-7dz-AZ",),
    "Fayyad and Irani 1992": ("doi:10.1007/BF00994007",),
    "Friedman 2001": ("doi:10.1214/aos/1013203451",),
    "Gondal et al. 2019": ("arXiv:1906.03292",),
    "Gulrajani et al. 2017": ("arXiv:1704.00028",),
    "Higgins et al. 2017": ("openreview:Sy2fzU9gl", "arXiv:1707.08475"),
    "Higgins et al. 2018": ("arXiv:1812.02230", "arXiv:1707.03389"),
    "Hinton 2002": ("doi:10.1162/089976602760128018",),
    "Hosoya 2019": ("arXiv:1809.02383",),
    "Hotelling 1936": ("doi:10.1093/biomet/28.3-4.321",),
    "Hoyer 2004": ("arXiv:cs/0408058",),
    "Hsu et al. 2023": ("arXiv:2305.18378",),
    "Hu et al. 2021": ("arXiv:2002.06838",),
    "Huang et al. 2024": ("arXiv:2402.17700",),
    "Hyvarinen and Morioka 2016": ("arXiv:1605.06336",),
    "Hyvarinen and Oja 2000": ("doi:10.1016/S0893-6080(00)00026-5",),
    "Karvonen et al. 2025": ("arXiv:2503.09532",),
    "Kim and Mnih 2018": ("arXiv:1802.05983",),
    "Kingma and Welling 2014": ("arXiv:1312.6114",),
    "Klindt et al. 2021": ("arXiv:2007.10930",),
    "Kulkarni et al. 2015": ("arXiv:1503.03167",),
    "Kumar et al. 2018": ("arXiv:1711.00848",),
    "LeCun et al. 2004": ("doi:10.1109/CVPR.2004.1315150",),
    "Li et al. 2020": ("arXiv:2002.10549",),
    "Liu et al. 2015": ("arXiv:1411.7766",),
    "Locatello et al. 2019": ("arXiv:1811.12359",),
    "Locatello et al. 2019b": ("arXiv:1905.13662",),
    "Locatello et al. 2020": ("arXiv:1905.01258", "arXiv:2002.02886", "arXiv:2010.14766"),
    "Maaten and Hinton 2008": ("JMLR 9:2579",),
    "Mairal et al. 2009": ("doi:10.1145/1553374.1553463",),
    "Mangasarian 2002": ("doi:10.1080/1055678021000028375",),
    "Matthey et al. 2017": ("github.com/google-deepmind/dsprites-dataset",),
    "Miller 1974": ("doi:10.1093/biomet/61.1.1",),
    "Moinfar and Theis 2024": ("doi:10.1101/2024.11.06.622266",),
    "Netzer et al. 2011": (),
    "Ng 2011": (),
    "Olshausen and Field 1996": ("doi:10.1038/381607a0",),
    "Paige and Saunders 1982": ("doi:10.1145/355984.355989",),
    "Paysan et al. 2009": ("doi:10.1109/AVSS.2009.58",),
    "Phipson and Smyth 2010": ("doi:10.2202/1544-6115.1585",),
    "Reed et al. 2014": ("PMLR 32(2):1431",),
    "Reed et al. 2015": (),
    "Rezende et al. 2014": ("arXiv:1401.4082",),
    "Ridgeway and Mozer 2018": ("arXiv:1802.05312",),
    "Roeder et al. 2021": ("arXiv:2007.00810",),
    "Rolinek et al. 2019": ("arXiv:1812.06775",),
    "Ross 2014": ("doi:10.1371/journal.pone.0087357",),
    "Roth et al. 2023": ("arXiv:2210.07347",),
    "Rousseeuw 1987": ("doi:10.1016/0377-0427(87)90125-7",),
    "Santoro et al. 2017": ("arXiv:1706.01427",),
    "Sepliarskaia et al. 2019": ("arXiv:1910.05587",),
    "Song et al. 2025": ("arXiv:2505.20254",),
    "Steenkiste et al. 2019": ("arXiv:1905.12506",),
    "Suter et al. 2019": ("arXiv:1811.00007",),
    "Suzuki et al. 2017": ("arXiv:1611.01891",),
    "Thomas et al. 2017": ("arXiv:1708.01289",),
    "Tieleman 2008": ("doi:10.1145/1390156.1390290",),
    "Vedantam et al. 2018": ("arXiv:1705.10762",),
    "Vincent et al. 2010": ("JMLR 11:3371",),
    "Kuegelgen et al. 2021": ("arXiv:2106.04619",),
    "Zaidi et al. 2020": ("arXiv:2012.09276",),
    "Zietlow et al. 2020": ("arXiv:2102.06822",),
    "Zimmermann et al. 2021": ("arXiv:2102.08850",),
}
YEAR = r"(?:19|20)\d\d[a-z]?"
NAMED = re.compile(rf"((?!The )(?:[A-Z]\w+ )+(?:et al\. |and (?:[A-Z]\w+ )+)?{YEAR})\b")
NUMBER = re.compile(
    r"(?:doi:|arXiv:|openreview:|JMLR |PMLR |github\.com/)(?:[\w./:-]|\(\w+\))*(?:\w|\(\w+\))"
)


def texts(path: Path) -> list[tuple[str, str]]:
    """Every docstring of a file, and every declared source, with the module's docstring beside it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    whole = ast.get_docstring(tree) or ""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    found = [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, documented)]
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "source" and isinstance(node.value, ast.Constant):
            found.append(str(node.value.value))
    return [(" ".join(text.split()), " ".join(whole.split())) for text in found]


def papers(text: str) -> list[str]:
    """The papers that a text names, as PAPERS has them."""
    return [next((paper for paper in PAPERS if each.endswith(paper)), each) for each in NAMED.findall(text)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_a_docstring_that_names_a_paper_has_its_number(path: Path) -> None:
    for text, whole in texts(path):
        named = papers(text)
        assert set(named) <= PAPERS.keys(), f"a paper that PAPERS here does not know, or no paper: {named}"
        numbered = [paper for paper in named if PAPERS[paper]]
        theirs = {number for paper in named for number in PAPERS[paper]}
        if numbered:
            assert theirs & {*NUMBER.findall(text), *NUMBER.findall(whole)}, f"no number in: {text[:200]}"
        for paper in numbered:
            for number in re.findall(rf"{re.escape(paper)},? \(?({NUMBER.pattern})", text):
                assert number in PAPERS[paper], f"{paper} is not {number}"


def test_every_number_is_that_of_a_known_paper() -> None:
    known = {number for numbers in PAPERS.values() for number in numbers}
    found = {number for path in FILES for text, _ in texts(path) for number in NUMBER.findall(text)}
    assert found == known


@pytest.mark.parametrize("kind", ["methods", "metrics"])
def test_every_method_and_metric_has_a_source(kind: str) -> None:
    for name in registry.names(kind):
        path = SOURCE / kind / f"{name}.py"
        assert any(NUMBER.search(text) for text, _ in texts(path)), f"{name} names no source"
