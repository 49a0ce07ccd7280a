from git_mlops.schema.bindings import folder_of, grouped, schema_for


def test_the_path_itself_wins_over_every_pattern() -> None:
    bindings = {"data/train.csv": "exact.yaml", "data/**/*.csv": "pattern.yaml"}
    assert schema_for("data/train.csv", bindings) == "exact.yaml"


def test_the_longest_matching_pattern_wins() -> None:
    bindings = {"*.csv": "any.yaml", "data/raw/*.csv": "raw.yaml", "data/**": "data.yaml"}
    assert schema_for("data/raw/a.csv", bindings) == "raw.yaml"


def test_of_equally_long_patterns_the_last_wins() -> None:
    assert schema_for("ab.csv", {"a*.csv": "first.yaml", "?b.csv": "last.yaml"}) == "last.yaml"


def test_what_nothing_matches_is_not_bound() -> None:
    assert schema_for("data/notes.txt", {"*.csv": "any.yaml"}) is None


def test_non_ascii_paths_are_matched() -> None:
    assert schema_for("dätä/größe 1.csv", {"dätä/*.csv": "ä.yaml"}) == "ä.yaml"


def test_a_file_is_a_part_of_the_deepest_directory_that_is_bound() -> None:
    bindings = {"data/": "a.yaml", "./data/raw": "b.yaml", "data/*.csv": "c.yaml", "x.db#t": "d.yaml"}
    paths = ("data/raw/a.csv", "data/a.csv", "data/rawer", "x.db", "a.csv")
    assert [folder_of(path, bindings) for path in paths] == ["data/raw", "data", "data", None, None]


def test_a_directory_is_one_table_but_for_what_is_bound_by_itself() -> None:
    bindings = {"data/t": "t.yaml", "data/t/b.csv": "b.yaml", "data/*.csv": "c.yaml"}
    found = grouped(
        ["data/t/a.csv", "data/t/b.csv", "data/t/in/c.csv", "data/d.csv"], bindings, {"data/t"}.__contains__
    )
    assert found == (
        {"data/t/b.csv": "b.yaml", "data/d.csv": "c.yaml"},
        {"data/t": ["a.csv", "in/c.csv"]},
        {"data/t": "t.yaml"},
    )
