"""`exp list --where` on recorded experiments."""

import json

import pytest

from git_mlops.git.repo import Repo
from tests.conftest import Run


@pytest.fixture
def three(repo: Repo, mlops: Run) -> Repo:
    """Three experiments with other rates and results."""
    for name, rate, auc in (("slow", 0.01, 0.91), ("fast", 0.5, 0.93), ("wild", 2.0, 0.6)):
        (repo.root / "params.yaml").write_text(f"lr: {rate}\n")
        (repo.root / "metrics.json").write_text(json.dumps({"auc": auc}))
        mlops("exp", "save", "-n", name, cwd=repo.root)
    return repo


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("metrics.auc > 0.9", ["fast", "slow"]),
        ("metrics.auc > 0.9 and params.lr < 0.1", ["slow"]),
        ("name ~ 'W' and status == 'finished'", ["slow", "wild"]),
        ("auc > 1", []),
    ],
)
def test_an_expression_chooses_experiments(
    three: Repo, mlops: Run, expression: str, names: list[str]
) -> None:
    done = mlops("exp", "list", "--where", expression, "--json", cwd=three.root)
    assert sorted(found["name"] for found in json.loads(done.stdout)["data"]) == names


def test_a_name_that_no_experiment_has_is_an_error(three: Repo, mlops: Run) -> None:
    done = mlops("exp", "list", "--where", "not metrics.acu > 1", cwd=three.root, status=2)
    assert done.stderr.splitlines() == [
        "error: no metric, parameter or other column `metrics.acu`", "hint: did you mean `metrics.auc`?"
    ]  # fmt: skip


def test_an_expression_that_cannot_be_read_points_at_the_place(repo: Repo, mlops: Run) -> None:
    done = mlops("exp", "list", "--where", "metrics.auc >", cwd=repo.root, status=2)
    assert done.stderr.splitlines()[0] == (
        "error: in `metrics.auc >` at character 14: expected a name, a number or a quoted text"
    )
