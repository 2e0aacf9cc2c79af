"""The descriptor beside the tables (a Frictionless data package): what each holds, from where."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from crime_analysis import codebook
from crime_analysis.build.assemble import READERS
from crime_analysis.build.recognised import Recognised, publications
from crime_analysis.sources.rawfile import Publication

__all__ = ["Made", "descriptor_of", "named"]

_MIRROR = "from a public mirror, not from the publisher's own site"


@dataclass(frozen=True)
class Made:
    """One table, validated, with its bytes, the bytes of its origins, and its publications."""

    frame: pd.DataFrame
    content: bytes
    origins: bytes
    sources: tuple[str, ...]


def named(wanted: Iterable[Publication]) -> str:
    """Return publications as they are cited, the editions of one together."""
    editions: dict[str, list[str]] = {}
    for p in wanted:
        editions.setdefault(f"{p.publisher}, {p.title}", []).append(p.edition)
    return "; ".join(f"{title} ({', '.join(each)})" for title, each in editions.items())


def descriptor_of(made: dict[str, Made], found: Recognised) -> dict[str, Any]:
    """Return the Frictionless data package descriptor of the tables, made anew and kept."""
    resources = []
    for spec in codebook.TABLES:
        if spec.name in made:
            resources.append(_resource(spec, made[spec.name], found))
        elif found.earlier is not None:
            resources.append(found.earlier.resources[spec.name])
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


def _resource(spec: codebook.Table, table: Made, found: Recognised) -> dict[str, Any]:
    """Return one table's entry in the descriptor."""
    resource: dict[str, Any] = {
        "name": spec.name,
        "path": f"{spec.name}.csv",
        "title": spec.title,
        "description": _described(spec, table, found),
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(table.content),
        "hash": hash_of(table.content),
        "rows": len(table.frame),
        "schema": {
            "fields": [_field(f) for f in spec.fields],
            "primaryKey": list(spec.key),
            "missingValues": [""],
        },
        "sources": [_source(i, spec, found) for i in table.sources],
    }
    if table.origins:
        # The hash is that of the unpacked text: how it packs is the machine's business.
        resource["provenance"] = {
            "path": f"provenance/{spec.name}.csv.gz",
            "hash": hash_of(table.origins),
        }
    return resource


def _described(spec: codebook.Table, table: Made, found: Recognised) -> str:
    """Return a table's description, which later editions than it knows have overtaken."""
    added = [
        found.publications[i]
        for i in table.sources
        if i in found.publications and i not in _released()
    ]
    if not added:
        return spec.description
    return f"{spec.description} These are the years of the release; since added: {named(added)}."


def hash_of(content: bytes) -> str:
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


def _source(key: str, spec: codebook.Table, found: Recognised) -> dict[str, Any]:
    """Return a publication's entry among the sources of a table."""
    if key not in found.publications and found.earlier is not None:
        return found.earlier.source(spec.name, key)
    publication, raw = found.publications[key], found.files[key]
    before = found.earlier.publication(key) if found.earlier else None
    copy = before is None or (before["obtained"], before["sha256"]) == (_MIRROR, raw.sha256)
    edition = publication.edition
    if key in _released() and not copy:
        # Nothing in a file tells it from a revision that ends with the same period.
        edition += ", or a revision that ends with the same period"
    described = {
        "id": publication.id,
        "title": publication.title,
        "publisher": publication.publisher,
        "edition": edition,
        "licence": publication.licence,
        "file": raw.name,
        "sha256": raw.sha256,
        "reader": found.readers[key].__name__.rpartition(".")[2],
        "obtained": _MIRROR if key in _released() and copy else "by whoever rebuilt the table",
    }
    return described | ({"note": publication.note} if publication.note else {})


def _released() -> set[str]:
    """Return the ids of the publications that the package was released with."""
    return {p.id for module in READERS for p in publications(module)}
