"""A file of rows into a file of answers."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from git_mlops.cli.run import run
from git_mlops.errors import MlopsError
from git_mlops.executors import dask
from git_mlops.git.repo import Repo
from git_mlops.serve import cluster, columns, predict, source
from git_mlops.serve.columns import ContractError
from git_mlops.serve.loaded import Loaded, ModelError, load
from git_mlops.serve.predict import Request
from git_mlops.serve.source import Asked
from tests.serve.conftest import estimator, expected, rows


@pytest.fixture
def loaded(project: Repo) -> Loaded:
    return load(source.find(project, "churn@v1.0.0", Asked()))


def test_the_command_scores_a_file(
    project: Repo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.DataFrame(rows(50)).assign(id=range(50)).to_csv(project.root / "in.csv", index=False)
    monkeypatch.chdir(project.root)
    words = ["model", "predict", "churn@v1.0.0", "--in", "in.csv", "--out", "out.csv"]
    assert run([*words, "--keep", "id", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["data"] == {
        "model": "churn", "version": "v1.0.0", "rows": 50, "columns": ["id", "prediction"],
    }  # fmt: skip
    assert said.err == "churn v1.0.0: 50 rows scored into `out.csv`\n"
    answers = pl.read_csv(project.root / "out.csv")
    assert answers.to_dict(as_series=False) == {"id": [*range(50)], "prediction": expected(rows(50))}


@pytest.mark.parametrize("name", ["in.parquet", "in.csv", "in.jsonl", "in.arrow"])
def test_every_form_gives_the_same_answers_in_batches(loaded: Loaded, tmp_path: Path, name: str) -> None:
    frame = pl.DataFrame(rows(1003)).select("visits", "income", "age")
    file = tmp_path / name
    write = {"parquet": "write_parquet", "csv": "write_csv", "jsonl": "write_ndjson", "arrow": "write_ipc"}
    getattr(frame, write[name.partition(".")[2]])(file)
    done = predict.predict(loaded, Request(file, tmp_path / "out.parquet", batch=100))
    assert done == (1003, ("prediction",))
    assert pl.read_parquet(tmp_path / "out.parquet")["prediction"].to_list() == expected(rows(1003))


def test_nothing_is_written_where_rows_do_not_fit(loaded: Loaded, tmp_path: Path) -> None:
    (tmp_path / "out.parquet").write_text("before")
    bad = rows(300)
    bad["age"][250] = None
    pl.DataFrame(bad).write_parquet(tmp_path / "in.parquet")
    with pytest.raises(ContractError, match=r"`age` is null, and must not be \(row 251: null\)") as error:
        predict.predict(loaded, Request(tmp_path / "in.parquet", tmp_path / "out.parquet", batch=100))
    assert error.value.exit_code == 1
    assert (tmp_path / "out.parquet").read_text() == "before"
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == ["in.parquet", "out.parquet"]


def test_names_are_judged_before_any_row_is_read(loaded: Loaded, tmp_path: Path) -> None:
    pl.DataFrame({"Age": [1.0], "visits": [1], "id": [7]}).write_csv(tmp_path / "in.csv")
    with pytest.raises(ContractError) as error:
        predict.predict(loaded, Request(tmp_path / "in.csv", tmp_path / "out.csv"))
    assert str(error.value) == (
        "the column `age` is missing; is it `Age`?; the model takes no column `Age`;"
        " the model takes no column `id`"
    )


def test_many_columns_too_many_are_one_sentence(loaded: Loaded, tmp_path: Path) -> None:
    pl.DataFrame({**rows(2), **{f"c{n}": [n, n] for n in range(30)}}).write_csv(tmp_path / "in.csv")
    with pytest.raises(ContractError) as error:
        predict.predict(loaded, Request(tmp_path / "in.csv", tmp_path / "out.csv"))
    assert str(error.value) == "the model takes none of 30 columns: `c0`, `c1`, `c2`, `c3`, `c4` …"
    assert (error.value.hint or "").startswith("`--extra ignore`")
    assert len(error.value.problems) == 20


def test_kept_whole_numbers_of_a_csv_are_numbers(loaded: Loaded, tmp_path: Path) -> None:
    kept = {"id": ["7", "-12"], "zip": ["01234", "99999"], "part": ["1.5", "2"], "gap": ["3", ""]}
    pl.DataFrame({**rows(2), **kept}).write_csv(tmp_path / "in.csv")
    request = Request(tmp_path / "in.csv", tmp_path / "out.parquet", keep=tuple(kept))
    predict.predict(loaded, request)
    found = pl.read_parquet(tmp_path / "out.parquet").select(list(kept)).to_dict(as_series=False)
    assert found == {"id": [7, -12], "zip": kept["zip"], "part": kept["part"], "gap": [3, None]}


@pytest.mark.parametrize(
    ("source_", "target", "said"),
    [
        ("in.txt", "out.csv", "is no table that can be scored"),
        ("none.csv", "out.csv", "no such file"),
        ("in.csv", "out.json", "cannot be written"),
        ("in.csv", "nowhere/out.csv", "is no place for a file"),
        ("in.parquet", "out.csv", "cannot be read"),
        ("empty.csv", "out.csv", "the column `age` is missing"),
        ("header.csv", "out.csv", "has no rows"),
    ],
)
def test_files_that_will_not_do_are_named(
    loaded: Loaded, tmp_path: Path, source_: str, target: str, said: str
) -> None:
    (tmp_path / "in.txt").touch()
    (tmp_path / "empty.csv").touch()
    (tmp_path / "in.csv").write_text("age,visits\n1,1\n")
    (tmp_path / "header.csv").write_text("age,visits\n")
    (tmp_path / "in.parquet").write_text("no parquet")
    with pytest.raises(MlopsError, match=said):
        predict.predict(loaded, Request(tmp_path / source_, tmp_path / target))


def test_a_model_that_fails_is_said_and_nothing_is_written(loaded: Loaded, tmp_path: Path) -> None:
    class Bad:
        features: tuple[str, ...] = ()
        params: frozenset[str] = frozenset()

        def predict(self, rows: Any, params: Any = None) -> Any:
            raise ValueError("it is tired\nmore")

    pl.DataFrame(rows(3)).write_parquet(tmp_path / "in.parquet")
    with pytest.raises(ModelError, match=r"^the model failed: ValueError: it is tired$"):
        predict.predict(
            loaded._replace(model=Bad()), Request(tmp_path / "in.parquet", tmp_path / "out.parquet")
        )
    assert not (tmp_path / "out.parquet").exists()


def test_a_worker_scores_what_it_is_sent(loaded: Loaded) -> None:
    table = pl.DataFrame(rows(7)).to_arrow()
    fitting = columns.table(loaded.takes, table, "refuse")
    path = loaded.source.path
    answer = cluster.score(cluster._packed(path), path.name, loaded.takes, cluster._text(fitting))
    assert cluster._table(answer).to_pydict() == {"prediction": expected(rows(7))}


@pytest.mark.slow
def test_a_cluster_gives_the_same_answers_in_their_order(loaded: Loaded, tmp_path: Path) -> None:
    frame = pl.DataFrame(rows(1003)).with_columns(id=pl.int_range(1003))
    frame.write_parquet(tmp_path / "in.parquet")
    request = Request(tmp_path / "in.parquet", tmp_path / "out.parquet", keep=("id",), batch=20)
    with dask.session(None) as session:
        done = predict.predict(loaded, request, partial(cluster.scored, session))
    found = pl.read_parquet(tmp_path / "out.parquet").to_dict(as_series=False)
    assert done == (1003, ("id", "prediction"))
    assert found == {"id": [*range(1003)], "prediction": expected(rows(1003))}


@pytest.mark.slow
def test_models_of_mlflow_and_of_skops_are_loaded(tmp_path: Path) -> None:
    from skops import io

    folder = tmp_path / "m"
    folder.mkdir()
    io.dump(estimator(), folder / "model.skops")
    (folder / "MLmodel").write_text(
        "flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n    model_path: model.skops\n"
        "    predict_fn: predict\n    python_version: 3.11.0\n  sklearn:\n    pickled_model: model.skops\n"
        "    serialization_format: skops\n    sklearn_version: '1.4'\n"
        "    skops_trusted_types: [sklearn.tree._tree.Tree]\n"
        'signature:\n  inputs: \'[{"type": "double", "name": "age", "required": true},'
        ' {"type": "long", "name": "visits", "required": true}, {"type": "double", "name": "income",'
        ' "required": false}]\'\n  outputs: \'[{"type": "long", "name": "x"}]\'\n  params: null\n'
    )
    pl.DataFrame(rows(20)).write_parquet(tmp_path / "in.parquet")
    for path in (folder, folder / "model.skops"):
        found = load(source.find(None, str(path), Asked(trust=True)))
        assert [column.name for column in found.takes.columns] == ["age", "visits", "income"]
        predict.predict(found, Request(tmp_path / "in.parquet", tmp_path / "out.parquet"))
        assert pl.read_parquet(tmp_path / "out.parquet").to_series().to_list() == expected(rows(20))
