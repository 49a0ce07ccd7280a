"""The features: nothing leaks, nothing is lost, and they depend on the patient alone."""

import numpy as np
import pandas as pd
from features import KEY, LABEL, features
from pandas.testing import assert_frame_equal


def test_neither_label_nor_key_is_a_feature(table: pd.DataFrame) -> None:
    assert {LABEL, KEY} & set(features(table).columns) == set()


def test_features_do_not_need_the_label(table: pd.DataFrame) -> None:
    assert_frame_equal(features(table.drop(columns=LABEL)), features(table))


def test_every_patient_has_finite_features_in_the_same_order(table: pd.DataFrame) -> None:
    made = features(table)
    assert np.isfinite(made.to_numpy()).all()
    assert made.index.equals(table.index)


def test_a_patients_features_do_not_depend_on_the_others(table: pd.DataFrame) -> None:
    assert_frame_equal(features(table.iloc[5:6]), features(table).iloc[5:6])
