"""The tables of an earlier build, with the cells of every figure: to keep, or to build upon.

A folder of downloads seldom holds every publication. What the others gave is in the tables that
stand, figure by figure with its cells, so it can be taken over without the raw files.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from crime_analysis import catalog, codebook, provenance
from crime_analysis.errors import DataError
from crime_analysis.sources.origin import Origin

__all__ = ["Earlier", "open_earlier"]


@dataclass(frozen=True)
class Earlier:
    """An earlier build: its folder, and its tables' entries in the descriptor by name."""

    folder: Path
    resources: dict[str, dict[str, Any]]

    def files(self, name: str) -> dict[str, bytes]:
        """Return a table's files as they stand, by their path, each checked against its hash.

        Raises
        ------
        DataError
            If one is missing or was altered.
        """
        resource = self.resources[name]
        found = {resource["path"]: self._checked(resource["path"], resource["hash"])}
        if "provenance" in resource:
            told = resource["provenance"]
            found[told["path"]] = self._checked(told["path"], told["hash"])
        return found

    def frame(self, name: str) -> pd.DataFrame:
        """Return a table as its maker made it, each figure with its origin and source beside.

        Raises
        ------
        DataError
            If the table is missing, altered or not as the codebook says.
        """
        files = self.files(name)
        resource = self.resources[name]
        frame = catalog.validate(name, catalog.parse(name, files[resource["path"]]))
        books: dict[str, tuple[list[Any], list[Any]]] = {}
        packed = files.get(resource.get("provenance", {}).get("path", ""))
        for row in provenance.unpack(gzip.decompress(packed)) if packed else []:
            blank: tuple[list[Any], list[Any]] = ([()] * len(frame), [None] * len(frame))
            origins, sources = books.setdefault(row["field"], blank)
            at = int(row["row"])
            cells = Origin(
                row["sheet"], row["rows"], row["column"], float(row["factor"]), row["role"]
            )
            origins[at], sources[at] = (*origins[at], cells), row["source"]
        for field, (origins, sources) in books.items():
            frame[f"{field}@origin"] = pd.Series(origins, dtype=object)
            frame[f"{field}@source"] = pd.Series(sources, dtype=object)
        return frame

    def source(self, name: str, publication: str) -> dict[str, Any]:
        """Return a publication's entry among the sources of a table."""
        return next(s for s in self.resources[name]["sources"] if s["id"] == publication)

    def publication(self, key: str) -> dict[str, Any] | None:
        """Return a publication's entry among the sources of whatever table cites it."""
        cited = (s for resource in self.resources.values() for s in resource["sources"])
        return next((s for s in cited if s["id"] == key), None)

    def _checked(self, path: str, expected: str) -> bytes:
        """Return a file's bytes; the hash is that of a table, or of unpacked origins."""
        try:
            content = (self.folder / path).read_bytes()
            plain = gzip.decompress(content) if path.endswith(".gz") else content
        except (OSError, EOFError, zlib.error) as problem:
            raise DataError(f"{path} cannot be kept ({problem}); {catalog.MEND}") from None
        if f"sha256:{hashlib.sha256(plain).hexdigest()}" != expected:
            raise DataError(f"{path} was altered and cannot be kept; {catalog.MEND}")
        return content


def open_earlier(folder: Path) -> Earlier | None:
    """Return the build that a folder holds; None if it holds none that can be read."""
    try:
        text = (folder / "datapackage.json").read_text(encoding="utf-8")
        resources = {r["name"]: r for r in json.loads(text)["resources"]}
        for resource in resources.values():
            for needed in ("path", "hash", "rows", "sources"):
                resource[needed]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    known = {table.name for table in codebook.TABLES}
    return Earlier(folder, {name: r for name, r in resources.items() if name in known})
