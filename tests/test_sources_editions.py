"""Editions, censuses and single figures: readers of tables that stand beside the main ones.

The cuts under ``cuts/`` are cells and lines of the published files, unchanged.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from crime_analysis import places
from crime_analysis.errors import SourceError
from crime_analysis.sources import (
    census_population,
    force_area_editions,
    force_area_tables,
    quoted,
    quoted_figures,
)
from crime_analysis.sources.rawfile import RawFile
from crime_analysis.sources.sheet import Sheet

CUTS = Path(__file__).parent / "cuts"
Rows = list[list[Any]]
MET, GREATER_MANCHESTER = "Metropolitan Police", "Greater Manchester"


def sheets(name: str) -> list[Sheet]:
    cuts = json.loads((CUTS / f"{name}.json").read_text(encoding="utf-8"))
    return [Sheet(c["file"], c["sheet"], c["rows"]) for c in cuts]


P5_LATEST, P5_2018, P3_LATEST, P3_2018 = sheets("force_area_editions")
(CENSUS,) = sheets("census_population")
LATEST, SEPTEMBER_2018 = force_area_editions.EDITIONS[-1], force_area_editions.EDITIONS[2]


def knife(sheet: Sheet, edition: force_area_editions.Edition = LATEST) -> pd.DataFrame:
    return force_area_tables.parse_knife(sheet, edition.periods)


def put(sheet: Sheet, row: int, column: int, cell: Any) -> Sheet:
    rows = copy.deepcopy(sheet.rows)
    rows[row][column] = cell
    return Sheet(sheet.file, sheet.name, rows)


def row_of(sheet: Sheet, name: str, column: int = 1) -> int:
    return next(n for n, row in enumerate(sheet.rows) if str(row[column]).startswith(name))


# Knife offences


def test_an_edition_gives_financial_years_and_two_years_of_its_own_month():
    frame = knife(P5_LATEST)
    met = frame[frame["force"] == MET].set_index("period")["offences"]
    # ONS, Table P5, year ending December 2019.
    assert (met["2010/11"], met["2018/19"]) == (13_341, 14_842)
    assert (met["year ending 2018-12"], met["year ending 2019-12"]) == (14_663, 15_462)
    earlier = knife(P5_2018, SEPTEMBER_2018)
    assert set(earlier["period"]) == set(SEPTEMBER_2018.periods)
    assert len(earlier) == 43 * 10


def test_a_force_that_an_edition_leaves_out_has_no_row_and_no_other_may_be_left_out():
    frame = knife(P5_LATEST)
    without = frame[frame["force"] == GREATER_MANCHESTER]
    assert list(without["period"]) == [p for p in LATEST.periods if p < "2017/18"]
    assert len(frame) == 43 * 11 - 4
    row = row_of(P5_LATEST, "Kent")
    with pytest.raises(SourceError, match="expected a number, found none"):
        knife(put(P5_LATEST, row, 20, ".."))
    # Nor is it left out where the country's total counts it.
    row = row_of(P5_2018, GREATER_MANCHESTER)
    with pytest.raises(SourceError, match="no figure of Greater Manchester in 2010/11"):
        knife(put(P5_2018, row, 2, ".."), SEPTEMBER_2018)


@pytest.mark.parametrize(("sheet", "edition"), [(P5_LATEST, LATEST), (P5_2018, SEPTEMBER_2018)])
def test_an_altered_figure_breaks_the_total_of_the_country_or_of_the_country_without_it(
    sheet, edition
):
    for name in ("Cleveland", MET, "Dorset", "South Wales"):
        row = row_of(sheet, name)
        for column in (2, 18, 20):
            with pytest.raises(SourceError, match="add up to"):
                knife(put(sheet, row, column, sheet.rows[row][column] + 1), edition)


def test_periods_that_are_no_year_or_not_the_editions_are_refused():
    column = next(c for c, cell in enumerate(P5_LATEST.rows[3]) if "Jan '18" in str(cell))
    with pytest.raises(SourceError, match="not a year"):
        knife(put(P5_LATEST, 3, column, "Jan '18 to Mar '19"))
    with pytest.raises(SourceError, match="expected the years"):
        knife(put(P5_LATEST, 3, column, "Oct '17 to Sep '18"))
    with pytest.raises(SourceError, match="expected the years"):
        knife(P5_LATEST, SEPTEMBER_2018)


# The population that rates are per


def test_residents_are_those_of_the_mid_year_in_the_heading():
    frame = force_area_editions.parse_population(P3_2018).set_index("place")
    assert set(frame["year"]) == {2016}
    # ONS, Table P3, year ending March 2018: 8,762,400.
    assert frame.at[MET, "population"] == 8_762_400
    assert len(frame) == 43
    latest = force_area_editions.parse_population(P3_LATEST)
    assert set(latest["year"]) == {2018}
    assert set(places.FORCES) - set(latest["place"]) == {GREATER_MANCHESTER}


def test_residents_in_another_unit_or_without_their_mid_year_are_refused():
    heading = next(r for r, row in enumerate(P3_2018.rows) if "Area Code" in row)
    with pytest.raises(SourceError, match="mid-year"):
        force_area_editions.parse_population(put(P3_2018, heading, 2, "Population figures"))
    for factor in (0.001, 1000):
        rows = [[c * factor if isinstance(c, float) else c for c in row] for row in P3_2018.rows]
        with pytest.raises(SourceError, match="residents to the hundred"):
            force_area_editions.parse_population(Sheet("cut.xlsx", "Table P3", rows))
    kent = row_of(P3_2018, "Kent")
    with pytest.raises(SourceError, match="add up to"):
        force_area_editions.parse_population(put(P3_2018, kent, 2, P3_2018.rows[kent][2] + 100_000))
    rows = [row for n, row in enumerate(P3_2018.rows) if n != kent]
    with pytest.raises(SourceError, match="no figures for \\['Kent'\\]"):
        force_area_editions.parse_population(Sheet("cut.xlsx", "Table P3", rows))


# The census


def test_boroughs_the_city_and_the_mets_district_have_their_residents_by_census():
    frame = census_population.parse(CENSUS).set_index(["kind", "place", "year"])["population"]
    assert len(frame) == (32 + 2) * 4
    # GLA: Barnet 356,386 and Greater London 8,173,941 with the City's 7,375 in 2011.
    assert frame["borough", "Barnet", 2011] == 356_386
    assert frame["force", "City of London", 2011] == 7_375
    assert frame["force", MET, 2011] == 8_173_941 - 7_375
    assert (frame["borough"].groupby("year").sum() == frame["force", MET]).all()


def test_a_census_whose_boroughs_do_not_make_london_is_refused():
    barnet = row_of(CENSUS, "Barnet", 0)
    for column in (4, 5, 6, 7):
        changed = put(CENSUS, barnet, column, CENSUS.rows[barnet][column] + 1)
        with pytest.raises(SourceError, match="add up to"):
            census_population.parse(changed)
    rows = [*CENSUS.rows, CENSUS.rows[barnet]]
    with pytest.raises(SourceError, match="printed twice"):
        census_population.parse(Sheet("cut.xlsx", "data", rows))
    rows = [row for n, row in enumerate(CENSUS.rows) if n != barnet]
    with pytest.raises(SourceError, match="no row of \\['Barnet'\\]"):
        census_population.parse(Sheet("cut.xlsx", "data", rows))
    with pytest.raises(SourceError, match=r"row 4, column 1: .*Atlantis"):
        census_population.parse(put(CENSUS, barnet, 0, "Atlantis"))
    with pytest.raises(SourceError, match="expected the censuses"):
        census_population.parse(put(CENSUS, 0, 5, "1999"))


# Single figures


def lists() -> Iterator[Path]:
    yield from sorted(CUTS.glob("quoted_*.csv"))


every_list = pytest.mark.parametrize("path", list(lists()), ids=lambda path: path.stem)


@every_list
def test_every_list_is_known_and_each_figure_has_its_address(path):
    raw = RawFile(path)
    assert quoted_figures.recognise(raw) in quoted_figures.PUBLICATIONS
    frame = quoted_figures.read(raw)
    assert len(frame) == len(path.read_text(encoding="utf-8").splitlines()) - 1
    assert (frame["address"].str.len() > 10).all()
    assert frame["value"].notna().all()
    assert set(frame["place"]) <= {MET, "London", "England", "England and Wales"}


@every_list
@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda line, value: line.replace(value, "see note", 1), "number"),
        (lambda line, value: line.replace(value, f"{float(value) * 1000:.0f}", 1), "cannot be"),
        (lambda line, value: line + "\n" + line, "repeats"),
        (lambda line, value: line + ",more", "cells"),
    ],
    ids=["text", "thousands", "twice", "one cell more"],
)
def test_a_damaged_figure_is_refused_by_line(tmp_path, path, change, match):
    heading, first, *rest = path.read_text(encoding="utf-8").splitlines()
    frame = quoted_figures.read(RawFile(path))
    value = next(c for c in first.split(",") if c.replace(".", "").isdigit()
                 and float(c) == frame["value"].iloc[0])  # fmt: skip
    copied = tmp_path / path.name
    damaged = change(first, value)
    copied.write_text("\n".join([heading, damaged, *rest]) + "\n", encoding="utf-8")
    with pytest.raises(SourceError, match=match) as refusal:
        quoted_figures.read(RawFile(copied))
    assert refusal.value.row in (2, 3)


def test_figures_of_the_country_are_not_the_mets():
    frame = quoted_figures.read(RawFile(CUTS / "quoted_met_quoted_figures.csv"))
    country = frame[frame["measure"].str.endswith("_EW43")]
    assert set(country["place"]) == {"England and Wales"}
    # The list itself: the Met's knife offences on the current and on the older basis.
    knives = frame.query("measure == 'knife_offences' and period == '2019/20'")
    assert dict(zip(knives["value"], knives["definition"].str[:5], strict=True)) == {
        14_680: "HO kn", 15_928: "older",
    }  # fmt: skip


def test_the_list_of_the_budget_is_read_whole_with_its_notes():
    frame = quoted.read_budget(RawFile(CUTS / "met_budget.csv"))
    assert len(frame) == 10
    found = frame.set_index("period")
    assert found.at["2017/18", "value"] == 3_269
    assert found.at["2017/18", "definition"] == "70% Home Office"
    assert found.at["2005/06", "definition"] == "not said"


def test_a_list_of_other_headings_is_not_known(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("area,period,measure,value,source_url\nMet,2010,swans,3,somewhere\n")
    assert quoted_figures.recognise(RawFile(path)) is None
    with pytest.raises(SourceError, match=r"points\.csv"):
        quoted_figures.read(RawFile(path))


# The files themselves


@pytest.mark.official
def test_each_reader_claims_its_own_files_and_no_other(official: Path):
    claimed: dict[str, list[str]] = {}
    modules = (census_population, force_area_editions, quoted_figures)
    for path in sorted(p for p in official.rglob("*") if p.is_file()):
        raw = RawFile(path)
        for module in modules:
            publication = module.recognise(raw) if raw.is_text or raw.is_workbook else None
            if publication:
                claimed.setdefault(module.__name__, []).append(publication.id)
                others = (force_area_tables, quoted)
                assert not any(m.recognise(raw) for m in others), path.name
    name = census_population.__name__
    assert claimed[name] == [census_population.PUBLICATION.id]
    for module in (force_area_editions, quoted_figures):
        assert sorted(claimed[module.__name__]) == sorted(p.id for p in module.PUBLICATIONS)


@pytest.mark.official
def test_all_eight_editions_are_read_and_tie_to_their_totals(official: Path):
    folder = official / "ons" / "police_force_area_tables"
    ends = {}
    for path in sorted(folder.glob("*.xlsx")):
        raw = RawFile(path)
        if force_area_editions.recognise(raw):
            frame = force_area_editions.read(raw)
            ends[frame["edition"].iloc[0]] = len(frame)
            assert frame["force"].nunique() == 43
            people = force_area_editions.read_population(raw)
            assert len(people) in (42, 43)
        else:
            ends[force_area_tables.ENDS] = len(force_area_tables.read(raw))
    # 43 forces and 8 to 11 periods; Greater Manchester lacks four in the last two editions.
    assert ends == {
        "2018-03": 344, "2018-06": 430, "2018-09": 430, "2018-12": 430,
        "2019-03": 387, "2019-06": 473, "2019-09": 469, "2019-12": 469,
    }  # fmt: skip


@pytest.mark.official
def test_the_cuts_are_cells_and_lines_of_the_published_files(official: Path):
    files = {path.name: path for path in official.rglob("*") if path.is_file()}
    for path in lists():
        name = path.name.removeprefix("quoted_")
        assert path.read_bytes() == files[name].read_bytes(), name
    for cut in [P5_LATEST, P5_2018, P3_LATEST, P3_2018]:
        whole = RawFile(files[cut.file]).sheet(cut.name)
        for number, row in enumerate(cut.rows):
            assert row == whole.rows[number][: len(row)], (cut.file, number)
    whole = RawFile(files[CENSUS.file]).sheet(CENSUS.name)
    for number, row in enumerate(CENSUS.rows):
        assert row == [whole.rows[number][c] for c in (0, *range(17, 24))]
