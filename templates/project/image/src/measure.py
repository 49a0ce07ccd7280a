"""How good a model is, over all and by slice."""

import numpy as np
import pandas as pd
from features import LABEL
from model import Model, probabilities
from sklearn.metrics import accuracy_score, log_loss

Measured = tuple[dict[str, float], dict[str, dict[str, float]]]
FAINT = 0.3
"""Share of ink: half of the pictures have less."""


def measured(model: Model, table: pd.DataFrame) -> Measured:
    """Metrics of all pictures, of each digit, of faint and of bold ones."""
    chances = pd.DataFrame(probabilities(model, table), index=table.index)
    faint = table["ink"] < FAINT
    slices = {f"digit_{digit}": part for digit, part in table.groupby(LABEL)}
    slices |= {"faint": table[faint], "bold": table[~faint]}
    return metrics(table, chances), {name: metrics(part, chances) for name, part in slices.items()}


def metrics(table: pd.DataFrame, chances: pd.DataFrame) -> dict[str, float]:
    """Of these pictures."""
    own = chances.loc[table.index].to_numpy()
    return {
        "accuracy": accuracy_score(table[LABEL], np.argmax(own, axis=1)),
        "log_loss": log_loss(table[LABEL], own, labels=range(own.shape[1])),
    }
