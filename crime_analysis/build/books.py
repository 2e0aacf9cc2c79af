"""Facts set as tables, each figure with its books: the cells it was made from, and their source."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from crime_analysis.build.recognised import MissingPublication, Recognised

__all__ = ["figures", "spread", "stack"]


def stack(found: Recognised, *parts: Callable[[Recognised], pd.DataFrame]) -> pd.DataFrame:
    """Return the parts whose publications are there, one under the other.

    Those that are not are left to the tables that stand: `build` keeps their rows.
    """
    stacked = []
    for part in parts:
        try:
            stacked.append(part(found))
        except MissingPublication:
            if found.earlier is None:
                raise
    if not stacked:
        raise MissingPublication("no publication of the table is in the folder")
    return pd.concat(stacked, ignore_index=True)


def figures(facts: pd.DataFrame, value: str, field: str | None = None) -> pd.DataFrame:
    """Return facts with their value as a field of the table, and its books beside it."""
    field = field or value
    return facts.rename(columns={value: field, "origin": f"{field}@origin"}).assign(
        **{f"{field}@source": facts["source"]}
    )


def spread(
    facts: pd.DataFrame, keys: Sequence[str], measure: str, value: str, suffix: str = ""
) -> pd.DataFrame:
    """Return facts with each measure a column of its own, and its books beside it."""
    wide = facts.set_index([*keys, measure])[[value, "origin", "source"]].unstack(measure)
    frame = wide[value].add_suffix(suffix)
    for part in ("origin", "source"):
        named = wide[part].add_suffix(f"{suffix}@{part}")
        # Where a measure is missing so are its books.
        frame = frame.join(named.where(named.notna(), None))
    return frame.reset_index().rename_axis(columns=None)
