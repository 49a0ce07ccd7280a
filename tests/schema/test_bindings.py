from git_mlops.schema.bindings import schema_for


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
