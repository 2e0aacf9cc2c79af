"""What the notebook on the taskforce says: what could be seen, what was, what it is worth."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis.findings.taskforce import LONDON, MEASURES, Evaluation
from crime_analysis.findings.taskforce_announced import Announced
from crime_analysis.findings.taskforce_chance import YEAR, Afterwards
from crime_analysis.links import verdict
from crime_analysis.prose import Text, percent
from crime_analysis.story.dates import dated
from crime_analysis.story.place_words import signed

__all__ = [
    "after_a_summer", "beside_told", "boroughs_moved", "earlier_years", "headline", "in_short",
    "learnt", "named", "out_of", "power_told", "sized", "sized_small", "span", "told",
    "yields_told",
]  # fmt: skip

_MEASURE = {"admissions": "admissions for assault by sharp object"}
_MANY = 3.0


def named(measure: str) -> str:
    """Return a measure in few words."""
    return _MEASURE.get(measure, MEASURES[measure])


def sized(change: float) -> str:
    """Return a change with its sign; one of several times as such.

    Examples
    --------
    >>> sized(-0.022), sized(77.2), sized(-0.9964)
    ('−2.2%', '78 times', 'under −99%')
    """
    if change < -0.99:
        return "under −99%" if change > -1 else "−100%"
    return f"{1 + change:,.0f} times" if change >= _MANY else signed(change)


def span(low: float, high: float) -> str:
    """Return an interval in words."""
    return f"95% interval {sized(low)} to {sized(high)}"


def out_of(share: float) -> str:
    """Return a share of many cases, never rounded up to all of them.

    Examples
    --------
    >>> out_of(0.9965), out_of(1.0), out_of(0.42)
    ('over 99%', '100%', '42%')
    """
    return "over 99%" if 0.99 < share < 1 else percent(share)


def told(row: pd.Series) -> str:
    """Return an estimate of an evaluation: first whether it tells anything, then the figures."""
    if row["reason"]:
        return f"no estimate: {row['reason']}"
    word = verdict(row["change_low"], row["change_high"])
    figures = f"{sized(row['change'])} ({span(row['change_low'], row['change_high'])})"
    return figures if word != "cannot tell" else f"cannot tell, {figures}"


def in_short(
    announced: Announced, implied: pd.DataFrame, rehearsal: Evaluation, why: str = ""
) -> Text:
    """Return what an evaluation could see, before any result."""
    first = implied.iloc[0]
    opening = (
        f"{announced.officers:.0f} officers are {announced.share:.2%} of the Met's"
        f" {announced.strength:,.0f} ({dated(announced.month)}); for {announced.months:.0f} months"
        f" they make {announced.officer_months:,.0f} officer-months,"
        f" {announced.share_of_year:.2%} of a year's. They were moved from other work, not added."
    )
    row = rehearsal.row()
    label = f"{named(rehearsal.measure)} in {rehearsal.place}"
    if row["reason"]:
        second = f"An evaluation of {label} cannot be made: {row['reason']}."
    else:
        times = row["detectable_fall"] / -first["change"]
        second = (
            f"What any evaluation could see, from months before the taskforce alone: {label} must"
            f" fall by {percent(row['detectable_fall'])} or more to be found in 80% of such"
            f" studies. An elasticity of {signed_number(first['elasticity'])} implies a change of"
            f" {sized_small(first['change'])}. "
        )
        second += (
            f"The smallest change that would be seen is {times:,.0f} times that, so these data"
            " cannot tell whether officers so few made a difference, whatever the months after"
            " show."
            if times > 1
            else "A change of that size would be seen."
        )
    return Text(tuple(part for part in (why, opening, second) if part))


def signed_number(value: float) -> str:
    """Return a number with a true minus sign."""
    return f"{value:g}".replace("-", "−")


def sized_small(change: float) -> str:
    """Return a small change with two decimals of a percentage."""
    return f"{change:+.2%}".replace("-", "−") if abs(change) < 0.01 else signed(change)


def power_told(
    announced: Announced, implied: pd.DataFrame, rehearsal: Evaluation, misled: pd.DataFrame
) -> Text:
    """Return how far the announced officers are from what would be seen, and how it misleads."""
    row, first = rehearsal.row(), implied.iloc[0]
    if row["reason"]:
        return Text((f"Nothing to compare with: {row['reason']}.",))
    needed = np.expm1(-row["detectable"] / first["elasticity"])
    label = f"{named(rehearsal.measure)} in {rehearsal.place}"
    own = _own(misled, rehearsal)
    takes = (
        f"{percent(needed)} more officers in the whole Met, about"
        f" {needed * announced.strength:,.0f} of them"
        if needed < 1
        else "more than another Met"
    )
    parts = [
        f"At an elasticity of {signed_number(first['elasticity'])}, a fall in {label} that such a"
        f" study finds in four of five cases takes {takes}.",
        f"If the change is the {sized_small(first['change'])} implied, a significant estimate"
        f" comes up in {own['power']:.1%} of studies, where chance alone gives 5%; it has the"
        f" wrong sign in {own['type_s']:.0%} of these and is {own['exaggeration']:,.0f} times too"
        " large on average (type S and type M errors).",
    ]
    inside = rehearsal.boroughs["detectable_fall"].dropna()
    local = implied[implied["case"] != first["case"]]
    if len(inside):
        mine, where = inside.median(), "the median borough"
        if rehearsal.place != LONDON:
            mine, where = row["detectable_fall"], rehearsal.place
        listed = " and ".join(
            f"{sized_small(r.change)} (elasticity {signed_number(r.elasticity)})"
            for r in local.itertuples()
        )
        parts.append(
            f"Had all of them worked in {dated(local['case'].iloc[0].removeprefix('all in '))}, the"
            f" change implied there is {listed}; a study of {where} would find a fall of"
            f" {percent(mine)} or more. No table says where they worked."
        )
    return Text(tuple(parts))


def _own(misled: pd.DataFrame, evaluation: Evaluation) -> pd.Series:
    mine = (misled["measure"] == evaluation.measure) & (misled["place"] == evaluation.place)
    return misled[mine].iloc[0]


def boroughs_moved(*evaluations: Evaluation) -> str:
    """Return how many boroughs seem to have moved, and how many do so among so many."""
    said = []
    for evaluation in evaluations:
        rows = evaluation.boroughs.dropna(subset=["p_value"])
        seem, stay = (rows["p_value"] < 0.05).sum(), rows[rows["p_holm"] < 0.05]
        names = f" ({', '.join(f'{r.place} {sized(r.change)}' for r in stay.itertuples())})"
        said.append(
            f"{evaluation.design.label}: {seem or 'none'} of {len(rows)} seem to have moved where"
            f" chance gives about {0.05 * len(rows):.1f}, and {len(stay) or 'none'}"
            f"{names if len(stay) else ''} after correction for their number"
        )
    return "; ".join(said)


def after_a_summer(found: Afterwards, implied: pd.DataFrame | None) -> Text:
    """Return what the simulated years teach of 2018's."""
    rows, label = found.table, f"{named(found.measure)} in {found.place}"
    high = rows.loc["as_high"]
    if found.reason:
        return Text((f"Cannot tell: no course of {label} can be carried on ({found.reason}).",))
    if not np.isfinite(found.summer):
        return Text((
            f"Cannot tell: {label} had no case in the year before that summer, or a month of it is"
            " not known.",
        ))  # fmt: skip
    if not found.enough:
        return Text((
            f"Cannot tell: {high['draws']:.0f} simulated years had a summer as high as {YEAR}'s"
            f" in {label}. Ask for more draws, or take a place with more events.",
        ))  # fmt: skip
    share = high["share"]
    rare = (
        f"Summer {YEAR} was {sized(found.summer)} against a quarter of the year before. In"
        f" {out_of(share)} of simulated years without any effect a summer is at least as high:"
        + (
            " it stood out."
            if share < 0.05
            else " by this measure it was low."
            if share > 0.95
            else " by this measure it did not stand out."
        )
    )
    after = (
        f"Nothing was done in these years, and in {out_of(high['fell'])} of those with such a"
        f" summer the autumn was lower; in {out_of(high['fell_beyond_season'])} it fell by more"
        f" than the season alone, which takes {out_of(rows.at['all', 'fell_beyond_season'])} of"
        f" all years that far. After the highest tenth of summers it is"
        f" {out_of(rows.at['highest_tenth', 'fell_beyond_season'])}."
    )
    beyond = rows.at["highest_tenth", "beyond_season"]
    first = (
        "Chance that passes moves the months after the highest tenth of summers by"
        f" {sized(beyond)} of a quarter beyond the season"
    )
    if implied is not None:
        size = abs(beyond / implied.iloc[0]["change"])
        first += f", {size:,.0f} times the change that the officers moved imply"
    first += "."
    if not np.isfinite(found.change):
        return Text((rare, after, first, f"What followed in {YEAR} is not known."))
    fact = (
        f"In fact the change was {sized(found.change)} of a quarter; the middle 95% of simulated"
        f" years after such a summer reach from {sized(high['low'])} to {sized(high['high'])}."
    )
    inside = high["low"] <= found.change <= high["high"]
    fact += (
        " It is what is seen where nothing is done: what it did afterwards proves nothing."
        if inside
        else " That is outside what chance and season usually give; other causes are not ruled out."
    )
    return Text((rare, after, first, fact))


def earlier_years(rows: pd.DataFrame, measure: str, place: str) -> str:
    """Return where 2018's change stands among the same comparisons of earlier years."""
    known = rows.dropna(subset=["change"])
    label = f"{named(measure)} in {place}"
    earlier = known.drop(YEAR, errors="ignore")["change"]
    if YEAR not in known.index or earlier.empty:
        why = f"no estimate for {YEAR}" if len(earlier) else "no earlier year has an estimate"
        return f"Cannot tell: {why} for {label}"
    row = known.loc[YEAR]
    figures = f"{sized(row['change'])} ({span(row['change_low'], row['change_high'])})"
    further = int((earlier.abs() > abs(row["change"])).sum())
    head = "Cannot tell" if verdict(row["change_low"], row["change_high"]) == "cannot tell" else (
        "Off its course"
    )  # fmt: skip
    return (
        f"{head}: {label} in the autumn of {YEAR} {figures}; in {further or 'none'} of"
        f" {len(earlier)} earlier years, before there was a taskforce, it lay further off"
    )


def yields_told(rows: pd.DataFrame, stops: pd.DataFrame) -> Text:
    """Return what the yields say, and what they cannot."""
    found = rows.set_index("result")
    months = stops[stops["month"].between("2018-04", "2018-08")]
    beside = (
        f"The Met as a whole made {months['all'].sum():,.0f} stops and searches from April to"
        " August, but what these found is not in the tables"
        if len(months) == 5 and months["all"].notna().all()
        else "How many searches the Met as a whole made in these months is not held"
    )
    return Text((
        f"As reported there is an arrest for every"
        f" {found.at['arrests', 'sweeps_for_one']:.1f} sweeps and a knife for every"
        f" {found.at['knives', 'sweeps_for_one']:.1f}. The interval allows for chance alone, as if"
        " each find were an event of its own.",
        f"These figures cannot say whether that is many. {beside}; a sweep is not a search, and"
        " no table says how long one takes or how many officers; an arrest is not a charge; and"
        " whether knives are counted among the weapons is not said. Officers who had stayed where"
        " they were would have made arrests too.",
    ))  # fmt: skip


def beside_told(april: Evaluation, september: Evaluation, found: dict[str, pd.DataFrame]) -> Text:
    """Return what survivors of the correction are worth, beside those of years without it."""
    stay = pd.concat([e.boroughs[e.boroughs["p_holm"] < 0.05] for e in (april, september)])
    sets = [row for rows in found.values() for row in rows.itertuples()]
    sets = [row for row in sets if row.estimated]
    if not sets:
        return Text(("There is no earlier year to compare boroughs with.",))
    lucky = sum(row.survive > 0 for row in sets)
    most = max(row.seem for row in sets)
    first = (
        f"{', '.join(dict.fromkeys(stay['place']))} cannot be put down to the number of boroughs"
        " alone. Where the taskforce worked is not known, and an unusual spell before makes the"
        " same picture; it is an association."
        if len(stay)
        else "No borough is clear of chance once their number is allowed for."
    )
    second = (
        f"Before there was a taskforce, {lucky or 'none'} of {len(sets)} such comparisons of all"
        f" boroughs had one or more that survive, and up to {most} boroughs seemed to move"
    )
    # Boroughs share London's course: they miss a straight line together.
    many = most > 0.1 * max(row.estimated for row in sets)
    return Text((
        f"{first} {second}"
        + (": where the whole of London bends, a straight course sends many off it at once." * many
           or "."),
    ))  # fmt: skip


def learnt(
    implied: pd.DataFrame, rehearsal: Evaluation, april: Evaluation, september: Evaluation,
    found: Afterwards | None, earlier: pd.DataFrame,
) -> Text:  # fmt: skip
    """Return the notebook's findings: what could be seen, what was, what it is worth."""
    first, row = implied.iloc[0], rehearsal.row()
    label = f"{named(rehearsal.measure)} in {rehearsal.place}"
    parts = [
        f"What could be seen is a fall in {label} of {percent(row['detectable_fall'])} or more;"
        f" what the officers moved imply is {sized_small(first['change'])}."
        if not row["reason"]
        else f"No evaluation of {label} can be made: {row['reason']}."
    ]
    both = [told(e.row()) for e in (april, september)]
    parts.append(f"Seen: {april.design.label}: {both[0]}; {september.design.label}: {both[1]}.")
    parts.append(f"Among boroughs, {boroughs_moved(april, september)}.")
    if found is not None and found.enough:
        share = found.table.at["as_high", "fell"]
        parts.append(
            f"Where nothing is done, {out_of(share)} of autumns are lower than a summer as high as"
            f" that of {YEAR} in {label}."
        )
    parts.append(f"{earlier_years(earlier, september.measure, september.place)}.")
    return Text(tuple(parts))


def headline(
    announced: Announced, implied: pd.DataFrame, rehearsal: Evaluation, april: Evaluation,
    september: Evaluation, found: Afterwards,
) -> dict[str, float]:  # fmt: skip
    """Return the numbers that an index of reports compares, by name."""
    numbers = {
        "officers_share": announced.share,
        "officer_months": announced.officer_months,
        "minimum_detectable_effect": -rehearsal.row()["detectable_fall"],
        "implied_effect": implied["change"].iloc[0],
    }
    for name, evaluation in (("april", april), ("september", september)):
        row = evaluation.row()
        for column in ("change", "change_low", "change_high"):
            numbers[f"{name}_{column}"] = row[column]
    survive = [int((e.boroughs["p_holm"] < 0.05).sum()) for e in (april, september)]
    numbers["boroughs_that_survive"] = sum(survive)
    numbers["fell_where_nothing_was_done"] = found.table.at["as_high", "fell"]
    return {name: float(value) for name, value in numbers.items()}
