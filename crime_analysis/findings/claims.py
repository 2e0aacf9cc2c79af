"""Each claim of the September 2018 article: the figures that bear on it, and the verdict.

A verdict is worked out, never written: `judge` reads it off the figures and their thresholds,
which are shown beside it, so that other figures give another verdict.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd

from crime_analysis import catalog, claims_register, prices
from crime_analysis.errors import ParameterError, UnknownNameError
from crime_analysis.findings import claims_money, claims_officers
from crime_analysis.findings.claims_readings import Causal, Evidence, Reading

__all__ = [
    "HOLDS", "MISLEADING", "NO_FIGURE", "ONE", "SCALE", "UNCHECKED", "UNSUPPORTED", "Claims",
    "check_claims", "definitions", "figure", "judge", "told",
]  # fmt: skip

HOLDS = "holds"
ONE = "holds under one definition only"
MISLEADING = "misleading without context"
UNSUPPORTED = "not supported"
UNCHECKED = "cannot be checked with these data"
SCALE = (HOLDS, ONE, MISLEADING, UNSUPPORTED, UNCHECKED)

#: The claims, in the order in which they are shown.
IDS = (
    "officers-moved", "government-share", "cut-since-2010", "under-30000", "fewest-in-20-years",
    "taskforce-results", "cuts-made-violence-worse", "cuts-have-consequences",
    "violence-sky-high", "knee-jerk",
)  # fmt: skip
NO_FIGURE = "no figure"


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


def frame(readings: list[Reading]) -> pd.DataFrame:
    """Return readings as a frame, one row each; ``agrees`` holds True, False or None."""
    columns = [f.name for f in fields(Reading)]
    made = pd.DataFrame([asdict(r) for r in readings], columns=columns)
    return made.assign(agrees=pd.Series([r.agrees for r in readings], dtype=object))


def definitions(readings: pd.DataFrame) -> pd.DataFrame:
    """Put the figures of each definition together.

    A definition agrees if all its parts do; not if one does not; else it cannot be tested.

    Returns
    -------
    DataFrame
        By ``definition``: ``role``, ``agrees``, ``caution``, ``figure`` (in words); those shown
        beside left out.
    """
    rows = {}
    for name, parts in readings[readings["role"] != "beside"].groupby("definition", sort=False):
        answers = list(parts["agrees"])
        agrees = None if any(a is None for a in answers) else True
        if any(a is False for a in answers):
            agrees = False
        rows[name] = {
            "role": parts["role"].iloc[0],
            "agrees": agrees,
            "caution": "; ".join(dict.fromkeys(c for c in parts["caution"] if c)),
            "figure": _figures(parts, agrees),
        }
    made = pd.DataFrame.from_dict(
        rows, orient="index", columns=["role", "agrees", "caution", "figure"]
    )
    return made.assign(agrees=pd.Series([r["agrees"] for r in rows.values()], made.index, object))


def _figures(parts: pd.DataFrame, agrees: bool | None) -> str:
    """Return in words the figures that a definition's answer rests on.

    One part that does not agree settles it; the others need not be read.
    """
    told = [
        (part["part"], figure(part))
        for answer, (_, part) in zip(parts["agrees"], parts.iterrows(), strict=True)
        if answer is agrees
    ]
    if len(parts) == 1 or {shown for _, shown in told} == {NO_FIGURE}:
        return told[0][1]
    return "; ".join(f"{part}: {shown}" for part, shown in told)


def judge(readings: pd.DataFrame) -> dict[str, str]:
    """Return the verdict that a claim's figures produce, and why.

    The rule, over the definitions of the claim:

    - None agrees: "not supported" if the plain reading is contradicted, or every definition is;
      else "cannot be checked with these data".
    - Every one that agrees does so with a caution: "misleading without context".
    - The plain reading agrees and none is contradicted: "holds".
    - Exactly one agrees: "holds under one definition only".
    - Several agree and others do not: "misleading without context", as which is meant matters.

    Parameters
    ----------
    readings : DataFrame
        From `frame`: ``definition``, ``role``, ``part``, ``value``, ``unit``, ``agrees``,
        ``caution``, ``note`` and the bounds.

    Returns
    -------
    dict
        ``verdict``, ``because``, ``definition``, ``figure``, ``rival``, ``rival_figure``.
    """
    ways = definitions(readings)
    yes = ways[_is(ways["agrees"], True)]
    no = ways[_is(ways["agrees"], False)]
    own = next(iter(ways.loc[ways["role"] == "own", "agrees"]))
    tested = len(yes) + len(no)
    clear = yes[yes["caution"] == ""]
    if yes.empty and (own is False or (tested and tested == len(ways))):
        word, why = UNSUPPORTED, "the one definition that can be tested does not agree"
        if tested > 1:
            which = "neither of two" if tested == 2 else f"none of {_number(tested)}"
            why = f"{which} definitions that can be tested agrees"
    elif yes.empty:
        unknown = readings[_is(readings["agrees"], None) & (readings["role"] == "own")]
        reasons = dict.fromkeys(reason for reason in unknown["caution"] if reason)
        word, why = UNCHECKED, "; ".join(reasons) or "the tables hold no figure"
    elif clear.empty:
        verb = "agrees" if len(yes) == 1 else "agree"
        word, why = MISLEADING, f"only {_list(yes.index)} {verb}, and {yes['caution'].iloc[0]}"
        if own is None:
            why += f"; {_list(ways.index[ways['role'] == 'own'])} cannot be tested"
    elif own is True and no.empty:
        word, why = HOLDS, f"it agrees by {_number(len(yes))} of {_number(tested)} tested"
    elif len(yes) == 1:
        word, why = ONE, f"of {_number(len(ways))} definitions one agrees: {_list(yes.index)}"
    else:
        word = MISLEADING
        why = f"{_number(len(yes))} of {_number(len(ways))} definitions agree: {_list(yes.index)}"
    shown = clear if len(clear) else yes if len(yes) else ways[ways["role"] == "own"]
    chosen, answer = shown.index[0], shown["agrees"].iloc[0]
    others = ways.drop(index=chosen)
    differing = others[~_is(others["agrees"], answer)]
    # A rival that has a figure says more than one that has none.
    ranked = pd.concat([differing, others])
    rival = ranked.sort_values("figure", key=lambda shown: shown == NO_FIGURE, kind="stable")
    return {
        "verdict": word,
        "because": why,
        "definition": str(chosen),
        "figure": shown["figure"].iloc[0],
        "rival": str(rival.index[0]) if len(rival) else "",
        "rival_figure": rival["figure"].iloc[0] if len(rival) else "",
    }


def _is(answers: pd.Series, wanted: bool | None) -> pd.Series:
    """Return where an answer is True, False or None: None is no missing value here."""
    return pd.Series([answer is wanted for answer in answers], answers.index, dtype=bool)


def _number(count: int) -> str:
    words = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return words[count] if count < len(words) else str(count)


def _list(names: pd.Index) -> str:
    quoted = [f"“{name}”" for name in names]
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))


_UNITS = {
    "gbp_m": "£{:,.0f}m", "percent": "{:.1f}%", "officers": "{:,.0f} officers",
    "per_1000": "{:.2f} per 1,000", "years": "{:.0f} years", "count": "{:,.0f}", "ratio": "{:.2f}",
    "of_highest": "{:.3f} times the highest before", "elasticity": "elasticity {:.2f}",
}  # fmt: skip


def figure(reading: pd.Series) -> str:
    """Return a reading's value in words, with its interval; ``no figure`` if there is none."""
    if reading["unit"] not in _UNITS or not np.isfinite(reading["value"]):
        return NO_FIGURE
    form = _UNITS[reading["unit"]]
    text = form.format(reading["value"])
    low, high = reading["value_low"], reading["value_high"]
    if not np.isnan([low, high]).any():
        bare = {"years": "{:.0f}", "percent": "{:.0f}%"}.get(reading["unit"], "{:.2f}")
        ends = f"{bare.format(low)} to {bare.format(high)}"
        text = f"{ends} years" if reading["unit"] == "years" else f"{text} ({ends})"
    return text.replace("-", "−")


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
            f" {figure(pd.Series(reading))}{_band(reading['low'], reading['high'])}"
        )
        lines += [f"      {reading[name]}" for name in ("note", "origin") if reading[name]]
    return "\n".join([*lines, f"  needed: {row['needed']}"])


def _band(low: float, high: float) -> str:
    """Return the band in which a value agrees, in words; nothing if there is none."""
    if np.isinf(low) and np.isinf(high):
        return ""
    ends = [f"{x:,.0f}" if abs(x) >= 1000 else f"{x:.4g}" for x in (low, high)]
    ends = [end.replace("-", "−") for end in ends]
    if np.isinf(low):
        return f" (agrees below {ends[1]})"
    if np.isinf(high):
        return f" (agrees from {ends[0]})"
    return f" (agrees from {ends[0]} to {ends[1]})"
