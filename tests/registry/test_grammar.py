"""Tag ↔ what it says: GTO's grammar, both ways."""

import pytest
from gto.tag import parse_name
from hypothesis import given, settings
from hypothesis import strategies as st

from git_mlops.errors import MlopsError
from git_mlops.registry import grammar
from git_mlops.registry.grammar import Spec, Tag

TABLE = {
    "churn@v1.2.3": Tag("register", "churn", "v1.2.3"),
    "churn@v1.2.3#4": Tag("register", "churn", "v1.2.3", number=4),
    "churn@v2.0.0-rc.1+b5": Tag("register", "churn", "v2.0.0-rc.1+b5"),
    "churn@v1.2.3!#5": Tag("deregister", "churn", "v1.2.3", number=5),
    "churn@v1.2.3!": Tag("deregister", "churn", "v1.2.3"),
    "churn#prod#12": Tag("assign", "churn", stage="prod", number=12),
    "churn#prod": Tag("assign", "churn", stage="prod"),
    "churn#prod!#3": Tag("unassign", "churn", stage="prod", number=3),
    "churn@deprecated#7": Tag("deprecate", "churn", number=7),
    "nlp/churn-2_b@v0.0.1": Tag("register", "nlp/churn-2_b", "v0.0.1"),
    "services/a.b=churn@v1.0.0": Tag("register", "services/a.b:churn", "v1.0.0"),
    "services=churn#eu-west/prod#2": Tag("assign", "services:churn", stage="eu-west/prod", number=2),
    "c#1#2": Tag("assign", "c", stage="1", number=2),
    "approve/churn@v1.0.0#prod#0a1b2c3d4e": Tag(
        "approve", "churn", "v1.0.0", "prod", mark="0a1b2c3d4e"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", TABLE)
def test_a_tag_says_what_the_table_has_and_is_written_so(text: str) -> None:
    assert (grammar.parse(text), grammar.render(TABLE[text])) == (TABLE[text], text)


@pytest.mark.parametrize("text", TABLE)
def test_gto_reads_every_tag_alike_and_passes_over_approvals(text: str) -> None:
    tag, theirs = TABLE[text], parse_name(text, raise_on_fail=False)
    if tag.kind == "approve":
        assert theirs == {}
        return
    assert (theirs["name"], theirs["action"].value) == (tag.name, tag.kind)
    assert (theirs.get("version"), theirs.get("stage"), theirs.get("counter")) == tag[2:5]


OTHERS = (
    "v1.0.0", "churn", "churn@1.0.0", "churn@v1.0", "churn@v01.0.0", "a.b@v1.0.0", "churn@latest",
    "churn@created#1",
    "churn#prod#x", "churn#", "@v1.0.0", "-churn@v1.0.0", "churn-@v1.0.0", "a=b=c@v1.0.0", "chürn@v1.0.0",
    "approve/churn@v1.0.0#prod#12", "approve/churn@v1.0.0#prod", "churn@v1.0.0!!",
)  # fmt: skip


@pytest.mark.parametrize("text", OTHERS)
def test_any_other_tag_is_of_no_registry_as_for_gto(text: str) -> None:
    assert grammar.parse(text) is None
    assert not parse_name(text, raise_on_fail=False) or "created" in text


_WORDS = st.from_regex(r"[a-zA-Z0-9]([a-zA-Z0-9/_-]{0,8}[a-zA-Z0-9])?", fullmatch=True)
_NAMES = st.builds(lambda folder, name: f"{folder}:{name}" if folder else name, st.just("") | _WORDS, _WORDS)
_PRE = st.just("") | st.from_regex(r"-(0|[1-9][0-9]{0,3}|[a-z][a-z0-9-]{0,5})", fullmatch=True)
_VERSIONS = st.builds("v{}.{}.{}{}".format, *[st.integers(0, 10**6)] * 3, _PRE)
_NUMBERS = st.none() | st.integers(0, 10**9)


@given(
    st.builds(
        Tag, st.sampled_from(["register", "deregister"]), _NAMES, _VERSIONS, st.none(), _NUMBERS, st.none()
    )
    | st.builds(Tag, st.sampled_from(["assign", "unassign"]), _NAMES, st.none(), _WORDS, _NUMBERS, st.none())
    | st.builds(Tag, st.just("deprecate"), _NAMES, st.none(), st.none(), _NUMBERS, st.none())
)
@settings(max_examples=100)
def test_what_is_written_is_read_back(tag: Tag) -> None:
    assert grammar.parse(grammar.render(tag)) == tag


@given(st.text("abAB01@#!=./-_v", max_size=24))
@settings(max_examples=100)
def test_what_is_read_is_written_back(text: str) -> None:
    tag = grammar.parse(text)
    leading_zeros = tag is not None and text.rpartition("#")[2] != str(tag.number) and tag.number is not None
    assert tag is None or leading_zeros or grammar.render(tag) == text


def test_versions_are_ordered_as_semver_says() -> None:
    ordered = [
        "v0.9.9",
        "v1.0.0-1",
        "v1.0.0-alpha",
        "v1.0.0-alpha.1",
        "v1.0.0-rc.2",
        "v1.0.0-rc.10",
        "v1.0.0",
        "v1.10.0",
    ]
    mixed = ordered[::2] + ordered[1::2]
    assert sorted(mixed, key=grammar.order) == ordered


@pytest.mark.parametrize(
    ("version", "part", "after"),
    [
        ("v1.2.3", "patch", "v1.2.4"), ("v1.2.3", "minor", "v1.3.0"), ("v1.2.3", "major", "v2.0.0"),
        ("v2.0.0-rc.1", "major", "v2.0.0"), ("v2.0.0-rc.1", "patch", "v2.0.0"),
        ("v1.3.0-rc.1", "minor", "v1.3.0"),
        ("v1.2.3+b4", "patch", "v1.2.4"), ("v1.2.3-rc.1", "minor", "v1.3.0"),
    ],
)  # fmt: skip
def test_the_next_version_ends_a_series_of_pre_releases(version: str, part: grammar.Bump, after: str) -> None:
    assert grammar.bumped(version, part) == after


@pytest.mark.parametrize(
    "name", ["a.b", "", "-a", "a/", "a b", "../x:m", "a:b:c", "x/.git:m", "a//b", "é", "x.lock:m"]
)
def test_a_name_that_gto_or_git_would_not_take_is_refused(name: str) -> None:
    with pytest.raises(MlopsError, match="cannot be the name of a model"):
        grammar.checked_name(name)


def test_a_stage_where_a_model_is_meant_is_called_that() -> None:
    with pytest.raises(MlopsError, match="`m#prd` names a version or a stage") as caught:
        grammar.checked_name("m#prd")
    assert caught.value.hint == "`m`; if the command has `--stage`: `m --stage prd`"


def test_a_spec_names_a_version_a_stage_or_the_greatest() -> None:
    assert [grammar.parse_spec(text) for text in ("m", "m@latest", "m@v1.0.0", "m@1.0.0", "d=m#prod")] == [
        Spec("m"), Spec("m"), Spec("m", "v1.0.0"), Spec("m", "v1.0.0"), Spec("d:m", stage="prod"),
    ]  # fmt: skip
    with pytest.raises(MlopsError) as error:
        grammar.parse_spec("m@prod")
    assert error.value.hint == "a version, as `m@v1.0.0`; a stage is `m#prod`"
    with pytest.raises(MlopsError, match="a version or a stage, not both") as error:
        grammar.parse_spec("m@v1.0.0#prod")
    assert error.value.hint == "`m@v1.0.0`, or `m#prod`"
