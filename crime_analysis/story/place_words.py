"""What the report of one force says in words, every figure and sign from results."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis import periods
from crime_analysis.findings.among_forces import ALIKE
from crime_analysis.findings.counts import told_apart
from crime_analysis.findings.measures import recording_changed
from crime_analysis.findings.place_report import MEASURES, ForceReport
from crime_analysis.links import verdict
from crime_analysis.places import WELSH_FORCES
from crime_analysis.prose import Text, named, percent, rose_or_fell, spanning
from crime_analysis.story import violence_words

__all__ = [
    "crosses_own_break",
    "elsewhere",
    "learnt",
    "money",
    "officers",
    "place_among",
    "rates",
    "signed",
    "since_lowest",
    "spans_reform",
    "summary",
]

_REFORM = "2014/15"  # the year of HMIC's inspection of recording


def signed(value: float) -> str:
    """Return a proportional change with its sign.

    Examples
    --------
    >>> signed(-0.0017), signed(0.61), signed(float("nan"))
    ('−0.2%', '+61%', 'not known')
    """
    if not np.isfinite(value):
        return "not known"
    return f"{'−' if value < 0 else '+'}{percent(abs(value))}"


def crosses_own_break(report: ForceReport, group: str, known: pd.Series) -> bool:
    """Return whether this force's own way of counting changed within the years that are known.

    What changed everywhere is told of every force; this is for what would be the force's alone.

    Parameters
    ----------
    report : ForceReport
        From `place_report.force_report`.
    group : str
        A column of its ``offences``.
    known : Series
        Counts by ``financial_year``, in order.
    """
    own = report.breaks[report.breaks["places"] != "all"]
    own = own[own["series"].str.contains(group)]
    return recording_changed(own, known.index[0], known.index[-1])


def place_among(report: ForceReport, column: str) -> str:
    """Return where a force stands among those with a figure: 1 fell most, or rose least."""
    values = report.standing[column].dropna()
    if report.force not in values.index:
        return ""
    # Unbroken in a narrow column.
    return f"{int((values < values[report.force]).sum()) + 1}\u00a0of\u00a0{len(values)}"


def _beside(report: ForceReport, column: str) -> str:
    """Return how many forces fell by more, or rose by more, in words."""
    values = report.standing[column].dropna()
    mine = values[report.force]
    others = values.drop(report.force)
    count = int((others < mine).sum() if mine < 0 else (others > mine).sum())
    what = "fell by more" if mine < 0 else "rose by more"
    return f"they {what} in {count or 'none'} of the other {len(others)} forces"


def rates(first: float, last: float) -> str:
    """Return two rates with as many digits as it takes to see them apart.

    Examples
    --------
    >>> rates(4.14, 3.41), rates(1.6825, 1.6789)
    ('4.14 to 3.41', '1.683 to 1.679')
    """
    digits = next((d for d in (2, 3) if f"{first:.{d}f}" != f"{last:.{d}f}"), 2)
    return f"{first:.{digits}f} to {last:.{digits}f}"


def since_lowest(values: pd.Series, what: str) -> str:
    """Return the rise from a lowest year in between, if there was one to speak of.

    Examples
    --------
    >>> since_lowest(pd.Series({"2009/10": 5.0, "2012/13": 4.0, "2017/18": 6.0}), "robbery")
    'Between these years robbery was lowest in 2012/13; from that lowest year it rose 50%.'
    """
    known = values.dropna()
    low = known.idxmin() if len(known) else ""
    if len(known) < 3 or low in (known.index[0], known.index[-1]) or known[low] <= 0:
        return ""
    rise = known.iloc[-1] / known[low] - 1
    if rise < 0.1 or known.iloc[0] / known[low] - 1 < 0.1:
        return ""
    return (
        f"Between these years {what} was lowest in {low}; from that lowest year it"
        f" {rose_or_fell(rise)}."
    )


def spans_reform(start: str, end: str) -> bool:
    """Return whether the reform of recording lies between two financial years."""
    return periods.start(start) < periods.start(_REFORM) <= periods.start(end)


def summary(report: ForceReport) -> Text:
    """Return the report in four paragraphs: money, officers, violence, and what ties them."""
    pair = report.estimates["funding_real_gbp_m"]
    moved = report.standing.loc[report.force]
    money = (
        f"Money: grants and council tax of {named(report.force)} together"
        f" {rose_or_fell(moved['funding'])} in real terms from {report.start} to {report.end}, from"
        f" £{pair.iloc[0]:,.0f}m to £{pair.iloc[1]:,.0f}m at {report.price_base} prices;"
        f" {_beside(report, 'funding')}. At each year's own prices they"
        f" {rose_or_fell(report.funding_cash_change)} (HMIC's estimates)."
    )
    first, last = report.counted
    posts = report.officers["officers_fte"]
    people = (
        f"Officers: full-time equivalents in post {rose_or_fell(moved['officers'])}, from"
        f" {posts[first]:,.0f} on 31 March {first} to {posts[last]:,.0f} on 31 March {last};"
        f" {_beside(report, 'officers')}."
    )
    if report.rates:
        rate = report.officers["officers_per_1000"]
        people += (
            f" Per resident they {rose_or_fell(moved['officers_per_resident'])}, from"
            f" {rates(rate[first], rate[last])} for every 1,000."
        )
    else:
        people += (
            " Too few people live here, and far too many come each day, for a rate per resident to"
            " mean anything: none is given."
        )
    return Text((money, people, _violence(report), _tie(report)))


def _violence(report: ForceReport) -> str:
    """Return the paragraph on violence: uncertainty, then the measures one by one."""
    change = report.violence
    told = violence_words.answer(change)
    panel = report.panel[report.panel["force"] == report.force].set_index("financial_year")
    course = panel["violence_with_injury_per_1000"] if report.rates else pd.Series(dtype=float)
    parts = [
        f"Violence: {told[:1].lower()}{told[1:]}",
        since_lowest(course.loc[report.start : report.end], "recorded violence with injury"),
        violence_words.alone(change),
    ]
    if spans_reform(report.start, report.end):
        parts.append("Between these years forces changed how they record violence.")
    return " ".join(filter(None, parts))


def _tie(report: ForceReport) -> str:
    """Return the paragraph on what ties officers to violence here."""
    if report.implied.empty:
        return (
            "Officers and violence: nothing estimated across forces is carried over to"
            f" {named(report.force)}, because the estimates are of rates per resident."
        )
    rows = report.implied[report.implied["route"] == "officers lost"].set_index("outcome")
    row = rows.loc["violence with injury"]
    moved = f"the change in officers goes with {spanning(row['ci_low'], row['ci_high'])} of it"
    if abs(row["cause_change"]) < 0.02:
        moved = f"a change in officers as small as this force's goes with {moved.split('with ')[1]}"
    known = verdict(row["ci_low"], row["ci_high"]) != "cannot tell"
    opening = (
        "across forces officers and violence with injury are associated, which is not yet a cause"
        if known
        else "these data cannot tell whether, across forces, fewer officers go with more violence"
        " with injury"
    )
    return (
        f"Officers and violence: {opening}. By the estimate across forces {moved} (a nominal 95%:"
        " see the notebook on the chain)."
    )


def money(report: ForceReport) -> Text:
    """Return which series the figures are, what the parts did, and what is not published."""
    pair = report.estimates
    parts = []
    sources = {"grants_real_gbp_m": "grants", "council_tax_real_gbp_m": "council tax"}
    for column, noun in sources.items():
        first, last = pair[column]
        if first > 0:
            parts.append(f"{noun} {rose_or_fell(last / first - 1)}")
    text = (
        "HMIC's estimates are the one series that holds every force before and after. In real"
        f" terms {' and '.join(parts)}"
        f"{'; of council tax they print none' if len(parts) < len(sources) else ''}."
    )
    if periods.start(report.start) < 2013 <= periods.start(report.end):
        text += (
            " In 2013/14 support for council tax payers became a grant, so only the two together"
            " can be compared across that year."
        )
    outturn = report.money[report.money["series"] == "outturn"].set_index("financial_year")
    if len(outturn) > 1:
        ends = outturn["funding_real_gbp_m"].iloc[[0, -1]]
        other = (
            f"The outturn, a series of its own, {rose_or_fell(ends.iloc[1] / ends.iloc[0] - 1)} in"
            f" real terms from {ends.index[0]} to {ends.index[1]}. It is not joined to the"
            " estimates: its years and its classes of grants are others."
        )
    elif report.force in WELSH_FORCES:
        other = (
            "There is no outturn to set beside the estimates: the revenue outturn is of English"
            " authorities, and Wales has none among the publications held."
        )
    elif report.force == "City of London":
        other = (
            "There is no outturn to set beside the estimates: its police have no line of their own"
            " there. HMIC's estimates class the City's own money differently from year to year."
        )
    else:
        other = (
            "There is no outturn to set beside the estimates: this force's is inside the Greater"
            " London Authority's, where only some lines are of police."
        )
    return Text((f"{text} {other}",))


def officers(report: ForceReport) -> Text:
    """Return what is counted as an officer, and where editions disagree."""
    text = (
        "Counted are police officers of every rank in post on 31 March, in full-time equivalents;"
        " special constables, community support officers and staff are not officers. 31 March"
        " belongs to the financial year that it ends."
    )
    for row in report.revisions.query("measure == 'officers'").itertuples():
        text += (
            f" For 31 March {str(row.date)[:4]} an earlier edition prints {row.first_fte:,.0f}, a"
            f" later one {row.later_fte:,.0f}; the later is used."
        )
    return Text((text,))


def elsewhere(report: ForceReport) -> Text:
    """Return what forces whose officers moved as much recorded, and what the links imply.

    Nothing where the chart has said why there are none.
    """
    if report.alike.empty:
        return Text(())
    mine, others = report.alike.iloc[0], report.alike.iloc[1:]
    moved = others["officers_per_resident"]
    parts = []
    for column in ("violence_with_injury", "robbery"):
        values = others[column]
        inside = values.min() <= mine[column] <= values.max()
        parts.append(
            f"{MEASURES[column]} {signed(values.min())} to {signed(values.max())} (here"
            f" {signed(mine[column])}, {'within' if inside else 'outside'} that range)"
        )
    total = report.alike_total.loc["homicide"]
    span = (total["ci_low"] - 1, total["ci_high"] - 1)
    what = "cannot be told from no change" if verdict(*span) == "cannot tell" else "clearly moved"
    nearest = (
        f"The {ALIKE} forces whose officers per resident changed most nearly as much"
        f" ({signed(moved.min())} to {signed(moved.max())}; here"
        f" {signed(mine['officers_per_resident'])}) recorded, per resident, {' and '.join(parts)}."
        f" Their homicides together, {total['before']:.0f} in one year and {total['after']:.0f} in"
        f" the other, {what} ({spanning(*span)} per resident). That is how far apart forces with"
        " the most similar change ended; it is not what the change did."
    )
    rows = report.implied[report.implied["outcome"] == "violence with injury"]
    people, money_ = (spanning(row.ci_low, row.ci_high) for row in rows.itertuples())
    implied = (
        "With a nominal 95%, the estimates across all forces turn this force's change in officers"
        f" into {people} violence with injury per resident, and its change in money, through"
        f" officers, into {money_}; the chart shows robbery and homicide beside it."
    )
    return Text((nearest, implied))


def learnt(report: ForceReport) -> Text:
    """Return what the figures established for this force and what they did not."""
    moved = report.standing.loc[report.force]
    found = (
        f"Learnt: by HMIC's estimates {named(report.force)}'s money"
        f" {rose_or_fell(moved['funding'])} in real terms and its officers"
        f" {rose_or_fell(moved['officers'])}."
    )
    open_ = f"As for violence, {violence_words.homicide(report.violence)}."
    if report.implied.empty:
        return Text((found, f"{open_} No rate per resident is given for a place like this."))
    rows = report.implied[report.implied["route"] == "officers lost"]
    unclear = [
        str(row.outcome)
        for row in rows.itertuples()
        if verdict(float(row.ci_low), float(row.ci_high)) == "cannot tell"
    ]
    said = (
        f"Not learnt: whether, across forces, fewer officers mean more {', '.join(unclear[:-1])}"
        f"{' or ' if len(unclear) > 1 else ''}{unclear[-1]}: zero lies within"
        f" {'each' if len(unclear) > 1 else 'the'} interval."
        if unclear
        else "The estimates across forces are clear of zero for every outcome; that is an"
        " association, not yet a cause."
    )
    apart = told_apart(*_homicide_counts(report), report.force).value_counts()
    rank = (
        f" Nor can its homicide rate be told from that of {apart.get('neither', 0)} of"
        f" {apart.sum()} other forces."
    )
    return Text((found, f"{open_} {said}{rank}"))


def _homicide_counts(report: ForceReport) -> tuple[pd.Series, pd.Series]:
    rows = report.homicides.set_index("force")
    return rows["homicides"], rows["person_years"]
