"""Hundreds of seeded mutations of real cuts: the same figures, or a refusal by file and place.

Every reader meets every kind of damage that its cut can bear. What comes back must be the same
figures (of a cut that a pure ``parse`` reads: of the rows that are left), or a refusal of one
line that names the file and what in it is wrong. Other figures, or any other exception, fail.

Not generated, since no reader can know them: an ordinary number typed as another ordinary
number, or a thousand times larger where that is ordinary too and nothing printed beside it ties;
two columns under one and the same heading that change places; rows lost or repeated in
a list of single events (data.police.uk) that has no total; and a row lost of the offences that
are of no borough ("elsewhere"), of which there is no fixed number.
"""

from __future__ import annotations

import csv
import functools
import gzip
import io
import itertools
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import test_sources_crime_and_people as people
import test_sources_funding as funding
import test_sources_london as london
import test_sources_national as national

from crime_analysis import places
from crime_analysis.errors import CrimeAnalysisError, ParameterError, SourceError, UnknownNameError
from crime_analysis.sources import (
    census_population,
    force_area_editions,
    force_area_tables,
    hmic_expenditure,
    quoted,
    quoted_figures,
)
from crime_analysis.sources.mps_borough_table import ELSEWHERE
from crime_analysis.sources.police_uk import read_police_uk
from crime_analysis.sources.rawfile import RawFile
from crime_analysis.sources.sheet import Sheet, read_number

CUTS = Path(__file__).parent / "cuts"
SEED = 2018
Rows = list[list[Any]]
Mutation = tuple[str, "Rows | bytes"]  # what was done, and the cells or bytes that came of it
OUTCOMES = ("same", "fewer rows", "refused at a cell or row", "refused as a whole", "SILENT")
VALUES = (
    "value", "offences", "stops", "count", "score", "fte", "population", "value_gbp_k", "index",
    "officers_fte", "staff_fte", "pcsos_fte",
)  # fmt: skip


# The readers, each with the cells of its cut


@dataclass(frozen=True)
class Subject:
    """A reader and the cells of its cut; `text` if the cut is a text file, not a sheet."""

    name: str
    file: str
    rows: Rows
    read: Callable[[Any], pd.DataFrame]
    heading: range
    sheet: str = ""
    pure: bool = True  # rows that are gone are for `read` to miss
    events: bool = False  # a list of single events, without a total
    times: int = 1
    cut: people.Cut | None = None

    @contextmanager
    def country(self) -> Iterator[None]:
        """For the time of a reading, let the forces of the cut be all there are."""
        with pytest.MonkeyPatch.context() as patch:
            if self.cut and self.cut.forces:
                patch.setattr(places, "FORCES", self.cut.forces)
            if self.cut and self.cut.boroughs:
                patch.setattr(places, "BOROUGHS", self.cut.boroughs)
            yield

    def result(self, damaged: Rows | bytes, folder: Path) -> pd.DataFrame:
        if self.sheet:
            return self.read(Sheet(self.file, self.sheet, damaged))
        path = folder / self.file
        path.write_bytes(damaged if isinstance(damaged, bytes) else as_bytes(damaged))
        if self.events:
            return self.read(path)
        return self.read(RawFile(path))


def as_bytes(rows: Rows, encoding: str = "utf-8") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode(encoding)


def cells_of(path: Path) -> Rows:
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def of_sheet(name: str, sheet: Sheet, parse: Callable[[Sheet], pd.DataFrame]) -> Subject:
    start = next(
        (n for n, row in enumerate(sheet.rows) if sum(isinstance(c, float) for c in row) > 1), 6
    )
    return Subject(name, sheet.file, sheet.rows, parse, range(min(start, 8)), sheet.name)


def subjects() -> list[Subject]:
    made = []
    for cut in [*people.TABLES, *people.SERIES, people.CLAIMS]:

        def read(raw: RawFile, cut: people.Cut = cut) -> pd.DataFrame:
            # A statement's number is its place in the file.
            return cut.read(raw)[[c for c in cut.columns if c != "number"]]

        pure = cut is people.CLAIMS  # statements, of which there is no fixed number
        made.append(
            Subject(cut.file, cut.file, cells_of(cut.path), read, range(1), pure=pure, cut=cut)
        )
    for name, parse in london.TABLES.items():
        rows = cells_of(CUTS / name)
        made.append(Subject(name, name.removesuffix(".gz"), rows, parse, range(1)))
    for name, case in national.TEXTS.items():
        head = range(case.heading, case.heading + 1)
        made.append(Subject(name, case.file, case.rows, case.parse, head))
    for name in ("street_2023-01", "stop_and_search_2020-07"):
        month, kind = name[-7:], name[:-8].replace("_", "-")
        force = "city-of-london" if kind == "street" else "metropolitan"
        file = f"{month}/{month}-{force}-{kind}.csv"
        rows = cells_of(CUTS / f"police_uk_{name}.csv")
        made.append(
            Subject(f"police_uk {kind}", file, rows, events_of(file), range(1), events=True)
        )
    p5 = Sheet(**sheet_of("force_area_tables.json"))
    made.append(of_sheet("force area table P5", p5, force_area_tables.parse_p5))
    for name, parse, sheet in more_sheets():
        made.append(of_sheet(name, sheet, parse))
    for path in sorted(CUTS.glob("quoted_*.csv")):
        rows = cells_of(path)
        made.append(Subject(path.stem, path.name, rows, quoted_figures.read, range(1)))
    # A note beside a figure is any text; which column holds notes the heading says.
    rows = cells_of(CUTS / "met_budget.csv")
    made.append(Subject("met budget, all", "met_budget.csv", rows, quoted.read_budget, range(1)))
    for name, (parse, sheet) in funding.CASES.items():
        made.append(of_sheet(name, sheet, parse))
    for name, (parse, sheet, _) in national.SHEETS.items():
        made.append(of_sheet(name, sheet, parse))
    for name, sheet in london.SHEETS.items():
        made.append(of_sheet(f"master {name}", sheet, london.parse_sheet))
    return made


def more_sheets() -> Iterator[tuple[str, Callable[[Sheet], pd.DataFrame], Sheet]]:
    """Yield the sheets that one edition alone prints, or that several print differently."""
    december, september, residents, residents_2016 = all_sheets("force_area_editions")
    latest, corrected = force_area_editions.EDITIONS[-1], force_area_editions.EDITIONS[2]
    for edition, sheet in ((latest, december), (corrected, september)):
        parse = functools.partial(force_area_tables.parse_knife, periods_printed=edition.periods)
        yield f"P5 {edition.ends}", parse, sheet
    yield "P3 December 2019", force_area_editions.parse_population, residents
    yield "P3 March 2018", force_area_editions.parse_population, residents_2016
    spent, *sheets, population = all_sheets("hmic_expenditure")
    yield "2012 expenditure", hmic_expenditure.parse_2012, spent
    for sheet in sheets:
        yield f"2016 {sheet.name}", hmic_expenditure.parse_2016, sheet
    yield "2012 population", hmic_expenditure.parse_population, population
    (census,) = all_sheets("census_population")
    yield "census", census_population.parse, census


def all_sheets(name: str) -> list[Sheet]:
    cuts = people.json.loads((CUTS / f"{name}.json").read_text(encoding="utf-8"))
    return [Sheet(c["file"], c["sheet"], c["rows"]) for c in cuts]


def sheet_of(name: str) -> dict[str, Any]:
    (cut,) = people.json.loads((CUTS / name).read_text(encoding="utf-8"))
    return {"file": cut["file"], "name": cut["sheet"], "rows": cut["rows"]}


def events_of(file: str) -> Callable[[Path], pd.DataFrame]:
    by = ["month", "borough", "crime_type"] if "street" in file else ["month", "type", "outcome"]
    return lambda path: read_police_uk(path.parent.parent, by)


# The mutations


def number(cell: Any) -> float:
    """Return a cell as a number, NaN for anything else."""
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return float(cell)
    try:
        return read_number(cell) if isinstance(cell, str) else math.nan
    except ValueError:
        return math.nan


def is_number(cell: Any) -> bool:
    return not math.isnan(number(cell))


def put(rows: Rows, row: int, column: int, cell: Any) -> Rows:
    changed = [*rows[row][:column], cell, *rows[row][column + 1 :]]
    return [*rows[:row], changed, *rows[row + 1 :]]


def body(subject: Subject) -> range:
    return range(subject.heading.stop, len(subject.rows))


def width(subject: Subject) -> int:
    return max(len(row) for row in subject.rows)


def headings(subject: Subject) -> list[tuple[int, int]]:
    return [
        (r, c) for r in subject.heading for c, cell in enumerate(subject.rows[r])
        if isinstance(cell, str) and cell.strip()
    ]  # fmt: skip


@functools.cache
def is_place(cell: Any) -> bool:
    if not isinstance(cell, str) or not cell.strip():
        return False
    bare = cell.partition(":")[2] or cell
    for known in (places.force, places.borough):
        try:
            known(bare)
        except UnknownNameError:
            continue
        return True
    return False


def dropped_column(subject: Subject, draw: random.Random) -> Mutation:
    at = draw.randrange(width(subject))
    return f"column {at + 1}", [row[:at] + row[at + 1 :] for row in subject.rows]


def renamed_heading(subject: Subject, draw: random.Random) -> Mutation:
    row, column = draw.choice(headings(subject))
    what = f"{subject.rows[row][column]!r} in row {row + 1}"
    return what, put(subject.rows, row, column, "Something else")


def shifted_header(subject: Subject, draw: random.Random) -> Mutation:
    rows = subject.rows
    if draw.random() < 0.4:
        line = ["Printed later"] + [""] * (width(subject) - 1)
        return "a line above", [line, *rows]
    at = draw.choice([r for r, _ in headings(subject)])
    return f"row {at + 1} one to the right", [*rows[:at], ["", *rows[at][:-1]], *rows[at + 1 :]]


def swapped_units(subject: Subject, draw: random.Random) -> Mutation | None:
    def scaled(cell: Any) -> Any:
        if not is_number(cell):
            return cell
        value = number(cell) * 1000
        return value if subject.sheet else f"{value:.9f}".rstrip("0").rstrip(".")

    rows, whole = subject.rows, body(subject)
    if not any(is_number(c) for r in whole for c in rows[r]):
        return None
    # Within twice its column's largest, a number a thousand times larger is an ordinary one.
    most: Counter[int] = Counter()
    for r in whole:
        for c, cell in enumerate(rows[r]):
            most[c] = max(most[c], abs(number(cell)) if is_number(cell) else 0)
    able = []
    for r in whole:
        found = [(c, number(cell)) for c, cell in enumerate(rows[r]) if is_number(cell)]
        scales = [(c, abs(n) * 1000) for c, n in found if n]
        if scales and all(n > 2 * most[c] for c, n in scales):
            able.append(r)
    if able and draw.random() < 0.5:
        at = draw.choice(able)
        return f"row {at + 1}", [*rows[:at], [scaled(c) for c in rows[at]], *rows[at + 1 :]]
    able = [
        c for c in range(width(subject))
        if sum(is_number(rows[r][c]) and number(rows[r][c]) != 0 for r in whole if c < len(rows[r]))
    ]  # fmt: skip
    at = draw.choice(able)
    return f"column {at + 1}", [
        [scaled(c) if n == at and r in whole else c for n, c in enumerate(row)]
        for r, row in enumerate(rows)
    ]


def text_in_a_number(subject: Subject, draw: random.Random) -> Mutation | None:
    able = [
        (r, c) for r in body(subject) for c, cell in enumerate(subject.rows[r]) if is_number(cell)
    ]  # fmt: skip
    if not able:
        return None
    row, column = draw.choice(able)
    text = draw.choice(people.NOT_NUMBERS)
    return f"{text!r} in row {row + 1}, column {column + 1}", put(subject.rows, row, column, text)


def duplicated_row(subject: Subject, draw: random.Random) -> Mutation:
    at = draw.choice([r for r in body(subject) if any(str(c).strip() for c in subject.rows[r])])
    return f"row {at + 1}", [*subject.rows[: at + 1], *subject.rows[at:]]


def truncated(subject: Subject, draw: random.Random) -> Mutation:
    if subject.sheet:
        at = draw.randrange(1, len(subject.rows))
        return f"after row {at}", subject.rows[:at]
    content = as_bytes(subject.rows)
    at = draw.randrange(1, len(content))
    if draw.random() < 0.3 and not subject.events:
        at = content.index(b"\n", at) + 1
    elif content[at - 1 : at] == b"\n":
        at -= 1
    return f"after byte {at}", content[:at]


def wrong_encoding(subject: Subject, draw: random.Random) -> Mutation:
    """Bytes of another encoding; in a sheet, texts whose bytes were read under another."""
    if subject.sheet:
        read_as = draw.choice(["latin-1", "cp437"])
        return f"texts in UTF-16 read as {read_as}", [
            [c.encode("utf-16-le").decode(read_as) if isinstance(c, str) else c for c in row]
            for row in subject.rows
        ]
    if draw.random() < 0.5:
        encoding = draw.choice(["utf-16", "utf-16-be"])
        return encoding, as_bytes(subject.rows, encoding)
    able = [(r, c) for r in body(subject) for c in range(len(subject.rows[r]))]
    row, column = draw.choice(able)
    cell = str(subject.rows[row][column]) + " £"
    mixed = as_bytes(put(subject.rows, row, column, cell)).decode("utf-8")
    return f"latin-1, row {row + 1}", mixed.encode("latin-1", errors="replace")


def renamed_place(subject: Subject, draw: random.Random) -> Mutation | None:
    able = [
        (r, c) for r, row in enumerate(subject.rows) for c, cell in enumerate(row) if is_place(cell)
    ]  # fmt: skip
    if not able:
        return None
    row, column = draw.choice(able)
    was = subject.rows[row][column]
    new = "Atlantis"
    return f"{was!r} in row {row + 1} is {new!r}", put(subject.rows, row, column, new)


def swapped_columns(subject: Subject, draw: random.Random) -> Mutation:
    # Columns that one heading is over, "Conf" for each year, are told apart by their place alone.
    head = subject.rows[subject.heading.stop - 1]
    pairs = [
        (a, b) for a, b in itertools.combinations(range(width(subject)), 2)
        if subject.sheet or max(a, b) >= len(head) or head[a] != head[b]
    ]  # fmt: skip
    one, other = draw.choice(pairs)

    def turned(row: list[Any]) -> list[Any]:
        row = list(row)
        if other < len(row):
            row[one], row[other] = row[other], row[one]
        return row

    return f"columns {one + 1} and {other + 1}", [turned(row) for row in subject.rows]


def dropped_row(subject: Subject, draw: random.Random) -> Mutation:
    at = draw.randrange(len(subject.rows))
    return f"row {at + 1}", subject.rows[:at] + subject.rows[at + 1 :]


KINDS: dict[str, Callable[[Subject, random.Random], Mutation | None]] = {
    "dropped column": dropped_column,
    "renamed heading": renamed_heading,
    "shifted header": shifted_header,
    "swapped units": swapped_units,
    "text in a number": text_in_a_number,
    "duplicated row": duplicated_row,
    "truncated file": truncated,
    "wrong encoding": wrong_encoding,
    "renamed place": renamed_place,
    "columns swapped": swapped_columns,
    "dropped row": dropped_row,
}
# What nobody can miss in a list of events.
NOT_OF_EVENTS = {"swapped units", "text in a number", "duplicated row", "dropped row"}
# Kinds after which the offences that are of no borough may be fewer.
LOSES_ROWS = {"truncated file", "dropped row"}


# What came of them


def figures(frame: pd.DataFrame) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """The values by their keys, without the places of the cells."""
    frame = frame.drop(columns=["origin"], errors="ignore")
    values = [c for c in frame if c in VALUES]
    keys = [c for c in frame if c not in values]
    found = {}
    for key, value in zip(
        frame[keys].itertuples(index=False), frame[values].itertuples(index=False), strict=True
    ):
        assert tuple(key) not in found, f"{tuple(key)} is there twice"
        found[tuple(key)] = tuple(value)
    return found


def equal(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return all(
        a == b
        or (isinstance(a, (int, float)) and math.isclose(a, b, rel_tol=1e-12))
        or (a != a and b != b)
        for a, b in zip(one, other, strict=True)
    )


def outcome(subject: Subject, kind: str, damaged: Rows | bytes, folder: Path) -> tuple[str, str]:
    """Return one of `OUTCOMES` and, for the worst of them, what is wrong."""
    with subject.country():
        try:
            found = figures(subject.result(damaged, folder))
        except (SourceError, UnknownNameError, ParameterError) as refusal:
            return refused(subject, refusal)
        except Exception as problem:
            return "SILENT", f"{type(problem).__name__}: {problem}"
    whole = WHOLE[subject.name]
    if kind in LOSES_ROWS:
        found = {key: value for key, value in found.items() if ELSEWHERE not in key}
        whole = {key: value for key, value in whole.items() if ELSEWHERE not in key}
    other = [key for key in found if key not in whole or not equal(found[key], whole[key])]
    if other:
        was, now = whole.get(other[0]), found[other[0]]
        return "SILENT", f"{len(other)} other figures; {other[0]}: {was} read as {now}"
    if len(found) == len(whole):
        return "same", ""
    if subject.pure and not subject.events:
        return "fewer rows", ""
    return "SILENT", f"{len(found)} of {len(whole)} figures, and nothing said"


def refused(subject: Subject, refusal: CrimeAnalysisError) -> tuple[str, str]:
    message = str(refusal)
    if Path(subject.file).name not in message or "\n" in message:
        return "SILENT", f"a refusal that does not name its file in one line: {message}"
    if isinstance(refusal, SourceError) and (refusal.row or refusal.column):
        return "refused at a cell or row", ""
    # No one cell is at fault: what is missing or does not tie is in the message.
    rest = message.split(": ", 1)[-1]
    if not re.search(r"[\d\"'\[]", rest):
        return "SILENT", f"a refusal that does not name its place: {message}"
    return "refused as a whole", ""


WHOLE: dict[str, dict[tuple[Any, ...], tuple[Any, ...]]] = {}


def mutations(
    chosen: list[Subject], seed: int = SEED
) -> Iterator[tuple[int, Subject, str, str, Rows | bytes]]:
    """Yield a number, the reader, the kind, what was done and what came of it."""
    draw = random.Random(seed)
    count = 0
    for subject in chosen:
        for kind, mutate in KINDS.items():
            for _ in range(subject.times):
                own = draw.randrange(2**32)
                if subject.events and kind in NOT_OF_EVENTS:
                    continue
                made = mutate(subject, random.Random(own))
                if made is not None:
                    count += 1
                    yield own, subject, kind, *made


def table(counts: Counter[tuple[str, str]]) -> str:
    shown = OUTCOMES
    lines = [f"{'kind of mutation':<18}" + "".join(f"{s:>26}" for s in shown) + f"{'all':>7}"]
    for kind in [*KINDS, "total"]:
        cells = [sum(n for (k, o), n in counts.items() if kind in (k, "total") and o == s)
                 for s in shown]  # fmt: skip
        lines.append(f"{kind:<18}" + "".join(f"{n:>26}" for n in cells) + f"{sum(cells):>7}")
    return "\n".join(lines)


def test_no_mutation_of_a_real_cut_is_silently_read_to_other_figures(tmp_path, capsys):
    chosen = subjects()
    for subject in chosen:
        folder = tmp_path / subject.name.replace("/", "-")
        (folder / subject.file).parent.mkdir(parents=True)
        with subject.country():
            whole = subject.rows if subject.sheet else as_bytes(subject.rows)
            WHOLE[subject.name] = figures(subject.result(whole, folder))
    counts: Counter[tuple[str, str]] = Counter()
    wrong = []
    for own, subject, kind, what, damaged in mutations(chosen):
        folder = tmp_path / subject.name.replace("/", "-")
        result, problem = outcome(subject, kind, damaged, folder)
        counts[kind, result] += 1
        if problem:
            wrong.append(f"seed {own}: {subject.name}, {kind}, {what}: {problem}")
    with capsys.disabled():
        print(f"\n{table(counts)}\n{len(chosen)} cuts, seed {SEED}")
    assert not wrong, "\n".join(wrong)
    assert counts.total() >= 300
