"""What a force's changes imply for violence by both links, the doubt of each carried through."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crime_analysis import periods
from crime_analysis.links import OUTCOMES, Link

__all__ = ["chain", "route_in_words"]

_CHAIN = [
    "outcome", "route", "cause_change", "implied_change", "ci_low", "ci_high", "actual_change",
    "share_low", "share", "share_high",
]  # fmt: skip


def chain(
    panel: pd.DataFrame,
    links: Mapping[str, Link],
    force: str,
    start: str,
    end: str,
    *,
    rng: int | np.random.Generator,
    size: int = 20_000,
) -> pd.DataFrame:
    """Carry both links' uncertainty through: what a force's losses imply for violence.

    The share of a rise in violence that the loss of officers (or of funding) can account for,
    with its interval, by simulation from both links' headline estimates. It is an effect only if
    both links are: see `checks.verdict` of each. Not for a force whose violence fell (there is
    no rise to share out), and not a forecast. Two estimates multiplied have wider tails than
    either; where an instrument is weak its ratio has no mean, so medians and percentiles are
    given and never means (Fieller 1954).

    Parameters
    ----------
    panel : DataFrame
        From `force_panel`; holds the force and both years.
    links : mapping
        ``"officers"``: the first link; and by outcome (`OUTCOMES`) the second links.
    force : str
        A force of the panel.
    start, end : str
        Financial years of the change. Money is that of the two years, officers those in post
        on the 31 March that ended each, offences and residents those of the year after each:
        the timing of the two links. The panel must reach one year beyond `end`.
    rng : int or numpy Generator
        Seed or generator of the simulation.
    size : int
        Draws.

    Returns
    -------
    DataFrame
        One row an outcome and route: ``outcome``, ``route`` (from the officers lost, from the
        funding lost), ``cause_change`` (proportional), ``implied_change`` (median),
        ``ci_low``, ``ci_high`` (2.5 and 97.5 percentiles), ``actual_change``, and
        ``share_low``, ``share``, ``share_high``: the part of the actual change, in
        logarithms, that the implied one makes up (missing if violence did not rise). No rows
        for a force that the panel leaves out on purpose.

    Raises
    ------
    UnknownNameError
        If the panel lacks the force or a year.

    Examples
    --------
    >>> import crime_analysis as ca
    >>> panel = ca.force_panel()
    >>> links = ca.fit_links(panel, ca.load("breaks"))
    >>> implied = chain(panel, links, "Kent", "2010/11", "2017/18", rng=2018)
    >>> implied["route"].unique().tolist()
    ['officers lost', 'funding lost']
    """
    from crime_analysis.panel import change

    if force in panel.attrs.get("excluded", ()):
        return pd.DataFrame(columns=_CHAIN)
    generator = np.random.default_rng(rng)
    following = [periods.label(periods.start(year) + 1) for year in (start, end)]
    money = change(panel, force, "funding_real_gbp_m", start, end)
    officers = change(panel, force, "officers_per_1000", *following)
    first = links["officers"].draws(size, generator)
    records = []
    for outcome, link in links.items():
        if outcome == "officers":
            continue
        second = link.draws(size, generator)
        actual = change(panel, force, f"{outcome}_per_1000", *following)
        routes = {
            "officers lost": (officers, second * np.log1p(officers)),
            "funding lost": (money, second * first * np.log1p(money)),
        }
        for route, (cause, implied) in routes.items():
            low, middle, high = np.percentile(implied, [2.5, 50, 97.5])
            rose = np.log1p(actual) if actual > 0 else np.nan
            records.append(
                {
                    "outcome": OUTCOMES[outcome][0],
                    "route": route,
                    "cause_change": cause,
                    "implied_change": np.expm1(middle),
                    "ci_low": np.expm1(low),
                    "ci_high": np.expm1(high),
                    "actual_change": actual,
                    "share_low": low / rose,
                    "share": middle / rose,
                    "share_high": high / rose,
                }
            )
    return pd.DataFrame(records, columns=_CHAIN)


def route_in_words(route: str, cause_change: float) -> str:
    """Return a route of `chain` by the way that its cause went; the key names a loss.

    Examples
    --------
    >>> [route_in_words("officers lost", change) for change in (-0.1, 0.1)]
    ['fall in officers per resident', 'rise in officers per resident']
    >>> route_in_words("funding lost", float("nan"))
    'change in real funding'
    """
    cause = {"officers lost": "officers per resident", "funding lost": "real funding"}[route]
    return f"{'fall' if cause_change < 0 else 'rise' if cause_change > 0 else 'change'} in {cause}"
