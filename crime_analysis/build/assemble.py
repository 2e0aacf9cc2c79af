"""Publications to tables: joins what the readers give into every table that is shipped.

A maker returns a frame with the columns of the codebook and, for each column of figures, two
more: ``FIELD@origin``, the cells that each figure was made from, and ``FIELD@source``, the
publication that holds them. `build` takes those off and keeps them beside the table. Makers are
in modules by what they count; here are those of one line, and the list of all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType

import pandas as pd

from crime_analysis import breaks, claims_register, codebook
from crime_analysis.build import assumptions, crime, knife, money, officers, people
from crime_analysis.build.books import figures, spread, stack
from crime_analysis.build.recognised import Recognised
from crime_analysis.sources import (
    census_population,
    crime_severity,
    csp_table_c2,
    deprivation,
    force_area_editions,
    force_area_tables,
    geography,
    hmic_2010,
    hmic_value_for_money,
    hospital_admissions,
    met_strength,
    mps_borough_crime,
    mps_borough_crime_old,
    mps_knife_dashboard,
    mps_master,
    ons_series,
    police_strength,
    population,
    quoted,
    quoted_figures,
    recorded_crime_quarterly,
    recorded_crime_rolling,
    revenue_outturn,
    stop_and_search,
    unemployment,
    workforce,
    workforce_bulletins,
)

__all__ = ["MAKERS", "READERS", "STACKED"]

READERS: tuple[ModuleType, ...] = (
    census_population,
    crime_severity,
    csp_table_c2,
    deprivation,
    force_area_editions,
    force_area_tables,
    geography,
    hmic_2010,
    hmic_value_for_money,
    hospital_admissions,
    met_strength,
    mps_borough_crime,
    mps_borough_crime_old,
    mps_knife_dashboard,
    mps_master,
    ons_series,
    police_strength,
    population,
    quoted,
    quoted_figures,
    recorded_crime_quarterly,
    recorded_crime_rolling,
    revenue_outturn,
    stop_and_search,
    unemployment,
    workforce,
    workforce_bulletins,
)


def _statements(found: Recognised) -> pd.DataFrame:
    said = quoted.read_statements(found.one(quoted, quoted.STATEMENTS))
    return figures(said.assign(source=quoted.STATEMENTS.id), "wording")


def _quoted(found: Recognised) -> pd.DataFrame:
    def budget(found: Recognised) -> pd.DataFrame:
        points = quoted.read_budget(found.one(quoted, quoted.MET_BUDGET))
        return points.assign(source=quoted.MET_BUDGET.id)

    return figures(stack(found, lambda f: f.every(quoted_figures), budget), "value")


def _register(name: str, rows: Sequence[Sequence[str]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=codebook.table(name).columns)


#: Tables of which each row is from one publication: rows that none in the folder gives are kept.
STACKED: frozenset[str] = frozenset(
    {
        "borough_crime_monthly", "deprivation", "funding", "government_share", "knife_offences",
        "quoted_figures", "recorded_crime",
    }
)  # fmt: skip

MAKERS: dict[str, Callable[[Recognised], pd.DataFrame]] = {
    "officers": lambda f: officers.make_officers_and_overlap(f)[0],
    "officers_overlap": lambda f: officers.make_officers_and_overlap(f)[1],
    "officers_revisions": officers.make_officers_revisions,
    "officers_national": officers.make_officers_national,
    "recorded_crime": crime.make_recorded_crime,
    "recorded_crime_quarterly": crime.make_recorded_crime_quarterly,
    "knife_offences": knife.make_knife_offences,
    "knife_revisions": knife.make_knife_revisions,
    "crime_severity": crime.make_crime_severity,
    "borough_crime_monthly": crime.make_borough_crime_monthly,
    "borough_crime_latest": crime.make_borough_crime_latest,
    "borough_officers_monthly": officers.make_borough_officers_monthly,
    "met_strength_monthly": officers.make_met_strength_monthly,
    "met_strength_earlier": officers.make_met_strength_earlier,
    "met_violence_monthly": crime.make_met_violence_monthly,
    "stop_and_search_monthly": lambda f: spread(
        f.every(stop_and_search), ["month"], "measure", "stops"
    ),
    "hospital_admissions": lambda f: spread(
        f.every(hospital_admissions), ["region", "month"], "measure", "count"
    ),
    "funding": money.make_funding,
    "government_share": money.make_government_share,
    "population": people.make_population,
    "population_other_bases": people.make_population_other_bases,
    "prices": money.make_prices,
    "unemployment": lambda f: spread(f.every(unemployment), ["place", "year"], "measure", "value"),
    "deprivation": people.make_deprivation,
    "deprivation_force": people.make_deprivation_force,
    "places": people.make_places,
    "breaks": lambda f: _register("breaks", breaks.REGISTER),
    "assumptions": lambda f: _register("assumptions", assumptions.REGISTER),
    "claims": lambda f: _register("claims", claims_register.REGISTER),
    "statements": _statements,
    "quoted_figures": _quoted,
}
