"""What the shipped figures cover, which breaks touch a place, and how far publications differ.

Everything is read from the tables themselves: what a table covers is what it holds, not what its
publisher promises.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from crime_analysis import breaks, catalog, codebook, periods, places
from crime_analysis.crosscheck import AGREES, DECLARED, disagreements
from crime_analysis.errors import DataError
from crime_analysis.findings.claims_readings import Load
from crime_analysis.findings.counts import rate_ratio, whole_years
from crime_analysis.links import LONDON

__all__ = [
    "LISTS",
    "SPREAD",
    "SUBJECTS",
    "apart",
    "coverage",
    "farthest",
    "log",
    "revised",
    "runs",
    "span",
    "spread",
    "touching",
]

#: What the tables of figures are about, in the order of the chain.
SUBJECTS: dict[str, tuple[str, ...]] = {
    "money": ("funding", "government_share", "prices"),
    "officers": (
        "officers", "officers_national", "officers_overlap", "met_strength_monthly",
        "met_strength_earlier", "borough_officers_monthly",
    ),
    "police recording": (
        "recorded_crime", "recorded_crime_quarterly", "crime_severity", "knife_offences",
        "borough_crime_monthly", "borough_crime_latest", "met_violence_monthly",
        "stop_and_search_monthly",
    ),
    "hospitals": ("hospital_admissions",),
    "people and places": (
        "population", "population_other_bases", "unemployment", "deprivation",
        "deprivation_force",
    ),
}  # fmt: skip
#: Registers and lists, which are no series over time.
LISTS = (
    "assumptions", "breaks", "claims", "knife_revisions", "officers_revisions", "places",
    "quoted_figures", "statements",
)  # fmt: skip
# One table, several series that are never joined.
_SERIES = {"funding": "series"}
_DATED = ("date", "month", "financial_year", "year", "period", "year_ending")
_LONDON_ONLY = ("borough_", "met_", "stop_and_search")
#: By the start of a comparison's name: what it compares.
_COMPARED = {
    "officers": "officers", "pcsos": "officers", "rolling": "police recording",
    "met-boroughs": "police recording", "met-workbook": "police recording",
    "partnerships": "police recording", "knife": "police recording", "grants": "money",
    "formula": "money", "council": "money", "met-grant": "money", "met-settlement": "money",
    "population": "people and places", "census": "people and places", "hospital": "hospitals",
}  # fmt: skip
#: Measures looked at across places, from the one that recording moves most, and the whole years
#: on either side of the inspection's.
SPREAD = (
    "violence_without_injury", "violence_with_injury", "robbery", "admissions", "homicide",
)  # fmt: skip
_BEFORE, _AFTER = "2013/14", "2015/16"
# Of fewer offences in the first year chance alone makes a large change.
_FEWEST = 50


def coverage(load: Load = catalog.load) -> pd.DataFrame:
    """Return which financial years each shipped series of figures holds.

    A day belongs to the year that it ends or lies in, so a count of 31 March 2018 to 2017/18; a
    calendar year to the financial year that begins in it.

    Parameters
    ----------
    load : callable
        Gives a shipped table by name.

    Returns
    -------
    DataFrame
        One row a series, by subject: ``table``, ``series`` (empty unless the table holds
        several), ``title``, ``subject``, ``years`` (first calendar years, a tuple in order),
        ``rows``, ``publishers`` (a tuple).
    """
    found = []
    for subject, names in SUBJECTS.items():
        for name in names:
            frame = load(name)
            column = next(c for c in _DATED if c in frame)
            publishers = {s["id"]: str(s["publisher"]) for s in catalog.sources_of(name)}
            split = frame[_SERIES[name]] if name in _SERIES else pd.Series("", frame.index)
            for series, rows in frame.groupby(split):
                years = rows[column].astype(str).map(_year)
                # A figure made from two publications names both.
                told = ";".join(rows["source"].unique()) if "source" in rows else ""
                used = [source for source in told.split(";") if source in publishers]
                said = sorted({publishers[source] for source in used or publishers})
                found.append(
                    (name, str(series), codebook.table(name).title, subject,
                     tuple(sorted({int(y) for y in years})), len(years), tuple(said))
                )  # fmt: skip
    columns = ["table", "series", "title", "subject", "years", "rows", "publishers"]
    return pd.DataFrame(found, columns=columns)


def _year(text: str) -> int:
    """Return the first calendar year of the financial year that a period lies in or begins."""
    month = re.search(r"(\d{4})-(\d\d)(?:-\d\d)?$", text)
    if month:
        return int(month[1]) - (int(month[2]) < 4)
    year = re.search(r"\d{4}", text)
    if year is None:
        raise DataError(f"{text!r} names no year; {catalog.MEND}")
    return int(year[0])


def touching(register: pd.DataFrame, force: str) -> pd.DataFrame:
    """Return the register of breaks, told which entries touch the figures of one force.

    Parameters
    ----------
    register : DataFrame
        The shipped table ``breaks``.
    force : str
        One of the 43 forces. London's boroughs and tables are the Met's.

    Returns
    -------
    DataFrame
        The register by date, with ``financial_year`` and ``touches``.
    """
    force = places.force(force)
    named = {force, *(places.BOROUGHS if force == LONDON else ())}

    def here(row: pd.Series) -> bool:
        if str(row["table"]).startswith(_LONDON_ONLY) and force != LONDON:
            return False
        return row["places"] == "all" or bool(named & set(str(row["places"]).split(";")))

    found = register.sort_values(["date", "id"], ignore_index=True)
    return found.assign(
        financial_year=found["date"].map(breaks.financial_year),
        touches=[here(row) for _, row in found.iterrows()],
    )


def log(found: pd.DataFrame) -> pd.DataFrame:
    """Return the outcome of the cross-checks by what they compare.

    Parameters
    ----------
    found : DataFrame
        From `crosscheck.crosscheck`.

    Returns
    -------
    DataFrame
        ``subject``, ``comparisons``, ``pairs``, ``agree`` (within the tolerance that was
        stated), ``declared`` (beyond it, with a reason) and ``failed``.
    """
    subject = found["comparison"].map(_subject)
    failed = disagreements(found)
    rows = []
    for name, group in found.groupby(subject, sort=False):
        rows.append(
            {
                "subject": name,
                "comparisons": group["comparison"].nunique(),
                "pairs": len(group),
                "agree": int((group["verdict"] == AGREES).sum()),
                "declared": int((group["verdict"] == DECLARED).sum()),
                "failed": int((failed["comparison"].map(_subject) == name).sum()),
            }
        )
    return pd.DataFrame(rows)


def _subject(comparison: str) -> str:
    hits = [start for start in _COMPARED if comparison.startswith(start)]
    return _COMPARED[max(hits, key=len)] if hits else "other"


def apart(found: pd.DataFrame, force: str) -> pd.DataFrame:
    """Return how far two publications are apart on one force, by comparison.

    Parameters
    ----------
    found : DataFrame
        From `crosscheck.crosscheck`.
    force : str
        One of the 43 forces.

    Returns
    -------
    DataFrame
        By ``comparison``: ``pairs``, ``least`` and ``most`` (second over first, less 1),
        ``from`` and ``to`` (the tolerance, less 1), ``declared`` (pairs beyond it, with a
        reason); nearest to equal first. Pairs whose first figure is nought are left out.
    """
    force = places.force(force)
    rows = found[(found["place"] == force) & found["ratio"].notna()]
    groups = rows.groupby("comparison")
    made = pd.DataFrame(
        {
            "pairs": groups.size(),
            "least": groups["ratio"].min() - 1,
            "most": groups["ratio"].max() - 1,
            "from": groups["ratio_from"].first() - 1,
            "to": groups["ratio_to"].first() - 1,
            "declared": (rows["verdict"] == DECLARED).groupby(rows["comparison"]).sum(),
        }
    )
    width = made[["least", "most"]].abs().max(axis=1)
    return made.loc[width.sort_values(kind="stable").index]


def farthest(found: pd.DataFrame, force: str) -> pd.DataFrame:
    """Return of each comparison the pair of figures of a force that is farthest from equal.

    Returns
    -------
    DataFrame
        ``comparison``, ``period``, ``first``, ``first_value``, ``second``, ``second_value``,
        ``difference`` (second over first, less 1), ``why``; farthest first.
    """
    rows = found[(found["place"] == places.force(force)) & found["ratio"].notna()].copy()
    rows["difference"] = rows["ratio"] - 1
    rows = rows.loc[rows["difference"].abs().sort_values(ascending=False, kind="stable").index]
    columns = [
        "comparison", "period", "first", "first_value", "second", "second_value", "difference",
        "why",
    ]  # fmt: skip
    return rows.drop_duplicates("comparison")[columns].reset_index(drop=True)


def revised(officers: pd.DataFrame, knife: pd.DataFrame, force: str) -> pd.DataFrame:
    """Return the figures of a force that a later edition prints differently.

    Parameters
    ----------
    officers, knife : DataFrame
        The shipped tables ``officers_revisions`` and ``knife_revisions``.
    force : str
        One of the 43 forces.

    Returns
    -------
    DataFrame
        ``figure``, ``period``, ``first``, ``last``, ``change`` (proportional; missing if the
        first was nought).
    """
    force = places.force(force)
    kinds = (
        (officers, "officers", "date", "first_fte", "later_fte"),
        (knife, "knife offences", "period", "first_offences", "last_offences"),
    )
    parts = []
    for table, figure, when, first, last in kinds:
        rows = table[table["force"] == force]
        before, after = rows[first].astype(float), rows[last].astype(float)
        parts.append(
            pd.DataFrame(
                {"figure": figure, "period": rows[when], "first": before, "last": after,
                 "change": (after / before.where(before > 0)) - 1}
            )
        )  # fmt: skip
    made = pd.concat(parts, ignore_index=True)
    return made[made["first"] != made["last"]].reset_index(drop=True)


def spread(
    crime: pd.DataFrame,
    admissions: pd.DataFrame,
    register: pd.DataFrame,
    before: str = _BEFORE,
    after: str = _AFTER,
) -> pd.DataFrame:
    """Return how measures of violence moved in every place at once.

    Where a change in recording is behind a rise, places as unlike as they come rise together.

    Parameters
    ----------
    crime, admissions : DataFrame
        The shipped tables ``recorded_crime`` and ``hospital_admissions``.
    register : DataFrame
        The shipped table ``breaks``: years that one event dominates are left out.
    before, after : str
        Financial years.

    Returns
    -------
    DataFrame
        One row a measure of `SPREAD` and place (a force; for admissions a region of England):
        ``measure``, ``place``, ``before``, ``after``, ``change`` (missing below 50 events in the
        first year), and of all these places together ``total``, ``total_low``, ``total_high``
        (proportional change; exact Poisson interval for homicide and admissions, whose events are
        few and independent).
    """
    parts = []
    for measure in SPREAD:
        if measure == "admissions":
            wide = _by_region(admissions)
        else:
            rows = crime[crime["offence_group"] == measure]
            wide = rows.pivot(index="force", columns="financial_year", values="offences")
        wide = wide.reindex(columns=[before, after]).astype(float)
        for event in register[register["kind"] == "event"].itertuples():
            year = breaks.financial_year(str(event.date))
            if measure in str(event.series).split(";") and year in wide:
                wide.loc[wide.index.isin(str(event.places).split(";")), year] = np.nan
        sums = wide.dropna().sum()
        ratio = rate_ratio(sums[after], 1.0, sums[before], 1.0)
        chance = measure in ("homicide", "admissions")
        enough = wide[before].where(wide[before] >= _FEWEST)
        parts.append(
            pd.DataFrame(
                {
                    "measure": measure,
                    "place": wide.index,
                    "before": wide[before].to_numpy(),
                    "after": wide[after].to_numpy(),
                    "change": (wide[after] / enough - 1).to_numpy(),
                    "total": ratio.estimate - 1,
                    "total_low": ratio.ci_low - 1 if chance else np.nan,
                    "total_high": ratio.ci_high - 1 if chance else np.nan,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _by_region(admissions: pd.DataFrame) -> pd.DataFrame:
    """Return admissions of whole financial years by region of England."""
    regions = admissions[admissions["region"] != "England"]
    sums = {name: whole_years(rows, "admissions") for name, rows in regions.groupby("region")}
    made = pd.DataFrame(sums).T
    return made.rename(columns=periods.label)


def runs(years: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return years in order as first and last of each unbroken run.

    Examples
    --------
    >>> runs((2005, 2006, 2007, 2009))
    [(2005, 2007), (2009, 2009)]
    """
    found: list[tuple[int, int]] = []
    for year in years:
        if found and year == found[-1][1] + 1:
            found[-1] = (found[-1][0], year)
        else:
            found.append((year, year))
    return found


def span(years: tuple[int, ...]) -> str:
    """Return years as spans of financial years, gaps shown.

    Examples
    --------
    >>> span((2005, 2006, 2007, 2009))
    '2005/06 to 2007/08, 2009/10'
    """
    ends = [dict.fromkeys(map(periods.label, run)) for run in runs(years)]
    return ", ".join(" to ".join(run) for run in ends)
