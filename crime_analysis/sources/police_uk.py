"""data.police.uk: street-level crimes and stops and searches, counted as they stream by.

A file, a folder of files or the published archives (``YYYY-MM/YYYY-MM-<force>-street.csv``)
become counts by month, force, borough and so on. Archives are not unpacked, rows are not held,
and what is not as published is refused with its archive, member and row.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from crime_analysis.errors import ParameterError, SourceError, UnknownNameError
from crime_analysis.sources.police_uk_rows import (
    FORCES,
    KINDS,
    NAME,
    RATIO,
    RATIO_FREE,
    UNREADABLE,
    Member,
    Stream,
    Totals,
    known_force,
)
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


class _Read(pd.DataFrame):
    """A frame to keep in ``attrs``, which pandas compares and copies when it joins frames."""

    def __eq__(self, other: object) -> Any:
        return self is other if isinstance(other, _Read) else super().__eq__(other)

    def __deepcopy__(self, memo: object) -> _Read:
        return self


def _inside(archive: zipfile.ZipFile, label: str) -> Iterator[Member]:
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
        if info.file_size > max(RATIO_FREE, RATIO * info.compress_size):
            raise SourceError(
                f"unpacks {info.compress_size:,} bytes to {info.file_size:,}, over {RATIO} times",
                name,
            )
        if not info.is_dir():
            yield Member(name, info.file_size, functools.partial(archive.open, info))


def _members(path: Path, archives: contextlib.ExitStack) -> Iterator[Member]:
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        label = file.relative_to(path).as_posix() if path.is_dir() else file.name
        if file.suffix.casefold() == ".zip":
            try:
                archive = archives.enter_context(zipfile.ZipFile(file))
            except UNREADABLE as problem:
                raise SourceError(f"is no whole archive ({problem}); get it again", label) from None
            yield from _inside(archive, label)
        elif file.is_file():
            opener = functools.partial(file.open, "rb", buffering=0)
            yield Member(label, file.stat().st_size, opener)
        elif not file.is_dir():
            raise SourceError("the file is not there", label)


def _choose(
    path: Path, found: list[Member], kind: str | None, say: Callable[[str], None]
) -> tuple[list[Member], str]:
    """Return the members to count, with what their names say, and their kind."""
    lone = path.is_file() and path.suffix.casefold() != ".zip"
    named: dict[tuple[str, str, str], Member] = {}
    for member in sorted(found, key=lambda m: m.name):
        base = re.split("[/!]", member.name)[-1].casefold()
        match = NAME.fullmatch(base)
        if match and match[3] == "outcomes":
            say(f"{member.name}: ignored, outcomes are not read")
        elif match:
            month, force = match[1], known_force(match[2].replace("-", " "))
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
            fits = [k for k, v in KINDS.items() if head.startswith(",".join(v[0][:2]))]
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
    >>> heading = ",".join(KINDS["street"][0])
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

    if kind is not None and kind not in KINDS:
        raise UnknownNameError("kind", kind, KINDS)
    with contextlib.ExitStack() as archives:
        chosen, kind = _choose(path, list(_members(path, archives)), kind, say)
        _, columns, usual = KINDS[kind]
        by = list(usual) if by is None else [by] if isinstance(by, str) else list(by)
        for dimension in by:
            if dimension not in columns:
                raise UnknownNameError("dimension", dimension, columns, f"{kind} files")
        if not by or len(set(by)) < len(by):
            raise ParameterError(f"by={by}: name at least one dimension, and each once")
        if forces is not None:
            asked = {known_force(f): f for f in ([forces] if isinstance(forces, str) else forces)}
            for force, name in asked.items():
                if force not in FORCES:
                    raise UnknownNameError("force", name, FORCES)
                if force not in {member.force for member in chosen}:
                    say(f"{path.name}: no {kind} file of {force}")
            if not chosen[0].force:
                raise ParameterError(f"forces= goes by file names, and {path.name!r} names none")
            chosen = [member for member in chosen if member.force in asked]
            if not chosen:
                raise SourceError(f"no {kind} file of {', '.join(asked)}", path.name)
        if (size := sum(member.size for member in chosen)) > max_bytes:
            raise SourceError(f"unpacks to {size:,} bytes, over max_bytes={max_bytes:,}", path.name)
        totals = Totals(by)
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            pending = [pool.submit(Stream(m, kind, by, totals).run) for m in chosen]
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
