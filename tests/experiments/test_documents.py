"""Files of strangers read for values: as DVC reads them, and never a crash, never code."""

import math
import sys
from collections.abc import Callable

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from git_mlops.experiments import documents, yaml12
from git_mlops.experiments.documents import DocumentError


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("p.yaml", b"lr: 1e-3\nn: 012\nk: 0x1F\n", {"lr": 0.001, "n": 12, "k": 31}),
        ("p.yaml", b"on: no\nb: true\nx: ~\n", {"on": "no", "b": True, "x": None}),
        ("p.yml", b"a: {b: {c: [1, 2]}}\n", {"a.b.c": [1, 2]}),
        ("p.yaml", b"d: 2026-01-02\ns: 12:30:45\n", {"d": "2026-01-02", "s": "12:30:45"}),
        ("p.yaml", b"base: &b {x: 1}\nrun:\n  <<: *b\n  y: 2\n", {"base.x": 1, "run.x": 1, "run.y": 2}),
        ("p.json", b'{"a": {"b": 1.5}, "c": "t"}', {"a.b": 1.5, "c": "t"}),
        ("p.toml", b"[a]\nb = 1\n", {"a.b": 1}),
        ("p.py", b"import os\nLR = 0.1\nclass T:\n    n: int = 3\n", {"LR": 0.1, "T.n": 3}),
        ("p.py", b"class T:\n    def __init__(self):\n        self.k = 'v'\n", {"T.k": "v"}),
        ("m.json", b"0.5", {"": 0.5}),
        ("p.yaml", b"", {"": None}),
    ],
)  # fmt: skip
def test_values_are_flattened(name: str, content: bytes, expected: dict[str, object]) -> None:
    assert documents.flatten(documents.load(name, content)) == expected


def test_not_a_number_and_infinity_are_numbers() -> None:
    found = documents.flatten(documents.load("m.yaml", b"a: .nan\nb: -.inf\n"))
    assert (math.isnan(found["a"]), found["b"]) == (True, -math.inf)  # type: ignore[arg-type]  # a float


BOMB = b"a0: &a0 {x: 1}\n" + b"".join(
    b"a%d: &a%d {%s}\n" % (n, n, b", ".join(b"k%d: *a%d" % (k, n - 1) for k in range(9)))
    for n in range(1, 12)
)
MERGE_BOMB = b"a0: &a0 {x: 1}\n" + b"".join(
    b"a%d: &a%d {<<: [%s]}\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.yaml", b"[" * 100_000),
        ("m.yaml", b"- " * 100_000 + b"a"),
        ("m.yaml", b"{a: " * 3000 + b"}" * 3000),
        ("m.json", b"[" * 100_000),
        ("m.json", b'{"a":' * 100_000),
        ("m.toml", b"a = " + b"[" * 100_000),
        ("p.py", b"x = " + b"(" * 100_000),
        ("p.py", b"x = " + b"-" * 100_000 + b"1"),
        ("m.yaml", BOMB),
        ("m.yaml", MERGE_BOMB),
        ("m.yaml", b"a: &a [*a]\n"),
        ("m.yaml", b"!!python/object/apply:os.system ['touch /tmp/owned']\n"),
        ("m.yaml", b"a: *nothing\n"),
        ("m.yaml", b"# %s\na: [1\n" % (b"x" * 5000)),
        ("m.yaml", b"\x00\xff"),
        ("m.json", b"\xff\xfe{"),
        ("m.json", b"9" * 10_000),
        ("m.yaml", b"a: " + b"9" * 10_000),
        ("m.yaml", b"x" * (documents.LIMIT + 1)),
        ("p.py", b"\0"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:20]),
)
def test_a_hostile_file_is_refused_with_a_reason(name: str, content: bytes) -> None:
    with pytest.raises(DocumentError) as caught:
        documents.flatten(documents.load(name, content))
    assert str(caught.value)


_scalars = st.sampled_from(
    ["", " 1", " -3", " +2", " 0", " 007", " 1.5", " 1e-3", " 1.5e-3", " .5", " 5.", " true", " True",
     " null", " word", " a/b.c", " no", " ~", " two words", " a: b", " [1]", " 'q'", " x #c", " 0x1",
     " 1_000", " .nan", " -", " 2026-01-02", "x", " & a", " [a, b/c.json]", " [ -1 , 2.5, true]", " []",
     " [ ]", " [a,]", " [,]", " [a b]", " [a:b]", " [no, Null]", " [[a]]", " [a] b"]
)  # fmt: skip
_lines = st.builds(
    lambda indent, key, value: f"{' ' * indent}{key}:{value}",
    st.sampled_from([0, 0, 0, 1, 2, 2, 4]),
    st.sampled_from(["a", "b", "c_1", "lr", "true", "No", "null", "x-y", "1", "a.b"]),
    _scalars,
)
_odd = st.sampled_from(["# note", "", "  # deep", "- 1", "---", "\t", "word"])


def _outcome(read: Callable[[bytes], object], content: bytes) -> object:
    try:
        return read(content)
    except (documents.DocumentError, yaml.YAMLError, ValueError, TypeError) as error:
        return type(error)


@settings(max_examples=500)
@given(st.lists(_lines | _lines | _lines | _odd, max_size=7))
def test_the_quick_way_through_plain_yaml_gives_what_the_parser_gives(lines: list[str]) -> None:
    content = "\n".join(lines).encode()
    quick = documents._plain_yaml(content)
    assert quick is None or repr(quick) == repr(
        _outcome(lambda text: yaml12.load(text, 100, 100_000), content)
    )


def test_the_quick_way_is_taken_for_plain_files() -> None:
    content = (
        b"lr: 0.001\ntrain:\n  epochs: 3\n  opt: adam\n  deep:\n    on: true\nseed: 7\nempty:\nl: [a, 1]\n"
    )
    assert documents._plain_yaml(content) == {
        "lr": 0.001, "train": {"epochs": 3, "opt": "adam", "deep": {"on": True}}, "seed": 7, "empty": None,
        "l": ["a", 1],
    }  # fmt: skip


def test_the_limit_of_recursion_is_as_it_was() -> None:
    before = sys.getrecursionlimit()
    with pytest.raises(DocumentError):
        documents.load("m.json", b"[" * 100_000)
    assert sys.getrecursionlimit() == before
