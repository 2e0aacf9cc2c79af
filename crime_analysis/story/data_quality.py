"""How good the figures are, shown: cross-checks, revisions, and one figure traced to its cell."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis import breaks
from crime_analysis.drawing import BLUE, ORANGE, Figure, canvas
from crime_analysis.findings.data_log import apart, farthest, log, revised
from crime_analysis.findings.unusual import CHANCE
from crime_analysis.prose import Text, named, rose_or_fell
from crime_analysis.provenance import Trace
from crime_analysis.story.axes import percent_axis
from crime_analysis.story.place_words import signed
from crime_analysis.story.recording import across_words, counts
from crime_analysis.tables import Table

__all__ = [
    "differing",
    "differing_table",
    "learnt",
    "quality",
    "quality_table",
    "revisions",
    "traced",
    "traced_words",
    "unusual_table",
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


def unusual_table(found: pd.DataFrame) -> Table:
    """Return the years whose homicides stand out of those beside them, from `unusual.unusual`."""
    rows = found.drop(columns="p_value").rename(
        columns={"offences": "homicides", "beside": "mean of the years beside it"}
    )
    events = rows["explained_by"].map(breaks.name).replace("", "none on the register")
    alone = int((found["explained_by"] == "").sum())
    return Table(
        rows.assign(explained_by=events),
        f"Homicides of a year that chance makes less than once in {1 / CHANCE:,.0f} years: {alone}"
        f" of {len(rows)} have no event on the register",
        {"mean of the years beside it": "{:.1f}"},
    )


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
        rows, f"Figures of {named(force)} that a later edition changed", {"change": "{:+.2%}"}
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


def differing_table(found: pd.DataFrame, force: str, most: int = 8) -> Table:
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
    shown = pd.DataFrame(
        {
            "of": rows["comparison"].map(_counted),
            "period": rows["period"],
            "one_says": _said(rows["first"], rows["first_value"]),
            "the_other_says": _said(rows["second"], rows["second_value"]),
            "difference": rows["difference"],
            "why": rows["why"],
        }
    )
    return Table(
        shown,
        f"Official figures of {named(force)} that differ: of each comparison the pair farthest"
        " apart",
        {"difference": "{:+.2%}"},
    )


def _said(publications: pd.Series, values: pd.Series) -> list[str]:
    pairs = zip(publications, values, strict=True)
    return [f"{value:,.2f}".replace(".00", "") + f" ({name})" for name, value in pairs]


def _counted(comparison: str) -> str:
    """Return what a comparison compares, in words short enough for an axis."""
    for start, whose in _BEGIN.items():
        if comparison.startswith(start):
            return f"{comparison.removeprefix(start).replace('_', ' ')}: {whose}"
    return _NAMES.get(comparison, comparison.replace("-", " ").replace("_", " "))


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
    robbery = next(c for c in counts(rows) if c[0] == "robbery")
    return Text(
        (
            f"Of {sums['pairs']:,} pairs of official figures of the same thing"
            f" {sums['failed'] or 'none'} differ without a known reason,"
            f" {sums['declared']} with one.",
            f"{across_words(rows, register)}. Robbery, which the inspection did not touch, rose in"
            f" {robbery[1]} of {robbery[2]} forces and {rose_or_fell(robbery[3])} in all. A rise"
            " everywhere at once is what a change in recording looks like; it does not show that"
            " nothing else rose.",
            f"{parted}.",
        )
    )
