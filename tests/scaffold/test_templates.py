"""Every template with every choice: nothing unrendered, settings that are accepted, clean to linters."""

import itertools
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from git_mlops import config, resources
from git_mlops.errors import NotFoundError
from git_mlops.scaffold import copier, templates
from git_mlops.scaffold.ci_providers import PROVIDERS
from git_mlops.scaffold.new import create
from git_mlops.scaffold.templates import TEMPLATES
from tests.conftest import Run

Row = dict[str, str]
VARIANTS = {"tabular": ("task", ("classification", "regression")), "image": ("torch", ("false", "true"))}
KINDS = [
    f"{name}:{VARIANTS[name][0]}={value}" if name in VARIANTS else name
    for name in TEMPLATES
    for value in (VARIANTS[name][1] if name in VARIANTS else ("",))
]
FACTORS = {
    "kind": KINDS,
    "provider": [*PROVIDERS, "none"],
    "remote": ["local", "s3", "gs", "azure", "ssh"],
    "manager": ["pip", "uv", "conda"],
    "licence": ["proprietary", "MIT", "Apache-2.0", "BSD-3-Clause"],
}
MARKS = ("{{", "{%", "{#", "[[", "[%")


def pairwise(factors: dict[str, list[str]]) -> Iterator[Row]:
    """Rows in which every value of every factor meets every value of every other: greedy, always the same."""
    names, chance = list(factors), random.Random(1)
    left = {
        ((a, x), (b, y)) for a, b in itertools.combinations(names, 2) for x in factors[a] for y in factors[b]
    }
    while left:
        (a, x), (b, y) = min(left)
        row = {a: x, b: y}
        for name in names:
            if name not in row:
                gains = {value: _gain(row, name, value, left) for value in factors[name]}
                best = max(gains.values())
                row[name] = chance.choice([value for value, gain in gains.items() if gain == best])
        left -= set(itertools.combinations([(name, row[name]) for name in names], 2))
        yield row


def _gain(row: Row, name: str, value: str, left: set[tuple[tuple[str, str], tuple[str, str]]]) -> int:
    pairs = (((name, value), other) for other in row.items())
    return sum((one, two) in left or (two, one) in left for one, two in pairs)


def rendered(row: Row, target: Path) -> Path:
    """The project of a row, in a repository of its own."""
    name, _, given = row["kind"].partition(":")
    key, _, value = given.partition("=")
    answers = {key: value for key, value in row.items() if key != "kind"} | ({key: value} if key else {})
    return create(name, target, answers).root


def unrendered(top: Path) -> list[str]:
    """Files with something left of a template, or a line that ends in spaces."""
    found = []
    for path in sorted(top.rglob("*")):
        name = path.relative_to(top).as_posix()
        if path.is_dir() or name.startswith(".git/"):
            continue
        text = path.read_text(encoding="utf-8")
        marks = [] if _generated(text) else [mark for mark in MARKS if mark in text]
        spaces = [line for line in text.splitlines() if line != line.rstrip()]
        if marks or (spaces and name != "LICENSE") or not text.endswith("\n"):
            found.append(f"{name}: {marks} {spaces}")
    return found


def _generated(text: str) -> bool:
    """The pipelines have their own `${{ }}`; their tests look at them."""
    return "mlops-ci: 1 sha256:" in text[:2000]


def name_of(row: Row) -> str:
    return row["kind"].partition(":")[0]


def look(top: Path, row: Row) -> None:
    """What holds for every project."""
    assert unrendered(top) == [], row
    for path in [*top.rglob("*.yaml"), *top.rglob("*.yml")]:
        assert yaml.safe_load(path.read_bytes()), (row, path)
    settings = config.parse((top / "mlops.yaml").read_bytes())
    assert settings.ci.providers == (() if row["provider"] == "none" else (row["provider"],))
    assert all((top / schema).exists() for schema in settings.schemas.values())
    assert row["remote"] == "local" or f"[{row['remote']}]" in (top / "requirements.txt").read_text()
    trains, watches = name_of(row) != "llm-eval", name_of(row) not in ("llm-eval", "timeseries")
    assert (settings.ci.train is not None, settings.ci.monitor is not None) == (trains, watches)
    assert (settings.retrain.evaluate is not None) == trains
    assert (top / "environment.yml").exists() == (row["manager"] == "conda")


def sample() -> list[Row]:
    """Few rows that have each value at least once."""
    most = max(map(len, FACTORS.values()))
    return [{name: values[i % len(values)] for name, values in FACTORS.items()} for i in range(most)]


def test_every_template_folder_is_listed() -> None:
    folders = [path.name for path in resources.path("templates", "project").iterdir() if path.is_dir()]
    layers = {layer for template in TEMPLATES.values() for layer in template.layers}
    assert sorted(folders) == sorted([*TEMPLATES, *layers])


def test_pairwise_rows_have_every_pair() -> None:
    rows = list(pairwise(FACTORS))
    for a, b in itertools.combinations(FACTORS, 2):
        assert {(row[a], row[b]) for row in rows} == set(itertools.product(FACTORS[a], FACTORS[b]))


@pytest.mark.slow
def test_every_template_and_every_choice_renders_clean(tmp_path: Path, run: Run) -> None:
    for number, row in enumerate(sample()):
        look(rendered(row, tmp_path / f"p{number}"), row)
    run("ruff", "check", "--isolated", "--line-length=110", "--select=E,F,I,W,B,UP", ".", cwd=tmp_path)
    run("ruff", "format", "--isolated", "--line-length=110", "--check", ".", cwd=tmp_path)


@pytest.mark.slow
def test_all_pairs_of_choices_render_clean(tmp_path: Path, run: Run) -> None:
    for number, row in enumerate(pairwise(FACTORS)):
        look(rendered(row, tmp_path / f"p{number}"), row)
    run("ruff", "check", "--isolated", "--line-length=110", "--select=E,F,I,W,B,UP", ".", cwd=tmp_path)


@pytest.mark.parametrize("name", TEMPLATES)
def test_everything_that_is_asked_has_a_question_and_a_default(name: str) -> None:
    asked = templates.questions(name)
    assert all(one.help and one.default for one in asked)
    assert [one.key for one in asked][:8] == [
        "project_name", "branch", "provider", "remote", "remote_url", "manager", "licence", "author",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "llm-eval"])
def test_what_chance_does_to_a_metric_does_not_make_a_retrained_model_worse(
    kind: str, tmp_path: Path
) -> None:
    top = rendered({"kind": kind, "provider": "none"}, tmp_path)
    metrics = yaml.safe_load((top / "mlops.yaml").read_text())["experiments"]["metrics"]
    assert [name for name, one in metrics.items() if "tolerance" not in one] == []


@pytest.mark.parametrize("url", ["", "has\nlines", "s3://x # y", 's3://"', "gs://elsewhere", "s3:/one-slash"])
def test_an_address_that_dvc_would_not_read_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(Exception, match="the template refuses it"):
        copier.render("minimal", tmp_path / "p", {"remote": "s3", "remote_url": url})


def test_a_choice_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="the template refuses it"):
        copier.render("minimal", tmp_path / "p", {"provider": "sourcehut"})


def test_dvc_reads_the_remote(tmp_path: Path, run: Run) -> None:
    copier.render("minimal", tmp_path / "p", {"project_name": "Wörter & Zahlen"})
    run("git", "init", "-q", cwd=tmp_path / "p")
    listed = run("dvc", "remote", "list", cwd=tmp_path / "p").stdout.split()
    assert "".join(listed).startswith(f"storage{tmp_path / 'w-rter-zahlen-storage'}")  # DVC breaks long lines


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"_src_path: gh:somebody/else\n", "is not of a template of git-mlops"),
        (b"- a list\n", "is not of a template of git-mlops"),
        (b"a: [\n", "is not valid YAML"),
        (b"_src_path: git-mlops:banana\n", "names a template `banana`"),
    ],
)
def test_answers_that_are_not_ours_are_refused(content: bytes, said: str) -> None:
    with pytest.raises(Exception, match=said):
        copier.answered(content)


def test_an_answer_to_no_question_any_more_is_left_out() -> None:
    read = copier.answered(b'_src_path: git-mlops:minimal\n_commit: "0.0.1"\nbranch: trunk\nold: 1\n')
    assert read == copier.Answers("minimal", "0.0.1", {"branch": "trunk"})


def test_an_unknown_template_has_no_questions() -> None:
    with pytest.raises(NotFoundError):
        templates.questions("nothing")
