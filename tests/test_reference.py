"""Estimates against R's, stored with the script that made them (tests/reference)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crime_analysis.models.fit import Fit
from crime_analysis.models.panel_regression import fit_panel
from crime_analysis.models.transformed import between, first_differences

FOLDER = Path(__file__).parent / "reference"
PANEL = pd.read_csv(FOLDER / "grunfeld.csv").assign(
    count=lambda d: d["inv"].round(), log_capital=lambda d: np.log(d["capital"])
)
TWO = "inv ~ value + capital | firm + year"
MODELS: dict[str, Callable[[], Fit]] = {
    "first differences, classical": lambda: first_differences(
        "inv ~ value + capital", PANEL, unit="firm", time="year", errors="classical"
    ),
    "between, classical": lambda: between(
        "inv ~ value + capital", PANEL, unit="firm", errors="classical"
    ),
    "unit effects, classical": lambda: fit_panel(
        "inv ~ value + capital | firm", PANEL, errors="classical"
    ),
    "unit and year effects, classical": lambda: fit_panel(TWO, PANEL, errors="classical"),
    "unit and year effects, clustered, no factor": lambda: fit_panel(
        TWO, PANEL, cluster="firm", small_sample="none"
    ),
    "dummies, clustered, every dummy counted": lambda: fit_panel(
        TWO, PANEL, cluster="firm", small_sample="all"
    ),
    "dummies, robust HC1": lambda: fit_panel(TWO, PANEL),
    "weighted, unit effects, clustered, every dummy counted": lambda: fit_panel(
        "inv ~ value + capital | firm", PANEL, cluster="firm", weights="value", small_sample="all"
    ),
    "instrumented, unit effects, clustered, no factor": lambda: fit_panel(
        "inv ~ 1 | firm | value ~ capital", PANEL, cluster="firm", small_sample="none"
    ),
    "poisson, unit effects, clustered, no factor": lambda: fit_panel(
        "count ~ log(value) | firm", PANEL, cluster="firm", family="poisson", small_sample="none"
    ),
    "poisson, offset": lambda: fit_panel(
        "count ~ log(value)", PANEL, family="poisson", offset="log_capital", small_sample="none"
    ),
    "negative binomial, unit effects": lambda: fit_panel(
        "count ~ log(value) | firm", PANEL, family="negative_binomial", errors="classical"
    ),
}


@pytest.mark.parametrize("model", MODELS)
def test_estimates_and_errors_are_those_of_r(model: str) -> None:
    stored = pd.read_csv(FOLDER / "panel_models.csv").query("model == @model").set_index("term")
    stored = stored.rename(index={"(Intercept)": "Intercept"})
    ours = MODELS[model]().tidy().loc[stored.index]
    # Maximum likelihood ends where each program's search ends.
    close = 1e-5 if "negative" in model else 1e-8
    np.testing.assert_allclose(ours["estimate"], stored["estimate"], rtol=close)
    known = stored["std_error"].notna().to_numpy()
    np.testing.assert_allclose(
        ours.loc[known, "std_error"], stored.loc[known, "std_error"], rtol=1e-6
    )


def test_every_stored_model_is_compared() -> None:
    assert set(pd.read_csv(FOLDER / "panel_models.csv")["model"]) == set(MODELS)
