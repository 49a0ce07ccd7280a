"""Repositories with any number of experiments, made by `git fast-import`."""

import json
from collections.abc import Iterator

from tests.bench.measure import Place


def experiments(place: Place, count: int) -> None:
    """Add `count` experiments of HEAD, each with its own metrics and parameters, and pack the refs."""
    head = place.run("git", "rev-parse", "HEAD").decode().strip()
    place.run("git", "fast-import", "--quiet", stdin=b"".join(_stream(head, count)))
    place.run("git", "pack-refs", "--all")


def _stream(head: str, count: int) -> Iterator[bytes]:
    for number in range(count):
        name = f"exp-n{number:06}"
        message = f"exp: {name}\n\nMlops-Run: {number:064x}\nMlops-Status: finished\nMlops-Version: 1\n"
        files = {
            "metrics.json": json.dumps({"auc": number / count, "loss": 1 - number / count}),
            "params.yaml": f"train:\n  lr: {0.001 * (number % 50):.3f}\n  depth: {number % 7}\n",
            ".mlops/run/record.json": json.dumps(
                {"version": 1, "status": "finished", "how": "save", "wall": 1.5, "run_id": f"{number:032x}"}
            ),
        }
        lines = [
            f"commit refs/exps/{head[:2]}/{head[2:]}/{name}",
            f"committer Ada <ada@example.com> {1_700_000_000 + number} +0000",
            _data(message),
            f"from {head}",
            *(f"M 100644 inline {path}\n{_data(text)}" for path, text in files.items()),
        ]
        yield ("\n".join(lines) + "\n").encode()


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}"
