"""What every shipped table holds: fields, types, units, keys. One description, used three ways.

The build writes it into ``data/datapackage.json``; the catalog checks each read against it
(as a pandera schema); documentation prints it.
"""

from __future__ import annotations

import functools
from typing import Any

from crime_analysis.codebook.context import CONTEXT
from crime_analysis.codebook.fields import Field, Table
from crime_analysis.codebook.police import POLICE
from crime_analysis.errors import UnknownNameError

__all__ = ["TABLES", "Field", "Table", "schema", "table"]

TABLES: tuple[Table, ...] = POLICE + CONTEXT


def table(name: str) -> Table:
    """Return a table's description.

    Raises
    ------
    UnknownNameError
        With the nearest names, if there is no such table.

    Examples
    --------
    >>> table("prices").columns
    ['financial_year', 'gdp_deflator', 'cpih']
    """
    for candidate in TABLES:
        if candidate.name == name:
            return candidate
    raise UnknownNameError("table", name, [t.name for t in TABLES])


@functools.cache
def schema(name: str) -> Any:
    """Return the pandera schema of a table: columns in order, types, ranges, key.

    Text fields are strings, never missing unless the field says so; a row's key is unique.
    """
    import pandera.pandas as pa

    spec = table(name)
    dtypes = {"string": "str", "integer": "int64", "number": "float64"}
    columns = {}
    for field in spec.fields:
        checks = []
        if field.minimum is not None:
            checks.append(pa.Check.ge(field.minimum))
        if field.maximum is not None:
            checks.append(pa.Check.le(field.maximum))
        if field.pattern is not None:
            checks.append(pa.Check.str_matches(field.pattern))
        if field.allowed is not None:
            checks.append(pa.Check.isin(field.allowed))
        columns[field.name] = pa.Column(dtypes[field.type], checks, nullable=field.missing)
    return pa.DataFrameSchema(columns, unique=list(spec.key), strict=True, ordered=True)
