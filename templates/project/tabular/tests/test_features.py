"""The features: nothing leaks, nothing is lost, and they depend on the patient alone."""

import numpy as np
import pandas as pd
from features import features, label
from pandas.testing import assert_frame_equal


def test_neither_label_nor_key_is_a_feature(patients: pd.DataFrame) -> None:
    assert {"diagnosis", "patient"} & set(features(patients).columns) == set()


def test_features_do_not_need_the_label(patients: pd.DataFrame) -> None:
    assert_frame_equal(features(patients.drop(columns="diagnosis")), features(patients))


def test_every_patient_has_finite_features_in_the_same_order(patients: pd.DataFrame) -> None:
    made = features(patients)
    assert np.isfinite(made.to_numpy()).all()
    assert made.index.equals(patients.index)


def test_a_patients_features_do_not_depend_on_the_others(patients: pd.DataFrame) -> None:
    assert_frame_equal(features(patients.iloc[5:6]), features(patients).iloc[5:6])


def test_malignant_is_the_positive_class(patients: pd.DataFrame) -> None:
    assert set(patients.loc[label(patients) == 1, "diagnosis"]) == {"malignant"}
