"""What the index calls a recorded number: the notebook's word for it, or the set's."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

__all__ = ["filled", "relabel"]

_PARAMETER = re.compile(r"\{(\w+)\}")


def filled(label: str, parameters: Mapping[str, str], varying: Collection[str] = ()) -> str:
    """Return a label with each ``{parameter}`` as its value, or as its name where it varies.

    Reports that are listed together keep one label: what varies has a column of its own.

    Examples
    --------
    >>> filled("growth, {start} to {end}", {"start": "2010", "end": "2018"}, ["end"])
    'growth, 2010 to end'
    """

    def value(found: re.Match[str]) -> str:
        name = found[1]
        return name.replace("_", " ") if name in varying else parameters[name]

    return _PARAMETER.sub(value, label)


def relabel(
    reports: list[dict[str, Any]], given: Mapping[str, str], varying: Collection[str]
) -> None:
    """Give each report's numbers their labels.

    Parameters
    ----------
    reports : list of dict
        Each with its ``headline`` and ``parameters``.
    given : mapping
        What a notebook calls a number to what the set calls it. One that names a parameter which
        a report lacks is not for that report.
    varying : collection of str
        Parameters that differ among the reports.
    """
    for report in reports:
        for entry in report["headline"]:
            for label in (given.get(entry["label"]), entry["label"]):
                if label and set(_PARAMETER.findall(label)) <= set(report["parameters"]):
                    entry["label"] = filled(label, report["parameters"], varying)
                    break
