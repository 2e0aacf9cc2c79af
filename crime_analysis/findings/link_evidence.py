"""One link with all that speaks for and against it, shared by the pages that tell it.

`links` estimates a link and chooses its headline by rule. Here the headline is put through the
checks, refitted in other ways, and set beside what the dose of the cuts did year by year; it is
tested by exchange in `exchanged`. Nothing is formatted and nothing is drawn.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from crime_analysis import checks, periods
from crime_analysis.checks import CheckResult, Verdict
from crime_analysis.errors import ModelError, UnknownNameError
from crime_analysis.inference.instruments import FirstStage
from crime_analysis.links import (
    LONDON,
    OUTCOMES,
    Link,
    funding_to_officers,
    officers_to_violence,
    without_events,
)
from crime_analysis.models.fit import Fit
from crime_analysis.models.panel_regression import fit_panel
from crime_analysis.models.transformed import first_differences

__all__ = [
    "HELD",
    "REFERENCE",
    "WEIGHTS",
    "Evidence",
    "every_link",
    "funding_evidence",
    "implied_by",
    "left_out",
    "violence_evidence",
    "weaker",
]

#: How forces may count: by their residents, or all alike.
WEIGHTS = ("residents", "alike")
#: Checks of the first link: officers are no second count of money.
_FUNDING_CHECKS = tuple(name for name in checks.SUITES["default"] if name != "measurement error")
HELD = "force + financial_year"
#: Checks of what came before the cuts: they need the years before, and so every count there is.
_BEFORE = ("placebo dates", "pre-trends", "drift")
#: The first year of less money is 2010/11, so the last officers before the cuts are those of 31
#: March 2010. Counts of 31 March are dated by the year that they begin, as violence is: 2010 is
#: that count, and violence of 2010/11 is the last that those officers policed.
REFERENCE = 2010
_WORDS = ("cannot tell", "association", "effect")  # of `checks.verdict`, weakest first


@dataclass(frozen=True)
class Evidence:
    """A link, its regressions, its checks, and what they allow to be said.

    Attributes
    ----------
    link : Link
        Every way it was estimated, and the headline chosen by rule.
    term : str
        The cause's column.
    plain : Fit
        Force and year effects, no instrument.
    instrumented, reduced : Fit, optional
        The cause moved by the instrument; the outcome on the instrument. None for counts.
    exposure : str
        The instrument's column.
    results : tuple of CheckResult
        Checks of `headline`.
    verdict : Verdict
        By the rule of `checks.verdict`, on `headline`.
    rows : DataFrame
        What was estimated from.
    """

    link: Link
    term: str
    plain: Fit
    instrumented: Fit | None
    reduced: Fit | None
    exposure: str
    results: tuple[CheckResult, ...]
    verdict: Verdict
    rows: pd.DataFrame = field(repr=False)

    @property
    def headline(self) -> Fit:
        """The regression behind the link's headline."""
        chosen = isinstance(self.link.fits[self.link.headline], FirstStage)
        return self.instrumented if chosen and self.instrumented is not None else self.plain


def funding_evidence(
    panel: pd.DataFrame, start: str, end: str, weights: str = "residents", *, checked: bool = True
) -> Evidence:
    """Return the first link, funding to officers, with its checks.

    Officers are taken per resident with residents held too: the elasticity is that of
    `links.funding_to_officers`, and checks that look at officers by dose see them per resident.

    Checks of what came before ask the officers that `dose.by_dose` draws, from the panel's first
    count of 31 March to the last, against those of 31 March 2010 (`REFERENCE`). Officers dated
    by the year that 31 March ends, as the link has them, would lack the first of these counts.

    Parameters
    ----------
    panel : DataFrame
        From `force_panel`, with years before the cuts for the checks.
    start, end : str
        Financial years: money of years outside them is not used.
    weights : {"residents", "alike"}
        How forces count.
    checked : bool
        Whether to run the checks, which take most of the time; without them the verdict is
        “cannot tell”.

    Raises
    ------
    UnknownNameError
        If `weights` is not known.
    ModelError
        If fewer than two years between `start` and `end` have funding.

    Examples
    --------
    >>> import crime_analysis as ca
    >>> found = funding_evidence(ca.force_panel(), "2009/10", "2017/18")
    >>> found.headline.family, found.headline is found.instrumented
    ('iv', True)
    """
    if weights not in WEIGHTS:
        raise UnknownNameError("weights", weights, WEIGHTS)
    inside = panel["fy_start"].between(periods.start(start), periods.start(end))
    rows = panel.assign(
        log_funding_real=panel["log_funding_real"].where(inside),
        residents=panel["population"],
        alike=1.0,
    )
    rows.attrs = dict(panel.attrs)
    link = funding_to_officers(rows, weights)
    term, exposure = "log_funding_real", "exposure_all_grants"
    left = "log_officers_end_per_1000 ~ log_population"
    plain = fit_panel(f"{left} + {term} | {HELD}", rows, cluster="force", weights=weights)
    return _judged(
        link, term, exposure, plain, plain.refit(f"{left} | {HELD} | {term} ~ {exposure}"),
        plain.refit(f"{left} + {exposure} | {HELD}", rows.dropna(subset=[term])),
        suite=_FUNDING_CHECKS if checked else (), before=_dated(rows, weights) if checked else None,
    )  # fmt: skip


def _dated(rows: pd.DataFrame, weights: str) -> Fit:
    """Return the first link with officers dated by the year that 31 March begins.

    Money and exposure are of the year that the same 31 March ended.
    """
    dated = rows.sort_values(["force", "fy_start"], ignore_index=True)
    dated["log_funding_real"] = dated.groupby("force")["log_funding_real"].shift(1)
    return fit_panel(
        f"log_officers_per_1000 ~ log_population | {HELD}"
        " | log_funding_real ~ exposure_all_grants_lagged",
        dated, cluster="force", weights=weights,
    )  # fmt: skip


def violence_evidence(
    panel: pd.DataFrame, outcome: str, register: pd.DataFrame, *, checked: bool = True
) -> Evidence:
    """Return the second link, officers to violence, with its checks.

    Parameters
    ----------
    panel : DataFrame
        From `force_panel`, with years before the cuts for the checks.
    outcome : str
        One of `links.OUTCOMES`.
    register : DataFrame
        The shipped table ``breaks``; years that one event dominates are left out.
    checked : bool
        As in `funding_evidence`.

    Raises
    ------
    UnknownNameError
        If `outcome` is not known.
    """
    link = officers_to_violence(panel, outcome, register)
    rows = without_events(panel, register, outcome).sort_values(
        ["force", "fy_start"], ignore_index=True
    )
    rows["residents"] = rows["population"]
    rows["alike"] = 1.0
    rows.attrs = dict(panel.attrs)
    term, exposure = "log_officers_per_1000", "exposure_all_grants_lagged"
    suite: str | tuple[str, ...] = "default" if checked else ()
    if OUTCOMES[outcome][1] == "poisson":
        plain = fit_panel(
            f"{outcome} ~ {term} | {HELD}", rows, cluster="force", family="poisson",
            offset="log_population",
        )  # fmt: skip
        return _judged(link, term, exposure, plain, None, None, suite=suite)
    left = f"log_{outcome}_per_1000 ~ "
    plain = fit_panel(f"{left}{term} | {HELD}", rows, cluster="force", weights="residents")
    return _judged(
        link, term, exposure, plain, plain.refit(f"{left}1 | {HELD} | {term} ~ {exposure}"),
        plain.refit(f"{left}{exposure} | {HELD}"), suite=suite,
    )  # fmt: skip


def every_link(
    panel: pd.DataFrame, register: pd.DataFrame, start: str = "2009/10", end: str = "2017/18"
) -> dict[str, Evidence]:
    """Return every link with its checks: what each page that speaks of causes takes.

    Parameters
    ----------
    panel, register : DataFrame
        From `force_panel`; the shipped table ``breaks``.
    start, end : str
        As in `funding_evidence`.

    Returns
    -------
    dict
        ``officers`` (money to officers), then every outcome of `links.OUTCOMES` that forces'
        officers are set against.

    Examples
    --------
    >>> import crime_analysis as ca
    >>> found = every_link(ca.force_panel(), ca.load("breaks"))
    >>> list(found)
    ['officers', 'violence_with_injury', 'robbery', 'homicide']
    """
    first = funding_evidence(panel, start, end)
    return {"officers": first} | {
        name: violence_evidence(panel, name, register) for name in OUTCOMES
    }


def _judged(
    link: Link, term: str, exposure: str, plain: Fit, instrumented: Fit | None,
    reduced: Fit | None, *, suite: str | tuple[str, ...] = "default", before: Fit | None = None,
) -> Evidence:  # fmt: skip
    """Add other ways to a link's table, and run the checks of its headline.

    Those of what came before are run on another fit where one is given.
    """
    assert plain.data is not None  # it came from fit_panel
    unchecked = Verdict("cannot tell", ("nothing was checked",))
    found = Evidence(link, term, plain, instrumented, reduced, exposure, (), unchecked, plain.data)
    if not suite:
        return found
    early = {}
    if before is not None:
        early = {r.name: r for r in checks.run(before, _BEFORE, term=term, event=REFERENCE)}
    names = checks.SUITES[suite] if isinstance(suite, str) else suite
    rest = tuple(name for name in names if name not in early)
    ran = {r.name: r for r in checks.run(found.headline, rest, term=term, event=REFERENCE)}
    results = tuple((early | ran)[name] for name in names)
    judged = checks.verdict(found.headline, results, term)
    return replace(found, link=_other_ways(link, plain, term), results=results, verdict=judged)


def _other_ways(link: Link, plain: Fit, term: str) -> Link:
    """Return the link with more specifications beside those that `links` fits."""
    rows = plain.data
    assert rows is not None
    more = {"the same, without London": plain.refit(data=rows[rows["force"] != LONDON])}
    if plain.family == "ols":
        other = "alike" if plain.options["weights"] == "residents" else "residents"
        words = "forces counted alike" if other == "alike" else "forces counted by residents"
        more[f"the same, {words}"] = plain.refit(weights=other)
        with suppress(ModelError):  # where no two years follow each other there is no such way
            more["changes from one year to the next"] = first_differences(
                plain.formula.replace(HELD, "financial_year"), rows, unit="force",
                time="fy_start", cluster="force", weights=plain.options["weights"],
            )  # fmt: skip
    table = pd.DataFrame(
        {
            name: {
                **fit.term(term)[["estimate", "ci_low", "ci_high", "p_value"]],
                "f_statistic": np.nan, "nobs": fit.nobs, "forces": fit.n_clusters,
            }
            for name, fit in more.items()
        }
    ).T  # fmt: skip
    kinds = [isinstance(fit, FirstStage) for fit in link.fits.values()]
    order = [*link.table.index[~np.array(kinds)], *table.index, *link.table.index[kinds]]
    whole = pd.concat([link.table, table]).loc[order].rename_axis("specification")
    return replace(link, table=whole, fits={**link.fits, **more})


def weaker(*verdicts: Verdict) -> Verdict:
    """Return the verdict of a chain: the weakest word of its links, with that link's reasons.

    Examples
    --------
    >>> weaker(Verdict("association", ("a",)), Verdict("cannot tell", ("b",))).word
    'cannot tell'
    """
    return min(verdicts, key=lambda one: _WORDS.index(one.word))


def left_out(evidence: Evidence) -> pd.DataFrame:
    """Return what the headline is without each force in turn: the check's own table."""
    return next(r.table for r in evidence.results if r.name == "leave one out")


def implied_by(
    link: Link, cause_change: float, draws: int = 20_000, rng: int = 0
) -> tuple[float, float, float]:
    """Return the change that a link's headline makes of a change in its cause.

    Returns
    -------
    (float, float, float)
        Median and the ends of the 95% interval, as proportions; missing if the cause's change
        is not known.

    Examples
    --------
    >>> import crime_analysis as ca
    >>> low, high = implied_by(ca.funding_to_officers(ca.force_panel()), -0.2)[1:]
    >>> low < high < 0
    True
    """
    step = float(np.log1p(cause_change)) if cause_change > -1 else float("nan")
    drawn = link.draws(draws, np.random.default_rng(rng)) * step
    low, middle, high = np.expm1(np.percentile(drawn, [2.5, 50, 97.5]))
    return float(middle), float(low), float(high)
