"""Chances, beside those of scipy."""

import math

import numpy as np
import pytest
from scipy import special

from git_mlops.monitor import chances


def test_quantiles_of_the_bell_curve_are_those_of_scipy_into_the_far_tails() -> None:
    shares = np.concatenate([np.linspace(0.001, 0.999, 999), 10.0 ** -np.arange(3, 300, 3)])
    assert np.allclose(chances.quantiles(shares), special.ndtri(shares), rtol=1e-13, atol=1e-15)
    assert chances.quantile(0.975) == pytest.approx(1.959963984540054, rel=1e-14)


def test_the_chance_of_a_normal_value_so_far_out_is_that_of_scipy() -> None:
    z = np.concatenate([np.linspace(-36.9, 36.9, 400), [0.0]]).reshape(-1, 1)
    assert np.allclose(chances.two_sided(z), special.log_ndtr(-np.abs(z)) + math.log(2), rtol=1e-12)
    assert chances.two_sided(np.array([1e9])).tolist() == [chances.SMALLEST]


@pytest.mark.parametrize("degrees", [1, 2, 3, 9, 10, 49, 50])
def test_the_chance_of_so_large_a_chi_square_is_that_of_scipy(degrees: int) -> None:
    value = np.array([0.0, 1e-6, 0.5, degrees / 2, degrees, 3.0 * degrees, 20.0 * degrees])
    assert np.allclose(chances.log_chi2(value, degrees), np.log(special.chdtrc(degrees, value)), atol=1e-10)
    assert chances.log_chi2(np.array([1e9]), degrees).tolist() == [chances.SMALLEST]
