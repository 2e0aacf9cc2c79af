"""What a notebook of this package is about to need: importing this module pays for it once.

A kernel forked from a process that has imported this finds the late imports of the estimators,
the schemas and the charts done. Nothing is fitted here: pyfixest's compiled core would start
threads, which a fork does not take along, and the first fit of every kernel would hang.
"""

from __future__ import annotations

import linearmodels.iv
import pyfixest.estimation.FixestMulti_
import scipy.special

from crime_analysis import catalog
from crime_analysis.drawing import canvas
from crime_analysis.story import borough, borough_words, place, place_tables, place_words

__all__ = ["ready"]

#: Imported for their sake alone.
_LATE = (
    linearmodels.iv, pyfixest.estimation.FixestMulti_, scipy.special, borough, borough_words,
    place, place_tables, place_words,
)  # fmt: skip


def ready() -> None:
    """Load a table and draw a chart: schemas and fonts are read on first use."""
    catalog.load("breaks")
    with canvas() as (_, axis, _):
        axis.plot([0, 1], [0, 1], "o-", label="a")
        axis.set_title("A")
        axis.legend()


ready()
