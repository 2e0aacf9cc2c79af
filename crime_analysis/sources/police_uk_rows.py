"""Rows of one data.police.uk file, counted as they stream by: only the counts are kept."""

from __future__ import annotations

import csv
import functools
import itertools
import lzma
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from crime_analysis import places
from crime_analysis.errors import SourceError, UnknownNameError

__all__ = [
    "FORCES",
    "KINDS",
    "NAME",
    "RATIO",
    "RATIO_FREE",
    "UNREADABLE",
    "Member",
    "Stream",
    "Totals",
    "known_force",
]

KINDS: dict[str, tuple[tuple[str, ...], dict[str, str], tuple[str, ...]]] = {
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
NAME = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2]))-([a-z-]+)-(street|stop-and-search|outcomes)\.csv")
_BEYOND = {
    "btp": "British Transport Police",
    "northern ireland": "Police Service of Northern Ireland",
}
FORCES = (*places.FORCES, *_BEYOND.values())
RATIO, RATIO_FREE = 200, 50_000_000  # text like this packs 10 to 30 times
_BLOCK, _PAD, _CELL = 1 << 19, 1024, 1000
_FACTORS = np.cumprod(np.full(2000, 0x9E3779B97F4A7C15, np.uint64))
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
)


@functools.cache
def known_force(name: str) -> str:
    """Return a force's name as the package has it, or as printed where it is no territorial one."""
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
class Member:
    """A csv file, in an archive or not; what its name does not say is empty."""

    name: str
    size: int
    open: Callable[[], Any]
    month: str = ""
    force: str = ""
    kind: str = ""


def _cells(line: bytes, width: int) -> list[str]:
    try:
        row = next(csv.reader([line.decode("utf-8")], strict=True))
    except (csv.Error, UnicodeDecodeError) as problem:
        raise ValueError(f"cannot be read as a row ({problem})") from None
    if len(row) != width:
        raise ValueError(f"expected {width} cells as in the heading, found {len(row)}")
    return row


class Totals:
    """Counts of all members, as small whole numbers that stand for the names."""

    def __init__(self, by: Sequence[str]) -> None:
        self.by, self.lock, self.pending = list(by), Lock(), 0
        self.codes: list[dict[str, int]] = [{} for _ in by]
        self.parts: list[pd.DataFrame] = []

    def take(self, counts: Counter[tuple[str, ...]]) -> None:
        """Add a block's counts and empty it."""
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
        """Return the counts so far, one row a group of codes."""
        none = pd.DataFrame(columns=[*self.by, "count"], dtype="int64")
        return pd.concat(self.parts or [none]).groupby(self.by, as_index=False, sort=False).sum()

    def frame(self) -> pd.DataFrame:
        """Return the counts under the names that the codes stand for."""
        total = self.added()
        names = [sorted(codes) for codes in self.codes]
        for name, codes, ordered in zip(self.by, self.codes, names, strict=True):
            total[name] = np.argsort(np.array([codes[v] for v in ordered], int))[total[name]]
        total = total.sort_values(self.by, ignore_index=True)
        for name, ordered in zip(self.by, names, strict=True):
            total[name] = pd.Index(ordered, dtype="str").take(total[name])
        return total


class Stream:
    """Counts the rows of one member, block by block."""

    def __init__(self, member: Member, kind: str, by: Sequence[str], totals: Totals) -> None:
        self.member, self.kind, self.by, self.totals = member, kind, by, totals
        self.heading, self.columns, _ = KINDS[kind]
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
        except UNREADABLE as problem:
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
        """Count every row of an open file."""
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
        """Return (not raise) an error that names this file and the given place in it."""
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
        if dimension == "force" and force in FORCES and known_force(text) != force:
            raise ValueError(f"{text!r} is not {force}, as the file's name says", "Reported by")
        if not text.strip():
            return "no location" if dimension in ("borough", "lsoa") else "not stated"
        if dimension in ("force", "falls_within"):
            return known_force(text)
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
