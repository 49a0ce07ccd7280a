"""Make data/digits/ and data/labels.csv, once: the handwritten digits that scikit-learn carries.

Replace this file and the pictures by your own data; then let `git mlops schema infer` draft the schema.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from project import TOP
from sklearn.datasets import load_digits

PATH = Path("data/labels.csv")
FOLDER = Path("data/digits")


def table() -> pd.DataFrame:
    """One row per picture, with `file` as key, `digit` as label, and the share of ink."""
    source = load_digits()
    files = [f"{number:04}.png" for number in range(len(source.images))]
    ink = (source.images.mean(axis=(1, 2)) / 16).round(4)
    return pd.DataFrame({"file": files, "ink": ink, "digit": source.target})


def pictures(folder: Path) -> None:
    """Write the pictures: 8 by 8 pixels, black on white."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, pixels in enumerate(load_digits().images):
        shades = (255 - pixels * 255 / 16).round().astype(np.uint8)
        Image.fromarray(shades).save(folder / f"{number:04}.png")


if __name__ == "__main__":
    pictures(TOP / FOLDER)
    table().to_csv(TOP / PATH, index=False, lineterminator="\n")
    print(f"wrote {FOLDER} and {PATH}")
