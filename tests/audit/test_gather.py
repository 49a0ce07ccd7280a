"""What is read from a repository: files of one revision, refs and tags of today."""

import json
import time

from git_mlops import config
from git_mlops.audit import compare, observed, run
from git_mlops.audit.facts import Table
from git_mlops.audit.gather import Reading, state
from git_mlops.audit.run import IDS, Audit, audit
from git_mlops.config import Config
from git_mlops.findings import Finding
from git_mlops.git import histories, objects, refs
from git_mlops.git.refs import Move
from git_mlops.git.repo import Repo, head
from git_mlops.lineage import taints
from git_mlops.monitor import history
from git_mlops.monitor.observed import Observation, Subject
from git_mlops.monitor.recording import record
from git_mlops.schema import subjects, verdicts
from git_mlops.schema.verdicts import Verdict

HOW = Reading(config.parse, Config())
SCHEMA = "schema_type: dataframe\ncolumns:\n  a: {dtype: int64}\nstrict: true\n"
FILES = {
    "mlops.yaml": "version: 1\nschemas: {data/a.csv: schemas/a.yaml}\n",
    "schemas/a.yaml": SCHEMA,
    "data/a.csv": "a\n1\n",
}


def commit(repo: Repo, files: dict[str, str]) -> str:
    for path, text in files.items():
        (repo.root / path).parent.mkdir(parents=True, exist_ok=True)
        (repo.root / path).write_text(text, encoding="utf-8")
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "files")
    found = head(repo)
    assert found
    return found


def tables(repo: Repo) -> list[Table]:
    return list(state(repo, head(repo), HOW, IDS, int(time.time())).tables)


def audited(repo: Repo) -> Audit:
    return audit(repo, "HEAD", head(repo), HOW, int(time.time()))


def known(repo: Repo, data: str, schema: str, outcome: str = "pass") -> None:
    """A verdict on this text under this schema."""
    about = subjects.subject(
        "git", objects.blob_id(repo, data.encode()), objects.blob_id(repo, schema.encode()), "csv"
    )
    findings = (Finding("schema", "error", "no"),) if outcome == "fail" else ()
    verdict = Verdict(
        about, "fail" if findings else "pass", findings, "2026-11-20T00:00:00+00:00", {"git-mlops": "1"}
    )
    verdicts.record(repo, [verdict])


def test_a_verdict_counts_for_exactly_its_data_and_schema(repo: Repo) -> None:
    commit(repo, FILES)
    known(repo, "a\n2\n", SCHEMA)
    known(repo, "a\n1\n", SCHEMA.replace("int64", "float64"))
    assert [one.outcome for one in tables(repo)] == [None]
    known(repo, "a\n1\n", SCHEMA)
    assert [(one.path, one.outcome, one.strict, one.problem) for one in tables(repo)] == [
        ("data/a.csv", "pass", True, None)
    ]


def test_a_failed_verdict_is_no_pass(repo: Repo) -> None:
    commit(repo, FILES)
    known(repo, "a\n1\n", SCHEMA, "fail")
    assert [one.outcome for one in tables(repo)] == ["fail"]


def test_a_schema_that_checks_nothing_is_said(repo: Repo) -> None:
    for text, problem in (
        ("schema_type: dataframe\ncolumns:\n  a: {nullable: true, required: false}\n", "it checks nothing"),
        (
            "schema_type: dataframe\ncolumns: {}\n",
            "schemas/a.yaml:1: checks nothing: no columns and no checks",
        ),
        ("a: [\n", None),
    ):
        commit(repo, {**FILES, "schemas/a.yaml": text})
        (one,) = tables(repo)
        assert one.problem
        assert problem in (None, one.problem)
    (repo.root / "schemas/a.yaml").unlink()
    commit(repo, {})
    assert [one.problem for one in tables(repo)] == ["it does not exist"]


def test_python_schemas_need_the_name_that_is_bound(repo: Repo) -> None:
    bound = {**FILES, "mlops.yaml": "version: 1\nschemas: {data/a.csv: 'checks.py:Rows'}\n"}
    commit(repo, {**bound, "checks.py": "class Rows: ...\n"})
    assert [one.problem for one in tables(repo)] == [None]
    commit(repo, {"checks.py": "class Other: ...\n"})
    assert [one.problem for one in tables(repo)] == ["it has no `Rows`"]


def test_settings_of_that_revision_hold_and_a_wrong_file_is_a_finding(repo: Repo) -> None:
    first = commit(repo, {"mlops.yaml": "version: 1\ngates: {auc: {min: 1}}\n"})
    commit(repo, {"mlops.yaml": "version: 1\ngats: {}\n"})
    assert state(repo, first, HOW, IDS, 0).settings.gates
    assert [one.rule for one in audited(repo).findings] == ["config-valid"]


def _verified(repo: Repo, name: str, said: dict[str, object]) -> None:
    (blob,) = objects.write_blobs(repo, [json.dumps(said).encode()])
    text, tree = objects.tree_text(repo, [objects.Entry("100644", blob, "verdict.json")])
    objects.write_trees(repo, [text])
    made = histories.commit(repo, tree, [], "verify\n")
    refs.move(repo, [Move(f"refs/mlops/verified/{name}", made, None)], "test")


def _experiment(repo: Repo, name: str) -> str:
    base = head(repo)
    assert base
    tree = repo.text("rev-parse", f"{base}^{{tree}}")
    made = histories.commit(repo, tree, [base], f"exp: {name}\n\nMlops-Status: finished\nMlops-Version: 1\n")
    refs.move(repo, [Move(f"refs/exps/{base[:2]}/{base[2:]}/{name}", made, None)], "test")
    return made


def test_a_verification_counts_for_the_experiment_that_it_names(repo: Repo) -> None:
    commit(repo, {"metrics.json": '{"auc": 1}', "dvc.yaml": "metrics: [metrics.json]\n"})
    said = {"kind": "verify", "outcome": "reproduced", "time": "2026-11-20T00:00:00Z"}
    one, other = _experiment(repo, "one"), _experiment(repo, "other")
    _verified(repo, "0" * 40, {**said, "commit": "0" * 40})  # of no experiment that is here
    _verified(repo, other, {**said, "commit": one})  # of another one than its ref says
    assert _points(audited(repo), "infra-1") == 0
    _verified(repo, one, {**said, "commit": one})
    assert _points(audited(repo), "infra-1") == 0.5


def _points(found: Audit, item: str) -> float:
    return next(one.points for one in found.items if one.id == item)


def test_what_is_tainted_does_not_count(repo: Repo) -> None:
    commit(repo, {"metrics.json": '{"slices": {"small": {"auc": 1}}}'})
    _experiment(repo, "one")
    assert _points(audited(repo), "model-6") == 0.5
    (ref,) = refs.list_refs(repo, "refs/exps/")
    taints.say(repo, f"experiment:{ref.name}", "one", "leaks", tainted=True)
    found = audited(repo)
    assert (_points(found, "model-6"), found.tainted) == (0, ("one",))


def test_two_revisions_differ_by_their_files_alone(repo: Repo) -> None:
    commit(repo, FILES)
    known(repo, "a\n1\n", SCHEMA)
    commit(repo, {"mlops.yaml": "version: 1\n"})
    ends = compare.ends(repo, "HEAD^..HEAD")
    tip, delta = compare.between(repo, ends, HOW, int(time.time()))
    # without its schema nothing looks at the table; the verdict is there today as it was then
    assert [(one.id, one.before, one.after) for one in delta.worse] == [
        ("data-1", 0.5, 0),
        ("data-4", 0.5, 0),
    ]
    assert tip.commit == ends.tip
    assert [one.rule for one in compare.findings(delta)] == ["audit", "audit"]
    assert [one.level for one in compare.findings(delta)] == ["error", "error"]


def test_a_repository_without_a_commit_scores_nothing(repo: Repo) -> None:
    found = audit(repo, "HEAD", None, HOW, int(time.time()))
    assert (found.score, sum(one.points for one in found.items), found.levels["google"].level) == (0, 0, 0)


def test_an_empty_commit_scores_nothing(repo: Repo) -> None:
    found = audited(repo)
    assert (sum(one.points for one in found.items), {one.points for one in found.principles}) == (0, {0})
    assert {one.level for one in found.levels.values()} == {0}


def test_what_the_monitor_recorded_is_read(repo: Repo) -> None:
    times = ("2026-11-19T05:00:00+00:00", "2026-11-20T05:00:00+00:00")
    for name in ("churn", "other"):
        for time_ in times:
            one = Observation(Subject(name, "v1.0.0"), time_, (), numbers={"model_age_seconds": 5.0})
            record(repo, one)
    found = observed.read(repo, ("churn",))
    assert [(one.model, one.version, [*one.kinds]) for one in found] == [
        ("churn", "v1.0.0", ["staleness"])
    ] * 2
    assert {one.ref for one in found} == {history.ref_of("churn")}
    assert found[0].time - found[1].time == 86400


def test_no_forge_runs_a_repository_without_a_remote(repo: Repo) -> None:
    commit(repo, {".github/workflows/ci.yml": "on: push\njobs: {a: {steps: [{run: pytest}]}}\n"})
    alone = state(repo, head(repo), HOW, IDS, 0).ci
    assert (alone.commands, [one.why for one in alone.doubts]) == (
        (), ["the repository has no remote: no forge runs it"]
    )  # fmt: skip
    repo.git("remote", "add", "origin", "https://example.com/a.git")
    assert [one.words for one in state(repo, head(repo), HOW, IDS, 0).ci.commands] == [("pytest",)]


def test_there_are_seven_questions_in_each_of_four_sections() -> None:
    assert [len(section.ITEMS) for section in run.CRITERIA.values()] == [7, 7, 7, 7]
    assert [name.partition("-")[0] for name in IDS] == [n for n in run.CRITERIA for _number in range(7)]


def test_every_piece_of_evidence_that_counts_says_where_it_is(repo: Repo) -> None:
    commit(repo, FILES)
    known(repo, "a\n1\n", SCHEMA)
    counted = [each for one in audited(repo).items for each in one.evidence if each.points]
    assert [each.where for each in counted] == ["data/a.csv", "schemas/a.yaml"]
