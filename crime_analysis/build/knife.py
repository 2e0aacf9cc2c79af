"""The tables of knife crime: every count under the definition that it follows."""

from __future__ import annotations

import pandas as pd

from crime_analysis.build.books import figures, stack
from crime_analysis.build.recognised import Recognised
from crime_analysis.sources import (
    force_area_editions,
    force_area_tables,
    mps_knife_dashboard,
    quoted_figures,
)

__all__ = ["make_knife_offences", "make_knife_revisions"]

# What a quoted figure says of its basis, as the definition of a series.
_QUOTED_KNIFE = {
    "HO knife open data, current definition": "Home Office, current definition (quoted)",
    "HO/ONS (first published definition)": "Home Office, as first published (quoted)",
    "older basis": "Home Office, older basis (quoted)",
}


def make_knife_offences(found: Recognised) -> pd.DataFrame:
    """Set the counts of knife crime side by side, each under the definition that it follows."""
    parts = (_knife_of_forces, _knife_of_forces_late, _knife_of_boroughs, _knife_quoted)
    return figures(stack(found, *parts), "offences")


def _knife_of_forces(found: Recognised) -> pd.DataFrame:
    ons = found.every(force_area_tables).rename(
        columns={"force": "place", "financial_year": "period"}
    )
    return ons.assign(kind="force", definition=force_area_tables.KNIFE_DEFINITION)


def _knife_of_forces_late(found: Recognised) -> pd.DataFrame:
    late = force_area_editions.read(found.one(force_area_editions, force_area_editions.LATEST))
    return late.rename(columns={"force": "place"}).assign(
        kind="force",
        definition=force_area_editions.KNIFE_DEFINITION,
        source=force_area_editions.LATEST.id,
    )


def _knife_of_boroughs(found: Recognised) -> pd.DataFrame:
    met = found.every(mps_knife_dashboard).rename(columns={"month": "period"})
    return met.assign(
        kind="borough",
        definition=met["offence_group"].map(
            lambda group: f"Met dashboard, {group.replace('_', ' ')}"
        ),
    )


def _knife_quoted(found: Recognised) -> pd.DataFrame:
    points = found.every(quoted_figures)
    points = points[points["measure"] == "knife_offences"].astype({"value": "int64"})
    points = points.rename(columns={"value": "offences"})
    return points.assign(
        kind="force",
        definition=points["definition"].map(
            lambda text: next(name for said, name in _QUOTED_KNIFE.items() if said in text)
        ),
    )


def make_knife_revisions(found: Recognised) -> pd.DataFrame:
    """List the knife offences that two editions print differently: the first and the last."""
    first = found.every(force_area_tables).rename(columns={"financial_year": "period"})
    first = first.assign(edition=force_area_tables.ENDS)
    every = pd.concat([found.every(force_area_editions), first], ignore_index=True)
    every = every.sort_values(["force", "period", "edition"])
    columns = ["edition", "offences", "origin", "source"]
    pairs = every.groupby(["force", "period"])[columns]
    both = pairs.nth(0).join(every[["force", "period"]]).merge(
        pairs.nth(-1).join(every[["force", "period"]]),
        on=["force", "period"], suffixes=("_first", "_last"), validate="one_to_one",
    )  # fmt: skip
    both = both[both["offences_first"] != both["offences_last"]].reset_index(drop=True)
    names = {
        f"{part}_{which}": f"{which}_offences@{part}"
        for part in ("origin", "source") for which in ("first", "last")
    }  # fmt: skip
    names |= {f"offences_{which}": f"{which}_offences" for which in ("first", "last")}
    names |= {f"edition_{which}": f"{which}_edition" for which in ("first", "last")}
    return both.rename(columns=names)
