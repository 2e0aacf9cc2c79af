"""The rule of a verdict: figures and thresholds in, a word of the scale and its reason out."""

from __future__ import annotations

from dataclasses import asdict, fields

import numpy as np
import pandas as pd

from crime_analysis.findings.claims_readings import Reading

__all__ = [
    "HOLDS", "MISLEADING", "NEAR", "NO_FIGURE", "ONE", "SCALE", "UNCHECKED", "UNSUPPORTED",
    "definitions", "figure", "frame", "judge", "near", "threshold", "written",
]  # fmt: skip

HOLDS = "holds"
ONE = "holds under one definition only"
MISLEADING = "misleading without context"
UNSUPPORTED = "not supported"
UNCHECKED = "cannot be checked with these data"
SCALE = (HOLDS, ONE, MISLEADING, UNSUPPORTED, UNCHECKED)
NO_FIGURE = "no figure"
#: A figure this near to its threshold, as a part of it, could as well lie beyond.
NEAR = 0.02


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
    if word == UNSUPPORTED:
        untested = readings[_is(readings["agrees"], None) & (readings["role"] == "own")]
        why += "".join(f"; {reason}" for reason in dict.fromkeys(untested["caution"]) if reason)
    shown = clear if len(clear) else yes if len(yes) else ways[ways["role"] == "own"]
    chosen, answer = shown.index[0], shown["agrees"].iloc[0]
    if word != UNCHECKED:
        mine = readings[(readings["definition"] == chosen) & (readings["role"] != "beside")]
        why += "".join(
            f"; {figure(pd.Series(row))} lies {row['away']:.1%} from the threshold"
            for row in near(mine).to_dict("records")
        )
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


def near(readings: pd.DataFrame) -> pd.DataFrame:
    """Return the figures that lie so near to a threshold that they could as well lie beyond it.

    Parameters
    ----------
    readings : DataFrame
        From `frame`.

    Returns
    -------
    DataFrame
        Those of `readings`, nearest first, with ``edge``, the threshold, and ``away``, the
        distance from it as a part of it: less than `NEAR`.
    """
    rows = readings[(readings["role"] != "beside") & (readings["unit"] != "elasticity")]
    found = []
    for side in ("low", "high"):
        edges = rows[side].where(np.isfinite(rows[side].astype(float)) & (rows[side] != 0))
        away = (rows["value"] - edges).abs() / edges.abs()
        found.append(rows.assign(edge=edges, away=away)[away < NEAR])
    return pd.concat(found).sort_values("away", kind="stable")


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


def threshold(low: float, high: float, unit: str) -> str:
    """Return the band in which a figure agrees, in words; a dash if there is none.

    Examples
    --------
    >>> threshold(650, 750, "gbp_m"), threshold(float("-inf"), 30000, "officers")
    ('£650m to £750m', 'below 30,000')
    """
    ends = [written(low, unit), written(high, unit)]
    if np.isinf(low):
        return f"below {ends[1]}" if np.isfinite(high) else "–"
    spent = " years" if unit == "years" else ""
    return f"{ends[0]} to {ends[1]}{spent}" if np.isfinite(high) else f"above {ends[0]}"


def written(value: float, unit: str) -> str:
    """Return a threshold in words, in its unit where that is one of money or of per cent."""
    shown = f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
    shown = (shown.rstrip("0").rstrip(".") if "." in shown else shown).replace("-", "−")
    return f"£{shown}m" if unit == "gbp_m" else f"{shown}%" if unit == "percent" else shown
