"""Any cell of any shipped table can be followed back to the cells it was made from."""

import random

import numpy as np
import pytest

from crime_analysis import build, catalog, cli, codebook, places, provenance
from crime_analysis.errors import DataError, ParameterError, UnknownNameError
from crime_analysis.sources.origin import Origin, Traced, at, combine, expand, span

MET = "Metropolitan Police"


def test_the_met_in_2018_is_followed_to_its_rows_in_the_home_office_file():
    found = provenance.trace("officers", force=MET, date="2018-03-31")
    assert found.value == 30390.23
    (cells,) = found.cells
    assert cells.source["publisher"] == "Home Office"
    assert len(cells.source["sha256"]) == 64
    assert cells.origin.column == "total_fte"
    assert len(expand(cells.origin.rows)) > 1
    assert any("sex and rank" in step for step in found.steps)
    assert "workforce" in str(found)


def test_a_sheets_figure_is_followed_to_sheet_row_and_column():
    found = provenance.trace(
        "funding", force=MET, financial_year="2009/10", series="hmic_estimates",
        component="formula_funding",
    )  # fmt: skip
    (cells,) = found.cells
    assert cells.origin.sheet == "Section 1. Income & Expenditure"
    assert cells.origin.factor == 0.001
    assert found.value == pytest.approx(1978.28)


def test_a_register_says_where_it_is_kept():
    found = provenance.trace("breaks", "what", id="recording-inspection")
    assert found.cells == ()
    assert "breaks.py" in str(found)


@pytest.mark.parametrize(
    ("table", "key", "said"),
    [
        ("officers", {"force": "Surey", "date": "2018-03-31"}, "Surrey"),
        ("officers", {"forse": "Surrey"}, "force"),
        ("oficers", {}, "officers"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(table, key, said):
    with pytest.raises(UnknownNameError, match=said):
        provenance.trace(table, **key)


def test_a_key_that_names_several_rows_is_refused_with_what_is_missing():
    with pytest.raises(ParameterError, match="date"):
        provenance.trace("officers", force="Surrey")
    with pytest.raises(UnknownNameError, match="officers_fte"):
        provenance.trace("officers", "officer_fte", force="Surrey", date="2018-03-31")


def test_every_figure_of_every_table_has_cells_or_is_nothing():
    for spec in codebook.TABLES:
        frame = catalog.load(spec.name)
        if "provenance" not in catalog.describe(spec.name):
            assert spec.made_by
            continue
        for field in spec.fields:
            if field.type != "number" or field.name in spec.key:
                continue
            for row in range(0, len(frame), 97):
                value = frame[field.name].iloc[row]
                found = provenance.trace_row(spec, row, field.name, {}, value)
                # Where a publisher prints no row there is no cell, and the count is nought.
                assert found.cells or np.isnan(value) or value == 0, (spec.name, field.name, row)


@pytest.mark.official
def test_500_random_cells_are_worked_out_again_from_the_raw_files(official):
    found = build.recognise(official)
    rng = random.Random(500)
    tables = [t for t in codebook.TABLES if "provenance" in catalog.describe(t.name)]
    followed = 0
    for spec in tables:
        frame = catalog.load(spec.name)
        for _ in range(-(-500 // len(tables))):
            field = rng.choice(spec.fields)
            row = rng.randrange(len(frame))
            value = frame[field.name].iloc[row]
            told = provenance.trace_row(spec, row, field.name, {}, value)
            if field.type == "string" or field.name in spec.key:
                own = told.cells if field.name not in ("source", "used") else ()
                for cells in own:
                    assert found.files[cells.source["id"]].sha256 == cells.source["sha256"]
                followed += 1
                continue
            if not told.cells:
                assert np.isnan(value) or value == 0
                followed += 1
                continue
            again = provenance.recompute(told.cells, found.files)
            if np.isnan(value):
                assert again == 0  # suppressed: printed as no figure
            else:
                assert again == pytest.approx(value, rel=1e-6, abs=1e-6), (spec.name, field.name)
            followed += 1
    assert followed >= 500


@pytest.mark.official
def test_another_edition_is_not_passed_off_as_the_one_that_was_used(official):
    found = build.recognise(official)
    told = provenance.trace("prices", "cpih", financial_year="2017/18")
    (other,) = [f for f in found.files.values() if f.name.startswith("ons_ybgb")]
    with pytest.raises(DataError, match="another edition"):
        provenance.recompute(told.cells, {told.cells[0].source["id"]: other})
    with pytest.raises(DataError, match="no file"):
        provenance.recompute(told.cells, {})


def test_revisions_list_the_mets_march_2015_both_ways():
    revised = catalog.load("officers_revisions").set_index(["force", "date"])
    met = revised.loc[(MET, "2015-03-31")]
    assert met["first_fte"] == 31877.24
    assert met["later_fte"] == 32251.61


def test_government_share_before_the_cuts_is_in_its_table():
    shares = catalog.load("government_share").query("financial_year == '2009/10'")
    by_force = shares.set_index("force")["share_all_grants"].round(3)
    assert set(by_force.index) == set(places.FORCES)
    assert (by_force["Surrey"], by_force[MET], by_force["Northumbria"]) == (0.548, 0.791, 0.887)


def test_hospital_admissions_of_london_add_up_to_the_published_years():
    # NHS Digital, tabulation of X99 admissions: 930 in 2012-13 and 1,200 in 2017-18; months are
    # rounded to 5, so twelve of them miss a year by some.
    london = catalog.load("hospital_admissions").query("region == 'London'").set_index("month")
    for first, published in (("2012", 930), ("2017", 1200)):
        year = london.loc[f"{first}-04" : f"{int(first) + 1}-03", "admissions"]
        assert len(year) == 12
        assert year.sum() == pytest.approx(published, abs=30)


def test_old_and_new_classes_are_never_in_one_row():
    crime = catalog.load("borough_crime_monthly")
    new, old = (crime[crime["classification"] == c] for c in ("new", "old"))
    assert new["violence_with_injury"].notna().all()
    assert old["violence_with_injury"].isna().all()
    assert new["wounding_gbh"].isna().all()
    assert set(new["place"]) == set(old["place"]) == set(places.BOROUGHS)


def test_the_command_traces_and_lists_revisions(capsys):
    assert cli.main(["data", "trace", "officers", "--force", MET, "--date", "2018-03-31"]) == 0
    out = capsys.readouterr().out
    assert "30390.23" in out
    assert "sha256 " in out
    assert "column total_fte" in out
    assert cli.main(["data", "trace", "officers", "--force", "Surey"]) == 2
    assert "Surrey" in capsys.readouterr().err
    assert cli.main(["data", "trace", "officers", "force"]) == 2
    assert cli.main(["data", "revisions"]) == 0
    assert "32251.61" in capsys.readouterr().out


def test_spans_of_rows_come_back_as_they_were():
    rows = [3, 4, 5, 9, 11, 12]
    assert expand(span(rows)) == rows
    assert combine([at("s", 0, 0), at("s", 1, 0), at("s", 1, 0)]) == (
        Origin("s", "1", "A", 1.0),
        Origin("s", "2", "A", 2.0),
    )


def test_traced_numbers_keep_their_books_or_lose_them_in_the_open():
    a, b = Traced(6.0, at("s", 0, 0)), Traced(3.0, at("s", 0, 1))
    assert (a - b).origin == (Origin("s", "1", "A", 1.0), Origin("s", "1", "B", -1.0))
    assert (a * b / 1000).origin[1].role == "times"
    assert (a / b).origin[1].role == "over"
    assert not isinstance(a + 1, Traced)  # an added constant is no cell
    assert not isinstance((a / b) / b, Traced)
