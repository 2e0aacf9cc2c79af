"""The tables of offences: forces by year and quarter, and the Met's boroughs by month."""

from __future__ import annotations

import pandas as pd

from crime_analysis import codebook, periods, places
from crime_analysis.build.books import figures, spread, stack
from crime_analysis.build.recognised import Recognised
from crime_analysis.errors import DataError
from crime_analysis.sources import (
    crime_severity,
    csp_table_c2,
    force_area_tables,
    mps_borough_crime,
    mps_borough_crime_old,
    mps_master,
    recorded_crime_quarterly,
    recorded_crime_rolling,
)

__all__ = [
    "make_borough_crime_latest",
    "make_borough_crime_monthly",
    "make_crime_severity",
    "make_met_violence_monthly",
    "make_recorded_crime",
    "make_recorded_crime_quarterly",
]

# Years to 2012/13 come from the rolling-year file, which separates stalking and harassment
# throughout; later years from the quarterly file, which is the later edition.
_FIRST_QUARTERLY_YEAR = 2013


def make_recorded_crime(found: Recognised) -> pd.DataFrame:
    """Join the two Home Office files at 2013/14 and add knife offences."""

    def early(found: Recognised) -> pd.DataFrame:
        rolling = found.every(recorded_crime_rolling)
        if found.has(recorded_crime_quarterly.PUBLICATION):
            _compare_join(rolling, found.every(recorded_crime_quarterly))
        return rolling[rolling["financial_year"].map(periods.start) < _FIRST_QUARTERLY_YEAR]

    def late(found: Recognised) -> pd.DataFrame:
        quarterly = found.every(recorded_crime_quarterly)
        if found.earlier and not found.has(recorded_crime_rolling.PUBLICATION):
            _compare_join(found.earlier.frame("recorded_crime"), quarterly)
        return quarterly[quarterly["financial_year"].map(periods.start) >= _FIRST_QUARTERLY_YEAR]

    def knife(found: Recognised) -> pd.DataFrame:
        return found.every(force_area_tables)

    return figures(stack(found, early, late, knife), "offences")


def _compare_join(rolling: pd.DataFrame, quarterly: pd.DataFrame) -> None:
    """Refuse two files whose last common year before the join tells another story.

    In 2012/13 both files count the same offences under the same rules, so the group totals
    that both print must agree to the offence.
    """
    year = periods.label(_FIRST_QUARTERLY_YEAR - 1)
    groups = ["homicide", "robbery", "violence_against_the_person", "total_excluding_fraud"]
    keys = ["force", "financial_year", "offence_group"]
    left, right = (
        f.loc[(f["financial_year"] == year) & f["offence_group"].isin(groups), [*keys, "offences"]]
        for f in (rolling, quarterly)
    )
    both = left.merge(right, on=keys, suffixes=("_rolling", "_quarterly"), validate="one_to_one")
    differ = both[both["offences_rolling"] != both["offences_quarterly"]]
    if len(both) != len(groups) * len(places.FORCES) or len(differ):
        detail = differ.iloc[0].to_dict() if len(differ) else f"{len(both)} pairs"
        raise DataError(f"the two files of recorded crime do not meet in {year}: {detail}")


def make_recorded_crime_quarterly(found: Recognised) -> pd.DataFrame:
    """Set the groups of violence side by side, by force and quarter."""
    facts = found.every(recorded_crime_quarterly, recorded_crime_quarterly.read_quarters)
    keys = ["force", "financial_year", "quarter"]
    return spread(facts, keys, "offence_group", "offences")


def make_crime_severity(found: Recognised) -> pd.DataFrame:
    """Take the Crime Severity Score as it is printed."""
    return figures(found.every(crime_severity), "score")


def make_borough_crime_monthly(found: Recognised) -> pd.DataFrame:
    """Stack the new and the old classes; of two editions of a month take the later."""
    facts = stack(
        found, lambda f: f.every(mps_borough_crime), lambda f: f.every(mps_borough_crime_old)
    )
    keys = ["classification", "place", "month"]
    # Of two editions with the same month, the one that goes further is the later.
    facts = facts.sort_values("source", key=lambda ids: ids.str[-6:], kind="stable")
    facts = facts.drop_duplicates([*keys, "offence_group"], keep="last")
    return spread(facts, keys, "offence_group", "offences")


def make_borough_crime_latest(found: Recognised) -> pd.DataFrame:
    """Take the latest year's offences by Community Safety Partnership."""
    return figures(found.every(csp_table_c2), "offences")


def make_met_violence_monthly(found: Recognised) -> pd.DataFrame:
    """Take from MOPAC's workbook what recording moves more or less."""
    facts = found.every(mps_master, mps_master.read_met_monthly)
    wanted = [f.name for f in codebook.table("met_violence_monthly").fields[1:]]
    return spread(facts[facts["measure"].isin(wanted)], ["month"], "measure", "value")
