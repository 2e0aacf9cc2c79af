"""data.police.uk: counts equal a plain group-by, and what is not as published is refused.

The cuts are rows of three published stop-and-search files of the Metropolitan Police (July to
September 2020) and of the City of London's street file of January 2023.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crime_analysis.errors import ParameterError, SourceError, UnknownNameError
from crime_analysis.sources import police_uk, police_uk_rows
from crime_analysis.sources.police_uk import PUBLICATION, read_police_uk

CUTS = Path(__file__).parent / "cuts"
PUBLISHED = (CUTS / "police_uk_street_2023-01.csv").read_bytes()
STREET = PUBLISHED.replace(b"\r\n", b"\n")  # so that tests can change the ends of rows
HEADING = STREET.partition(b"\n")[0] + b"\n"
STOPS = {
    month: (CUTS / f"police_uk_stop_and_search_{month}.csv").read_bytes()
    for month in ("2020-07", "2020-08", "2020-09")
}
CITY = "2023-01/2023-01-city-of-london-street.csv"
MET = "2023-01/2023-01-metropolitan-street.csv"
JULY = "2020-07/2020-07-metropolitan-stop-and-search.csv"
ALL_STOPS = {f"{m}/{m}-metropolitan-stop-and-search.csv": text for m, text in STOPS.items()}
AS_MET = STREET.replace(b"City of London Police", b"Metropolitan Police Service")
PSNI = "Police Service of Northern Ireland"
Pack = Callable[..., Path]


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    def write(members: dict[str, bytes], name: str = "archive.zip") -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, text in members.items():
                archive.writestr(zipfile.ZipInfo(member), text, zipfile.ZIP_DEFLATED)
        return path

    return write


@pytest.fixture
def folder(tmp_path: Path) -> Pack:
    def write(members: dict[str, bytes], name: str = "folder") -> Path:
        for member, text in members.items():
            path = tmp_path / name / member
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        return tmp_path / name

    return write


def swap_line(text: bytes, number: int, change: Callable[[bytes], bytes]) -> bytes:
    """Change one line, counted from 1 as the refusals do."""
    lines = text.split(b"\n")
    lines[number - 1] = change(lines[number - 1])
    return b"\n".join(lines)


def by_pandas(text: bytes, columns: dict[str, str]) -> dict[tuple[str, ...], int]:
    frame = pd.read_csv(io.BytesIO(text), usecols=list(columns.values()), dtype=str)
    made = pd.DataFrame({name: frame[column] for name, column in columns.items()})
    if "borough" in made:
        made["borough"] = made["borough"].str[:-5].fillna("no location")
    if "month" in made:
        made["month"] = made["month"].str[:7]
    sizes = made.fillna("not stated").groupby(list(columns)).size()
    return {key if isinstance(key, tuple) else (key,): n for key, n in sizes.items()}


def counted(frame: pd.DataFrame) -> dict[tuple[str, ...], int]:
    assert not frame.duplicated(list(frame.columns[:-1])).any()
    return {tuple(row[:-1]): row[-1] for row in frame.itertuples(index=False)}


# What it counts


def test_street_counts_equal_a_pandas_group_by(pack: Pack) -> None:
    counts = read_police_uk(pack({CITY: STREET}))
    columns = {"month": "Month", "borough": "LSOA name", "crime_type": "Crime type"}
    assert counted(counts) == by_pandas(STREET, columns)
    assert list(counts.columns) == ["month", "borough", "crime_type", "count"]
    assert "no location" in set(counts["borough"])


@pytest.mark.parametrize(
    ("dimension", "column"),
    [("outcome", "Last outcome category"), ("crime_type", "Crime type"), ("month", "Month")],
)
def test_each_street_dimension_equals_a_pandas_group_by(
    folder: Pack, dimension: str, column: str
) -> None:
    path = folder({CITY: STREET})
    assert counted(read_police_uk(path, dimension)) == by_pandas(STREET, {dimension: column})


def test_lsoa_and_borough_are_told_apart(folder: Pack) -> None:
    counts = read_police_uk(folder({CITY: STREET}), ["borough", "lsoa"])
    without = counts["lsoa"] == "no location"
    assert (counts.loc[without, "borough"] == "no location").all()
    assert (counts["lsoa"].str[:-5] == counts["borough"])[~without].all()
    assert counts["count"].sum() == STREET.count(b"\n") - 1


def test_stop_and_search_counts_equal_a_pandas_group_by(pack: Pack) -> None:
    columns = {
        "type": "Type", "gender": "Gender", "age_range": "Age range",
        "ethnicity": "Officer-defined ethnicity", "legislation": "Legislation",
        "object_of_search": "Object of search", "outcome": "Outcome",
    }  # fmt: skip
    path = pack({JULY: STOPS["2020-07"]})
    assert counted(read_police_uk(path, list(columns))) == by_pandas(STOPS["2020-07"], columns)


def test_a_summer_file_begins_an_hour_early_in_universal_time(pack: Pack) -> None:
    assert b"2020-06-30T23:" in STOPS["2020-07"]
    counts = read_police_uk(pack(ALL_STOPS), ["month", "force"])
    rows = {month: text.count(b"\n") - 1 for month, text in STOPS.items()}
    assert counted(counts) == {(m, "Metropolitan Police"): n for m, n in rows.items()}


def test_a_lone_file_without_a_name_is_read_by_its_content(folder: Pack) -> None:
    path = folder({"stops.csv": STOPS["2020-07"]}) / "stops.csv"
    counts = read_police_uk(path, ["month", "force"])
    assert counted(counts) == {("2020-07", "not stated"): STOPS["2020-07"].count(b"\n") - 1}
    street = folder({"street.csv": STREET}) / "street.csv"
    read = read_police_uk(street).attrs["read"].iloc[0]
    assert (read["kind"], read["force"], read["month"]) == ("street", "City of London", "2023-01")


@pytest.mark.parametrize(
    ("printed", "slug", "force"),
    [
        ("Metropolitan Police Service", "metropolitan", "Metropolitan Police"),
        ("Devon & Cornwall Police", "devon-and-cornwall", "Devon and Cornwall"),
        ("Dyfed-Powys Police", "dyfed-powys", "Dyfed-Powys"),
        ("British Transport Police", "btp", "British Transport Police"),
        ("Police Service of Northern Ireland", "northern-ireland", PSNI),
    ],
)
def test_forces_go_by_their_official_names(
    folder: Pack, printed: str, slug: str, force: str
) -> None:
    text = STREET.replace(b"City of London Police", printed.encode())
    counts = read_police_uk(folder({f"2023-01-{slug}-street.csv": text}), ["force", "falls_within"])
    assert counted(counts) == {(force, force): STREET.count(b"\n") - 1}


def test_places_go_by_their_official_names_and_others_as_printed(folder: Pack) -> None:
    text = STREET.replace(b"Camden 0", b"Hammersmith & Fulham 0").replace(b"Islington", b"Luton")
    found = set(read_police_uk(folder({CITY: text}))["borough"])
    assert {"Hammersmith and Fulham", "Luton", "City of London", "no location"} <= found
    assert not found & {"Camden", "Islington"}


def test_forces_are_chosen_by_the_names_of_files(pack: Pack) -> None:
    said: list[str] = []
    path = pack({CITY: STREET, MET: AS_MET})
    counts = read_police_uk(path, ["force"], forces=["met", "Surrey"], report=said)
    assert list(counts["force"]) == ["Metropolitan Police"]
    assert said == ["archive.zip: no street file of Surrey"]


def test_quoted_cells_are_read_as_the_csv_module_reads_them(folder: Pack) -> None:
    text = swap_line(STREET, 3, lambda line: line.replace(b"On or near", b'"On, or ""near""', 1))
    text = swap_line(text, 3, lambda line: line.replace(b",E0", b'",E0', 1))
    text = swap_line(text, 5, lambda line: b",".join(b'"' + c + b'"' for c in line.split(b",")))
    columns = {"borough": "LSOA name", "outcome": "Last outcome category"}
    counts = read_police_uk(folder({CITY: text}), list(columns))
    assert text != STREET
    assert counted(counts) == by_pandas(STREET, columns)


def test_ends_of_lines_and_byte_order_marks_make_no_difference(folder: Pack) -> None:
    assert PUBLISHED.count(b"\r\n") == STREET.count(b"\n")
    plain = read_police_uk(folder({CITY: STREET}, "plain"))
    for name, text in (("published", PUBLISHED), ("marked", b"\xef\xbb\xbf" + PUBLISHED)):
        pd.testing.assert_frame_equal(plain, read_police_uk(folder({CITY: text}, name)))


@pytest.mark.parametrize("block", [2000, 4096, 30_000])
def test_where_blocks_end_makes_no_difference(
    pack: Pack, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    path = pack({CITY: STREET})
    by = ["lsoa", "crime_type", "outcome"]
    whole = read_police_uk(path, by)
    monkeypatch.setattr(police_uk_rows, "_BLOCK", block)
    pd.testing.assert_frame_equal(whole, read_police_uk(path, by))


def test_rows_of_one_hash_are_still_told_apart(
    folder: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder({CITY: STREET})
    usual = read_police_uk(path)
    monkeypatch.setattr(
        police_uk.pd,
        "factorize",
        lambda hashed: (np.zeros(len(hashed), np.intp), np.zeros(1, np.uint64)),
    )
    pd.testing.assert_frame_equal(usual, read_police_uk(path))


words = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "Cc"]), max_size=40)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(words, words, words), min_size=1, max_size=30), st.randoms())
def test_any_words_are_counted_as_a_plain_loop_counts_them(
    tmp_path_factory: pytest.TempPathFactory,
    cells: list[tuple[str, str, str]],
    chance: random.Random,
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    expected: dict[tuple[str, ...], int] = {}
    for _ in range(3 * len(cells)):
        where, crime, outcome = chance.choice(cells)
        force = "City of London Police"
        writer.writerow(["", "2023-01", force, force, "", "", where, "", "", crime, outcome, ""])
        key = (crime or "not stated", outcome or "not stated")
        expected[key] = expected.get(key, 0) + 1
    path = tmp_path_factory.mktemp("words") / "2023-01-city-of-london-street.csv"
    path.write_bytes(HEADING + out.getvalue().encode())
    assert counted(read_police_uk(path, ["crime_type", "outcome"])) == expected


# What it says about what it read


def test_every_file_read_is_listed_and_rows_add_up(pack: Pack) -> None:
    counts = read_police_uk(pack(ALL_STOPS))
    read = counts.attrs["read"]
    assert list(read.columns) == ["member", "rows", "kind", "force", "month"]
    assert list(read["member"]) == [f"archive.zip!{name}" for name in sorted(ALL_STOPS)]
    assert list(read["rows"]) == [text.count(b"\n") - 1 for text in STOPS.values()]
    assert counts["count"].sum() == read["rows"].sum()
    assert counts.attrs["publication"] is PUBLICATION
    assert PUBLICATION.licence == "Open Government Licence v3.0"


def test_results_can_be_joined(pack: Pack) -> None:
    first, second = read_police_uk(pack({CITY: STREET})), read_police_uk(pack(ALL_STOPS, "b.zip"))
    assert len(pd.concat([first, second])) == len(first) + len(second)


def test_what_is_left_out_is_reported(pack: Pack) -> None:
    path = pack(
        {
            CITY: STREET,
            MET: b"",
            "2023-01/2023-01-surrey-street.csv": HEADING,
            "2023-01/2023-01-city-of-london-outcomes.csv": b"Crime ID\n",
            "2023-01/2023-01-city-of-london-stop-and-search.csv": STOPS["2020-07"],
            "README.txt": b"words",
            "__MACOSX/2023-01/._2023-01-kent-street.csv": b"\0",
        }
    )
    said: list[str] = []
    spoken: list[str] = []
    counts = read_police_uk(path, kind="street", report=said)
    read_police_uk(path, kind="street", report=spoken.append)
    text = "\n".join(said)
    for words_ in (
        f"{MET}: empty",
        "surrey-street.csv: empty",
        "outcomes.csv: ignored, outcomes are not read",
        "stop-and-search.csv: ignored, street files were asked for",
        "README.txt: ignored, not a csv file",
        "kent-street.csv: ignored",
    ):
        assert words_ in text
    assert len(said) == 6
    assert said == spoken == counts.attrs["report"]
    assert list(counts.attrs["read"]["rows"]) == [STREET.count(b"\n") - 1, 0, 0]


def test_nothing_but_empty_files_gives_no_counts(pack: Pack) -> None:
    counts = read_police_uk(pack({CITY: HEADING}))
    assert list(counts.columns) == ["month", "borough", "crime_type", "count"]
    assert len(counts) == 0


# What it refuses


def refused(path: Path, *parts: str, **choices: object) -> SourceError:
    with pytest.raises(SourceError) as refusal:
        read_police_uk(path, **choices)  # type: ignore[arg-type]
    for part in parts:
        assert part in str(refusal.value)
    return refusal.value


@pytest.mark.parametrize(
    "name",
    ["../x.txt", "/" + CITY, "C:/" + CITY, "..\\" + CITY, "2023-01\\a.csv", "a/../../" + CITY],
)
def test_a_member_that_leads_out_of_the_archive_is_refused(pack: Pack, name: str) -> None:
    refused(pack({CITY: STREET, name: STREET}), f"archive.zip!{name}", "leads out of the archive")


def test_an_encrypted_member_is_refused(pack: Pack) -> None:
    path = pack({CITY: STREET})
    raw = bytearray(path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.find(signature) + flags] |= 1
    path.write_bytes(raw)
    refused(path, f"archive.zip!{CITY}", "encrypted")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(pack: Pack) -> None:
    refused(pack({CITY: HEADING + b"," * 60_000_000}), f"archive.zip!{CITY}", "200 times")


def test_more_than_the_limit_is_refused(pack: Pack) -> None:
    total = sum(map(len, STOPS.values()))
    path = pack(ALL_STOPS)
    assert len(read_police_uk(path, max_bytes=total))
    refused(path, "archive.zip", "max_bytes", max_bytes=total - 1)


def test_a_member_that_understates_its_size_is_refused(pack: Pack) -> None:
    path = pack({CITY: STREET})
    raw = path.read_bytes()
    assert raw.count(len(STREET).to_bytes(4, "little")) == 2
    path.write_bytes(raw.replace(len(STREET).to_bytes(4, "little"), (20_000).to_bytes(4, "little")))
    refused(path, f"archive.zip!{CITY}")


def test_overlapping_members_are_refused(pack: Pack) -> None:
    path = pack({CITY: STREET, MET: AS_MET})
    raw = bytearray(path.read_bytes())
    directory = raw.find(b"PK\x01\x02")
    raw[directory + 20 : directory + 24] = (len(STREET)).to_bytes(4, "little")
    path.write_bytes(raw)
    refused(path, f"archive.zip!{CITY}", "overlaps")


def test_a_damaged_member_is_refused(pack: Pack) -> None:
    path = pack({CITY: STREET})
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(raw)
    refused(path, f"archive.zip!{CITY}", "cannot be read")


def test_an_archive_cut_short_is_refused(pack: Pack) -> None:
    path = pack({CITY: STREET})
    path.write_bytes(path.read_bytes()[:-200])
    refused(path, "archive.zip", "no whole archive")


@pytest.mark.parametrize("seed", range(60))
def test_a_broken_archive_is_read_the_same_or_refused(pack: Pack, seed: int) -> None:
    path = pack(ALL_STOPS)
    whole = read_police_uk(path)
    chance, raw = random.Random(seed), bytearray(path.read_bytes())
    spots = [chance.randrange(len(raw)), raw.find(b"PK\x01\x02") + chance.randrange(300)]
    raw[spots[seed % 2]] ^= 1 << chance.randrange(8)
    path.write_bytes(raw)
    try:
        again = read_police_uk(path)
    except SourceError:
        return
    left_out = [_without(whole, month) for month in STOPS]  # a name that no longer ends in .csv
    assert counted(again) in (counted(whole), *left_out)


def _without(frame: pd.DataFrame, month: str) -> dict[tuple[str, ...], int]:
    return counted(frame[frame["month"] != month])


def test_a_file_cut_short_is_refused(folder: Pack) -> None:
    path = folder({CITY: STREET[:-7]})
    refused(path, CITY, f"row {STREET.count(bytes([10]))}", "cut short")


def test_the_same_month_of_a_force_twice_is_refused(folder: Pack, pack: Pack) -> None:
    copy = "copy/2023-01-city-of-london-street.csv"
    refused(folder({CITY: STREET, copy: STREET}, "a"), "there already", CITY, copy)
    refused(pack({CITY: STREET, copy: STREET}), "there already", f"archive.zip!{CITY}")
    both = folder({CITY: STREET}, "b")
    pack({CITY: STREET}, "b/archive.zip")
    refused(both, "City of London in 2023-01 is there already", "archive.zip!")


def test_a_copy_under_another_name_is_refused(folder: Pack) -> None:
    other = "2023-01-city-of-london-street (1).csv"
    refused(folder({CITY: STREET, other: STREET}), other, "does not say month, force and kind")


def test_a_file_with_other_columns_is_refused(pack: Pack) -> None:
    other = STREET.replace(b"Crime type", b"Offence", 1)
    refused(pack({CITY: other}), f"archive.zip!{CITY}, row 1", "'Offence'", "'Crime type'")
    refused(pack({CITY: STOPS["2020-07"]}), f"archive.zip!{CITY}, row 1", "street file")
    old_ends = STREET.replace(b"\n", b"\r") + b"\n"
    refused(pack({CITY: old_ends}), f"archive.zip!{CITY}, row 1", "street file")


@pytest.mark.parametrize("line", [2, 50, STREET.count(b"\n")])
@pytest.mark.parametrize(
    "change",
    [
        lambda line: line + b",",
        lambda line: line.replace(b",", b"", 1),
        lambda line: line.replace(b",", b'","', 1),
        lambda line: b'"' + line,
        lambda line: b"",
        lambda line: line.replace(b",", b"\r,", 1),
        lambda line: line.replace(b",2023", b",\xff", 1),
    ],
    ids=["long", "short", "quoted comma", "open quote", "blank", "stray return", "not UTF-8"],
)
def test_an_uneven_row_is_refused_with_its_number(
    pack: Pack, line: int, change: Callable[[bytes], bytes]
) -> None:
    path = pack({CITY: swap_line(STREET, line, change)})
    assert refused(path, f"archive.zip!{CITY}").row == line


def test_a_long_and_a_short_row_do_not_make_up_for_each_other(pack: Pack) -> None:
    text = swap_line(STREET, 20, lambda line: line + b",")
    text = swap_line(text, 21, lambda line: line.replace(b",", b"", 1))
    assert refused(pack({CITY: text}), "found 13").row == 20


def test_a_row_of_another_month_is_refused_with_its_number(pack: Pack) -> None:
    text = swap_line(STREET, 33, lambda line: line.replace(b"2023-01", b"2023-02"))
    refused(pack({CITY: text}), f"{CITY}, row 33, column Month", "2023-02")
    stops = swap_line(STOPS["2020-07"], 12, lambda line: line.replace(b"2020-", b"2019-", 1))
    refused(pack({JULY: stops}), f"{JULY}, row 12, column Date", "2019-")


def test_a_row_of_another_force_is_refused_with_its_number(pack: Pack) -> None:
    text = swap_line(STREET, 9, lambda line: line.replace(b"City of London P", b"Surrey P"))
    refused(pack({CITY: text}), f"{CITY}, row 9, column Reported by", "Surrey Police")


def test_an_overlong_cell_or_line_is_refused(pack: Pack) -> None:
    text = swap_line(STREET, 9, lambda line: b"x" * 3000 + line[line.index(b",") :])
    assert len(read_police_uk(pack({CITY: text})))  # a column that is not asked for
    text = swap_line(STREET, 9, lambda line: b",".join([*line.split(b",")[:9], b"x" * 3000, b","]))
    refused(pack({CITY: text}), "row 9, column Crime type", "1,000")
    refused(pack({CITY: HEADING + b"x" * 2_000_000}), "line of over 500 KB")


def test_two_kinds_need_a_choice(pack: Pack) -> None:
    path = pack({CITY: STREET, JULY: STOPS["2020-07"]})
    refused(path, "kind=")
    assert "legislation" in read_police_uk(path, ["legislation"], kind="stop-and-search")


def test_nothing_to_read_is_refused(folder: Pack, tmp_path: Path) -> None:
    refused(tmp_path / "absent.csv", "not there")
    refused(folder({"notes.txt": b""}), "no street or stop-and-search file")
    refused(folder({CITY: STREET}, "b"), "no street file of Kent", forces="Kent")


def test_unknown_names_are_met_with_the_nearest(folder: Pack) -> None:
    path = folder({CITY: STREET, "any.txt": b""})
    with pytest.raises(UnknownNameError, match="nearest: crime_type"):
        read_police_uk(path, ["crimetype"])
    with pytest.raises(UnknownNameError, match="dimension 'gender'"):
        read_police_uk(path, ["gender"])
    with pytest.raises(UnknownNameError, match="nearest: Surrey"):
        read_police_uk(path, forces=["Surey"])
    with pytest.raises(UnknownNameError, match="kind"):
        read_police_uk(path, kind="outcomes")
    for by in ([], ["month", "month"]):
        with pytest.raises(ParameterError, match="at least one dimension"):
            read_police_uk(path, by)
    lone = folder({"street.csv": STREET}, "c") / "street.csv"
    with pytest.raises(ParameterError, match="forces="):
        read_police_uk(lone, forces=["Kent"])


# Large and official files


PEAK = """
import json, re, sys
from pathlib import Path
from crime_analysis.sources.police_uk import read_police_uk
counts = read_police_uk(sys.argv[1])
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
print(json.dumps([int(counts["count"].sum()), peak]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a process tells its own peak on Linux only")
def test_memory_does_not_grow_with_the_number_of_files(pack: Pack) -> None:
    lines = STREET.split(b"\n")[1:-1]
    months = [f"20{y}-{m:02}" for y in (21, 22) for m in range(1, 13)]
    peaks = []
    for name, chosen in (("two.zip", months[:2]), ("many.zip", months)):
        members = {}
        for month in chosen:
            text = HEADING + b"\n".join(lines * (12_500 // len(lines))) + b"\n"
            text = text.replace(b",2023-01,", f",{month},".encode())
            members[f"{month}/{month}-city-of-london-street.csv"] = text
        path = pack(members, name)
        done = subprocess.run(
            [sys.executable, "-c", PEAK, str(path)],
            check=True, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )  # fmt: skip
        rows, peak = json.loads(done.stdout)
        assert rows == sum(text.count(b"\n") - 1 for text in members.values())
        peaks.append(peak)
    assert peaks[1] < peaks[0] + 20_000  # 70 MB of text against 6 MB: at most 20 MB more


@pytest.mark.official
def test_the_published_files_are_counted_to_the_last_line(official: Path) -> None:
    archive = official / "police_uk" / "met_stop_and_search_2020-07_to_2020-09.zip"
    with zipfile.ZipFile(archive) as opened:
        lines = [opened.read(name).count(b"\n") - 1 for name in sorted(opened.namelist())]
    counts = read_police_uk(archive, ["month", "ethnicity"])
    assert list(counts.groupby("month")["count"].sum()) == lines == [25909, 20127, 19928]
    street = official / "police_uk" / "2023-01-city-of-london-street.csv"
    counts = read_police_uk(street)
    assert counts["count"].sum() == street.read_bytes().count(b"\n") - 1 == 719
    columns = {"month": "Month", "borough": "LSOA name", "crime_type": "Crime type"}
    assert counted(counts) == by_pandas(street.read_bytes(), columns)
