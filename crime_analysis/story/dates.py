"""Dates of the tables as a reader says them."""

from __future__ import annotations

import re

import pandas as pd

__all__ = ["dated"]

_ISO = re.compile(r"(?<![\w-])(\d{4})-(0[1-9]|1[0-2])(-\d\d)?(?![\w-])")


def dated(text: str) -> str:
    """Return text with its ISO dates and months in words.

    Examples
    --------
    >>> dated("2018-08: fewer than on 2010-03-31")
    'August 2018: fewer than on 31 March 2010'
    """

    def said(found: re.Match[str]) -> str:
        day = pd.Timestamp(found[0])
        return f"{day.day} {day:%B %Y}" if found[3] else f"{day:%B %Y}"

    return _ISO.sub(said, text)
