"""Police funding: three readers, on cuts of the real workbooks and on the workbooks themselves.

The cuts under ``cuts/`` are cells of the published sheets, unchanged: all heading rows, a few
forces. A damaged sheet must be read to the same figures or refused; it must never be misread.
"""

from __future__ import annotations

import copy
import datetime as dt
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from crime_analysis import places
from crime_analysis.errors import SourceError
from crime_analysis.sources import (
    hmic_2010,
    hmic_expenditure,
    hmic_value_for_money,
    revenue_outturn,
)
from crime_analysis.sources.rawfile import RawFile
from crime_analysis.sources.sheet import Sheet

CUTS = Path(__file__).parent / "cuts"
Rows = list[list[Any]]
Parse = Callable[[Sheet], pd.DataFrame]


def _date(cell: dict[str, Any]) -> Any:
    return dt.date.fromisoformat(cell["date"]) if set(cell) == {"date"} else cell


def cuts(name: str) -> list[Sheet]:
    text = (CUTS / f"{name}.json").read_text(encoding="utf-8")
    cut = json.loads(text, object_hook=_date)
    return [Sheet(c["file"], c["sheet"], c["rows"]) for c in cut]


class CutFile(RawFile):
    """A workbook that holds the given sheets only."""

    def __init__(self, *sheets: Sheet) -> None:
        self.path, self.name = Path("cut.ods"), sheets[0].file
        self.sheets = {sheet.name: sheet for sheet in sheets}
        self.__dict__["sheet_names"] = list(self.sheets)

    def sheet(self, name: str) -> Sheet:
        return next(s for n, s in self.sheets.items() if n.casefold() == name.casefold())


def amount(frame: pd.DataFrame, force: str, component: str, year: str | None = None) -> float:
    chosen = frame[(frame["force"] == force) & (frame["component"] == component)]
    if year:
        chosen = chosen[chosen["financial_year"] == year]
    assert len(chosen) == 1
    return float(chosen["value_gbp_k"].iloc[0])


FUNDING_2010, WORKFORCE_2010 = cuts("hmic_2010")
PROFILES = {
    edition.financial_year: (edition, sheet)
    for edition, sheet in zip(
        hmic_value_for_money.EDITIONS, cuts("hmic_value_for_money"), strict=True
    )
}
OUTTURN = cuts("revenue_outturn")


def parse_profile(edition: hmic_value_for_money.Edition) -> Parse:
    return lambda sheet: hmic_value_for_money.parse(sheet, edition)


CASES: dict[str, tuple[Parse, Sheet]] = {
    "2010 funding": (hmic_2010.parse_funding, FUNDING_2010),
    "2010 workforce": (hmic_2010.parse_workforce, WORKFORCE_2010),
    **{f"profile {year}": (parse_profile(e), s) for year, (e, s) in PROFILES.items()},
    **{s.name: (revenue_outturn.parse, s) for s in OUTTURN},
}
every_case = pytest.mark.parametrize(("parse", "sheet"), CASES.values(), ids=CASES)


# The cuts


def test_the_met_before_the_cuts_is_read_as_hmic_printed_it():
    funding = hmic_2010.parse_funding(FUNDING_2010)
    met = funding[(funding["force"] == "Metropolitan Police")]
    for component, printed in {
        "formula_funding": 1_978_280, "specific_grants": 531_454, "council_tax": 662_020,
        "crime_fighting_fund": 72_981, "rule_2_grant": 54_723, "pcso_grant": 96_602,
        "security_grants": 298_520, "net_revenue_expenditure": 3_171_754,
    }.items():  # fmt: skip
        assert amount(met, "Metropolitan Police", component, "2009/10") == printed


def test_actuals_per_head_become_amounts_with_the_blocks_own_population():
    # £388.4731801521302 a head of 7,420,600 people, columns "2005-06 Actuals".
    net = amount(
        hmic_2010.parse_funding(FUNDING_2010), "Metropolitan Police", "net_revenue_expenditure",
        "2005/06",
    )  # fmt: skip
    assert net == pytest.approx(388.4731801521302 * 7_420_600 / 1000)


def test_a_year_without_actuals_has_no_rows_and_a_dash_for_a_grant_is_no_grant():
    wiltshire = hmic_2010.parse_funding(FUNDING_2010).query("force == 'Wiltshire'")
    assert "2007/08" not in set(wiltshire["financial_year"])
    assert amount(wiltshire, "Wiltshire", "bcu_fund", "2009/10") == 0


def test_where_the_mets_grants_are_printed_as_one_only_their_sum_is_given():
    met = hmic_2010.parse_funding(FUNDING_2010).query("force == 'Metropolitan Police'")
    parts = met[met["component"].isin(["formula_funding", "specific_grants"])]
    assert set(parts["financial_year"]) == {"2005/06", "2006/07", "2009/10"}
    assert amount(met, "Metropolitan Police", "government_grants", "2008/09") == pytest.approx(
        333.39796896963963 * 7_611_900 / 1000
    )


def test_people_in_post_are_dated_31_march():
    workforce = hmic_2010.parse_workforce(WORKFORCE_2010)
    met = workforce.query("force == 'Metropolitan Police' and measure == 'officers'")
    assert met.set_index("date")["fte"].to_dict() == {
        "2005-03-31": 31_073.37, "2006-03-31": 30_947.62, "2007-03-31": 31_127.69,
        "2008-03-31": 31_459.82, "2009-03-31": 32_610.39,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("year", "formula_funding", "government_grants", "reserves"),
    [
        ("2012/13", 1_906_200.319, 2_583_858.819, 23_000),
        ("2013/14", 1_959_797.5566, 2_464_033.2476, -27_270),
        ("2014/15", 1_898_308, 2_375_001, 66_243),
        ("2015/16", 1_794_173, 2_281_933, 62_493),
        ("2016/17", 1_812_028, 2_348_616, 52_725),
        ("2017/18", 1_791_943, 2_339_942, 81_800),
    ],
)
def test_the_mets_estimates_are_read_from_every_edition(
    year, formula_funding, government_grants, reserves
):
    edition, sheet = PROFILES[year]
    met = hmic_value_for_money.parse(sheet, edition)
    assert amount(met, "Metropolitan Police", "formula_funding") == pytest.approx(formula_funding)
    assert amount(met, "Metropolitan Police", "government_grants") == pytest.approx(
        government_grants
    )
    assert amount(met, "Metropolitan Police", "reserves") == reserves


def test_detail_that_contradicts_its_printed_total_is_left_out_for_that_force_alone():
    edition, sheet = PROFILES["2017/18"]
    frame = hmic_value_for_money.parse(sheet, edition)
    detail = frame[frame["component"].isin(["national_policing_grants", "other_specific_grants"])]
    assert set(detail["force"]) == {"Surrey", "Northumbria", "Metropolitan Police"}
    assert amount(frame, "Greater Manchester", "specific_grants") == 52_085


def test_outturn_grants_are_positive_and_the_met_has_only_its_own_two_lines():
    first = revenue_outturn.parse(OUTTURN[0])
    assert amount(first, "Surrey", "police_grant") == 67_964
    assert amount(first, "Surrey", "formula_grant") == 4_614 + 31_776
    assert amount(first, "Surrey", "reserves") == 88 - 1_225
    assert amount(first, "Durham", "area_based_grant_and_lssg") == 39
    met = first.query("force == 'Metropolitan Police'").set_index("component")["value_gbp_k"]
    assert met.to_dict() == {
        "police_grant": 1_114_754, "police_services_net_current_expenditure": 3_166_077,
    }  # fmt: skip


def test_business_rates_that_a_police_body_cannot_retain_are_council_tax_grants():
    frame = revenue_outturn.parse(OUTTURN[1])
    legacy = frame[frame["component"] == "legacy_council_tax_grants"]
    assert legacy[["force", "value_gbp_k"]].to_numpy().tolist() == [["South Yorkshire", 10_829]]


def test_a_force_whose_lines_the_publisher_left_unbalanced_is_excepted_by_name_and_amount():
    sheet = copy.deepcopy(OUTTURN[2])
    assert amount(revenue_outturn.parse(sheet), "Derbyshire", "council_tax") == 55_522
    row = next(r for r in sheet.rows if "Derbyshire Police" in str(r[2]))
    row[69] += 36.0  # the requirement that would balance
    with pytest.raises(SourceError, match="parts add up"):
        revenue_outturn.parse(sheet)


@every_case
def test_sums_and_signs_hold_in_every_cut(parse, sheet):
    frame = parse(sheet)
    if "component" not in frame:
        return
    wide = frame.pivot(
        index=["force", "financial_year", "series"], columns="component", values="value_gbp_k"
    )
    signed = {"reserves", "collection_fund"}
    assert not (wide.drop(columns=list(signed & set(wide))) < 0).any(axis=None)
    whole = wide[wide["specific_grants"].notna()]
    parts = [
        "formula_funding", "formula_and_legacy_council_tax_grants", "specific_grants",
        "specific_grants_outside_aef", "area_based_grant_and_lssg", "legacy_council_tax_grants",
    ]  # fmt: skip
    total = whole.reindex(columns=parts).sum(axis=1)
    assert (total - whole["government_grants"]).abs().max() < 0.001
    both = whole["government_grants"] + whole["council_tax"]
    assert (both - whole["grants_and_council_tax"]).abs().max() < 0.001


# Damaged sheets


def dropped_columns(rows: Rows) -> Iterator[Rows]:
    for column in range(len(rows[0])):
        yield [row[:column] + row[column + 1 :] for row in rows]


def dropped_rows(rows: Rows) -> Iterator[Rows]:
    for number in range(len(rows)):
        yield rows[:number] + rows[number + 1 :]


def replaced_cells(rows: Rows, change: Callable[[Any], Any]) -> Iterator[Rows]:
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            changed = change(cell)
            if changed is not None:
                yield [
                    [*r[:column], changed, *r[column + 1 :]] if n == number else r
                    for n, r in enumerate(rows)
                ]


def renamed_headings(rows: Rows) -> Iterator[Rows]:
    yield from replaced_cells(rows, lambda c: "Renamed" if isinstance(c, str) and c else None)


def text_for_numbers(rows: Rows) -> Iterator[Rows]:
    yield from replaced_cells(rows, lambda c: "see note" if isinstance(c, (int, float)) else None)


def columns_moved_on(rows: Rows) -> Iterator[Rows]:
    """Headings that no longer stand above their figures."""
    for heading in range(min(7, len(rows))):
        for at in range(1, len(rows[heading]) - 1):
            row = rows[heading]
            moved = [*row[:at], "", *row[at:-1]]
            yield [moved if n == heading else r for n, r in enumerate(rows)]


def attempt(parse: Parse, sheet: Sheet) -> tuple[pd.DataFrame | None, SourceError | None]:
    try:
        return parse(sheet), None
    except SourceError as refusal:
        return None, refusal


@every_case
@pytest.mark.parametrize(
    "damage", [dropped_columns, dropped_rows, renamed_headings, text_for_numbers, columns_moved_on]
)
def test_a_damaged_sheet_gives_the_same_figures_or_is_refused_by_name(parse, sheet, damage):
    whole = parse(sheet)
    refused = 0
    for rows in damage(sheet.rows):
        frame, refusal = attempt(parse, Sheet(sheet.file, sheet.name, rows))
        if frame is None:
            assert (refusal.file, refusal.sheet) == (sheet.file, sheet.name)
            refused += 1
            continue
        # A force that is gone is for `read` to miss; those that are there must be untouched.
        kept = whole[whole["force"].isin(set(frame["force"]))].reset_index(drop=True)
        # Their place in the sheet may move; the figures may not.
        assert frame.drop(columns="origin").equals(kept.drop(columns="origin"))
        if len(kept) < len(whole):
            refused += 1
    assert refused


@every_case
@pytest.mark.parametrize("factor", [1000, 0.001])
def test_figures_in_the_wrong_unit_are_refused(parse, sheet, factor):
    start = next(
        n for n, row in enumerate(sheet.rows) if sum(isinstance(c, float) for c in row) > 2
    )
    if "LA Data 2017-18" in sheet.name:
        start = 7  # rows 3 to 6 hold line numbers
    rows = [
        [c * factor if isinstance(c, (int, float)) else c for c in row] if n >= start else row
        for n, row in enumerate(sheet.rows)
    ]
    with pytest.raises(SourceError, match=r"cannot (?:all )?be (?:£ thousand|full-time)"):
        parse(Sheet(sheet.file, sheet.name, rows))


@every_case
def test_a_force_that_is_there_twice_is_refused(parse, sheet):
    if sheet.name in ("Funding", "3_Funding", "POA_data"):
        rows = [[*row, row[-1]] for row in sheet.rows]
    else:
        rows = [*sheet.rows, sheet.rows[-1]]
    with pytest.raises(SourceError, match="a second time"):
        parse(Sheet(sheet.file, sheet.name, rows))


# Spending: two editions


SPENT_2012, GROSS_2016, NET_2016, INCOME_2016, RESIDENTS_2012 = cuts("hmic_expenditure")
SPENDING: dict[str, tuple[Parse, Sheet]] = {
    "2012": (hmic_expenditure.parse_2012, SPENT_2012),
    **{
        f"2016 {sheet.name}": (hmic_expenditure.parse_2016, sheet)
        for sheet in (GROSS_2016, NET_2016, INCOME_2016)
    },
}
every_spending = pytest.mark.parametrize(("parse", "sheet"), SPENDING.values(), ids=SPENDING)


def test_spending_is_read_as_hmic_printed_it():
    printed = {
        "2012": {
            "gross_revenue_expenditure": 3_602_845, "net_of_income_and_grants": 2_624_232,
            "income_outside_national_policing": 978_613 - 510_576,
        },
        "2016 8_GRE": {"gross_revenue_expenditure": 3_225_010},
        "2016 10_NRE": {"net_of_income_and_grants": 2_551_086},
        "2016 2_Total_income": {"income_outside_national_policing": 303_444},
    }  # fmt: skip
    for name, (parse, sheet) in SPENDING.items():
        met = parse(sheet).query("force == 'Metropolitan Police'").set_index("component")
        assert met["value_gbp_k"].to_dict() == printed[name], name


@every_spending
@pytest.mark.parametrize(
    "damage", [dropped_columns, dropped_rows, renamed_headings, text_for_numbers, columns_moved_on]
)
def test_damaged_spending_gives_the_same_figures_or_is_refused_by_name(parse, sheet, damage):
    whole = parse(sheet).drop(columns="origin")
    for rows in itertools.islice(damage(sheet.rows), 0, None, 3):
        frame, refusal = attempt(parse, Sheet(sheet.file, sheet.name, rows))
        if frame is None:
            assert (refusal.file, refusal.sheet) == (sheet.file, sheet.name)
            continue
        kept = whole[whole["force"].isin(set(frame["force"]))].reset_index(drop=True)
        assert frame.drop(columns="origin").equals(kept)


@every_spending
def test_an_altered_part_of_spending_breaks_its_printed_total(parse, sheet):
    changed = 0
    for row in range(3 if parse is hmic_expenditure.parse_2016 else 1, len(sheet.rows)):
        label = str(sheet.rows[row][0]).strip().casefold()
        if label.startswith(("total ", "level 2")) and isinstance(sheet.rows[row][-1], float):
            rows = copy.deepcopy(sheet.rows)
            rows[row][-1] += 1_000.0
            frame, refusal = attempt(parse, Sheet(sheet.file, sheet.name, rows))
            if refusal is not None:
                assert "add up to" in str(refusal)
                changed += 1
            else:
                assert frame.drop(columns="origin").equals(parse(sheet).drop(columns="origin"))
    assert changed >= 1


@every_spending
@pytest.mark.parametrize("factor", [1000, 0.001])
def test_spending_in_the_wrong_unit_is_refused(parse, sheet, factor):
    rows = [[c * factor if isinstance(c, float) else c for c in row] for row in sheet.rows]
    with pytest.raises(SourceError, match="cannot be £ thousand"):
        parse(Sheet(sheet.file, sheet.name, rows))


def test_hmics_population_is_read_in_people_and_in_no_other_unit():
    frame = hmic_expenditure.parse_population(RESIDENTS_2012).set_index("place")["population"]
    assert len(frame) == 43
    assert frame["Metropolitan Police"] == 7_813_500
    assert frame["City of London"] == 11_677
    for factor in (1000, 0.001):
        rows = [
            [c * factor if isinstance(c, float) else c for c in row] for row in RESIDENTS_2012.rows
        ]
        with pytest.raises(SourceError, match="cannot be a force's residents"):
            hmic_expenditure.parse_population(Sheet("cut.ods", "Populations", rows))
    rows = [*RESIDENTS_2012.rows, RESIDENTS_2012.rows[5]]
    with pytest.raises(SourceError, match="a second time"):
        hmic_expenditure.parse_population(Sheet("cut.ods", "Populations", rows))
    rows = [row for row in RESIDENTS_2012.rows if "Avon" not in str(row[0])]
    with pytest.raises(SourceError, match=r"no population of \['Avon and Somerset'"):
        hmic_expenditure.read_population(CutFile(Sheet("cut.ods", "Populations", rows)))


def test_text_for_a_number_is_refused_with_its_place():
    sheet = copy.deepcopy(OUTTURN[0])
    row = next(n for n, r in enumerate(sheet.rows) if r[0] == "E6073")
    sheet.rows[row][61] = "see note"
    with pytest.raises(SourceError, match="see note") as refusal:
        revenue_outturn.parse(sheet)
    assert (refusal.value.row, refusal.value.column) == (row + 1, 62)


def test_a_grant_of_the_wrong_sign_is_refused_even_if_the_sums_tie():
    sheet = copy.deepcopy(OUTTURN[0])
    row = next(r for r in sheet.rows if r[0] == "E6073")
    shift = row[60] * 2  # revenue support grant: turned round, and police grant made to match
    row[60], row[61] = -row[60], row[61] + shift
    with pytest.raises(SourceError, match="wrong sign"):
        revenue_outturn.parse(sheet)


@pytest.mark.parametrize(
    ("read", "sheets"),
    [
        (hmic_2010.read_funding, [FUNDING_2010]),
        (hmic_2010.read_workforce, [WORKFORCE_2010]),
        (hmic_value_for_money.read, [PROFILES["2013/14"][1]]),
        (revenue_outturn.read, [OUTTURN[0]]),
    ],
)
def test_a_workbook_without_all_forces_is_refused(read, sheets):
    with pytest.raises(SourceError, match=r"no figures for .*Bedfordshire"):
        read(CutFile(*sheets))


def test_a_title_of_another_year_than_the_sheets_name_is_refused():
    sheet = Sheet("cut.xls", OUTTURN[0].name, copy.deepcopy(OUTTURN[0].rows))
    sheet.rows[0][0] = "Revenue Outturn Summary (RS): 2011-12 data"
    with pytest.raises(SourceError, match="another year"):
        revenue_outturn.read(CutFile(sheet))


def test_editions_that_print_no_year_are_known_by_their_rows():
    for year in ("2013/14", "2014/15"):
        edition, sheet = PROFILES[year]
        assert hmic_value_for_money.recognise(CutFile(sheet)) is edition.publication
    notes = Sheet("cut.ods", "Notes_and_sources", [["a reflection of 2015/16 estimates"]])
    assert hmic_value_for_money.recognise(CutFile(PROFILES["2015/16"][1], notes)) is None
    notes.rows[0][0] += " Police Objective Analysis data"
    assert (
        hmic_value_for_money.recognise(CutFile(PROFILES["2015/16"][1], notes))
        is PROFILES["2015/16"][0].publication
    )


# The workbooks themselves


@pytest.fixture(scope="module")
def workbooks(official: Path) -> dict[str, list[RawFile]]:
    found: dict[str, list[RawFile]] = {"2010": [], "profiles": [], "outturn": []}
    readers = zip(found, (hmic_2010, hmic_value_for_money, revenue_outturn), strict=True)
    named = list(readers)
    for path in sorted(official.rglob("*")):
        if path.is_file():
            raw = RawFile(path)
            claimed = [name for name, module in named if module.recognise(raw)]
            assert len(claimed) <= 1, path
            for name in claimed:
                found[name].append(raw)
    return found


@pytest.fixture(scope="module")
def funding(workbooks: dict[str, list[RawFile]]) -> pd.DataFrame:
    return pd.concat(
        [hmic_2010.read_funding(raw) for raw in workbooks["2010"]]
        + [hmic_value_for_money.read(raw) for raw in workbooks["profiles"]]
        + [revenue_outturn.read(raw) for raw in workbooks["outturn"]],
        ignore_index=True,
    )


@pytest.mark.official
def test_each_reader_claims_its_own_files_and_no_other(workbooks):
    def claimed(name: str, module: Any) -> list[str]:
        return [module.recognise(raw).id for raw in workbooks[name]]

    assert claimed("2010", hmic_2010) == [hmic_2010.PUBLICATION.id]
    for name, module in (("profiles", hmic_value_for_money), ("outturn", revenue_outturn)):
        assert sorted(claimed(name, module)) == [p.id for p in module.PUBLICATIONS]


@pytest.mark.official
def test_every_series_has_its_forces_in_every_year(funding):
    assert not funding.duplicated(["force", "financial_year", "series", "component"]).any()
    assert funding["value_gbp_k"].notna().all()
    grants = funding[funding["component"] == "government_grants"]
    counts = grants.groupby(["series", "financial_year"]).size()
    assert set(counts["hmic_estimates"]) == {43}
    assert set(counts["outturn"]) == {37}
    assert counts["hmic_actuals"].to_dict() == {
        "2005/06": 43, "2006/07": 43, "2007/08": 40, "2008/09": 43,
    }  # fmt: skip
    abroad = {"City of London", "Metropolitan Police", *places.WELSH_FORCES}
    assert not abroad & set(funding[funding["series"] == "outturn"]["force"])


@pytest.mark.official
@pytest.mark.parametrize(
    ("force", "share"), [("Surrey", 54.8), ("Metropolitan Police", 79.1), ("Northumbria", 88.7)]
)
def test_governments_share_before_the_cuts(funding, force, share):
    # The index of the official files, from the 2010 profiles.
    grants = amount(funding, force, "government_grants", "2009/10")
    both = amount(funding, force, "grants_and_council_tax", "2009/10")
    assert round(100 * grants / both, 1) == share


@pytest.mark.official
def test_the_mets_estimates_agree_with_the_series_assembled_from_them(funding, official):
    quoted = pd.read_csv(official / "quoted/met_core_grant_by_source_2009-10_to_2017-18.csv")
    names = {
        "core_formula_and_police_grant_gbp_m": "formula_funding",
        "other_government_grants_gbp_m": "specific_grants",
        "council_tax_precept_gbp_m": "council_tax",
        "central_total_gbp_m": "government_grants",
    }
    met = funding[funding["series"] == "hmic_estimates"]
    for _, row in quoted[quoted["fy"] >= 2012].iterrows():
        for column, component in names.items():
            read = amount(met, "Metropolitan Police", component, row["financial_year"])
            assert read / 1000 == pytest.approx(row[column], abs=0.001)


@pytest.mark.official
def test_a_draw_on_reserves_is_positive_in_every_edition(workbooks, funding):
    """Funding plus draw makes each edition's own net revenue expenditure, force by force."""
    for raw in workbooks["profiles"]:
        name = next((n for n in raw.sheet_names if n in ("NRE", "10_NRE")), None)
        if name is None:
            continue  # 2012: the funding sheet itself ties reserves to expenditure
        publication = hmic_value_for_money.recognise(raw)
        year = next(
            e.financial_year for e in hmic_value_for_money.EDITIONS if e.publication == publication
        )
        sheet = raw.sheet(name)
        totals = [
            r for r in range(len(sheet.rows))
            if sheet.text(r, 0).casefold().startswith("total ") and "excl" not in sheet.text(r, 0)
        ]  # fmt: skip
        table = funding[
            (funding["financial_year"] == year) & (funding["series"] == "hmic_estimates")
        ].pivot(index="force", columns="component", values="value_gbp_k")
        paid = table["grants_and_council_tax"] + table["reserves"]
        if year == "2016/17":  # only here is expenditure printed net of specific grants
            paid -= table["specific_grants"]
        spent = pd.Series(
            {
                places.force(sheet.text(2, c)): sum(sheet.number(r, c) for r in totals)
                for c in range(1, 44)
            }
        )
        agree = (spent - paid).abs() < 20
        # Northumbria's 2016/17 spending is printed £750k below its funding.
        exceptions = {"Northumbria"} if year == "2016/17" else set()
        assert set(agree.index[~agree]) == exceptions


@pytest.mark.official
def test_spending_is_what_grants_tax_and_reserves_pay_for_in_both_editions(workbooks, funding):
    read = [
        hmic_expenditure.read(raw)
        for raw in workbooks["profiles"]
        if hmic_value_for_money.recognise(raw).edition in ("2012", "2016")
    ]
    spent = pd.concat(read)
    assert spent.groupby(["financial_year", "component"]).size().to_dict() == {
        (year, component): 43
        for year in ("2012/13", "2016/17")
        for component in (
            "gross_revenue_expenditure", "income_outside_national_policing",
            "net_revenue_expenditure",
        )
    }  # fmt: skip
    net = spent[spent["component"] == "net_revenue_expenditure"]
    net = net.set_index(["force", "financial_year"])["value_gbp_k"]
    wide = funding[funding["series"] == "hmic_estimates"].pivot(
        index=["force", "financial_year"], columns="component", values="value_gbp_k"
    )
    paid = (wide["grants_and_council_tax"] + wide["reserves"]).reindex(net.index)
    apart = (net - paid).abs()
    # Northumbria's 2016/17 spending is printed £750k below its funding.
    assert set(apart.index[apart > 20]) == {("Northumbria", "2016/17")}
    assert apart.max() < 760
    # The workbooks of other years have no such sheets, and say so.
    other = next(
        r for r in workbooks["profiles"] if hmic_value_for_money.recognise(r).edition == "2014"
    )
    with pytest.raises(SourceError, match="2012 or 2016"):
        hmic_expenditure.read(other)


@pytest.mark.official
@pytest.mark.parametrize(
    ("force", "change"),
    [("Northumbria", -23.7), ("West Midlands", -22.4), ("Durham", -21.5), ("Surrey", -11.9)],
)
def test_grants_and_council_tax_in_real_terms(funding, official, force, change):
    lines = (official / "ons/prices/ons_ybgb_gdp_deflator_2025-06-30.csv").read_text().splitlines()
    cells = [line.replace('"', "").split(",") for line in lines]
    prices = {c[0]: float(c[1]) for c in cells if len(c) > 1 and c[0][4:6] == " Q"}

    def real(year: str, start: int) -> float:
        quarters = (f"{start} Q2", f"{start} Q3", f"{start} Q4", f"{start + 1} Q1")
        money = funding[funding["series"] == "outturn"]
        price = sum(prices[quarter] for quarter in quarters)
        return amount(money, force, "grants_and_council_tax", year) / price

    assert 100 * (real("2017/18", 2017) / real("2010/11", 2010) - 1) == pytest.approx(
        change, abs=0.06
    )


@pytest.mark.official
@pytest.mark.parametrize(
    ("year", "component", "parts"),
    [
        ("2012/13", "formula_funding", ["formula_funding"]),
        ("2013/14", "formula_funding", ["formula_funding"]),
        *(
            (
                year, "formula_and_legacy_council_tax_grants",
                ["formula_funding", "legacy_council_tax_grants"],
            )
            for year in ("2014/15", "2017/18")
        ),
    ],
)  # fmt: skip
def test_what_was_paid_is_what_was_budgeted_by_formula(funding, year, component, parts):
    wide = funding[funding["financial_year"] == year].pivot_table(
        index="force", columns=["series", "component"], values="value_gbp_k"
    )
    paid = wide["outturn"][component].dropna()
    budgeted = wide["hmic_estimates"][parts].sum(axis=1).reindex(paid.index)
    gap = (paid / budgeted - 1).abs()
    assert len(gap) == 37
    assert gap.median() < 0.0001
    assert (gap < 0.03).sum() >= 33
