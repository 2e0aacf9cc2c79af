"""The figures themselves shown: what they cover, where they break, how far publications differ."""

from __future__ import annotations

import pandas as pd

from crime_analysis import breaks, periods
from crime_analysis.drawing import BLUE, GREEN, GREY, ORANGE, YELLOW, Figure, canvas
from crime_analysis.findings.data_log import runs, span, touching
from crime_analysis.prose import Text, named
from crime_analysis.story.dates import dated
from crime_analysis.story.timeline import by_day
from crime_analysis.tables import Table, worded

__all__ = ["breaks_table", "breaks_timeline", "covered", "covered_table", "joins"]

#: The years that the chain compares: the last before the cuts, and the last of the claim.
START, END = "2009/10", "2017/18"
_SHOWN_FROM, _SHOWN_TO = 2000, 2026
_LABELS = {
    "funding hmic_actuals": "Funding, actuals",
    "funding hmic_estimates": "Funding, estimates",
    "funding mpa_settlement": "Funding of the Met, settlement",
    "funding outturn": "Funding, outturn (England)",
    "funding outturn_gla": "Funding of London, outturn",
    "government_share": "Government's share of funding",
    "prices": "Price indices",
    "officers": "Officers, 31 March",
    "officers_national": "Officers, whole country",
    "officers_overlap": "Officers, two counts",
    "met_strength_monthly": "The Met's strength, monthly",
    "met_strength_earlier": "The same, earlier edition",
    "borough_officers_monthly": "Boroughs' officers, monthly",
    "recorded_crime": "Recorded crime, years",
    "recorded_crime_quarterly": "Recorded violence, quarters",
    "crime_severity": "Crime Severity Score",
    "knife_offences": "Knife offences, by definition",
    "borough_crime_monthly": "Boroughs' crime, monthly",
    "borough_crime_latest": "Boroughs' crime, latest year",
    "met_violence_monthly": "London's violence, monthly",
    "stop_and_search_monthly": "The Met's stops and searches",
    "hospital_admissions": "Hospital admissions, sharp object",
    "population": "Residents, mid-year",
    "population_other_bases": "Residents, other bases",
    "unemployment": "Unemployment, boroughs",
    "deprivation": "Deprivation, authorities",
    "deprivation_force": "Deprivation, forces",
}
_LOOKS = {
    "money": (BLUE, ""),
    "officers": (GREEN, "//"),
    "police recording": (ORANGE, "--"),
    "hospitals": (GREY, ""),
    "people and places": (YELLOW, "\\\\"),
}
_PUBLISHERS = {
    "HM Inspectorate of Constabulary and Fire & Rescue Services": "HMIC",
    "HM Inspectorate of Constabulary": "HMIC",
    "Home Office and Office for National Statistics": "Home Office, ONS",
    "Office for National Statistics (Nomis)": "ONS",
    "Office for National Statistics": "ONS",
    "Department for Communities and Local Government": "MHCLG",
    "Ministry of Housing, Communities and Local Government": "MHCLG",
    "Metropolitan Police Service (London Datastore)": "Met Police",
    "Mayor's Office for Policing and Crime and Greater London Authority (London Datastore)": (
        "MOPAC, GLA"
    ),
    "Mayor's Office for Policing and Crime (London Datastore)": "MOPAC",
    "Greater London Authority (London Datastore)": "GLA",
    "Home Office (data.police.uk); Metropolitan Police Service": "Home Office",
    "Metropolitan Police Authority and others, named in each row": "Police Authority",
    "various, named by the address of each row": "quoted",
}
_KINDS = {
    "recording": ("o", ORANGE, "recording practice"),
    "definition": ("s", BLUE, "definition or basis"),
    "system": ("^", GREEN, "computer system"),
    "event": ("D", "black", "one event in a count"),
    "funding": ("P", YELLOW, "grants moved"),
    "boundary": ("v", GREY, "boundaries"),
    "error": ("X", "black", "a slip"),
    "status": ("*", GREY, "standing of the figures"),
}


def _label(table: str, series: str) -> str:
    name = f"{table} {series}".strip()
    return _LABELS.get(name, name.replace("_", " "))


def _publishers(names: tuple[str, ...]) -> str:
    short = ", ".join(_PUBLISHERS.get(name, name) for name in names)
    return ", ".join(dict.fromkeys(short.split(", ")))


def covered(held: pd.DataFrame) -> Figure:
    """Draw which years each series holds, by what it is about, with its publishers.

    Parameters
    ----------
    held : DataFrame
        From `data_log.coverage`.
    """
    y, rows, heads = 0.0, [], []
    for subject, group in held.groupby("subject", sort=False):
        heads.append((y, str(subject)))
        y += 1
        for row in group.itertuples():
            rows.append((y, row))
            y += 1
        y += 0.4
    with canvas(height=0.9 + 0.215 * y) as (drawing, axis, out):
        drawing.set_layout_engine("none")
        axis.set_position([0.295, 0.05, 0.5, 0.93])
        for place, row in rows:
            colour, hatch = _LOOKS.get(row.subject, (GREY, ""))
            for first, last in runs(tuple(y for y in row.years if y >= _SHOWN_FROM)):
                axis.barh(place, last - first + 1, left=first, height=0.72, color=colour,
                          hatch=hatch, edgecolor="white", lw=0.6)  # fmt: skip
            if row.years[0] < _SHOWN_FROM:
                axis.plot([_SHOWN_FROM - 0.35], [place], "<", color=colour, ms=5, clip_on=False)
            axis.text(_SHOWN_TO + 0.4, place, _publishers(row.publishers), fontsize=8.5,
                      va="center", color="#444444")  # fmt: skip
        for place, subject in heads:
            axis.text(_SHOWN_FROM - 0.95, place, subject.capitalize(), fontsize=9, ha="right",
                      va="center", fontweight="bold")  # fmt: skip
        ends = (periods.start(START), periods.start(END) + 1)
        axis.axvspan(*ends, color="#000000", alpha=0.06, lw=0, zorder=0)
        axis.set_yticks([place for place, _ in rows],
                        [_label(row.table, row.series) for _, row in rows])  # fmt: skip
        axis.tick_params(axis="y", length=0, pad=9)
        axis.set_ylim(y - 0.3, -0.8)
        axis.set_xlim(_SHOWN_FROM, _SHOWN_TO)
        axis.set_xticks(range(_SHOWN_FROM, _SHOWN_TO + 1, 5))
        axis.grid(axis="y", visible=False)
    whole, late = _whole(held), int((held["years"].map(min) > periods.start(START)).sum())
    return Figure(
        title=f"Of {len(held)} series {whole} hold every year from {START} to {END};"
        f" {late} begin only after the cuts had begun",
        alt="Bars of the years that each series holds. "
        + "; ".join(
            f"{_label(row.table, row.series)}: {span(row.years)}" for row in held.itertuples()
        )
        + ".",
        source="Financial years, by the year in which they begin; arrow: from earlier on. Grey"
        f" band: {START} to {END}. A gap in a bar is a gap in the figures. HMIC: the inspectorate,"
        " since 2017 HMICFRS; MHCLG: the ministry for councils, DCLG until 2018; MOPAC: the Mayor's"
        " Office for Policing and Crime; GLA: Greater London Authority; ONS: Office for National"
        " Statistics; quoted: read in an excerpt of a page.",
        svg=out.getvalue(),
        data=_shown(held),
    )


def _whole(held: pd.DataFrame) -> int:
    wanted = set(range(periods.start(START), periods.start(END) + 1))
    return int(held["years"].map(lambda years: wanted <= set(years)).sum())


def _shown(held: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "series": [_label(r.table, r.series) for r in held.itertuples()],
            "table": held["table"],
            "subject": held["subject"],
            "years": held["years"].map(span),
            "rows": held["rows"],
            "publishers": held["publishers"].map(_publishers),
        }
    )


def covered_table(held: pd.DataFrame) -> Table:
    """Return each series with its years, rows and publishers."""
    return Table(_shown(held).drop(columns="subject"), "Every series of figures shipped")


def joins(audits: pd.DataFrame, panel: pd.DataFrame) -> Text:
    """Return in words what joining the tables did: what met, what did not, who is left out.

    Parameters
    ----------
    audits : DataFrame
        From `panel.audits`.
    panel : DataFrame
        From `panel.force_panel`.
    """
    short = audits[audits["without partner"] > 0]
    # Why the other table has rows that are not used is no reason for a gap here.
    gaps = "; ".join(
        f"{worded(str(row[1]))}, {row[5]} of {row[3]} ({str(row[7]).partition(';')[0]})"
        for row in short.itertuples()
    )
    left_out = ", ".join(panel.attrs["excluded"]) or "none"
    text = (
        f"The panel has {len(panel):,} rows: {panel['force'].nunique()} forces in"
        f" {panel['financial_year'].nunique()} years, from {panel['financial_year'].iloc[0]} to"
        f" {panel['financial_year'].iloc[-1]}. Left out as a whole: {left_out}. Of"
        f" {len(audits)} joins {len(audits) - len(short)} met on every row. No row was dropped by"
        " any join and none was doubled: what has no partner stays, with nothing in its place."
    )
    return Text((text, f"Rows without a partner: {gaps}.") if gaps else (text,))


def breaks_timeline(register: pd.DataFrame, force: str) -> Figure:
    """Draw the register of breaks in time: what changed, and whether it touches a force.

    Parameters
    ----------
    register : DataFrame
        The shipped table ``breaks``.
    force : str
        The place.
    """
    rows = touching(register, force)
    x = rows["date"].map(by_day).to_numpy()
    middle = (x.min() + x.max()) / 2
    with canvas(height=1.4 + 0.225 * len(rows)) as (_, axis, out):
        ends = (periods.start(START) + 0.25, periods.start(END) + 1.25)
        axis.axvspan(*ends, color="#000000", alpha=0.06, lw=0, zorder=0)
        for place, (when, row) in enumerate(zip(x, rows.itertuples(), strict=True)):
            mark, colour, _ = _KINDS.get(str(row.kind), ("o", GREY, ""))
            axis.plot([when], [place], mark, ms=8, mec=colour, mew=1.3,
                      mfc=colour if row.touches else "white")  # fmt: skip
            left = when > middle
            axis.annotate(
                breaks.name(str(row.id)), (when, place), xytext=(-9 if left else 9, 0),
                textcoords="offset points", va="center", ha="right" if left else "left",
                fontsize=8.5, color="black" if row.touches else "#555555",
                fontweight="bold" if row.touches else "normal",
            )  # fmt: skip
        for kind in dict.fromkeys(rows["kind"]):
            mark, colour, words = _KINDS.get(str(kind), ("o", GREY, str(kind)))
            axis.plot([], [], mark, color=colour, ls="none", ms=7, label=words)
        axis.set_yticks([])
        axis.spines["left"].set_visible(False)
        axis.set_ylim(len(rows) - 0.3, -0.8)
        axis.set_xlim(x.min() - 0.6, x.max() + 0.6)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.figure.legend(loc="outside lower center", ncols=4)
    here = rows[rows["touches"]]
    inside = here[here["financial_year"].between(START, END)]
    return Figure(
        title=f"{len(here)} of {len(rows)} registered breaks touch figures of {named(force)},"
        f" {len(inside)} of them from {START} to {END}",
        alt="Breaks in order of date. "
        + "; ".join(
            f"{dated(row.date[:7])} {breaks.name(row.id)}"
            f"{'' if row.touches else ' (not this force)'}"
            for row in rows.itertuples()
        )
        + ".",
        source=f"Filled and bold: touches figures of {named(force)}. Grey band: {START} to {END}."
        " The table below says what each did and what to do about it. Source: the package's"
        " register, each entry with its own.",
        svg=out.getvalue(),
        data=rows[["date", "id", "kind", "table", "places", "touches"]],
    )


def breaks_table(register: pd.DataFrame, force: str) -> Table:
    """Return the entries of the register that touch a force: what happened, what to do."""
    rows = touching(register, force)
    rows = rows.loc[rows["touches"], ["date", "table", "what", "advice", "source"]]
    return Table(
        rows.assign(table=rows["table"].str.replace("_", " ")),
        f"Breaks that touch figures of {named(force)}",
    )
