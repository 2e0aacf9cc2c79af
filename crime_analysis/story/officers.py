"""The officers of a force shown: by every count, per head, by role and, in London, by borough."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis import breaks, periods
from crime_analysis.drawing import BLUE, GREEN, GREY, ORANGE, YELLOW, Figure, canvas
from crime_analysis.findings.strength import (
    EARLIER,
    FIRST_PRINTED,
    HMIC,
    LATER,
    MONTHLY,
    OFFICE,
    OLDER_BASIS,
)
from crime_analysis.links import LONDON
from crime_analysis.prose import Text, listed, named, percent, rose_or_fell
from crime_analysis.story.axes import percent_axis
from crime_analysis.story.dates import dated
from crime_analysis.story.place_words import signed
from crime_analysis.story.timeline import by_day, mark_breaks, named_breaks
from crime_analysis.tables import Table

__all__ = ["boroughs", "by_role", "every_count", "moved", "per_head", "roles_table", "summary"]

#: By count: line, mark, colour, whether the mark is filled. Told apart without colour too.
_LOOKS = {
    OFFICE: ("-", "o", BLUE, True),
    HMIC: ("", "s", BLUE, False),
    FIRST_PRINTED: ("", "X", "black", True),
    LATER: ("", "D", BLUE, False),
    MONTHLY: ("-", "", ORANGE, True),
    EARLIER: ("--", "", GREEN, True),
    OLDER_BASIS: ("", "^", GREY, True),
}
_SOURCE = "Source: Home Office workforce open data and HMIC (31 March)"
_MET_SOURCE = "; MOPAC (London Datastore); figures quoted from pages"


def _of(force: str) -> str:
    return _MET_SOURCE if force == LONDON else ""


def moved(held: pd.DataFrame, start: str, end: str, column: str = "officers_fte") -> pd.DataFrame:
    """Return, by count, the figures on the 31 March that ends each of two years.

    Parameters
    ----------
    held : DataFrame
        From `strength.counts`.
    start, end : str
        Financial years.
    column : str
        ``officers_fte`` or ``per_1000``.

    Returns
    -------
    DataFrame
        By ``count``: ``before``, ``after``, ``change`` (proportional). MOPAC's two editions,
        which print the same figures where both exist, are one count here.
    """
    ends = [pd.Timestamp(f"{periods.start(year) + 1}-03-31") for year in (start, end)]
    same = held["count"].replace({EARLIER: MONTHLY, HMIC: OFFICE})
    rows = held.assign(count=same, own=held["count"] == OFFICE)
    rows = rows[rows["when"].isin(ends)].sort_values("own", ascending=False, kind="stable")
    rows = rows[rows["count"].isin([OFFICE, MONTHLY])].drop_duplicates(["count", "when"])
    wide = rows.pivot(index="count", columns="when", values=column).reindex(columns=ends)
    wide.columns = ["before", "after"]
    return wide.reindex([name for name in (OFFICE, MONTHLY) if name in wide.index]).assign(
        change=lambda d: d["after"] / d["before"] - 1
    )


def _said(held: pd.DataFrame, start: str, end: str, column: str = "officers_fte") -> str:
    """Return the change by each count in words."""
    rows = moved(held, start, end, column)
    names = {OFFICE: "the Home Office's count", MONTHLY: "MOPAC's"}
    return listed(
        [
            f"{rose_or_fell(float(row.change))} by {names[str(row.Index)]}"
            for row in rows.itertuples()
        ]
    )


def _course(axis: object, held: pd.DataFrame, column: str) -> None:
    """Draw every count as a line or marks of its own."""
    for name, (line, mark, colour, filled) in _LOOKS.items():
        rows = held[held["count"] == name].dropna(subset=[column])
        if rows.empty:
            continue
        axis.plot(  # type: ignore[attr-defined]
            rows["date"].map(by_day), rows[column], ls=line or "none", marker=mark or None,
            color=colour, mfc=colour if filled else "white", ms=5, lw=1.5, label=name,
        )  # fmt: skip


def every_count(
    held: pd.DataFrame, register: pd.DataFrame, force: str, start: str, end: str, line: float
) -> Figure:
    """Draw every count of a force's officers; for the Met with the line that was claimed.

    Parameters
    ----------
    held : DataFrame
        From `strength.counts`.
    register : DataFrame
        The shipped table ``breaks``.
    force, start, end : str
        The place, and the years that the title compares.
    line : float
        The number of officers that the claim names.
    """
    met = force == LONDON
    x = held["date"].map(by_day)
    entries = breaks.affecting(register, "officers", "officers_fte", force)
    if met:
        # The older basis is quoted from the Met's own reports; nationally it ended as registered.
        older = breaks.affecting(register, "officers_national", "officers_fte")
        entries = pd.concat([entries, older])
    with canvas(height=4.2) as (_, axis, out):
        _course(axis, held, "officers_fte")
        if met:
            axis.axhline(line, color="black", lw=1, ls=":")
            axis.annotate(
                f"{line:,.0f}", (x.max(), line), xytext=(0, -12), textcoords="offset points",
                ha="right", fontsize=9,
            )  # fmt: skip
        marks = mark_breaks(axis, entries, by_day, x.min() - 1, x.max())
        axis.set_ylim(0, 1.1 * held["officers_fte"].max())
        axis.set_ylabel("officers, full-time equivalents")
        axis.yaxis.set_major_formatter("{x:,.0f}")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(axis="x", visible=False)
        axis.figure.legend(loc="outside lower center", ncols=2)
    day = [periods.start(year) + 1 for year in (start, end)]
    spoken = "; ".join(
        f"{row.Index} {row.before:,.0f} and {row.after:,.0f}"
        for row in moved(held, start, end).itertuples()
    )
    return Figure(
        title=f"From 31 March {day[0]} to 31 March {day[1]} officers of {named(force)}"
        f" {_said(held, start, end)}",
        alt=f"Counts of officers of {named(force)}, {dated(held['date'].min())} to"
        f" {dated(held['date'].max())}."
        f" On the two days: {spoken}.",
        source=f"{_SOURCE}{_of(force)}. Counts on different bases, not joined."
        + (" Dotted line: the number that was claimed." if met else "")
        + f" {named_breaks(marks)}",
        svg=out.getvalue(),
        data=held.drop(columns=["when", "per_1000"]),
    )


def per_head(
    held: pd.DataFrame,
    rates: pd.DataFrame,
    register: pd.DataFrame,
    force: str,
    start: str,
    end: str,
) -> Figure | Text:
    """Draw officers per 1,000 residents by every count, with the median of the forces.

    Parameters
    ----------
    held, rates : DataFrame
        From `strength.counts` and `among_forces.per_1000`.
    register : DataFrame
        The shipped table ``breaks``.
    force, start, end : str
        The place, and the years that the title compares.

    Returns
    -------
    Figure or Text
        A sentence for a force with too few residents for rates.
    """
    if force not in rates:
        return Text(
            (
                f"{force} has too few residents for officers per resident: a few thousand people"
                " live there and far more come each day. No rate is given.",
            )
        )
    known = held.dropna(subset=["per_1000"])
    median = rates.median(axis=1).dropna()
    x = known["date"].map(by_day)
    with canvas(height=4.0) as (_, axis, out):
        _course(axis, known, "per_1000")
        axis.plot(median.index + 0.25, median, ":", color="black", lw=1.5,
                  label=f"median of {rates.shape[1]} forces")  # fmt: skip
        entries = breaks.affecting(register, "population", "population", force)
        marks = mark_breaks(axis, entries, by_day, x.min(), x.max())
        axis.set_ylim(0, 1.1 * max(known["per_1000"].max(), median.max()))
        axis.set_ylabel("officers per 1,000 residents")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(axis="x", visible=False)
        axis.figure.legend(loc="outside lower center", ncols=2)
    ends = [periods.start(year) + 1 for year in (start, end)]
    row = moved(known, start, end, "per_1000").loc[OFFICE]
    others = median.reindex(ends)
    return Figure(
        title=f"For every 1,000 residents, officers of {named(force)}"
        f" {_said(known, start, end, 'per_1000')}; the median force's"
        f" {rose_or_fell(others.iloc[1] / others.iloc[0] - 1)}",
        alt=f"Officers per 1,000 residents of {named(force)} by every count. By the Home Office's:"
        f" {row['before']:.2f} on 31 March {ends[0]}, {row['after']:.2f} on 31 March {ends[1]};"
        f" median force {others.iloc[0]:.2f} and {others.iloc[1]:.2f}.",
        source=f"{_SOURCE}{_of(force)}; ONS mid-year population of the same calendar year, to 2020."
        f" {named_breaks(marks)}",
        svg=out.getvalue(),
        data=known[["count", "date", "per_1000"]],
    )


def _ends(people: pd.DataFrame, start: str, end: str) -> pd.DataFrame:
    """Return by role the figures of the 31 March that ends each of two years, and the change."""
    days = [f"{periods.start(year) + 1}-03" for year in (start, end)]
    rows = people.assign(month=people["date"].str[:7])
    rows = rows[rows["month"].isin(days)]
    wide = rows.pivot(index=["role", "unit"], columns="month", values="value")
    wide = wide.reindex(columns=days)
    wide.columns = ["before", "after"]
    roles = list(dict.fromkeys(people["role"]))
    wide = wide.reset_index("unit").reindex(roles)
    wide["unit"] = people.drop_duplicates("role").set_index("role")["unit"].reindex(roles)
    return wide.assign(change=wide["after"] / wide["before"].where(wide["before"] > 0) - 1)


def by_role(people: pd.DataFrame, force: str, start: str, end: str) -> Figure:
    """Draw officers, community support officers, staff and, for the Met, specials: a panel each.

    Parameters
    ----------
    people : DataFrame
        From `strength.roles`.
    force, start, end : str
        The place, and the years that the title compares.
    """
    ends = _ends(people, start, end)
    colours = dict(zip(ends.index, (BLUE, GREEN, ORANGE, YELLOW), strict=False))
    days = [by_day(f"{periods.start(year) + 1}-03-31") for year in (start, end)]
    with canvas(2, 2, height=5.0, squeeze=False) as (_, grid, out):
        for axis, role in zip(grid.flat, ends.index, strict=False):
            rows = people[people["role"] == role]
            x = rows["date"].map(by_day)
            yearly = len(rows) < 30
            axis.plot(x, rows["value"], "o-" if yearly else "-", color=colours[role], ms=3.5)
            at = np.isclose(x.to_numpy()[:, None], days, atol=0.02).any(axis=1)
            axis.plot(x[at], rows.loc[at, "value"], "D", color="black", ms=5)
            axis.set_ylim(0, max(1.15 * rows["value"].max(), 1))
            axis.set_xlim(2004.5, 2023)
            axis.set_title(role)
            axis.set_ylabel(
                "heads" if ends.at[role, "unit"] == "heads" else "full-time equivalents"
            )
            axis.yaxis.set_major_formatter("{x:,.0f}")
            axis.xaxis.get_major_locator().set_params(integer=True, nbins=5)
            axis.grid(axis="x", visible=False)
        for axis in grid.flat[len(ends) :]:
            axis.set_axis_off()
            axis.text(0.5, 0.5, "Special constables: published\nby month for the Met alone",
                      ha="center", va="center", fontsize=9, transform=axis.transAxes)  # fmt: skip
    said = [
        f"{str(row.Index).lower()} {rose_or_fell(float(row.change))}"
        for row in ends.itertuples() if np.isfinite(row.change)
    ]  # fmt: skip
    missing = [str(role).lower() for role in ends.index if not np.isfinite(ends.at[role, "change"])]
    return Figure(
        title=f"{named(force)[:1].upper() + named(force)[1:]}, {start} to {end}: "
        + (", ".join(said) or "no role is known for both years"),
        alt="Small charts by role. "
        + "; ".join(
            f"{row.Index}: {row.before:,.0f} and {row.after:,.0f}" for row in ends.itertuples()
            if np.isfinite(row.change)
        )
        + ".",
        source=f"{_SOURCE}"
        + ("; MOPAC (special constables, heads, to November 2015)" if force == LONDON else "")
        + ". Black: the 31 March that ends each year compared."
        + (f" No figure for both years: {', '.join(missing)}." if missing else ""),
        svg=out.getvalue(),
        data=people,
    )  # fmt: skip


def roles_table(people: pd.DataFrame, start: str, end: str) -> Table:
    """Return the figures of two 31 Marches by role, and the change."""
    return Table(
        _ends(people, start, end).reset_index(),
        f"By role, on the 31 March that ends {start} and {end}",
        {"change": "{:+.1%}"},
    )


def boroughs(posts: pd.DataFrame, register: pd.DataFrame, force: str) -> Figure | Text:
    """Draw what the restructure moved in a month beside what the three years after it did.

    Parameters
    ----------
    posts : DataFrame
        From `strength.borough_posts`.
    register : DataFrame
        The shipped table ``breaks``.
    force : str
        Boroughs are the Met's; for another force a sentence says so.
    """
    if force != LONDON:
        return Text(
            (f"Officers by district are published for London alone; none is on hand for"
             f" {named(force)}.",)
        )  # fmt: skip
    y = np.arange(len(posts))
    entry = breaks.affecting(register, "borough_officers_monthly", "officers_fte").iloc[0]
    with canvas(height=7.2) as (_, axis, out):
        axis.plot(posts["jump"], y, "^", color=ORANGE, ms=6, ls="none",
                  label="February to March 2012: the restructure")  # fmt: skip
        axis.plot(posts["after"], y, "o", color=BLUE, ms=6, ls="none",
                  label="March 2012 to March 2015")  # fmt: skip
        axis.axvline(0, color="black", lw=0.9)
        axis.set_yticks(y, list(posts.index))
        axis.tick_params(axis="y", labelsize=8.5)
        axis.set_ylim(len(posts) - 0.3, -0.7)
        low, high = posts[["jump", "after"]].min().min(), posts[["jump", "after"]].max().max()
        percent_axis(axis, low - 0.02, high + 0.02)
        axis.set_xlabel("change in officers")
        axis.figure.legend(loc="outside lower center", ncols=1)
    fell = int((posts["after"] < 0).sum())
    jumped = int((posts["jump"] > 0).sum())
    first, last = posts.index[0], posts.index[-1]
    total = posts["last"].sum() / posts["restructured"].sum() - 1
    return Figure(
        title=f"In the month of the restructure the counts of {jumped} of {len(posts)} boroughs"
        f" jumped, {signed(posts['jump'].median())} in the middle; in the three years after, {fell}"
        f" lost officers, from {signed(posts['after'].iloc[0])} ({first}) to"
        f" {signed(posts['after'].iloc[-1])} ({last})",
        alt=f"Dots of {len(posts)} boroughs. Restructure: {signed(posts['jump'].min())} to"
        f" {signed(posts['jump'].max())}. After it: {signed(posts['after'].min())} to"
        f" {signed(posts['after'].max())}, all boroughs together {signed(total)}.",
        source="Source: MOPAC, MPS Recorded Crime Figures and Associated Data, December 2015; the"
        " only count by borough, April 2008 to November 2015. Break: "
        f"{dated(str(entry['date'])[:7])}, {breaks.name(str(entry['id']))}.",
        svg=out.getvalue(),
        data=posts.reset_index(),
    )


def summary(
    held: pd.DataFrame, rates: pd.DataFrame, people: pd.DataFrame, force: str, start: str, end: str
) -> Text:  # fmt: skip
    """Return what happened to officers, by count, per head and by role; how far counts differ."""
    rows = moved(held, start, end)
    days = [periods.start(year) + 1 for year in (start, end)]
    opening = (
        f"From 31 March {days[0]} to 31 March {days[1]} officers of {named(force)}"
        f" {_said(held, start, end)}."
    )
    if len(rows) > 1 and rows["after"].notna().all():
        gap = rows["after"].iloc[0] / rows["after"].iloc[1] - 1
        opening += (
            f" Two counts of one day differ: on the last of them by {percent(abs(gap))}, so no"
            " finer claim can be read off either."
        )
    if force in rates:
        known = held.dropna(subset=["per_1000"])
        head = f"For every 1,000 residents they {_said(known, start, end, 'per_1000')}."
    else:
        head = "No rate per resident is given: too few people live there."
    ends = _ends(people, start, end)
    others = ends.drop(index="Officers")
    said = listed(
        [
            f"{str(r.Index).lower()} {rose_or_fell(float(r.change))}"
            for r in others.itertuples() if np.isfinite(r.change)
        ]
    )  # fmt: skip
    return Text((opening, head + (f" In the same years {said}." if said else "")))
