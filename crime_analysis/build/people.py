"""The tables of residents and the places where they live."""

from __future__ import annotations

import pandas as pd

from crime_analysis.build.books import figures, spread
from crime_analysis.build.recognised import Recognised
from crime_analysis.errors import DataError
from crime_analysis.sources import (
    census_population,
    deprivation,
    force_area_editions,
    geography,
    hmic_expenditure,
    hmic_value_for_money,
    population,
)
from crime_analysis.sources.origin import combine, scale

__all__ = [
    "make_deprivation",
    "make_deprivation_force",
    "make_places",
    "make_population",
    "make_population_other_bases",
]


def make_population(found: Recognised) -> pd.DataFrame:
    """Sum residents of local authorities into forces, and take the boroughs'."""
    authorities = geography.authorities(found.one(geography))
    return figures(
        found.every(population, lambda raw: population.read(raw, authorities)), "population"
    )


def make_population_other_bases(found: Recognised) -> pd.DataFrame:
    """Stack residents on other bases than the mid-year estimates, each under its name."""
    early = next(p for p in hmic_value_for_money.PUBLICATIONS if p.edition == "2012")
    hmic = hmic_expenditure.read_population(found.one(hmic_value_for_money, early))
    printed = found.every(force_area_editions, force_area_editions.read_population)
    # Several editions print the same mid-year; the first of them is enough.
    printed = printed.sort_values(["place", "year", "source"]).drop_duplicates(["place", "year"])
    stacked = [
        found.every(census_population).assign(basis="census"),
        hmic.assign(basis="hmic_2012", kind="force", source=early.id),
        printed.assign(basis="ons_force_area_tables", kind="force"),
    ]
    return figures(pd.concat(stacked, ignore_index=True), "population")


def make_deprivation(found: Recognised) -> pd.DataFrame:
    """Take the indices of each local authority."""
    facts = found.every(deprivation)
    return spread(facts, ["code", "year"], "measure", "value")


def make_deprivation_force(found: Recognised) -> pd.DataFrame:
    """Average the authorities' scores of a force, weighted by their residents of that year.

    The edition of 2019 is on authorities of 2019, for which the population file has no count.
    """
    scores = found.every(deprivation).query("measure == 'score' and year < 2019")
    authorities = geography.authorities(found.one(geography))
    people = population.residents(found.one(population), authorities)
    both = scores.merge(
        people[["code", "year", "population", "force"]], on=["code", "year"], how="left",
        validate="one_to_one",
    )  # fmt: skip
    if both["population"].isna().any():
        lacking = both.loc[both["population"].isna(), "code"].iloc[0]
        raise DataError(f"authority {lacking} has a deprivation score and no residents")
    rows = []
    for (force, year), group in both.groupby(["force", "year"]):
        share = group["population"] / group["population"].sum()
        parts = [scale(o, w) for o, w in zip(group["origin"], share, strict=True)]
        rows.append(
            {
                "force": force,
                "year": year,
                "score": float((group["value"] * share).sum()),
                "score@origin": combine(parts),
                "score@source": group["source"].iloc[0],
            }
        )
    return pd.DataFrame(rows)


def make_places(found: Recognised) -> pd.DataFrame:
    """Take the codes of forces and boroughs, and what each is part of."""
    return figures(found.every(geography), "code")
