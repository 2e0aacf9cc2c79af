"""How good the figures are, shown: cross-checks, revisions, one figure traced, and 2014."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis.data_log import SPREAD, apart, farthest, log, revised
from crime_analysis.drawing import BLUE, ORANGE, Figure, canvas
from crime_analysis.links import verdict
from crime_analysis.measures import BASE, MEASURES, touched
from crime_analysis.prose import Text, named, rose_or_fell
from crime_analysis.provenance import Trace
from crime_analysis.story.axes import percent_axis
from crime_analysis.story.place_words import signed, spanning
from crime_analysis.tables import Table

__all__ = [
    "across",
    "differing",
    "differing_table",
    "knife_with_injury",
    "learnt",
    "quality",
    "quality_table",
    "revisions",
    "traced",
    "traced_words",
]

_ALIKE = 0.01  # nearer than this two counts are called the same to a hundredth
_NAMES = {
    "officers-mopac-2009-2015": "officers: MOPAC to 2015",
    "officers-mopac-2014-2022": "officers: MOPAC from 2014",
    "officers-mopac-editions": "officers: two editions of MOPAC's",
    "officers-bulletins": "officers: bulletin, open data",
    "officers-hmic-2010": "officers: HMIC 2010",
    "pcsos-hmic-2010": "support officers: HMIC 2010",
    "knife-mopac": "knife offences: MOPAC",
    "knife-editions-met": "knife offences: two editions",
    "knife-current-definition": "knife offences: current definition",
    "knife-older-basis": "knife offences: older basis, current",
    "knife-dashboard": "knife offences: dashboard, boroughs",
    "grants-all": "all grants: estimate, outturn",
    "formula-funding": "formula grant: estimate, outturn",
    "formula-and-legacy": "formula and legacy grants: the same",
    "council-tax": "council tax: estimate, outturn",
    "grants-and-council-tax": "grants and council tax: the same",
    "met-grant-gla": "grant: estimate, outturn of the GLA",
    "met-settlement": "grant: HMIC, settlement",
    "population-forces": "residents: ONS tables, Nomis",
}
_BEGIN = {
    "met-boroughs-": "boroughs added up",
    "met-workbook-": "MOPAC 2015",
    "rolling-quarterly-": "years, quarters",
    "partnerships-": "partnerships, Met",
}
_EDGE = 0.30


def quality(found: pd.DataFrame) -> Text:
    """Return what the cross-checks found, failures first.

    Parameters
    ----------
    found : DataFrame
        From `crosscheck.crosscheck`.
    """
    sums = log(found)[["comparisons", "pairs", "agree", "declared", "failed"]].sum()
    if sums["failed"]:
        opening = (
            f"{sums['failed']} pairs of figures differ by more than any reason on record allows:"
            " do not lean on these tables before you have looked at them."
        )
    else:
        opening = "No pair of figures differs by more than a reason on record allows."
    return Text(
        (
            f"{opening} Wherever two publications, or two editions of one, give the same figure,"
            f" they were compared: {sums['comparisons']} comparisons, {sums['pairs']:,} pairs."
            f" {sums['agree']:,} agree within a tolerance that was stated with its reason;"
            f" {sums['declared']} lie beyond it, each declared by name with the reason. A tolerance"
            " was set after looking at the figures: it guards against new errors and does not"
            " prove the old ones absent.",
        )
    )


def quality_table(found: pd.DataFrame) -> Table:
    """Return the outcome of the cross-checks by subject."""
    rows = log(found).rename(
        columns={"agree": "within tolerance", "declared": "beyond, with a reason"}
    )
    return Table(rows, "Pairs of figures that two publications give of the same thing")


def revisions(officers: pd.DataFrame, knife: pd.DataFrame, force: str) -> Table | Text:
    """Return the figures of a force that a later edition changed.

    Parameters
    ----------
    officers, knife : DataFrame
        The shipped tables ``officers_revisions`` and ``knife_revisions``.
    force : str
        The place.
    """
    rows = revised(officers, knife, force)
    if rows.empty:
        return Text(
            (
                f"No figure of {named(force)} is known to differ between two editions, of officers"
                " and of knife offences, the two that were compared.",
            )
        )
    return Table(
        rows, f"Figures of {named(force)} that a later edition changed", {"change": "{:+.1%}"}
    )


def traced_words(trace: Trace) -> Text:
    """Return one figure and the way back to its cells, in a sentence."""
    key = ", ".join(str(value) for value in trace.key.values())
    if not trace.cells:
        return Text((f"{trace.field.replace('_', ' ')} of {key}: {'; '.join(trace.steps)}.",))
    value = f"{trace.value:,.2f}" if isinstance(trace.value, float) else str(trace.value)
    first = trace.cells[0]
    where = f" Its cells: {first}." if len(trace.cells) == 1 else ""
    return Text(
        (
            f"The table {trace.table} says of {key}: {value}. The figure comes from"
            f" “{first.source['title']}” ({first.source['publisher']},"
            f" {first.source['edition']}).{where}",
        )
    )


def traced(trace: Trace) -> Table:
    """Return the way of one figure back to its publication, step by step.

    Parameters
    ----------
    trace : Trace
        From `provenance.trace`.
    """
    rows = [("figure", f"{trace.table}.{trace.field} = {trace.value}")]
    for cells in trace.cells:
        rows += [
            ("publisher", cells.source["publisher"]),
            ("publication", f"{cells.source['title']} ({cells.source['edition']})"),
            ("file", cells.source["file"]),
            ("the file's SHA-256", cells.source["sha256"]),
            ("cells", str(cells)),
        ]
    rows += [(f"step {number}", step) for number, step in enumerate(trace.steps, start=1)]
    return Table(
        pd.DataFrame(rows, columns=["what", "found"]),
        "From a figure back to the cells it is made of",
    )


def differing(found: pd.DataFrame, force: str) -> Figure | Text:
    """Draw how far two publications are apart wherever both count the same of one force.

    Parameters
    ----------
    found : DataFrame
        From `crosscheck.crosscheck`.
    force : str
        The place.
    """
    rows = apart(found, force)
    size = rows[["least", "most"]].abs().max(axis=1)
    shown = rows[size > 1e-4]
    if len(shown) < 2:
        most = f", and at most {size.max():.2%} apart" if len(rows) else ""
        return Text((f"{_differing_words(rows, force)}{most}: there is nothing to draw.",))
    y = np.arange(len(shown))
    with canvas(height=1.5 + 0.27 * max(len(shown), 2)) as (_, axis, out):
        axis.barh(
            y, (shown["to"] - shown["from"]).clip(upper=2 * _EDGE), left=shown["from"],
            height=0.62, color="#dddddd", lw=0, label="tolerance, stated with its reason",
        )  # fmt: skip
        axis.hlines(y, shown["least"], shown["most"], color=BLUE, lw=2.4)
        for column in ("least", "most"):
            told = "least and most of the years" if column == "least" else None
            axis.plot(shown[column].clip(-_EDGE, _EDGE), y, "o", color=BLUE, ms=5, label=told)
        declared = (shown["declared"] > 0).to_numpy()
        axis.plot(shown["most"].clip(-_EDGE, _EDGE)[declared], y[declared], "o", mfc="none",
                  mec=ORANGE, ms=11, mew=1.8, label="beyond it, with a reason")  # fmt: skip
        axis.axvline(0, color="black", lw=0.9)
        axis.set_yticks(y, [_counted(str(name)) for name in shown.index])
        axis.set_ylim(len(shown) - 0.3, -0.7)
        axis.grid(axis="y", visible=False)
        low, high = shown[["least", "from"]].min().min(), shown[["most", "to"]].max().max()
        low, high = (0.0, 0.0) if shown.empty else (max(low, -_EDGE), min(high, _EDGE))
        percent_axis(axis, min(low, 0) - 0.02, max(high, 0) + 0.02)
        axis.set_xlabel("second count over the first, less one")
        axis.figure.legend(loc="outside lower center", ncols=3)
    return Figure(
        title=_differing_words(rows, force),
        alt=f"Spans of how far the second count is from the first, of {named(force)}: "
        + ", ".join(
            f"{_counted(str(name))} {signed(row['least'])} to {signed(row['most'])}"
            for name, row in shown.iterrows()
        )
        + ".",
        source=f"{len(rows) - len(shown)} comparisons of {named(force)} whose pairs are the same to"
        " a ten-thousandth are not drawn. Of few homicides a handful either way is tolerated,"
        " beyond the grey. The table below names both publications. Source: shipped tables.",
        svg=out.getvalue(),
        data=rows.reset_index(),
    )


def _differing_words(rows: pd.DataFrame, force: str) -> str:
    size = rows[["least", "most"]].abs().max(axis=1)
    alike = int((size < _ALIKE).sum())
    text = (
        f"{alike} of {len(rows)} comparisons of official figures of {named(force)} agree to a"
        " hundredth"
    )
    if rows.empty or size.max() < _ALIKE:
        return text
    last = rows.loc[size.idxmax()]
    most = last["most"] if abs(last["most"]) >= abs(last["least"]) else last["least"]
    return f"{text}; the farthest apart, {signed(most)}, is {_counted(str(size.idxmax()))}"


def differing_table(found: pd.DataFrame, force: str, most: int = 12) -> Table:
    """Return pairs of official figures of the same thing that differ, and why they may.

    Parameters
    ----------
    found : DataFrame
        From `crosscheck.crosscheck`.
    force : str
        The place.
    most : int
        How many comparisons to show, the farthest apart first.
    """
    rows = farthest(found, force)
    rows = rows[rows["difference"].abs() > 0].head(most)
    return Table(
        rows.assign(comparison=rows["comparison"].map(_counted)),
        f"Official figures of {named(force)} that differ: of each comparison the pair farthest"
        " apart",
        {"difference": "{:+.2%}"},
    )


def _counted(comparison: str) -> str:
    """Return what a comparison compares, in words short enough for an axis."""
    for start, whose in _BEGIN.items():
        if comparison.startswith(start):
            return f"{comparison.removeprefix(start).replace('_', ' ')}: {whose}"
    return _NAMES.get(comparison, comparison.replace("-", " ").replace("_", " "))


def across(rows: pd.DataFrame, register: pd.DataFrame, before: str, after: str) -> Figure:
    """Draw how each measure moved in every place across the inspection of recording.

    Parameters
    ----------
    rows : DataFrame
        From `data_log.spread`.
    register : DataFrame
        The shipped table ``breaks``.
    before, after : str
        The years compared.
    """
    moved = touched(register)
    edge = 2.0
    with canvas(height=3.4) as (_, axis, out):
        for y, measure in enumerate(SPREAD):
            mine = rows[rows["measure"] == measure]
            known = mine["change"].dropna()
            colour, mark = (ORANGE, "|") if moved[measure] else (BLUE, "|")
            if measure != "homicide":
                axis.plot(known.clip(upper=edge), np.full(len(known), y), mark, color=colour,
                          ms=15, mew=1.2, alpha=0.75)  # fmt: skip
            total = mine.iloc[0]
            axis.hlines(y, total["total_low"], total["total_high"], color="black", lw=2.2)
            axis.plot([total["total"]], [y], "s" if moved[measure] else "o", color="black", ms=7)
            axis.annotate(
                f"all together {signed(total['total'])}", (total["total"], y), xytext=(0, -17),
                textcoords="offset points", ha="center", fontsize=8.5,
                bbox={"color": "white", "pad": 0.5},
            )  # fmt: skip
        axis.axvline(0, color="black", lw=0.9, zorder=1)
        names = [
            f"{MEASURES[m]}{' (touched)' if moved[m] else ''}".replace(", sharp object", "")
            for m in SPREAD
        ]
        axis.set_yticks(range(len(SPREAD)), names)
        axis.set_ylim(len(SPREAD) - 0.4, -0.6)
        axis.grid(axis="y", visible=False)
        reach = rows["change"].clip(upper=edge)
        percent_axis(axis, min(reach.min(), -0.1) - 0.05, max(reach.max(), 0.2) + 0.05)
        axis.set_xlabel(f"change in number, {before} to {after}")
    return Figure(
        title=_across_words(rows, register),
        alt=f"Strips of every place's change, {before} to {after}. "
        + "; ".join(
            f"{MEASURES[m]}: rose in {up} of {count}, all together {signed(total)}"
            for m, up, count, total, *_ in _counts(rows)
        )
        + ".",
        source="A stroke is a police force; for admissions a region of England. Places with fewer"
        " than 50 events in the first year have no stroke, and homicide none at all. Touched: by"
        " the inspection of recording of November 2014. Black line: exact 95% Poisson interval of"
        " the total, where events are few. Source: Home Office recorded crime; NHS Digital.",
        svg=out.getvalue(),
        data=rows,
    )


def _counts(rows: pd.DataFrame) -> list[tuple[str, int, int, float, float, float]]:
    """Return by measure in how many places of how many it rose, and the total, its interval."""
    told = []
    for measure in SPREAD:
        mine = rows[rows["measure"] == measure]
        known = mine["change"].dropna()
        total, low, high = mine[["total", "total_low", "total_high"]].iloc[0]
        told.append((measure, int((known > 0).sum()), len(known), total, low, high))
    return told


def _across_words(rows: pd.DataFrame, register: pd.DataFrame) -> str:
    """Return whether the measures that the inspection touched rose everywhere, and others not."""
    moved = touched(register)
    counts = {m: (up, count, total, low, high) for m, up, count, total, low, high in _counts(rows)}
    inside = [m for m in SPREAD if moved[m] and counts[m][1]]
    if not inside:
        return "These figures cannot tell what the inspection of recording did"
    said = " and ".join(f"{MEASURES[m]} rose in {counts[m][0]} of {counts[m][1]}" for m in inside)
    _, _, _, low, high = counts["homicide"]
    chance = f"homicides of all together, {spanning(low, high)}"
    if verdict(low, high) == "cannot tell":
        chance += ", cannot be told from no change"
    return f"Across forces {said}; {chance}"


def knife_with_injury(knife: pd.DataFrame, years: pd.DataFrame, force: str) -> Text:
    """Return how knife crime with injury moved beside recorded violence with injury.

    Parameters
    ----------
    knife : DataFrame
        From `measures.knife_crime`.
    years : DataFrame
        From `measures.yearly`.
    force : str
        The place.
    """
    for name, series in knife[knife["with_injury"]].groupby("definition"):
        counts = series.set_index("financial_year")["offences"]
        last = str(counts.index[-1])
        if BASE not in counts.index or last == BASE:
            continue
        recorded = years["violence_with_injury"]
        return Text(
            (
                f"Knife crime with injury ({name}) {rose_or_fell(counts[last] / counts[BASE] - 1)}"
                f" from {BASE} to {last}, the last whole year of the series, while recorded"
                f" violence with injury {rose_or_fell(recorded[last] / recorded[BASE] - 1)}. The"
                " register lists the second among what the inspection touched, and not the first.",
            )
        )
    return Text(
        (
            f"Knife crime with injury is not on hand for {named(force)} for years on both sides of"
            " the inspection: London alone has it.",
        )
    )


def learnt(found: pd.DataFrame, rows: pd.DataFrame, register: pd.DataFrame, parted: str) -> Text:
    """Return what was learnt of the figures: how they agree, and what they can bear.

    Parameters
    ----------
    found : DataFrame
        From `crosscheck.crosscheck`.
    rows : DataFrame
        From `data_log.spread`.
    register : DataFrame
        The shipped table ``breaks``.
    parted : str
        The title of `violence.indexed`: how measures parted in the force chosen.
    """
    sums = log(found)[["pairs", "agree", "declared", "failed"]].sum()
    robbery = next(c for c in _counts(rows) if c[0] == "robbery")
    return Text(
        (
            f"Of {sums['pairs']:,} pairs of official figures of the same thing"
            f" {sums['failed'] or 'none'} differ without a known reason,"
            f" {sums['declared']} with one.",
            f"{_across_words(rows, register)}. Robbery, which the inspection did not touch, rose in"
            f" {robbery[1]} of {robbery[2]} forces and {rose_or_fell(robbery[3])} in all. A rise"
            " everywhere at once is what a change in recording looks like; it does not show that"
            " nothing else rose.",
            f"{parted}.",
        )
    )
