"""The figures, beside those of scipy and of the textbooks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from git_mlops.monitor import figures
from git_mlops.monitor.shuffled import Column

_NUMBERS = st.lists(st.integers(-20, 20).map(float), min_size=2, max_size=30)


@settings(max_examples=100, deadline=None)
@given(_NUMBERS, _NUMBERS)
def test_distances_are_those_of_scipy_ties_or_not(a: list[float], b: list[float]) -> None:
    found = figures.of(Column("x", np.array(a), np.array(b)))
    assert found.ks == pytest.approx(stats.ks_2samp(a, b, method="asymp").statistic)
    if np.std(a) > 0:
        assert found.wasserstein == pytest.approx(stats.wasserstein_distance(a, b) / np.std(a))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 4), min_size=5, max_size=60), st.lists(st.integers(0, 4), min_size=5, max_size=60)
)
def test_chi_square_is_that_of_scipy(a: list[int], b: list[int]) -> None:
    column = Column("x", np.array(a, np.int32), np.array(b, np.int32))
    table = np.array([np.bincount(side, minlength=5) for side in (a, b)])
    table = table[:, table.sum(axis=0) > 0]
    expected = stats.chi2_contingency(table, correction=False).statistic if table.shape[1] > 1 else 0.0
    assert figures.of(column).chi2 == pytest.approx(expected)


def test_psi_and_jensen_shannon_of_shares_that_are_known() -> None:
    old, new = np.repeat([0, 1], [50, 50]).astype(np.int32), np.repeat([0, 1], [80, 20]).astype(np.int32)
    found = figures.of(Column("x", old, new))
    assert found.psi == pytest.approx(0.3 * np.log(0.8 / 0.5) - 0.3 * np.log(0.2 / 0.5))
    middle = np.array([0.65, 0.35])
    parts = [(np.array(p) * np.log2(np.array(p) / middle)).sum() for p in ((0.5, 0.5), (0.8, 0.2))]
    assert found.js == pytest.approx(np.sqrt(np.mean(parts)))
    assert found.effect == pytest.approx(0.3)


def test_the_same_sample_has_no_distance_at_all() -> None:
    values = np.random.default_rng(0).normal(size=500)
    found = figures.of(Column("x", values, values))
    assert (found.effect, found.psi, found.js, found.ks, found.wasserstein) == (0, 0, 0, 0, 0)


def test_infinities_and_nothing_leave_the_figures_finite_or_out() -> None:
    old, new = np.array([1.0, 2, 3, np.inf, np.nan]), np.array([1.0, 2, -np.inf, np.nan, np.nan])
    found = figures.of(Column("x", old, new))
    assert found.nulls == (0.2, 0.4)
    assert found.wasserstein is not None
    assert np.isfinite(found.wasserstein)
    empty = figures.of(Column("x", old, np.full(3, np.nan)))
    assert empty.effect == pytest.approx(0.8)
    assert empty.psi is None


def test_a_picture_shows_shares_of_both_sides_that_add_up_to_one() -> None:
    random = np.random.default_rng(0)
    numbers = figures.drawn(Column("x", random.normal(size=99), random.normal(size=50)))
    codes = [random.integers(0, 20, size=200).astype(np.int32) for _side in range(2)]
    names = figures.drawn(Column("y", codes[0], codes[1]), tuple(map(str, range(20))))
    assert numbers is not None
    assert names is not None
    assert (len(numbers.labels), len(numbers.reference)) == (21, 20)
    assert names.labels[-1] == "all others"
    for one in (numbers, names):
        assert [sum(one.reference), sum(one.current)] == pytest.approx([1, 1], abs=1e-4)
