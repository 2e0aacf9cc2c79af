"""How often intervals hold the truth: the stored table, and that its command makes it again."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).parent
STORED = pd.read_csv(FOLDER / "reference" / "coverage.csv")
KEY = ["method", "design", "term", "size"]


@pytest.fixture(scope="module")
def coverage() -> Iterator[ModuleType]:
    """The command that made the table, as a module."""
    path = FOLDER.parent / "benchmarks" / "interval_coverage.py"
    spec = importlib.util.spec_from_file_location("coverage_benchmark", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


class TestTheStoredTable:
    def test_every_method_has_every_design_and_size_once(self, coverage: ModuleType) -> None:
        expected = {
            (method, design, "x", size)
            for method in ("fit_panel", "wild_bootstrap")
            for design in coverage.PANELS
            for size in (8, 20, 43)
        } | {
            ("interrupted_series", design, term, size)
            for design in coverage.MEMORIES
            for term in ("level_change", "slope_change")
            for size in (60, 120, 200)
        }
        assert set(STORED[KEY].itertuples(index=False, name=None)) == expected
        assert len(STORED) == len(expected)

    def test_it_says_how_sure_its_shares_are(self) -> None:
        share = STORED["covered"] / STORED["replications"]
        assert (STORED["replications"] >= 1000).all()
        np.testing.assert_allclose(STORED["coverage"], share, atol=5.1e-5)
        error = np.sqrt(share * (1 - share) / STORED["replications"])
        np.testing.assert_allclose(STORED["mc_error"], error, atol=5.1e-5)
        assert STORED["seed"].nunique() == 1

    def test_the_wild_bootstraps_intervals_hold_the_truth_in_93_to_97_of_100(self) -> None:
        rows = STORED[STORED["method"] == "wild_bootstrap"]
        doubt = 2 * rows["mc_error"]
        assert (rows["coverage"] + doubt >= 0.93).all()
        assert (rows["coverage"] - doubt <= 0.97).all()

    @pytest.mark.parametrize("method", ["fit_panel", "interrupted_series"])
    def test_no_other_interval_is_far_from_its_level(self, method: str) -> None:
        shares = STORED.loc[STORED["method"] == method, "coverage"]
        assert shares.between(0.88, 0.99).all()

    def test_it_names_the_versions_that_made_it(self) -> None:
        lines = (FOLDER / "reference" / "coverage.versions.txt").read_text().splitlines()
        assert {"python", "numpy", "pandas", "scipy", "statsmodels", "pyfixest"} == {
            line.split()[0] for line in lines
        }


class TestTheCommand:
    @pytest.mark.parametrize(
        ("design", "size"), [("continuous", 8), ("dose x post", 20), ("counts, memory 0.6", 60)]
    )
    def test_its_first_replications_come_out_as_stored(
        self, coverage: ModuleType, design: str, size: int
    ) -> None:
        seed = int(STORED["seed"].iloc[0])
        column = f"covered_in_first_{coverage.FIRST}"
        again = coverage.block((design, size, seed, range(coverage.FIRST)))
        rows = pd.DataFrame(coverage.summarise(design, size, seed, again))
        stored = STORED[(STORED["design"] == design) & (STORED["size"] == size)]
        assert dict(zip(rows["term"] + rows["method"], rows["covered"], strict=True)) == dict(
            zip(stored["term"] + stored["method"], stored[column], strict=True)
        )
