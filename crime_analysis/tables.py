"""Frames as HTML tables: escaped, with proper headings, numbers set to be read."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

__all__ = ["Folded", "Table", "minus", "worded"]


_HEADINGS = {
    "ci_low": "95% from",
    "ci_high": "95% to",
    "pi_low": "foretold from",
    "pi_high": "foretold to",
    "std_error": "standard error",
    "f_statistic": "F",
    "p_value": "p",
    "nobs": "rows",
}


#: Columns whose cells are names to type: tables to load, keys of rows, parameters.
_TYPED = frozenset({"comparison", "id", "parameter", "rows", "table", "tables"})
#: Names that do not read as words when their joints are opened.
_NAMES = {
    "fy_start": "first calendar year",
    "gdp_deflator": "GDP deflator",
    "hmic_actuals": "HMIC actuals",
    "hmic_estimates": "HMIC estimates",
    "officers_end_fte": "officers at the end of the year",
    "officers_fte": "officers, FTE",
    "officers_start_fte": "officers at the start of the year",
}
_NAME = re.compile(r"(?<![\w/.])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w/])")
_ONLY_NAMES = re.compile(r"[a-z][a-z0-9_]*(?:(?:; ?|, ?)[a-z][a-z0-9_]*)*")
_UNITS = {"_gbp_m": ", £m", "_per_1000": " per 1,000", "_fte": ", FTE"}
_LONG_WORD = 18
_YEAR = re.compile(r"year|fy_start|31 March|period|cohort|\bstart\b", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d\d(-\d\d)?")


def minus(text: str) -> str:
    """Return text with true minus signs before numbers; hyphens in dates and names stay.

    Examples
    --------
    >>> minus("-0.3 to 0.2 from 2018-09-17, by y ~ x - 1")
    '−0.3 to 0.2 from 2018-09-17, by y ~ x - 1'
    """
    return re.sub(r"(?<![\w.-])-(?=\d)", "−", text)


def _signed(text: str) -> str:
    """Return a number with a true minus sign, and none before what is rounded to nought."""
    return re.sub(r"^-(?=[£$]?0(\.0*)?%?$)", "", text).replace("-", "−")


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
    return _signed(text)


def _heading(column: str) -> str:
    """Return a column's name in words, with its unit as people write it."""
    for name, words in _HEADINGS.items():
        # `course_ci_low` is the lower end of the course.
        for written in (name, name.replace("_", " ")):
            if column == written or column.endswith((f"_{written}", f" {written}")):
                return f"{column[: -len(written)].replace('_', ' ')}{words}"
    for unit, written in _UNITS.items():
        column = column.replace(unit, written)
    return column.replace("_", " ")


def _typical_length(texts: pd.Series) -> float:
    return float(texts.dropna().astype(str).str.len().mean()) if texts.notna().any() else 0.0


def _breakable(text: str) -> str:
    """Return text as HTML in which long joined names may go on in another line."""
    if max(map(len, text.split()), default=0) < _LONG_WORD:
        return html.escape(text)
    joint = r"(?<=[;_/])(?=\w)"
    words = (re.split(joint, w) if len(w) >= _LONG_WORD else [w] for w in text.split(" "))
    return " ".join("<wbr>".join(map(html.escape, parts)) for parts in words)


def worded(text: str) -> str:
    """Return a name, or names in a row, as words; any other text as it is.

    Examples
    --------
    >>> worded("violence_with_injury;robbery"), worded("Take formula_funding.")
    ('violence with injury; robbery', 'Take formula_funding.')
    """
    # "funding (hmic_estimates)" is a name with a name in brackets.
    text = re.sub(r"(?<=\()\w+(?=\))", lambda name: _NAMES.get(name[0], name[0]), text)
    if not ("_" in text and _ONLY_NAMES.fullmatch(text)):
        return text
    names = (_NAMES.get(name, name.replace("_", " ")) for name in re.split(r"[;,] ?", text))
    return ("; " if ";" in text else ", ").join(names)


def _marked(text: str) -> str:
    """Return a cell as HTML, names within a sentence marked as what one would type."""
    if "://" in text:
        return _breakable(text)
    parts = _NAME.split(text)
    names = [f"<code>{_breakable(name)}</code>" for name in _NAME.findall(text)]
    told = [_breakable(part) for part in parts]
    return "".join(a + b for a, b in zip(told, [*names, ""], strict=True))


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
            # A year is a name, not a quantity.
            form = "{:d}" if _YEAR.search(column) and 1900 <= value <= 2100 else "{:,}"
            whole = self.formats.get(column, form).format(value)
            return _signed(whole), True
        if isinstance(value, (float, np.floating)):
            number = float(value)
            if column in self.formats and np.isfinite(number):
                return _signed(self.formats[column].format(number)), True
            if column.endswith(("p_value", "_p")) and number < 0.001:  # a chance is never nought
                return "<0.001", True
            return _number(number), True
        if isinstance(value, (bool, np.bool_)):
            return ("yes" if value else "no"), False
        if value is None or value is pd.NA:
            return "–", False
        return (str(value) if column in _TYPED else worded(str(value))), False

    def _side(self, place: int) -> str:
        """Return the class that sets a column of numbers to the right."""
        numeric = place > 0 and pd.api.types.is_numeric_dtype(self.frame.dtypes.iloc[place])
        return ' class="number"' if numeric else ""

    def _wordy(self) -> bool:
        """Say whether rows are read rather than compared: on a phone such a table is a list."""
        texts = (self.frame.iloc[:, i] for i in range(self.frame.shape[1]))
        lengths = [_typical_length(t) for t in texts if not pd.api.types.is_numeric_dtype(t)]
        return self.frame.shape[1] > 1 and sum(lengths) > 60

    def _repr_html_(self) -> str:
        wordy = self._wordy()
        parts = [f'<table class="data{" words" if wordy else ""}">']
        if self.caption:
            parts.append(f"<caption>{html.escape(self.caption)}</caption>")
        columns = [str(c) for c in self.frame.columns]
        labels = [html.escape(_heading(name)) for name in columns]
        heads = "".join(
            f'<th scope="col"{self._side(place)}>{label}</th>' for place, label in enumerate(labels)
        )
        parts.append(f"<thead><tr>{heads}</tr></thead><tbody>")
        for row in self.frame.itertuples(index=False, name=None):
            cells = []
            for place, (column, value) in enumerate(zip(columns, row, strict=True)):
                text, number = self._cell(column, value)
                tag = 'th scope="row"' if place == 0 else "td"
                kind = "number" if number and place else "date" if _DATE.fullmatch(text) else ""
                told = f' class="{kind}"' if kind else ""
                told += f' data-label="{labels[place]}"' if wordy and place else ""
                shown = _breakable(text) if kind else _marked(text)
                if column in _TYPED and text != "–" and not kind:
                    shown = f"<code>{_breakable(text)}</code>"
                cells.append(f"<{tag}{told}>{shown}</{tag[:2]}>")
            parts.append("<tr>" + "".join(cells) + "</tr>")
        parts.append("</tbody></table>")
        return "".join(parts)

    def __str__(self) -> str:
        return self.frame.to_string(index=False)


@dataclass(frozen=True)
class Folded:
    """A table behind its caption: there for who wants to check, out of the way of who reads."""

    table: Table

    def _repr_html_(self) -> str:
        caption = html.escape(self.table.caption)
        shown = replace(self.table, caption="")._repr_html_()
        return f'<details class="folded"><summary>{caption}</summary>{shown}</details>'

    def __str__(self) -> str:
        return str(self.table)
