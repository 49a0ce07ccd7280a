"""What a change of a schema means; a widening never refuses what was valid."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from git_mlops.schema.compare import compare, worst
from git_mlops.schema.load import Schema, load
from git_mlops.schema.validate import validate


def schema(columns: str, rest: str = "") -> Schema:
    return load(f"columns: {{{columns}}}\n{rest}".encode(), "s.yaml")


def column(text: str) -> Schema:
    return schema(f"a: {{{text}}}")


@pytest.mark.parametrize(
    ("old", "new", "meaning"),
    [
        ("dtype: int64", "dtype: int64, title: A", "compatible"),
        ("dtype: str", "dtype: string", "compatible"),
        ("dtype: int32", "dtype: int64", "widening"),
        ("dtype: int64", "dtype: Int64", "widening"),
        ("dtype: uint8", "dtype: int16", "widening"),
        ("dtype: int64", "dtype: int32", "narrowing"),
        ("dtype: uint16", "dtype: int16", "narrowing"),
        ("dtype: int64", "dtype: float64", "breaking"),
        ("dtype: int64", "dtype: str", "breaking"),
        ("dtype: int64", "nullable: false", "widening"),
        ("dtype: str", "dtype: str, nullable: true", "widening"),
        ("dtype: str, nullable: true", "dtype: str", "narrowing"),
        ("dtype: str", "dtype: str, unique: true", "narrowing"),
        ("dtype: str", "dtype: str, required: false", "widening"),
        ("dtype: str", "dtype: str, coerce: true", "widening"),
        ("dtype: str, checks: {isin: [a, b]}", "dtype: str, checks: {isin: [b, a]}", "compatible"),
        ("dtype: str, checks: {isin: [a, b]}", "dtype: str, checks: {isin: [a, b, c]}", "widening"),
        ("dtype: str, checks: {isin: [a, b]}", "dtype: str, checks: {isin: [a, c]}", "narrowing"),
        ("dtype: str, checks: {isin: [a, b]}", "dtype: str, checks: {isin: [x]}", "breaking"),
        ("dtype: str, checks: {notin: [a, b]}", "dtype: str, checks: {notin: [a]}", "widening"),
        ("dtype: str, checks: {str_matches: a}", "dtype: str, checks: {str_matches: b}", "narrowing"),
        ("dtype: str, checks: {str_length: {min_value: 2, max_value: 4}}",
         "dtype: str, checks: {str_length: {max_value: 5}}", "widening"),
        ("dtype: int64, checks: {in_range: {min_value: 0, max_value: 9}}",
         "dtype: int64, checks: {ge: 0, le: 9}", "compatible"),
        ("dtype: int64, checks: {in_range: {min_value: 0, max_value: 9}}",
         "dtype: int64, checks: {ge: 0}", "widening"),
        ("dtype: int64, checks: {ge: 0}", "dtype: int64, checks: {gt: 0}", "narrowing"),
        ("dtype: int64, checks: {ge: 0}", "dtype: int64, checks: {lt: 0}", "breaking"),
        ("dtype: int64, checks: {eq: 1}", "dtype: int64, checks: {eq: 2}", "breaking"),
        ("dtype: int64, checks: {ge: {min_value: 0, options: {raise_warning: true}}}",
         "dtype: int64, checks: {ge: 0}", "narrowing"),
    ],
)  # fmt: skip
def test_a_change_of_a_column_is_judged(old: str, new: str, meaning: str) -> None:
    assert worst(compare(column(old), column(new))) == meaning


@pytest.mark.parametrize(
    ("old", "new", "meaning"),
    [
        (("a: {}, b: {}", ""), ("a: {}", ""), "breaking"),
        (("a: {}", ""), ("a: {}, b: {}", ""), "breaking"),
        (("a: {}", "strict: true"), ("a: {}, b: {required: false}", "strict: true"), "widening"),
        (("a: {}", ""), ("a: {}", "strict: true"), "narrowing"),
        (("a: {}", "strict: true"), ("a: {}", "strict: filter"), "widening"),
        (("a: {}, b: {}", "unique: [a]"), ("a: {}, b: {}", "unique: [a, b]"), "widening"),
        (("a: {}, b: {}", "unique: [a, b]"), ("a: {}, b: {}", "unique: a"), "narrowing"),
        (("a: {}, b: {}", "ordered: true"), ("b: {}, a: {}", "ordered: true"), "breaking"),
        (("a: {}, b: {}", ""), ("b: {}, a: {}", ""), "compatible"),
    ],
)
def test_a_change_of_the_table_is_judged(old: tuple[str, str], new: tuple[str, str], meaning: str) -> None:
    assert worst(compare(schema(*old), schema(*new))) == meaning


def test_a_change_names_column_part_and_both_values() -> None:
    (change,) = compare(
        column("dtype: str, checks: {isin: [a]}"), column("dtype: str, checks: {isin: [a, b]}")
    )
    assert change == ("widening", "a", "isin", "`isin` adds `b`", ["a"], ["a", "b"])


numbers = st.integers(-3, 3)
checks = st.one_of(
    numbers.map(lambda n: f"ge: {n}"),
    numbers.map(lambda n: f"gt: {n}"),
    numbers.map(lambda n: f"le: {n}"),
    numbers.map(lambda n: f"lt: {n}"),
    numbers.map(lambda n: f"ne: {n}"),
    st.lists(numbers, min_size=1, max_size=3, unique=True).map(lambda ns: f"isin: {ns}"),
    st.lists(numbers, min_size=1, max_size=3, unique=True).map(lambda ns: f"notin: {ns}"),
    st.tuples(numbers, numbers).map(lambda n: f"in_range: {{min_value: {min(n)}, max_value: {max(n)}}}"),
)


@st.composite
def columns(draw: st.DrawFn) -> Schema:
    found = draw(st.lists(checks, max_size=2, unique_by=lambda text: text.split(":")[0]))
    nullable, unique = draw(st.booleans()), draw(st.booleans())
    flags = f"nullable: {str(nullable).lower()}, unique: {str(unique).lower()}"
    return column(f"dtype: Int64, {flags}" + (f", checks: {{{', '.join(found)}}}" if found else ""))


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(columns(), columns(), st.lists(st.none() | numbers, min_size=1, max_size=4))
def test_a_widening_refuses_nothing_that_was_valid(
    old: Schema, new: Schema, values: list[int | None]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "t.csv")
        file.write_text("k,a\n" + "".join(f"1,{'' if v is None else v}\n" for v in values))
        valid_before, valid_after = (not validate(file, "t.csv", one) for one in (old, new))
    if worst(compare(old, new)) in ("compatible", "widening"):
        assert valid_after or not valid_before


@settings(max_examples=50, deadline=None)
@given(columns(), columns())
def test_the_way_back_of_a_widening_is_none(old: Schema, new: Schema) -> None:
    forth, back = worst(compare(old, new)), worst(compare(new, old))
    assert (forth == "compatible") == (back == "compatible")
    assert (forth, back) != ("widening", "widening")
