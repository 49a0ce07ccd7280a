"""The features: nothing of the future leaks, nothing is lost, and the level does not matter."""

import numpy as np
import pandas as pd
from features import LABEL, features
from pandas.testing import assert_frame_equal
from split import windows


def test_the_future_changes_no_window_of_the_past(table: pd.DataFrame) -> None:
    past = windows(table.head(200))
    assert_frame_equal(windows(table).head(len(past)), past)


def test_features_do_not_need_the_label(table: pd.DataFrame) -> None:
    rows = windows(table)
    assert_frame_equal(features(rows.drop(columns=LABEL)), features(rows))


def test_every_window_has_finite_features_in_the_same_order(table: pd.DataFrame) -> None:
    rows = windows(table)
    made = features(rows)
    assert np.isfinite(made.to_numpy()).all()
    assert made.index.equals(rows.index)


def test_a_windows_features_do_not_depend_on_the_others(table: pd.DataFrame) -> None:
    rows = windows(table)
    assert_frame_equal(features(rows.iloc[5:6]), features(rows).iloc[5:6])


def test_features_do_not_depend_on_the_level(table: pd.DataFrame) -> None:
    higher = table.assign(co2=table["co2"] + 50)
    assert_frame_equal(features(windows(higher)), features(windows(table)), atol=1e-9)
