"""The differences that are claimed, of a table made by hand."""

import pandas as pd
import pytest

from distaff.experiments.desiderata_on_digits import DesiderataOnDigits, differences


def row(codes: str, seed: int, knn: float, silhouette: float, ratio: float = 1.0) -> dict[str, object]:
    values = {"k-NN": knn, "k-NN, plane": 0.5, "silhouette": silhouette, "silhouette, plane": 0.1}
    return {"codes": codes, "seed": seed, "ratio": ratio, **values}


def test_codes_are_compared_with_others_of_the_same_seed() -> None:
    rows = [
        row("vae", 0, 0.9, 0.4, 0.7),
        row("vae", 1, 0.8, 0.3, 0.6),
        row("untrained", 1, 0.3, 0.0),  # runs may come in any order
        row("untrained", 0, 0.5, 0.2),
        row("pca", 0, 0.95, 0.1),
        row("pca", 1, 0.7, 0.2),
    ]
    found = {key: values.sort_index().tolist() for key, values in differences(pd.DataFrame(rows)).items()}
    expected = {
        "knn_plane": [0.4, 0.3],
        "knn_untrained": [0.4, 0.5],
        "knn_pca": [-0.05, 0.1],
        "silhouette_plane": [0.3, 0.2],
        "silhouette_untrained": [0.2, 0.3],
        "silhouette_pca": [0.3, 0.1],
        "midpoints": [0.7, 0.6],
    }
    assert found == {key: pytest.approx(values) for key, values in expected.items()}
    assert found.keys() == {claim.key for claim in DesiderataOnDigits().claims}
