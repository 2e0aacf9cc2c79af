"""Join the shipped tables into one force-by-year panel, every join audited.

Years are financial years. Two counts of officers stand beside each year: those in post on the
31 March before it begins (`officers_start_fte`, which the year's violence cannot have moved)
and on the 31 March that ends it (`officers_end_fte`, which the year's money paid for).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis import catalog, funding, periods, places, prices
from crime_analysis.errors import MergeError, UnknownNameError

__all__ = [
    "MergeAudit",
    "audited_merge",
    "audits",
    "change",
    "changes",
    "force_panel",
    "officers_change",
]

#: The only force left out unless asked for: fewer than ten thousand residents and hundreds of
#: thousands of commuters, so a rate per resident means nothing.
TOO_FEW_RESIDENTS = ("City of London",)

_TABLES = ("officers", "recorded_crime", "funding", "population", "prices", "deprivation_force")
_LOGGED = ("violence_with_injury", "robbery", "violence_against_the_person")


@dataclass(frozen=True)
class MergeAudit:
    """What one join did: how many keys came from where, and which did not meet."""

    left: str
    right: str
    keys: tuple[str, ...]
    rows_left: int
    rows_right: int
    rows_both: int
    left_only: tuple[str, ...]
    right_only: tuple[str, ...]
    reason: str = ""

    def __deepcopy__(self, memo: dict[int, object]) -> MergeAudit:
        # pandas copies `attrs` deeply at every look at a column; these are long and never change.
        return self

    def __str__(self) -> str:
        return (
            f"{self.left} + {self.right} on {', '.join(self.keys)}: {self.rows_both} met,"
            f" {len(self.left_only)} only left, {len(self.right_only)} only right"
        )


def audited_merge(
    left: pd.DataFrame,
    right: pd.DataFrame,
    on: Sequence[str],
    *,
    names: tuple[str, str],
    one_to_one: bool = True,
    left_only: str = "",
    right_only: str = "",
) -> tuple[pd.DataFrame, MergeAudit]:
    """Add the columns of `right` to `left`, losing and multiplying no row of `left`.

    Parameters
    ----------
    left, right : DataFrame
        Tables with the key columns.
    on : sequence of str
        The key columns.
    names : (str, str)
        What to call the two tables in the audit.
    one_to_one : bool
        Whether the keys must be unique on the left too (they always must on the right).
    left_only, right_only : str
        Why rows of one side may lack a partner. Without a reason they may not.

    Returns
    -------
    (DataFrame, MergeAudit)
        `left` with the columns added, missing where no partner was found, in its own order.

    Raises
    ------
    MergeError
        If keys are repeated, or rows without a partner were not expected; it names them.

    Examples
    --------
    >>> a = pd.DataFrame({"force": ["Kent", "Surrey"], "x": [1, 2]})
    >>> b = pd.DataFrame({"force": ["Kent"], "y": [3]})
    >>> merged, audit = audited_merge(a, b, ["force"], names=("a", "b"), left_only="no figure")
    >>> print(audit)
    a + b on force: 1 met, 1 only left, 0 only right
    """
    keys = list(on)
    for frame, name, unique in ((left, names[0], one_to_one), (right, names[1], True)):
        repeated = frame.duplicated(keys)
        if unique and repeated.any():
            first = frame.loc[repeated, keys].iloc[0].to_dict()
            raise MergeError(f"{name} has {int(repeated.sum())} repeated keys, the first {first}")
    clash = (set(left.columns) & set(right.columns)) - set(keys)
    if clash:
        raise MergeError(f"{names[0]} and {names[1]} both have {sorted(clash)}; rename one")
    merged = left.merge(right, on=keys, how="left", indicator="_side")
    absent = merged["_side"] == "left_only"
    partnered = right.merge(left[keys].drop_duplicates(), on=keys, how="left", indicator="_side")
    unused = partnered["_side"] == "left_only"
    audit = MergeAudit(
        left=names[0],
        right=names[1],
        keys=tuple(keys),
        rows_left=len(left),
        rows_right=len(right),
        rows_both=int((~absent).sum()),
        left_only=_spell(merged.loc[absent, keys]),
        right_only=_spell(partnered.loc[unused, keys]),
        reason="; ".join(reason for reason in (left_only, right_only) if reason),
    )
    for rows, reason, name in (
        (audit.left_only, left_only, names[0]),
        (audit.right_only, right_only, names[1]),
    ):
        if rows and not reason:
            raise MergeError(
                f"{audit}: {len(rows)} rows of {name} have no partner, the first {rows[0]!r}; mend"
                " the key or say why this is expected"
            )
    if len(merged) != len(left):
        raise MergeError(f"{audit}: {len(left)} rows became {len(merged)}")
    return merged.drop(columns="_side"), audit


def _spell(keys: pd.DataFrame) -> tuple[str, ...]:
    return tuple(" ".join(map(str, row)) for row in keys.itertuples(index=False))


def audits(panel: pd.DataFrame) -> pd.DataFrame:
    """Return the joins that made a panel, one row each, for printing."""
    return pd.DataFrame(
        [
            {
                "joined": audit.right,
                "on": ", ".join(audit.keys),
                "rows before": audit.rows_left,
                "met": audit.rows_both,
                "without partner": len(audit.left_only),
                "not used": len(audit.right_only),
                "why": audit.reason or "all met",
            }
            for audit in panel.attrs["audits"]
        ]
    )


def force_panel(
    first: str = "2007/08",
    last: str = "2018/19",
    *,
    price_base: str = "2017/18",
    price_index: str = "gdp_deflator",
    series: str = "hmic_estimates",
    exclude: Sequence[str] = TOO_FEW_RESIDENTS,
    tables: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Return the panel: one row a force and financial year.

    Parameters
    ----------
    first, last : str
        The financial years to span, both included.
    price_base, price_index : str
        Prices for the columns that end in ``_real_gbp_m``.
    series : str
        Which funding series to use for money (``hmic_estimates`` or ``outturn``).
    exclude : sequence of str
        Forces to leave out.
    tables : mapping, optional
        Tables by name; those not given are loaded from the catalog.

    Returns
    -------
    DataFrame
        ``force``, ``financial_year``, ``fy_start``; ``officers_start_fte``,
        ``officers_end_fte``, ``population`` (30 June of the year), ``officers_per_1000``;
        each offence group as a count and ``_per_1000`` residents; ``grants_real_gbp_m``,
        ``council_tax_real_gbp_m``, ``funding_real_gbp_m``; ``share_all_grants`` and
        ``share_formula_grant`` (2009/10); ``national_grant_fall`` (log of all grants in real
        terms against 2009/10); ``exposure_all_grants`` and ``exposure_formula_grant`` (share x
        fall) and the same of the year before (``_lagged``); ``deprivation_2010`` (English
        Indices, mean score); natural logarithms as ``log_...``.
        ``attrs["audits"]`` holds every join's `MergeAudit`, ``attrs["excluded"]`` the forces
        left out.

    Raises
    ------
    UnknownNameError
        For a force, series or year that the tables do not hold.
    MergeError
        If a join loses rows that it should not.
    """
    held = {name: (tables or {}).get(name) for name in _TABLES}
    data = {name: catalog.load(name) if t is None else t for name, t in held.items()}
    left_out = {places.force(name) for name in exclude}
    forces = [name for name in places.FORCES if name not in left_out]
    years = periods.span(first, last)
    panel = pd.DataFrame(
        [(force, year) for force in forces for year in years], columns=["force", "financial_year"]
    )
    panel["fy_start"] = panel["financial_year"].map(periods.start)
    done: list[MergeAudit] = []

    def join(
        right: pd.DataFrame, on: list[str], name: str, *, unique: bool = True, gaps: str = ""
    ) -> None:
        nonlocal panel
        panel, audit = audited_merge(
            panel, right, on, names=("panel", name), one_to_one=unique,
            left_only=gaps, right_only="other years or forces are not asked for",
        )  # fmt: skip
        done.append(audit)

    for column, shift in (("officers_start_fte", 0), ("officers_end_fte", -1)):
        count = data["officers"][["force", "date", "officers_fte"]].copy()
        count["fy_start"] = count["date"].str[:4].astype("int64") + shift
        count = count.drop(columns="date").rename(columns={"officers_fte": column})
        edge = "31 March 2022 is the last count" if years[-1] >= "2021/22" else ""
        edge = edge or ("31 March 2005 is the first count" if years[0] < "2005/06" else "")
        join(count, ["force", "fy_start"], column, gaps=edge)
    crime = data["recorded_crime"].pivot(
        index=["force", "financial_year"], columns="offence_group", values="offences"
    )
    join(crime.reset_index().rename_axis(columns=None), ["force", "financial_year"], "offences")
    people = data["population"].query("kind == 'force'")[["place", "year", "population"]]
    join(
        people.rename(columns={"place": "force", "year": "fy_start"}),
        ["force", "fy_start"],
        "population",
        gaps="mid-2020 is the last estimate" if years[-1] > "2020/21" else "",
    )
    money = funding.by_source(data["funding"], series)
    join(
        money,
        ["force", "financial_year"],
        f"funding ({series})",
        gaps="the series is not published for every year and force",
    )
    join(funding.government_share(data["funding"]), ["force"], "share of 2009/10", unique=False)
    fall = funding.national_grant_fall(data["funding"], data["prices"], price_index)
    join(
        fall[["financial_year", "national_grant_fall"]],
        ["financial_year"],
        "national grant fall",
        unique=False,
        gaps="grants of all forces are known for 2005/06 to 2017/18",
    )
    before = fall[["financial_year", "national_grant_fall"]].copy()
    before["financial_year"] = [periods.label(periods.start(y) + 1) for y in before.iloc[:, 0]]
    join(
        before.rename(columns={"national_grant_fall": "national_grant_fall_lagged"}),
        ["financial_year"],
        "national grant fall, year before",
        unique=False,
        gaps="grants of all forces are known for 2005/06 to 2017/18",
    )
    poor = data["deprivation_force"].query("year == 2010")[["force", "score"]]
    join(
        poor.rename(columns={"score": "deprivation_2010"}),
        ["force"],
        "deprivation of 2010",
        unique=False,
        gaps="Wales has an index of its own",
    )
    panel = _derive(panel, data["prices"], price_base, price_index, list(crime.columns))
    panel.attrs["audits"] = done
    panel.attrs["excluded"] = sorted(left_out)
    return panel


def _derive(
    panel: pd.DataFrame, table: pd.DataFrame, base: str, index: str, groups: list[str]
) -> pd.DataFrame:
    """Add real terms, rates, exposures and logarithms."""
    new: dict[str, pd.Series] = {}
    for column in ("grants", "council_tax", "funding"):
        new[f"{column}_real_gbp_m"] = prices.to_real(
            panel[f"{column}_gbp_m"], panel["financial_year"], base, table, index
        )
    per_1000 = 1000 / panel["population"]
    new["officers_per_1000"] = panel["officers_start_fte"] * per_1000
    for group in groups:
        new[f"{group}_per_1000"] = panel[group] * per_1000
    for share in ("all_grants", "formula_grant"):
        for lag in ("", "_lagged"):
            new[f"exposure_{share}{lag}"] = (
                panel[f"share_{share}"] * panel[f"national_grant_fall{lag}"]
            )
    with np.errstate(divide="ignore"):  # log(0) stays -inf, and the models refuse it by name
        new["log_officers_per_1000"] = np.log(new["officers_per_1000"])
        new["log_officers_end"] = np.log(panel["officers_end_fte"])
        new["log_officers_end_per_1000"] = np.log(panel["officers_end_fte"] * per_1000)
        new["log_population"] = np.log(panel["population"])
        new["log_funding_real"] = np.log(new["funding_real_gbp_m"])
        for group in _LOGGED:
            new[f"log_{group}_per_1000"] = np.log(new[f"{group}_per_1000"])
    return pd.concat([panel, pd.DataFrame(new)], axis=1)


def change(panel: pd.DataFrame, force: str, column: str, start: str, end: str) -> float:
    """Return a force's proportional change in one column between two years.

    Returns
    -------
    float
        ``value(end) / value(start) - 1``; NaN if either year has no figure, or the first is
        zero: no change is a multiple of nothing.

    Raises
    ------
    UnknownNameError
        If the panel has no such force, column or year.
    """
    if column not in panel.columns:
        raise UnknownNameError("column", column, map(str, panel.columns))
    rows = panel[panel["force"] == force].set_index("financial_year")[column]
    if rows.empty:
        raise UnknownNameError("force", force, panel["force"].unique(), "the panel")
    for year in (start, end):
        if year not in rows.index:
            raise UnknownNameError("financial year", year, rows.index, "the panel")
    return float(rows[end] / rows[start] - 1) if rows[start] != 0 else float("nan")


def changes(panel: pd.DataFrame, start: str, end: str) -> pd.DataFrame:
    """Return every force's changes between two years, for pictures across forces.

    Returns
    -------
    DataFrame
        ``force``, ``share_all_grants`` (2009/10), ``population`` (of `start`),
        ``funding_change`` and ``officers_change`` (proportions; officers at the end of the
        years).
    """
    by_year = {
        year: panel[panel["financial_year"] == year].set_index("force") for year in (start, end)
    }
    for year, rows in by_year.items():
        if rows.empty:
            raise UnknownNameError(
                "financial year", year, panel["financial_year"].unique(), "the panel"
            )
    before, after = by_year[start], by_year[end]
    return pd.DataFrame(
        {
            "share_all_grants": before["share_all_grants"],
            "population": before["population"],
            "funding_change": after["funding_real_gbp_m"] / before["funding_real_gbp_m"] - 1,
            "officers_change": after["officers_end_fte"] / before["officers_end_fte"] - 1,
        }
    ).reset_index()


def officers_change(officers: pd.DataFrame, force: str, start: str, end: str) -> float:
    """Return a force's proportional change in officers, on the 31 March that ends each year.

    Parameters
    ----------
    officers : DataFrame
        The shipped table ``officers``.
    force, start, end : str
        The force and two financial years.

    Raises
    ------
    UnknownNameError
        If the table lacks the force or a day.
    """
    counts = officers[officers["force"] == force].set_index("date")["officers_fte"]
    if counts.empty:
        raise UnknownNameError("force", force, officers["force"].unique(), "the table officers")
    days = [f"{periods.start(year) + 1}-03-31" for year in (start, end)]
    for day in days:
        if day not in counts.index:
            raise UnknownNameError("date", day, counts.index, "the table officers")
    return float(counts[days[1]] / counts[days[0]] - 1)
