"""The tests of a whole table: false alarms come as often as was asked for, and what is there is found."""

import numpy as np
import pytest

from git_mlops.monitor import shuffled
from git_mlops.monitor.chances import Floats
from git_mlops.monitor.shuffled import Column

N = 200


def _table(random: np.random.Generator, rows: int = N, alike: float = 0.0) -> list[Column]:
    """Columns of which both samples are of one population; `alike` is how much two of them have in common."""
    columns: list[Column] = []
    for number, name in enumerate(("height", "income", "visits", "city")):
        sides: list[Floats | shuffled.Codes] = []
        for _side in range(2):
            if name == "city":
                sides.append(random.choice(4, p=[0.6, 0.25, 0.1, 0.05], size=rows).astype(np.int32))
                continue
            values = random.normal(size=rows)
            values = np.exp(values) if number == 1 else np.floor(3 * values) if number == 2 else values
            values[random.random(rows) < 0.05] = np.nan
            sides.append(values)
        columns.append(Column(name, sides[0], sides[1]))
    if alike:
        first = columns[0]
        noise = [random.normal(size=rows) for _side in range(2)]
        old, new = (np.nan_to_num(side.astype(np.float64)) for side in (first.reference, first.current))
        columns.append(Column("weight", old + (1 - alike) * noise[0], new + (1 - alike) * noise[1]))
    return columns


def _least(columns: list[Column], seed: int, alpha: float = 0.05) -> float:
    answers = shuffled.compare(columns, alpha, seed)
    found = [one.adjusted for one in answers.columns.values()]
    return min([*found, answers.together.adjusted] if answers.together else found)


@pytest.mark.parametrize("alike", [0.0, 0.9], ids=["independent", "alike"])
@pytest.mark.slow
def test_the_rate_of_false_alarms_is_the_one_asked_for(alike: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much the columns have in common. 400 runs at a fixed seed: three standard errors either way."""
    monkeypatch.setattr(shuffled, "SHUFFLES", 99)  # exact with any number
    random = np.random.default_rng(7)
    runs = 400
    alarms = np.mean([_least(_table(random, 40, alike), seed) <= 0.1 for seed in range(runs)])
    assert abs(alarms - 0.1) < 3 * np.sqrt(0.1 * 0.9 / runs)


def _shifted(what: str, random: np.random.Generator) -> list[Column]:
    columns = _table(random, 2000)
    height, city = columns[0], columns[3]
    new = height.current.astype(np.float64)
    if what == "location":
        columns[0] = height._replace(current=new + 0.4)
    elif what == "scale":
        columns[0] = height._replace(current=new * 1.5)
    elif what == "shape":
        columns[0] = height._replace(current=np.where(new > 0, 0.8, -0.8) + 0.6 * new)
    elif what == "missing":
        columns[0] = height._replace(current=np.where(random.random(len(new)) < 0.2, np.nan, new))
    elif what == "cells":
        mixed = random.choice(4, p=[0.5, 0.28, 0.14, 0.08], size=len(new))
        columns[3] = city._replace(current=mixed.astype(np.int32))
    return columns


@pytest.mark.parametrize("what", ["location", "scale", "missing", "cells"])
def test_each_sort_of_shift_is_found_where_it_is_and_nowhere_else(what: str) -> None:
    answers = shuffled.compare(_shifted(what, np.random.default_rng(3)), 0.01)
    found = {name for name, one in answers.columns.items() if one.adjusted <= 0.01}
    name = "city" if what == "cells" else "height"
    assert found == {name}
    assert answers.columns[name].by in (what, "cell")


def test_another_shape_with_the_same_middle_is_found() -> None:
    answers = shuffled.compare(_shifted("shape", np.random.default_rng(3)), 0.01)
    assert answers.columns["height"].adjusted <= 0.01


def test_columns_that_go_together_otherwise_are_found_though_each_is_as_it_was() -> None:
    random = np.random.default_rng(5)
    a, b = random.normal(size=(2, 1500)), random.normal(size=(2, 1500))
    columns = [Column("a", a[0], a[1]), Column("b", b[0], 0.5 * a[1] + np.sqrt(0.75) * b[1])]
    answers = shuffled.compare(columns, 0.01)
    assert answers.together is not None
    assert (answers.pair, answers.together.adjusted <= 0.01) == (("a", "b"), True)
    assert all(one.adjusted > 0.01 for one in answers.columns.values())


def test_the_same_samples_and_seed_give_the_same_answer() -> None:
    columns = _table(np.random.default_rng(1))
    assert shuffled.compare(columns, 0.01, 4) == shuffled.compare(columns, 0.01, 4)


def test_samples_larger_than_what_is_shuffled_are_judged_by_all_of_their_rows() -> None:
    """A shift of a twentieth of a deviation needs more rows than are shuffled."""
    random = np.random.default_rng(2)
    rows = 30_000
    same = Column("same", random.normal(size=rows), random.normal(size=rows))
    moved = Column("moved", random.normal(size=rows), random.normal(size=rows) + 0.05)
    assert 2 * rows > shuffled.ROWS
    answers = shuffled.compare([same, moved], 0.01)
    assert (answers.columns["same"].adjusted > 0.01, answers.columns["moved"].adjusted <= 0.01) == (
        True,
        True,
    )


@pytest.mark.parametrize("sizes", [(5, 5), (5, 9000), (9000, 5), (9000, 9000)])
def test_columns_without_a_value_or_with_one_alone_are_nothing_to_tell(sizes: tuple[int, int]) -> None:
    n, m = sizes
    columns = [
        Column("empty", np.full(n, np.nan), np.full(m, np.nan)),
        Column("constant", np.ones(n), np.ones(m)),
        Column("nothing", np.full(n, -1, np.int32), np.full(m, -1, np.int32)),
        Column("one", np.zeros(n, np.int32), np.zeros(m, np.int32)),
        Column("endless", np.full(n, np.inf), np.full(m, np.inf)),
    ]
    answers = shuffled.compare(columns, 0.01)
    assert {one.adjusted for one in answers.columns.values()} == {1.0}


def test_a_rate_that_is_rarer_takes_more_shuffles() -> None:
    columns = _table(np.random.default_rng(1), 40)
    assert [shuffled.compare(columns, alpha).shuffles for alpha in (0.05, 0.002)] == [999, 4999]


def _with_sparse(random: np.random.Generator, shift: float) -> list[Column]:
    """A shifted column beside thirty that are all but constant, as pixels at the edge of pictures are."""
    sparse = [
        Column(f"edge_{number}", *(np.where(random.random(500) < 0.004, 1.0, 0.0) for _side in range(2)))
        for number in range(30)
    ]
    return [Column("moved", random.normal(size=500), random.normal(shift, size=500)), *sparse]


def test_the_luck_of_columns_that_are_all_but_constant_does_not_hide_a_shift() -> None:
    answers = shuffled.compare(_with_sparse(np.random.default_rng(3), 0.35), 0.05)
    assert [name for name, one in answers.columns.items() if one.adjusted <= 0.05] == ["moved"]


def test_columns_that_are_all_but_constant_have_no_say_in_correlations() -> None:
    answers = shuffled.compare(_with_sparse(np.random.default_rng(3), 0.0)[1:], 0.05)
    assert answers.together is None
