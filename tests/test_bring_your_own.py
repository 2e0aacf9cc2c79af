"""Newly downloaded publications: what they feed is rebuilt, the rest kept, all or nothing.

Four of the cuts are whole publications, byte for byte (officers of the country, of the Met by
month, and both price indices); with them these tests run anywhere. A later edition is the real
file with its last period once more, moved on.
"""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import test_sources_crime_and_people as people
from test_build_and_catalog import contents

from crime_analysis import build, catalog, codebook, provenance, swap
from crime_analysis.build import earlier
from crime_analysis.build.assemble import READERS, STACKED
from crime_analysis.build.recognised import publications
from crime_analysis.errors import DataError, ParameterError, SourceError
from crime_analysis.sources import (
    met_strength,
    mps_borough_crime,
    mps_borough_table,
    ons_series,
    police_strength,
    population,
    revenue_outturn,
)
from crime_analysis.sources.rawfile import RawFile

CUTS = Path(__file__).parent / "cuts"
SHIPPED = catalog.data_folder()
STRENGTH = (CUTS / "met_strength.csv").read_text(encoding="utf-8")
DEFLATOR = (CUTS / "gdp_deflator.csv").read_text(encoding="utf-8")
cut = people.cut  # the fixture
COUNTRY = (CUTS / "national_police_strength.csv").read_text(encoding="utf-8")


def once_more(text: str, old: str, new: str, where: str = ".*") -> str:
    """Return a file with the lines of its last period once more, moved on to another."""
    lines = [line for line in text.splitlines(keepends=True) if re.match(where, line)]
    moved = [line.replace(old, new) for line in lines if old in line]
    assert moved
    return text + "".join(moved)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    folder = tmp_path / "downloads"
    folder.mkdir()
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A copy of the shipped tables to build upon."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "data"))


@pytest.fixture
def using(out: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, and what `catalog` and `provenance` read."""
    monkeypatch.setenv("CRIME_ANALYSIS_DATA", str(out))
    return out


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def sources(folder: Path, table: str) -> dict[str, dict[str, str]]:
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    (resource,) = [r for r in package["resources"] if r["name"] == table]
    return {source["id"]: source for source in resource["sources"]}


# Part of a folder


def test_a_publication_of_the_release_gives_the_release_byte_for_byte(raw, out):
    put(raw, "Police_Force_Strength.csv", STRENGTH)
    before = contents(out)
    built = build.build(raw, out)
    assert contents(out) == before
    assert built.rebuilt["met_strength_monthly"] == (0, 0, 0)
    assert set(built.kept.values()) == {""}
    assert "rebuilt met_strength_monthly: the same figures" in str(built)
    assert "kept, as nothing in the folder feeds them: officers, " in str(built)


def test_a_later_month_is_added_under_its_own_edition_and_all_else_is_kept(raw, using):
    path = put(raw, "force strength (3).csv", once_more(STRENGTH, "Mar-26", "Apr-26"))
    before = contents(using)
    built = build.build(raw, using)
    assert built.rebuilt["met_strength_monthly"] == (1, 0, 0)
    after = contents(using)
    assert sorted(n for n in after if after[n] != before.get(n)) == [
        "datapackage.json", "met_strength_monthly.csv", "provenance/met_strength_monthly.csv.gz",
    ]  # fmt: skip
    ((key, source),) = sources(using, "met_strength_monthly").items()
    assert key == "mopac-police-force-strength-to-2026-04"
    assert source["edition"] == "to 2026-04; the file prints no edition"
    assert (source["file"], source["sha256"]) == (path.name, RawFile(path).sha256)
    assert source["obtained"] == "by whoever rebuilt the table"
    assert "since added: Mayor's Office" in catalog.describe("met_strength_monthly")["description"]
    assert set(catalog.load("met_strength_monthly")["source"]) == {key}
    told = provenance.trace("met_strength_monthly", month="2026-04")
    assert told.value == 31181
    assert provenance.recompute(told.cells, build.recognise(raw).files) == 31181
    for resource in catalog.package()["resources"]:
        catalog.load(resource["name"])
        provenance.verify(resource["name"])


def test_a_later_vintage_of_the_deflator_leaves_consumer_prices_as_they_are(raw, using):
    before = catalog.load("prices")
    later = DEFLATOR.replace("30-06-2025", "30-09-2025").replace(
        '"2024 Q4","113.2"', '"2024 Q4","113.6"'
    )
    put(raw, "ybgb.csv", later.rstrip("\n") + '\n"2025 Q2","115.0"\n')
    built = build.build(raw, using)
    assert built.rebuilt["prices"] == (0, 1, 0)
    after = catalog.load("prices")
    assert after["cpih"].equals(before["cpih"])
    assert (after["gdp_deflator"] != before["gdp_deflator"]).sum() == 1
    assert (
        sources(using, "prices")["ons-ybgb-gdp-deflator-2025-09"]["edition"] == "30 September 2025"
    )
    held = sources(using, "prices")[ons_series.CPIH.id]
    assert held["sha256"] == sources(SHIPPED, "prices")[ons_series.CPIH.id]["sha256"]
    told = provenance.trace("prices", "cpih", financial_year="2017/18")
    assert told.cells[0].source == held


def test_a_folder_that_does_not_suffice_for_any_table_is_refused_with_what_to_add(raw, out):
    shutil.copy(CUTS / "population.csv", raw)
    before = contents(out)
    with pytest.raises(
        ParameterError, match=r"population: it also needs .*Police Force Area, lookup"
    ):
        build.build(raw, out)
    assert contents(out) == before


def test_a_table_that_lacks_a_publication_is_kept_and_what_it_lacks_is_said(raw, out):
    shutil.copy(CUTS / "population.csv", raw)
    put(raw, "strength.csv", STRENGTH)
    before = contents(out)
    built = build.build(raw, out)
    assert "kept population as it was: it also needs Office for National Statistics" in str(built)
    assert contents(out)["population.csv"] == before["population.csv"]
    assert "met_strength_monthly" in built.rebuilt


def test_a_folder_that_holds_no_publication_is_refused_with_what_was_found(raw, out):
    put(raw, "notes.csv", "a,b\n1,2\n")
    put(raw, "readme.txt", "nothing\n")
    with pytest.raises(ParameterError, match=r"no publication begins with 'a', 'b'") as refusal:
        build.build(raw, out)
    assert "\n" not in str(refusal.value)
    assert build.recognise(raw).ignored == {
        "notes.csv": "no publication begins with 'a', 'b'",
        "readme.txt": "neither csv nor a spreadsheet",
    }


def test_a_publication_with_a_heading_that_is_not_known_is_named_with_what_it_lacks(raw):
    put(raw, "strength.csv", STRENGTH.replace("PCSO Strength", "Uniformed Support"))
    why = build.recognise(raw).ignored["strength.csv"]
    assert why.startswith("nearest to 'Police Force Strength', but without the column 'PCSO")
    assert "'Uniformed Support'" in why


def test_of_two_editions_in_a_folder_the_later_is_used(raw, using):
    put(raw, "a.csv", once_more(STRENGTH, "Mar-26", "Apr-26"))
    put(raw, "b.csv", STRENGTH)
    found = build.recognise(raw)
    assert found.ignored == {"b.csv": "an earlier edition than a.csv"}
    assert build.build(found, using).rebuilt["met_strength_monthly"] == (1, 0, 0)


def test_a_revision_that_ends_with_the_same_period_is_not_cited_as_the_release(raw, using):
    put(raw, "strength.csv", STRENGTH.replace("30636", "30637"))
    assert build.build(raw, using).rebuilt["met_strength_monthly"] == (0, 1, 0)
    source = sources(using, "met_strength_monthly")[met_strength.PUBLICATION.id]
    assert source["edition"] == "March 2026, or a revision that ends with the same period"
    assert source["obtained"] == "by whoever rebuilt the table"


def test_what_was_added_stays_when_another_publication_is_added_later(raw, using, tmp_path):
    put(raw, "strength.csv", once_more(STRENGTH, "Mar-26", "Apr-26"))
    build.build(raw, using)
    first = contents(using)
    other = tmp_path / "more"
    other.mkdir()
    put(other, "country.csv", once_more(COUNTRY, "2022", "2023", r"2022-03-31,"))
    assert build.build(other, using).rebuilt["officers_national"] == (1, 0, 0)
    second = contents(using)
    assert second["met_strength_monthly.csv"] == first["met_strength_monthly.csv"]
    assert "to-2026-04" in next(iter(sources(using, "met_strength_monthly")))


def test_a_new_folder_takes_over_the_packages_own_tables(raw, tmp_path):
    put(raw, "strength.csv", once_more(STRENGTH, "Mar-26", "Apr-26"))
    build.build(raw, tmp_path / "mine")
    own, mine = contents(SHIPPED), contents(tmp_path / "mine")
    assert sorted(mine) == sorted(own)
    assert mine["officers.csv"] == own["officers.csv"]


def test_a_table_that_was_altered_is_not_kept_unseen(raw, out):
    put(raw, "strength.csv", STRENGTH)
    for name in ("officers.csv", "provenance/officers.csv.gz"):
        whole = (out / name).read_bytes()
        (out / name).write_bytes(whole[:-1])
        before = contents(out)
        with pytest.raises(DataError, match=r"officers\.csv.*cannot be kept"):
            build.build(raw, out)
        assert contents(out) == before
        (out / name).write_bytes(whole)
    build.build(raw, out)


def test_rows_that_stand_are_written_again_to_the_byte():
    """Tables of rows of several publications are written from what was read of them."""
    for name in STACKED:
        content = (SHIPPED / f"{name}.csv").read_bytes()
        assert build._csv(catalog.parse(name, content)) == content, name
        held = earlier.open_earlier(SHIPPED).frame(name)
        assert build._validated(codebook.table(name), held).content == content
        packed = (SHIPPED / catalog.describe(name)["provenance"]["path"]).read_bytes()
        assert build._validated(codebook.table(name), held).origins == gzip.decompress(packed)


# Editions


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (STRENGTH[: STRENGTH.index("Mar-26")], r"ends with 2026-02, but the edition cited"),
        (once_more(STRENGTH, "Mar-26", "May-26"), "periods are missing before 2026-05"),
        (once_more(COUNTRY, "2022", "2024", "2022"), "periods are missing before 2024"),
        (COUNTRY[: COUNTRY.index("2022-03-31")], "ends with 2021, but the edition cited"),
        (DEFLATOR.replace('"2025 Q1","114.1"\n', ""), "not the last that was out by the edition"),
        (DEFLATOR.replace("30-06-2025", "no day"), "no line 'Release date'"),
        (
            (CUTS / "cpih.csv").read_text(encoding="utf-8").replace("2015=100", "2023=100"),
            "no title with the base 2015=100: CPIH was rebased",
        ),
    ],
)  # fmt: skip
def test_an_older_or_broken_edition_is_refused_and_nothing_is_changed(content, words, raw, out):
    put(raw, "download.csv", content)
    before = contents(out)
    with pytest.raises(SourceError, match=words) as refusal:
        build.build(raw, out)
    assert refusal.value.file == "download.csv"
    assert "\n" not in str(refusal.value)
    assert contents(out) == before


def test_an_older_vintage_of_the_deflator_is_read_under_the_day_that_it_prints(raw, using):
    older = DEFLATOR.replace("30-06-2025", "31-03-2025").replace('"2025 Q1","114.1"\n', "")
    put(raw, "ybgb.csv", older)
    build.build(raw, using)
    assert sources(using, "prices")["ons-ybgb-gdp-deflator-2025-03"]["edition"] == "31 March 2025"
    # 2024/25 is not whole in it.
    assert catalog.load("prices")["financial_year"].max() == "2023/24"


@people.each(
    [people.WORKFORCE, people.ROLLING, people.QUARTERLY, people.POPULATION, people.STRENGTH]
)
def test_headings_in_another_style_are_read_to_the_same_figures(cut):
    heading, *lines = cut.cut.path.read_text(encoding="utf-8-sig").splitlines(keepends=True)
    (cells,) = csv.reader([heading])
    for style in (
        lambda cell: cell.replace("_", " ").title(),
        lambda cell: cell.upper().replace(" ", "_"),
        lambda cell: re.sub(r"_(\w+)$", r" (\1)", cell),
    ):
        restyled = io.StringIO(newline="")
        csv.writer(restyled, lineterminator="\n").writerow([style(cell) for cell in cells])
        content = (restyled.getvalue() + "".join(lines)).encode()
        assert cut.same_or_refused(content) is None
        raw = RawFile(cut.folder / cut.cut.file)
        module = sys.modules[met_strength.__name__.replace("met_strength", _module(cut.cut))]
        assert module.recognise(raw) == module.recognise(RawFile(cut.cut.path))


def _module(cut: people.Cut) -> str:
    return {people.POPULATION: "population"}.get(cut) or cut.read.__module__.rpartition(".")[2]


def test_a_figure_under_a_restyled_heading_is_followed_back_to_its_cell(raw, using):
    put(raw, "strength.csv", STRENGTH.replace("Police Officer Strength", "police_officer_strength"))
    build.build(raw, using)
    told = provenance.trace("met_strength_monthly", month="2018-03")
    assert provenance.recompute(told.cells, build.recognise(raw).files) == told.value == 29924


def test_an_authority_of_a_later_map_is_refused_with_which_map_to_ask_for(raw):
    text = (CUTS / "population.csv").read_text(encoding="utf-8")
    put(raw, "people.csv", text.replace("E06000059", "E06000066"))
    with pytest.raises(SourceError, match=r"E06000066 is in no force.*authorities of April 2021"):
        population.read(RawFile(raw / "people.csv"), people.LOOKUP)


def test_a_borough_without_a_homicide_row_is_refused_with_the_reason(tmp_path):
    rows = list(csv.reader(io.StringIO((CUTS / "london_crime_2024.csv").read_text("utf-8"))))
    lost = [r for r in rows if r[1:3] != ["HOMICIDE", rows[1][2]]]
    with (tmp_path / "later.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(lost)
    with pytest.raises(SourceError, match="a lost row cannot be told from a count of none"):
        mps_borough_table.parse(RawFile(tmp_path / "later.csv"), mps_borough_crime.NEW)


class Workbook(RawFile):
    """A workbook of which only the names of its sheets are known."""

    def __init__(self, *names: str) -> None:
        self.path, self.name = Path("book.xlsx"), "book.xlsx"
        self.__dict__["sheet_names"] = list(names)


def test_an_outturn_of_another_year_is_known_by_its_sheet_and_an_earlier_layout_is_not():
    found = revenue_outturn.recognise(Workbook("Cover", "RS LA Data 2016-17"))
    assert found.id == "revenue-outturn-summary-2016-17"
    assert found.edition == "the file prints no edition"
    assert revenue_outturn.recognise(Workbook("RS LA Data 2008-09")) is None


def test_the_last_edition_is_the_same_publication_as_that_of_the_release():
    for text, module in ((STRENGTH, met_strength), (COUNTRY, police_strength)):
        name = {met_strength: "met_strength.csv", police_strength: "national_police_strength.csv"}
        assert module.recognise(RawFile(CUTS / name[module])) is module.PUBLICATION
        assert text.endswith("\n")
    for module in READERS:
        for publication in publications(module):
            assert publication.id.startswith(publication.series), publication


# Later editions of the official files


def _text(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8")


def _knife(path: Path) -> str:
    later = once_more(_text(path), "2026-02-01", "2026-03-01").replace("2026-03-18", "2026-04-15")
    return re.sub(r"(?m)^2022-03-01.*\n", "", later)


def _boroughs(path: Path) -> str:
    rows = list(csv.reader(io.StringIO(_text(path), newline="")))
    for number, row in enumerate(rows):
        del row[3]
        row.append(row[-1] if number else "202604")
    rows[0][2] = "LookUp_BoroughName"
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _workforce(path: Path) -> str:
    return once_more(_text(path), "2022-03-01", "2023-03-01")


def _quarters(path: Path) -> str:
    return once_more(_text(path), "2023/24,1,", "2023/24,2,")


def _csp(path: Path) -> str:
    return _text(path).replace("June 2025", "June 2026")


LATER: dict[str, tuple[str, Callable[[Path], str], dict[str, tuple[int, int, int]]]] = {
    "workforce": (
        "home_office/workforce/police-workforce-open-data-march-2007-2022.csv", _workforce,
        {"officers": (43, 0, 0), "officers_overlap": (0, 0, 0)},
    ),
    "recorded crime": (
        "home_office/recorded_crime/prc-pfa-mar2013-onwards-tables-191023.csv.gz", _quarters,
        {"recorded_crime": (0, 0, 0), "recorded_crime_quarterly": (43, 0, 0)},
    ),
    "knife dashboard": (
        "london/recorded_crime/mps-monthly-crime-dashboard-knife-202203-202602.csv.gz", _knife,
        {"knife_offences": (64, 0, 0)},
    ),
    "boroughs": (
        "london/recorded_crime/mps_borough_crime_202404_202603.csv", _boroughs,
        {"borough_crime_monthly": (32, 0, 0)},
    ),
    "partnerships": (
        "ons/police_force_area_tables/ons_csp_table_C2_ye_june2025.csv", _csp,
        {"borough_crime_latest": (0, (43 + 32) * 23, 0)},
    ),
}  # fmt: skip


@pytest.mark.official
@pytest.mark.parametrize("name", LATER)
def test_a_later_edition_alone_adds_its_figures_to_those_that_stand(name, official, raw, using):
    file, later, expected = LATER[name]
    put(raw, "download.csv", later(official / file))
    before = {table: earlier.open_earlier(SHIPPED).frame(table) for table in expected}
    built = build.build(raw, using)
    registers = {t.name for t in codebook.TABLES if t.made_by}
    assert {k: v for k, v in built.rebuilt.items() if k not in registers} == expected
    found = build.recognise(raw)
    (new,) = found.publications
    for table in expected:
        spec, frame = codebook.table(table), catalog.load(table)
        cited = set(sources(using, table))
        assert new in cited
        old = before[table].set_index(list(spec.key))
        # What other publications gave is as it was, to its cells.
        now = earlier.open_earlier(using).frame(table).set_index(list(spec.key))
        columns = [c for c in now if str(c).endswith("@source")]
        others = now[columns].notna().any(axis=1) & ~now[columns].eq(new).any(axis=1)
        for column in now.columns:
            pd.testing.assert_series_equal(
                now.loc[others, column], old.loc[now.index[others], column]
            )
        # And what the new one gave is what its cells say.
        draw = random.Random(7)
        for row in draw.sample(range(len(frame)), 25):
            field = draw.choice([f.name for f in spec.fields if f.type != "string"])
            told = provenance.trace_row(spec, row, field, {}, frame[field].iat[row])
            if (
                field in spec.key
                or any(c.source["id"] != new for c in told.cells)
                or not told.cells
            ):
                continue
            assert provenance.recompute(told.cells, found.files) == pytest.approx(
                told.value, abs=1e-6
            )


@pytest.mark.official
def test_a_later_workforce_keeps_hmics_years_and_says_which_bulletins_it_lacks(
    official, raw, using
):
    file, later, _ = LATER["workforce"]
    put(raw, "download.csv", later(official / file))
    told = str(build.build(raw, using))
    assert "kept officers_revisions as it was: it also needs Home Office, Police workforce" in told
    assert "(30 September 2015, 30 September 2016" in told
    kent = provenance.trace("officers", force="Kent", date="2006-03-31")
    assert kent.cells[0].source["id"] == "hmic-value-for-money-2010"


@pytest.mark.official
def test_a_month_that_a_rolling_file_prints_no_more_is_kept_with_its_edition(official, raw, using):
    for name in ("boroughs", "knife dashboard"):
        file, later, _ = LATER[name]
        put(raw, f"{name}.csv", later(official / file))
    build.build(raw, using)
    kept = provenance.trace(
        "borough_crime_monthly", "robbery", classification="new", place="Barnet", month="2024-04"
    )
    assert kept.cells[0].source["edition"] == "2024-04 to 2026-03"
    kept = provenance.trace(
        "knife_offences", place="Barnet", period="2022-03", definition="Met dashboard, knife crime"
    )
    assert kept.cells[0].source["edition"] == "18 March 2026"


@pytest.mark.official
def test_recorded_crime_that_does_not_meet_what_stands_is_refused(official, raw, out):
    text = _text(official / LATER["recorded crime"][0])
    put(raw, "download.csv", text.replace("2012/13,1,Kent,Robbery", "2012/13,2,Kent,Rubbery", 0))
    line = next(n for n in text.splitlines() if n.startswith("2012/13,1,Kent,") and "Robbery" in n)
    number = int(line.rsplit(",", 1)[1])
    put(raw, "download.csv", text.replace(line, f"{line.rsplit(',', 1)[0]},{number + 5}", 1))
    before = contents(out)
    with pytest.raises(DataError, match=r"do not meet in 2012/13.*Kent"):
        build.build(raw, out)
    assert contents(out) == before


@pytest.mark.official
def test_any_part_of_the_publications_gives_the_release_or_keeps_it(official):
    """Three parts drawn at random: what each can make is what is shipped, to the byte."""
    whole = dataclasses.replace(build.recognise(official), earlier=earlier.open_earlier(SHIPPED))
    keys = sorted(whole.publications)
    random.Random(3).shuffle(keys)
    made_at_all = set()
    for part in (keys[::3], keys[1::3], keys[2::3]):
        found = dataclasses.replace(
            whole,
            files={k: whole.files[k] for k in part},
            publications={k: whole.publications[k] for k in part},
            readers={k: whole.readers[k] for k in part},
        )
        made, kept = build.tables(found)
        assert set(made) | set(kept) == {t.name for t in codebook.TABLES}
        for name, table in made.items():
            assert table.content == (SHIPPED / f"{name}.csv").read_bytes(), name
            if table.origins:
                packed = (SHIPPED / f"provenance/{name}.csv.gz").read_bytes()
                assert table.origins == gzip.decompress(packed), name
        made_at_all |= set(made)
    assert len(made_at_all) > 15


# Killed at any moment

_REPLACING = """
import itertools, os, sys
from pathlib import Path
from crime_analysis import swap
if sys.argv[2] == "two steps":
    swap._exchange = lambda one, other: False
for turn in itertools.count(int(sys.argv[3])):
    files = {f"{n}.csv": f"{turn}".encode() * 20_000 for n in range(6)}
    swap.replace_folder(Path(sys.argv[1]), files | {"provenance/a.gz": str(turn).encode()})
    print(turn, flush=True)
"""


def _is_whole(folder: Path) -> None:
    found = contents(folder)
    assert len(found) == 7
    turn = found.pop("provenance/a.gz")
    assert set(found.values()) == {turn * 20_000}


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other programs find the package too."""
    monkeypatch.setenv("PYTHONPATH", str(Path(build.__file__).parents[1]))


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("way", ["one step", "two steps"])
def test_killed_at_any_moment_the_old_folder_or_the_new_one_is_whole(way, tmp_path):
    folder = tmp_path / "data"
    draw = random.Random(9)
    for kill in range(8):
        arguments = [sys.executable, "-c", _REPLACING, str(folder), way, str(kill * 1000)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
            process.stdout.readline()  # the first turn is done
            time.sleep(draw.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
            process.wait()
        _is_whole(swap.standing(folder))
        if way == "one step":
            assert folder.is_dir()
    swap.replace_folder(folder, {"a.csv": b"a"})
    assert contents(tmp_path) == {"data/a.csv": b"a"}, "nothing is left beside it"
    assert list(tmp_path.iterdir()) == [folder]


_HALFWAY = """
import os, signal, sys
from crime_analysis import build, swap
swap._exchange = lambda one, other: False
rename, done = os.rename, []
def dying(old, new):
    done.append(new)
    if len(done) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    rename(old, new)
os.rename = dying
build.build(sys.argv[1], sys.argv[2])
"""


@pytest.mark.usefixtures("elsewhere")
def test_killed_between_two_renames_the_old_tables_are_read_and_the_next_build_goes_on(raw, using):
    put(raw, "strength.csv", once_more(STRENGTH, "Mar-26", "Apr-26"))
    before = contents(using)
    assert subprocess.run([sys.executable, "-c", _HALFWAY, raw, using]).returncode == -9
    assert not using.exists()
    assert contents(catalog.data_folder()) == before
    assert len(catalog.load("officers")) > 700
    assert build.build(raw, using).rebuilt["met_strength_monthly"] == (1, 0, 0)
    assert catalog.data_folder() == using
    assert sorted(p.name for p in using.parent.iterdir()) == ["data", "downloads"]


def test_a_folder_in_use_by_another_build_is_left_alone(tmp_path):
    folder = tmp_path / "data"
    with swap._workroom(folder) as other:
        (other / "a.csv").write_bytes(b"half")
        swap.replace_folder(folder, {"b.csv": b"whole"})
        assert (other / "a.csv").read_bytes() == b"half"
    assert contents(tmp_path) == {"data/b.csv": b"whole"}


def test_a_step_that_the_disk_refuses_leaves_the_folder_whole(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    swap.replace_folder(folder, {"a.csv": b"a"})

    def refuse(*arguments: object) -> bool:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(swap, "_exchange", refuse)
    with pytest.raises(OSError, match="Input/output"):
        swap.replace_folder(folder, {"a.csv": b"b"})
    assert contents(tmp_path) == {"data/a.csv": b"a"}
    assert os.listdir(tmp_path) == ["data"]
