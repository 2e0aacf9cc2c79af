"""Turn a folder of official publications into the shipped tables; the only writer of ``data/``.

Publications are recognised by what they say, never by file name. All tables are made and
validated in memory first and swapped in last, so a build that fails leaves the old data whole.
Building twice from the same files gives the same bytes.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from crime_analysis import catalog, codebook, provenance
from crime_analysis.assemble import MAKERS, READERS, Recognised
from crime_analysis.errors import ParameterError, SourceError
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["Made", "Recognised", "build", "recognise", "tables"]


@dataclass(frozen=True)
class Made:
    """One table, validated, with its bytes, the bytes of its origins, and its publications."""

    frame: pd.DataFrame
    content: bytes
    origins: bytes
    sources: tuple[str, ...]


def recognise(folder: str | Path) -> Recognised:
    """Return which publications the files below a folder are.

    Raises
    ------
    ParameterError
        If the folder is not there.
    SourceError
        If two different files are the same publication.
    """
    root = Path(folder)
    if not root.is_dir():
        raise ParameterError(f"--raw {str(folder)!r} is not a folder; give the downloads' folder")
    files: dict[str, RawFile] = {}
    publications: dict[str, Publication] = {}
    readers: dict[str, ModuleType] = {}
    ignored = []
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        raw = RawFile(path)
        if not (raw.is_text or raw.is_workbook):
            continue
        known = next(((m, p) for m in READERS if (p := m.recognise(raw)) is not None), None)
        if known is None:
            ignored.append(raw.name)
            continue
        reader, publication = known
        other = files.get(publication.id)
        if other is not None and other.sha256 != raw.sha256:
            raise SourceError(
                f"is the same publication as {other.name} ({publication.id}) with other content;"
                " keep one",
                raw.name,
            )
        key = publication.id
        files[key], publications[key], readers[key] = raw, publication, reader
    return Recognised(files, publications, readers, ignored)


def tables(found: Recognised) -> dict[str, Made]:
    """Return every shipped table, made from recognised publications and validated.

    Raises
    ------
    ParameterError
        If publications are missing; it names each.
    SourceError, DataError
        If one is not as expected, or a table made from it is not as the codebook says.
    """
    _require_all(found)
    return {spec.name: _make(spec, found) for spec in codebook.TABLES}


def _make(spec: codebook.Table, found: Recognised) -> Made:
    """Make one table, and take off the books that its maker kept beside the figures."""
    kept = MAKERS[spec.name](found).sort_values(list(spec.key), ignore_index=True)
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
    wanted = [p for module in READERS for p in _publications(module)]
    missing = [
        f"{p.publisher}, {p.title} ({p.edition})" for p in wanted if p.id not in found.publications
    ]
    if missing:
        raise ParameterError(
            f"{len(missing)} of {len(wanted)} publications are not in the folder; download and"
            f" build again: {'; '.join(missing)}"
        )


def _publications(module: ModuleType) -> tuple[Publication, ...]:
    """Return the publications that a reader reads, one or several."""
    several = getattr(module, "PUBLICATIONS", None)
    return tuple(several) if several is not None else (module.PUBLICATION,)


def build(raw: str | Path, out: str | Path | None = None) -> dict[str, Any]:
    """Rebuild all shipped tables from a folder of publications: all of them, or none.

    Parameters
    ----------
    raw : path
        Folder with the downloaded publications, searched in depth.
    out : path, optional
        Where to write; the package's own data folder if not given.

    Returns
    -------
    dict
        The descriptor that was written.

    Raises
    ------
    ParameterError
        If publications are missing, or `out` holds anything but an earlier build.
    SourceError, DataError
        As `recognise` and `tables`.
    """
    # Resolved, so that the folder behind a link is replaced and not the link.
    target = (Path(out) if out is not None else catalog.data_folder()).resolve()
    found = recognise(raw)
    made = tables(found)
    descriptor = _descriptor(made, found)
    contents = {"datapackage.json": _json(descriptor)}
    for name, table in made.items():
        contents[f"{name}.csv"] = table.content
        if table.origins:
            contents[f"provenance/{name}.csv.gz"] = _packed(table.origins)
    _require_own(target, contents)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".data-", dir=target.parent))
    except OSError as problem:
        raise ParameterError(f"cannot write to {target.parent}: {problem.strerror}") from None
    try:
        for name, content in contents.items():
            (aside / name).parent.mkdir(exist_ok=True)
            (aside / name).write_bytes(content)
        aside.chmod(0o755)
        _swap(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return descriptor


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


def _swap(new: Path, target: Path) -> None:
    """Put folder `new` in the place of `target`; on failure `target` is as it was."""
    if not target.exists():
        os.rename(new, target)
        return
    old = new.with_name(new.name + "-old")
    os.rename(target, old)
    try:
        os.rename(new, target)
    except BaseException:
        os.rename(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)


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


def _descriptor(made: dict[str, Made], found: Recognised) -> dict[str, Any]:
    """Return the Frictionless data package descriptor of the tables."""
    resources = []
    for name, table in made.items():
        spec = codebook.table(name)
        resource: dict[str, Any] = {
            "name": name,
            "path": f"{name}.csv",
            "title": spec.title,
            "description": spec.description,
            "profile": "tabular-data-resource",
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "bytes": len(table.content),
            "hash": _hash(table.content),
            "rows": len(table.frame),
            "schema": {
                "fields": [_field(f) for f in spec.fields],
                "primaryKey": list(spec.key),
                "missingValues": [""],
            },
            "sources": [_source(i, found) for i in table.sources],
        }
        if table.origins:
            # The hash is that of the unpacked text: how it packs is the machine's business.
            resource["provenance"] = {
                "path": f"provenance/{name}.csv.gz",
                "hash": _hash(table.origins),
            }
        resources.append(resource)
    return {
        "profile": "tabular-data-package",
        "name": "crime-analysis-data",
        "title": "Police funding, officers and recorded crime, England and Wales",
        "licenses": [
            {
                "name": "OGL-UK-3.0",
                "title": "Open Government Licence v3.0",
                "path": "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
            }
        ],
        "resources": resources,
    }


def _hash(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _field(field: codebook.Field) -> dict[str, Any]:
    constraints: dict[str, Any] = {"required": not field.missing}
    for key in ("minimum", "maximum", "pattern"):
        if getattr(field, key) is not None:
            constraints[key] = getattr(field, key)
    if field.allowed is not None:
        constraints["enum"] = list(field.allowed)
    described = {"name": field.name, "type": field.type, "description": field.description}
    if field.unit:
        described["unit"] = field.unit
    return {**described, "constraints": constraints}


def _source(key: str, found: Recognised) -> dict[str, Any]:
    publication, raw = found.publications[key], found.files[key]
    described = {
        "id": publication.id,
        "title": publication.title,
        "publisher": publication.publisher,
        "edition": publication.edition,
        "licence": publication.licence,
        "file": raw.name,
        "sha256": raw.sha256,
        "reader": found.readers[key].__name__.rpartition(".")[2],
        "obtained": "from a public mirror, not from the publisher's own site",
    }
    return described | ({"note": publication.note} if publication.note else {})
