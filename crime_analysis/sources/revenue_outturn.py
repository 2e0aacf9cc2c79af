"""DCLG and MHCLG, Revenue Outturn Summary (RS): what England's police bodies were paid.

Outturn, nominal £ thousand, 2010/11 to 2014/15 and 2017/18: the 37 English police authorities
(from November 2012 police and crime commissioners), without the City of London. The Met is
inside the Greater London Authority's row, of which two lines are the police's alone; they form
a series of their own, ``outturn_gla``. What a reader of the figures must know:

- Council tax support moved from council tax to grant in 2013/14: ``council_tax`` falls there.
- From 2013/14 the old formula grant is paid as police grant, the GLA's too; Greater
  Manchester's part of it is booked as revenue support grant again in 2017/18.
- From 2014/15 police grant also holds the legacy council tax grants: against HMIC's profiles
  it is their formula funding plus those grants, for most forces to the £ thousand. There is no
  ``formula_funding`` from then on but ``formula_and_legacy_council_tax_grants``. In 2013/14
  they seem to sit in ``specific_grants``, except for Nottinghamshire and South Yorkshire, which
  returned them as retained business rates. Police bodies retain none, and South Yorkshire's
  £10,829k is just its freeze and support grants in HMIC's profile, so that line is
  ``legacy_council_tax_grants`` here. ``government_grants`` is free of all these moves.
- Dorset's specific grants in 2012/13 and 2013/14 are far above those of its HMIC profile.
- ``government_grants`` counts specific grants inside and outside aggregate external finance
  (AEF). Those outside are small but move a force's change over the decade by some tenths of a
  percentage point.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pandas as pd

from crime_analysis import periods, places
from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import origin_of
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import Sheet, plain

__all__ = ["PUBLICATIONS", "parse", "read", "recognise"]

_PUBLISHED = {
    "2010-11": "27 November 2012 (v2)",
    "2011-12": "revised 28 November 2013",
    "2012-13": "revised 18 February 2014",
    "2013-14": "revised 28 January 2015",
    "2014-15": "2 February 2016",
    "2017-18": "15 November 2018",
}


def _publication(year: str, edition: str) -> Publication:
    ministry = "Ministry of Housing, Communities" if year > "2016" else "Department for Communities"
    return Publication(
        id=f"revenue-outturn-summary-{year}",
        publisher=f"{ministry} and Local Government",
        title=f"Revenue Outturn Summary (RS) {year}, data by local authority",
        edition=edition,
        note="Outturn, England, not on an IAS 19 basis. The Met is inside the GLA's row.",
    )


_BY_YEAR = {year: _publication(year, edition) for year, edition in _PUBLISHED.items()}
PUBLICATIONS: tuple[Publication, ...] = tuple(_BY_YEAR.values())

# Every line between revenue expenditure and the council tax requirement, as its heading begins.
# An empty component counts towards the requirement but is no police funding of its own.
_LINES = {
    "area based grant": "area_based_grant_and_lssg",
    "local services support grant": "area_based_grant_and_lssg",
    "specific and special revenue grants inside aef": "specific_grants",
    "specific and special grants inside aef": "specific_grants",
    "inter-authority transfers": "",
    "appropriations to(+)": "reserves",
    "revenue support grant": "formula_grant",
    "redistributed non-domestic rates": "formula_grant",
    "police grant": "police_grant",
    "general gla grant": "",
    "retained income from rate retention": "legacy_council_tax_grants",
    "collection fund surplus": "collection_fund",
    "other items": "",
}
_OUTSIDE = ("specific and special revenue grants outside", "specific and special grants outside")
_NOT_GRANTS = {"", "reserves", "collection_fund"}
_REQUIRED = {
    "area_based_grant_and_lssg", "specific_grants", "reserves", "formula_grant", "police_grant",
}  # fmt: skip
_GOVERNMENT = (
    "formula_funding", "formula_and_legacy_council_tax_grants", "specific_grants",
    "specific_grants_outside_aef", "area_based_grant_and_lssg", "legacy_council_tax_grants",
)  # fmt: skip
# A dozen lines, each rounded to £ thousand by the authority.
_TOLERANCE = 2.5
# The sheet's note (e): some income items do not balance. Those named here are the publisher's.
_KNOWN_GAPS = {("Derbyshire", "2017/18"): 36.0}
_FORMULA_FUNDING_GBP_K = (15_000, 1_000_000)
_GLA_GBP_K = (900_000, 4_500_000)
_GLA_CODE = "E5100"
_ENGLISH = set(places.FORCES) - set(places.WELSH_FORCES) - {"City of London", "Metropolitan Police"}


@dataclass(frozen=True)
class _Layout:
    """One sheet's columns: lines by component, totals between them; what police grant makes."""

    lines: dict[int, str]
    outside: int
    first: int
    net: int
    budget: int | None
    last: int
    formula: str


def _data_sheet(raw: RawFile) -> tuple[str, str] | None:
    """Return the year and the name of the sheet of net current expenditure, if there is one."""
    for name in raw.sheet_names:
        match = re.fullmatch(r"rs la data (\d{4}-\d{2})(?: \(1\))?", plain(name))
        if match and match[1] >= min(_BY_YEAR):
            return match[1], name
    return None


def recognise(raw: RawFile) -> Publication | None:
    """Return the edition that `raw` is, by the year in the name of its data sheet; else None.

    Another year than those of the release is read too: each line has its heading, and all must
    add up to the printed totals.
    """
    found = _data_sheet(raw)
    if found is None:
        return None
    return _BY_YEAR.get(found[0]) or _publication(found[0], "the file prints no edition")


def _only(sheet: Sheet, heading: int, pattern: str, before: int | None = None) -> int:
    """Return the one column whose heading matches; none or several are refused."""
    cells = sheet.rows[heading][:before]
    found = [c for c, cell in enumerate(cells) if re.fullmatch(pattern, plain(cell))]
    if len(found) != 1:
        raise sheet.error(f"expected one heading {pattern!r}, found {len(found)}", heading)
    return found[0]


def parse(sheet: Sheet) -> pd.DataFrame:
    """Return the funding of the police bodies on one sheet, however many there are.

    Returns
    -------
    DataFrame
        As `read`, in the sheet's order.

    Raises
    ------
    SourceError
        With row and column: a title without year or unit, a missing, repeated or unknown
        line, an unknown or repeated force, text for a number, a grant of the wrong sign, or
        lines that miss a printed total by more than £2,500.
    """
    title = re.search(r"revenue outturn.*?(\d{4}-\d{2})", plain(sheet.cell(0, 0)))
    units = {plain(sheet.cell(row, 0)) for row in range(6)}
    if not title or "net current expenditure (£ thousand)" not in units:
        raise sheet.error("expected the year and 'Net current expenditure (£ thousand)'", 0, 0)
    year = periods.label(periods.start(title[1]))
    heading = sheet.find_row(["E-code", "Local authority"])
    code, name = sheet.find_column(heading, "E-code"), sheet.find_column(heading, "Local authority")
    first = _only(sheet, heading, r"revenue expenditure(?: \(total of .*\))?")
    net = _only(sheet, heading, r"net revenue expenditure(?: \(total of .*\))?")
    last = _only(sheet, heading, r"council tax requirement \(total of .*\)")
    police = _only(sheet, heading, "police services", before=first)
    outside = _only(sheet, heading, rf"(?:{'|'.join(_OUTSIDE)}).*", before=first)
    budget: int | None = None
    lines: dict[int, str] = {}
    for column in range(first + 1, last):
        text = plain(sheet.cell(heading, column))
        if text.startswith("the budget requirement"):
            budget = column
        elif column != net:
            component = next((c for begin, c in _LINES.items() if text.startswith(begin)), None)
            if component is None:
                raise sheet.error(f"unknown line {text!r}", heading, column)
            lines[column] = component
    if lacking := sorted(_REQUIRED - set(lines.values())):
        raise sheet.error(f"no line for {', '.join(lacking)}", heading)

    later = year >= "2014/15"
    formula = "formula_and_legacy_council_tax_grants" if later else "formula_funding"
    layout = _Layout(lines, outside, first, net, budget, last, formula)
    tidy: list[tuple[object, ...]] = []
    seen: set[str] = set()
    for row in range(heading + 1, len(sheet.rows)):
        gla = sheet.text(row, code) == _GLA_CODE
        if not gla and " police " not in plain(sheet.cell(row, name)) + " ":
            continue
        force = "Metropolitan Police" if gla else sheet.named(row, name, places.force)
        if force in seen:
            raise sheet.error(f"{force} is here a second time", row, name)
        seen.add(force)
        if gla:
            grant = next(c for c, component in lines.items() if component == "police_grant")
            value = {
                "police_grant": _amount(sheet, row, grant, -1),
                "police_services_net_current_expenditure": _amount(sheet, row, police, 1),
            }
            for amount, column in zip(value.values(), (grant, police), strict=True):
                if not _GLA_GBP_K[0] < amount < _GLA_GBP_K[1]:
                    raise sheet.error(f"{amount:,.0f} cannot be £ thousand", row, column)
        else:
            value = _funding(sheet, row, layout, _KNOWN_GAPS.get((force, year), 0.0))
        series = "outturn_gla" if gla else "outturn"
        tidy += [
            (force, series, component, float(amount), origin_of(amount))
            for component, amount in value.items()
        ]
    frame = pd.DataFrame(tidy, columns=["force", "series", "component", "value_gbp_k", "origin"])
    frame.insert(1, "financial_year", year)
    return frame


def _amount(sheet: Sheet, row: int, column: int, sign: int) -> float:
    """Return a cell's figure with the given sign; "+ 0.0" turns a negative zero into zero."""
    return round(sign * sheet.number(row, column, required=True), 6) + 0.0


def _funding(sheet: Sheet, row: int, at: _Layout, gap: float) -> dict[str, float]:
    """Return one police body's components, after its lines have been added up both ways."""
    printed = {c: sheet.number(row, c, required=True) for c in at.lines}
    start = sheet.number(row, at.first, required=True)
    net = sheet.number(row, at.net, required=True)
    before = [figure for column, figure in printed.items() if column < at.net]
    sheet.require_sum([start, *before], net, _TOLERANCE, row, at.net)
    if at.budget is not None:
        within = [figure for column, figure in printed.items() if at.net < column < at.budget]
        budget = sheet.number(row, at.budget, required=True)
        sheet.require_sum([net, *within], budget, _TOLERANCE, row, at.budget)
    after = [figure for column, figure in printed.items() if column > at.net]
    council_tax = _amount(sheet, row, at.last, 1)
    sheet.require_sum([net, *after, -gap], council_tax, _TOLERANCE, row, at.last)

    value = {"net_revenue_expenditure": net, "council_tax": council_tax}
    # Income is printed negative, as is what is drawn from reserves.
    for column, component in [*at.lines.items(), (at.outside, "specific_grants_outside_aef")]:
        amount = _amount(sheet, row, column, -1)
        if amount < 0 and component not in _NOT_GRANTS:
            raise sheet.error(f"a grant of the wrong sign: {component} {amount:,.0f}", row, column)
        if column == at.outside and amount > start:
            # In no sum that is printed, so its size is all that can be checked.
            raise sheet.error(
                f"{component} of {amount:,.0f} is more than all expenditure", row, column
            )
        if component:
            value[component] = value.get(component, 0.0) + amount
    if not value.get("legacy_council_tax_grants"):
        # Nothing here does not mean no such grant: the rest hold theirs in specific grants.
        value.pop("legacy_council_tax_grants", None)
    formula = at.formula
    value[formula] = value["police_grant"] + value["formula_grant"]
    low, high = _FORMULA_FUNDING_GBP_K
    if not low < value[formula] < high:
        raise sheet.error(f"{formula} of {value[formula]:,.0f} cannot be £ thousand", row)
    value["government_grants"] = sum(value.get(part, 0.0) for part in _GOVERNMENT)
    value["grants_and_council_tax"] = value["government_grants"] + council_tax
    return value


def read(raw: RawFile) -> pd.DataFrame:
    """Return one year's outturn of the 37 English police bodies, and the GLA's police lines.

    Returns
    -------
    DataFrame
        ``force``, ``financial_year``, ``series`` ("outturn", or "outturn_gla" for the Met's
        two lines), ``component`` and ``value_gbp_k`` (nominal £ thousand) with its ``origin``,
        sorted. Income and
        draws on reserves are positive. Derived here: ``formula_grant`` is revenue support
        grant plus redistributed business rates; ``formula_funding`` (to 2013/14) and
        ``formula_and_legacy_council_tax_grants`` (from 2014/15) add police grant;
        ``government_grants`` adds area-based, local services support, legacy council tax and
        all specific grants; ``grants_and_council_tax`` adds the council tax requirement.

    Raises
    ------
    SourceError
        As `parse`; also if a force is missing, or if sheet name and title disagree on the year.
    """
    found = _data_sheet(raw)
    if found is None:
        raise SourceError(
            f"no sheet 'RS LA Data' with a year from 2010-11; its sheets are {raw.sheet_names[:6]}",
            raw.name,
        )
    sheet = raw.sheet(found[1])
    tidy = parse(sheet)
    if tidy["financial_year"].iloc[0] != periods.label(periods.start(found[0])):
        raise sheet.error("the title is of another year than the sheet's name", 0, 0)
    missing = _ENGLISH | {"Metropolitan Police"}
    missing -= set(tidy["force"])
    if missing:
        raise sheet.error(f"no figures for {sorted(missing)}")
    return tidy.sort_values(["force", "financial_year", "component"], ignore_index=True)
