"""Conclusions come from the figures: shuffled among forces and years, they tell nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import crime_analysis as ca
from crime_analysis import catalog

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
LINKS = ("05-funding-to-officers", "06-officers-to-violence", "07-the-chain")


def shuffle(folder: Path, table: str, columns: list[str], within: list[str], seed: int) -> None:
    """Permute the figures of a shipped table among its rows, and describe the file anew."""
    path = folder / f"{table}.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    rng = np.random.default_rng(seed)
    for _, part in frame.groupby(within):
        order = rng.permutation(len(part))
        frame.loc[part.index, columns] = part[columns].to_numpy()[order]
    frame.to_csv(path, index=False, lineterminator="\n")
    described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    entry = next(r for r in described["resources"] if r["name"] == table)
    content = path.read_bytes()
    entry["hash"] = f"sha256:{hashlib.sha256(content).hexdigest()}"
    entry["bytes"] = len(content)
    (folder / "datapackage.json").write_text(json.dumps(described), encoding="utf-8")


@pytest.fixture(scope="module")
def shuffled(tmp_path_factory):
    """Officers and offences of each year dealt out anew among the forces."""
    folder = tmp_path_factory.mktemp("shuffled") / "data"
    shutil.copytree(catalog.data_folder(), folder)
    counts = [c for c in catalog.load("officers").columns if c.endswith(("_fte", "_headcount"))]
    assert counts
    shuffle(folder, "officers", counts, ["date"], seed=2018)
    shuffle(folder, "recorded_crime", ["offences"], ["financial_year", "offence_group"], seed=2018)
    return folder


def test_the_conclusions_of_shuffled_figures_are_that_they_cannot_tell(
    shuffled, tmp_path, monkeypatch
):
    monkeypatch.setenv("CRIME_ANALYSIS_DATA", str(shuffled))
    said = {}
    for name in LINKS:
        (result,) = ca.render(NOTEBOOKS / f"{name}.ipynb", out=tmp_path, progress=False).results
        said[name] = result.records["verdict"]
        assert "cannot tell" in result.html.read_text(encoding="utf-8")
    assert said == dict.fromkeys(LINKS, "cannot tell")
