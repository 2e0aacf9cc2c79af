"""The shipped tables: built the same each time, swapped in whole, and refused when altered."""

from __future__ import annotations

import dataclasses
import errno
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from crime_analysis import build, catalog, codebook, swap
from crime_analysis.errors import (
    CrimeAnalysisError,
    DataError,
    ParameterError,
    SourceError,
    UnknownNameError,
)
from crime_analysis.sources import hmic_2010, met_strength, ons_series, workforce

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = catalog.data_folder()
NAMES = [table.name for table in codebook.TABLES]
every_table = pytest.mark.parametrize("name", NAMES)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# The shipped tables


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return {name: catalog.load(name) for name in NAMES}


@every_table
def test_every_table_loads_as_its_codebook_describes_it(tables, name):
    spec, frame = codebook.table(name), tables[name]
    assert list(frame.columns) == spec.columns
    assert len(frame) == catalog.describe(name)["rows"]
    assert not frame.duplicated(list(spec.key)).any()
    assert frame.equals(frame.sort_values(list(spec.key), ignore_index=True))
    for field in spec.fields:
        assert field.missing or frame[field.name].notna().all(), field.name


@every_table
def test_the_descriptor_says_what_every_table_holds_and_where_it_comes_from(name):
    resource = catalog.describe(name)
    content = (SHIPPED / resource["path"]).read_bytes()
    assert resource["bytes"] == len(content)
    assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert resource["title"]
    assert resource["description"]
    schema = resource["schema"]
    assert [f["name"] for f in schema["fields"]] == codebook.table(name).columns
    assert set(schema["primaryKey"]) <= {f["name"] for f in schema["fields"]}
    for field in schema["fields"]:
        assert field["type"] in ("string", "integer", "number")
        assert field["description"]
        if field["type"] == "number":
            assert field["unit"], field["name"]
    for source in resource["sources"]:
        for needed in ("id", "publisher", "title", "edition", "licence", "file", "obtained"):
            assert source[needed], needed
        assert re.fullmatch(r"[0-9a-f]{64}", source["sha256"])
    # Only the registers are written here; they cite their sources row by row.
    assert resource["sources"] or name in ("breaks", "assumptions", "claims")


@every_table
def test_every_source_of_a_row_is_in_the_descriptor(tables, name):
    cited = {source["id"] for source in catalog.sources_of(name)}
    if "source" in tables[name] and cited:
        used = {i for ids in tables[name]["source"] for i in ids.split(";")}
        assert used == cited


def test_units_are_in_the_names_of_columns_where_a_reader_could_err():
    for spec in codebook.TABLES:
        for field in spec.fields:
            if field.unit.startswith("£"):
                assert "_gbp_" in field.name
            if field.unit == "full-time equivalents":
                assert field.name.endswith("_fte")


def test_the_descriptor_lists_every_file_and_every_table():
    package = catalog.package()
    assert package["profile"] == "tabular-data-package"
    assert package["licenses"][0]["name"] == "OGL-UK-3.0"
    listed = [resource["path"] for resource in package["resources"]]
    assert set(NAMES) <= {resource["name"] for resource in package["resources"]}
    listed += [r["provenance"]["path"] for r in package["resources"] if "provenance" in r]
    assert sorted([*listed, "datapackage.json"]) == sorted(contents(SHIPPED))


def test_the_data_are_small_and_name_no_machine():
    shipped = contents(SHIPPED)
    assert sum(map(len, shipped.values())) < 8_000_000
    machine = re.compile(rb"(?<![\w.-])/(?:work|root|home|tmp|Users)/|[A-Z]:\\\\")
    for name, packed in shipped.items():
        content = gzip.decompress(packed) if name.endswith(".gz") else packed
        assert not machine.search(content), name
        assert b"\r" not in content, name
        assert content.endswith(b"\n"), name


def test_what_a_caller_does_to_a_frame_or_the_descriptor_reaches_no_one_else():
    first = catalog.load("prices")
    first.loc[:, "cpih"] = 0.0
    del first["gdp_deflator"]
    second = catalog.load("prices")
    assert (second["cpih"] > 0).all()
    assert "gdp_deflator" in second
    catalog.package()["resources"].clear()
    catalog.describe("prices")["sources"].clear()
    catalog.sources_of("prices")[0]["title"] = "mine"
    assert "mine" not in {source["title"] for source in catalog.sources_of("prices")}


def test_the_printed_sources_name_publisher_edition_and_hash():
    table = catalog.sources_table("officers", "prices")
    assert {"Home Office", "Office for National Statistics"} <= set(table["publisher"])
    assert table["sha256"].str.fullmatch(r"[0-9a-f]{12}").all()
    both = catalog.sources_table("officers", "officers_overlap")
    assert (both["tables"] == "officers, officers_overlap").all()


@pytest.mark.parametrize(
    ("unknown", "nearest"),
    [("officer", "officers"), ("crime", "recorded_crime"), ("Prices", "prices"), ("", "officers")],
)
def test_an_unknown_table_offers_the_nearest(unknown, nearest):
    for finder in (catalog.load, catalog.describe, codebook.table):
        with pytest.raises(UnknownNameError, match=f"unknown table '{unknown}'") as refusal:
            finder(unknown)
        assert nearest in str(refusal.value)


# Altered tables


@pytest.fixture
def altered(tmp_path, monkeypatch) -> Path:
    """A copy of the shipped data that `load` reads."""
    folder = tmp_path / "data"
    shutil.copytree(SHIPPED, folder)
    monkeypatch.setenv("CRIME_ANALYSIS_DATA", str(folder))
    return folder


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def rehash(folder: Path, name: str) -> None:
    """Record the altered file's hash, so that only its content can give it away."""
    path = folder / "datapackage.json"
    package = json.loads(path.read_text(encoding="utf-8"))
    for resource in package["resources"]:
        if resource["name"] == name:
            content = (folder / resource["path"]).read_bytes()
            resource["hash"] = f"sha256:{hashlib.sha256(content).hexdigest()}"
            resource["bytes"] = len(content)
    path.write_text(json.dumps(package), encoding="utf-8")


def refused(name: str) -> str:
    with pytest.raises(DataError) as refusal:
        catalog.load(name)
    assert refusal.value.exit_code == 2
    told = str(refusal.value)
    assert "git checkout -- data" in told
    assert "crime-analysis data build --raw DIR" in told
    return told


@every_table
def test_a_changed_byte_is_refused_by_name(altered, name):
    path = altered / f"{name}.csv"
    content = bytearray(path.read_bytes())
    at = len(content) - 2
    content[at] = ord("7") if content[at] != ord("7") else ord("8")
    path.write_bytes(bytes(content))
    told = refused(name)
    assert f"{name}.csv was altered" in told


@every_table
def test_a_missing_file_is_refused_by_name(altered, name):
    (altered / f"{name}.csv").unlink()
    told = refused(name)
    assert f"{name}.csv is missing from {altered}" in told


@pytest.mark.parametrize("recorded", [False, True], ids=["old hash", "new hash"])
@pytest.mark.parametrize(
    ("name", "old", "new", "where"),
    [
        (
            "officers",
            "officers_fte",
            "officers",
            "missing ['officers_fte'], unexpected ['officers']",
        ),
        ("officers", "force,date", "date,force", "columns are not as described (another order)"),
        ("officers", "31,33366.55", "31,see note", "line 439, column officers_fte: 'see"),
        ("officers", "33366.55", "133366.55", "line 439, column officers_fte: 133366.55"),
        ("officers", "33366.55", "-33366.55", "line 439, column officers_fte: -33366.55"),
        ("officers", "33366.55", "", "line 439, column officers_fte: '' is not a number"),
        ("officers", "33366.55", "inf", "line 439, column officers_fte: 'inf' is not a number"),
        ("officers", "Surrey,2010", "Surey,2010", "column force: 'Surey' is not one of the 43"),
        ("officers", "Surrey,2010", "Surey,2010", "nearest: Surrey"),
        ("officers", "Surrey,2010", "Surrey,2011", "repeats the key (force, date)"),
        ("officers", "Surrey,2010-03-31", "Surrey,2010-03-01", "column date: '2010-03-01'"),
        ("officers", "Surrey,2010-03-31", ",2010-03-31", "column force: nothing there"),
        ("recorded_crime", "2002/03,homicide,", "2002/03,homicides,", "'homicides' is not one of"),
        ("recorded_crime", "homicide,19,", "homicide,19.5,", "'19.5' is not a whole number"),
        ("recorded_crime", "homicide,19,", "homicide,-19,", "column offences: -19"),
        ("funding", "2005/06", "2005-06", "line 2, column financial_year: '2005-06'"),
        ("population", "Barnet,borough", "Barnett,borough", "nearest: Barnet"),
        ("prices", ",", ";", "columns are not as described"),
        ("met_strength_monthly", "2018-03,29924.0", "2018-03,2992400", "column officers_fte"),
    ],
)
def test_an_altered_table_is_refused_by_line_and_column(altered, name, old, new, where, recorded):
    change(altered / f"{name}.csv", old, new)
    if recorded:
        rehash(altered, name)
    told = refused(name)
    assert f"{name}.csv" in told
    assert where in told
    assert ("was altered" in told) is not recorded


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content.decode().encode("utf-16"),
        lambda content: content.replace("£".encode(), b"\xa3"),
        lambda content: content[: len(content) // 2],
        lambda content: content + b'"',
        lambda content: content.replace(b"\n", b",more\n", 3),
    ],
)
def test_a_damaged_file_is_refused(altered, damage):
    path = altered / "claims.csv"
    path.write_bytes(damage(path.read_bytes()))
    assert "claims.csv" in refused("claims")


def test_a_missing_or_malformed_descriptor_is_refused(altered):
    path = altered / "datapackage.json"
    whole = path.read_bytes()
    for content, words in {
        b"": "not valid JSON (line 1)",
        whole[: len(whole) // 2]: "not valid JSON",
        b"[]": "not a data package",
        b"{}": "not a data package",
        b'{"resources": 3}': "not a data package",
        b'{"resources": [{"name": "officers"}]}': "not a data package",
        '{"resources": "£"}'.encode("cp1252"): "not a data package",
        b'{"resources": []}': "does not list 'officers'",
    }.items():
        path.write_bytes(content)
        assert words in refused("officers")
    path.unlink()
    assert f"{path} is missing" in refused("officers")
    path.write_bytes(whole)
    assert len(catalog.load("officers")) > 700


def test_a_folder_that_is_not_there_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("CRIME_ANALYSIS_DATA", str(tmp_path / "nowhere"))
    assert "nowhere" in refused("officers")


# Building


@pytest.fixture(scope="module")
def found(official: Path) -> build.Recognised:
    return build.recognise(official)


@pytest.fixture(scope="module")
def built(official: Path, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "data"
    build.build(official, folder)
    return folder


@pytest.mark.official
def test_the_shipped_tables_are_what_the_publications_give(built):
    shipped = contents(SHIPPED)
    fresh = contents(built)
    assert sorted(fresh) == sorted(shipped)
    for name in shipped:
        # What is packed must be the same; another zlib may pack it otherwise.
        unpack = gzip.decompress if name.endswith(".gz") else bytes
        assert unpack(fresh[name]) == unpack(shipped[name]), f"{name} is not what a build gives"


@pytest.mark.official
def test_the_build_is_the_same_wherever_it_runs(official, built, tmp_path):
    code = "import sys; from crime_analysis import build; build.build(sys.argv[1], sys.argv[2])"
    running = []
    for seed, zone, language, folder in (
        ("0", "UTC", "C", "/"),
        ("4242", "Pacific/Auckland", "tr_TR.UTF-8", tmp_path),
    ):
        surroundings = {
            **os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language,
            "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        out = tmp_path / seed
        command = [sys.executable, "-W", "error", "-c", code, str(official.resolve()), str(out)]
        running.append((subprocess.Popen(command, env=surroundings, cwd=folder), out))
    for process, out in running:
        assert process.wait() == 0
        assert contents(out) == contents(built)


def _older(tmp_path: Path) -> tuple[Path, dict[str, bytes]]:
    out = tmp_path / "data"
    shutil.copytree(SHIPPED, out)
    (out / "officers.csv").write_text("an older build", encoding="utf-8")
    return out, contents(out)


@pytest.mark.official
def test_a_reader_that_fails_leaves_the_old_tables_whole(official, tmp_path, monkeypatch):
    out, before = _older(tmp_path)

    def fail(raw: Any) -> pd.DataFrame:
        raise SourceError("not as expected", raw.name)

    monkeypatch.setattr(hmic_2010, "read_workforce", fail)
    with pytest.raises(SourceError, match=r"value-for-money-2010.*\.xls: not as expected"):
        build.build(official, out)
    assert contents(out) == before
    assert list(tmp_path.iterdir()) == [out]


@pytest.fixture(scope="module")
def frames(built: Path) -> dict[str, build.Made]:
    package = json.loads((built / "datapackage.json").read_text(encoding="utf-8"))
    made = {}
    for resource in package["resources"]:
        content = (built / resource["path"]).read_bytes()
        origins = b""
        if "provenance" in resource:
            origins = gzip.decompress((built / resource["provenance"]["path"]).read_bytes())
        made[resource["name"]] = build.Made(
            catalog.parse(resource["name"], content),
            content,
            origins,
            tuple(source["id"] for source in resource["sources"]),
        )
    return made


@pytest.fixture
def made(found, frames, monkeypatch) -> None:
    """Builds that start from tables made already: what is tested is how they are written."""
    monkeypatch.setattr(build, "recognise", lambda raw: found)
    monkeypatch.setattr(build, "tables", lambda found: (frames, {}))


@pytest.mark.official
@pytest.mark.usefixtures("made")
def test_an_earlier_build_is_replaced_and_nothing_is_left_beside_it(official, built, tmp_path):
    out, _ = _older(tmp_path)
    link = tmp_path / "link"
    link.symlink_to(out)
    build.build(official, link)
    assert contents(out) == contents(built)
    assert link.is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "link"]


@pytest.mark.official
@pytest.mark.usefixtures("made")
def test_a_full_disk_leaves_the_old_tables_whole(official, tmp_path, monkeypatch):
    out, before = _older(tmp_path)
    write, written = Path.write_bytes, []

    def fill(path: Path, content: bytes) -> int:
        written.append(path)
        if len(written) == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(CrimeAnalysisError, match=r"No space left.*what was there is whole"):
        build.build(official, out)
    assert contents(out) == before
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.official
@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("failure", [OSError(errno.EACCES, "denied"), KeyboardInterrupt()])
def test_a_swap_that_fails_halfway_puts_the_old_tables_back(
    official, tmp_path, monkeypatch, failure
):
    out, before = _older(tmp_path)
    monkeypatch.setattr(swap, "_exchange", lambda one, other: False)
    rename, renamed = os.rename, []

    def fail(old: Any, new: Any) -> None:
        renamed.append(new)
        if len(renamed) == 2:
            raise failure
        rename(old, new)

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises((CrimeAnalysisError, KeyboardInterrupt)):
        build.build(official, out)
    assert contents(out) == before
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.official
@pytest.mark.usefixtures("made")
def test_a_build_never_replaces_a_folder_that_holds_anything_else(official, tmp_path):
    out, before = _older(tmp_path)
    (out / "thesis.docx").write_text("years of work", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"thesis\.docx.*give --out a new one"):
        build.build(official, out)
    assert contents(out) == {**before, "thesis.docx": b"years of work"}
    with pytest.raises(ParameterError, match="is not a folder"):
        build.build(official, out / "thesis.docx")
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.official
@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("descriptor", [None, b"not json", b"[]"])
def test_tables_whose_descriptor_is_gone_can_be_built_again(official, built, tmp_path, descriptor):
    out, _ = _older(tmp_path)
    (out / "datapackage.json").unlink()
    if descriptor is not None:
        (out / "datapackage.json").write_bytes(descriptor)
    build.build(official, out)
    assert contents(out) == contents(built)


@pytest.mark.official
@pytest.mark.usefixtures("made")
def test_a_new_folder_is_made_with_those_above_it(official, built, tmp_path):
    build.build(official, tmp_path / "a" / "b" / "data")
    assert contents(tmp_path / "a" / "b" / "data") == contents(built)
    (tmp_path / "empty").mkdir()
    build.build(official, tmp_path / "empty")
    assert contents(tmp_path / "empty") == contents(built)


@pytest.mark.official
def test_without_tables_to_keep_every_missing_publication_is_named_before_anything_is_read(
    found, monkeypatch
):
    def never(*args: Any) -> None:
        raise AssertionError("read although a publication is missing")

    monkeypatch.setattr(workforce, "read", never)
    for key, publication in found.publications.items():
        rest = dataclasses.replace(
            found, publications={k: p for k, p in found.publications.items() if k != key}
        )
        with pytest.raises(
            ParameterError, match=r"1 of \d+ publications are not in the"
        ) as refusal:
            build.tables(rest)
        assert publication.title in str(refusal.value)
        assert publication.edition in str(refusal.value)
        assert "download" in str(refusal.value)


def test_a_folder_of_publications_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ParameterError, match=r"nowhere.*is not a folder"):
        build.build(tmp_path / "nowhere", tmp_path / "data")


CUTS = Path(__file__).parent / "cuts"


def test_two_different_files_of_one_publication_are_refused(tmp_path):
    content = (CUTS / "met_strength.csv").read_bytes()
    (tmp_path / "a.csv").write_bytes(content)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.csv").write_bytes(content.replace(b"30636", b"30637"))
    with pytest.raises(SourceError, match=r"same publication as a\.csv .* keep one") as refusal:
        build.recognise(tmp_path)
    assert refusal.value.file == "b.csv"


def test_two_copies_of_one_publication_are_one(tmp_path):
    content = (CUTS / "met_strength.csv").read_bytes()
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_bytes(content)
    assert list(build.recognise(tmp_path).publications) == [met_strength.PUBLICATION.id]


def test_files_are_known_by_what_they_say_and_not_by_their_names(tmp_path):
    names: dict[str, Callable[[], str]] = {
        "met_strength.csv": lambda: met_strength.PUBLICATION.id,
        "cpih.csv": lambda: ons_series.CPIH.id,
    }
    for number, cut in enumerate(names):
        shutil.copy(CUTS / cut, tmp_path / f"download ({number}).CSV")
    found = build.recognise(tmp_path)
    assert sorted(found.publications) == sorted(made() for made in names.values())
