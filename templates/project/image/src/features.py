"""From pictures to what the model sees. Used by training, evaluation and serving alike."""

import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from project import TOP

LABEL = "digit"
KEY = "file"
SIZE = 8
SENT = "data:image/png;base64,"
folder = TOP / "data" / "digits"


def features(table: pd.DataFrame) -> np.ndarray:
    """One picture per row, in the same order: shades from 0 (white) to 1 (black), 8 by 8."""
    return np.stack([pixels(file) for file in table[KEY]])


def pixels(file: str) -> np.ndarray:
    """Of a picture of data/digits, or of one that a client sent: `data:image/png;base64,…`, of any size.

    Raises:
        ValueError: it is neither.
    """
    if file.startswith(SENT):
        source = io.BytesIO(base64.b64decode(file.removeprefix(SENT), validate=True))
    elif Path(file).name != file:
        raise ValueError(f"{file} is no name of a picture")
    else:
        source = io.BytesIO((folder / file).read_bytes())
    with Image.open(source, formats=["PNG"]) as picture:
        grey = picture.convert("L")
    if grey.size != (SIZE, SIZE):
        grey = grey.resize((SIZE, SIZE), Image.Resampling.BOX)
    return 1 - np.asarray(grey, dtype=np.float64) / 255
