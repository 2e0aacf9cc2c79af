"""Pictures and tables of one link: made for readers who do not know the columns' names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from crime_analysis import figures
from crime_analysis.curve import SpecificationCurve
from crime_analysis.drawing import BLUE, ORANGE, Figure, canvas
from crime_analysis.instrument_report import InstrumentReport
from crime_analysis.links import OUTCOMES, WEAK, Link
from crime_analysis.models.event_study import EventStudy
from crime_analysis.prose import Text
from crime_analysis.story.forest import forest
from crime_analysis.story.link_words import chance, concerning, in_words
from crime_analysis.tables import Table

__all__ = [
    "curve",
    "event_study",
    "implied_table",
    "instrument_ways",
    "levels_and_changes",
    "money_and_officers",
    "pre_trends",
    "ways",
]

_ELASTICITY = "elasticity: % change for 1% more of the cause"


def _touched(series: str) -> tuple[tuple[str, str], ...]:
    """Return the tables and series behind a rate, as the register of breaks names them."""
    people = ("population", "population")
    if series == "officers":
        return (("officers", "officers_fte"), people)
    return (("recorded_crime", series), people)


def _correlated(rows: pd.DataFrame, x: str, y: str) -> tuple[float, float, float]:
    """Return a correlation across forces with its 95% interval (Fisher 1921)."""
    pair = rows[[x, y]].replace([np.inf, -np.inf], np.nan).dropna()
    r = float(pair[x].corr(pair[y]))
    reach = 1.96 / np.sqrt(max(len(pair) - 3, 1))
    return r, float(np.tanh(np.arctanh(r) - reach)), float(np.tanh(np.arctanh(r) + reach))


def _told(pairs: list[tuple[float, float, float]]) -> tuple[list[str], str]:
    """Return two correlations in words, and which of them can be told from none."""
    said = [f"{r:.2f} ({low:.2f} to {high:.2f})" for r, low, high in pairs]
    clear = [not low <= 0 <= high for _, low, high in pairs]
    doubt = {
        (True, True): "both can", (True, False): "only the first can",
        (False, True): "only the second can", (False, False): "neither can",
    }[clear[0], clear[1]]  # fmt: skip
    return said, f"{doubt} be told from none"


def money_and_officers(changes: pd.DataFrame, force: str, start: str, end: str) -> Figure:
    """Draw the first link across forces: government's share, money lost, officers lost.

    Parameters
    ----------
    changes : DataFrame
        From `panel.changes`.
    force, start, end : str
        The force to mark, and the years compared.
    """
    figure = figures.scatter(changes, force, start, end)
    rows = changes.dropna(subset=["funding_change", "officers_change"])
    pairs = (("share_all_grants", "funding_change"), ("funding_change", "officers_change"))
    said, doubt = _told([_correlated(rows, *pair) for pair in pairs])
    alt = figure.alt if (rows["force"] == force).any() else figure.alt.rsplit(". ", 1)[0] + "."
    return replace(
        figure,
        title=f"Across forces government's share and the change in money correlate at {said[0]},"
        f" money and officers at {said[1]}: {doubt}",
        alt=alt,
    )


def levels_and_changes(rows: pd.DataFrame, outcome: str, force: str) -> Figure:
    """Draw officers against violence across forces: as they stand, and as they changed.

    Parameters
    ----------
    rows : DataFrame
        From `link_evidence.ends`.
    outcome, force : str
        The offence group, and the force to mark.
    """
    label = OUTCOMES[outcome][0]
    level = f"{outcome}_per_1000"
    scale = 1000 if outcome == "homicide" else 1
    shown = rows.assign(**{level: rows[level] * scale})
    per = "million" if scale == 1000 else "1,000"
    pairs = (
        ("officers_per_1000", level, "officers per 1,000 residents",
         f"{label} per {per} residents", f"As they stand, {rows.attrs['last']}"),
        ("officers_change", "outcome_change", "change in officers per resident",
         f"change in {label} per resident", "As they changed"),
    )  # fmt: skip
    with canvas(1, 2, height=4.1) as (_, axes, out):
        for axis, (x, y, x_label, y_label, title) in zip(axes, pairs, strict=True):
            size = 12 + 130 * shown["population"] / shown["population"].max()
            axis.scatter(shown[x], shown[y], s=size, color=BLUE, alpha=0.55, lw=0)
            mine = shown[shown["force"] == force]
            axis.scatter(mine[x], mine[y], s=70, facecolor="none", edgecolor=ORANGE, lw=2, zorder=3)
            for row in mine.itertuples():
                right = getattr(row, x) > shown[x].median()
                axis.annotate(
                    force, (getattr(row, x), getattr(row, y)), textcoords="offset points",
                    xytext=(-9 if right else 9, 9), ha="right" if right else "left",
                    fontsize=9, fontweight="bold", color="#a34700",
                )  # fmt: skip
            axis.margins(0.1)
            axis.set_xlabel(x_label)
            axis.set_ylabel(y_label)
            axis.set_title(title, fontsize=10)
        for side in (axes[1].xaxis, axes[1].yaxis):
            side.set_major_formatter(lambda v, _: f"{v:.0%}".replace("-", "−"))
    said, doubt = _told([_correlated(shown, x, y) for x, y, *_ in pairs])
    missing = "" if len(mine) else f" {force} is left out: too few residents for rates."
    ringed = f" {force} is ringed." if len(mine) else ""
    columns = ["force", "officers_per_1000", level, "officers_change", "outcome_change"]
    return Figure(
        title=f"Across forces officers and {label} correlate at {said[0]} as they stand and at"
        f" {said[1]} as they changed: {doubt}",
        alt=f"Two scatter plots of {len(shown)} forces. Officers and {label} per resident"
        f" correlate at {said[0]} as they stand, at {said[1]} as they changed.{ringed}",
        source=f"Source: Home Office workforce and recorded crime data; ONS. Changes from"
        f" {rows.attrs['first']} to {rows.attrs['last']}, three years pooled at each end. Area"
        f" shows residents. Intervals are of correlations that count every force alike.{missing}",
        svg=out.getvalue(),
        data=rows[columns],
    )


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
        " force; arrowheads go on. Weak: F under 10.",
        svg=forest(rows, _ELASTICITY),
        data=link.table.reset_index(),
    )


def _spoken(rows: pd.DataFrame) -> str:
    said = []
    for row in rows.itertuples():
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
    return Figure(
        title=f"{outcome.capitalize()}: of {len(rows)} ways to build the instrument"
        f" {int(clear.sum()) or 'none'} {'has' if clear.sum() == 1 else 'have'} a bounded set"
        f" without zero; {weak or 'none'} {'is' if weak == 1 else 'are'} too weak to lean on",
        alt="Two-stage elasticities with Anderson-Rubin 95% sets. "
        + _spoken(rows.assign(label=rows["group"] + ", " + rows["label"])),
        source="Share of 2009/10 times the national fall in grants; force and year effects,"
        " clustered by force. Weak: effective F under 10 (Montiel Olea and Pflueger 2013). Sets"
        " with arrowheads go on; Anderson and Rubin (1949).",
        svg=forest(rows, f"{_ELASTICITY}, Anderson-Rubin 95% set"),
        data=frame[["way", "estimate", "set", "effective_f", "p_value", "reading"]],
    )


def event_study(study: EventStudy, register: pd.DataFrame, series: str) -> Figure:
    """Draw a series by dose, year by year, with the breaks that concern it.

    Parameters
    ----------
    study : EventStudy
        From `link_evidence.by_dose`.
    register : DataFrame
        The shipped table ``breaks``.
    series : str
        ``officers``, or an outcome.
    """
    figure = in_words(study).plot(breaks=concerning(register, _touched(series)))
    mean, tests, sd = study.average(), study.pre_trends(), study.dose_sd
    low, high = (float(np.expm1(mean[end] * sd)) for end in ("ci_low", "ci_high"))
    after = "cannot tell the sign" if low <= 0 <= high else "clear of zero"
    chances = tests["p_value"].reindex(["joint", "linear"])
    before = "already parting" if (chances < 0.05).any() else "not seen to part"
    label = series if series == "officers" else OUTCOMES[series][0]
    return replace(
        figure,
        title=f"{label.capitalize()} per resident, for each standard deviation of government's"
        f" share: {low:+.1%} to {high:+.1%} on average after {study.reference}, {after}; before,"
        f" {before} ({chance(chances['joint'])} jointly, {chance(chances['linear'])} of a slope)",
        data=figure.data.drop(columns="term"),
    )


def pre_trends(report: InstrumentReport, outcome: str) -> Table:
    """Return, way by way, whether an outcome was parting by dose before the cuts."""
    frame = report.shown("pre_trends")
    columns = ["way", "joint_p", "slope", "ci_low", "ci_high", "slope_p", "after", "after_low",
               "after_high"]  # fmt: skip
    return Table(
        frame.loc[frame["outcome"] == outcome, columns],
        f"{outcome.capitalize()} by dose: before {report.reference}, a joint test and the slope a"
        " year; after it, the average; for one standard deviation of the share",
        {name: "{:+.1%}" for name in columns if not name.endswith("_p") and name != "way"},
    )


def implied_table(implied: pd.DataFrame, force: str) -> Table | Text:
    """Return what a force's losses imply beside what was recorded, with the shares of a rise.

    Parameters
    ----------
    implied : DataFrame
        From `links.chain`.
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
    return Table(
        implied, "Implied and recorded changes per resident", dict.fromkeys(changes, "{:+.1%}")
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
    touched = tuple(pair for name in series for pair in _touched(name))
    years = concerning(register, touched)
    notes = "".join(f" Break, {year:.0f}: {what}" for year, what in years.items() if year >= 2007)
    figure = told.plot()
    table = told.by_choice().reset_index()
    table["choice"] = table["choice"].str.replace("_", " ")
    return replace(figure, source=figure.source + notes), Table(
        table, "Median estimate, and intervals wholly above or below zero, by choice"
    )
