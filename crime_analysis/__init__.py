"""Police funding, police officers and violence in England and Wales.

Official figures with their provenance, panels with audited joins, regressions with honest
uncertainty, and the reports that show them. Public names load on first use, so importing the
package costs almost nothing.

Examples
--------
>>> import crime_analysis as ca
>>> officers = ca.load("officers")
>>> panel = ca.force_panel("2009/10", "2017/18")
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crime_analysis.catalog import load as load
    from crime_analysis.comparison import compare as compare
    from crime_analysis.confounding import sensitivity as sensitivity
    from crime_analysis.curve import Universe as Universe
    from crime_analysis.curve import specification_curve as specification_curve
    from crime_analysis.errors import CrimeAnalysisError as CrimeAnalysisError
    from crime_analysis.exercises.checking import check_answer as check_answer
    from crime_analysis.findings.claims import check_claims as check_claims
    from crime_analysis.funding import government_share as government_share
    from crime_analysis.implied import chain as chain
    from crime_analysis.inference.bootstrap import wild_bootstrap as wild_bootstrap
    from crime_analysis.inference.multiplicity import multiple_testing as multiple_testing
    from crime_analysis.inference.randomisation import randomisation_test as randomisation_test
    from crime_analysis.instrument import funding_instrument as funding_instrument
    from crime_analysis.links import Effect as Effect
    from crime_analysis.links import fit_links as fit_links
    from crime_analysis.links import funding_to_officers as funding_to_officers
    from crime_analysis.links import officers_to_violence as officers_to_violence
    from crime_analysis.models.event_study import event_study as event_study
    from crime_analysis.models.fit import Fit as Fit
    from crime_analysis.models.group_time import group_time_effects as group_time_effects
    from crime_analysis.models.interrupted_series import interrupted_series as interrupted_series
    from crime_analysis.models.panel_regression import fit_panel as fit_panel
    from crime_analysis.models.synthetic_control import synthetic_control as synthetic_control
    from crime_analysis.models.transformed import between as between
    from crime_analysis.models.transformed import first_differences as first_differences
    from crime_analysis.panel import audited_merge as audited_merge
    from crime_analysis.panel import audits as audits
    from crime_analysis.panel import change as change
    from crime_analysis.panel import changes as changes
    from crime_analysis.panel import force_panel as force_panel
    from crime_analysis.panel import officers_change as officers_change
    from crime_analysis.power import design_analysis as design_analysis
    from crime_analysis.power import minimum_detectable_effect as minimum_detectable_effect
    from crime_analysis.prices import to_real as to_real
    from crime_analysis.provenance import trace as trace
    from crime_analysis.reports import collect as collect
    from crime_analysis.reports import record as record
    from crime_analysis.reports import render as render
    from crime_analysis.selection import oster as oster
    from crime_analysis.sources.police_uk import read_police_uk as read_police_uk
    from crime_analysis.staggered import recording_starts as recording_starts
    from crime_analysis.universes import officers_universe as officers_universe
    from crime_analysis.universes import with_measures as with_measures

__version__ = "0.1.0"

_HOME = {
    "CrimeAnalysisError": "errors",
    "Effect": "links",
    "Fit": "models.fit",
    "Universe": "curve",
    "audited_merge": "panel",
    "audits": "panel",
    "between": "models.transformed",
    "chain": "implied",
    "change": "panel",
    "changes": "panel",
    "check_answer": "exercises.checking",
    "check_claims": "findings.claims",
    "collect": "reports",
    "compare": "comparison",
    "design_analysis": "power",
    "event_study": "models.event_study",
    "first_differences": "models.transformed",
    "fit_links": "links",
    "fit_panel": "models.panel_regression",
    "force_panel": "panel",
    "funding_instrument": "instrument",
    "funding_to_officers": "links",
    "government_share": "funding",
    "group_time_effects": "models.group_time",
    "interrupted_series": "models.interrupted_series",
    "load": "catalog",
    "minimum_detectable_effect": "power",
    "multiple_testing": "inference.multiplicity",
    "officers_change": "panel",
    "officers_to_violence": "links",
    "officers_universe": "universes",
    "oster": "selection",
    "randomisation_test": "inference.randomisation",
    "read_police_uk": "sources.police_uk",
    "record": "reports",
    "recording_starts": "staggered",
    "render": "reports",
    "sensitivity": "confounding",
    "specification_curve": "curve",
    "synthetic_control": "models.synthetic_control",
    "to_real": "prices",
    "trace": "provenance",
    "wild_bootstrap": "inference.bootstrap",
    "with_measures": "universes",
}
_ROOMS = {
    "breaks": "breaks",
    "catalog": "catalog",
    "checks": "checks",
    "claims": "findings.claims",
    "codebook": "codebook",
    "crosscheck": "crosscheck",
    "errors": "errors",
    "figures": "figures",
    "funding": "funding",
    "inference": "inference",
    "links": "links",
    "models": "models",
    "panel": "panel",
    "periods": "periods",
    "places": "places",
    "prices": "prices",
    "prose": "prose",
    "provenance": "provenance",
    "tables": "tables",
}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    """Import a public name, or a module of the package, when it is first asked for."""
    if name in _HOME:
        value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
    elif name in _ROOMS:
        value = importlib.import_module(f"{__name__}.{_ROOMS[name]}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME, *_ROOMS})
