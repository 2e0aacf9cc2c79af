"""The links: funding to officers, and officers to violence.

Each link is estimated across forces and years in more than one way, and the headline is chosen
by rule: the instrumented estimate if its first stage is strong (F of 10 or more), the
fixed-effects association otherwise. `implied` carries both through to violence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis import breaks
from crime_analysis.errors import ModelError, UnknownNameError
from crime_analysis.inference.instruments import FirstStage
from crime_analysis.models.fit import Fit
from crime_analysis.models.panel_regression import fit_panel

__all__ = [
    "OUTCOMES",
    "Effect",
    "Link",
    "fit_links",
    "funding_to_officers",
    "officers_to_violence",
    "verdict",
    "without_events",
]

#: Outcomes that the second link knows: how to name them, and the model for their counts.
#: Homicides are few, so their counts are modelled (Poisson), never the log of a count plus one.
OUTCOMES: dict[str, tuple[str, str]] = {
    "violence_with_injury": ("violence with injury", "ols"),
    "robbery": ("robbery", "ols"),
    "homicide": ("homicide", "poisson"),
}
#: Staiger and Stock's (1997) rule: below this F an instrument is too weak to lean on.
WEAK = 10.0
LONDON = "Metropolitan Police"
_SHARES = {"all_grants": "all grants", "formula_grant": "formula grant alone"}


@dataclass(frozen=True)
class Effect:
    """A table of numbers and the sentence that they produce; the two travel together."""

    table: pd.DataFrame
    text: str


@dataclass(frozen=True)
class Link:
    """One link of the chain, estimated in several ways.

    Attributes
    ----------
    cause, outcome : str
        In words.
    table : DataFrame
        By ``specification``: ``estimate`` (elasticity), ``ci_low``, ``ci_high``, ``p_value``,
        ``f_statistic`` (instruments only), ``nobs``, ``forces``.
    first_stages : DataFrame
        By ``share`` and ``London``: coefficient of the instrument, F, and the instrumented
        elasticity with its Anderson-Rubin interval.
    headline : str
        The specification chosen by rule.
    fits : dict
        The `Fit` or `FirstStage` behind each specification.
    """

    cause: str
    outcome: str
    table: pd.DataFrame
    first_stages: pd.DataFrame
    headline: str
    fits: dict[str, Fit | FirstStage]

    def draws(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Return simulated elasticities of the headline specification."""
        fit = self.fits[self.headline]
        if isinstance(fit, FirstStage):
            return fit.draws(size, rng)
        row = fit.tidy().iloc[-1]
        return row["estimate"] + row["std_error"] * rng.standard_t(fit.degrees_of_freedom, size)


def verdict(low: float, high: float) -> str:
    """Return ``association`` if an interval is bounded and clear of zero, else ``cannot tell``.

    Examples
    --------
    >>> verdict(0.4, 1.9), verdict(-0.8, 0.4), verdict(-np.inf, np.inf)
    ('association', 'cannot tell', 'cannot tell')
    """
    clear = np.isfinite(low) and np.isfinite(high) and low <= high and not low <= 0 <= high
    return "association" if clear else "cannot tell"


def without_events(panel: pd.DataFrame, register: pd.DataFrame, group: str) -> pd.DataFrame:
    """Return the panel with an offence group missing where one event dominates the count.

    Parameters
    ----------
    panel : DataFrame
        From `force_panel`.
    register : DataFrame
        The shipped table ``breaks``; its entries of kind ``event`` are used.
    group : str
        An offence group.
    """
    events = breaks.affecting(register, "recorded_crime", group).query("kind == 'event'")
    panel = panel.copy()
    panel[group] = panel[group].astype(float)
    for event in events.itertuples():
        hit = panel["force"].isin(str(event.places).split(";")) & (
            panel["financial_year"] == breaks.financial_year(str(event.date))
        )
        panel.loc[hit, group] = np.nan
    return panel


def funding_to_officers(panel: pd.DataFrame, weights: str | None = "population") -> Link:
    """Estimate how officers move with real funding: the first link.

    Three ways: the change from the first to the last year with funding, across forces; force
    and year fixed effects; and the same with funding instrumented by the government's share
    of it in 2009/10 times the national fall in grants. Officers are those in post at the end
    of the year that the money paid for; residents are held constant; errors are clustered by
    force.

    Parameters
    ----------
    panel : DataFrame
        From `force_panel`.
    weights : str, optional
        Column by which forces count; None for all alike. By residents an officer counts the
        same wherever, and London counts for a sixth of all: see the rows without it in
        `Link.first_stages`.

    Returns
    -------
    Link
        Elasticities: per cent more officers for one per cent more real funding.

    Raises
    ------
    UnknownNameError
        If the panel lacks the column of weights.
    ModelError
        If fewer than two years of the panel have funding.

    Notes
    -----
    An effect only if the share moved officers through money alone and forces of different
    shares would otherwise have moved alike (a dose-response difference-in-differences); not to
    be read for one force's own choice of how to spend. Gearing of the 2010 cuts: Crawford,
    Disney and Innes (2015).

    Examples
    --------
    >>> import crime_analysis as ca
    >>> funding_to_officers(ca.force_panel()).headline
    'instrument: share of all grants'
    >>> alike = funding_to_officers(ca.force_panel(), weights=None)
    >>> alike.table.loc[alike.headline, "f_statistic"] > 10
    np.True_
    """
    if weights is not None and weights not in panel:
        raise UnknownNameError("column", weights, map(str, panel.columns), "the panel")
    rows = panel.dropna(subset=["log_funding_real"])
    years = sorted(rows["fy_start"].unique())
    if len(years) < 2:
        raise ModelError("the panel has no two years with funding; widen its span of years")
    ends = rows[rows["fy_start"].isin([years[0], years[-1]])].sort_values(["force", "fy_start"])
    columns = ["log_officers_end", "log_funding_real", "log_population"]
    change = ends.groupby("force")[columns].agg(lambda pair: pair.iloc[-1] - pair.iloc[0])
    if weights is not None:
        change[weights] = ends.groupby("force")[weights].first()
    labels = [
        rows.loc[rows["fy_start"] == y, "financial_year"].iloc[0] for y in (years[0], years[-1])
    ]

    across = f"change {labels[0]} to {labels[1]}, across forces"
    within = "forces and years (fixed effects)"
    fits: dict[str, Fit | FirstStage] = {
        across: fit_panel(
            "log_officers_end ~ log_population + log_funding_real",
            change.reset_index(),
            weights=weights,
            keys=["force"],
        ),
        within: fit_panel(
            "log_officers_end ~ log_population + log_funding_real | force + financial_year",
            rows,
            cluster="force",
            weights=weights,
        ),
    }
    formula = "log_officers_end ~ log_population | force + financial_year | log_funding_real ~ "
    return _link("funding", "officers", fits, within, formula, "exposure_{}", rows, weights)


def officers_to_violence(
    panel: pd.DataFrame, outcome: str, register: pd.DataFrame | None = None
) -> Link:
    """Estimate how recorded violence moves with officers: the second link.

    Force and year fixed effects, weighted by residents, errors clustered by force. Officers
    are those in post on the 31 March before the year, and, as a second reading, a year
    earlier still. The instrument for officers is last year's exposure to the national fall in
    grants. Homicide is a Poisson model of the count, which takes no instrument here.

    Parameters
    ----------
    panel : DataFrame
        From `force_panel`.
    outcome : str
        One of `OUTCOMES`.
    register : DataFrame, optional
        The shipped table ``breaks``; years that one event dominates are left out.

    Returns
    -------
    Link
        Elasticities: per cent more violence per resident for one per cent more officers per
        resident.

    Raises
    ------
    UnknownNameError
        If `outcome` is not known, with the nearest ones.

    Notes
    -----
    An effect only if violence does not move officers and nothing else moves both; recorded
    violence also moves with recording (HMIC 2014), and more officers record more of it
    (Vollaard and Hamed 2012), so the sign can be wrong. Not for recorded violence alone: read
    homicide beside it.

    Examples
    --------
    >>> import crime_analysis as ca
    >>> officers_to_violence(ca.force_panel(), "homicide").table["f_statistic"].isna().all()
    np.True_
    """
    if outcome not in OUTCOMES:
        raise UnknownNameError("outcome", outcome, OUTCOMES)
    label, family = OUTCOMES[outcome]
    rows = panel if register is None else without_events(panel, register, outcome)
    rows = rows.sort_values(["force", "fy_start"], ignore_index=True)
    rows["log_officers_per_1000_lagged"] = rows.groupby("force")["log_officers_per_1000"].shift()

    now = "forces and years (fixed effects)"
    before = "the same, officers a year earlier"
    fits: dict[str, Fit | FirstStage] = {}
    for name, term in ((now, "log_officers_per_1000"), (before, "log_officers_per_1000_lagged")):
        left = outcome if family == "poisson" else f"log_{outcome}_per_1000"
        fits[name] = fit_panel(
            f"{left} ~ {term} | force + financial_year",
            rows,
            cluster="force",
            family=family,
            weights=None if family == "poisson" else "population",
            offset="log_population" if family == "poisson" else None,
        )
    formula = ""
    if family == "ols":
        formula = f"log_{outcome}_per_1000 ~ 1 | force + financial_year | log_officers_per_1000 ~ "
    return _link("officers", label, fits, now, formula, "exposure_{}_lagged", rows, "population")


def fit_links(panel: pd.DataFrame, register: pd.DataFrame) -> dict[str, Link]:
    """Estimate the first link and the second for every outcome.

    Returns
    -------
    dict
        ``"officers"``: `funding_to_officers`; then one `officers_to_violence` an outcome.

    Examples
    --------
    >>> import crime_analysis as ca
    >>> list(fit_links(ca.force_panel(), ca.load("breaks")))
    ['officers', 'violence_with_injury', 'robbery', 'homicide']
    """
    fitted = {"officers": funding_to_officers(panel)}
    return fitted | {name: officers_to_violence(panel, name, register) for name in OUTCOMES}


def _link(
    cause: str,
    outcome: str,
    fits: dict[str, Fit | FirstStage],
    fallback: str,
    formula: str,
    instrument: str,
    rows: pd.DataFrame,
    weights: str | None,
) -> Link:
    """Add instrumented estimates and first stages, tabulate, choose the headline by rule."""
    stages, headline = [], fallback
    for share, words in _SHARES.items() if formula else ():
        for with_london in (True, False):
            data = rows if with_london else rows[rows["force"] != LONDON]
            stage = fit_panel(
                formula + instrument.format(share), data, cluster="force", weights=weights
            ).first_stage()
            if with_london:
                name = f"instrument: share of {words}"
                fits[name] = stage
                if share == "all_grants" and stage.f_statistic >= WEAK:
                    headline = name
            stages.append(
                {
                    "share": words,
                    "London": "in" if with_london else "out",
                    "coefficient": stage.first_stage.iloc[0],
                    "f_statistic": stage.f_statistic,
                    "elasticity": stage.estimate,
                    "ci_low": stage.ci_low,
                    "ci_high": stage.ci_high,
                    "forces": stage.n_clusters,
                }
            )
    records = {}
    for name, fit in fits.items():
        if isinstance(fit, FirstStage):
            records[name] = {
                "estimate": fit.estimate, "ci_low": fit.ci_low, "ci_high": fit.ci_high,
                "p_value": np.nan, "f_statistic": fit.f_statistic, "nobs": fit.nobs,
                "forces": fit.n_clusters,
            }  # fmt: skip
        else:
            row = fit.tidy().iloc[-1]
            records[name] = {
                "estimate": row["estimate"], "ci_low": row["ci_low"], "ci_high": row["ci_high"],
                "p_value": row["p_value"], "f_statistic": np.nan, "nobs": fit.nobs,
                "forces": fit.n_clusters or fit.nobs,
            }  # fmt: skip
    table = pd.DataFrame.from_dict(records, orient="index").rename_axis("specification")
    return Link(cause, outcome, table, pd.DataFrame(stages), headline, fits)
