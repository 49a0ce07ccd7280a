import pytest

from git_mlops.errors import MlopsError
from git_mlops.schema.load import CHECKS, load

REFUSED = {
    "empty file": ("", "x.yaml: checks nothing: no columns and no checks"),
    "comment alone": ("# nothing\n", "x.yaml: checks nothing: no columns and no checks"),
    "no columns": ("columns: {}\n", "x.yaml:1: checks nothing: no columns and no checks"),
    "metadata alone": ("title: data\nstrict: true\n", "x.yaml:1: checks nothing: no columns and no checks"),
    "a list": ("- a\n", "x.yaml:1: expected a mapping, not ['a']"),
    "mistyped key of the table": ("columns: {a: {}}\nstrikt: true\n", "x.yaml:2: `strikt`: unknown key"),
    "mistyped key of a column": (
        "columns:\n  a:\n    dtpye: int64\n",
        "x.yaml:3: `columns.a.dtpye`: unknown key",
    ),
    "mistyped check": (
        "columns:\n  a:\n    checks:\n      grater_than: 0\n",
        "x.yaml:4: `columns.a.checks.grater_than`: no check `grater_than`",
    ),
    "mistyped flat check": (
        "columns:\n  a:\n    is_in: [1]\n",
        "x.yaml:3: `columns.a.is_in`: unknown key",
    ),
    "mistyped argument": (
        "columns:\n  a:\n    in_range: {min: 0, max_value: 1}\n",
        "x.yaml:3: `columns.a.in_range.min`: no such argument",
    ),
    "missing argument": (
        "columns: {a: {in_range: {min_value: 0}}}\n",
        "x.yaml:1: `columns.a.in_range`: `max_value` is missing",
    ),
    "scalar for two arguments": (
        "columns: {a: {in_range: 5}}\n",
        "x.yaml:1: `columns.a.in_range`: expected a mapping of min_value, max_value, ",
    ),
    "a lambda": (
        "columns:\n  a:\n    checks: null\n",
        "x.yaml:3: `columns.a.checks`: is null, which is what pandera writes for a check it cannot",
    ),
    "an index key": ("columns: {a: {}}\nindx: []\n", "x.yaml:2: `indx`: unknown key"),
    "a column that is no mapping": (
        "columns:\n  a: int64\n",
        "x.yaml:2: `columns.a`: expected a mapping, not 'int64'",
    ),
    "unknown type": (
        "columns:\n  a:\n    dtype: int65\n",
        "x.yaml:3: `columns.a.dtype`: no type that pandera knows: ",
    ),
    "bad regular expression": (
        "columns:\n  a:\n    str_matches: '(['\n",
        "x.yaml:3: `columns.a.str_matches`: not a regular expression: ",
    ),
    "bad pattern of columns": (
        "columns:\n  'a(':\n    regex: true\n",
        "x.yaml:2: `columns.a(`: not a regular expression: ",
    ),
    "empty list": ("columns: {a: {isin: []}}\n", "x.yaml:1: `columns.a.isin`: expected a list of values"),
    "text for a list": ("columns: {a: {isin: abc}}\n", "x.yaml:1: `columns.a.isin`: expected a list"),
    "a bare yes in a text column": (
        "columns: {a: {dtype: str, isin: [yes, maybe]}}\n",
        "x.yaml:1: `columns.a.isin`: True is not text, but the column is",
    ),
    "a bare yes as a name": (
        "columns: {yes: {}}\n",
        "x.yaml:1: `columns.True`: the column name True is not text",
    ),
    "text for a truth": (
        "columns:\n  a:\n    nullable: maybe\n",
        "x.yaml:3: `columns.a.nullable`: expected true or false, not 'maybe'",
    ),
    "dropping bad rows": (
        "columns: {a: {}}\ndrop_invalid_rows: true\n",
        "x.yaml:2: `drop_invalid_rows`: would drop the bad rows in silence instead of reporting them",
    ),
    "another backend": (
        "schema_type: polars_dataframe\ncolumns: {a: {}}\n",
        "x.yaml:1: `schema_type`: expected dataframe, not 'polars_dataframe'",
    ),
    "a range upside down": (
        "columns: {a: {in_range: {min_value: 2, max_value: 1}}}\n",
        "x.yaml:1: `columns.a.checks.0`: ",
    ),
    "groups": (
        "columns: {a: {gt: {min_value: 2, groupby: b}}}\n",
        "x.yaml:1: `columns.a.gt`: checks by groups cannot be written for a built-in check",
    ),
    "a flat check beside a list": (
        "columns: {a: {gt: 2, checks: {lt: 3}}}\n",
        "x.yaml:1: `columns.a.gt`: stands beside `checks:`, where pandera ignores it",
    ),
    "a key twice": ("columns:\n  a: {}\n  a: {}\n", "x.yaml:3: the key `a` stands twice in the same mapping"),
    "an alias": (
        "columns:\n  a: &a {dtype: int64}\n  b: *a\n",
        "x.yaml:3: YAML aliases (`*name`) are not allowed in a schema",
    ),
    "a tag": (
        "columns: {a: !!python/name:os.system {}}\n",
        "x.yaml:1: not valid YAML: ",
    ),
    "an application's tag": (
        "columns: {a: !x {}}\n",
        "x.yaml:1: the YAML tag `!x` is not allowed in a schema",
    ),
    "deep nesting": ("[" * 100_000, "x.yaml:1: nested more than 20 deep"),
    "two documents": ("columns: {a: {}}\n---\ncolumns: {}\n", "x.yaml:2: not valid YAML: "),
    "broken YAML": ("columns: {a: {}\n", "x.yaml:2: not valid YAML: "),
    "a huge file": ("#" * (4 * 1024 * 1024 + 1), "x.yaml: 4194305 bytes are too many for a schema"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_check_less_than_it_says_is_refused(case: str) -> None:
    text, message = REFUSED[case]
    with pytest.raises(MlopsError) as caught:
        load(text.encode(), "x.yaml")
    assert str(caught.value).startswith(message)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(MlopsError, match=r"^x\.yaml: not valid YAML"):
        load(b"columns: {a\xff: {}}", "x.yaml")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("columns:\n  a: {dtpye: int64}\n", "did you mean `dtype`?"),
        ("columns:\n  a: {checks: {grater_than: 0}}\n", "did you mean `greater_than`?"),
        ("colums:\n  a: {}\n", "did you mean `columns`?"),
        ("columns:\n  a: {in_range: {min_valu: 0, max_value: 1}}\n", "did you mean `min_value`?"),
    ],
)
def test_a_mistyped_word_gets_a_suggestion(text: str, hint: str) -> None:
    with pytest.raises(MlopsError) as caught:
        load(text.encode(), "x.yaml")
    assert caught.value.hint == hint


def test_the_three_spellings_of_a_check_are_one_schema() -> None:
    flat = load(b"columns: {a: {dtype: int64, greater_than: 0}}", "x.yaml")
    mapping = load(b"columns: {a: {dtype: int64, checks: {greater_than: 0}}}", "x.yaml")
    entries = b"columns: {a: {dtype: int64, checks: [{value: 0, options: {check_name: greater_than}}]}}"
    assert flat.document == mapping.document == load(entries, "x.yaml").document


def test_our_list_of_checks_is_panderas() -> None:
    from pandera.api.checks import Check
    from pandera.backends.pandas import builtin_checks

    builtin = {
        name for name in vars(builtin_checks) if callable(getattr(Check, name, None)) and name[0] != "_"
    }
    builtin -= {name for name in builtin if not hasattr(getattr(builtin_checks, name), "__wrapped__")} - set(
        CHECKS
    )
    assert builtin <= set(CHECKS)
    assert all(callable(getattr(Check, name)) for name in CHECKS)


FULL = """\
schema_type: dataframe
version: 0.24.0
columns:
  id: {dtype: str, unique: true, coerce: true, checks: {str_matches: '^[A-Z]+$'}}
  age:
    dtype: Int64
    nullable: true
    required: false
    checks:
      in_range: {min_value: 0, max_value: 120, include_max: false}
  kind:
    dtype: str
    checks:
    - value: [a, b]
      options: {check_name: isin, ignore_na: true, raise_warning: false}
  day:
    dtype: datetime64[ns]
    checks: {greater_than: 2020-01-01 00:00:00}
  'f_[0-9]+': {dtype: float64, regex: true, checks: {greater_than_or_equal_to: 0, less_than: 10}}
strict: true
ordered: false
coerce: false
unique: [id, kind]
"""


def test_the_same_bytes_mean_the_same_to_pandera() -> None:
    from pandera.io.pandas_io import from_yaml

    assert load(FULL.encode(), "x.yaml").built == from_yaml(FULL)


def test_what_pandera_writes_is_read_back() -> None:
    import pandera.pandas as pa
    from pandera.io.pandas_io import to_yaml

    schema = pa.DataFrameSchema(
        {
            "a": pa.Column(int, [pa.Check.in_range(0, 5), pa.Check.notin([3])], unique=True),
            "b": pa.Column(str, pa.Check.str_length(1, 9), nullable=True),
            "c": pa.Column("datetime64[ns]", coerce=True),
        },
        strict=True,
        unique=["a", "b"],
    )
    text = to_yaml(schema)
    assert text is not None
    text = "\n".join(line for line in text.splitlines() if line.strip() != "checks: null")  # pandera < 0.30
    assert load(text.encode(), "x.yaml").built == schema
