"""Documents of a version: a model card, a bill of materials, a provenance statement."""

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from git_mlops.git.repo import Repo
from git_mlops.lineage import taints
from git_mlops.models import bom, card, dossier, provenance
from git_mlops.models.dossier import Dossier
from git_mlops.models.settings import Settings
from tests.conftest import Run
from tests.experiments.conftest import commit, put
from tests.models.conftest import DATA, MODEL, promoted, registered, saved

METRICS = '{"auc": 0.9, "loss": 0.1, "slices": {"women": {"auc": 0.85}, "<b>": {"auc": 0.7}}}\n'
PROFILED = f"""outs:
- md5: '{DATA}'
  size: 5
  hash: md5
  path: a.csv
meta:
  mlops:
    version: 1
    of: '{DATA}'
    rows: 1569
    columns:
      age: {{type: int64, nulls: 0, distinct: 61, min: 17, max: 90, mean: 42.3}}
      city: {{type: string, nulls: 2, distinct: 14, top: {{Ghent: 120, Namur: 88}}}}
"""


@pytest.fixture
def one(project: Repo) -> Repo:
    """A version of a recorded experiment, in production."""
    commit(project, {"metrics.json": METRICS, "data/a.csv.dvc": PROFILED})
    saved(project, "quiet-otter")
    registered(project, of="quiet-otter")
    promoted(project, "m@v0.1.0", "prod", Settings())
    return project


def gathered(repo: Repo) -> Dossier:
    return dossier.gather(repo, "m")


def test_a_card_says_what_is_recorded(one: Repo) -> None:
    text = card.render(gathered(one))
    for said in (
        "# m v0.1.0\n", "| registered |", f"| hash | md5:{MODEL} |", "| stages | prod |", "| auc | 0.9 |",
        "| auc | women | 0.85 |", "| auc | &#60;b&#62; | 0.7 |", f"| data/a.csv | 1,569 | md5:{DATA} |",
        "| age | int64 | 0 | 61 | 17 to 90, mean 42.3 |",
        "| city | string | 2 | 14 | Ghent (120), Namur (88) |",
        "| input | age | double |", "git mlops exp verify quiet-otter",
    ):  # fmt: skip
        assert said in text


def test_a_card_has_parameters_and_packages(one: Repo) -> None:
    text = card.render(gathered(one))
    alone = card.render(gathered(one)._replace(packages={}, record=None))
    parameters = "## Parameters\n\n| parameter | value |\n| --- | --- |\n| lr | 0.1 |\n"
    assert parameters in text
    assert "| system | Linux " in text
    assert "| system | not recorded |" in alone
    assert " packages</summary>\n\n| package | version |\n" in text
    assert f"| pytest | {pytest.__version__} |" in text
    assert "The list of packages is of an experiment that is not in this clone." in alone


def test_parameters_of_a_card_are_those_of_the_run(project: Repo) -> None:
    put(project, {"params.yaml": "lr: 0.5\nname: a|b\nlayers: [1, 2]\nlast: true\n"})
    saved(project, "other")
    registered(project, of="other")
    text = card.render(gathered(project))
    rows = text.partition("## Parameters\n")[2].partition("\n## ")[0].strip().splitlines()[2:]
    assert rows == ["| lr | 0.5 |", "| name | a&#124;b |", "| layers | &#91;1, 2&#93; |", "| last | true |"]


def test_what_people_wrote_stays(one: Repo) -> None:
    first = card.render(gathered(one))
    prompt = "_Uses it was made for, and uses it must not be put to._"
    assert prompt in first
    mine = first.replace(prompt, "For triage.\n\nNot for billing.")
    mine = mine.replace("| auc | 0.9 |", "| auc | 1.0 |")
    mine += "<!-- yours: of-a-later-version -->\nkept\n<!-- end of yours -->\n"
    again = card.render(gathered(one), mine)
    assert "For triage.\n\nNot for billing.\n<!-- end of yours -->" in again
    assert "| auc | 0.9 |" in again
    assert "## Of a later version\n\n<!-- yours: of-a-later-version -->\nkept\n" in again
    assert card.render(gathered(one), again) == again


def test_a_card_of_a_tainted_model_says_so_first(one: Repo) -> None:
    taints.say(one, f"object:md5:{DATA}", "data/a.csv", "consent withdrawn", tainted=True)
    assert "> **Not to be used:** it came from `data/a.csv`: consent withdrawn" in card.render(gathered(one))


def test_a_bill_of_materials_is_valid_and_always_the_same(one: Repo) -> None:
    made = bom.document(gathered(one))
    text = json.dumps(made)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert json.dumps(bom.document(gathered(one))) == text
    component = made["metadata"]["component"]
    assert (component["version"], component["hashes"]) == ("v0.1.0", [{"alg": "MD5", "content": MODEL}])
    assert component["modelCard"]["modelParameters"]["inputs"] == [
        {"format": "age: double"},
        {"format": "city: string"},
    ]
    kinds = {each["type"] for each in made["components"]}
    assert kinds == {"data", "library"}
    assert any(each["purl"].startswith("pkg:pypi/pytest@") for each in made["components"] if "purl" in each)


def test_a_statement_names_what_it_was_made_from(one: Repo) -> None:
    made = provenance.statement(gathered(one))
    assert made["subject"] == [{"name": "model/m.joblib", "digest": {"md5": MODEL}}]
    definition = made["predicate"]["buildDefinition"]
    digests = [each["digest"] for each in definition["resolvedDependencies"] if "digest" in each]
    assert {"md5": DATA} in digests
    assert sum("gitCommit" in digest for digest in digests) == 2
    assert definition["externalParameters"]["command"] == "save"
    assert made["predicate"]["runDetails"]["metadata"].keys() >= {"invocationId", "finishedOn"}


def test_without_the_experiment_the_tag_is_enough(one: Repo) -> None:
    for ref in one.text("for-each-ref", "--format=%(refname)", "refs/exps").splitlines():
        one.git("update-ref", "-d", ref)
    found = gathered(one)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom.document(found))) is None
    assert "| experiment | quiet-otter |" in card.render(found)
    assert (
        provenance.statement(found)["predicate"]["buildDefinition"]["externalParameters"]["version"]
        == "v0.1.0"
    )


def test_a_version_that_gto_registered_has_documents_too(project: Repo) -> None:
    project.git("tag", "-a", "-m", "by gto", "other@v1.0.0")
    found = dossier.gather(project, "other")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom.document(found))) is None
    text = card.render(found)
    assert "| hash | not recorded |" in text
    assert "None is recorded." in text
    assert provenance.statement(found)["subject"][0]["name"] == "other"


def test_the_commands_write_whole_files(one: Repo, mlops: Run, tmp_path: Path) -> None:
    file = tmp_path / "CARD.md"
    mlops("model", "card", "m", "-o", str(file), cwd=one.root)
    file.write_text(file.read_text().replace("_Risks and harms that were considered", "Considered: none. _R"))
    mlops("model", "card", "m#prod", "-o", str(file), cwd=one.root)
    assert "Considered: none." in file.read_text()
    assert json.loads(mlops("model", "bom", "m", cwd=one.root).stdout)["bomFormat"] == "CycloneDX"
    assert json.loads(mlops("model", "provenance", "m", cwd=one.root).stdout)["subject"]
    file.write_bytes(b"\xff\xfe")
    assert "cannot read" in mlops("model", "card", "m", "-o", str(file), cwd=one.root, status=2).stderr
    assert file.read_bytes() == b"\xff\xfe"
