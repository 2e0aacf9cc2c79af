"""Officers, recorded crime, people, prices: each reader on a cut of its real file and on the file.

The cuts under ``cuts/`` are lines of the published files, unchanged: a few forces, a few years.
For the time of a test the country has only the forces of the cut. A damaged file must be read
to the same figures or be refused by name and place; it must never be misread.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crime_analysis import places
from crime_analysis.errors import SourceError
from crime_analysis.sources import (
    force_area_tables,
    geography,
    met_strength,
    ons_series,
    population,
    quoted,
    recorded_crime_quarterly,
    recorded_crime_rolling,
    workforce,
)
from crime_analysis.sources.rawfile import RawFile
from crime_analysis.sources.sheet import Sheet, read_number

CUTS = Path(__file__).parent / "cuts"
Rows = list[list[Any]]
# A busy machine is no failure.
unhurried = settings(deadline=None)
OFFENCES = ("force", "financial_year", "offence_group", "offences")


LOOKUP = geography.authorities(RawFile(CUTS / "authorities.csv"))
OF_THE_CUT = LOOKUP["force"].isin(["City of London", "Dorset"]) | (LOOKUP["name"] == "Barnet")


def _people(raw: RawFile) -> pd.DataFrame:
    """Read the population of Dorset, the City and Barnet, the authorities of the cut."""
    return population.read(raw, LOOKUP[OF_THE_CUT])


@dataclass(frozen=True)
class Cut:
    """A cut with its reader, the columns compared, and the forces that are all there are."""

    file: str
    read: Callable[[RawFile], pd.DataFrame]
    columns: tuple[str, ...]
    figures: tuple[str, ...] = ()
    names: str = ""
    forces: tuple[str, ...] = ()
    boroughs: tuple[str, ...] = ()
    slow: bool = False

    @property
    def path(self) -> Path:
        return CUTS / self.file

    @property
    def rows(self) -> Rows:
        return list(csv.reader(io.StringIO(self.path.read_text(encoding="utf-8-sig"))))


WORKFORCE = Cut(
    "workforce.csv", workforce.read, ("force", "date", "measure", "fte"),
    ("total_fte",), "force_name",
    ("Avon and Somerset", "City of London", "Metropolitan Police"),
)  # fmt: skip
ROLLING = Cut(
    "recorded_crime_rolling.csv", recorded_crime_rolling.read, OFFENCES,
    ("Rolling year total number of offences",), "PFA",
    ("Avon and Somerset", "Metropolitan Police"),
)  # fmt: skip
QUARTERLY = Cut(
    "recorded_crime_quarterly.csv", recorded_crime_quarterly.read, OFFENCES,
    ("number_of_offences",), "force_name",
    ("Metropolitan Police", "Surrey"),
)  # fmt: skip
AUTHORITIES = Cut(
    "authorities.csv", geography.read, ("place", "kind", "code", "country", "part_of"),
    names="PFA16NM",
)  # fmt: skip
POPULATION = Cut(
    "population.csv", _people, ("place", "kind", "year", "population"),
    ("Age 0", "Age 64", "Aged 90+"), "name",
    ("City of London", "Dorset", "Metropolitan Police"), ("Barnet",), slow=True,
)  # fmt: skip
DEFLATOR = Cut("gdp_deflator.csv", ons_series.read, ("financial_year", "index"))
CPIH = Cut("cpih.csv", ons_series.read, ("financial_year", "index"))
STRENGTH = Cut(
    "met_strength.csv", met_strength.read, ("month", "measure", "fte"),
    ("Police Officer Strength", "Police Staff Strength", "PCSO Strength"),
)  # fmt: skip
BUDGET = Cut(
    "met_budget.csv", quoted.read_met_settlements,
    ("force", "financial_year", "series", "component", "value_gbp_k"), ("gbp_m",),
)  # fmt: skip
CLAIMS = Cut(
    "claims.csv", quoted.read_statements,
    ("number", "claim", "date", "said_by", "wording", "definition", "address", "kind"),
)  # fmt: skip
TABLES = [WORKFORCE, ROLLING, QUARTERLY, AUTHORITIES, POPULATION, STRENGTH, BUDGET]
SERIES = [DEFLATOR, CPIH]


def each(cuts: list[Cut]) -> Any:
    return pytest.mark.parametrize("cut", cuts, ids=[c.file for c in cuts], indirect=True)


def attempt(read: Callable[[], pd.DataFrame]) -> tuple[pd.DataFrame | None, SourceError | None]:
    try:
        return read(), None
    except SourceError as refusal:
        return None, refusal


@dataclass(frozen=True)
class Bench:
    """A cut, its figures, and a place to put damaged copies of it."""

    cut: Cut
    whole: pd.DataFrame
    folder: Path

    def some(self, items: range, most: int = 20) -> range:
        """Return about `most` of the items, evenly spaced, the last among them."""
        most = max(5, most // 5) if self.cut.slow else most
        return items[:: -max(1, len(items) // most)]

    def read(self, content: bytes, name: str | None = None) -> pd.DataFrame:
        path = self.folder / (name or self.cut.file)
        path.write_bytes(content)
        return self.cut.read(RawFile(path))[list(self.cut.columns)]

    def same_or_refused(self, content: bytes, name: str | None = None) -> SourceError | None:
        """Return the refusal, None if the figures are the same; anything else fails the test."""
        frame, refusal = attempt(lambda: self.read(content, name))
        if refusal is None:
            pd.testing.assert_frame_equal(frame, self.whole)
        else:
            assert refusal.file == (name or self.cut.file)
        return refusal

    def refused(self, content: bytes, name: str | None = None) -> SourceError:
        refusal = self.same_or_refused(content, name)
        assert refusal is not None, "read as if nothing were wrong"
        return refusal


WHOLE: dict[Cut, pd.DataFrame] = {}


@pytest.fixture
def cut(request, tmp_path, monkeypatch) -> Bench:
    """The bench of a cut; its forces are the only ones while the test runs."""
    chosen: Cut = request.param
    if chosen.forces:
        monkeypatch.setattr(places, "FORCES", chosen.forces)
    if chosen.boroughs:
        monkeypatch.setattr(places, "BOROUGHS", chosen.boroughs)
    if chosen not in WHOLE:
        WHOLE[chosen] = chosen.read(RawFile(chosen.path))[list(chosen.columns)]
    return Bench(chosen, WHOLE[chosen].copy(), tmp_path)


def written(rows: Rows) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def replaced(rows: Rows, row: int, column: int, cell: Any) -> Rows:
    changed = [*rows[row][:column], cell, *rows[row][column + 1 :]]
    return [*rows[:row], changed, *rows[row + 1 :]]


def value(frame: pd.DataFrame, column: str, **keys: Any) -> Any:
    for key, wanted in keys.items():
        frame = frame[frame[key] == wanted]
    assert len(frame) == 1
    return frame[column].iloc[0]


# What the cuts say


@each([WORKFORCE])
def test_people_in_post_are_summed_over_sex_and_rank_and_dated_31_march(cut):
    def fte(force: str, date: str, measure: str) -> float:
        return value(cut.whole, "fte", force=force, date=date, measure=measure)

    # HMIC's 2010 workbook prints the same 31,127.69 for the Met's officers in 2007.
    assert fte("Metropolitan Police", "2007-03-31", "officers") == 31_127.69
    # Spelt "London, City of"; 861.17 by adding up its 14 lines.
    assert fte("City of London", "2007-03-31", "officers") == 861.17
    assert set(cut.whole["date"]) == {"2007-03-31", "2022-03-31"}
    assert set(cut.whole["measure"]) == {"officers", "pcsos", "staff"}


@each([WORKFORCE])
def test_designated_officers_are_staff_and_specials_and_volunteers_are_nobody(cut):
    lines = pd.read_csv(cut.cut.path)
    met = lines[(lines["force_name"] == "Metropolitan Police") & (lines["date"] == "2007-03-01")]
    by_type = met.groupby("worker_type")["total_fte"].sum()
    staff = value(cut.whole, "fte", force="Metropolitan Police", date="2007-03-31", measure="staff")
    assert staff == pytest.approx(by_type["police staff"] + by_type["designated officer"])
    counted = cut.whole.query("force == 'Metropolitan Police' and date == '2007-03-31'")
    assert counted["fte"].sum() == pytest.approx(met["total_fte"].sum())


@each([ROLLING])
def test_only_years_that_end_in_march_are_read_and_violence_is_the_sum_of_its_groups(cut):
    assert sorted(set(cut.whole["financial_year"])) == ["2002/03", "2013/14", "2017/18"]
    met = cut.whole[cut.whole["force"] == "Metropolitan Police"]
    # Design, figures of record: the Met's violence against the person in 2013/14.
    total = value(
        met, "offences", financial_year="2013/14", offence_group="violence_against_the_person"
    )
    assert total == 128_556 == 110 + 58_567 + 48_445 + 21_414 + 20


@each([ROLLING])
def test_the_total_leaves_out_fraud_which_moved_to_a_national_body(cut):
    lines = pd.read_csv(cut.cut.path)
    met = lines[(lines["PFA"] == "Metropolitan Police") & (lines.iloc[:, 0] == "31-03-2003")]
    fraud = met.loc[met["Offence"] == "Fraud offences", met.columns[-1]].sum()
    assert fraud > 0
    total = value(
        cut.whole, "offences", force="Metropolitan Police", financial_year="2002/03",
        offence_group="total_excluding_fraud",
    )  # fmt: skip
    assert total == met[met.columns[-1]].sum() - fraud


@each([QUARTERLY])
def test_four_quarters_make_a_year_and_a_single_quarter_does_not(cut):
    assert sorted(set(cut.whole["financial_year"])) == ["2012/13", "2013/14"]
    lines = pd.read_csv(cut.cut.path)
    met = lines[(lines["force_name"] == "Metropolitan Police")]
    robbery = met[(met["offence_group"] == "Robbery") & (met["financial_year"] == "2013/14")]
    assert sorted(set(robbery["financial_quarter"])) == [1, 2, 3, 4]
    # The rolling-year file prints the same 28,253 robberies.
    assert robbery["number_of_offences"].sum() == 28_253
    read = value(
        cut.whole, "offences", force="Metropolitan Police", financial_year="2013/14",
        offence_group="robbery",
    )  # fmt: skip
    assert read == 28_253


@each([QUARTERLY])
def test_a_negative_quarter_counts_and_a_subgroup_that_a_year_lacks_has_no_row(cut):
    lines = pd.read_csv(cut.cut.path)
    assert (lines["number_of_offences"] < 0).any()
    first = cut.whole[cut.whole["financial_year"] == "2012/13"]
    later = cut.whole[cut.whole["financial_year"] == "2013/14"]
    own_rows_from_2013 = {"stalking_and_harassment", "death_or_injury_driving"}
    assert set(later["offence_group"]) - set(first["offence_group"]) == own_rows_from_2013


@each([AUTHORITIES])
def test_forces_and_boroughs_have_their_codes(cut):
    assert cut.whole["kind"].value_counts().to_dict() == {"force": 43, "borough": 32}
    assert value(cut.whole, "code", place="Metropolitan Police") == "E23000001"
    assert value(cut.whole, "code", place="City of London") == "E23000034"
    assert value(cut.whole, "code", place="Hackney") == "E09000012"
    wales = cut.whole[cut.whole["country"] == "Wales"]
    assert set(wales["place"]) == set(places.WELSH_FORCES)
    assert set(cut.whole.query("kind == 'borough'")["part_of"]) == {"Metropolitan Police"}


def test_each_merged_authority_stands_for_all_that_it_replaced():
    lookup = geography.authorities(RawFile(AUTHORITIES.path))
    merged = lookup[lookup["succeeded_by"] != ""]
    assert len(lookup) == 348 + 8
    assert len(merged) == 25
    # Poole is in Bournemouth, Christchurch and Poole since 2019, and both are Dorset's.
    assert value(lookup, "succeeded_by", name="Poole") == "E06000058"
    assert value(lookup, "force", code="E06000058") == "Dorset"
    forces = lookup.set_index("code")["force"]
    assert (merged["succeeded_by"].map(forces) == merged["force"]).all()


@each([POPULATION])
def test_residents_are_the_sum_of_all_ages_from_2001(cut):
    assert sorted(set(cut.whole["year"])) == list(range(2001, 2021))
    # ONS mid-year estimates: Barnet 399,007 in 2020, the City 7,359 in 2001.
    assert value(cut.whole, "population", place="Barnet", year=2020) == 399_007
    assert value(cut.whole, "population", place="City of London", year=2001) == 7_359
    assert set(cut.whole.query("place == 'City of London'")["kind"]) == {"force"}


@each([DEFLATOR])
def test_the_deflator_of_a_financial_year_is_the_mean_of_its_four_quarters(cut):
    # 2009 Q2 to 2010 Q1, as printed.
    quarters = dict(row for row in cut.cut.rows if len(row) == 2)
    four = [float(quarters[q]) for q in ("2009 Q2", "2009 Q3", "2009 Q4", "2010 Q1")]
    assert value(cut.whole, "index", financial_year="2009/10") == pytest.approx(sum(four) / 4)
    assert cut.whole["financial_year"].iloc[-1] == "2024/25"


@each([CPIH])
def test_cpih_of_a_financial_year_is_the_mean_of_its_twelve_months(cut):
    months = dict(row for row in cut.cut.rows if len(row) == 2)
    names = ["APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
    twelve = [float(months[f"2017 {m}"]) for m in names]
    twelve += [float(months[f"2018 {m}"]) for m in ("JAN", "FEB", "MAR")]
    assert value(cut.whole, "index", financial_year="2017/18") == pytest.approx(
        sum(twelve) / 12, abs=1e-6
    )


@each([STRENGTH])
def test_the_mets_months_run_without_a_gap(cut):
    assert len(cut.whole) == 3 * 155
    assert cut.whole["month"].iloc[0] == "2013-05"
    assert value(cut.whole, "fte", month="2018-03", measure="officers") == 29_924


@each([BUDGET])
def test_the_mets_settlement_is_read_in_thousands(cut):
    amounts = cut.whole.set_index("financial_year")["value_gbp_k"].to_dict()
    assert amounts == {"2009/10": 1_978_281, "2010/11": 2_027_738}


@each([CLAIMS])
def test_what_was_said_keeps_its_words_and_its_address(cut):
    first = cut.whole.iloc[0]
    assert "£700 million or nearly 40 per cent in real terms" in first["wording"]
    assert first["date"] == "2018-01-09"
    assert cut.whole["address"].str.startswith("http").all()
    assert cut.whole["number"].tolist() == [1, 2, 3, 4, 5]


@each([CLAIMS])
def test_a_statement_without_its_address_is_refused(cut):
    rows = cut.cut.rows
    column = rows[0].index("source_url")
    refusal = cut.refused(written(replaced(rows, 3, column, "")))
    assert (refusal.row, refusal.column) == (4, "source_url")


# Other ways to write the same figures


@each([*TABLES, *SERIES, CLAIMS])
def test_line_ends_byte_order_mark_blank_lines_and_quotes_change_nothing(cut):
    rows = cut.cut.rows
    quoted_all = io.StringIO()
    csv.writer(quoted_all, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    with_blanks = written(rows).replace(b"\n", b"\n\n", 3)
    for content in (
        written(rows),
        b"\xef\xbb\xbf" + written(rows),
        written(rows).replace(b"\n", b"\r\n"),
        quoted_all.getvalue().encode(),
        with_blanks,
    ):
        assert cut.same_or_refused(content) is None
    assert cut.same_or_refused(gzip.compress(written(rows)), cut.cut.file + ".gz") is None


@each([*TABLES, CLAIMS])
def test_the_order_of_columns_and_the_case_of_headings_change_nothing(cut):
    turned = [row[::-1] for row in cut.cut.rows]
    assert cut.same_or_refused(written(turned)) is None
    heading = [f" {cell.upper()}  " for cell in cut.cut.rows[0]]
    assert cut.same_or_refused(written([heading, *cut.cut.rows[1:]])) is None


@each([WORKFORCE, ROLLING, QUARTERLY, POPULATION, STRENGTH])
def test_thousands_separators_and_footnote_marks_are_understood(cut):
    rows = cut.cut.rows
    for figure in cut.cut.figures:
        column = rows[0].index(figure)
        marked = [
            [*r[:column], f"{float(r[column]):,.6f} [r]", *r[column + 1 :]]
            if read_number(r[column]) == read_number(r[column])
            else r
            for r in rows[1:]
        ]
        assert cut.same_or_refused(written([rows[0], *marked])) is None


@each([WORKFORCE, ROLLING, QUARTERLY])
def test_a_force_may_be_spelt_in_any_listed_way(cut):
    for official, other in {
        "Metropolitan Police": "Metropolitan Police Service",
        "Avon and Somerset": "Avon & Somerset Constabulary",
        "Avon & Somerset": "Avon and Somerset",
        "Surrey": "SURREY (a)",
    }.items():
        content = written(cut.cut.rows).replace(official.encode(), other.encode())
        assert cut.same_or_refused(content) is None


# Damage


@each([*TABLES, CLAIMS])
def test_a_column_that_is_gone_or_renamed_is_not_made_up(cut):
    rows = cut.cut.rows
    refusals = 0
    columns = range(len(rows[0]))
    for column in columns if len(columns) < 20 else cut.some(columns, 20):
        without = [row[:column] + row[column + 1 :] for row in rows]
        heading_alone = [without[0], *rows[1:]]
        renamed = replaced(rows, 0, column, "renamed")
        for damaged in (without, renamed):
            refusal = cut.same_or_refused(written(damaged))
            refusals += refusal is not None
            if refusal is not None and refusal.row == 1:
                assert rows[0][column].replace("\ufeff", "") in str(refusal)
        cut.refused(written(heading_alone))
    assert refusals >= 4


@each(TABLES)
def test_two_headings_that_change_places_are_not_misread(cut):
    rows = cut.cut.rows
    columns = range(len(rows[0]))
    pairs = list(itertools.combinations(columns, 2))
    for one, other in pairs if len(pairs) < 60 else pairs[::797]:
        heading = list(rows[0])
        heading[one], heading[other] = heading[other], heading[one]
        cut.same_or_refused(written([heading, *rows[1:]]))


@each(TABLES)
def test_a_column_that_is_there_twice_is_refused(cut):
    for figure in cut.cut.figures or (cut.cut.names,):
        column = cut.cut.rows[0].index(figure)
        twice = [[*row, row[column]] for row in cut.cut.rows]
        assert "found 2" in str(cut.refused(written(twice)))


NOT_NUMBERS = ("see note", "12,5", "1.2.3", "inf", "nan", "#REF!", "TRUE", "1e999", "0x1F")


@each([c for c in TABLES if c.figures])
def test_text_for_a_number_is_refused_with_its_line(cut):
    rows = cut.cut.rows
    refusals = 0
    for figure in cut.cut.figures:
        column = rows[0].index(figure)
        for turn, row in enumerate(cut.some(range(1, len(rows)), 12)):
            text = NOT_NUMBERS[turn % len(NOT_NUMBERS)]
            refusal = cut.same_or_refused(written(replaced(rows, row, column, text)))
            if refusal is not None:
                refusals += 1
                assert refusal.row == row + 1
                assert refusal.column
    # Only rows that no figure comes from (other years, bodies that are no force) may hold text.
    assert refusals > 0


@each([c for c in TABLES if c.figures])
def test_a_figure_that_is_not_there_is_refused_with_its_line(cut):
    rows = cut.cut.rows
    refusals = 0
    for figure in cut.cut.figures:
        column = rows[0].index(figure)
        for turn, row in enumerate(cut.some(range(1, len(rows)), 8)):
            missing = ("", "-", "..", "[x]")[turn % 4]
            refusal = cut.same_or_refused(written(replaced(rows, row, column, missing)))
            if refusal is not None:
                refusals += 1
                assert refusal.row == row + 1
    assert refusals > 0


@each([WORKFORCE, ROLLING, QUARTERLY, AUTHORITIES, POPULATION, STRENGTH, BUDGET])
def test_a_line_that_is_there_twice_is_refused(cut):
    rows = cut.cut.rows
    refusals = 0
    for row in cut.some(range(1, len(rows))):
        refusal = cut.same_or_refused(written([*rows, rows[row]]))
        if refusal is not None:
            refusals += 1
            assert refusal.row in (len(rows) + 1, None)
    assert refusals > 0


@each([*TABLES, *SERIES])
def test_a_line_that_is_lost_is_missed(cut):
    rows = cut.cut.rows
    refusals = 0
    for row in cut.some(range(len(rows)), 24):
        refusals += cut.same_or_refused(written(rows[:row] + rows[row + 1 :])) is not None
    assert refusals > 0


@each([*TABLES, *SERIES])
def test_a_download_cut_short_is_refused_or_loses_nothing_that_is_read(cut):
    content = cut.cut.path.read_bytes()
    ends = [*cut.some(range(len(content)), 24), len(content) - 1]
    lines = list(itertools.accumulate(len(line) for line in content.splitlines(keepends=True)))
    ends += [lines[n] for n in cut.some(range(len(lines) - 1), 10)]
    for end in ends:
        refusal = cut.same_or_refused(content[:end])
        if end not in lines:
            assert refusal is not None
            # A series is known by its second line, and without it is none.
            assert refusal.row == content.count(b"\n", 0, end) + 1 or "CDID" in str(refusal)


@each([*TABLES, *SERIES])
def test_a_packed_download_cut_short_is_refused(cut):
    packed = gzip.compress(cut.cut.path.read_bytes())
    for end in (1, 10, len(packed) // 2, len(packed) - 1):
        cut.refused(packed[:end], cut.cut.file + ".gz")
    broken = bytearray(packed)
    broken[len(packed) // 2] ^= 0xFF
    cut.refused(bytes(broken), cut.cut.file + ".gz")


@each([*TABLES, *SERIES, CLAIMS])
def test_another_encoding_is_refused_or_makes_no_difference(cut):
    text = cut.cut.path.read_text(encoding="utf-8-sig")
    for encoding in ("utf-16", "utf-16-le", "utf-32"):
        cut.refused(text.encode(encoding))
    if not text.isascii():
        refusal = cut.refused(text.encode("cp1252"))
        assert "not in UTF-8" in str(refusal)
        assert refusal.row is not None
    cut.refused(gzip.compress(text.encode()))


@each([*TABLES, *SERIES, CLAIMS])
def test_an_empty_file_is_refused(cut):
    for content in (b"", b"\n", b"\n\n\n"):
        cut.refused(content)


@each(TABLES)
def test_a_file_of_its_heading_alone_is_refused(cut):
    cut.refused(written(cut.cut.rows[:1]))


@each([WORKFORCE, ROLLING, QUARTERLY, AUTHORITIES])
def test_an_unknown_force_is_refused_with_its_line_and_the_nearest_names(cut):
    rows = cut.cut.rows
    column = rows[0].index(cut.cut.names)
    known = "Metropolitan Police"
    everywhere = [[c if c != known else "Metropole" for c in row] for row in rows]
    row = next(n for n, r in enumerate(rows) if r[column] == known)
    for damaged, line in (
        (everywhere, row + 1),
        (replaced(rows, row, column, "Metropole"), row + 1),
    ):
        refusal = cut.same_or_refused(written(damaged))
        assert refusal is not None
        assert refusal.row == line
        assert refusal.column == cut.cut.names
        assert "'Metropole'" in str(refusal)
        assert "nearest" in str(refusal) or "one of" in str(refusal)


@each([WORKFORCE, ROLLING, QUARTERLY])
def test_a_force_under_anothers_name_is_refused(cut):
    rows = cut.cut.rows
    column = rows[0].index(cut.cut.names)
    spellings = [r[column] for r in rows[1:] if r[column] not in ("Action Fraud",)]
    one, other = sorted(set(spellings) - {"British Transport Police"})[:2]
    everywhere = [[c if c != one else other for c in row] for row in rows]
    cut.refused(written(everywhere))
    row = next(n for n, r in enumerate(rows) if r[column] == one)
    cut.refused(written(replaced(rows, row, column, other)))


@each([WORKFORCE, ROLLING, QUARTERLY, POPULATION, STRENGTH, BUDGET])
@pytest.mark.parametrize("factor", [1000, 0.001])
def test_figures_in_another_unit_are_refused(cut, factor):
    rows = cut.cut.rows
    for figures in (cut.cut.figures, (*cut.cut.figures, "total_headcount")):
        columns = [rows[0].index(f) for f in figures if f in rows[0]]
        if cut.cut is POPULATION:
            columns = list(range(3, len(rows[0])))

        def scaled(cell: str) -> str:
            number = read_number(cell)
            return repr(number * factor) if number == number else cell

        damaged = [
            [scaled(c) if n in columns else c for n, c in enumerate(row)] for row in rows[1:]
        ]
        cut.refused(written([rows[0], *damaged]))


@each([WORKFORCE])
def test_heads_are_not_taken_for_full_time_equivalents(cut):
    rows = cut.cut.rows
    swap = {"total_headcount": "total_fte", "total_fte": "total_headcount"}
    refusal = cut.refused(written([[swap.get(c, c) for c in rows[0]], *rows[1:]]))
    assert "heads" in str(refusal)


@each([WORKFORCE, ROLLING, QUARTERLY])
def test_a_kind_of_worker_or_offence_that_is_not_known_is_refused(cut):
    rows = cut.cut.rows
    heading = next(h for h in ("worker_type", "Offence", "offence_subgroup") if h in rows[0])
    column = rows[0].index(heading)
    for row in cut.some(range(1, len(rows)), 12):
        damaged = written(replaced(rows, row, column, rows[row][column] + " etc"))
        refusal = cut.same_or_refused(damaged)
        if refusal is not None:
            assert (refusal.row, refusal.column) == (row + 1, heading)
    everywhere = [rows[0], *([*r[:column], r[column] + "s", *r[column + 1 :]] for r in rows[1:])]
    cut.refused(written(everywhere))


@each([QUARTERLY])
def test_an_offence_in_another_group_is_refused(cut):
    rows = cut.cut.rows
    group = rows[0].index("offence_group")
    force = rows[0].index("force_name")
    for row in cut.some(range(1, len(rows)), 15):
        if rows[row][force] in places.FORCES:
            other = "Robbery" if rows[row][group] != "Robbery" else "Fraud offences"
            refusal = cut.refused(written(replaced(rows, row, group, other)))
            assert (refusal.row, refusal.column) == (row + 1, "offence_subgroup")


@each([QUARTERLY])
def test_a_quarter_that_a_force_lacks_is_refused(cut):
    rows = [r for r in cut.cut.rows if r[:3] != ["2013/14", "3", "Surrey"]]
    refusal = cut.refused(written(rows))
    assert "quarter 3 of 2013/14" in str(refusal)
    assert "Surrey" in str(refusal)


@each([QUARTERLY])
def test_a_row_of_noughts_that_only_some_forces_print_is_no_loss(cut):
    rows = cut.cut.rows
    extra = ["2013/14", "2", "Surrey", "Keeping a dragon", "Robbery",
             "Robbery of personal property", "34C", "0"]  # fmt: skip
    assert cut.same_or_refused(written([*rows, extra])) is None
    extra[-1] = "1"
    assert "Keeping a dragon" in str(cut.refused(written([*rows, extra])))


@each([DEFLATOR, CPIH])
def test_an_index_that_was_altered_does_not_tie_with_its_year(cut):
    rows = cut.cut.rows
    # CPIH's file prints quarters too, which are not read.
    part = "2009 MAY" if cut.cut is CPIH else "2009 Q2"
    first = next(n for n, row in enumerate(rows) if row[0] == part)
    altered = replaced(rows, first, 1, str(float(rows[first][1]) + 12))
    assert "2009" in str(cut.refused(written(altered)))
    for text in ("see note", "-3", "0", "1,5"):
        refusal = cut.refused(written(replaced(rows, first, 1, text)))
        assert refusal.row == first + 1
    scaled = [
        [r[0], str(float(r[1]) * 1000)] if r[0][:2] in ("19", "20") and r[1] else r for r in rows
    ]
    assert "unit" in str(cut.refused(written(scaled)))


@each([WORKFORCE, ROLLING, QUARTERLY, POPULATION, DEFLATOR, CPIH, STRENGTH])
def test_another_edition_is_not_cited_as_this_one(cut):
    last = {
        WORKFORCE: (b"2022-03-01", b"2023-03-01"), ROLLING: (b"31-12-2018", b"31-03-2019"),
        QUARTERLY: (b"2023/24,1", b"2023/24,2"), POPULATION: (b",2020,", b",2021,"),
        DEFLATOR: (b"30-06-2025", b"30-09-2025"), CPIH: (b"16-07-2025", b"20-08-2025"),
        STRENGTH: (b"Mar-26", b"Apr-26"),
    }[cut.cut]  # fmt: skip
    content = cut.cut.path.read_bytes()
    assert last[0] in content
    assert "the edition cited" in str(cut.refused(content.replace(*last)))


@each([DEFLATOR])
def test_a_series_that_is_not_known_is_refused(cut):
    content = cut.cut.path.read_bytes().replace(b'"YBGB"', b'"ABMI"')
    assert "CDID" in str(cut.refused(content))


# Table P5: a sheet, not a text file


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    (cut,) = json.loads((CUTS / "force_area_tables.json").read_text(encoding="utf-8"))
    return Sheet(cut["file"], cut["sheet"], cut["rows"])


def _refused(sheet: Sheet, rows: Rows) -> SourceError | None:
    """Return the refusal of a damaged P5, None if read to the same figures."""
    damaged = Sheet(sheet.file, sheet.name, rows)
    frame, refusal = attempt(lambda: force_area_tables.parse_p5(damaged)[list(OFFENCES)])
    if refusal is None:
        whole = force_area_tables.parse_p5(sheet)[list(OFFENCES)]
        pd.testing.assert_frame_equal(frame, whole)
    else:
        assert (refusal.file, refusal.sheet) == (sheet.file, sheet.name)
    return refusal


def _p5_figures(sheet: Sheet) -> Iterator[tuple[int, int]]:
    """Yield row and column of every force's number of offences."""
    for row, cells in enumerate(sheet.rows):
        if str(cells[0]).startswith(("E23", "W15")):
            yield from ((row, column) for column in range(2, 20, 2))


def test_knife_offences_are_read_for_all_forces_and_nine_years(sheet):
    frame = force_area_tables.parse_p5(sheet)
    assert len(frame) == 43 * 9
    met = frame[frame["force"] == "Metropolitan Police"].set_index("financial_year")["offences"]
    # Printed in P5: 13,341 in 2010/11, 14,842 in 2018/19.
    assert (met["2010/11"], met["2018/19"]) == (13_341, 14_842)
    assert value(frame, "offences", force="Northumbria", financial_year="2018/19") == 942
    assert not frame["force"].str.contains(r"\d").any()


def test_every_altered_knife_figure_breaks_the_printed_total(sheet):
    for row, column in list(_p5_figures(sheet))[::7]:
        rows = replaced(sheet.rows, row, column, sheet.rows[row][column] + 1)
        assert "add up to" in str(_refused(sheet, rows))


def test_text_for_a_knife_figure_is_refused_with_its_cell(sheet):
    for row, column in list(_p5_figures(sheet))[::11]:
        refusal = _refused(sheet, replaced(sheet.rows, row, column, "see note"))
        assert refusal is not None
        assert (refusal.row, refusal.column) == (row + 1, column + 1)


def test_a_knife_table_without_a_column_or_row_is_refused_or_the_same(sheet):
    refused = 0
    for column in range(len(sheet.rows[0])):
        rows = [row[:column] + row[column + 1 :] for row in sheet.rows]
        refused += _refused(sheet, rows) is not None
    for row in range(len(sheet.rows)):
        refused += _refused(sheet, sheet.rows[:row] + sheet.rows[row + 1 :]) is not None
    # Names, codes and nine columns of numbers; two rows of headings, the country's, the
    # transport police's and every force's.
    assert refused == 11 + 2 + 2 + 43


def test_a_knife_table_with_headings_moved_or_renamed_is_refused_or_the_same(sheet):
    for row in (3, 4):
        for column in range(1, len(sheet.rows[row]) - 1):
            cells = sheet.rows[row]
            moved = [*cells[:column], "", *cells[column:-1]]
            _refused(sheet, [*sheet.rows[:row], moved, *sheet.rows[row + 1 :]])
            _refused(sheet, replaced(sheet.rows, row, column, "renamed"))


def test_a_force_renamed_recoded_or_printed_twice_in_the_knife_table_is_refused(sheet):
    rows = [n for n, _ in itertools.groupby(_p5_figures(sheet), key=lambda place: place[0])]
    assert len(rows) == 43
    for row in rows[::6]:
        refusal = _refused(sheet, replaced(sheet.rows, row, 1, "Metropole"))
        assert refusal is not None
        assert refusal.row == row + 1
        assert _refused(sheet, replaced(sheet.rows, row, 0, "K99")) is not None
        twice = [*sheet.rows[: row + 1], *sheet.rows[row:]]
        assert "twice" in str(_refused(sheet, twice))


@pytest.mark.parametrize("factor", [1000, 0.001])
def test_knife_offences_in_another_unit_are_refused(sheet, factor):
    rows = [[c * factor if isinstance(c, float) else c for c in row] for row in sheet.rows]
    assert "whole number" in str(_refused(sheet, rows))


# Cells


@unhurried
@given(st.text(max_size=12))
def test_a_cell_is_a_finite_number_a_mark_of_absence_or_an_error(text):
    try:
        number = read_number(text)
    except ValueError:
        return
    assert number == number or not any(c.isdigit() for c in text)
    assert abs(number) != float("inf")


@unhurried
@given(
    st.floats(allow_nan=False, allow_infinity=False, width=32), st.sampled_from(["", " [r]", "*"])
)
def test_a_printed_number_is_read_back(number, note):
    assert read_number(f"{number!r}{note}") == number
    assert read_number(f"{number:,.4f}{note}") == float(f"{number:.4f}")
    assert read_number(number) == number


@unhurried
@given(st.integers(0, 10**9))
def test_brackets_are_negatives_and_pounds_are_left_out(number):
    assert read_number(f"({number:,})") == -number
    assert read_number(f"£{number:,}") == number
    assert read_number(f"(£{number:,})") == -number


@pytest.mark.parametrize(
    "text", ["12,5", "1,23,456", "12.5.1", "5%", "5p", "1 000", "- 5", "((5))"]
)
def test_what_could_be_two_numbers_is_none(text):
    with pytest.raises(ValueError, match="not a number"):
        read_number(text)


# The files themselves

OWN = {
    "workforce": (workforce, "police-workforce-open-data-march-2007-2022.csv"),
    "rolling": (recorded_crime_rolling, "rec-crime-pfa.csv"),
    "quarterly": (recorded_crime_quarterly, "prc-pfa-mar2013-onwards-tables-191023.csv.gz"),
    "knife": (force_area_tables, "policeforceareatablesyeendingmarch2019.xlsx"),
    "authorities": (geography, "lad_csp_pfa_lookup_dec2016.csv"),
    "population": (population, "la_pop_single_year_age_1997_2020_nomis.csv"),
    "deflator": (ons_series, "ons_ybgb_gdp_deflator_2025-06-30.csv"),
    "cpih": (ons_series, "ons_l522_cpih_2025-07-16.csv"),
    "strength": (met_strength, "Police_Force_Strength.csv"),
    "budget": (quoted, "met_budget_points_from_pages.csv"),
    "claims": (quoted, "claims_evidence.csv"),
}


@pytest.fixture(scope="module")
def raw(official: Path) -> dict[str, RawFile]:
    found = {path.name: RawFile(path) for path in official.rglob("*") if path.is_file()}
    return {key: found[name] for key, (_, name) in OWN.items()}


@pytest.fixture(scope="module")
def frames(raw: dict[str, RawFile]) -> dict[str, pd.DataFrame]:
    return {
        "workforce": workforce.read(raw["workforce"]),
        "rolling": recorded_crime_rolling.read(raw["rolling"]),
        "quarterly": recorded_crime_quarterly.read(raw["quarterly"]),
        "knife": force_area_tables.read(raw["knife"]),
        "population": population.read(raw["population"], geography.authorities(raw["authorities"])),
        "strength": met_strength.read(raw["strength"]),
    }


@pytest.mark.official
def test_each_reader_knows_its_own_file_and_no_other(official, raw):
    modules = {module for module, _ in OWN.values()}
    expected = {name: module for module, name in OWN.values()}
    for path in sorted(p for p in official.rglob("*") if p.is_file()):
        claimed = {m for m in modules if m.recognise(RawFile(path)) is not None}
        assert claimed == ({expected[path.name]} if path.name in expected else set()), path.name


@pytest.mark.official
def test_the_cuts_are_lines_of_the_published_files(raw):
    for cut, key in {
        WORKFORCE: "workforce", ROLLING: "rolling", QUARTERLY: "quarterly", CPIH: "cpih",
        AUTHORITIES: "authorities", POPULATION: "population", DEFLATOR: "deflator",
        STRENGTH: "strength", BUDGET: "budget", CLAIMS: "claims",
    }.items():  # fmt: skip
        content = raw[key].path.read_bytes()
        content = gzip.decompress(content) if key == "quarterly" else content
        assert set(cut.path.read_bytes().splitlines(True)) <= set(content.splitlines(True)), key


@pytest.mark.official
def test_the_forces_officers_add_up_to_the_published_strength_of_the_country(frames, official):
    officers = frames["workforce"].query("measure == 'officers'")
    assert officers.groupby("date").size().to_dict() == {
        f"{y}-03-31": 43 for y in range(2007, 2023)
    }
    folder = official / "home_office" / "workforce"
    published = pd.read_csv(folder / "police-strength-england-wales-1977-2022.csv")
    national = published.set_index("date")["officers"]
    sums = officers.groupby("date")["fte"].sum()
    # Home Office, England and Wales: 143,734.44 on 31 March 2010.
    assert round(sums["2010-03-31"], 2) == 143_734.44
    assert (sums - national.reindex(sums.index)).abs().max() < 0.01


@pytest.mark.official
def test_the_two_files_of_recorded_crime_meet_where_they_overlap(frames):
    keys = ["force", "financial_year", "offence_group"]
    both = frames["rolling"].merge(frames["quarterly"], on=keys, validate="one_to_one")
    differ = both["offences_x"] != both["offences_y"]
    # The year in which the shipped table passes from one file to the other is the same in both.
    assert len(both[both["financial_year"] == "2013/14"]) == 43 * 10
    assert not differ[both["financial_year"] == "2013/14"].any()
    # Only what has rows of its own from 2013/14 is elsewhere in 2012/13.
    moved = both[differ & (both["financial_year"] == "2012/13")]
    assert set(moved["offence_group"]) == {"violence_with_injury", "violence_without_injury"}
    # Later editions revise: the country's robberies by less than half a per cent in any year.
    robbery = both[both["offence_group"] == "robbery"].groupby("financial_year")
    sums = robbery[["offences_x", "offences_y"]].sum()
    assert (sums["offences_y"] / sums["offences_x"] - 1).abs().max() < 0.005


@pytest.mark.official
def test_violence_is_the_sum_of_its_parts_in_both_files(frames):
    parts = [
        "homicide", "violence_with_injury", "violence_without_injury", "stalking_and_harassment",
        "death_or_injury_driving",
    ]  # fmt: skip
    for name in ("rolling", "quarterly"):
        wide = frames[name].pivot(
            index=["force", "financial_year"], columns="offence_group", values="offences"
        )
        assert (wide[parts].sum(axis=1) == wide["violence_against_the_person"]).all()
        assert (wide["total_excluding_fraud"] > wide["violence_against_the_person"]).all()
        assert len(wide) == 43 * (16 if name == "rolling" else 11)


@pytest.mark.official
def test_knife_offences_are_those_of_the_workbook(frames, sheet):
    pd.testing.assert_frame_equal(frames["knife"], force_area_tables.parse_p5(sheet))


@pytest.mark.official
def test_the_forces_residents_add_up_to_the_country(frames, official):
    forces = frames["population"].query("kind == 'force'").groupby("year")["population"].sum()
    folder = official / "home_office" / "workforce"
    printed = pd.read_csv(folder / "police-strength-england-wales-1977-2022.csv")
    # Printed to the hundred beside the strength of the country; 2020's to the thousand.
    gap = (forces - printed.set_index("year")["population"]).abs()
    assert gap[list(range(2001, 2020))].max() <= 100
    assert gap[2020] < 500


@pytest.mark.official
def test_mopacs_monthly_count_is_a_little_below_the_home_offices_each_march(frames):
    officers = frames["workforce"].query(
        "force == 'Metropolitan Police' and measure == 'officers'"
    ).set_index("date")["fte"]  # fmt: skip
    monthly = frames["strength"].query("measure == 'officers'").set_index("month")["fte"]
    below = [1 - monthly[f"{y}-03"] / officers[f"{y}-03-31"] for y in range(2014, 2023)]
    # The index of the official files: 0.7 to 1.5 per cent.
    assert min(below) > 0.006
    assert max(below) < 0.016
