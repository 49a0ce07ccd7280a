"""Patients who ask the served model, a request each: `python docs/demo-loop/visits.py URL FILE`.

With `--until VERSION` they come again and again until that version answers: requests are under way while it
takes over. Every request must get an answer, whoever answers; the first that gets none ends this with
status 1.
"""

import argparse
import csv
import http.client
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE = 120.0


def rows(file: Path, *, again: bool) -> Iterator[tuple[str, dict[str, float]]]:
    """The patient's number, and the measures."""
    with file.open(encoding="utf-8", newline="") as stream:
        table = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]
    turn = 0
    while turn == 0 or again:
        turn += 1
        for row in table:
            measures = {name: value for name, value in row.items() if name != "patient"}
            yield f"visit-{row['patient']:g}" + (f"-{turn}" if again else ""), measures


def main() -> None:
    """Ask."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("file", type=Path)
    parser.add_argument("--until")
    asked = parser.parse_args()
    connection = http.client.HTTPConnection(urlsplit(asked.url).netloc, timeout=30)
    answered: Counter[str] = Counter()
    end = time.monotonic() + PATIENCE
    for request, measures in rows(asked.file, again=asked.until is not None):
        headers = {"Content-Type": "application/json", "X-Request-Id": request}
        connection.request("POST", "/invocations", json.dumps({"dataframe_records": [measures]}), headers)
        answer = connection.getresponse()
        said = json.loads(answer.read())
        if answer.status != 200 or len(said["predictions"]) != 1:
            sys.exit(f"{request}: {answer.status} {said}")
        version = answer.headers["X-Mlops-Version"]
        answered[version] += 1
        if version == asked.until:
            break
        if asked.until:
            if time.monotonic() > end:
                sys.exit(f"{asked.until} did not answer within {PATIENCE:g} seconds")
            time.sleep(0.02)
    print(f"{answered.total()} requests, {answered.total()} answers:", end=" ")
    print(", ".join(f"{count} by {version}" for version, count in answered.items()))


if __name__ == "__main__":
    main()
