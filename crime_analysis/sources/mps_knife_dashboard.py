"""Met Police, Monthly Crime Dashboard: knife crime by borough, March 2022 to February 2026.

The dashboard has no row where it counts none. Every month is there twice, by borough and by
Safer Neighbourhood Team, and the two must make the same total, so no row can be lost unseen.
(By borough they differ a little from March 2024: teams leave more offences in no place.)
2022/23 is 3% above the Home Office's count. It is a third definition: never mix.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis import places
from crime_analysis.errors import SourceError
from crime_analysis.sources.mps_borough_table import (
    ELSEWHERE,
    borough_or_elsewhere,
    only_boroughs,
)
from crime_analysis.sources.origin import total
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import month_number, plain

__all__ = ["HEADINGS", "PUBLICATION", "parse", "read", "read_elsewhere", "recognise"]

PUBLICATION = Publication(
    id="mps-monthly-crime-dashboard-knife-2026-03",
    publisher="Metropolitan Police Service (London Datastore)",
    title="MPS Monthly Crime Dashboard: knife crime",
    edition="18 March 2026",
    licence="Open Government Licence v2.0",
    note="The Met's own count, 3% above the Home Office's in 2022/23.",
    series="mps-monthly-crime-dashboard-knife",
)
_LAST = "2026-02"
# Four years from March 2022 to February 2026; by then April 2022 will be the first.
_LEAST_MONTHS = 48
_COLUMNS = [
    "month_year", "area_type", "borough_snt", "area_name", "area_code", "crime_type",
    "crime_subtype", "measure", "count",
]  # fmt: skip
#: What its heading row has.
HEADINGS: tuple[str, ...] = tuple(_COLUMNS)
_GROUPS = {"knife crime": "knife_crime", "knife crime with injury": "knife_crime_with_injury"}
_AREAS = {"borough", "safer neighbourhood teams"}
# The most in any borough and month so far is 110.
_MOST = 2_000


def recognise(raw: RawFile) -> Publication | None:
    """Return the edition that `raw` is, if it is the dashboard with knife crime in its first rows.

    A later edition is cited under the day that it was refreshed, which it prints.
    """
    if not raw.has(_COLUMNS) or ",knife crime," not in raw.head.casefold():
        return None
    last = max((date[:7] for date in raw.said("month_year")), default="")
    refreshed = max(raw.said("refresh_date"), default="")
    return PUBLICATION.later(_LAST, last, edition=refreshed and f"refreshed {refreshed}")


def read(raw: RawFile) -> pd.DataFrame:
    """Return knife crime by borough and month, the 32 boroughs each month.

    Returns
    -------
    DataFrame
        ``place`` (borough), ``month`` (``2022-03``), ``offence_group`` (``knife_crime``, and
        ``knife_crime_with_injury``, which is part of it), ``offences`` and ``origin``. Where
        the dashboard has no row, because it counts none, the value is 0 and ``origin`` empty.

    Raises
    ------
    SourceError
        On a missing column, an unknown place, a repeated row, a figure that is no whole
        number, boroughs and neighbourhood teams that make different totals, more offences
        with injury than in all, a missing borough or month, or an older edition. A later
        edition may begin later: the dashboard holds four years.
    """
    return only_boroughs(_whole(raw), raw)


def read_elsewhere(raw: RawFile) -> pd.DataFrame:
    """Return what `read` leaves out: offences in no borough, in the same columns."""
    frame = _whole(raw)
    return frame[frame["place"] == ELSEWHERE].reset_index(drop=True)


def _whole(raw: RawFile) -> pd.DataFrame:
    frame = parse(raw)
    months = sorted(set(frame["month"]))
    raw.require_edition(PUBLICATION, _LAST, months, month_number)
    if len(months) < _LEAST_MONTHS:
        raise SourceError(
            f"holds {months[0]} to {months[-1]}, fewer than {_LEAST_MONTHS} months: the first rows"
            " were lost",
            raw.name,
        )
    return frame


def parse(raw: RawFile) -> pd.DataFrame:
    """Return knife crime of every place, as `read` does, for any consecutive months."""
    table = raw.table(_COLUMNS)
    areas = table["area_type"].map(plain)
    if not areas.isin(_AREAS).all():
        raise raw.error(f"expected an area type of {sorted(_AREAS)}", ~areas.isin(_AREAS))
    groups = table["crime_subtype"].map(lambda name: _GROUPS.get(plain(name)))
    wanted = groups.notna() & (table["measure"].map(plain) == "offences")
    wanted &= table["crime_type"].map(plain) == "knife crime"
    table = table[wanted].assign(
        area=areas, offence_group=groups, month=table["month_year"].str.slice(0, 7)
    )
    if table.empty:
        raise SourceError("no rows of knife crime offences", raw.name, column="crime_subtype")
    odd = ~table["month_year"].str.fullmatch(r"20\d\d-(?:0[1-9]|1[0-2])-01")
    if odd.any():
        raise raw.error("expected the first of a month", odd)
    table["offences"] = raw.counts(table["count"], high=_MOST)
    raw.require_unique(
        table[["month", "area_type", "borough_snt", "area_name", "area_code", "offence_group"]]
    )
    teams = table[table["area"] != "borough"].groupby(["month", "offence_group"])["offences"].sum()
    table = table[table["area"] == "borough"]
    table = table.assign(
        place=raw.names(table["area_name"], borough_or_elsewhere), line=table.index
    )
    keys = ["place", "month", "offence_group"]
    frame = total(table, keys, "offences", "count")
    sums = frame.groupby(["month", "offence_group"])["offences"].sum()
    gap = sums.sub(teams, fill_value=0)
    if (gap != 0).any():
        month, group = gap.index[gap != 0][0]
        raise SourceError(
            f"boroughs and neighbourhood teams differ by {gap[month, group]:.0f} {group} in"
            f" {month}: a row was lost or changed",
            raw.name,
            column="count",
        )
    return _complete(frame, raw)


def _complete(frame: pd.DataFrame, raw: RawFile) -> pd.DataFrame:
    """Return the frame with a nought where a place has no row; months must be consecutive."""
    months = sorted(set(frame["month"]))
    wanted = pd.period_range(months[0], months[-1], freq="M").astype(str)
    if list(wanted) != months:
        raise SourceError(f"no rows of {sorted(set(wanted) - set(months))}", raw.name)
    for month, there in frame.groupby("month")["place"].agg(set).items():
        missing = sorted(set(places.BOROUGHS) - there)
        if missing:
            raise SourceError(f"no rows of {missing[:5]} in {month}", raw.name)
    grid = pd.MultiIndex.from_product(
        [[*places.BOROUGHS, ELSEWHERE], months, list(_GROUPS.values())],
        names=["place", "month", "offence_group"],
    )
    whole = frame.set_index(grid.names).reindex(grid)
    whole["origin"] = [o if isinstance(o, tuple) else () for o in whole["origin"]]
    whole["offences"] = whole["offences"].fillna(0).astype("int64")
    wide = whole["offences"].unstack()
    more = wide["knife_crime_with_injury"] > wide["knife_crime"]
    if more.any():
        place, month = more.index[more][0]
        raise SourceError(f"more knife crime with injury than in all: {place}, {month}", raw.name)
    return whole.reset_index().sort_values(grid.names, ignore_index=True)
