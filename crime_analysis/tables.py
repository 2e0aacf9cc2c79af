"""Frames as HTML tables: escaped, with proper headings, numbers set to be read."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

__all__ = ["Table", "minus"]


_HEADINGS = {
    "ci_low": "95% from",
    "ci_high": "95% to",
    "f_statistic": "F",
    "p_value": "p",
    "nobs": "rows",
}


def minus(text: str) -> str:
    """Return text with true minus signs before numbers; hyphens in dates and names stay.

    Examples
    --------
    >>> minus("-0.3 to 0.2 from 2018-09-17, by y ~ x - 1")
    '−0.3 to 0.2 from 2018-09-17, by y ~ x - 1'
    """
    return re.sub(r"(?<![\w.-])-(?=\d)", "−", text)


def _number(value: float) -> str:
    """Return a number with the figures that a reader can use."""
    if np.isnan(value):
        return "–"
    if np.isinf(value):
        return "no bound"
    size = abs(value)
    if (float(value).is_integer() and size >= 1) or size >= 1000:
        text = f"{value:,.0f}"
    elif size >= 100:
        text = f"{value:,.1f}"
    else:
        text = f"{value:,.2f}" if size >= 0.1 or value == 0 else f"{value:.3f}"
    return text.replace("-", "−")


@dataclass(frozen=True)
class Table:
    """A frame shown as a table.

    Attributes
    ----------
    frame : DataFrame
        What to show; its first column heads the rows.
    caption : str
        Above the table.
    formats : mapping
        By column, a format string such as ``"{:.1%}"`` instead of the default.

    Examples
    --------
    >>> "<th scope=" in Table(pd.DataFrame({"force": ["<Kent>"], "n": [1]}))._repr_html_()
    True
    """

    frame: pd.DataFrame
    caption: str = ""
    formats: Mapping[str, str] = field(default_factory=dict)

    def _cell(self, column: str, value: object) -> tuple[str, bool]:
        """Return a cell's text and whether it is a number."""
        if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
            whole = self.formats[column].format(value) if column in self.formats else f"{value:,}"
            return whole.replace("-", "−"), True
        if isinstance(value, (float, np.floating)):
            number = float(value)
            if column in self.formats and np.isfinite(number):
                return self.formats[column].format(number).replace("-", "−"), True
            if column.endswith(("p_value", "_p")) and number < 0.001:  # a chance is never nought
                return "<0.001", True
            return _number(number), True
        return ("–" if value is None or value is pd.NA else str(value)), False

    def _side(self, place: int) -> str:
        """Return the class that sets a column of numbers to the right."""
        numeric = place > 0 and pd.api.types.is_numeric_dtype(self.frame.dtypes.iloc[place])
        return ' class="number"' if numeric else ""

    def _repr_html_(self) -> str:
        parts = ['<table class="data">']
        if self.caption:
            parts.append(f"<caption>{html.escape(self.caption)}</caption>")
        columns = [str(c) for c in self.frame.columns]
        heads = "".join(
            f'<th scope="col"{self._side(place)}>'
            f"{html.escape(_HEADINGS.get(name, name.replace('_', ' ')))}</th>"
            for place, name in enumerate(columns)
        )
        parts.append(f"<thead><tr>{heads}</tr></thead><tbody>")
        for row in self.frame.itertuples(index=False, name=None):
            cells = []
            for place, (column, value) in enumerate(zip(columns, row, strict=True)):
                text, number = self._cell(column, value)
                tag = 'th scope="row"' if place == 0 else 'td class="number"' if number else "td"
                cells.append(f"<{tag}>{html.escape(text)}</{tag.split()[0]}>")
            parts.append("<tr>" + "".join(cells) + "</tr>")
        parts.append("</tbody></table>")
        return "".join(parts)

    def __str__(self) -> str:
        return self.frame.to_string(index=False)
