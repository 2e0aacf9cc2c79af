"""The links of `links` by their headline estimate alone, for reports that are made by the dozen."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis.links import OUTCOMES, WEAK, Link, without_events
from crime_analysis.models.fit import Fit
from crime_analysis.models.panel_regression import fit_panel

__all__ = ["headline_links"]


def headline_links(panel: pd.DataFrame, register: pd.DataFrame) -> dict[str, Link]:
    """Return the links of `links.fit_links` with their headline estimate alone.

    The rule is the same (the instrument if its F is 10 or more, else fixed effects); the rival
    specifications, which take most of the time and which the notebooks on the links show, are
    not fitted.
    """
    paid = panel.dropna(subset=["log_funding_real"])
    found = {
        "officers": _headline(
            "funding", "officers", paid,
            "log_officers_end ~ log_population + log_funding_real | force + financial_year",
            "log_officers_end ~ log_population | force + financial_year"
            " | log_funding_real ~ exposure_all_grants",
        )
    }  # fmt: skip
    for group, (label, family) in OUTCOMES.items():
        touched = register.loc[register["kind"] == "event", "series"].str.contains(group).any()
        rows = without_events(panel, register, group) if touched else panel
        rows = rows.sort_values(["force", "fy_start"], ignore_index=True)
        left = group if family == "poisson" else f"log_{group}_per_1000"
        found[group] = _headline(
            "officers", label, rows,
            f"{left} ~ log_officers_per_1000 | force + financial_year",
            f"{left} ~ 1 | force + financial_year"
            " | log_officers_per_1000 ~ exposure_all_grants_lagged",
            family,
        )  # fmt: skip
    return found


def _headline(
    cause: str, outcome: str, rows: pd.DataFrame, plain: str, instrumented: str, family: str = "ols"
) -> Link:
    """Return a link with one estimate, chosen by the rule of `links`."""
    if family == "ols":
        stage = fit_panel(instrumented, rows, cluster="force", weights="population").first_stage()
        if stage.f_statistic >= WEAK:
            name = "instrument: share of all grants"
            row = {
                "estimate": stage.estimate, "ci_low": stage.ci_low, "ci_high": stage.ci_high,
                "p_value": np.nan, "f_statistic": stage.f_statistic, "nobs": stage.nobs,
                "forces": stage.n_clusters,
            }  # fmt: skip
            table = pd.DataFrame([row], index=pd.Index([name], name="specification"))
            return Link(cause, outcome, table, pd.DataFrame(), name, {name: stage})
    fit: Fit = fit_panel(
        plain, rows, cluster="force", family=family,
        weights=None if family == "poisson" else "population",
        offset="log_population" if family == "poisson" else None,
    )  # fmt: skip
    name = "forces and years (fixed effects)"
    last = fit.tidy().iloc[-1]
    row = {column: last[column] for column in ("estimate", "ci_low", "ci_high", "p_value")}
    row |= {"f_statistic": np.nan, "nobs": fit.nobs, "forces": fit.n_clusters}
    table = pd.DataFrame([row], index=pd.Index([name], name="specification"))
    return Link(cause, outcome, table, pd.DataFrame(), name, {name: fit})
