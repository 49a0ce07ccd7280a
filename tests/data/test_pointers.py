"""Pointers: what is read, and everything that is refused."""

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from git_mlops.data import pointers
from git_mlops.data.pointers import Out, Pointer, PointerError

MD5 = "0123456789abcdef0123456789abcdef"
NO_TAG = "not valid YAML: could not determine a constructor for the tag"
SINGLE = f"outs:\n- md5: {MD5}\n  size: 4\n  hash: md5\n  path: data.csv\n"
LOCK = f"""\
schema: '2.0'
stages:
  train:
    cmd: python train.py
    deps:
    - path: data.csv
      hash: md5
      md5: {MD5}
      size: 4
    outs:
    - path: model.bin
      hash: md5
      md5: {MD5}
      size: 9
"""


def outs(text: str, path: str = "data.csv.dvc", pipeline: str | None = None) -> tuple[Out, ...]:
    return pointers.parse(path, text.encode(), None if pipeline is None else pipeline.encode()).outs


def problem(text: str | bytes, path: str = "sub/data.csv.dvc") -> tuple[str, int | None]:
    with pytest.raises(PointerError) as caught:
        pointers.parse(path, text.encode() if isinstance(text, str) else text)
    return str(caught.value).removeprefix(f"{path}: "), caught.value.line


def test_a_file() -> None:
    expected = Pointer("data.csv.dvc", (Out("data.csv", "md5", MD5, 4),), ())
    assert pointers.parse("data.csv.dvc", SINGLE.encode()) == expected


def test_paths_are_relative_to_the_pointer() -> None:
    assert outs(SINGLE, "a/b/x.dvc") == (Out("a/b/data.csv", "md5", MD5, 4),)


def test_paths_are_relative_to_its_wdir() -> None:
    assert outs("wdir: ../c\n" + SINGLE, "a/b/x.dvc")[0].path == "a/c/data.csv"


def test_a_directory() -> None:
    text = f"outs:\n- md5: {MD5}.dir\n  size: 12\n  nfiles: 3\n  hash: md5\n  path: données\n"
    out = outs(text)[0]
    assert (out, out.is_dir) == (Out("données", "md5", f"{MD5}.dir", 12, 3), True)


def test_what_dvc_2_wrote_has_the_older_algorithm() -> None:
    assert outs(SINGLE.replace("  hash: md5\n", ""))[0].algorithm == "md5-dos2unix"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("cache: false", (False, True, None)),
        ("push: false", (True, False, None)),
        ("remote: cold", (True, True, "cold")),
        ("persist: true", (True, True, None)),
    ],
)
def test_flags_of_an_output(line: str, expected: tuple[bool, bool, str | None]) -> None:
    out = outs(SINGLE + f"  {line}\n")[0]
    assert (out.cache, out.push, out.remote) == expected


@pytest.mark.parametrize(
    "item",
    [
        "path: data.csv",  # `--no-exec`: not made yet
        "path: s3://bucket/data.csv\n  etag: abc",
        "path: remote://store/data.csv\n  md5: " + MD5,
        "path: data.csv\n  files:\n  - relpath: a\n    version_id: '1'",
    ],
)
def test_what_is_not_in_the_cache_is_not_named(item: str) -> None:
    assert outs(f"outs:\n- {item}\n") == ()


def test_meta_and_unknown_keys_are_left_to_others() -> None:
    text = SINGLE + "meta:\n  mlops:\n    columns:\n      age: {type: int64, top: {a: [1, 2]}}\nnew: 1\n"
    assert outs(text) == outs(SINGLE)


@pytest.mark.parametrize(
    ("dep", "expected"),
    [
        (f"path: raw.csv\n  md5: {MD5}\n  hash: md5", ("raw.csv",)),
        ("path: raw.csv", ()),
        (f"path: https://example.com/raw.csv\n  md5: {MD5}", ()),
        (f"path: /data/raw.csv\n  md5: {MD5}", ()),
        (f"path: raw.csv\n  md5: {MD5}\n  repo:\n    url: ../other", ()),
    ],
)
def test_dependencies_are_those_in_the_repository(dep: str, expected: tuple[str, ...]) -> None:
    pointer = pointers.parse("data.csv.dvc", f"deps:\n- {dep}\n{SINGLE}".encode())
    assert tuple(out.path for out in pointer.deps) == expected


def test_a_lock() -> None:
    expected = Pointer(
        "p/dvc.lock", (Out("p/model.bin", "md5", MD5, 9),), (Out("p/data.csv", "md5", MD5, 4),)
    )
    assert pointers.parse("p/dvc.lock", LOCK.encode()) == expected


def test_a_lock_of_the_first_format() -> None:
    first = f"train:\n  cmd: x\n  outs:\n  - path: model.bin\n    md5: {MD5}\n"
    assert outs(first, "dvc.lock") == (Out("model.bin", "md5-dos2unix", MD5),)


@pytest.mark.parametrize(
    ("pipeline", "expected"),
    [
        ("stages:\n  train:\n    outs: [model.bin]\n", (True, True, None)),
        ("stages:\n  train:\n    outs:\n    - model.bin: {cache: false}\n", (False, True, None)),
        ("stages:\n  train:\n    outs:\n    - model.bin:\n        push: false\n", (True, False, None)),
        ("stages:\n  train:\n    metrics:\n    - model.bin: {cache: false}\n", (False, True, None)),
        ("stages:\n  train:\n    plots:\n    - model.bin: {remote: cold}\n", (True, True, "cold")),
        ("stages:\n  train:\n    outs:\n    - ${dir}.bin: {cache: false}\n", (False, True, None)),
        ("stages:\n  train:\n    outs:\n    - ${dir}.csv: {cache: false}\n", (True, True, None)),
        ("stages: nonsense\n", (True, True, None)),
        ("- broken", (True, True, None)),
        ("stages:\n  train:\n    outs: 3\n", (True, True, None)),
        ("stages:\n  train: [1]\n", (True, True, None)),
    ],
)
def test_flags_of_a_lock_stand_in_dvc_yaml(pipeline: str, expected: tuple[bool, bool, str | None]) -> None:
    out = outs(LOCK, "dvc.lock", pipeline)[0]
    assert (out.cache, out.push, out.remote) == expected


@pytest.mark.parametrize(
    "pipeline",
    [
        "stages:\n  train:\n    foreach: [a]\n    do:\n      outs:\n      - m/${item}.bin: {cache: false}\n",
        "stages:\n  train:\n    matrix: {x: [a, b]}\n    outs:\n    - m/${item.x}.bin: {cache: false}\n",
    ],
)
def test_flags_of_stages_made_from_a_template(pipeline: str) -> None:
    lock = LOCK.replace("  train:", "  train@a:").replace("model.bin", "m/a.bin")
    assert [out.cache for out in outs(lock, "dvc.lock", pipeline)] == [False]


def test_a_stage_works_in_its_wdir() -> None:
    assert outs(LOCK, "p/dvc.lock", "stages:\n  train:\n    wdir: w\n")[0].path == "p/w/model.bin"


@pytest.mark.parametrize("place", ["../../x", "/etc/passwd", "..", "a/../../../x", ".git/config",
                                   "../.git/hooks/pre-commit", "a/.git/x", "../.dvc/config", "../.GIT/config",
                                   "x/.dvc/config", '"a\\nb"', '"a\\0b"'])  # fmt: skip
def test_no_path_leaves_the_repository(place: str) -> None:
    message, _line = problem(f"outs:\n- md5: {MD5}\n  path: {place}\n")
    assert "outside the repository" in message


@pytest.mark.parametrize("place", [".", "data.csv.dvc", "../sub"])
def test_a_pointer_is_no_part_of_its_data(place: str) -> None:
    assert problem(f"outs:\n- md5: {MD5}\n  path: {place}\n") == (f"`{place}` holds the pointer itself", 3)


@pytest.mark.parametrize("wdir", ["/etc", "../..", "../../other"])
def test_no_wdir_leaves_the_repository(wdir: str) -> None:
    assert problem(f"wdir: {wdir}\n" + SINGLE) == ("`data.csv` is outside the repository", 6)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("it is no mapping", 1)),
        ("- 1\n", ("it is no mapping", 1)),
        ("a: b: c\n", ("not valid YAML: mapping values are not allowed in this context", 1)),
        ("meta: {}\n", ("`outs` is missing", 1)),
        ("outs: 3\n", ("`outs` is no list", 1)),
        ("outs:\n- 3\n", ("`outs` is no mapping", 1)),
        (f"outs:\n- md5: {MD5}\n", ("`path` is missing", None)),
        (f"outs:\n- md5: {MD5}\n  path: 3\n", ("`path: 3` is no path", 3)),
        ("wdir: 3\n" + SINGLE, ("`wdir: 3` is no path", 1)),
        ("outs:\n- md5: ../../etc\n  path: x\n", ("`md5: ../../etc` is no hash", 2)),
        ("outs:\n- md5: ABCDEF\n  path: x\n", ("`md5: ABCDEF` is no hash", 2)),
        ("outs:\n- md5: 12345678901234567890123456789012\n  path: x\n",
         ("`md5: 12345678901234567890123456789012` is no hash", 2)),
        (f"outs:\n- md5: {MD5}.dir.dir\n  path: x\n", (f"`md5: {MD5}.dir.dir` is no hash", 2)),
        ("a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> x\n", ("it holds conflict markers", 2)),
        ("a: &x 1\nb: *x\n", ("YAML anchors are not allowed in a pointer", 1)),
        ("a: [" + "[" * 200_000, ("nested deeper than 50 levels", 1)),
        ("- " * 200_000, ("nested deeper than 50 levels", 1)),
        ("? " * 200_000, ("nested deeper than 50 levels", 1)),
        ("outs: !!x 1\n", (f"{NO_TAG} 'tag:yaml.org,2002:x'", 1)),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)  # fmt: skip
def test_what_cannot_be_read_says_why_and_where(text: str, expected: tuple[str, int | None]) -> None:
    assert problem(text) == expected


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"\x80abc", "outs: []".encode("utf-16"), b"a: \x01\n", b"a: !!bool x",
                b"a: !!int ''", b"a: !!timestamp x", b"a: !!binary $", b"a: 2020-99-99", b"{[1]: 2}"]
)  # fmt: skip
def test_bytes_that_are_no_text_or_no_values(content: bytes) -> None:
    assert problem(content)[0]


def test_a_bomb_of_aliases_is_not_expanded() -> None:
    levels = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 12))
    assert problem("x0: &x0 [1]\n" + levels)[0] == "YAML anchors are not allowed in a pointer"


def test_a_file_larger_than_any_pointer_is_not_parsed() -> None:
    assert problem(b"#" * (pointers.LARGEST + 1))[0] == f"{pointers.LARGEST + 1} bytes are no pointer"


def test_conflict_markers_come_with_the_command_that_settles_them() -> None:
    with pytest.raises(PointerError) as caught:
        pointers.parse("a.dvc", b"<<<<<<< HEAD\n")
    assert caught.value.hint == "choose a side: `git checkout --ours a.dvc`"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.dvc", True), ("s/a b.csv.dvc", True), ("dvc.lock", True), ("s/dvc.lock", True), (".dvc", False),
        ("s/.dvc", False), (".dvc/config", False), ("xdvc.lock", False), ("dvc.yaml", False),
        ("a.dvcx", False),
    ],
)  # fmt: skip
def test_pointers_are_known_by_name(path: str, expected: bool) -> None:
    assert pointers.is_pointer(path) == expected


def _read(path: str, content: bytes, pipeline: bytes | None) -> bool:
    """Whether it is refused, or names nothing that must not be touched; anything else raised is a failure."""
    try:
        found = pointers.parse(path, content, pipeline)
    except PointerError:
        return True
    return all(not {"..", ".git"} & set(out.path.split("/")) for out in (*found.outs, *found.deps))


names = st.sampled_from(["a.dvc", "s/a.dvc", "dvc.lock", "s/dvc.lock"])


@given(names, st.binary(), st.none() | st.binary())
def test_any_bytes_are_a_pointer_or_an_error(path: str, content: bytes, pipeline: bytes | None) -> None:
    assert _read(path, content, pipeline)


keys = st.sampled_from(
    [
        "outs",
        "deps",
        "stages",
        "schema",
        "wdir",
        "md5",
        "path",
        "hash",
        "size",
        "cache",
        "push",
        "remote",
        "a",
    ]
)
texts = st.text(max_size=5) | st.sampled_from([MD5, f"{MD5}.dir", "..", "/x", "a/b", "${x}", "s3://b"])
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | texts, inner, max_size=4)
)


@given(names, values, values)
@example("a.dvc", {"outs": [{"path": "\ud800", "md5": "\ud800"}]}, None)
def test_any_structure_is_a_pointer_or_an_error(path: str, value: object, pipeline: object) -> None:
    content = yaml.safe_dump(value, allow_unicode=False).encode("utf-8", "surrogatepass")
    assert _read(
        path, content, yaml.safe_dump(pipeline, allow_unicode=False).encode("utf-8", "surrogatepass")
    )
