"""Where chance comes from: one argument, ``rng``, and the same numbers for the same call."""

from __future__ import annotations

import numpy as np

__all__ = ["generator"]


def generator(rng: int | np.random.Generator | None) -> np.random.Generator:
    """Return the generator of a call.

    Parameters
    ----------
    rng : int, Generator or None
        A seed, or a generator that goes on from where it is. None is seed 0, not the clock: a
        call that is repeated gives the same numbers, as a report must. To see how much chance
        moves a result, give other seeds.

    Examples
    --------
    >>> generator(None).integers(100) == generator(0).integers(100)
    np.True_
    """
    return np.random.default_rng(0 if rng is None else rng)
