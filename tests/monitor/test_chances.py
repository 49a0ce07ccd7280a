"""Chances, also those too small for a number."""

import math

import numpy as np
import pytest
from scipy import stats

from git_mlops.monitor import chances


def test_a_quantile_is_the_value_that_a_share_is_below() -> None:
    shares = np.linspace(0.001, 0.999, 99)
    assert np.allclose(stats.norm.cdf(chances.quantiles(shares)), shares, rtol=1e-12)
    assert chances.quantile(0.975) == pytest.approx(1.959963984540054, rel=1e-14)


def test_the_chance_of_a_normal_value_so_far_out_counts_both_sides_and_ends_at_the_smallest() -> None:
    z = np.array([[-1.959963984540054], [0.0], [5.0], [30.0]])
    wanted = np.log(2) + stats.norm.logsf(np.abs(z))
    assert np.allclose(chances.two_sided(z), wanted, rtol=1e-12)
    assert chances.two_sided(np.array([1e9])).tolist() == [chances.SMALLEST]


@pytest.mark.parametrize("degrees", [1, 2, 9, 50])
def test_the_chance_of_so_large_a_chi_square_ends_at_the_smallest(degrees: int) -> None:
    value = np.array([0.0, 1e-6, 0.5, degrees / 2, degrees, 3.0 * degrees, 20.0 * degrees])
    assert np.allclose(chances.log_chi2(value, degrees), stats.chi2.logsf(value, degrees), atol=1e-10)
    assert chances.log_chi2(np.array([1e9]), degrees).tolist() == [chances.SMALLEST]


def test_of_many_chances_the_smallest_is_as_likely_as_that_any_is() -> None:
    assert chances.sidak(np.log(np.array([0.01])), 10)[0] == pytest.approx(math.log(1 - 0.99**10), rel=1e-12)
    assert chances.sidak(np.array([-400.0]), 10)[0] == pytest.approx(-400 + math.log(10))
