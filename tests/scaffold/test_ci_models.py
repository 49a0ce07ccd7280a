"""The pipelines that train models again and watch what is served: what starts them, with which secrets."""

import re

import pytest
import yaml

from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo
from git_mlops.scaffold.ci import drift, generate
from git_mlops.scaffold.ci_compile import compiled, watchers
from git_mlops.scaffold.ci_explain import jobs
from git_mlops.scaffold.ci_providers import PROVIDERS
from git_mlops.scaffold.settings import Monitor, Name, Settings, Train
from tests.scaffold.ci_cases import EVERYTHING, MODELS

TRAIN = Train(model=("churn",), schedule="0 3 * * 1", when=("data", "drift"))
MONITOR = Monitor(model=("churn#prod",), schedule="0 6 * * *")
BOTH = Settings(train=TRAIN, monitor=MONITOR)


def of(name: Name, settings: Settings, what: str) -> str:
    """The text of the provider's file that trains or watches."""
    files = PROVIDERS[name].own
    file = next((one for one in files if one.asked_by == what), files[0])
    return compiled(name, settings, file)


@pytest.mark.parametrize("name", ["github", "gitea"])
def test_a_workflow_starts_on_its_schedule_and_on_new_data(name: Name) -> None:
    train, monitor = (yaml.safe_load(of(name, BOTH, what)) for what in ("train", "monitor"))
    assert train[True] == {
        "schedule": [{"cron": "0 3 * * 1"}],
        "push": {"branches": ["main"], "paths": ["**/*.dvc"]},
        "workflow_dispatch": None,
    }
    assert monitor[True] == {"schedule": [{"cron": "0 6 * * *"}], "workflow_dispatch": None}
    assert monitor["jobs"]["retrain"]["needs"] == "monitor"
    groups = {one["jobs"]["retrain"]["concurrency"]["group"] for one in (train, monitor)}
    assert groups == {"mlops-retrain"}


@pytest.mark.parametrize("name", ["github", "gitea"])
def test_a_workflow_does_not_run_in_forks(name: Name) -> None:
    for what in ("train", "monitor"):
        for job in yaml.safe_load(of(name, BOTH, what))["jobs"].values():
            assert job["if"] in (
                "${{ !github.event.repository.fork }}",
                "${{ !cancelled() && needs.monitor.outputs.drift == 'yes' }}",
            )


def test_only_the_last_step_is_given_secrets() -> None:
    """Of the case with everything: what the data needs, alerts, and a token of its own."""
    found = {}
    for what in ("train", "monitor"):
        for name, job in yaml.safe_load(of("github", EVERYTHING, what))["jobs"].items():
            found[what, name] = {
                step["name"]: re.findall(r"secrets\.(\w+)", str(step["env"]))
                for step in job["steps"]
                if "secrets." in str(step.get("env"))
            }
            assert "secrets." not in str(job.get("env"))
    data = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    retrain = {"Train, compare, propose": ["RETRAIN_TOKEN", *data]}
    assert found == {
        ("train", "retrain"): retrain,
        ("monitor", "monitor"): {"Watch what is served": [*data, "SLACK_WEBHOOK"]},
        ("monitor", "retrain"): retrain,
    }


def test_gitlab_starts_them_by_the_variable_of_a_schedule_alone() -> None:
    found = yaml.safe_load(compiled("gitlab", BOTH))
    assert found[".mlops"]["rules"][0] == {"if": "$MLOPS_SCHEDULE", "when": "never"}
    rules = {one["variables"]["MLOPS_BECAUSE"]: one["if"] for one in found["mlops-retrain"]["rules"]}
    assert rules == {
        "schedule": '$MLOPS_SCHEDULE == "train" && $CI_COMMIT_BRANCH == "main"',
        "drift": '$MLOPS_SCHEDULE == "monitor" && $CI_COMMIT_BRANCH == "main"',
        "new-data": '$CI_PIPELINE_SOURCE == "push" && $GITLAB_TOKEN && $CI_COMMIT_BRANCH == "main"',
    }
    assert found["mlops-retrain"]["resource_group"] == "mlops-retrain"


def test_azure_tells_its_schedules_by_their_names() -> None:
    found = yaml.safe_load(compiled("azure", BOTH))
    assert {one["displayName"]: one["cron"] for one in found["schedules"]} == {
        "mlops-train": "0 3 * * 1", "mlops-monitor": "0 6 * * *"
    }  # fmt: skip
    conditions = {job["job"]: job["condition"] for job in found["jobs"]}
    assert "ne(variables['Build.Reason'], 'Schedule')" in conditions["check"]
    assert conditions["monitor"] == "eq(variables['Build.CronSchedule.DisplayName'], 'mlops-monitor')"
    assert "watch.drift" in conditions["retrain_drifted"]


def test_circleci_checks_nothing_when_a_schedule_starts_it() -> None:
    found = yaml.safe_load(compiled("circleci", BOTH))["workflows"]
    unscheduled = {"not": {"equal": ["scheduled_pipeline", "<< pipeline.trigger_source >>"]}}
    assert (found["mlops"]["when"], found["mlops-data"]["when"]) == (unscheduled, unscheduled)
    (job,) = found["mlops-train"]["jobs"]
    assert job["retrain"]["filters"] == {"branches": {"only": "main"}}
    assert "when" not in yaml.safe_load(compiled("circleci", Settings()))["workflows"]["mlops"]


def test_jenkins_has_a_job_for_each_with_its_cron() -> None:
    crons = [re.findall(r"cron\('(.*)'\)", of("jenkins", BOTH, what)) for what in ("train", "monitor")]
    assert crons == [[r"TZ=UTC\n0 3 * * 1"], [r"TZ=UTC\n0 6 * * *"]]
    assert "cron" not in compiled("jenkins", BOTH)


def test_without_a_reason_nothing_starts_by_itself() -> None:
    settings = Settings(train=Train(model=("churn",)))
    assert yaml.safe_load(of("github", settings, "train"))[True] == {"workflow_dispatch": None}
    assert "retrain" not in compiled("azure", settings)
    (found,) = [job for job in jobs("azure", settings) if job.job == "retrain"]
    assert found.when == "never: it has no schedule"


def test_who_watches_what_is_trained() -> None:
    assert watchers(EVERYTHING) == {"churn#prod": [1]}
    assert watchers(MODELS) == {}


@pytest.mark.parametrize("name", PROVIDERS)
def test_explained_with_what_a_person_has_to_do(name: Name) -> None:
    found = {job.job: job for job in jobs(name, BOTH)}
    assert {"retrain", "monitor"} < found.keys()
    asked = name in ("gitlab", "bitbucket", "circleci", "jenkins", "sh")
    assert bool(found["retrain"].todo) == asked
    assert "drift" in found["retrain"].when


@pytest.mark.parametrize("what", ["train", "monitor"])
@pytest.mark.parametrize("name", ["github", "jenkins", "gitea"])
def test_a_block_of_the_users_survives_in_their_files(repo: Repo, name: Name, what: str) -> None:
    generate(repo, name, BOTH)
    (path,) = [repo.root / file.path for file in PROVIDERS[name].own if file.asked_by == what]
    mark = re.compile(r"^([ \t]*)(#|//) >>> yours: .*\n", re.MULTILINE)
    kept = mark.sub(lambda found: f"{found[0]}{found[1]}{found[2]} mine\n", path.read_text())
    path.write_text(kept)
    assert (drift(repo, name, BOTH), generate(repo, name, BOTH)) == ([], ())
    generate(repo, name, BOTH._replace(python=("3.13",), runner=("gpu",)))
    assert (path.read_text().count(" mine\n"), path.read_text() == kept) == (kept.count(" mine\n"), False)


@pytest.mark.parametrize("name", PROVIDERS)
def test_they_go_when_mlops_yaml_asks_for_them_no_more(repo: Repo, name: Name) -> None:
    generate(repo, name, BOTH)
    assert drift(repo, name, BOTH) == []
    assert drift(repo, name, Settings())
    generate(repo, name, Settings())
    left = [
        path.name
        for path in repo.root.rglob("*")
        if re.search("mlops-train|mlops-monitor|Jenkinsfile.", path.name)
    ]
    assert left == []


@pytest.mark.parametrize("cron", ["0 3 * * 1", "*/15 * * * *", "5 6-18/4 1,15 1-12 1-5", "0 0 * * 0"])
def test_a_schedule_that_all_read_alike_is_taken(cron: str) -> None:
    assert cron in of("github", Settings(train=TRAIN._replace(schedule=cron, when=())), "train")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        *[
            (Settings(train=TRAIN._replace(schedule=cron, when=())), r"`ci\.train\.schedule`: .* not a sched")
            for cron in (
                "@daily", "0 3 * *", "0 3 * * 7", "60 * * * *", "H 3 * * 1", "0 3 * * MON", "0 3 * * 5-1",
                "0 3 0 * *", "5/2 * * * *", "0 3 * * 1 'x", "", "*/0 * * * *",
            )
        ],
        (Settings(train=TRAIN), r"`ci\.train\.when`: drift is found by `ci\.monitor`"),
        (Settings(train=TRAIN, monitor=Monitor(model=("other",))), r"does not watch `churn`"),
        (Settings(train=Train(model=())), r"`ci\.train\.model`: an empty list"),
        (Settings(monitor=Monitor(model=("$(id)",))), r"`ci\.monitor\.model`: `\$\(id\)` is not a model"),
        (Settings(train=Train(model=("churn@v1.0.0",))), r"`ci\.train\.model`: .* names a version"),
        (Settings(train=Train(model=("churn",), token="A-B")), r"`ci\.train\.token`: `A-B` cannot be"),
        (Settings(monitor=Monitor(model=("churn",), secrets=("PATH",))), r"`ci\.monitor\.secrets`: `PATH`"),
        (Settings(train=Train(model=("churn",), timeout=0)), r"`ci\.train\.timeout`: 0 minutes"),
        (Settings(train=Train(model=("churn",), options=("${{ x }}",))), r"`ci\.train\.options`: the forge"),
        (Settings(monitor=Monitor(model=("churn",), bring="${{ x }}")), r"`ci\.monitor\.bring`: the forge"),
        (Settings(monitor=Monitor(model=("churn",), runner=("<< x >>",))), r"`ci\.monitor\.runner`"),
    ],
)  # fmt: skip
def test_what_no_pipeline_can_hold_is_refused(settings: Settings, message: str) -> None:
    with pytest.raises(MlopsError, match=message) as caught:
        compiled("github", settings)
    assert caught.value.exit_code == 2
