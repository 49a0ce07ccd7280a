"""The features: they are the text alone, whatever its capitals and spaces."""

import pandas as pd
from features import features
from pandas.testing import assert_series_equal


def test_only_the_text_counts(table: pd.DataFrame) -> None:
    assert_series_equal(features(table.filter(["text"])), features(table))


def test_every_text_has_its_feature_in_the_same_order(table: pd.DataFrame) -> None:
    made = features(table)
    assert made.index.equals(table.index)
    assert made.str.len().min() > 0


def test_capitals_spaces_and_numbers_are_made_equal() -> None:
    texts = pd.DataFrame({"text": ["  Return\n the  17 SMALLEST ", "return the 0 smallest"]})
    assert len(set(features(texts))) == 1


def test_a_texts_feature_does_not_depend_on_the_others(table: pd.DataFrame) -> None:
    assert_series_equal(features(table.iloc[5:6]), features(table).iloc[5:6])
