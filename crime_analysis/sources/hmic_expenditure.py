"""HMIC, Value for Money profiles 2012 and 2016: spending of 43 forces, and HMIC's population.

From the same workbooks as `hmic_value_for_money`, estimates for 2012/13 and 2016/17. "Net
revenue expenditure" is printed with two meanings: in 2012 all income and specific grants are
taken off, in 2016 "earned income", which holds every specific grant too (the Met's for national
policing, £345m, among them). Neither can be set beside the other editions, which take off no
grant. Here it is what grants, council tax and reserves pay for, as in the profiles of 2010.

The workbook of 2012 prints a population without a year. Its forces add up to 55.240m; the
estimate of mid-2010 was 55.24m before the Census of 2011 and 55.69m after. It is taken for that.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from crime_analysis import places
from crime_analysis.errors import SourceError
from crime_analysis.sources import hmic_value_for_money
from crime_analysis.sources.origin import origin_of
from crime_analysis.sources.rawfile import RawFile
from crime_analysis.sources.sheet import Sheet, plain

__all__ = ["POPULATION_YEAR", "parse_2012", "parse_2016", "parse_population", "read",
           "read_population"]  # fmt: skip

#: The 30 June that the workbook of 2012 does not name.
POPULATION_YEAR = 2010

_TOLERANCE = 1.5
# £ thousand. The City of London spends £70m and the Met £3.6bn; other income is from £1m.
_BOUNDS = {
    "gross_revenue_expenditure": (40_000, 8_000_000),
    "net_of_income_and_grants": (20_000, 5_000_000),
    "income_outside_national_policing": (500, 900_000),
}
_LINES_2012 = {
    "gross_revenue_expenditure": "total expenditure | gross expenditure",
    "income": "total expenditure | income",
    "national_income": "national policing | income",
    "net_of_income_and_grants": "total expenditure | net expenditure",
}
# Sheet: component, title, row of the total.
_SHEETS_2016 = {
    "8_GRE": (
        "gross_revenue_expenditure", "poa - gross revenue expenditure, £000s", "level 2 summary",
    ),
    "10_NRE": (
        "net_of_income_and_grants", "poa - net revenue expenditure (gross revenue expenditure",
        "level 2 summary",
    ),
    "2_Total_income": (
        "income_outside_national_policing", "poa - total income (excluding national functions)",
        "total income",
    ),
}  # fmt: skip
# Northumbria's 2016/17 spending is printed £750k below its funding.
_UNTIED = {("2016/17", "Northumbria"): 760}
_UNTIED_ELSEWHERE = 20


def read(raw: RawFile) -> pd.DataFrame:
    """Return the spending of all 43 forces.

    Returns
    -------
    DataFrame
        ``force``, ``financial_year`` (2012/13 or 2016/17), ``series`` (``hmic_estimates``),
        ``component`` (``gross_revenue_expenditure``; ``net_revenue_expenditure``: gross, less
        income other than government grants; ``income_outside_national_policing``: of every
        kind, specific grants among it), ``value_gbp_k`` (nominal £ thousand), ``origin``.

    Raises
    ------
    SourceError
        If the file is neither edition, a line or force is missing or repeated, parts miss their
        total, or spending misses grants, council tax and reserves by more than £20,000.
    """
    publication = hmic_value_for_money.recognise(raw)
    edition = publication.edition if publication else ""
    if edition == "2012":
        year, spent = "2012/13", parse_2012(raw.sheet("POA_data"))
    elif edition == "2016":
        year = "2016/17"
        parts = [parse_2016(raw.sheet(name)) for name in _SHEETS_2016]
        spent = pd.concat(parts, ignore_index=True)
    else:
        raise SourceError("not a Value for Money workbook of 2012 or 2016", raw.name)
    missing = sorted(set(places.FORCES) - set(spent["force"]))
    if missing:
        raise SourceError(f"no spending of {missing[:5]}", raw.name)
    paid = hmic_value_for_money.read(raw).set_index(["force", "component"])
    net = spent["component"] == "net_of_income_and_grants"
    records = []
    for row in spent[net].itertuples(index=False):
        grants = paid.loc[(row.force, "specific_grants")]
        value = row.value_gbp_k + grants["value_gbp_k"]
        funding = sum(
            paid.at[(row.force, c), "value_gbp_k"] for c in ("grants_and_council_tax", "reserves")
        )
        if abs(value - funding) > _UNTIED.get((year, row.force), _UNTIED_ELSEWHERE):
            raise SourceError(
                f"{row.force} spends {value:,.0f} and is paid {funding:,.0f}, £ thousand", raw.name
            )
        origin = (*row.origin, *grants["origin"])
        records.append((row.force, "net_revenue_expenditure", round(value, 6), origin))
    whole = pd.concat(
        [spent[~net], pd.DataFrame(records, columns=spent.columns)], ignore_index=True
    )
    whole.insert(1, "financial_year", year)
    whole.insert(2, "series", "hmic_estimates")
    return whole.sort_values(["force", "component"], ignore_index=True)


def parse_2012(sheet: Sheet) -> pd.DataFrame:
    """Return the spending on the sheet ``POA_data``, of the forces that it has.

    Returns
    -------
    DataFrame
        ``force``, ``component`` (``net_of_income_and_grants`` as printed), ``value_gbp_k``,
        ``origin``.
    """
    rows: dict[str, int] = {}
    labels = {label: name for name, label in _LINES_2012.items()}
    for row in range(1, len(sheet.rows)):
        label = f"{plain(sheet.cell(row, 0))} | {plain(sheet.cell(row, 1))}"
        if label in labels:
            if labels[label] in rows:
                raise sheet.error(f"a second row {label!r}", row, 0)
            rows[labels[label]] = row
    for name, label in _LINES_2012.items():
        if name not in rows:
            raise sheet.error(f"no row {label!r}", column=0)
    tidy = []
    for force, column in _forces(sheet, 0, 2).items():
        value = {n: sheet.number(r, column, required=True) for n, r in rows.items()}
        sheet.require_sum(
            (value["income"], value["net_of_income_and_grants"]),
            value["gross_revenue_expenditure"], _TOLERANCE,
            rows["gross_revenue_expenditure"], column,
        )  # fmt: skip
        outside = value["income"] - value["national_income"]
        found = {
            "gross_revenue_expenditure": value["gross_revenue_expenditure"],
            "net_of_income_and_grants": value["net_of_income_and_grants"],
            "income_outside_national_policing": outside,
        }
        tidy += _checked(sheet, force, column, found)
    return pd.DataFrame(tidy, columns=["force", "component", "value_gbp_k", "origin"])


def parse_2016(sheet: Sheet) -> pd.DataFrame:
    """Return one sheet's total of the edition of 2016, of the forces that it has.

    Returns
    -------
    DataFrame
        As `parse_2012`, one component: which, the sheet's title says.
    """
    title = plain(sheet.cell(0, 0))
    spec = next((s for s in _SHEETS_2016.values() if title.startswith(s[1])), None)
    if spec is None or "£000" not in title:
        raise sheet.error("expected a title of spending or income in £000s", 0, 0)
    component, _, total = spec
    heading = sheet.find_row(["poa category"] if total != "total income" else ["all costs"])
    rows: dict[str, int] = {}
    for row in range(heading + 1, len(sheet.rows)):
        label = plain(sheet.cell(row, 0))
        # Income has one kind a row; spending prints each function under a total of its own.
        part = bool(label) if total == "total income" else label.startswith("total ")
        if label == total or part:
            if label in rows:
                raise sheet.error(f"a second row {label!r}", row, 0)
            rows[label] = row
    if total not in rows:
        raise sheet.error(f"no row {total!r}", heading, 0)
    tidy = []
    for force, column in _forces(sheet, heading, 1).items():
        value = {n: sheet.number(r, column, required=True) for n, r in rows.items()}
        parts = [v for n, v in value.items() if n != total]
        sheet.require_sum(parts, value[total], _TOLERANCE, rows[total], column)
        tidy += _checked(sheet, force, column, {component: value[total]})
    return pd.DataFrame(tidy, columns=["force", "component", "value_gbp_k", "origin"])


def _forces(sheet: Sheet, heading: int, first: int) -> dict[str, int]:
    """Return the column of each force, refusing one without a name that holds figures."""
    found: dict[str, int] = {}
    for column in range(first, max(len(row) for row in sheet.rows)):
        below = range(heading + 1, len(sheet.rows))
        if not sheet.text(heading, column) and not any(sheet.text(r, column) for r in below):
            continue
        force = sheet.named(heading, column, places.force)
        if force in found:
            raise sheet.error(f"{force} is here a second time", heading, column)
        found[force] = column
    return found


def _checked(
    sheet: Sheet, force: str, column: int, found: Mapping[str, float]
) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for component, value in found.items():
        low, high = _BOUNDS[component]
        if not low <= value <= high:
            raise sheet.error(
                f"{component} {value:,.0f} of {force} cannot be £ thousand", column=column
            )
        rows.append((force, component, round(float(value), 6), origin_of(value)))
    return rows


def read_population(raw: RawFile) -> pd.DataFrame:
    """Return the residents that HMIC's workbook of 2012 divides by.

    Returns
    -------
    DataFrame
        ``place`` (43 forces), ``year`` (`POPULATION_YEAR`), ``population``, ``origin``.

    Raises
    ------
    SourceError
        As `parse_population`, or if a force is missing.
    """
    sheet = raw.sheet("Populations")
    frame = parse_population(sheet)
    missing = sorted(set(places.FORCES) - set(frame["place"]))
    if missing:
        raise sheet.error(f"no population of {missing[:5]}", column=0)
    return frame


def parse_population(sheet: Sheet) -> pd.DataFrame:
    """Return residents from the sheet ``Populations``, of the forces that it has."""
    heading = sheet.find_row(["population(1000s)", "households(1000s)"], within=5)
    people = sheet.find_column(heading, "population(1000s)")
    homes = sheet.find_column(heading, "households(1000s)")
    records: list[tuple[object, ...]] = []
    for row in range(heading + 1, len(sheet.rows)):
        if not any(sheet.text(row, c) for c in range(len(sheet.rows[row]))):
            continue
        force = sheet.named(row, 0, places.force)
        residents = sheet.number(row, people, required=True)
        households = sheet.number(row, homes, required=True)
        if not 5 <= residents <= 12_000:
            raise sheet.error(f"{residents:,} thousand cannot be a force's residents", row, people)
        # Between two and three people share a home everywhere.
        if not 0.3 <= households / residents <= 0.6:
            raise sheet.error(f"{households:,} thousand households cannot be", row, homes)
        if force in {f for f, *_ in records}:
            raise sheet.error(f"{force} is here a second time", row, 0)
        thousand = residents * 1000
        records.append((force, POPULATION_YEAR, round(float(thousand)), origin_of(thousand)))
    frame = pd.DataFrame(records, columns=["place", "year", "population", "origin"])
    return frame.sort_values("place", ignore_index=True)
