"""Who could have had which treatment: the arrangements that a randomisation test goes through."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.randomness import generator

__all__ = ["SCHEMES", "Arrangements", "arrange"]

SCHEMES = ("permute units", "permute within strata", "shift time")
_CELLS = 2_000_000  # values of the treatment held at once


@dataclass(frozen=True)
class Arrangements:
    """Treatments as they could have fallen, by row of the data.

    Attributes
    ----------
    courses : ndarray, shape (kinds, periods)
        The different courses of the treatment over time.
    given : ndarray of int, shape (units,)
        Which course each unit had.
    unit, period : ndarray of int, shape (rows,)
        Places of the rows.
    strata : tuple of ndarray
        Units among which courses may be exchanged; empty where time is shifted.
    size : int
        How many different arrangements there are, the observed one among them.
    """

    courses: np.ndarray
    given: np.ndarray
    unit: np.ndarray
    period: np.ndarray
    strata: tuple[np.ndarray, ...]
    size: int

    def blocks(self, B: int, rng: int | np.random.Generator | None) -> Iterator[np.ndarray]:
        """Yield treatments, shape (draws, rows): every arrangement once if `B` allows, else B."""
        at_once = max(1, _CELLS // len(self.unit))
        if not self.strata:
            periods = self.courses.shape[1]
            own = self.courses[self.given]
            for start in range(0, periods, at_once):
                shifts = range(start, min(start + at_once, periods))
                yield np.array([np.roll(own, s, axis=1)[self.unit, self.period] for s in shifts])
        elif self.size <= B:
            every = self._every()
            while block := list(itertools.islice(every, at_once)):
                yield self._rows(np.array(block))
        else:
            chance = generator(rng)
            for start in range(0, B, at_once):
                drawn = np.tile(self.given, (min(at_once, B - start), 1))
                for units in self.strata:
                    drawn[:, units] = chance.permuted(drawn[:, units], axis=1)
                yield self._rows(drawn)

    def _rows(self, drawn: np.ndarray) -> np.ndarray:
        return self.courses[drawn[:, self.unit], self.period]

    def _every(self) -> Iterator[np.ndarray]:
        """Yield every different way to hand the courses out within strata."""
        ways = [list(_orders(sorted(self.given[units].tolist()))) for units in self.strata]
        for chosen in itertools.product(*ways):
            whole = self.given.copy()
            for units, order in zip(self.strata, chosen, strict=True):
                whole[units] = order
            yield whole


def _orders(left: list[int]) -> Iterator[tuple[int, ...]]:
    """Yield the different orders of a sorted list, equal members not told apart."""
    if not left:
        yield ()
    for place, first in enumerate(left):
        if place and left[place - 1] == first:
            continue
        for after in _orders(left[:place] + left[place + 1 :]):
            yield (first, *after)


def arrange(
    values: np.ndarray,
    rows: pd.DataFrame,
    treatment: str,
    unit: str,
    time: str | None,
    strata: str | None,
    scheme: str,
) -> Arrangements:
    """Return the arrangements of a treatment under a scheme.

    Parameters
    ----------
    values : ndarray, shape (rows,)
        The treatment.
    rows : DataFrame
        The rows used, with columns `unit`, `time` and `strata` where they are given.
    treatment, unit, time, strata, scheme : str
        As in `randomisation_test`.
    """
    if scheme not in SCHEMES:
        raise UnknownNameError("scheme", scheme, SCHEMES, "randomisation_test")
    if (strata is not None) != (scheme == "permute within strata"):
        raise ParameterError("strata= goes with scheme='permute within strata', and only with it")
    for column in dict.fromkeys(c for c in (unit, time, strata) if c):
        if rows[column].isna().any():
            raise ModelError(f"column {column!r} has missing values; drop those rows first")
    of_unit, units = pd.factorize(rows[unit], sort=True)
    if len(units) < 2 and scheme != "shift time":
        raise ModelError(f"{unit!r} holds one unit; there is nobody to exchange {treatment!r} with")
    varies = bool((pd.Series(values).groupby(of_unit).nunique() > 1).any())
    if (varies or scheme == "shift time") and time is None:
        raise ParameterError(
            f"{treatment!r} varies within {unit!r}, or time is to be shifted; say with time= which"
            " column orders it"
        )
    if varies or scheme == "shift time":
        of_time, times = pd.factorize(rows[str(time)], sort=True)
    else:
        of_time, times = np.zeros(len(rows), dtype=int), pd.Index(["any time"])
    own = np.full((len(units), len(times)), np.nan)
    own[of_unit, of_time] = values
    if (own[of_unit, of_time] != values).any():
        at = int(np.flatnonzero(own[of_unit, of_time] != values)[0])
        raise ModelError(
            f"{treatment!r} has several values in {unit} {units[of_unit[at]]},"
            f" {times[of_time[at]]}; a unit is what is given one treatment at a time"
        )
    gaps = np.argwhere(np.isnan(own))
    if len(gaps):
        raise ModelError(
            f"{unit} {units[gaps[0, 0]]} has no usable row at {time} {times[gaps[0, 1]]}"
            f" (gaps: {len(gaps)}), so that its {treatment!r} cannot be given to another; keep"
            " the units or periods that are complete"
        )
    courses, given = np.unique(own, axis=0, return_inverse=True)
    given = given.ravel()
    if scheme == "shift time":
        return Arrangements(courses, given, of_unit, of_time, (), len(times))
    groups = _strata(rows, of_unit, units, strata)
    size = math.prod(
        math.factorial(len(group))
        // math.prod(math.factorial(int(n)) for n in np.unique(given[group], return_counts=True)[1])
        for group in groups
    )
    if size < 2:
        raise ModelError(
            f"{treatment!r} does not differ between the units that may exchange it; there is one"
            " arrangement only"
        )
    return Arrangements(courses, given, of_unit, of_time, groups, size)


def _strata(
    rows: pd.DataFrame, of_unit: np.ndarray, units: pd.Index, strata: str | None
) -> tuple[np.ndarray, ...]:
    if strata is None:
        return (np.arange(len(units)),)
    of_strata = pd.factorize(rows[strata], sort=True)[0]
    kinds = pd.Series(of_strata).groupby(of_unit)
    several = kinds.nunique() > 1
    if several.any():
        named = units[several.to_numpy()][0]
        raise ModelError(f"{strata!r} must be one value for each unit; {named} has several")
    first = kinds.first().to_numpy()
    return tuple(np.flatnonzero(first == kind) for kind in np.unique(first))
