"""Plain values into settings types."""

from typing import Literal, NamedTuple

import pytest

from git_mlops.decode import DecodeError, Size, decode, from_text, json_schema


class Inner(NamedTuple):
    direction: Literal["max", "min"] = "max"
    tolerance: float = 0.0


class Sample(NamedTuple):
    name: str
    track: tuple[str, ...] = ()
    limit: Size = Size(1)
    metrics: dict[str, Inner] = {}  # noqa: RUF012  # the default of a frozen tuple
    remote: str | None = None


def test_every_kind_of_value_is_decoded() -> None:
    value = {
        "name": "x",
        "track": ["*.csv", "models/**"],
        "limit": "1.5MiB",
        "metrics": {"auc": {"direction": "min", "tolerance": 1}},
        "remote": None,
    }
    assert decode(Sample, value) == Sample(
        "x", ("*.csv", "models/**"), Size(1572864), {"auc": Inner("min", 1.0)}
    )


def test_one_text_stands_for_a_list_of_one() -> None:
    assert decode(Sample, {"name": "x", "track": "*.csv"}).track == ("*.csv",)


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        ({"name": "x", "trak": []}, "`trak`: unknown key", "did you mean `track`?"),
        ({"name": "x", "zzz": 1}, "`zzz`: unknown key", "known: limit, metrics, name, remote, track"),
        ({"name": 3}, "`name`: expected text, not 3", "put it between quotes"),
        (
            {"name": "x", "limit": "3 elephants"},
            "`limit`: expected a size such as `1MiB`, not '3 elephants'",
            None,
        ),
        ({"name": "x", "limit": True}, "`limit`: expected a size such as `1MiB`, not True", None),
        (
            {"name": "x", "metrics": {"auc": {"direction": "up"}}},
            "`metrics.auc.direction`: expected one of max, min, not 'up'",
            None,
        ),
        ({"name": "x", "metrics": []}, "`metrics`: expected a mapping, not []", None),
        ({"name": "x", "track": 3.1}, "`track`: expected text, not 3.1", "put it between quotes"),
        ({"name": "x", "track": {"a": 1}}, "`track`: expected a list, not {'a': 1}", None),
        ({}, "`name` is missing", None),
    ],
)
def test_a_wrong_value_is_named_with_its_key(value: object, message: str, hint: str | None) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(Sample, value)
    assert (str(caught.value), caught.value.hint) == (message, hint)


def test_yaml_off_is_a_level_not_a_boolean() -> None:
    assert decode(dict[str, Literal["error", "off"]], {"large-file": False}) == {"large-file": "off"}


def test_text_from_the_environment_is_decoded_by_type() -> None:
    kinds = [
        (tuple[str, ...], "a, b"),
        (bool, "yes"),
        (int, "3"),
        (float, "0.5"),
        (Size, "2kB"),
        (str | None, "x"),
    ]
    assert [from_text(kind, text, "k") for kind, text in kinds] == [("a", "b"), True, 3, 0.5, 2000, "x"]


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(DecodeError, match="`k`: expected a whole number, not 'three'"):
        from_text(int, "three", "k")


def test_the_json_schema_is_closed_and_names_what_is_required() -> None:
    schema = json_schema(Sample)
    assert (schema["additionalProperties"], schema["required"]) == (False, ["name"])


class Either(NamedTuple):
    profile: dict[str, Literal["all", "none"] | dict[str, Literal["all", "none"]]] = {}  # noqa: RUF012  # as above


def test_a_word_or_a_mapping() -> None:
    value = {"profile": {"a": "none", "b": {"x": "all"}}}
    assert decode(Either, value) == Either({"a": "none", "b": {"x": "all"}})


@pytest.mark.parametrize(
    ("value", "key"), [("some", "profile.a"), ({"x": "some"}, "profile.a.x"), ([], "profile.a")]
)
def test_neither_the_word_nor_the_mapping(value: object, key: str) -> None:
    with pytest.raises(DecodeError, match="expected one of all, none") as caught:
        decode(Either, {"profile": {"a": value}})
    assert caught.value.key == key


def test_the_schema_of_a_word_or_a_mapping() -> None:
    word = {"enum": ["all", "none"]}
    either = {"anyOf": [word, {"type": "object", "additionalProperties": word}]}
    assert json_schema(Either)["properties"] == {
        "profile": {"type": "object", "additionalProperties": either}
    }
