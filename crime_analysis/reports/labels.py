"""What the index calls a recorded number: the notebook's words, with the report's parameters."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

__all__ = ["filled", "relabel"]

_PARAMETER = re.compile(r"\{(\w+)\}")


def filled(label: str, parameters: Mapping[str, str], varying: Collection[str] = ()) -> str:
    """Return a label with each ``{parameter}`` as its value, or as its name where it varies.

    Reports that are listed together keep one label: what varies has a column of its own. What
    is no parameter stays as it is.

    Examples
    --------
    >>> filled("growth, {start} to {end}", {"start": "2010", "end": "2018"}, ["end"])
    'growth, 2010 to end'
    """

    def value(found: re.Match[str]) -> str:
        name = found[1]
        return name.replace("_", " ") if name in varying else parameters.get(name, found[0])

    return _PARAMETER.sub(value, label)


def relabel(reports: list[dict[str, Any]], varying: Collection[str]) -> None:
    """Fill in the labels of each report's numbers.

    Parameters
    ----------
    reports : list of dict
        Each with its ``headline`` and ``parameters``.
    varying : collection of str
        Parameters that differ among the reports.
    """
    for report in reports:
        for entry in report["headline"]:
            entry["label"] = filled(entry["label"], report["parameters"], varying)
