"""Fits side by side: the table and the chart that a publication prints, each from `Fit.tidy`."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis.drawing import BLUE, GREY, Figure, canvas
from crime_analysis.errors import ParameterError, UnknownNameError
from crime_analysis.models.fit import Fit

__all__ = ["Comparison", "coefficients", "compare"]

_ERRORS = "Standard errors in brackets, 95% intervals below."
_ESCAPES = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", "−": "$-$", "–": "--",
}  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Several fits in one table.

    Attributes
    ----------
    numbers : DataFrame
        Indexed by ``fit`` and ``term``: the columns of `Fit.tidy`.
    about : DataFrame
        Indexed by what is told (outcome, fixed effects, errors, rows, clusters ...), a column a
        fit.
    """

    numbers: pd.DataFrame
    about: pd.DataFrame

    @property
    def table(self) -> pd.DataFrame:
        """The table as text: three rows a term, then what each fit rests on."""
        fits = list(self.about.columns)
        rows: dict[tuple[str, str], list[str]] = {}
        for term in dict.fromkeys(self.numbers.index.get_level_values("term")):
            cells = []
            for fit in fits:
                known = (fit, term) in self.numbers.index
                row = self.numbers.loc[(fit, term)] if known else None
                cells.append(
                    ("", "", "")
                    if row is None
                    else (
                        _figure(row["estimate"]),
                        f"({_figure(row['std_error'])})",
                        f"[{_figure(row['ci_low'])}, {_figure(row['ci_high'])}]",
                    )
                )
            for place, part in enumerate(("estimate", "error", "interval")):
                rows[term, part] = [cell[place] for cell in cells]
        for label, told in self.about.iterrows():
            rows[str(label), ""] = [str(value) for value in told]
        index = pd.MultiIndex.from_tuples(rows, names=["row", "part"])
        return pd.DataFrame(list(rows.values()), index=index, columns=fits)

    def _lines(self) -> list[list[str]]:
        """Return the table's cells, the term named on the first of its rows only."""
        return [
            [name if part in ("estimate", "") else "", *map(str, row)]
            for (name, part), row in zip(self.table.index, self.table.to_numpy(), strict=True)
        ]

    def to_markdown(self) -> str:
        """Return the table in Markdown."""

        def escaped(text: str) -> str:
            # Markdown lets tags through, and ends a row at the end of a line.
            return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")

        lines = [["", *self.about.columns], ["---"] * (len(self.about.columns) + 1), *self._lines()]
        told = ["| " + " | ".join(map(escaped, line)) + " |" for line in lines]
        return "\n".join([*told, "", _ERRORS])

    def to_latex(self) -> str:
        """Return the table in LaTeX (booktabs)."""

        def escaped(text: str) -> str:
            return "".join(_ESCAPES.get(letter, letter) for letter in " ".join(text.split()))

        count = len(self.about.columns)
        lines = [" & ".join(map(escaped, line)) + r" \\" for line in self._lines()]
        split = len(lines) - len(self.about)
        head = " & ".join(map(escaped, ["", *self.about.columns])) + r" \\"
        return "\n".join(
            [
                rf"\begin{{tabular}}{{l{'c' * count}}}", r"\toprule", head, r"\midrule",
                *lines[:split], r"\midrule", *lines[split:], r"\bottomrule", r"\end{tabular}",
                rf"% {_ERRORS}",
            ]
        )  # fmt: skip

    def to_html(self) -> str:
        """Return the table in HTML, escaped, with proper headings."""

        def cell(text: str) -> str:
            return html.escape(text).replace("_", "_<wbr/>")  # long names may break there

        heads = "".join(
            f'<th scope="col" class="number">{cell(c)}</th>' for c in self.about.columns
        )
        body = []
        for first, *cells in self._lines():
            told = "".join(f'<td class="number">{cell(c)}</td>' for c in cells)
            label = f'<th scope="row">{cell(first)}</th>' if first else "<td></td>"
            body.append(f"<tr>{label}{told}</tr>")
        return (
            f'<table class="data"><caption>{html.escape(_ERRORS)}</caption><thead><tr><td></td>'
            f"{heads}</tr></thead><tbody>{''.join(body)}</tbody></table>"
        )

    _repr_html_ = to_html

    def __str__(self) -> str:
        return self.to_markdown()


def compare(
    fits: Sequence[Fit] | Mapping[str, Fit], terms: Sequence[str] | None = None
) -> Comparison:
    """Put fits side by side, as a publication prints them.

    No stars: the interval says more, and a row of stars invites picking (Wasserstein and
    Lazar 2016).

    Parameters
    ----------
    fits : sequence or mapping of Fit
        A mapping names them; else they are numbered.
    terms : sequence of str, optional
        Which terms to show, in this order; all if not given.

    Returns
    -------
    Comparison
        ``to_html()``, ``to_markdown()``, ``to_latex()``; numbers in ``numbers`` and ``about``.

    Raises
    ------
    ParameterError
        If there is no fit.
    UnknownNameError
        If a term is in none of them.

    Examples
    --------
    >>> import pandas as pd
    >>> from crime_analysis.models.panel_regression import fit_panel
    >>> data = pd.DataFrame({"x": [1, 2, 3, 4, 5.0], "y": [1, 2, 3, 4, 6.0]})
    >>> print(compare({"plain": fit_panel("y ~ x", data)}, terms=["x"]).table.iloc[0, 0])
    1.200
    """
    if isinstance(fits, Fit):
        raise ParameterError("fits must be several; put one alone in a list: compare([fit])")
    named = (
        {str(name): fit for name, fit in fits.items()}
        if isinstance(fits, Mapping)
        else {f"({i})": fit for i, fit in enumerate(fits, 1)}
    )
    if not named:
        raise ParameterError("there are no fits to compare; give one or more")
    tables = {name: fit.tidy() for name, fit in named.items()}
    every = list(dict.fromkeys(term for table in tables.values() for term in table.index))
    for term in terms or []:
        if term not in every:
            raise UnknownNameError("term", term, every, "the fits compared")
    shown = list(dict.fromkeys(terms)) if terms else every
    numbers = pd.concat(
        {name: table.loc[[t for t in shown if t in table.index]] for name, table in tables.items()},
        names=["fit", "term"],
    )
    about = {
        name: {
            "outcome": fit.outcome,
            "estimator": {"ols": "least squares", "iv": "two-stage least squares"}.get(
                fit.family, fit.family.replace("_", " ")
            ),
            "fixed effects": ", ".join(fit.fixed_effects) or "none",
            "errors": fit.vcov,
            "rows": f"{fit.nobs:,}",
        }
        for name, fit in named.items()
    }
    return Comparison(numbers, pd.DataFrame(about))


def coefficients(fit: Fit, terms: Sequence[str] | None = None) -> Figure:
    """Draw a fit's estimates with their intervals; the title says what can be told from zero.

    Parameters
    ----------
    fit : Fit
    terms : sequence of str, optional
        Which to draw, in this order; all but the intercept if not given.

    Raises
    ------
    UnknownNameError
        If a term is not in the fit.
    ParameterError
        If the fit has nothing but an intercept.
    """
    table = fit.tidy()
    for term in terms or []:
        fit.term(term)
    shown = table.loc[list(terms) if terms else [t for t in table.index if t != "Intercept"]]
    if shown.empty:
        raise ParameterError(f"{fit.formula!r} has no term but the Intercept; name it in terms")
    clear = [str(t) for t, row in shown.iterrows() if row["ci_low"] > 0 or row["ci_high"] < 0]
    unclear = [str(t) for t in shown.index if t not in clear]
    title = "; ".join(
        part
        for part in (
            f"Cannot be told from zero: {_some(unclear)}" if unclear else "",
            f"{'c' if unclear else 'C'}lear of zero: {_some(clear)}" if clear else "",
        )
        if part
    )
    with canvas(height=1.2 + 0.34 * len(shown)) as (_, axis, out):
        place = np.arange(len(shown))[::-1]
        axis.axvline(0, color=GREY, lw=1)
        for at, (term, row) in zip(place, shown.iterrows(), strict=True):
            filled = BLUE if term in clear else "white"
            axis.plot([row["ci_low"], row["ci_high"]], [at, at], color=BLUE, lw=1.6)
            axis.plot([row["estimate"]], [at], "o", color=BLUE, markerfacecolor=filled, ms=7)
        axis.set_yticks(place, [_plain(str(term)) for term in shown.index])
        axis.set_ylim(-0.7, len(shown) - 0.3)
        axis.set_xlabel(f"coefficient on {_plain(fit.outcome)}, with 95% interval")
        axis.grid(axis="y", visible=False)
    told = "; ".join(
        f"{term} {_figure(r['estimate'])} from {_figure(r['ci_low'])} to {_figure(r['ci_high'])}"
        for term, r in shown.iterrows()
    )
    return Figure(
        title=title,
        alt=f"Coefficients with 95% intervals: {told}.",
        source=f"Model: {fit.formula} ({fit.family}); {fit.nobs:,} rows; errors {fit.vcov}. Open"
        " marks: the interval holds zero.",
        svg=out.getvalue(),
        data=shown.reset_index(),
    )


def _plain(name: str) -> str:
    """Return a name as matplotlib draws it letter by letter: a dollar begins no formula."""
    return name.replace("$", r"\$")


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:4])
    return shown + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _figure(value: float) -> str:
    """Return a number with three decimals, fewer if large and more if small; a true minus."""
    if not np.isfinite(value):
        return "no bound" if np.isinf(value) else "–"
    value = value + 0.0  # makes of minus zero plain zero
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3f}"
    if abs(value) < 0.0095 and value:
        text = f"{value:.2e}" if abs(value) < 0.00095 else f"{value:.4f}"
    return text.replace("-", "−")
