"""Chances under the bell curve and under χ², as scipy.special has them. Pure, on NumPy.

Loading scipy.special takes longer than comparing two tables; of it three functions are needed. The tests
hold them against it.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SMALLEST = -700.0
"""Natural logarithm of the smallest p-value that is told apart from none."""


def two_sided(z: Floats) -> Floats:
    """Logarithm of the chance of a normal value at least so far out."""
    far = np.minimum(np.abs(z), _FARTHEST) / math.sqrt(2)
    tails = np.array([math.erfc(value) for value in far.ravel().tolist()]).reshape(far.shape)
    found: Floats = np.maximum(np.log(tails), SMALLEST)
    return found


_FARTHEST = 37.4
"""Its logarithm is below `SMALLEST`, and not yet that of nothing."""


def log_chi2(value: Floats, degrees: int) -> Floats:
    """Logarithm of the chance of so large a χ²: a sum of `degrees` / 2 terms, none of them negative."""
    half = np.maximum(value, 1e-300)[:, None] / 2
    first = 0.0 if degrees % 2 == 0 else 0.5
    powers = first + np.arange(degrees // 2)
    terms = powers * np.log(half) - half - np.array([math.lgamma(power + 1) for power in powers])
    if degrees % 2:
        terms = np.concatenate([two_sided(np.sqrt(2 * half)), terms], axis=1)
    largest = terms.max(axis=1)
    found = largest + np.log(np.exp(terms - largest[:, None]).sum(axis=1))
    clipped: Floats = np.clip(found, SMALLEST, 0.0)
    return clipped


def sidak(log: Floats, tests: int) -> Floats:
    """Logarithm of the chance that the smallest of so many p-values is so small."""
    p = np.minimum(np.exp(log), 1 - 1e-16)
    exact = np.log(np.maximum(-np.expm1(tests * np.log1p(-p)), math.exp(SMALLEST)))
    return np.where(log < -20, np.minimum(log + math.log(tests), 0.0), exact)


# -- the value that a share of a bell curve is below --------------------------------------------------------
# Wichura (1988), "The percentage points of the normal distribution", algorithm AS 241: 16 digits.

_MIDDLE = (
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
)  # fmt: skip
_NEAR = (
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2,
     7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4,
     1.05075007164441684324e-9),
)  # fmt: skip
_FAR = (
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5,
     2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7,
     2.04426310338993978564e-15),
)  # fmt: skip


def quantiles(shares: Floats) -> Floats:
    """Of the bell curve, for shares between 0 and 1, ends excluded."""
    off = shares - 0.5
    found = np.empty_like(off)
    middle = np.abs(off) <= 0.425
    found[middle] = off[middle] * _ratio(_MIDDLE, 0.180625 - off[middle] ** 2)
    outer = ~middle
    if outer.any():
        away = np.sqrt(-np.log(np.minimum(shares[outer], 1 - shares[outer])))
        tail = np.where(away <= 5, _ratio(_NEAR, away - 1.6), _ratio(_FAR, away - 5))
        found[outer] = np.copysign(tail, off[outer])
    return found


def quantile(share: float) -> float:
    """The same of one share."""
    return float(quantiles(np.array([share]))[0])


def _ratio(of: tuple[tuple[float, ...], tuple[float, ...]], x: Floats) -> Floats:
    above, below = (np.polynomial.polynomial.polyval(x, np.array(part)) for part in of)
    found: Floats = above / below
    return found
