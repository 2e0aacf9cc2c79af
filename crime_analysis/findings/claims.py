"""Each claim of the September 2018 article: the figures that bear on it, and the verdict.

A verdict is worked out, never written: `claims_verdict.judge` reads it off the figures and their
thresholds, which are shown beside it, so that other figures give another verdict.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crime_analysis import catalog, claims_register, prices
from crime_analysis.errors import ParameterError, UnknownNameError
from crime_analysis.findings import claims_money, claims_officers
from crime_analysis.findings.claims_readings import Causal, Evidence, Reading
from crime_analysis.findings.claims_verdict import (
    SCALE,
    definitions,
    figure,
    frame,
    judge,
    threshold,
)

__all__ = ["IDS", "SCALE", "Claims", "check_claims", "definitions", "told"]

#: The claims, in the order in which they are shown.
IDS = (
    "officers-moved", "government-share", "cut-since-2010", "under-30000", "fewest-in-20-years",
    "taskforce-results", "cuts-made-violence-worse", "cuts-have-consequences",
    "violence-sky-high", "knee-jerk",
)  # fmt: skip


@dataclass(frozen=True)
class Claims:
    """The article's claims, checked.

    Attributes
    ----------
    table : DataFrame
        By ``id``: ``claim``, ``topic``, ``verdict`` (one of `SCALE`), ``because``,
        ``definition`` (the one that the verdict rests on) and its ``figure``, ``rival`` and its
        ``rival_figure``, ``needed`` (what it would take to check it, or to check it better).
    readings : DataFrame
        Every figure: ``id`` and the fields of `claims_readings.Reading`.
    choices : dict
        ``price_base``, ``price_index``, ``least_years``, as given to `check_claims`.
    """

    table: pd.DataFrame
    readings: pd.DataFrame
    choices: dict[str, object]

    def verdict(self, claim: str) -> str:
        """Return a claim's verdict."""
        return str(self.row(claim)["verdict"])

    def row(self, claim: str) -> pd.Series:
        """Return a claim's row of the table; an unknown id is refused with the nearest."""
        if claim not in self.table.index:
            raise UnknownNameError("claim", claim, self.table.index)
        return self.table.loc[claim]

    def of(self, claim: str) -> pd.DataFrame:
        """Return the figures of one claim."""
        self.row(claim)
        rows = self.readings[self.readings["id"] == claim]
        return rows.drop(columns="id").reset_index(drop=True)

    @property
    def text(self) -> str:
        """One line a claim: the verdict, the claim, the reason."""
        return told(self)


def check_claims(
    load: Callable[[str], pd.DataFrame] = catalog.load,
    *,
    only: str | None = None,
    price_base: str = "2017/18",
    price_index: str = "gdp_deflator",
    least_years: int = 10,
    causal: Causal | None = None,
) -> Claims:
    """Check the claims of the September 2018 article against the shipped figures.

    Parameters
    ----------
    load : callable
        Gives a shipped table by name.
    only : str, optional
        One claim, by id; all if not given.
    price_base, price_index : str
        Prices of real terms (see `prices.to_real`).
    least_years : int
        How many earlier years it takes to call a year the highest.
    causal : Causal, optional
        What the chain says of causes, from `claims_violence.causal`; worked out (some seconds)
        if not given and needed.

    Returns
    -------
    Claims

    Raises
    ------
    UnknownNameError
        If the claim, the price base or the index is not known, with the nearest.
    ParameterError
        If `least_years` is not a positive whole number.

    Notes
    -----
    A verdict says what these figures allow, not what is true. The plain reading of a claim is
    one definition among others, and who chooses the definitions shapes the verdict: they are
    all shown.

    Examples
    --------
    >>> found = check_claims(only="cut-since-2010")
    >>> found.verdict("cut-since-2010")
    'holds under one definition only'
    """
    if not isinstance(least_years, (int, np.integer)) or least_years < 1:
        raise ParameterError(f"least_years is {least_years!r}; give a whole number of 1 or more")
    once = functools.cache(load)
    if price_index not in prices.INDICES:
        raise UnknownNameError("price index", price_index, prices.INDICES)
    if price_base not in set(once("prices")["financial_year"]):
        known = once("prices")["financial_year"]
        raise UnknownNameError("financial year", price_base, known, "the table prices")
    register = once("claims")
    if only is not None:
        claims_register.of(register, only)
    rows, readings = {}, []
    for claim in IDS if only is None else (only,):
        told = claims_register.of(register, claim)
        evidence = Evidence(
            once, claims_register.claimed(register, claim), price_base, price_index,
            int(least_years), functools.cache(lambda: causal or _causal(once)),
        )  # fmt: skip
        made = frame(_maker(claim)(evidence))
        rows[claim] = {
            "claim": told["claim"], "topic": told["topic"], **judge(made), "needed": told["needed"],
        }  # fmt: skip
        readings.append(made.assign(id=claim))
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("id")
    choices = {"price_base": price_base, "price_index": price_index, "least_years": least_years}
    return Claims(table, pd.concat(readings, ignore_index=True), choices)


def _maker(claim: str) -> Callable[[Evidence], list[Reading]]:
    for readings in (claims_money.READINGS, claims_officers.READINGS):
        if claim in readings:
            return readings[claim]
    # Loads the estimators: a claim of money should not wait for them.
    from crime_analysis.findings import claims_violence

    return claims_violence.READINGS[claim]


def _causal(load: Callable[[str], pd.DataFrame]) -> Causal:
    from crime_analysis.findings.claims_violence import causal
    from crime_analysis.findings.link_evidence import every_link
    from crime_analysis.panel import force_panel

    panel = force_panel("2007/08", "2018/19")
    return causal(panel, every_link(panel, load("breaks")))


def told(claims: Claims, only: str | None = None) -> str:
    """Return the claims as lines for a terminal; of one claim every figure too.

    Raises
    ------
    UnknownNameError
        If there is no such claim, with the nearest.
    """
    lines = []
    for claim, row in claims.table.iterrows():
        if only in (None, claim):
            lines += [f"{claim}: {row['verdict']}", f"    {row['claim']}", f"    {row['because']}"]
    if only is None:
        return "\n".join(lines)
    row = claims.row(only)
    marks = {True: "agrees", False: "does not", None: "cannot tell"}
    for reading in claims.of(only).to_dict("records"):
        mark = "beside" if reading["role"] == "beside" else marks[reading["agrees"]]
        lines.append(
            f"  {mark}: {reading['definition']}, {reading['part']}:"
            f" {figure(pd.Series(reading))}{_if(reading)}"
        )
        lines += [f"      {reading[name]}" for name in ("note", "origin") if reading[name]]
    return "\n".join([*lines, f"  needed: {row['needed']}"])


def _if(reading: dict[str, Any]) -> str:
    """Return in brackets when a figure agrees; nothing if it has no threshold."""
    band = threshold(reading["low"], reading["high"], reading["unit"])
    return "" if band == "–" else f" (agrees if {band})"
