"""The content key: the same for the same content, another for any change, and fixed for all time."""

from hypothesis import given
from hypothesis import strategies as st

from git_mlops.experiments import key
from git_mlops.experiments.key import Datum, Key

entries = st.lists(
    st.tuples(
        st.text(min_size=1, max_size=5),
        st.sampled_from(["100644", "100755"]),
        st.text("0123456789abcdef", min_size=4),
    ),
    max_size=6,
)


@given(entries, st.randoms())
def test_the_order_of_files_does_not_matter(files: list[tuple[str, str, str]], chance: object) -> None:
    shuffled = sorted(files, key=lambda _: chance.random())  # type: ignore[attr-defined]  # hypothesis's Random
    assert key.code_part(shuffled) == key.code_part(files)


@given(
    st.dictionaries(
        st.text(max_size=3), st.dictionaries(st.text(max_size=3), st.floats() | st.none() | st.text())
    )
)
def test_the_order_of_parameters_does_not_matter(params: dict[str, dict[str, object]]) -> None:
    turned = {file: dict(reversed(list(names.items()))) for file, names in reversed(list(params.items()))}
    assert key.params_part(turned) == key.params_part(params)


def test_every_part_counts() -> None:
    base = Key("a", "b", "c", "d", "e")
    changed = {base._replace(**{name: "x"}).run for name in Key._fields}
    assert len({*changed, base.run}) == 6


def test_the_algorithm_never_changes() -> None:
    """These hashes are in people's histories: a change here needs another algorithm's name."""
    found = Key(
        code=key.code_part([("b.py", "100644", "11"), ("a.py", "100755", "22")]),
        data=key.data_part([Datum("data", "md5", "33.dir", 5), Datum("a.csv", "md5", "44", None)]),
        params=key.params_part({"params.yaml": {"lr": 0.1, "n": float("nan")}}),
        environment=key.environment_part(b"numpy==2.0\n", "CPython 3.11.2"),
        command=key.command_part(("python", "train.py"), "sub/"),
    )
    assert found.run == "89054e187424af045a3f2eb07258fd9fe5466dac0fc0aa75902b53d0bb4f37c2"


def test_a_pipeline_is_not_an_empty_command() -> None:
    assert key.command_part(None, "") != key.command_part((), "")
