"""Chances under the bell curve and under χ², as logarithms: of many p-values the smallest counts.

scipy.special has them; it is loaded when one is asked for, because that takes longer than a small comparison.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMALLEST = -700.0
"""Natural logarithm of the smallest p-value that is told apart from none."""


def two_sided(z: Floats) -> Floats:
    """Logarithm of the chance of a normal value at least so far out."""
    from scipy import special

    found: Floats = np.maximum(special.log_ndtr(-np.abs(z)) + math.log(2), SMALLEST)
    return found


def log_chi2(value: Floats, degrees: int) -> Floats:
    """Logarithm of the chance of so large a χ²."""
    from scipy import special

    found: Floats = np.log(np.maximum(special.chdtrc(degrees, value), math.exp(SMALLEST)))
    return found


def sidak(log: Floats, tests: int) -> Floats:
    """Logarithm of the chance that the smallest of so many p-values is so small."""
    p = np.minimum(np.exp(log), 1 - 1e-16)
    exact = np.log(np.maximum(-np.expm1(tests * np.log1p(-p)), math.exp(SMALLEST)))
    return np.where(log < -20, np.minimum(log + math.log(tests), 0.0), exact)


def quantiles(shares: Floats) -> Floats:
    """Of the bell curve, for shares between 0 and 1, ends excluded."""
    from scipy import special

    found: Floats = special.ndtri(shares)
    return found


def quantile(share: float) -> float:
    """The same of one share."""
    return float(quantiles(np.array([share]))[0])
