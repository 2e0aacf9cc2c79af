"""ONS, Crime Severity Score by force: recorded crime weighted by the sentences it attracts.

An experimental statistic: each offence counts by the average sentence, per head of population.
The City of London has no score (few residents); its rows are left out. The mirror's heading of
a year reads "Apr '02 to Mar '03...4": the dots and the number are no part of it.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis import periods, places
from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import Origin
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["HEADINGS", "PUBLICATION", "parse", "read", "recognise"]

PUBLICATION = Publication(
    id="ons-crime-severity-score-2022",
    publisher="Office for National Statistics",
    title="Crime Severity Score (experimental statistics), police force areas",
    edition="Year ending March 2022",
    note="Severity per head of population; the workbook's columns bound into rows by a mirror.",
    series="ons-crime-severity-score",
)

_COLUMNS = ["offence_group", "code", "name", "year", "severity_score", "year_ending"]
#: What its heading row has.
HEADINGS: tuple[str, ...] = tuple(_COLUMNS)
_TOTAL = "total_recorded_crime"
_GROUPS = {
    "Total recorded crime": _TOTAL,
    "Violence against the person": "violence_against_the_person",
    "Sexual offences": "sexual_offences",
    "Robbery": "robbery",
    "Theft offences": "theft_offences",
    "Criminal damage and arson": "criminal_damage_and_arson",
    "Other crimes against society": "other_crimes_against_society",
}
_NOT_SCORED = "City of London"
_YEARS = periods.span("2002/03", "2021/22")
# Scores lie between 4.5 and 27.7 in all forces and years.
_LOWEST, _HIGHEST = 1, 100


def recognise(raw: RawFile) -> Publication | None:
    """Return the edition that `raw` is, by its heading row and its last year to March."""
    if not raw.has(("offence_group", "severity_score", "year_ending")):
        return None
    marches = [day[:4] for day in raw.said("year_ending") if day.endswith("-03-31")]
    last = max(marches, default="")
    return PUBLICATION.later("2022", last, edition=f"Year ending March {last}")


def read(raw: RawFile) -> pd.DataFrame:
    """Return severity scores by force, financial year and offence group.

    Returns
    -------
    DataFrame
        ``force`` (42: not the City of London), ``financial_year`` (2002/03 to 2021/22),
        ``offence_group`` (six and their total), ``score`` and ``origin`` (its line is the one
        that the record ends on: each record takes two).

    Raises
    ------
    SourceError
        If a force or a year is missing, or as `parse` does.
    """
    frame = parse(raw)
    missing = sorted(set(places.FORCES) - {_NOT_SCORED} - set(frame["force"]))
    if missing:
        raise SourceError(f"no scores for {missing[:5]}", raw.name, column="name")
    years = sorted(set(frame["financial_year"]))
    raw.require_edition(PUBLICATION, _YEARS[-1], years, periods.start)
    if years[: len(_YEARS)] != _YEARS:
        raise SourceError(f"expected the years {_YEARS}, found {years}", raw.name, column="year")
    return frame


def parse(raw: RawFile) -> pd.DataFrame:
    """Return the scores of whatever forces and years are there, as `read` does.

    Raises
    ------
    SourceError
        On an unknown force or offence group, a year that its two columns give differently, a
        repeated row, a missing score, a force that lacks a group or year that others have, or
        groups that do not add up to the total.
    """
    table = raw.table(_COLUMNS)
    # Years that end in other months overlap these and cannot be added to them.
    table = table[table["year_ending"].str.endswith("-03-31")]
    table = table[table["code"].str.match(r"E23|W15")]
    if table.empty:
        raise SourceError("no force's year to March", raw.name, column="year_ending")
    printed = table["year"].str.extract(r"^Apr '(\d\d) to\s+Mar '(\d\d)(?:\.\.\.\d+)?$")
    ending = table["year_ending"].str.extract(r"^20(\d\d)-03-31$")[0]
    odd = (printed[1] != ending) | ending.isna()
    if odd.any():
        raise raw.error("the two columns do not give the same year to March", odd.rename("year"))
    unknown = ~table["offence_group"].isin(_GROUPS)
    if unknown.any():
        found = table["offence_group"].at[unknown.idxmax()]
        raise raw.error(f"unknown offence group {found!r}", unknown.rename("offence_group"))
    frame = pd.DataFrame(
        {
            "force": raw.names(table["name"], places.force),
            "financial_year": [periods.label(2000 + int(year) - 1) for year in ending],
            "offence_group": table["offence_group"].map(_GROUPS),
            "score": raw.numbers(table["severity_score"]),
        }
    )
    raw.require_unique(frame[["force", "financial_year", "offence_group"]])
    pairs = pd.DataFrame({"code": table["code"], "name": frame["force"]}).drop_duplicates()
    twice = pairs["code"].duplicated() | pairs["name"].duplicated()
    if twice.any():
        raise raw.error("a force with another code than before", twice.rename("code"))
    missing = frame["score"].isna() != (frame["force"] == _NOT_SCORED)
    if missing.any():
        raise raw.error(
            f"expected a score for every force but {_NOT_SCORED}", missing.rename("severity_score")
        )
    frame["origin"] = [(Origin("", str(line), "severity_score"),) for line in frame.index]
    frame = frame[frame["force"] != _NOT_SCORED]
    _require_whole(frame, raw)
    return frame.sort_values(["force", "financial_year", "offence_group"], ignore_index=True)


def _require_whole(frame: pd.DataFrame, raw: RawFile) -> None:
    """Check that every force has every group in every year, and that groups make the total."""
    wide = frame.pivot(
        index=["force", "financial_year"], columns="offence_group", values="score"
    ).reindex(columns=list(_GROUPS.values()))
    years = frame["financial_year"].nunique()
    short = wide.index.get_level_values("force").value_counts() < years
    if wide.isna().any(axis=None) or short.any():
        gaps = wide[wide.isna().any(axis=1)].index.tolist() or short[short].index.tolist()
        raise SourceError(f"an offence group or year is missing for {gaps[0]}", raw.name)
    total = wide.pop(_TOTAL)
    apart = (wide.sum(axis=1) - total).abs() > 1e-6
    if apart.any():
        force, year = apart.idxmax()
        raise SourceError(
            f"the groups' scores of {force} in {year} do not add up to the total",
            raw.name,
            row=_line(frame, force, year),
            column="severity_score",
        )
    wrong = ~total.between(_LOWEST, _HIGHEST) | (wide < 0).any(axis=1)
    if wrong.any():
        force, year = wrong.idxmax()
        raise SourceError(
            f"{total[force, year]} in {force} in {year} cannot be a severity score per head",
            raw.name,
            row=_line(frame, force, year),
            column="severity_score",
        )


def _line(frame: pd.DataFrame, force: str, year: str) -> int:
    """Return the line of a force's total in a year."""
    chosen = (frame["force"] == force) & (frame["financial_year"] == year)
    return int(frame.index[chosen & (frame["offence_group"] == _TOTAL)][0])
