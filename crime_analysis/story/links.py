"""Pictures and tables of one link: made for readers who do not know the columns' names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from crime_analysis import figures
from crime_analysis.curve import SpecificationCurve
from crime_analysis.drawing import Figure
from crime_analysis.findings.across import slope
from crime_analysis.implied import route_in_words
from crime_analysis.instrument_report import InstrumentReport
from crime_analysis.links import OUTCOMES, WEAK, Link
from crime_analysis.prose import Text
from crime_analysis.story.forest import forest
from crime_analysis.story.link_dose import touched
from crime_analysis.story.link_words import concerning, in_words
from crime_analysis.story.scatters import parting, points, scatters
from crime_analysis.tables import Table

__all__ = [
    "all_ways",
    "as_shown",
    "curve",
    "implied_table",
    "instrument_effects",
    "instrument_ways",
    "levels_and_changes",
    "ways",
    "ways_table",
]

_ELASTICITY = "elasticity: % change for 1% more of the cause"
#: No elasticity of police that anyone has published is a fifth of this: an interval that ends
#: beyond it has no bound that a reader could use, and its end is rounding of a weak instrument.
REASON = 10.0
_NO_BOUND = f"no bound: none within an elasticity of {REASON:g} either way"


def levels_and_changes(rows: pd.DataFrame, outcome: str, force: str) -> Figure:
    """Draw officers against violence across forces: as they stand, and as they changed.

    Parameters
    ----------
    rows : DataFrame
        From `across.ends`.
    outcome, force : str
        The offence group, and the force to mark.
    """
    label = OUTCOMES[outcome][0]
    level = f"{outcome}_per_1000"
    scale = 1000 if outcome == "homicide" else 1
    shown = rows.assign(**{level: rows[level] * scale})
    per = "million" if scale == 1000 else "1,000"
    stand = slope(shown, "officers_per_1000", level)
    changed = slope(shown, "officers_change", "outcome_change")
    standing = (
        f"{stand.estimate:+.2g} per {per} for one more officer per 1,000,"
        f" {stand.low:+.2g} to {stand.high:+.2g}"
    ).replace("-", "−")
    claims = {
        f"{label} goes with officers as they stand": (stand, standing),
        f"{label} moved with officers": (changed, points(changed)),
    }
    marked = bool((shown["force"] == force).any())
    missing = "" if marked else f" {force} is left out: too few residents for rates."
    ringed = f" {force} is ringed." if marked else ""
    columns = ["force", "officers_per_1000", level, "officers_change", "outcome_change"]
    return Figure(
        title=parting(claims),
        alt=f"Two scatter plots of {len(shown)} forces. Officers against {label} as they stand:"
        f" {standing} (correlation {stand.correlation:.2f}). Change in officers against change in"
        f" {label}, both per resident: {points(changed)} (correlation"
        f" {changed.correlation:.2f}).{ringed}",
        source=f"Source: Home Office workforce and recorded crime data; ONS. Changes from"
        f" {rows.attrs['first']} to {rows.attrs['last']}, three years pooled at each end. Area"
        " shows residents; slopes count forces alike, with 95% intervals robust to unequal"
        f" scatter.{missing}",
        svg=scatters(
            shown, force,
            (("officers_per_1000", level, "officers per 1,000 residents",
              f"{label} per {per} residents", f"As they stand, {rows.attrs['last']}"),
             ("officers_change", "outcome_change", "change in officers per resident",
              f"change in {label} per resident", "As they changed")),
        ),
        data=rows[columns],
    )  # fmt: skip


def ways(link: Link) -> Figure:
    """Draw every way in which a link was estimated, the headline marked."""
    rows = link.table.reset_index().rename(columns={"specification": "label"})
    weak = rows["f_statistic"] < WEAK
    kinds = np.where(rows["label"] == link.headline, "chosen", np.where(weak, "weak", "estimate"))
    rows = rows.assign(kind=kinds, group="")
    clear = (rows["ci_low"] > 0) | (rows["ci_high"] < 0)
    bounded = np.isfinite(rows[["ci_low", "ci_high"]]).all(axis=1)
    clear &= bounded & (rows["ci_low"] <= rows["ci_high"])
    above = int((clear & (rows["ci_low"] > 0)).sum())
    unclear = len(rows) - int(clear.sum())
    below = int(clear.sum()) - above
    count = (
        f"None of {len(rows)} ways can"
        if unclear == len(rows)
        else (f"{unclear or 'None'} of {len(rows)} ways cannot")
    )
    move = "move" if link.outcome == "officers" else "moves"
    first = f"{count} tell how {link.outcome} {move} with {link.cause}"
    sides = [f"{n} find {word}" for n, word in ((above, "a positive"), (below, "a negative")) if n]
    return Figure(
        title=f"{first}{'; ' + ', '.join(sides) + ' elasticity' if sides else ''}",
        alt="Estimates with 95% intervals. " + _spoken(rows),
        source="Instruments have Anderson-Rubin sets, other estimates t intervals clustered by"
        f" force; arrowheads go on. Weak: F under 10.{_noted(rows)}",
        svg=forest(_bounded(rows), _ELASTICITY),
        data=as_shown(link),
    )


def as_shown(link: Link) -> pd.DataFrame:
    """Return every way of a link as a reader should see it: no end beyond `REASON`."""
    return _bounded(link.table).reset_index()


def ways_table(link: Link, caption: str) -> Table:
    """Return every way in which a link was estimated, as rows."""
    rows = as_shown(link)
    return Table(rows, caption + (f" ({_NO_BOUND})" if _noted(rows) else ""))


def all_ways(links: Mapping[str, Link], title: str) -> Figure:
    """Draw every way of every link, no end beyond `REASON`; see `figures.links`."""
    shown = {name: replace(link, table=_bounded(link.table)) for name, link in links.items()}
    figure = figures.links(shown, title)
    note = _noted(pd.concat([link.table for link in links.values()]))
    spoken = re.sub(r"[−-]?\binf\b", "no bound", figure.alt)
    return replace(figure, alt=spoken, source=figure.source + note)


def _bounded(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows whose interval ends are infinite where they lie beyond `REASON`."""
    low = rows["ci_low"].astype(float)
    high = rows["ci_high"].astype(float)
    return rows.assign(
        ci_low=low.mask(low < -REASON, -np.inf), ci_high=high.mask(high > REASON, np.inf)
    )


def _noted(rows: pd.DataFrame) -> str:
    """Return what “no bound” means, where an end has none."""
    without = np.isinf(_bounded(rows)[["ci_low", "ci_high"]].to_numpy(float)).any()
    return f" {_NO_BOUND[:1].upper()}{_NO_BOUND[1:]}." if without else ""


def _spoken(rows: pd.DataFrame) -> str:
    said = []
    for row in _bounded(rows).itertuples():
        low, high = (
            "no bound" if np.isinf(end) else f"{end:.2f}" for end in (row.ci_low, row.ci_high)
        )
        said.append(f"{row.label}: {row.estimate:.2f} ({low} to {high})".replace("\n", " "))
    return "; ".join(said) + "."


def instrument_ways(report: InstrumentReport, outcome: str) -> Figure | Text:
    """Draw the Anderson-Rubin sets of one outcome, a row a way of building the instrument.

    Returns
    -------
    Figure or Text
        A sentence where the outcome takes no instrument.
    """
    if outcome not in report.effects.index.unique("outcome"):
        return Text((f"There is no instrumented estimate of {outcome} to draw.",))
    frame = report.shown("effects")
    frame = frame[frame["outcome"] == outcome].reset_index(drop=True)
    rows = pd.DataFrame(
        {
            "label": frame["way"],
            "group": np.where(
                frame["way"].str.contains("with London"), "With London", "Without London"
            ),
            "estimate": frame["estimate"],
            "ci_low": frame["ci_low"],
            "ci_high": frame["ci_high"],
            "kind": np.where(frame["effective_f"] >= WEAK, "estimate", "weak"),
        }
    ).sort_values("group", kind="stable")
    rows["label"] = rows["label"].str.replace(r", with(out)? London", "", regex=True)
    clear = np.isfinite(rows[["ci_low", "ci_high"]]).all(axis=1)
    clear &= (rows["ci_low"] > 0) | (rows["ci_high"] < 0)
    weak = int((rows["kind"] == "weak").sum())
    before = int((frame["reading"] == "parted before").sum())
    return Figure(
        title=f"{outcome.capitalize()}: of {len(rows)} ways to build the instrument"
        f" {before or 'none'} part{'' if before > 1 else 's'} before the cuts and {weak or 'none'}"
        f" {'are' if weak > 1 else 'is'} too weak to lean on; {int(clear.sum()) or 'none'}"
        f" {'have' if clear.sum() > 1 else 'has'} a bounded set without zero",
        alt="Two-stage elasticities with Anderson-Rubin 95% sets. "
        + _spoken(rows.assign(label=rows["group"] + ", " + rows["label"])),
        source="Share of 2009/10 times the national fall in grants; force and year effects,"
        " clustered by force. Weak: effective F under 10 (Montiel Olea and Pflueger 2013). Sets"
        f" with arrowheads go on; Anderson and Rubin (1949).{_noted(rows)}",
        svg=forest(_bounded(rows), f"{_ELASTICITY}, Anderson-Rubin 95% set"),
        data=_effects(frame)[["way", "estimate", "set", "effective F", "reading"]],
    )


def instrument_effects(report: InstrumentReport, outcome: str | None = None) -> Table | Text:
    """Return the instrumented estimates of one outcome, or of all, way by way.

    The report's bootstrap of each reduced form is left out: a page tests that of its headline
    with draws of its own, and two p-values for one question would differ by chance alone.

    Returns
    -------
    Table or Text
        A sentence where the outcome takes no instrument.
    """
    frame = report.shown("effects")
    columns = ["way", "estimate", "set", "effective F", "reduced form", "reading"]
    if outcome is None:
        columns = ["outcome", *columns]
    elif outcome in report.effects.index.unique("outcome"):
        frame = frame[frame["outcome"] == outcome]
    else:
        return Text((f"There is no instrumented estimate of {outcome} to list.",))
    return Table(
        _effects(frame)[columns],
        "Two-stage elasticity, Anderson-Rubin set, reduced form, and how it reads by rule"
        + (f" ({_NO_BOUND})" if _noted(frame) else ""),
    )


def _effects(frame: pd.DataFrame) -> pd.DataFrame:
    """Return instrumented estimates with their sets in words, no end beyond `REASON`."""
    shown = _bounded(frame)
    moved = (shown["ci_low"] != frame["ci_low"]) | (shown["ci_high"] != frame["ci_high"])
    low, high = (
        shown[name].map(lambda end: "no bound" if np.isinf(end) else f"{end:.2f}")
        for name in ("ci_low", "ci_high")
    )
    words = (low + " to " + high).str.replace("-", "−")
    names = {"effective_f": "effective F", "reduced_form": "reduced form"}
    return shown.assign(set=frame["set"].mask(moved, words)).rename(columns=names)


def implied_table(implied: pd.DataFrame, force: str) -> Table | Text:
    """Return what a force's losses imply beside what was recorded, with the shares of a rise.

    Parameters
    ----------
    implied : DataFrame
        From `implied.chain`.
    force : str
        The place.

    Returns
    -------
    Table or Text
        A sentence where the place has too few residents for rates.
    """
    if implied.empty:
        return Text((f"There is no change per resident to show for {force}.",))
    changes = [name for name in implied.columns if name not in ("outcome", "route")]
    routes = map(route_in_words, implied["route"], implied["cause_change"])
    return Table(
        implied.assign(route=list(routes)),
        "Implied and recorded changes per resident",
        dict.fromkeys(changes, "{:+.1%}"),
    )


def curve(
    found: SpecificationCurve, register: pd.DataFrame, series: tuple[str, ...]
) -> tuple[Figure, Table]:
    """Return the specification curve, and its estimates by choice, in plain words.

    Parameters
    ----------
    found : SpecificationCurve
    register : DataFrame
        The shipped table ``breaks``: what concerns the series is told below the chart.
    series : tuple of str
        The offence groups in the universe.
    """
    told = in_words(found)
    behind = tuple(pair for name in series for pair in touched(name))
    years = concerning(register, behind)
    notes = "".join(f" Break, {year:.0f}: {what}" for year, what in years.items() if year >= 2007)
    figure = told.plot()
    title = figure.title.removesuffix(f": {found.verdict}")
    table = told.by_choice().reset_index()
    table["choice"] = table["choice"].str.replace("_", " ")
    if found.draws:
        title = f"{found.verdict.capitalize()}: {title}"
    # A force is what the errors are clustered by.
    data = figure.data.rename(columns={"n_clusters": "forces"})
    return replace(figure, title=title, source=figure.source + notes, data=data), Table(
        table, "Median estimate, and intervals wholly above or below zero, by choice"
    )
