"""A series by the government's share of funding, year by year: its chart, sentence and table."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from crime_analysis.drawing import Figure
from crime_analysis.findings.dose import as_change, by_one_sd, early_parting
from crime_analysis.instrument_report import InstrumentReport
from crime_analysis.links import OUTCOMES
from crime_analysis.models.event_study import EventStudy
from crime_analysis.prose import Text
from crime_analysis.story.link_words import chance, concerning, in_words
from crime_analysis.tables import Table, minus

__all__ = ["event_study", "parting_by_share", "pre_trends", "touched"]


def touched(series: str) -> tuple[tuple[str, str], ...]:
    """Return the tables and series behind a rate, as the register of breaks names them."""
    people = ("population", "population")
    if series == "officers":
        return (("officers", "officers_fte"), people)
    return (("recorded_crime", series), people)


def event_study(study: EventStudy, register: pd.DataFrame, series: str, sample: str = "") -> Figure:
    """Draw a series by dose, year by year, with the breaks that concern it.

    Parameters
    ----------
    study : EventStudy
        From `dose.by_dose`.
    register : DataFrame
        The shipped table ``breaks``.
    series : str
        ``officers``, or an outcome.
    sample : str
        Which forces, where these are not all: the title begins with it.
    """
    figure = in_words(study).plot(breaks=concerning(register, touched(series)))
    found, tests = by_one_sd(study), study.pre_trends()
    after = "cannot tell the sign" if found["ci_low"] <= 0 <= found["ci_high"] else "clear of zero"
    chances = tests["p_value"].reindex(["joint", "linear"])
    before = "already parting" if early_parting(study) else "not seen to part"
    label = series if series == "officers" else OUTCOMES[series][0]
    about = f"{sample}, {label}" if sample else label
    span = _apart(found["ci_low"], found["ci_high"])
    title = (
        f"{about[:1].upper()}{about[1:]} per resident, for each standard deviation of government's"
        f" share: {span} on average after {study.reference}, {after}; before, {before}"
        f" ({chance(chances['joint'])} jointly, {chance(chances['linear'])} of a slope)"
    )
    dated = (
        f" {study.reference}: officers in post on 31 March {study.reference}, the last count before"
        " the first year of less money."
    )
    data = figure.data.drop(columns="term")
    return replace(
        figure,
        title=title,
        source=figure.source + (dated if series == "officers" else ""),
        alt=f"{title}. The points are logarithms for a share of one whole, not per cent."
        f" {figure.alt}",
        data=data.assign(period=data["period"].astype(int)),
    )


def _apart(low: float, high: float) -> str:
    """Return an interval of proportional changes as per cent."""
    return minus(f"{low:+.1%} to {high:+.1%}")


def parting_by_share(study: EventStudy, series: str) -> Text:
    """Return what an event study by dose found, in per cent: the numbers of its chart's title.

    Parameters
    ----------
    study : EventStudy
        From `dose.by_dose`.
    series : str
        ``officers``, or an outcome.
    """
    found, tests = by_one_sd(study), study.pre_trends()
    label = series if series == "officers" else OUTCOMES[series][0]
    clear = not found["ci_low"] <= 0 <= found["ci_high"]
    first = (
        f"For each standard deviation of government's share ({100 * study.dose_sd:.1f} points)"
        f" {label} per resident differ{'' if label == 'officers' else 's'} by"
        f" {_apart(found['ci_low'], found['ci_high'])} after {study.reference} (95% interval;"
        f" estimate {found['estimate']:+.1%}), on average over {len(study.after)} years:"
        f" {'the interval leaves zero out' if clear else 'the sign cannot be told'}."
    )
    if tests.empty:
        second = "No year before is seen, so nothing speaks for parallel trends."
    else:
        chances = tests["p_value"].reindex(["joint", "linear"])
        held = float(study.breakdown()["average after"])
        stays = (
            f"with steps off parallel trends up to {held:.2g} times the largest before, it is still"
            " clear of zero"
            if held > 0
            else "it is not clear of zero even under parallel trends"
        )
        before = "were already parting" if early_parting(study) else "are not seen to part"
        second = (
            f"Before it forces {before} ({chance(chances['joint'])} jointly,"
            f" {chance(chances['linear'])} of a slope). Less a straight line through the years"
            f" before, the average is {_apart(found['net_low'], found['net_high'])}; {stays}."
        )
    third = (
        "It is an effect only if, without the cuts, forces would have moved alike whatever their"
        " share, and would respond alike to the same share (strong parallel trends)."
    )
    return Text((minus(f"{first} {second} {third}"),))


def pre_trends(
    report: InstrumentReport, outcome: str | None = None, *, before: bool = True, after: bool = True
) -> Table:
    """Return, way by way, whether outcomes were parting by dose before the cuts, in per cent.

    Parameters
    ----------
    report : InstrumentReport
    outcome : str, optional
        As the report names it; every outcome if not given.
    before, after : bool
        Whether to show the tests of the years before; the average after, as it stands and less
        the line through the years before.
    """
    frame = report.shown("pre_trends")
    early = ["joint_p", "slope", "ci_low", "ci_high", "slope_p"]
    late = ["after", "after_low", "after_high", "net_low", "net_high"]
    changes = [name for name in early + late if not name.endswith("_p")]
    frame[changes] = as_change(frame[changes])
    columns = ["way", *(early if before else []), *(late if after else [])]
    if outcome is None:
        columns = ["outcome", *columns]
    else:
        frame = frame[frame["outcome"] == outcome]
    parts = []
    if before:
        parts.append(f"before {report.reference}, a joint test and the slope a year")
    if after:
        parts.append(
            f"after {report.reference}, the average with its 95% interval, and that less the line"
            " through the years before (net)"
        )
    told = "Outcomes" if outcome is None else outcome.capitalize()
    return Table(
        frame[columns],
        f"{told} by dose: {'; '.join(parts)}; for one standard deviation of the share",
        dict.fromkeys(changes, "{:+.1%}"),
    )
