"""record.json: version 1, unknown keys kept."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from git_mlops.experiments.record import Record, RecordError, format_record, parse_record

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | words, lambda v: st.lists(v) | st.dictionaries(words, v)
)


@given(
    st.lists(words),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
    st.dictionaries(words.filter(lambda w: w not in Record._fields), values, max_size=3),
)
def test_a_record_comes_back_with_what_it_does_not_know(
    command: list[str], wall: float | None, extra: dict[str, object]
) -> None:
    record = Record(name="a", command=command, wall=wall, status="failed", extra=extra)
    assert parse_record(format_record(record)) == record


def test_a_later_version_is_read_and_written_without_loss() -> None:
    content = {"version": 2, "status": "finished", "wall": "long", "carbon": {"g": 3}}
    record = parse_record(json.dumps(content).encode())
    assert json.loads(format_record(record)) == content


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 100_000, b"null"])
def test_what_is_no_record_is_refused(content: bytes) -> None:
    with pytest.raises(RecordError):
        parse_record(content)
