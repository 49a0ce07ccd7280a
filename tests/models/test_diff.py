"""Two versions compared."""

from git_mlops.git.repo import Repo
from git_mlops.models import diff
from git_mlops.models.diff import Change
from tests.experiments.conftest import commit
from tests.models.conftest import CONTEXT, ML_MODEL, MODEL, files, registered, saved


def test_what_differs_between_two_versions_is_said(project: Repo) -> None:
    saved(project, "one")
    registered(project, of="one")
    other = files(0.95, "3" * 32) | {
        "model/MLmodel": ML_MODEL.replace("city", "town"),
        "schemas/data.yaml": "schema_type: dataframe\ncoerce: true\n",
        "train.py": "print(2)\n",
    }
    commit(project, other)
    registered(project)
    found = diff.difference(project, "m@v0.1.0", "0.1.1", CONTEXT)
    old, new = (one.facts["contract"] for one in (found.a, found.b))
    assert isinstance(old, dict)
    assert isinstance(new, dict)
    schemas = [project.text("rev-parse", f"{rev}:schemas/data.yaml") for rev in ("HEAD^", "HEAD")]
    assert found.changes == (
        Change("object", "", MODEL, "3" * 32),
        Change("contract", "", old["hash"], new["hash"]),
        Change("features", "", ["age", "city"], ["age", "town"]),
        Change("python", "", found.a.facts["environment"]["python"], None),  # type: ignore[index]
        Change("schema", "schemas/data.yaml", *schemas),
    )
    assert [(m.name, m.old, m.new, m.better) for m in found.rest.metrics] == [
        ("auc", 0.9, 0.95, True), ("loss", 0.1, 0.05, True),
    ]  # fmt: skip
    assert [(p.name, p.old, p.new) for p in found.rest.params] == [("lr", 0.1, 0.05)]
    assert "train.py" in [change.path for change in found.rest.code]
    assert found.rest.environment == ()


def test_a_version_and_itself_do_not_differ(project: Repo) -> None:
    registered(project)
    found = diff.difference(project, "m", "m", CONTEXT)
    assert (found.changes, found.rest.code, found.rest.a) == ((), (), "m v0.1.0")
