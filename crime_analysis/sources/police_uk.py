"""data.police.uk: street-level crimes and stops and searches, counted as they stream by.

A file, a folder of files or the published archives (``YYYY-MM/YYYY-MM-<force>-street.csv``)
become counts by month, force, borough and so on. Archives are not unpacked, rows are not held,
and what is not as published is refused with its archive, member and row.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import itertools
import lzma
import os
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from crime_analysis import places
from crime_analysis.errors import ParameterError, SourceError, UnknownNameError
from crime_analysis.sources.rawfile import Publication

__all__ = ["PUBLICATION", "read_police_uk"]

PUBLICATION = Publication(
    id="data-police-uk",
    publisher="data.police.uk (Home Office)",
    title="Street-level crime and stop and search",
    edition="as downloaded",
    note="Places are moved to a point nearby; outcomes are the latest known at publication.",
)

# Heading; the column that each dimension is made from; what to count by if nothing is asked.
_KINDS: dict[str, tuple[tuple[str, ...], dict[str, str], tuple[str, ...]]] = {
    "street": (
        ("Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location",
         "LSOA code", "LSOA name", "Crime type", "Last outcome category", "Context"),
        {"month": "Month", "force": "Reported by", "falls_within": "Falls within",
         "borough": "LSOA name", "lsoa": "LSOA name", "crime_type": "Crime type",
         "outcome": "Last outcome category"},
        ("month", "borough", "crime_type"),
    ),
    "stop-and-search": (
        ("Type", "Date", "Part of a policing operation", "Policing operation", "Latitude",
         "Longitude", "Gender", "Age range", "Self-defined ethnicity", "Officer-defined ethnicity",
         "Legislation", "Object of search", "Outcome", "Outcome linked to object of search",
         "Removal of more than just outer clothing"),
        {"month": "Date", "type": "Type", "gender": "Gender", "age_range": "Age range",
         "ethnicity": "Officer-defined ethnicity", "legislation": "Legislation",
         "object_of_search": "Object of search", "outcome": "Outcome", "force": ""},
        ("month", "force", "object_of_search"),
    ),
}  # fmt: skip
_NAME = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2]))-([a-z-]+)-(street|stop-and-search|outcomes)\.csv")
_BEYOND = {
    "btp": "British Transport Police",
    "northern ireland": "Police Service of Northern Ireland",
}
_FORCES = (*places.FORCES, *_BEYOND.values())
_RATIO, _RATIO_FREE = 200, 50_000_000  # text like this packs 10 to 30 times
_BLOCK, _PAD, _CELL = 1 << 19, 1024, 1000
_FACTORS = np.cumprod(np.full(2000, 0x9E3779B97F4A7C15, np.uint64))
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
)


@functools.cache
def _force(name: str) -> str:
    try:
        return places.force(name)
    except UnknownNameError:
        return _BEYOND.get(name, name)


@functools.cache
def _authority(lsoa: str) -> str:
    name = re.sub(r" \d{3}[A-Z]$", "", lsoa)
    try:
        return places.borough(name)
    except UnknownNameError:
        return name


def _month(text: str) -> str:
    """Return a month, or a time's month in London, where files begin on the 1st; or nothing."""
    if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        return text
    try:
        time = datetime.fromisoformat(text)
        return f"{time.astimezone(ZoneInfo('Europe/London')) if time.tzinfo else time:%Y-%m}"
    except (ValueError, OverflowError):
        return ""


@dataclass(frozen=True)
class _Member:
    """A csv file, in an archive or not; what its name does not say is empty."""

    name: str
    size: int
    open: Callable[[], Any]
    month: str = ""
    force: str = ""
    kind: str = ""


class _Read(pd.DataFrame):
    """A frame to keep in ``attrs``, which pandas compares and copies when it joins frames."""

    def __eq__(self, other: object) -> Any:
        return self is other if isinstance(other, _Read) else super().__eq__(other)

    def __deepcopy__(self, memo: object) -> _Read:
        return self


def _cells(line: bytes, width: int) -> list[str]:
    try:
        row = next(csv.reader([line.decode("utf-8")], strict=True))
    except (csv.Error, UnicodeDecodeError) as problem:
        raise ValueError(f"cannot be read as a row ({problem})") from None
    if len(row) != width:
        raise ValueError(f"expected {width} cells as in the heading, found {len(row)}")
    return row


class _Totals:
    """Counts of all members, as small whole numbers that stand for the names."""

    def __init__(self, by: Sequence[str]) -> None:
        self.by, self.lock, self.pending = list(by), Lock(), 0
        self.codes: list[dict[str, int]] = [{} for _ in by]
        self.parts: list[pd.DataFrame] = []

    def take(self, counts: Counter[tuple[str, ...]]) -> None:
        if not counts:
            return
        with self.lock:
            part: dict[str, Any] = {}
            for name, codes, column in zip(
                self.by, self.codes, zip(*counts, strict=True), strict=False
            ):
                part[name] = np.array([codes.setdefault(v, len(codes)) for v in column], np.int32)
            self.parts.append(pd.DataFrame({**part, "count": list(counts.values())}))
            self.pending += len(counts)
            if self.pending > 1_000_000:
                self.parts, self.pending = [self.added()], 0
        counts.clear()

    def added(self) -> pd.DataFrame:
        none = pd.DataFrame(columns=[*self.by, "count"], dtype="int64")
        return pd.concat(self.parts or [none]).groupby(self.by, as_index=False, sort=False).sum()

    def frame(self) -> pd.DataFrame:
        total = self.added()
        names = [sorted(codes) for codes in self.codes]
        for name, codes, ordered in zip(self.by, self.codes, names, strict=True):
            total[name] = np.argsort(np.array([codes[v] for v in ordered], int))[total[name]]
        total = total.sort_values(self.by, ignore_index=True)
        for name, ordered in zip(self.by, names, strict=True):
            total[name] = pd.Index(ordered, dtype="str").take(total[name])
        return total


class _Stream:
    """Counts the rows of one member, block by block."""

    def __init__(self, member: _Member, kind: str, by: Sequence[str], totals: _Totals) -> None:
        self.member, self.kind, self.by, self.totals = member, kind, by, totals
        self.heading, self.columns, _ = _KINDS[kind]
        needed = [d for d in dict.fromkeys([*by, "month", "force"]) if self.columns[d]]
        self.at = {d: self.heading.index(self.columns[d]) for d in needed}
        self.labels: dict[str, dict[bytes, str]] = {d: {} for d in needed}
        self.seen: dict[str, set[str]] = {"month": set(), "force": set()}
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.rows = 0

    def run(self) -> dict[str, object]:
        """Count all rows; return the member's line of ``attrs["read"]``."""
        try:
            with self.member.open() as stream:
                self.read(stream)
        except _UNREADABLE as problem:
            raise self.error(f"cannot be read ({problem}); download it again") from None
        self.totals.take(self.counts)
        months = sorted(self.seen["month"] or {self.member.month})
        return {
            "member": self.member.name,
            "rows": self.rows,
            "kind": self.kind,
            "force": self.member.force or ", ".join(sorted(self.seen["force"])) or "not stated",
            "month": " to ".join(dict.fromkeys([months[0], months[-1]])),
        }

    def read(self, stream: Any) -> None:
        buffer, size, rest, headed = bytearray(_BLOCK + _PAD), 0, 0, False
        while got := stream.readinto(memoryview(buffer)[rest:_BLOCK]):
            size, filled, begin = size + got, rest + got, 0
            end = buffer.rfind(b"\n", 0, filled) + 1
            if size > self.member.size or (not end and filled == _BLOCK):
                raise self.error("holds more than it declares, or a line of over 500 KB")
            if end and not headed:
                begin, headed = buffer.find(b"\n") + 1, True
                heading = bytes(buffer[:begin]).decode("utf-8-sig", "replace")
                found = tuple(next(csv.reader([heading[:5000].replace("\r", "")])))
                if found != self.heading:
                    odd, lack = [set(found) - {*self.heading}, set(self.heading) - {*found}]
                    raise self.error(
                        f"not the columns of a published {self.kind} file, in its order:"
                        f" {sorted(odd)[:5]} too many, {sorted(lack)[:5]} missing",
                        1,
                    )
            if end > begin:
                before = self.rows
                try:
                    self.add_block(buffer, begin, end)
                except ValueError as problem:
                    self.locate(problem, bytes(buffer[begin : end - 1]).split(b"\n"), before + 2)
            rest = filled - end
            buffer[:rest] = buffer[end:filled]
            if len(self.counts) > 100_000:
                self.totals.take(self.counts)
        if rest or size != self.member.size:
            raise self.error("the last line has no end: cut short; get it again", self.rows + 2)

    def error(self, message: str, row: int | None = None, column: str | None = None) -> SourceError:
        return SourceError(message, self.member.name, None, row, column)

    def locate(self, problem: ValueError, lines: list[bytes], row: int) -> None:
        """Raise what is wrong with a block again, with the row where it is."""
        for number, line in enumerate(lines, row):
            try:
                self.add_lines([line])
            except ValueError as fault:
                raise self.error(fault.args[0], number, *fault.args[1:]) from None
        raise self.error(f"cannot be read ({problem})", row) from problem

    def label(self, dimension: str, value: bytes) -> str:
        """Return what a cell counts as; refuse a month or force that is not the file's."""
        text, month, force = value.decode(), self.member.month, self.member.force
        if len(value) > _CELL:
            raise ValueError(f"a cell of over {_CELL:,} bytes", self.columns[dimension])
        if dimension == "month":
            found = _month(text) if self.kind == "street" or text[:7] != month else month
            if not found or found != (month or found):
                wanted = month and f" of {month}, as the file's name says"
                raise ValueError(f"{text!r} is no month or time{wanted}", self.columns["month"])
            return found
        if dimension == "force" and force in _FORCES and _force(text) != force:
            raise ValueError(f"{text!r} is not {force}, as the file's name says", "Reported by")
        if not text.strip():
            return "no location" if dimension in ("borough", "lsoa") else "not stated"
        if dimension in ("force", "falls_within"):
            return _force(text)
        return _authority(text) if dimension == "borough" else text

    def add(self, cells: dict[str, list[bytes]], times: Sequence[int]) -> None:
        """Count rows, given their cells by dimension and how often each is there."""
        labelled: dict[str, Any] = {"force": itertools.repeat(self.member.force or "not stated")}
        for dimension, known in self.labels.items():
            if len(known) > 100_000:  # times, in a file whose name has no month
                known.clear()
            for value in set(cells[dimension]) - known.keys():
                known[value] = self.label(dimension, value)
                if dimension in self.seen:
                    self.seen[dimension].add(known[value])
            labelled[dimension] = [known[value] for value in cells[dimension]]
        for n, *key in zip(times, *(labelled[d] for d in self.by), strict=False):
            self.counts[tuple(key)] += n
        self.rows += sum(times)

    def add_lines(self, lines: Sequence[bytes]) -> None:
        """Count lines one by one, as the csv module reads them."""
        rows = [_cells(line, len(self.heading)) for line in lines]
        self.add({d: [r[c].encode() for r in rows] for d, c in self.at.items()}, [1] * len(rows))

    def add_block(self, buffer: bytearray, begin: int, end: int) -> None:
        """Count the whole lines in ``buffer[begin:end]`` without an object for each cell.

        Cells are taken as words of 8 bytes and rows hashed; one row of each hash is read and
        all others are compared with it, so that no two different rows ever count as one.
        """
        if buffer.find(b'"', begin, end) >= 0 or buffer.find(b"\0", begin, end) >= 0:
            lines = bytes(buffer[begin : end - 1]).split(b"\n")
            odd = [b'"' in line or b"\0" in line for line in lines]
            self.add_lines(list(itertools.compress(lines, odd)))
            plain = [line for line, set_apart in zip(lines, odd, strict=True) if not set_apart]
            if not plain:
                return
            begin, buffer = 0, bytearray(b"\n".join([*plain, bytes(_PAD)]))
            end = len(buffer) - _PAD
        text, width = np.frombuffer(buffer, np.uint8, end), len(self.heading)
        newline = text[begin:] == ord("\n")
        rows = int(np.count_nonzero(newline))
        stops: Any = np.flatnonzero(newline | (text[begin:] == ord(","))) + begin
        if stops.size != rows * width:
            raise ValueError("uneven rows")
        starts = np.concatenate(([begin], stops[:-1] + 1)).reshape(rows, width)
        stops = stops.reshape(rows, width)
        if (text[stops[:, -1]] != ord("\n")).any():
            raise ValueError("uneven rows")
        if np.count_nonzero(text[begin:] == 13) != np.count_nonzero(text[stops[:, -1] - 1] == 13):
            raise ValueError("a stray carriage return")

        def words(at: Any, count: int) -> Any:
            spans: Any = np.ndarray(end, f"V{8 * count}", buffer, strides=(1,))
            return spans[at].view("<u8").reshape(rows, count)

        hashed, factors, cells = np.zeros(rows, np.uint64), iter(_FACTORS), {}
        for dimension, column in self.at.items():
            start = starts[:, column]
            length = stops[:, column] - start
            if dimension == "borough":  # "Camden 027B": the code need not be told apart
                coded = words(stops[:, column] - 5, 1)[:, 0] & 0xE0F0F0F0FF == 0x4030303020
                length = np.where(coded & (length > 5), length - 5, length)
            elif dimension == "month" and self.kind == "stop-and-search" and self.member.month:
                month = int.from_bytes(self.member.month.encode(), "little")
                timely = words(start, 1)[:, 0] & (1 << 56) - 1 == month
                length = np.where(timely & (length > 7), 7, length)
            if length.max() > _CELL:
                raise ValueError("an overlong cell")
            count = int(length.max()) // 8 + 1
            masks = np.tri(8 * count, 8 * count, -1, np.uint8) * np.uint8(255)
            cells[dimension] = words(start, count) & masks.view("<u8").take(length, axis=0)
            hashed += cells[dimension] @ np.fromiter(factors, np.uint64, count)
        codes, distinct = pd.factorize(hashed)
        first = np.empty(len(distinct), np.intp)
        first[codes[::-1]] = np.arange(rows - 1, -1, -1)
        alike = first[codes]
        if any((part != part.take(alike, axis=0)).any() for part in cells.values()):
            self.add_lines(bytes(buffer[begin : end - 1]).split(b"\n"))  # two rows, one hash
            return
        chosen = {dimension: part[first] for dimension, part in cells.items()}
        self.add(
            {d: part.view(f"S{8 * part.shape[1]}")[:, 0].tolist() for d, part in chosen.items()},
            np.bincount(codes).tolist(),
        )


def _inside(archive: zipfile.ZipFile, label: str) -> Iterator[_Member]:
    infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
    ends = [*(info.header_offset for info in infos[1:]), archive.start_dir]
    for info, end in zip(infos, ends, strict=False):
        raw = info.orig_filename
        name = f"{label}!{raw}"
        if re.match(r"/|[A-Za-z]:", raw) or re.search(r"[\\\0]", raw) or ".." in raw.split("/"):
            raise SourceError("its name leads out of the archive", name)
        if info.header_offset + info.compress_size > end:
            raise SourceError("overlaps the next member", name)
        if info.flag_bits & 1:
            raise SourceError("is encrypted; published files are not", name)
        if info.file_size > max(_RATIO_FREE, _RATIO * info.compress_size):
            raise SourceError(
                f"unpacks {info.compress_size:,} bytes to {info.file_size:,}, over {_RATIO} times",
                name,
            )
        if not info.is_dir():
            yield _Member(name, info.file_size, functools.partial(archive.open, info))


def _members(path: Path, archives: contextlib.ExitStack) -> Iterator[_Member]:
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        label = file.relative_to(path).as_posix() if path.is_dir() else file.name
        if file.suffix.casefold() == ".zip":
            try:
                archive = archives.enter_context(zipfile.ZipFile(file))
            except _UNREADABLE as problem:
                raise SourceError(f"is no whole archive ({problem}); get it again", label) from None
            yield from _inside(archive, label)
        elif file.is_file():
            opener = functools.partial(file.open, "rb", buffering=0)
            yield _Member(label, file.stat().st_size, opener)
        elif not file.is_dir():
            raise SourceError("the file is not there", label)


def _choose(
    path: Path, found: list[_Member], kind: str | None, say: Callable[[str], None]
) -> tuple[list[_Member], str]:
    """Return the members to count, with what their names say, and their kind."""
    lone = path.is_file() and path.suffix.casefold() != ".zip"
    named: dict[tuple[str, str, str], _Member] = {}
    for member in sorted(found, key=lambda m: m.name):
        base = re.split("[/!]", member.name)[-1].casefold()
        match = _NAME.fullmatch(base)
        if match and match[3] == "outcomes":
            say(f"{member.name}: ignored, outcomes are not read")
        elif match:
            month, force = match[1], _force(match[2].replace("-", " "))
            key = (match[3], force, month)
            if key in named:
                raise SourceError(
                    f"{match[3]} of {force} in {month} is there already, in {named[key].name}",
                    member.name,
                )
            named[key] = replace(member, month=month, force=force, kind=match[3])
        elif lone:
            with member.open() as stream:
                head = stream.readline(4096).decode("utf-8-sig", "replace")
            fits = [k for k, v in _KINDS.items() if head.startswith(",".join(v[0][:2]))]
            named["", "", ""] = replace(member, kind=kind or "".join(fits) or "street")
        elif base.startswith(".") or not base.endswith(".csv"):
            say(f"{member.name}: ignored, not a csv file")
        else:
            raise SourceError(
                "its name does not say month, force and kind, as YYYY-MM-force-street.csv does;"
                " rename it or move it away",
                member.name,
            )
    kinds = {member.kind for member in named.values()}
    if kind is None and len(kinds) > 1:
        raise SourceError("holds street and stop-and-search files; choose with kind=", path.name)
    wanted = kind or "".join(kinds)
    for member in named.values():
        if member.kind != wanted:
            say(f"{member.name}: ignored, {wanted} files were asked for")
    chosen = [member for member in named.values() if member.kind == wanted]
    if not chosen:
        raise SourceError(f"no {kind or 'street or stop-and-search'} file in it", path.name)
    return chosen, wanted


def read_police_uk(
    path: str | Path,
    by: Sequence[str] | None = None,
    *,
    kind: str | None = None,
    forces: Sequence[str] | None = None,
    report: list[str] | Callable[[str], object] | None = None,
    max_bytes: int = 20_000_000_000,
) -> pd.DataFrame:
    r"""Return counts of crimes or of stops and searches, from files of data.police.uk.

    Parameters
    ----------
    path : str or Path
        A csv file, an archive as published (of any number of months), or a folder of either.
    by : sequence of str, optional
        What to count by. Street files: ``month``, ``force`` (that reported), ``falls_within``,
        ``borough`` (or other local authority, from the LSOA's name), ``lsoa``, ``crime_type``,
        ``outcome``; if not given, month, borough and crime type. Stops and searches: ``month``
        (in London time), ``force`` (from the file's name), ``type``, ``gender``, ``age_range``,
        ``ethnicity`` (officer-defined), ``legislation``, ``object_of_search``, ``outcome``; if
        not given, month, force and object of search.
    kind : {"street", "stop-and-search"}, optional
        Needed only where both are there.
    forces : sequence of str, optional
        Count only these forces' files.
    report : list or callable, optional
        Is given a sentence for all that was left out: empty files, outcomes, other files.
    max_bytes : int
        Refuse to read more than this, unpacked.

    Returns
    -------
    DataFrame
        The columns `by` and ``count``, sorted. Empty cells count as "not stated", or "no
        location". The counts add up to the rows read. ``attrs["read"]`` has a row for each
        file (member, rows, kind, force, month), ``attrs["report"]`` the sentences, and
        ``attrs["publication"]`` the source.

    Raises
    ------
    SourceError
        If a file is damaged, encrypted, too large, not as published, there twice, or has a
        row of another month or force than its name says; with archive, member and row.
    UnknownNameError
        If a dimension, kind or force is unknown.
    ParameterError
        If a dimension is asked for twice, or `forces` for a file whose name has none.

    Examples
    --------
    >>> import tempfile
    >>> heading = ",".join(_KINDS["street"][0])
    >>> row = ",2023-01,City of London Police,City of London Police,,,,E1,Camden 027B,Drugs,,"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "2023-01-city-of-london-street.csv"
    ...     lines = file.write_text("\n".join([heading, row, row, ""]))
    ...     read_police_uk(file, ["borough", "crime_type"])
      borough crime_type  count
    0  Camden      Drugs      2
    """
    path, said = Path(path), list[str]()

    def say(sentence: str) -> None:
        said.append(sentence)
        if isinstance(report, list):
            report.append(sentence)
        elif report is not None:
            report(sentence)

    if kind is not None and kind not in _KINDS:
        raise UnknownNameError("kind", kind, _KINDS)
    with contextlib.ExitStack() as archives:
        chosen, kind = _choose(path, list(_members(path, archives)), kind, say)
        _, columns, usual = _KINDS[kind]
        by = list(usual) if by is None else [by] if isinstance(by, str) else list(by)
        for dimension in by:
            if dimension not in columns:
                raise UnknownNameError("dimension", dimension, columns, f"{kind} files")
        if not by or len(set(by)) < len(by):
            raise ParameterError(f"by={by}: name at least one dimension, and each once")
        if forces is not None:
            asked = {_force(f): f for f in ([forces] if isinstance(forces, str) else forces)}
            for force, name in asked.items():
                if force not in _FORCES:
                    raise UnknownNameError("force", name, _FORCES)
                if force not in {member.force for member in chosen}:
                    say(f"{path.name}: no {kind} file of {force}")
            if not chosen[0].force:
                raise ParameterError(f"forces= goes by file names, and {path.name!r} names none")
            chosen = [member for member in chosen if member.force in asked]
            if not chosen:
                raise SourceError(f"no {kind} file of {', '.join(asked)}", path.name)
        if (size := sum(member.size for member in chosen)) > max_bytes:
            raise SourceError(f"unpacks to {size:,} bytes, over max_bytes={max_bytes:,}", path.name)
        totals = _Totals(by)
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            pending = [pool.submit(_Stream(m, kind, by, totals).run) for m in chosen]
            try:
                read = [future.result() for future in pending]
            finally:
                for future in pending:
                    future.cancel()
    for line in read:
        if not line["rows"]:
            say(f"{line['member']}: empty, it has no rows")
    counts = totals.frame()
    counts.attrs = {"read": _Read(read), "report": said, "publication": PUBLICATION}
    return counts
