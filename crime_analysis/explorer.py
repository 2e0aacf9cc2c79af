"""One place, one measure, one way of estimating: a chart, an estimate and its checks.

`look` works out what one choice shows. `explore` puts controls around it where somebody is there
to use them, and shows the choice that it was given where nobody is: under papermill, in a report,
or where ipywidgets is not installed.
"""

from __future__ import annotations

import functools
import html
from dataclasses import dataclass, fields, replace
from typing import Any

from crime_analysis import catalog
from crime_analysis.checks import CheckResult, Verdict
from crime_analysis.drawing import Figure
from crime_analysis.errors import CrimeAnalysisError
from crime_analysis.findings.chosen import (
    MEASURES,
    PLACES,
    SPECIFICATIONS,
    YEARS,
    Choice,
    checked,
    fitted,
    interval,
    place_of,
)
from crime_analysis.models.fit import Fit
from crime_analysis.places import BOROUGHS
from crime_analysis.prose import Text
from crime_analysis.story import explored
from crime_analysis.tables import Table

__all__ = ["Choice", "Explorer", "View", "attended", "explore", "look"]


@dataclass(frozen=True)
class View:
    """What a choice shows, in the order in which it is shown.

    Attributes
    ----------
    choice : Choice
    chart : Figure
        The place's own course.
    sentence : Text
        The estimate across forces, or boroughs, in words; what the checks leave of it; or why
        there is none.
    estimate, checks : Table or None
        None where there is none.
    limits : Text or None
        What cannot be asked of the place, and why.
    interval : (float, float, float)
        The estimate with the ends of its 95% interval; NaN where there is none.
    """

    choice: Choice
    chart: Figure
    sentence: Text
    estimate: Table | None
    checks: Table | None
    limits: Text | None
    interval: tuple[float, float, float]

    def _repr_html_(self) -> str:
        parts = (self.chart, self.sentence, self.limits, self.estimate, self.checks)
        return "".join(part._repr_html_() for part in parts if part is not None)

    def __str__(self) -> str:
        return "\n\n".join(
            str(part)
            for part in (
                self.chart.title, self.sentence, self.limits, self.estimate, self.checks,
            )
            if part is not None
        )  # fmt: skip


def look(choice: Choice) -> View:
    """Return what a choice shows: the place's own course, the estimate, its checks.

    The estimate is across forces, or across boroughs where the place is one. It is an effect
    only under the assumption that its explanation states; with the instrument only if the share
    of grants moved the outcome through its cause alone. Do not search the choices for one that
    is clear of zero: among many some are by chance, and `specification_curve` counts for that.

    Parameters
    ----------
    choice : Choice

    Returns
    -------
    View
        Without an estimate, and with the reason in a sentence, where the choice allows none.

    Examples
    --------
    >>> view = look(Choice(place="Kent", measure="robbery"))
    >>> view.estimate.frame["term"].tolist()
    ['log officers per resident']
    """
    # The chart of a place is the same whatever is estimated.
    chart = _drawn(replace(choice, specification=Choice.specification))
    limits = explored.limits(choice)
    try:
        fit, results, said = _estimated(_shared(choice))
    except CrimeAnalysisError as problem:
        none = (float("nan"),) * 3
        why = Text((f"No estimate: {problem}.",))
        return View(choice, chart, why, None, None, limits, none)
    return View(
        choice, chart, explored.sentence(choice, fit, said), explored.estimate(fit),
        explored.checks_table(results) if results else None, limits, interval(fit),
    )  # fmt: skip


def _shared(choice: Choice) -> Choice:
    """Return a choice with the same estimate: all forces share one, and so do all boroughs."""
    return replace(choice, place=PLACES[-1 if choice.borough else 0], price_base=Choice.price_base)


@functools.lru_cache(maxsize=64)
def _drawn(choice: Choice) -> Figure:
    return explored.chart(choice, catalog.load("breaks"))


@functools.lru_cache(maxsize=64)
def _estimated(choice: Choice) -> tuple[Fit, list[CheckResult], Verdict | None]:
    fit = fitted(choice, catalog.load("breaks"))
    return fit, *checked(choice, fit)


@dataclass(frozen=True)
class Explorer:
    """A choice with controls where they can be used, and as it stands where they cannot."""

    view: View

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        shown = {"text/html": self.view._repr_html_(), "text/plain": str(self.view)}
        if not attended():
            return shown
        try:
            controls = _controls(self.view)
        except ImportError:
            return shown
        bundle = controls._repr_mimebundle_()
        return shown | dict(bundle[0] if isinstance(bundle, tuple) else bundle)


def explore(
    place: str = Choice.place,
    measure: str = Choice.measure,
    start: str = Choice.start,
    end: str = Choice.end,
    price_base: str = Choice.price_base,
    specification: str = Choice.specification,
) -> Explorer:
    """Return a choice to look at, with controls to change it in a notebook that is open.

    Parameters
    ----------
    place, measure, start, end, price_base, specification : str
        The first choice; see `Choice`.

    Raises
    ------
    UnknownNameError, ParameterError
        If one is not known, with the nearest; or the period is too short.

    Examples
    --------
    >>> explore("Surrey", "robbery").view.choice.place
    'Surrey'
    """
    chosen = Choice(place_of(place), measure, start, end, price_base, specification)
    return Explorer(look(chosen))


def attended() -> bool:
    """Return whether somebody is there: a front end that takes input runs this kernel's cells.

    papermill, nbclient and what is built on them say with every cell that nobody will answer.
    """
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return False
    asked = kernel.get_parent("shell").get("content", {})
    return bool(asked.get("allow_stdin", False))


_MONEYLESS = "A borough has no money of its own, so there is no price base to choose."


def _controls(first: View) -> Any:
    """Return the controls, with what they show below them."""
    import ipywidgets  # type: ignore[import-untyped]

    style = {"style": {"description_width": "7em"}, "layout": {"width": "27em"}}
    bases = list(catalog.load("prices")["financial_year"])
    options: dict[str, list[Any]] = {
        "place": [(f"{p}, borough" if p in BOROUGHS else p, p) for p in PLACES],
        "measure": [(words.capitalize(), name) for name, words in MEASURES.items()],
        "start": list(YEARS),
        "end": list(YEARS),
        "price_base": bases,
        "specification": [
            (words.capitalize().replace("Forces", "Places"), name)
            for name, words in SPECIFICATIONS.items()
        ],
    }
    boxes = {
        field.name: ipywidgets.Dropdown(
            options=options[field.name], value=getattr(first.choice, field.name),
            description=field.name.replace("_", " "), **style,
        )
        for field in fields(Choice)
    }  # fmt: skip
    shown = ipywidgets.HTML(first._repr_html_())
    state = ipywidgets.HTML("")

    def settle() -> None:
        borough = boxes["price_base"].disabled = boxes["place"].value in BOROUGHS
        state.value = f"<p>{_MONEYLESS}</p>" if borough else ""

    def renew(change: dict[str, Any]) -> None:
        state.value = "<p>Working it out …</p>"
        try:
            choice = replace(first.choice, **{name: box.value for name, box in boxes.items()})
            shown.value = look(choice)._repr_html_()
            settle()
        except CrimeAnalysisError as problem:
            settle()
            state.value += f"<p><strong>Not shown:</strong> {html.escape(str(problem))}</p>"

    settle()
    for box in boxes.values():
        box.observe(renew, names="value")
    grid = ipywidgets.GridBox(
        list(boxes.values()),
        layout={"grid_template_columns": "repeat(auto-fit, minmax(27em, 1fr))"},
    )
    return ipywidgets.VBox([grid, state, shown])
