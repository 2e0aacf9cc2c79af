"""HMIC, Value for Money profiles 2010: the last year before the cuts, and the four before it.

Underlying data of 9 June 2010, all 43 forces: how spending was financed, and people in post
each 31 March, 2005 to 2009 (the headings read 1 March). Money is nominal £ thousand. What a
reader of the figures must know:

- 2009/10 is estimates (series ``hmic_estimates``); 2005/06 to 2008/09 are actuals
  (``hmic_actuals``), printed per head of each year's population and multiplied back here. The
  heading says "£ per 1,000 population", but the figures are £ per head.
- The Met's actuals for 2007/08 and 2008/09 hold the specific grants inside the formula
  grants, so only their sum, ``government_grants``, is given. Nottinghamshire, South Wales and
  Wiltshire have no actuals for 2007/08.
- Three heading rows, the upper two merged across columns: blocks are found by their heading.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping

import pandas as pd

from crime_analysis import periods, places
from crime_analysis.sources.origin import Traced, origin_of
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import Sheet, plain

__all__ = [
    "PUBLICATION", "parse_funding", "parse_workforce", "read_funding", "read_workforce",
    "recognise",
]  # fmt: skip

PUBLICATION = Publication(
    id="hmic-value-for-money-2010",
    publisher="HM Inspectorate of Constabulary",
    title="Value for Money profiles 2010, underlying data",
    edition="9 June 2010",
    note="2009/10 estimates; 2005/06 to 2008/09 actuals; people in post 31 March 2005 to 2009.",
)

_FUNDING_SHEET = "Section 1. Income & Expenditure"
_WORKFORCE_SHEET = "Section 2. Workforce (volumes)"
# Sums of whole £ thousands; a force that rounds its parts may miss by one.
_TOLERANCE_GBP_K = 1.5
# Four figures in hundredths, each half a hundredth off at most.
_TOLERANCE_FTE = 0.02
# From the smallest force to the largest, in £ thousand: £ or £ million would fall outside.
_FORMULA_FUNDING_GBP_K = (30_000, 3_000_000)
# Likewise in full-time equivalents: figures per 1,000 people would fall outside.
_OFFICERS_FTE = (500, 50_000)

_FINANCING = {
    "formula funding": "formula_funding",
    "special grants": "specific_grants",
    "council tax": "council_tax",
    "reserves": "reserves",
    "net revenue expenditure": "net_revenue_expenditure",
}
_SPECIFIC = {
    "pcso": "pcso_grant",
    "crime fighting fund": "crime_fighting_fund",
    "additional rule 2": "rule_2_grant",
    "security grants": "security_grants",
    "private finance initiative (pfi) grant": "pfi_grant",
    "basic command unit (bcu) fund": "bcu_fund",
    "loan charges grant": "loan_charges_grant",
    "other special grants": "other_special_grants",
    "total specific grants": "specific_grants",
}
_ACTUALS = {
    "formula grants": "formula_funding",
    "specific grants": "specific_grants",
    "council tax": "council_tax",
    "reserves": "reserves",
    "net expenditure": "net_revenue_expenditure",
}
_PAID = ("formula_funding", "specific_grants", "council_tax", "reserves")
_ACTUAL_YEARS = periods.span("2005/06", "2008/09")
# Their formula grants rise by just what the specific grants were, which are printed as nought.
_GRANTS_IN_ONE = {("Metropolitan Police", "2007/08"), ("Metropolitan Police", "2008/09")}
_NO_ACTUALS = {
    (force, "2007/08") for force in ("Nottinghamshire", "South Wales", "Wiltshire")
}  # fmt: skip
_MEASURES = {"police officers": "officers", "police staff": "staff", "pcsos": "pcsos"}
_DATES = [dt.date(year, 3, 1) for year in range(2005, 2010)]


def recognise(raw: RawFile) -> Publication | None:
    """Return the publication if `raw` is this one, by the names of its sheets."""
    wanted = {plain(_FUNDING_SHEET), plain(_WORKFORCE_SHEET)}
    return PUBLICATION if wanted <= {plain(name) for name in raw.sheet_names} else None


def _block(sheet: Sheet, title: str, subtitle: str = "") -> range:
    """Return the columns under one merged heading, up to the next heading in its row."""
    starts = [c for c in range(len(sheet.rows[0])) if sheet.text(0, c)]
    found = [
        (start, end)
        for start, end in zip(starts, [*starts[1:], len(sheet.rows[0])], strict=True)
        if plain(sheet.cell(0, start)) == plain(title)
        and plain(sheet.cell(1, start)).startswith(plain(subtitle))
    ]
    if len(found) != 1:
        raise sheet.error(f"expected one block {title!r} {subtitle!r}, found {len(found)}", 0)
    return range(*found[0])


def _columns(sheet: Sheet, block: range, names: dict[str, str]) -> dict[str, int]:
    """Return the column of each name in a block, by component; none may lack or repeat."""
    headings = {c: plain(sheet.cell(2, c)) for c in block}
    columns = {}
    for name, component in names.items():
        found = [c for c, heading in headings.items() if heading == name]
        if len(found) != 1:
            raise sheet.error(f"expected one column {name!r}, found {len(found)}", 2, block.start)
        columns[component] = found[0]
    return columns


def _forces(sheet: Sheet) -> dict[str, int]:
    """Return the row of every force on a sheet; one that is there twice is refused."""
    if plain(sheet.cell(2, 0)) != "police force":
        raise sheet.error("expected the heading 'Police Force'", 2, 0)
    rows: dict[str, int] = {}
    for row in range(3, len(sheet.rows)):
        if not any(sheet.text(row, c) for c in range(len(sheet.rows[row]))):
            continue
        force = sheet.named(row, 0, places.force)
        if force in rows:
            raise sheet.error(f"{force} is here a second time", row, 0)
        rows[force] = row
    return rows


def parse_workforce(sheet: Sheet) -> pd.DataFrame:
    """Return people in post for the forces on one sheet, however many there are.

    Returns and raises as `read_workforce`, but for missing forces.
    """
    blocks = {}
    for title in (*_MEASURES, "total"):
        blocks[title] = _block(sheet, f"Workforce trends: {title}", "Number")
        found = [_day(sheet.cell(2, c)) for c in blocks[title]]
        if found != _DATES:
            raise sheet.error(
                f"expected 1 March 2005 to 2009, found {found}", 2, blocks[title].start
            )
    tidy = []
    for force, row in _forces(sheet).items():
        for place, date in enumerate(_DATES):
            fte = {
                measure: sheet.number(row, blocks[title][place], required=True)
                for title, measure in _MEASURES.items()
            }
            column = blocks["police officers"][place]
            if min(fte.values()) < 0 or not _OFFICERS_FTE[0] < fte["officers"] < _OFFICERS_FTE[1]:
                raise sheet.error(f"cannot be full-time equivalents: {fte}", row, column)
            total = blocks["total"][place]
            printed = sheet.number(row, total, required=True)
            sheet.require_sum(fte.values(), printed, _TOLERANCE_FTE, row, total)
            day = f"{date.year}-03-31"
            tidy += [(force, day, measure, float(n), n.origin) for measure, n in fte.items()]
    return pd.DataFrame(tidy, columns=["force", "date", "measure", "fte", "origin"])


def _day(cell: object) -> dt.date | None:
    if isinstance(cell, dt.datetime):
        return cell.date()
    return cell if isinstance(cell, dt.date) else None


def parse_funding(sheet: Sheet) -> pd.DataFrame:
    """Return the funding of the forces on one sheet, however many there are.

    Returns and raises as `read_funding`, but for missing forces.
    """
    financing = _columns(sheet, _block(sheet, "Financing of Expenditure (£000) 2009-10 Estimates"),
                         _FINANCING)  # fmt: skip
    named = _block(sheet, "Specific Grants (£000)")
    # The next block's first column, the PCSO grant per head, lies under this block's heading.
    end = next((c for c in named if plain(sheet.cell(2, c)) == "total specific grants"), named.stop)
    specific = _columns(sheet, range(named.start, end + 1), _SPECIFIC)
    actuals = {}
    for year in _ACTUAL_YEARS:
        subtitle = f"{year.replace('/', '-')} Actuals"
        block = _block(sheet, "Funding of forces £ per 1,000 population", subtitle)
        actuals[year] = _columns(sheet, block, {"population": "population", **_ACTUALS})

    tidy: list[tuple[object, ...]] = []
    for force, row in _forces(sheet).items():
        value: dict[str, float] = {
            part: sheet.number(row, c, required=True) for part, c in financing.items()
        }
        _check(sheet, row, value, financing)
        # The three forces without a BCU fund have a dash there: no grant, not an unknown one.
        grants = {part: sheet.number(row, c) for part, c in specific.items()}
        grants = {p: Traced(0, n.origin) if math.isnan(n) else n for p, n in grants.items()}
        for part, figure in grants.items():
            if figure < 0:
                raise sheet.error(f"a negative {part}: {figure:,.0f}", row, specific[part])
        total = grants.pop("specific_grants")
        place = specific["specific_grants"]
        sheet.require_sum(grants.values(), total, _TOLERANCE_GBP_K, row, place)
        sheet.require_sum([value["specific_grants"]], total, _TOLERANCE_GBP_K, row, place)
        tidy += [
            (force, "2009/10", "hmic_estimates", part, float(figure), origin_of(figure))
            for part, figure in (_with_sums(value) | grants).items()
        ]
        for year, columns in actuals.items():
            absent = (force, year) in _NO_ACTUALS
            per_head = {p: sheet.number(row, c, required=not absent) for p, c in columns.items()}
            if absent and all(math.isnan(figure) for figure in per_head.values()):
                continue
            population = per_head.pop("population")
            value = {part: n * population / 1000 for part, n in per_head.items()}
            _check(sheet, row, value, columns)
            if (value["specific_grants"] == 0) != ((force, year) in _GRANTS_IN_ONE):
                raise sheet.error(
                    f"specific grants of {value['specific_grants']:,.0f} in {year}: are they"
                    " inside the formula grants?", row, columns["specific_grants"],
                )  # fmt: skip
            value = _with_sums(value)
            if (force, year) in _GRANTS_IN_ONE:
                del value["formula_funding"], value["specific_grants"]
            tidy += [
                (force, year, "hmic_actuals", part, float(n), origin_of(n))
                for part, n in value.items()
            ]
    names = ["force", "financial_year", "series", "component", "value_gbp_k", "origin"]
    frame = pd.DataFrame(tidy, columns=names)
    frame["value_gbp_k"] = frame["value_gbp_k"].round(6)
    return frame


def _check(sheet: Sheet, row: int, value: Mapping[str, float], columns: dict[str, int]) -> None:
    """Refuse negative grants, amounts not in £ thousand, and parts that miss their total."""
    for part in ("formula_funding", "specific_grants", "council_tax"):
        if not value[part] >= 0:
            raise sheet.error(f"a negative {part}: {value[part]:,.0f}", row, columns[part])
    low, high = _FORMULA_FUNDING_GBP_K
    if not low < value["formula_funding"] < high:
        raise sheet.error(
            f"{value['formula_funding']:,.0f} cannot be £ thousand", row, columns["formula_funding"]
        )
    total = "net_revenue_expenditure"
    parts = [value[part] for part in _PAID]
    sheet.require_sum(parts, value[total], _TOLERANCE_GBP_K, row, columns[total])


def _with_sums(value: Mapping[str, float]) -> dict[str, float]:
    grants = value["formula_funding"] + value["specific_grants"]
    both = grants + value["council_tax"]
    return {**value, "government_grants": grants, "grants_and_council_tax": both}


def _require_all_forces(sheet: Sheet, frame: pd.DataFrame) -> None:
    missing = set(places.FORCES) - set(frame["force"])
    if missing:
        raise sheet.error(f"no figures for {sorted(missing)}")


def read_workforce(raw: RawFile) -> pd.DataFrame:
    """Return people in post by force, 31 March 2005 to 2009.

    Returns
    -------
    DataFrame
        ``force``, ``date`` (ISO text, 31 March), ``measure`` (officers, staff, pcsos) and
        ``fte`` (full-time equivalents) with its ``origin``, sorted.

    Raises
    ------
    SourceError
        With row and column: a block or date that is missing, an unknown, repeated or missing
        force, text for a number, figures that cannot be full-time equivalents, or the three
        measures missing the printed total by more than 0.02.
    """
    sheet = raw.sheet(_WORKFORCE_SHEET)
    tidy = parse_workforce(sheet)
    _require_all_forces(sheet, tidy)
    return tidy.sort_values(["force", "date", "measure"], ignore_index=True)


def read_funding(raw: RawFile) -> pd.DataFrame:
    """Return the funding of all 43 forces, 2005/06 to 2009/10.

    Returns
    -------
    DataFrame
        ``force``, ``financial_year``, ``series`` ("hmic_actuals" to 2008/09,
        "hmic_estimates" for 2009/10), ``component`` and ``value_gbp_k`` (nominal £ thousand)
        with its ``origin``, sorted. A draw on reserves is positive. Derived here:
        ``government_grants`` is formula funding plus specific grants;
        ``grants_and_council_tax`` adds council tax.

    Raises
    ------
    SourceError
        With row and column: a block or column that is missing or repeated, an unknown,
        repeated or missing force, text for a number, a negative grant, figures that cannot be
        in £ thousand, or parts that miss a printed total by more than £1,500.
    """
    sheet = raw.sheet(_FUNDING_SHEET)
    tidy = parse_funding(sheet)
    _require_all_forces(sheet, tidy)
    return tidy.sort_values(["force", "financial_year", "component"], ignore_index=True)
