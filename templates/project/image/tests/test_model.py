"""The model: good enough, the right way round, indifferent to what must not matter."""

import base64
import io
from typing import Protocol

import features
import numpy as np
import pandas as pd
from features import LABEL, SENT
from measure import measured
from model import Model, predict, probabilities
from PIL import Image

Parts = tuple[pd.DataFrame, pd.DataFrame]


class Change(Protocol):
    """What is done to the shades of a picture."""

    def __call__(self, shades: np.ndarray, /) -> np.ndarray: ...


def changed(table: pd.DataFrame, change: Change) -> pd.DataFrame:
    """The same rows with pictures whose shades (0 to 255, white) are others, as a client would send them."""
    return table.assign(file=[_sent(file, change) for file in table["file"]])


def _sent(name: str, change: Change) -> str:
    file = io.BytesIO()
    with Image.open(features.folder / name) as picture:
        shades = change(np.asarray(picture, dtype=np.float64)).clip(0, 255).round().astype(np.uint8)
    Image.fromarray(shades).save(file, format="PNG")
    return SENT + base64.b64encode(file.getvalue()).decode()


def test_minimum_performance(model: Model, parts: Parts) -> None:
    assert measured(model, parts[1])[0]["accuracy"] >= 0.95


def test_no_slice_is_left_behind(model: Model, parts: Parts) -> None:
    slices = measured(model, parts[1])[1]
    assert len(slices) == 12
    assert min(values["accuracy"] for values in slices.values()) >= 0.85


def test_a_little_noise_and_a_little_less_ink_hardly_matter(model: Model, parts: Parts) -> None:
    other = changed(parts[1], lambda shades: 255 - (255 - shades) * 0.9 - np.arange(64).reshape(8, 8) % 3)
    assert (predict(model, other) == predict(model, parts[1])).mean() >= 0.98


def test_the_more_of_a_digit_is_wiped_out_the_less_sure_is_the_model(model: Model, parts: Parts) -> None:
    some = parts[1].head(100)
    half = changed(some, lambda shades: np.where(np.arange(8)[:, None] < 4, 255, shades))
    rows = range(len(some))
    sure, unsure = (probabilities(model, one)[rows, some[LABEL]].mean() for one in (some, half))
    assert unsure < sure - 0.2


def test_order_and_ink_of_the_rows_do_not_matter(model: Model, parts: Parts) -> None:
    turned = parts[1].iloc[::-1].assign(ink=0.0)
    np.testing.assert_array_equal(predict(model, turned)[::-1], predict(model, parts[1]))


def test_a_picture_that_is_sent_is_served_as_its_file_was_evaluated(model: Model, parts: Parts) -> None:
    some = parts[1].head(20)
    read = [base64.b64encode((features.folder / file).read_bytes()).decode() for file in some["file"]]
    sent = some.assign(file=[SENT + text for text in read])
    np.testing.assert_array_equal(probabilities(model, sent), probabilities(model, some))
