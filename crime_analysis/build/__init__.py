"""Turn a folder of official publications into the shipped tables; the only writer of ``data/``.

Publications are recognised by what they say, never by file name. A folder need not hold them
all: what it feeds is made anew, and the rest is kept to the byte. A table whose rows are each
from one publication takes the new rows and keeps those that no publication in the folder gives;
any other is made anew only if all its publications are there, and is kept and named if not.

All tables are made and validated in memory first and swapped in last, so a build that fails or
is killed leaves the old data whole. Building twice from the same files gives the same bytes.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from crime_analysis import catalog, codebook, provenance
from crime_analysis.build import recognised
from crime_analysis.build.assemble import MAKERS, READERS, STACKED
from crime_analysis.build.descriptor import Made, descriptor_of, named
from crime_analysis.build.earlier import Earlier, open_earlier
from crime_analysis.build.recognised import MissingPublication, Recognised, publications
from crime_analysis.errors import CrimeAnalysisError, ParameterError
from crime_analysis.sources.rawfile import Publication
from crime_analysis.swap import replace_folder, standing

__all__ = ["Built", "Made", "Recognised", "build", "recognise", "tables"]


@dataclass(frozen=True)
class Built:
    """What a build did.

    Attributes
    ----------
    folder : Path
        Where the tables are.
    descriptor : dict
        What was written beside them.
    rebuilt : dict
        Of each table made anew, how many rows were added, changed and removed; None where
        there was no earlier one to compare with.
    kept : dict
        Why a table was kept as it was, by name; empty where nothing in the folder feeds it.
    """

    folder: Path
    descriptor: dict[str, Any]
    rebuilt: dict[str, tuple[int, int, int] | None]
    kept: dict[str, str]

    def __str__(self) -> str:
        lines = []
        for name, counts in self.rebuilt.items():
            added, changed, removed = counts or (0, 0, 0)
            told = f"{added:,} rows added, {changed:,} changed, {removed:,} removed"
            told = "new" if counts is None else told if any(counts) else "the same figures"
            if codebook.table(name).made_by and counts == (0, 0, 0):
                continue  # the package's own register, which no publication feeds
            lines.append(f"rebuilt {name}: {told}")
        lines += [f"kept {name} as it was: {why}" for name, why in self.kept.items() if why]
        others = [name for name, why in self.kept.items() if not why]
        if others:
            lines.append(f"kept, as nothing in the folder feeds them: {', '.join(others)}")
        resources = self.descriptor["resources"]
        rows = sum(resource["rows"] for resource in resources)
        lines.append(f"wrote {len(resources)} tables, {rows:,} rows, to {self.folder}")
        return "\n".join(lines)


def recognise(folder: str | Path) -> Recognised:
    """Return which publications the files below a folder are (`recognised.recognise`)."""
    return recognised.recognise(folder, READERS)


def tables(found: Recognised) -> tuple[dict[str, Made], dict[str, str]]:
    """Return the tables that can be made of recognised publications, and why others cannot.

    Returns
    -------
    made : dict
        By name, validated.
    kept : dict
        By name, why a table must stay as it is: empty if no publication found feeds it, else
        what it also needs.

    Raises
    ------
    ParameterError
        If no table can be made, or one can neither be made nor kept; it names what to add.
    SourceError, DataError
        If a publication is not as expected, or a table made from it not as the codebook says.
    """
    if not found.publications:
        looked = "; ".join(f"{name}: {why}" for name, why in sorted(found.ignored.items())[:3])
        raise ParameterError(
            "no file in the folder is a publication that tables are made from (the README lists"
            f" them){'; ' + looked if looked else ''}"
        )
    if found.earlier is None:
        _require_all(found)
    made: dict[str, Made] = {}
    kept: dict[str, str] = {}
    fed = False
    for spec in codebook.TABLES:
        outcome = _make(spec, found)
        if isinstance(outcome, Made):
            made[spec.name] = outcome
            fed |= not spec.made_by
        else:
            kept[spec.name] = outcome
    if not fed:
        raise ParameterError(
            "no table can be made from the folder: "
            + "; ".join(f"{name}: {why}" for name, why in kept.items() if why)
        )
    lost = [name for name in kept if found.earlier is None or name not in found.earlier.resources]
    if lost:
        why = kept[lost[0]] or "none of its publications is in the folder"
        raise ParameterError(
            f"{lost[0]} is not among the tables that stand, and {why}; build from all"
            " publications, or give --out a new folder"
        )
    return made, kept


def _make(spec: codebook.Table, found: Recognised) -> Made | str:
    """Make one table, or say why it must stay as it is."""
    found = replace(found, asked=[], given=[])
    try:
        frame = MAKERS[spec.name](found)
    except MissingPublication:
        frame = None
    stacked = spec.name in STACKED and found.earlier is not None
    lacking = [p for p in dict.fromkeys(found.asked) if not found.has(p)]
    unfed = not (found.given or spec.made_by)
    if frame is None or unfed or (lacking and not stacked):
        return _needs(spec, lacking, found)
    if stacked:
        frame = _with_rows_that_stand(spec, frame, found)
    return _validated(spec, frame)


def _needs(spec: codebook.Table, lacking: list[Publication], found: Recognised) -> str:
    """Return what a table needs that some publication in the folder feeds; else nothing."""
    readers = {module.__name__.rpartition(".")[2] for module in found.readers.values()}
    resource = found.earlier.resources.get(spec.name) if found.earlier else None
    sources = resource["sources"] if resource else []
    read = any(source["reader"] in readers for source in sources)
    # A row from each: what it was given is all that feeds it.
    fed = bool(found.given) or (read and spec.name not in STACKED)
    if not fed:
        return ""
    # A maker stops at the first that it lacks; the others are those that the table cites.
    series = tuple(p.series for p in found.publications.values() if p.series)
    cited = [
        Publication(s["id"], s["publisher"], s["title"], s["edition"])
        for s in ([] if spec.name in STACKED else sources)
        if s["id"] not in found.publications and not s["id"].startswith(series)
    ]
    return f"it also needs {named({p.id: p for p in [*lacking, *cited]}.values())}"


def _with_rows_that_stand(
    spec: codebook.Table, frame: pd.DataFrame, found: Recognised
) -> pd.DataFrame:
    """Return a frame with the earlier rows that no publication in the folder gives.

    What a publication in the folder gave before and gives no longer is withdrawn.
    """
    resource = found.earlier.resources.get(spec.name) if found.earlier else None
    cited = {source["id"] for source in resource["sources"]} if resource else set()
    if found.earlier is None or cited <= set(found.publications):
        return frame
    earlier = found.earlier.frame(spec.name)
    keys = list(spec.key)
    named = [c for c in earlier if str(c).endswith("@source")]
    given = earlier[named].isin(list(found.publications)).any(axis=1)
    again = pd.MultiIndex.from_frame(earlier[keys]).isin(pd.MultiIndex.from_frame(frame[keys]))
    return pd.concat([frame, earlier[~given & ~again]], ignore_index=True)


def _validated(spec: codebook.Table, kept: pd.DataFrame) -> Made:
    """Return a made table, and take off the books that its maker kept beside the figures."""
    kept = kept.sort_values(list(spec.key), ignore_index=True)
    frame = kept[spec.columns]
    content = _csv(frame)
    # Through bytes and back: what is validated is exactly what a user will read.
    frame = catalog.validate(spec.name, catalog.parse(spec.name, content))
    booked = [name for name in spec.columns if f"{name}@origin" in kept]
    origins = provenance.pack(
        {
            name: (
                [o if isinstance(o, tuple) else () for o in kept[f"{name}@origin"]],
                list(kept[f"{name}@source"]),
            )
            for name in booked
        }
    )
    cited = {i for name in booked for i in kept[f"{name}@source"].dropna().unique()}
    return Made(frame, content, origins if booked else b"", tuple(sorted(cited)))


def _require_all(found: Recognised) -> None:
    """Refuse a folder that lacks a publication, naming every one that it lacks."""
    wanted = [p for module in READERS for p in publications(module)]
    missing = [p for p in wanted if not found.has(p)]
    if missing:
        raise ParameterError(
            f"{len(missing)} of {len(wanted)} publications are not in the folder, and there are no"
            f" earlier tables to keep; download and build again: {named(missing)}"
        )


def build(raw: str | Path | Recognised, out: str | Path | None = None) -> Built:
    """Rebuild what a folder of publications feeds, and keep the rest: all of it, or nothing.

    Parameters
    ----------
    raw : path or Recognised
        Folder with the downloaded publications, searched in depth; or what `recognise` found.
    out : path, optional
        Where to write; the package's own data folder if not given. What it holds of an earlier
        build is kept and built upon; a new folder takes the package's own tables so.

    Returns
    -------
    Built

    Raises
    ------
    ParameterError
        If no table can be made, or `out` holds anything but an earlier build.
    SourceError, DataError
        As `recognise` and `tables`; also if a table that must be kept was altered.
    """
    # Resolved, so that the folder behind a link is replaced and not the link.
    target = (Path(out) if out is not None else catalog.data_home()).resolve()
    found = raw if isinstance(raw, Recognised) else recognise(raw)
    held = standing(target)
    if not held.exists() or not any(held.iterdir() if held.is_dir() else [held]):
        held = catalog.data_folder()
    found = replace(found, earlier=open_earlier(held))
    made, kept = tables(found)
    contents: dict[str, bytes] = {}
    for spec in codebook.TABLES:
        if spec.name in made:
            table = made[spec.name]
            contents[f"{spec.name}.csv"] = table.content
            if table.origins:
                contents[f"provenance/{spec.name}.csv.gz"] = _packed(table.origins)
        elif found.earlier is not None:
            contents |= found.earlier.files(spec.name)
    descriptor = descriptor_of(made, found)
    contents["datapackage.json"] = _json(descriptor)
    _require_own(target, contents)
    rebuilt = {name: _compared(name, table.frame, found.earlier) for name, table in made.items()}
    try:
        replace_folder(target, contents)
    except OSError as problem:
        message = f"cannot write to {target.parent}: {problem.strerror}; what was there is whole"
        kind = ParameterError if isinstance(problem, PermissionError) else CrimeAnalysisError
        raise kind(message) from None
    return Built(target, descriptor, rebuilt, kept)


def _compared(name: str, new: pd.DataFrame, earlier: Earlier | None) -> tuple[int, int, int] | None:
    """Return how many rows of a table were added, changed and removed, sources aside."""
    keys = list(codebook.table(name).key)
    try:
        old = earlier.frame(name) if earlier and name in earlier.resources else None
    except CrimeAnalysisError:
        old = None
    if old is None:
        return None
    columns = [c for c in new.columns if c != "source"]
    before, after = (frame[columns].set_index(keys).astype(object) for frame in (old, new))
    both = before.index.intersection(after.index)
    one, other = before.loc[both], after.loc[both]
    differs = ((one != other) & ~(one.isna() & other.isna())).any(axis=1)
    return len(after) - len(both), int(differs.sum()), len(before) - len(both)


def _require_own(target: Path, contents: Iterable[str]) -> None:
    """Refuse to replace a folder that holds anything but tables and their descriptor."""
    if not target.exists():
        return
    if not target.is_dir():
        raise ParameterError(f"{target} is not a folder; give --out a folder")
    own = {Path(name).parts[0] for name in contents}
    # A table that is no longer made was the build's own too, if the descriptor can be read.
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        package = json.loads((target / "datapackage.json").read_text(encoding="utf-8"))
        own |= {Path(resource["path"]).parts[0] for resource in package["resources"]}
    foreign = sorted({path.name for path in target.iterdir()} - own)
    if foreign:
        raise ParameterError(
            f"{target} holds {', '.join(foreign[:3])}, which no build wrote, and a build replaces"
            " the whole folder; give --out a new one"
        )


def _csv(frame: pd.DataFrame) -> bytes:
    """Return a table as bytes that do not depend on the machine."""
    return frame.to_csv(index=False, lineterminator="\n").encode()


def _packed(content: bytes) -> bytes:
    """Return gzipped bytes without time stamp, name or the mark of a Python version."""
    out = io.BytesIO()
    # Not gzip.compress: what it writes for the operating system changed with Python 3.13.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=out, mtime=0) as file:
        file.write(content)
    return out.getvalue()


def _json(descriptor: dict[str, Any]) -> bytes:
    return (json.dumps(descriptor, indent=1, ensure_ascii=False) + "\n").encode()
