"""How charts are drawn: the house style, and the picture that carries its words and data."""

from __future__ import annotations

import base64
import html
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pandas as pd

from crime_analysis import periods, svg
from crime_analysis.tables import Table, minus

__all__ = ["BLUE", "GREEN", "GREY", "ORANGE", "YELLOW", "Figure", "canvas", "year_axis"]

# Okabe and Ito's palette: told apart under every common colour blindness, and in grey.
BLUE, ORANGE, GREEN, YELLOW, GREY = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#6b6b6b"
_STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.edgecolor": "#444444",
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.7,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "font.family": "DejaVu Sans",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.hashsalt": "crime_analysis",
    "svg.fonttype": "none",
    "figure.constrained_layout.use": True,
}


# Of a chart of thousands of points the page shows the first rows; it should stay small.
_SHOWN_ROWS = 300
_SHOWN_CELLS = 1_800
_LONGEST_ADDRESS = 16_000
_PLAIN_IN_ADDRESS = ",:;/()-._~!*@$+="


@dataclass(frozen=True)
class Figure:
    """A chart with all that should travel with it.

    Attributes
    ----------
    title : str
        The finding.
    alt : str
        What a reader who cannot see it needs to know, made from the data.
    source : str
        Publications and caveats.
    svg : bytes
        The drawing.
    data : DataFrame
        The numbers drawn.
    small : bool
        Drawn in large enough letters to be read at the width of a phone; others scroll there.
    """

    title: str
    alt: str
    source: str
    svg: bytes = field(repr=False)
    data: pd.DataFrame = field(repr=False)
    small: bool = False

    def _repr_html_(self) -> str:
        picture = base64.b64encode(self.svg).decode()
        rows = len(self.data)
        if rows > _SHOWN_ROWS:
            rows = min(_SHOWN_ROWS, _SHOWN_CELLS // self.data.shape[1])
        shown = self.data.head(rows)
        rest = (
            f"<p>The first {rows:,} of {len(self.data):,} rows.</p>"
            if rows < len(self.data)
            else ""
        )
        return (
            f'<figure class="chart{" small" if self.small else ""}">'
            f"<figcaption>{html.escape(minus(self.title))}</figcaption>"
            f'<img alt="{html.escape(minus(self.alt), quote=True)}" src="data:image/svg+xml;base64,'
            f'{picture}"><p class="source">{html.escape(self.source)}</p>'
            "<details><summary>Figures behind this chart</summary>"
            f"{self._download()}{rest}{Table(shown)._repr_html_()}</details></figure>"
        )

    def _download(self) -> str:
        """Return a link that holds the data, unrounded; none where it would weigh too much."""
        if len(self.data) > _SHOWN_ROWS:
            return ""
        text = self.data.to_csv(index=False, float_format="%.10g", lineterminator="\n")
        # The mark at the beginning tells spreadsheets that pound and minus signs are UTF-8.
        address = "data:text/csv;charset=utf-8," + quote(
            "\ufeff" + text, safe=_PLAIN_IN_ADDRESS, errors="replace"
        )
        if len(address) > _LONGEST_ADDRESS:
            return ""
        name = re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")[:60] or "figures"
        return f'<p><a download="{name}.csv" href="{html.escape(address)}">Download as CSV</a></p>'


@contextmanager
def canvas(
    rows: int = 1, columns: int = 1, height: float = 3.6, **options: Any
) -> Iterator[tuple[Any, Any, io.BytesIO]]:
    """Draw with the house style on a canvas of its own; saves the SVG on leaving."""
    import matplotlib as mpl
    import seaborn as sns
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Drawing

    out = io.BytesIO()
    with sns.axes_style("ticks"), mpl.rc_context(_STYLE):
        drawing = Drawing(figsize=(8, height))
        writer = FigureCanvasSVG(drawing)
        axes = drawing.subplots(rows, columns, **options)
        yield drawing, axes, out
        # Not `savefig`, which draws everything twice to the same bytes.
        writer.print_svg(out, metadata={"Date": None, "Creator": None})
    # Text stays text, which keeps a chart small. Verdana has the widths of the font that it
    # was laid out with, so nothing is clipped where that font is missing.
    fonts = b"DejaVu Sans, Verdana, Geneva, sans-serif"
    drawn = out.getvalue().replace(b"'DejaVu Sans'", fonts).replace(b'"DejaVu Sans"', fonts)
    drawn = svg.compact(drawn.decode()).encode()
    out.seek(0)
    out.truncate()
    out.write(drawn)


def year_axis(axis: Any, years: Sequence[int], every: int = 2) -> None:
    """Label an axis of first calendar years with financial years, one in `every`."""
    shown = [y for y in range(min(years), max(years) + 1) if (y - min(years)) % every == 0]
    axis.set_xticks(shown, [periods.label(y) for y in shown], rotation=45, ha="right")
    axis.grid(axis="x", visible=False)
