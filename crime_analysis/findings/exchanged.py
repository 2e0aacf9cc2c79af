"""Links tested by exchange: whole courses of the cause given to other forces at random.

Nothing links a force's officers to another force's money. Whatever an estimate still finds in
such figures, it finds by chance: how often it would is its rate of false alarms, and how often
as much as in the real ones is a p-value that leans on no formula for few and unequal forces
(randomisation inference: Fisher 1935; Young 2019).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from crime_analysis import checks
from crime_analysis.findings.link_evidence import HELD, Evidence
from crime_analysis.inference.bootstrap import wild_bootstrap
from crime_analysis.inference.randomisation import RandomisationTest, randomisation_test
from crime_analysis.models.fit import Fit

__all__ = ["DRAWS", "NOMINAL", "alarms", "false_alarms", "few_clusters", "stream"]

#: How often a 95% interval leaves zero out where there is nothing, if it is honest.
NOMINAL = 0.05
#: Exchanges of a link and their seed, the same on every page: one question has one answer.
DRAWS, SEED = 499, 2018


def alarms(evidence: Evidence, draws: int = DRAWS, rng: int = SEED) -> pd.Series:
    """Count how often one link's intervals leave zero out in exchanged figures.

    It tells what a nominal 95% is worth for these forces: as `false_alarms`, of one link, with
    the same draws.

    Parameters
    ----------
    evidence : Evidence
        From `link_evidence`.
    draws, rng : int
        Exchanges and their seed.

    Returns
    -------
    Series
        A row of `false_alarms`.

    Examples
    --------
    >>> import crime_analysis as ca
    >>> from crime_analysis.findings.link_evidence import funding_evidence
    >>> found = alarms(funding_evidence(ca.force_panel(), "2009/10", "2017/18"), 99)
    >>> bool(found["alarms"] <= found["exchanges"] == 99)
    True
    """
    return _counted(*_read(evidence, draws, rng))


def false_alarms(
    first: Evidence, second: Evidence, draws: int = DRAWS, rng: int = SEED
) -> pd.DataFrame:
    """Count how often the links and the chain read as associations in exchanged figures.

    Each draw gives every force another's course of money (with its share of grants, so with
    its exposure to the cuts), and another's course of officers to each force's violence. A link
    reads as an association where its headline's 95% interval, of an instrument the
    Anderson-Rubin set, leaves zero out; the chain where both do. Checks are not run again: they
    could only lower the count.

    The Anderson-Rubin set leaves zero out exactly where the regression of the outcome on the
    instrument does; its first stage is exchanged as a whole and so stays strong. For counts the
    score of the cause stands for its t.

    Parameters
    ----------
    first, second : Evidence
        From `link_evidence.funding_evidence` and `link_evidence.violence_evidence`.
    draws : int
        Exchanges.
    rng : int
        Seed; the links are exchanged apart from each other, each by a stream of its own.

    Returns
    -------
    DataFrame
        By ``link`` (first, second, chain): ``exchanges``, ``alarms``, ``share`` with its
        ``ci_low`` and ``ci_high`` (95%, Clopper and Pearson 1934), and ``p_value``: in what
        share of exchanges the test statistic is as far from zero as the observed one (not for
        the chain).

    Notes
    -----
    Nobody drew lots over grants: this asks whether forces that could be exchanged would often
    show as much, no more. It speaks of the width of intervals, and not of bias.
    """
    (one, p_one), (two, p_two) = (_read(evidence, draws, rng) for evidence in (first, second))
    count = min(len(one), len(two))
    rows = {
        "first": _counted(one, p_one),
        "second": _counted(two, p_two),
        "chain": _counted(one[:count] & two[:count]),
    }
    return pd.DataFrame(rows).T.rename_axis("link")


def _read(evidence: Evidence, draws: int, rng: int) -> tuple[np.ndarray, float]:
    """Return which exchanges read as an association, and the p-value of the real figures."""
    from scipy import stats

    chosen = evidence.headline is not evidence.plain and evidence.reduced is not None
    fit = evidence.reduced if chosen and evidence.reduced is not None else evidence.plain
    term = evidence.exposure if chosen else evidence.term
    test = _exchanged(evidence, fit, term, draws, stream(evidence.link.cause, rng))
    bound = float(stats.t(fit.degrees_of_freedom).ppf(1 - NOMINAL / 2))
    return np.abs(test.reference) > bound, test.p_value


def stream(cause: str, rng: int = SEED) -> np.random.Generator:
    """Return a generator that is a link's own, so that every page draws the same exchanges."""
    return np.random.default_rng([rng, 0 if cause == "funding" else 1])


def _counted(alarm: np.ndarray, p_value: float = np.nan) -> pd.Series:
    """Return how many exchanges read as an association, with the doubt of that share."""
    from scipy import stats

    hits = int(alarm.sum())
    low, high = stats.binomtest(hits, len(alarm)).proportion_ci(method="exact")
    return pd.Series(
        {
            "exchanges": len(alarm), "alarms": hits, "share": hits / len(alarm),
            "ci_low": low, "ci_high": high, "p_value": p_value,
        }
    )  # fmt: skip


def _exchanged(
    evidence: Evidence, fit: Fit, term: str, draws: int, rng: np.random.Generator
) -> RandomisationTest:
    """Give whole courses of a regression's term to other forces."""
    if fit.family == "poisson":
        return randomisation_test(
            evidence.rows, _score(evidence), term, unit="force", time="fy_start", B=draws, rng=rng
        )
    assert fit.data is not None  # it came from fit_panel
    return randomisation_test(
        fit.data, fit.formula, term, unit="force", time="fy_start", cluster="force",
        weights=fit.options["weights"], B=draws, rng=rng,
    )  # fmt: skip


def few_clusters(evidence: Evidence, draws: int = DRAWS, rng: int = SEED) -> pd.DataFrame:
    """Test the same coefficients with and without leaning on many, equal clusters.

    The bootstrap has the draws and the seed of the check "few clusters", and the exchange those
    of `false_alarms`: a page that shows two of them shows one p-value.

    Parameters
    ----------
    evidence : Evidence
    draws, rng : int
        Exchanges between forces and their seed.

    Returns
    -------
    DataFrame
        ``model`` (fixed effects; reduced form), ``way`` (t distribution; wild cluster
        bootstrap; forces exchanged), ``estimate``, ``ci_low``, ``ci_high``, ``p_value``. Of
        counts there is no bootstrap, and the exchange has no interval.
    """
    if evidence.plain.family == "poisson":
        row = evidence.plain.term(evidence.term)
        test = _exchanged(
            evidence, evidence.plain, evidence.term, draws, stream(evidence.link.cause, rng)
        )
        by_t = {"way": "t distribution", **row[["estimate", "ci_low", "ci_high", "p_value"]]}
        given = {"way": "forces exchanged", "estimate": row["estimate"], "p_value": test.p_value}
        table = pd.DataFrame([by_t, given])
        table.insert(0, "model", "fixed effects")
        return table
    records = []
    models = {"fixed effects": (evidence.plain, evidence.term)}
    if evidence.reduced is not None:
        models["reduced form"] = (evidence.reduced, evidence.exposure)
    for name, (fit, term) in models.items():
        exchanged = _exchanged(evidence, fit, term, draws, stream(evidence.link.cause, rng))
        booted = wild_bootstrap(fit, term, B=checks.BOOTSTRAPS, rng=checks.SEED)
        tables = {
            "t distribution": fit.tidy().loc[[term]],
            "wild cluster bootstrap": booted.tidy(),
            "forces exchanged": exchanged.tidy(),
        }
        for way, table in tables.items():
            row = table.iloc[0][["estimate", "ci_low", "ci_high", "p_value"]]
            records.append({"model": name, "way": way, **row})
    return pd.DataFrame(records)


def _score(evidence: Evidence) -> Callable[[pd.DataFrame], float]:
    """Return a function of data: the t-like score of the cause in a Poisson model of counts.

    Counts expected without the cause are residents times a force's rate times a year's. They
    do not change when the cause is given to other forces, so nothing is fitted anew.
    """
    from crime_analysis.models.projection import projection

    rows, term = evidence.rows, evidence.term
    outcome = evidence.plain.outcome
    codes = pd.DataFrame({c: pd.factorize(rows[c])[0] for c in HELD.split(" + ")})
    counts = rows[outcome].to_numpy(float)
    seen = np.isfinite(counts)
    counts = np.where(seen, counts, 0.0)
    expected = np.where(seen, rows["population"].to_numpy(float), 0.0)
    for _ in range(200):  # to both margins in turn, until they are met
        for code in codes.to_numpy().T:
            size = np.bincount(code, counts) / np.bincount(code, expected)
            expected = expected * size[code]
    root = np.sqrt(expected)
    held = projection(codes, np.empty((len(rows), 0)), root)
    left = np.divide(counts - expected, root, out=np.zeros_like(root), where=root > 0)

    def score(data: pd.DataFrame) -> float:
        given = held.residual((data[term].to_numpy(float) * root)[:, None])[:, 0]
        parts = np.bincount(codes["force"], given * left)
        return float(parts.sum() / np.sqrt(parts @ parts))

    return score
