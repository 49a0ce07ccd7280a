"""The model: a network of PyTorch that gives the same answer for the same data, parameters and seed."""

import numpy as np
import pandas as pd
import torch
from features import LABEL, features
from torch import nn

Model = nn.Module


def fit(table: pd.DataFrame, *, width: int, rounds: int, seed: int) -> Model:
    """A network trained on pictures whose digit is known; on one thread, so that sums are the same."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True)
    torch.manual_seed(seed)
    network = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(16 * 4 * 4, width), nn.ReLU(), nn.Linear(width, 10),
    )  # fmt: skip
    pictures, digits = _tensor(table), torch.tensor(table[LABEL].to_numpy(), dtype=torch.long)
    optimizer, loss = torch.optim.Adam(network.parameters(), lr=2e-3), nn.CrossEntropyLoss()
    for _ in range(rounds):
        for batch in torch.randperm(len(digits)).split(128):
            optimizer.zero_grad()
            loss(network(pictures[batch]), digits[batch]).backward()
            optimizer.step()
    return network.eval()


def predict(model: Model, table: pd.DataFrame) -> np.ndarray:
    """The digit, per picture."""
    return np.argmax(probabilities(model, table), axis=1)


def probabilities(model: Model, table: pd.DataFrame) -> np.ndarray:
    """How sure the model is of each digit, per picture."""
    with torch.no_grad():
        return torch.softmax(model(_tensor(table)).double(), dim=1).numpy()


def _tensor(table: pd.DataFrame) -> torch.Tensor:
    return torch.tensor(features(table), dtype=torch.float32).unsqueeze(1)
