"""The features: they are the picture alone, however it comes."""

import base64
import io

import features as own
import numpy as np
import pandas as pd
import pytest
from features import SENT, features, pixels
from PIL import Image


def sent(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, format="PNG")
    return SENT + base64.b64encode(file.getvalue()).decode()


def opened(file: str) -> Image.Image:
    with Image.open(own.folder / file) as picture:
        return picture.copy()


def test_only_the_picture_counts(table: pd.DataFrame) -> None:
    some = table.head(50)
    np.testing.assert_array_equal(features(some.filter(["file"])), features(some))


def test_every_picture_has_shades_in_the_same_order(table: pd.DataFrame) -> None:
    made = features(table)
    assert made.shape == (len(table), 8, 8)
    assert (made.min(), made.max()) == (0, 1)
    np.testing.assert_allclose(made.mean(axis=(1, 2)), table["ink"], atol=2e-3)


def test_a_picture_that_a_client_sends_is_the_same_as_the_file(table: pd.DataFrame) -> None:
    for file in table["file"].head(20):
        np.testing.assert_array_equal(pixels(sent(opened(file))), pixels(file))


@pytest.mark.parametrize("name", ["../labels.csv", "/etc/passwd", "a/b.png"])
def test_a_client_reads_no_other_file(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a picture"):
        pixels(name)


def test_colours_and_size_of_the_file_do_not_matter(table: pd.DataFrame) -> None:
    file = table["file"].iloc[0]
    larger = opened(file).convert("RGB").resize((64, 64), Image.Resampling.NEAREST)
    np.testing.assert_allclose(pixels(sent(larger)), pixels(file), atol=0.01)
