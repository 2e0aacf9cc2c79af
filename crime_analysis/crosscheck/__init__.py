"""Compare what two publishers, or two editions, say of the same thing.

`crosscheck` reads the shipped tables alone and gives one row for each place and period that two
publications both cover. Every comparison states how far the second may be from the first, and
why (`register`). A known exception is declared by name with its reason; it is shown,
and it is an error too when it no longer differs.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import pandas as pd

from crime_analysis import catalog
from crime_analysis.crosscheck.pairs import Load
from crime_analysis.crosscheck.register import COMPARISONS, Comparison
from crime_analysis.errors import DataError

__all__ = ["COMPARISONS", "Comparison", "crosscheck", "disagreements", "summary", "told"]

AGREES, DECLARED = "agrees", "differs, as declared"
DIFFERS, STALE = "differs", "declared to differ, and does not"
_COLUMNS = [
    "comparison", "first", "second", "place", "period", "first_value", "second_value",
    "difference", "ratio", "ratio_from", "ratio_to", "at_most", "verdict", "why",
]  # fmt: skip


def crosscheck(
    load: Load = catalog.load, comparisons: Sequence[Comparison] = COMPARISONS
) -> pd.DataFrame:
    """Compare what two publications say of the same thing, wherever both say it.

    Parameters
    ----------
    load : callable
        Gives a shipped table by name.
    comparisons : sequence of Comparison
        What to compare; all of `COMPARISONS` if not given.

    Returns
    -------
    DataFrame
        One row a comparison, place and period: ``comparison``, ``first`` and ``second``
        (publications), ``place``, ``period``, ``first_value``, ``second_value``,
        ``difference`` (second less first), ``ratio`` (second over first), ``ratio_from`` and
        ``ratio_to`` (its tolerance), ``at_most`` (or a difference within it), ``verdict``
        (``agrees``; ``differs, as declared``; ``differs``; ``declared to differ, and does
        not``) and ``why`` (the reason of the tolerance or of the exception).

    Raises
    ------
    DataError
        If a comparison finds nothing to compare: a table has lost what it is about.

    Examples
    --------
    >>> found = crosscheck(comparisons=[c for c in COMPARISONS if c.name == "knife-mopac"])
    >>> sorted(found["period"]), set(found["verdict"])
    (['2010/11', '2011/12', '2012/13', '2013/14', '2014/15'], {'agrees'})
    """
    # A dozen comparisons ask for one table; it is checked and read once.
    once = functools.cache(load)
    parts = [_judge(comparison, comparison.pairs(once)) for comparison in comparisons]
    return pd.concat(parts, ignore_index=True)


def _judge(comparison: Comparison, found: pd.DataFrame) -> pd.DataFrame:
    if found.empty:
        raise DataError(
            f"cross-check {comparison.name!r} found no place and period in both publications;"
            f" {catalog.MEND}"
        )
    low, high = comparison.tolerance
    frame = found.rename(columns={"first": "first_value", "second": "second_value"})
    frame["difference"] = frame["second_value"] - frame["first_value"]
    frame["ratio"] = (frame["second_value"] / frame["first_value"]).where(frame["first_value"] != 0)
    slack = 1e-9
    within = (frame["ratio"] - 1).between(low - slack, high + slack)
    within |= frame["difference"].abs() <= comparison.at_most + slack
    keys = list(zip(frame["place"], frame["period"], strict=True))
    known = pd.Series([key in comparison.exceptions for key in keys], index=frame.index)
    frame["verdict"] = DIFFERS
    frame.loc[within & ~known, "verdict"] = AGREES
    frame.loc[~within & known, "verdict"] = DECLARED
    frame.loc[within & known, "verdict"] = STALE
    frame["why"] = [comparison.exceptions.get(key, comparison.why) for key in keys]
    # An exception to a pair that is no longer there is as stale as one that agrees.
    for place, period in sorted(set(comparison.exceptions) - set(keys)):
        gone = pd.DataFrame(
            {"place": [place], "period": [period], "verdict": [STALE],
             "why": [comparison.exceptions[place, period]]}
        )  # fmt: skip
        frame = pd.concat([frame, gone], ignore_index=True)
    frame = frame.assign(
        comparison=comparison.name,
        first=comparison.first,
        second=comparison.second,
        ratio_from=1 + low,
        ratio_to=1 + high,
        at_most=comparison.at_most,
    )
    return frame[_COLUMNS]


def disagreements(found: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of `crosscheck` that fail: undeclared differences and stale exceptions."""
    return found[found["verdict"].isin([DIFFERS, STALE])].reset_index(drop=True)


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """Return one row a comparison: how many pairs, how far apart, and what came of it.

    Returns
    -------
    DataFrame
        ``comparison``, ``pairs``, ``agree``, ``ratio_least``, ``ratio_most`` (of those that
        agree), ``ratio_from``, ``ratio_to``, ``at_most``, ``declared``, ``failed``, ``first``,
        ``second``, ``why``.
    """
    rows = []
    for name, group in found.groupby("comparison", sort=False):
        agree = group[group["verdict"] == AGREES]
        declared = group["verdict"] == DECLARED
        plain = group[group["verdict"].isin([AGREES, DIFFERS])]
        rows.append(
            {
                "comparison": name,
                "pairs": int(group["second_value"].notna().sum()),
                "agree": len(agree),
                "ratio_least": agree["ratio"].min(),
                "ratio_most": agree["ratio"].max(),
                "ratio_from": group["ratio_from"].iloc[0],
                "ratio_to": group["ratio_to"].iloc[0],
                "at_most": group["at_most"].iloc[0],
                "declared": int(declared.sum()),
                "failed": len(disagreements(group)),
                "first": group["first"].iloc[0],
                "second": group["second"].iloc[0],
                "why": plain["why"].iloc[0] if len(plain) else "",
            }
        )
    return pd.DataFrame(rows)


def told(found: pd.DataFrame, *, every_pair: bool = False) -> str:
    """Return what `crosscheck` found as lines of text: comparisons, exceptions, failures.

    Parameters
    ----------
    found : DataFrame
        From `crosscheck`.
    every_pair : bool
        Whether to write every pair of figures too.
    """
    lines = []
    for row in summary(found).itertuples(index=False):
        between = f"{row.ratio_least:.4f} to {row.ratio_most:.4f}" if row.agree else "none agrees"
        lines += [
            f"{row.comparison}: {row.pairs} pairs, ratio {between}, tolerance"
            f" {row.ratio_from:.4f} to {row.ratio_to:.4f}"
            + (f" or {row.at_most:g} apart" if row.at_most else "")
            + f"; {row.declared} differ as declared, {row.failed} failed",
            f"    {row.first} | {row.second}",
            f"    {row.why}",
        ]
    failed = disagreements(found)
    rest = found[found["verdict"] == DECLARED]
    parts = [("declared", rest), *([("pair", found)] if every_pair else []), ("FAILED", failed)]
    for said, rows in parts:
        for row in rows.itertuples(index=False):
            lines.append(
                f"{said}: {row.comparison}, {row.place}, {row.period}: {row.first_value:,.2f} and"
                f" {row.second_value:,.2f} ({row.verdict}): {row.why}"
            )
    lines.append(f"{len(found)} pairs, {len(rest)} differ as declared, {len(failed)} failed")
    return "\n".join(lines)
