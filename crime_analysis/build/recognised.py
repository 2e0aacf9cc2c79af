"""Which publications a folder of downloads holds, told by what the files say.

Of several editions of one publication the last is used; files that are no publication, or not
used, are named with the reason.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

import pandas as pd

from crime_analysis.build.earlier import Earlier
from crime_analysis.errors import ParameterError, SourceError
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import key_of

__all__ = ["MissingPublication", "Recognised", "publications", "recognise"]


class MissingPublication(ParameterError):
    """A table asked for a publication that is not in the folder."""


def publications(module: ModuleType) -> tuple[Publication, ...]:
    """Return the publications that a reader reads, one or several."""
    several = getattr(module, "PUBLICATIONS", None)
    return tuple(several) if several is not None else (module.PUBLICATION,)


@dataclass(frozen=True)
class Recognised:
    """The publications found in a folder, with the file and the reader of each.

    Attributes
    ----------
    files, publications, readers : dict
        By publication id.
    ignored : dict
        Why a file is not used, by its name.
    earlier : Earlier, optional
        The tables that stand, which hold what publications gave that are not in the folder.
    asked : list of Publication
        What makers have asked for so far, there or not.
    given : list of str
        Ids of what they were given.
    """

    files: dict[str, RawFile]
    publications: dict[str, Publication]
    readers: dict[str, ModuleType]
    ignored: dict[str, str]
    earlier: Earlier | None = None
    asked: list[Publication] = field(default_factory=list)
    given: list[str] = field(default_factory=list)

    def has(self, *wanted: Publication) -> bool:
        """Return whether each publication is in the folder, in this edition or a later."""
        series = {p.series for p in self.publications.values()} - {""}
        return all(p.id in self.publications or p.series in series for p in wanted)

    def of(self, module: ModuleType) -> list[tuple[Publication, RawFile]]:
        """Return what one reader recognised, in order of publication id."""
        self.asked.extend(publications(module))
        found = [
            (self.publications[key], raw)
            for key, raw in sorted(self.files.items())
            if self.readers[key] is module
        ]
        if not found:
            what = (module.__doc__ or module.__name__).strip().splitlines()[0]
            raise MissingPublication(f"no file in the folder is: {what} Download it, build again")
        self.given.extend(publication.id for publication, _ in found)
        return found

    def one(self, module: ModuleType, publication: Publication | None = None) -> RawFile:
        """Return the one file of a reader (or of one of its publications, in any edition)."""
        wanted = publication or publications(module)[0]
        self.asked.append(wanted)
        found = [
            key
            for key, p in self.publications.items()
            if self.readers[key] is module
            and (publication is None or p == wanted or (p.series and p.series == wanted.series))
        ]
        if len(found) != 1:
            what = f"expected one file of {wanted.title!r}, found {len(found)}"
            raise ParameterError(what) if found else MissingPublication(what)
        self.given.extend(found)
        return self.files[found[0]]

    def every(
        self, module: ModuleType, read: Callable[[RawFile], pd.DataFrame] | None = None
    ) -> pd.DataFrame:
        """Return what all files of a reader hold, each row with its ``source``."""
        read = read or module.read
        return pd.concat(
            [read(raw).assign(source=publication.id) for publication, raw in self.of(module)],
            ignore_index=True,
        )


def recognise(folder: str | Path, readers: Sequence[ModuleType]) -> Recognised:
    """Return which publications the files below a folder are.

    Raises
    ------
    ParameterError
        If the folder is not there.
    SourceError
        If two different files are the same edition of a publication, or a file cannot be opened.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ParameterError(f"--raw {str(folder)!r} is not a folder; give the downloads' folder")
    found = Recognised({}, {}, {}, {})
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        raw = RawFile(path)
        name = path.relative_to(root).as_posix()
        if not (raw.is_text or raw.is_workbook):
            found.ignored[name] = "neither csv nor a spreadsheet"
            continue
        known = next(((m, p) for m in readers if (p := m.recognise(raw)) is not None), None)
        if known is None:
            found.ignored[name] = _unknown(raw, readers)
            continue
        reader, publication = known
        other = found.files.get(publication.id)
        if other is not None and other.sha256 != raw.sha256:
            raise SourceError(
                f"is the same publication as {other.name} ({publication.id}) with other content;"
                " keep one",
                raw.name,
            )
        if other is not None:
            found.ignored[name] = f"a copy of {other.name}"
            continue
        key = publication.id
        found.files[key], found.publications[key], found.readers[key] = raw, publication, reader
    return _last_editions(found)


def _last_editions(found: Recognised) -> Recognised:
    """Return the same without the editions that a later one in the folder reprints."""
    last: dict[str, str] = {}
    for key in sorted(found.publications):
        if series := found.publications[key].series:
            last[series] = key
    older = [k for k, p in found.publications.items() if p.series and last[p.series] != k]
    for key in older:
        later = found.files[last[found.publications[key].series]]
        found.ignored[found.files[key].name] = f"an earlier edition than {later.name}"
    return replace(
        found,
        files={k: v for k, v in found.files.items() if k not in older},
        publications={k: v for k, v in found.publications.items() if k not in older},
        readers={k: v for k, v in found.readers.items() if k not in older},
    )


def _unknown(raw: RawFile, readers: Iterable[ModuleType]) -> str:
    """Return why no reader knows a file: what was looked for and found."""
    if raw.is_workbook:
        sheets = ", ".join(map(repr, raw.sheet_names[:4]))
        return f"no publication has the sheets {sheets}; those read as csv are to be saved so"
    cells = next(csv.reader(raw.head.splitlines()[:1]), [])
    there = {key_of(cell) for cell in cells}
    begins = f"begins with {', '.join(map(repr, cells[:6]))}"[:120]
    for reader in readers:
        wanted = list(getattr(reader, "HEADINGS", ()))
        missing = [name for name in wanted if key_of(name) not in there]
        if wanted and len(missing) * 2 < len(wanted):
            title = publications(reader)[0].title
            return f"nearest to {title!r}, but without the column {missing[0]!r}; it {begins}"
    return f"no publication {begins}"
