import pytest
import yaml

from git_mlops.errors import MlopsError
from git_mlops.schema.bind import bind

CASES = {
    "a minimal file": ("version: 1\n", "version: 1\n\nschemas:\n  data/a.csv: schemas/a.yaml\n"),
    "an empty file's successor": (
        "version: 1 # first\n\n# the end\n",
        "version: 1 # first\n\n# the end\n\nschemas:\n  data/a.csv: schemas/a.yaml\n",
    ),
    "after the last entry": (
        "schemas:\n    # raw\n    b.csv: b.yaml  # why\n\n# tail\ndata: {}\n",
        "schemas:\n    # raw\n    b.csv: b.yaml  # why\n    data/a.csv: schemas/a.yaml\n\n# tail\ndata: {}\n",
    ),
    "no line break at the end": (
        "version: 1\nschemas:\n  b.csv: b.yaml",
        "version: 1\nschemas:\n  b.csv: b.yaml\n  data/a.csv: schemas/a.yaml\n",
    ),
    "nothing after the key": (
        "version: 1\nschemas: # mine\ndata: {}\n",
        "version: 1\nschemas:\n  data/a.csv: schemas/a.yaml # mine\ndata: {}\n",
    ),
    "an empty mapping": (
        "version: 1\nschemas: {}\n",
        "version: 1\nschemas: {data/a.csv: schemas/a.yaml}\n",
    ),
    "on one line": (
        "version: 1\nschemas: {b.csv: b.yaml }\n",
        "version: 1\nschemas: {b.csv: b.yaml, data/a.csv: schemas/a.yaml}\n",
    ),
    "another schema before": (
        "version: 1\nschemas:\n  data/a.csv: old.yaml # keep\n",
        "version: 1\nschemas:\n  data/a.csv: schemas/a.yaml # keep\n",
    ),
    "CRLF": (
        "version: 1\r\nschemas:\r\n  b.csv: b.yaml\r\n",
        "version: 1\r\nschemas:\r\n  b.csv: b.yaml\r\n  data/a.csv: schemas/a.yaml\r\n",
    ),
    "bound so already": (
        "version: 1\nschemas: {data/a.csv: schemas/a.yaml}\n",
        "version: 1\nschemas: {data/a.csv: schemas/a.yaml}\n",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_is_added_and_the_rest_stays(case: str) -> None:
    before, after = CASES[case]
    assert bind(before, "data/a.csv", "schemas/a.yaml") == after


@pytest.mark.parametrize(
    "path", ["my data/ä: b.csv", "no", "007", "#x.csv", "a'b\"c.csv", "- x", "*.csv", "x" * 300]
)
@pytest.mark.parametrize("before", ["version: 1\n", "version: 1\nschemas:\n  b.csv: b.yaml\n"])
def test_any_path_comes_back_as_it_was(path: str, before: str) -> None:
    assert yaml.safe_load(bind(before, path, "s.yaml"))["schemas"][path] == "s.yaml"


@pytest.mark.parametrize(
    "text",
    ["[1]\n", "version: 1\nschemas: [a]\n", "{version: 1}\n", "version: [\n", "a: &x {}\nschemas: *x\n"],
)
def test_what_cannot_be_edited_safely_is_left_to_the_user(text: str) -> None:
    with pytest.raises(MlopsError) as caught:
        bind(text, "data/a.csv", "schemas/a.yaml")
    assert caught.value.hint == "write `data/a.csv: schemas/a.yaml` under `schemas:` yourself"
