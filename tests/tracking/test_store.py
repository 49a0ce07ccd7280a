"""What MLflow's own client records into refs, and reads from them."""

import json
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from git_mlops.git.repo import Repo, discover
from tests.conftest import Run
from tests.tracking.conftest import Client


def experiments(repo: Repo) -> list[str]:
    return repo.text("for-each-ref", "--format=%(refname:lstrip=4)", "refs/exps/").splitlines()


def record(repo: Repo, name: str) -> Any:
    ref = repo.text("for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{name}")
    return json.loads(repo.text("show", f"{ref}:.mlops/run/record.json"))


def trained(client: Any, name: str = "first", group: str = "0") -> str:
    """A run that has ended."""
    from mlflow.entities import Metric, Param, RunTag

    run_id = client.create_run(group, run_name=name, start_time=1000).info.run_id
    metrics = [Metric("loss", 1 / (step + 1), 2000 + step, step) for step in range(3)]
    odd = [Metric("odd:name", math.nan, 2000, 0), Metric("odd:name", math.inf, 2001, 1)]
    params = [Param("lr", "0.10"), Param("depth", "3")]
    client.log_batch(run_id, [*metrics, *odd], params, [RunTag("who", "Ada")])
    client.set_terminated(run_id, end_time=5000)
    return str(run_id)


def test_a_run_becomes_one_experiment(repo: Repo, client: Client) -> None:
    (repo.root / "train.py").write_text("dirty\n")
    run_id = trained(client(repo))
    ref = repo.text("for-each-ref", "--format=%(refname)", "refs/exps/")
    said = record(repo, "first")
    assert experiments(repo) == ["first"]
    assert repo.text("show", f"{ref}:train.py") == "dirty"
    assert repo.text("show", f"{ref}:.mlops/run/plots/loss.tsv").splitlines()[1:] == [
        "0\t2000\t1.0",
        "1\t2001\t0.5",
        "2\t2002\t0.3333333333333333",
    ]
    assert repo.text("show", f"{ref}:.mlops/run/params.yaml") == 'lr: "0.10"\ndepth: 3'
    assert json.loads(repo.text("show", f"{ref}:.mlops/run/metrics.json")) == {
        "loss": 1 / 3,
        "odd:name": "inf",
    }
    assert (said["name"], said["status"], said["how"]) == ("first", "finished", "mlflow")
    assert said["mlflow"]["run_id"] == run_id
    assert said["mlflow"]["files"] == {"odd:name": "odd_name"}


def test_what_was_recorded_is_read_by_a_new_process(repo: Repo, client: Client, mlflow: Any) -> None:
    run_id = trained(client(repo))
    forget()
    again = client(repo).get_run(run_id)
    history = client(repo).get_metric_history(run_id, "loss")
    assert again.data.params == {"lr": "0.10", "depth": "3"}
    assert again.data.metrics == {"loss": 1 / 3, "odd:name": math.inf}
    assert again.data.tags["who"] == "Ada"
    assert (again.info.status, again.info.start_time, again.info.end_time) == ("FINISHED", 1000, 5000)
    assert [(m.step, m.timestamp, m.value) for m in history] == [
        (0, 2000, 1.0),
        (1, 2001, 0.5),
        (2, 2002, 1 / 3),
    ]
    assert math.isnan(client(repo).get_metric_history(run_id, "odd:name")[0].value)


def forget() -> None:
    """As if this process had just started."""
    from mlflow.tracking._model_registry import utils as models
    from mlflow.tracking._tracking_service import utils

    from git_mlops import plugin

    plugin._recorders.clear()
    utils._tracking_store_registry._get_store_with_resolved_uri.cache_clear()
    models._get_store_registry()._get_store_with_resolved_uri.cache_clear()


def test_runs_are_found_by_what_they_are(repo: Repo, client: Client) -> None:
    one = client(repo)
    group = one.create_experiment("iris", tags={"team": "a"})
    for name in ("a", "b", "c"):
        trained(one, name, group)
    other = trained(one, "d")
    page = one.search_runs([group], "params.depth = '3' and metrics.loss < 0.5", order_by=["run_name DESC"])
    first = one.search_runs([group], max_results=2)
    rest = one.search_runs([group], max_results=2, page_token=first.token)
    assert [run.info.run_name for run in page] == ["c", "b", "a"]
    assert (len(first), len(rest), rest.token) == (2, 1, None)
    assert [run.info.run_id for run in one.search_runs(["0"])] == [other]
    assert [e.name for e in one.search_experiments(filter_string="tags.team = 'a'")] == ["iris"]
    assert [e.name for e in one.search_experiments(order_by=["name"])] == ["Default", "iris"]


def test_a_later_edit_is_the_next_commit(repo: Repo, client: Client) -> None:
    one = client(repo)
    run_id = trained(one)
    ref = repo.text("for-each-ref", "--format=%(refname)", "refs/exps/")
    before = repo.text("rev-parse", ref)
    one.set_tag(run_id, "reviewed", "yes")
    settle(repo)
    forget()
    assert repo.text("rev-parse", f"{ref}@{{1}}") == before
    assert record(repo, "first")["mlflow"]["tags"]["reviewed"] == "yes"
    assert client(repo).get_run(run_id).data.tags["reviewed"] == "yes"
    assert len(client(repo).get_metric_history(run_id, "loss")) == 3


def settle(repo: Repo) -> None:
    """What the end of a process does."""
    from git_mlops import plugin

    plugin._recorders[str(repo.root)].settle()


def test_a_run_goes_on_when_it_is_opened_again(repo: Repo, client: Client) -> None:
    one = client(repo)
    run_id = trained(one)
    one.update_run(run_id, status="RUNNING")
    one.log_metric(run_id, "loss", 0.1, timestamp=3000, step=3)
    running = one.get_run(run_id).info.status
    one.set_terminated(run_id, "FAILED")
    settle(repo)
    forget()
    assert running == "RUNNING"
    assert [m.value for m in client(repo).get_metric_history(run_id, "loss")] == [1.0, 0.5, 1 / 3, 0.1]
    assert (experiments(repo), record(repo, "first")["status"]) == (["first"], "failed")


def test_a_deleted_run_is_still_there_to_be_restored(repo: Repo, client: Client) -> None:
    one = client(repo)
    run_id = trained(one)
    one.delete_run(run_id)
    gone = one.search_runs(["0"])
    settle(repo)
    forget()
    deleted = client(repo).search_runs(["0"], run_view_type=2)
    client(repo).restore_run(run_id)
    assert (len(gone), [run.info.run_id for run in deleted]) == (0, [run_id])
    assert [run.info.run_id for run in client(repo).search_runs(["0"])] == [run_id]


def test_mlflows_errors_keep_their_words(repo: Repo, client: Client, mlflow: Any) -> None:
    one = client(repo)
    run_id = trained(one)
    one.create_experiment("taken")
    calls = {
        "Run with id=nope not found": lambda: one.get_run("nope"),
        "No Experiment with id=77 exists": lambda: one.get_experiment("77"),
        "Experiment(name=taken) already exists": lambda: one.create_experiment("taken"),
        "Changing param values is not allowed": lambda: one.log_param(run_id, "lr", "9"),
        "must be in the 'active' state": lambda: (one.delete_run(run_id), one.set_tag(run_id, "a", "b")),
        "No tag with name: none": lambda: (one.restore_run(run_id), one.delete_tag(run_id, "none")),
    }
    for text, call in calls.items():
        with pytest.raises(mlflow.exceptions.MlflowException) as caught:
            call()  # type: ignore[no-untyped-call]
        assert text in str(caught.value)


def test_a_repository_without_a_commit_is_said(tmp_path: Path, client: Client, run: Run, mlflow: Any) -> None:
    run("git", "init", "-q", tmp_path / "new", cwd=tmp_path)
    with pytest.raises(mlflow.exceptions.MlflowException, match=r"make a first commit"):
        client(discover(tmp_path / "new")).create_run("0")


def test_what_others_recorded_are_runs(dvc_repo: Repo, client: Client, mlops: Run) -> None:
    (dvc_repo.root / "params.yaml").write_text("train: {lr: 0.1}\n")
    (dvc_repo.root / "metrics.json").write_text('{"auc": 0.93, "label": "good"}\n')
    mlops("exp", "save", "-n", "saved", "-m", "a note", cwd=dvc_repo.root)
    one = client(dvc_repo)
    (found,) = one.search_runs(["0"])
    one.set_tag(found.info.run_id, "seen", "yes")
    settle(dvc_repo)
    forget()
    again = client(dvc_repo).get_run(found.info.run_id)
    assert (found.info.run_name, found.data.metrics, found.data.params) == (
        "saved",
        {"auc": 0.93},
        {"train.lr": "0.1"},
    )
    assert (again.data.tags["seen"], again.data.metrics, again.data.tags["mlflow.note.content"]) == (
        "yes",
        {"auc": 0.93},
        "a note",
    )


def test_code_that_changes_the_directory_goes_on_in_the_same_repository(
    dvc_repo: Repo, mlflow: Any, run: Run, tmp_path: Path, monkeypatch: Any
) -> None:
    other = tmp_path / "other"
    run("git", "init", "-q", other, cwd=tmp_path)
    monkeypatch.chdir(dvc_repo.root)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "git-mlops:")
    with mlflow.start_run(run_name="moved") as active:
        for place in (tmp_path, other):
            monkeypatch.chdir(place)
            mlflow.log_metric("seen", 1)
            mlflow.log_text("hello", f"{place.name}.txt")
    assert [one.path for one in mlflow.MlflowClient().list_artifacts(active.info.run_id)] == sorted(
        [f"{tmp_path.name}.txt", "other.txt"]
    )
    assert not (other / ".git" / "mlops").exists()


@pytest.mark.slow
def test_artifacts_and_models_survive_a_clone(
    dvc_repo: Repo, mlflow: Any, mlops: Run, run: Run, tmp_path: Path, monkeypatch: Any
) -> None:
    from sklearn.linear_model import LogisticRegression

    monkeypatch.chdir(dvc_repo.root)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "git-mlops:")
    mlflow.set_experiment("iris")
    mlflow.set_experiment_tag("team", "a")
    with mlflow.start_run(run_name="fit") as active:
        mlflow.log_text("hello", "notes/a.txt")
        fitted = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
        model = mlflow.sklearn.log_model(fitted, name="clf", pip_requirements=[])
        mlflow.log_metric("auc", 1.0, model_id=model.model_id)
    run("git", "remote", "add", "origin", tmp_path / "origin.git", cwd=dvc_repo.root)
    run("git", "init", "-q", "--bare", tmp_path / "origin.git", cwd=tmp_path)
    run("git", "push", "-q", "origin", "HEAD", cwd=dvc_repo.root)
    mlops("exp", "push", "--all", cwd=dvc_repo.root)
    run("git", "clone", "-q", tmp_path / "origin.git", tmp_path / "clone", cwd=tmp_path)
    mlops("exp", "pull", "--all", cwd=tmp_path / "clone")
    shutil.rmtree(dvc_repo.root)
    forget()
    monkeypatch.chdir(tmp_path / "clone")
    there = mlflow.MlflowClient()
    (found,) = there.search_runs([there.get_experiment_by_name("iris").experiment_id])
    loaded = mlflow.sklearn.load_model(f"models:/{model.model_id}")
    assert found.info.run_id == active.info.run_id
    assert there.get_experiment_by_name("iris").tags == {"team": "a"}
    assert mlflow.artifacts.load_text(f"runs:/{found.info.run_id}/notes/a.txt") == "hello"
    assert loaded.predict([[1.0]]).tolist() == [1]
    assert [m.value for m in there.get_logged_model(model.model_id).metrics] == [1.0]


def test_experiments_of_two_clones_are_merged(repo: Repo, client: Client, run: Run, tmp_path: Path) -> None:
    from git_mlops.tracking import groups

    run("git", "clone", "-q", repo.root, tmp_path / "clone", cwd=tmp_path)
    there = discover(tmp_path / "clone")
    for place, name in ((repo, "mine"), (there, "theirs")):
        client(place).create_experiment("both")
        client(place).create_experiment(name)
    both = client(there).get_experiment_by_name("both").experiment_id
    client(there).set_experiment_tag(both, "newer", "yes")
    run("git", "fetch", "-q", there.root, "refs/mlops/mlflow/experiments:refs/theirs", cwd=repo.root)
    groups.absorb(repo, repo.text("rev-parse", "refs/theirs"))
    forget()
    found = {one.name: one for one in client(repo).search_experiments()}
    assert sorted(found) == ["Default", "both", "mine", "theirs"]
    assert (found["both"].experiment_id, found["both"].tags) == (both, {"newer": "yes"})


def test_threads_log_and_read_while_runs_are_sealed(repo: Repo, client: Client) -> None:
    from concurrent.futures import ThreadPoolExecutor

    one = client(repo)
    run_id = trained(one)

    def work(number: int) -> int:
        for step in range(30):
            one.log_metric(run_id, f"m{number}", step, step=step)
        own = trained(one, f"run-{number}")
        return len(one.search_runs(["0"])) and len(one.get_metric_history(own, "loss"))

    with ThreadPoolExecutor(6) as pool:
        lengths = list(pool.map(work, range(6)))
    settle(repo)
    forget()
    again = client(repo)
    assert lengths == [3] * 6
    assert [len(again.get_metric_history(run_id, f"m{number}")) for number in range(6)] == [30] * 6
    assert sorted(run.info.run_name for run in again.search_runs(["0"])) == sorted(
        ["first", *(f"run-{number}" for number in range(6))]
    )


def test_a_metric_of_a_model_that_another_run_logged_is_the_models_too(repo: Repo, client: Client) -> None:
    one = client(repo)
    model = one.create_logged_model("0", "tree", source_run_id="of-another-server")
    run = one.create_run("0").info.run_id
    one.log_metric(run, "auc", 0.9, model_id=model.model_id, dataset_name="d", dataset_digest="g")
    one.set_terminated(run)
    forget()
    (found,) = client(repo).search_logged_models(["0"], "metrics.auc > 0.5")
    (metric,) = found.metrics
    assert (found.source_run_id, metric.run_id, metric.dataset_name) == ("of-another-server", run, "d")


def test_where_artifacts_go_is_kept_as_mlflow_says_it(
    repo: Repo, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repo.root)
    one = client(repo)
    here = one.create_experiment("here", "some/where")
    there = one.create_experiment("there", "mysql+x://host/db/?driver=d#f")
    run = one.create_run(there)
    assert one.get_experiment(here).artifact_location == str(repo.root / "some/where")
    uri = f"mysql+x://host/db/{run.info.run_id}/artifacts?driver=d#f"
    assert run.info.artifact_uri == uri


def test_a_run_that_is_begun_again_is_not_ended_by_an_edit_that_waits(repo: Repo, client: Client) -> None:
    from git_mlops import plugin

    one = client(repo)
    run = one.create_run("0").info.run_id
    one.set_terminated(run, end_time=999)
    for number in range(3):
        one.set_tag(run, "seen", str(number))  # the last ones wait
    one.update_run(run, status="RUNNING")
    plugin._recorders[str(repo.root)].settle()
    found = one.get_run(run).info
    assert (found.status, found.end_time) == ("RUNNING", 999)


def test_histories_of_many_metrics_are_read_at_once(
    repo: Repo, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = client(repo)
    run = one.create_run("0").info.run_id
    for number in range(4):
        one.log_metric(run, f"m {number}", number / 2, 5, number)
    one.set_terminated(run)
    forget()
    there = client(repo)
    started: list[object] = []
    popen = subprocess.Popen

    def counted(*args: Any, **kwargs: Any) -> Any:
        started.append(args)
        return popen(*args, **kwargs)

    points = [
        [(p.value, p.timestamp, p.step) for p in there.get_metric_history(run, f"m {n}")] for n in (0, 1)
    ]
    monkeypatch.setattr(subprocess, "Popen", counted)
    points += [
        [(p.value, p.timestamp, p.step) for p in there.get_metric_history(run, f"m {n}")] for n in (2, 3)
    ]
    assert points == [[(n / 2, 5, n)] for n in range(4)]
    assert there.get_metric_history(run, "none") == []
    read = [words for words in started if "for-each-ref" not in str(words)]  # a seal just now is looked after
    assert read == []


def test_the_experiment_of_those_who_name_none_has_a_date(repo: Repo, client: Client) -> None:
    one = client(repo)
    empty = one.get_experiment("0").creation_time
    trained(one)
    assert (empty > 1000, one.get_experiment("0").creation_time) == (True, 1000)


def test_models_without_metrics_are_searched_beside_those_that_have_some(
    repo: Repo, mlflow: Any, client: Client
) -> None:
    api = client(repo)
    plain, measured = (api.create_logged_model("0", name) for name in ("plain", "measured"))
    run_ = api.create_run("0")
    api.log_metric(
        run_.info.run_id, "auc", 0.9, dataset_name="test", dataset_digest="1", model_id=measured.model_id
    )

    def search(**how: Any) -> list[tuple[str, bool]]:
        found = api.search_logged_models(["0"], **how)
        return [(one.name, one.metrics is None) for one in found]

    assert search(datasets=[{"dataset_name": "test"}]) == [("measured", False)]
    assert search(filter_string="metrics.auc > 0.5") == [("measured", False)]
    assert search(order_by=[{"field_name": "metrics.auc"}]) == [("measured", False), ("plain", True)]
    assert plain.metrics is None
