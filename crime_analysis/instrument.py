"""The funding instrument, whole: who is in it, how strong, what it allows, what came before.

Grants fell by about the same percentage everywhere, so forces that drew more of their money
from government lost more of it. The share before the cuts times the national fall is the
instrument. It can be built, weighted and sampled in several ways, and the answers differ;
`funding_instrument` estimates all of them, so that none is picked.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, UnknownNameError
from crime_analysis.inference.bootstrap import wild_bootstrap
from crime_analysis.inference.instruments import FirstStage
from crime_analysis.instrument_report import InstrumentReport, parted
from crime_analysis.links import LONDON, WEAK
from crime_analysis.models.event_study import event_study
from crime_analysis.models.panel_regression import fit_panel

__all__ = ["InstrumentReport", "funding_instrument"]

SHARES = {"all_grants": "all grants", "formula_grant": "formula grant alone"}
WEIGHTS = {"population": "residents", None: "none"}
#: Endogenous column, in words, its controls and which year's exposure moves it.
CAUSES = {
    "log_funding_real": ("real funding", "log_population", ""),
    "log_officers_per_1000": ("officers per resident", "1", "_lagged"),
}
#: Outcome column: in words, and the cause that is asked about.
OUTCOMES = {
    "log_officers_end": ("officers", "log_funding_real"),
    "log_violence_with_injury_per_1000": ("violence with injury", "log_officers_per_1000"),
    "log_robbery_per_1000": ("robbery", "log_officers_per_1000"),
}
#: What is looked at before the cuts: column, in words, model, offset.
BEFORE = {
    "log_officers_per_1000": ("officers", "ols", None),
    "log_violence_with_injury_per_1000": ("violence with injury", "ols", None),
    "log_robbery_per_1000": ("robbery", "ols", None),
    "log_violence_against_the_person_per_1000": ("violence against the person", "ols", None),
    "homicide": ("homicide", "poisson", "log_population"),
}
WAYS = ["share", "weights", "London"]
Way = tuple[str, str, str, str]


def funding_instrument(
    panel: pd.DataFrame,
    *,
    reference: int = 2010,
    B: int = 1999,
    rng: int | np.random.Generator | None = 0,
) -> InstrumentReport:
    """Estimate the funding instrument in every way that could be defended.

    Share (of all grants, or of formula grant alone) times the national fall in grants, for
    real funding (then the outcome is officers) and for officers per resident (then violence
    with injury, robbery; exposure of the year before); weighted by residents or not; with
    London or without. Force and year effects, errors clustered by force.

    The two-stage estimate is an effect only if the share moves the outcome through the cause
    alone and if forces would have moved alike without the cuts whatever their share. `reading`
    is by rule, the first that holds: ``parted before`` (of outcomes per resident, the joint or
    the linear test of the years before rejects at 5%), ``weak`` (effective F under 10),
    ``cannot tell`` (the Anderson-Rubin set holds zero or is not a bounded interval), else
    ``clear``. Clear of these is not yet an effect (see `checks.run`), and no reading of one way
    stands if the others disagree.

    Do not use it to choose the way that works. Nothing here speaks against rivals that hit
    the same places in the same years, such as welfare reform.

    Parameters
    ----------
    panel : DataFrame
        From `force_panel`, with years before and after `reference`.
    reference : int
        First calendar year of the last financial year before the cuts.
    B : int
        Draws of the wild cluster bootstrap of each reduced form.
    rng : int or Generator, optional
        Seed of the draws.

    Returns
    -------
    InstrumentReport

    Raises
    ------
    UnknownNameError
        If the panel lacks a column.
    ModelError
        If no year lies before `reference`, or a regression cannot be estimated.

    References
    ----------
    Anderson and Rubin (1949); Staiger and Stock (1997); Montiel Olea and Pflueger (2013);
    Callaway, Goodman-Bacon and Sant'Anna (2024).

    Examples
    --------
    >>> import crime_analysis as ca
    >>> report = funding_instrument(ca.force_panel("2007/08", "2013/14"), B=49)
    >>> len(report.strength), len(report.effects), int(report.forces["used"].sum())
    (16, 24, 42)
    """
    needed = ["force", "fy_start", "population", "log_population", *CAUSES, *OUTCOMES, *BEFORE]
    needed += [f"share_{share}" for share in SHARES]
    needed += [f"exposure_{share}{late}" for share in SHARES for _, _, late in CAUSES.values()]
    for column in needed:
        if column not in panel:
            raise UnknownNameError("column", column, panel.columns)
    if not (panel["fy_start"] < reference).any():
        raise ModelError(f"the panel has no year before {reference}; begin force_panel earlier")
    generator = np.random.default_rng(rng)
    ways = list(itertools.product(SHARES, WEIGHTS, (True, False)))
    before = _pre_trends(panel, ways, reference)
    stages: dict[Way, FirstStage] = {}
    strength: dict[Way, dict[str, object]] = {}
    effects: dict[Way, dict[str, object]] = {}
    for outcome, (label, cause) in OUTCOMES.items():
        words, controls, late = CAUSES[cause]
        asked = "officers" if outcome == "log_officers_end" else label
        for share, weights, london in ways:
            way = (SHARES[share], WEIGHTS[weights], "in" if london else "out")
            rows = panel if london else panel[panel["force"] != LONDON]
            instrument = f"exposure_{share}{late}"
            held = "force + financial_year"
            stage = fit_panel(
                f"{outcome} ~ {controls} | {held} | {cause} ~ {instrument}", rows,
                cluster="force", weights=weights,
            ).first_stage()  # fmt: skip
            terms = instrument if controls == "1" else f"{controls} + {instrument}"
            reduced = fit_panel(
                f"{outcome} ~ {terms} | {held}",
                rows.dropna(subset=[cause]), cluster="force", weights=weights,
            )  # fmt: skip
            test = wild_bootstrap(reduced, instrument, B=B, rng=generator, level=None)
            stages[(label, *way)] = stage
            strength[(words, *way)] = _strength(stage)
            effects[(label, *way)] = _effect(
                stage, test.p_value, bool(parted(before.loc[[(asked, *way)]]).iloc[0])
            )
    return InstrumentReport(
        forces=_forces(panel, {stage.n_clusters for stage in stages.values()}),
        strength=_frame(strength, "cause"),
        effects=_frame(effects, "outcome"),
        pre_trends=before,
        reference=reference,
        stages=stages,
    )


def _frame(records: dict[Way, dict[str, object]], first: str) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(records, names=[first, *WAYS])
    return pd.DataFrame(list(records.values()), index=index)


def _strength(stage: FirstStage) -> dict[str, object]:
    row = stage.table.iloc[0]
    return {
        "coefficient": row["estimate"],
        "std_error": row["std_error"],
        "f_statistic": stage.f_statistic,
        "effective_f": stage.effective_f,
        "forces": stage.n_clusters,
        "nobs": stage.nobs,
    }


def _effect(stage: FirstStage, p_value: float, parted: bool) -> dict[str, object]:
    low, high = (stage.ci_low, stage.ci_high) if stage.bounded else (-np.inf, np.inf)
    word = (
        "parted before"
        if parted
        else "weak"
        if stage.effective_f < WEAK
        else "cannot tell"
        if low <= 0 <= high
        else "clear"
    )
    return {
        "estimate": stage.estimate,
        "ci_low": low,
        "ci_high": high,
        "set": _set(stage),
        "effective_f": stage.effective_f,
        "reduced_form": float(stage.reduced_form.iloc[0]),
        "p_value": p_value,
        "reading": word,
    }


def _set(stage: FirstStage) -> str:
    """Return an Anderson-Rubin set in words."""
    return stage.in_words(".2f", "empty").replace("-", "−")


def _pre_trends(
    panel: pd.DataFrame, ways: list[tuple[str, str | None, bool]], reference: int
) -> pd.DataFrame:
    """Return tests, by outcome and way, that outcomes did not part by dose before the cuts."""
    records: dict[Way, dict[str, object]] = {}
    for outcome, (label, family, offset) in BEFORE.items():
        for share, weights, london in ways:
            if family == "poisson" and weights is not None:
                continue  # a count already weighs by its size
            study = event_study(
                panel if london else panel[panel["force"] != LONDON],
                outcome, "force", "fy_start", f"share_{share}", reference,
                family=family, offset=offset, weights=weights,
            )  # fmt: skip
            tests = study.pre_trends()
            line = tests.loc["linear"]
            sd, mean = study.dose_sd, study.average()
            net = study.net_of_trend().loc["average after"]
            way = (SHARES[share], WEIGHTS[weights], "in" if london else "out")
            records[(label, *way)] = {
                "joint_p": tests.loc["joint", "p_value"],
                "slope": line["estimate"] * sd,
                "ci_low": line["ci_low"] * sd,
                "ci_high": line["ci_high"] * sd,
                "slope_p": line["p_value"],
                "after": mean["estimate"] * sd,
                "after_low": mean["ci_low"] * sd,
                "after_high": mean["ci_high"] * sd,
                "net_low": net["ci_low"] * sd,
                "net_high": net["ci_high"] * sd,
            }
    return _frame(records, "outcome")


def _forces(panel: pd.DataFrame, counts: set[int]) -> pd.DataFrame:
    """Return every force of the panel and those it leaves out, with why."""
    columns = ["force", "share_all_grants", "share_formula_grant"]
    shares = panel[columns].drop_duplicates("force").set_index("force").sort_index()
    known = shares.notna().all(axis=1) & panel.groupby("force")["log_funding_real"].any()
    reason = pd.Series(np.where(known, "", "no share or no funding"), index=shares.index)
    table = shares.assign(used=known, reason=reason)
    for force in panel.attrs.get("excluded", ()):
        table.loc[force, ["used", "reason"]] = [False, "too few residents for rates"]
    return table[["used", "reason", *columns[1:]]].astype({"used": bool})
