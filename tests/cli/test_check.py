"""`git mlops check` as a user runs it, and the rules of plain git files."""

import json

import pytest

from git_mlops.checks.run import RULES
from git_mlops.git.repo import Repo
from tests.conftest import Run


def write(repo: Repo, path: str, content: bytes | str) -> None:
    file = repo.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())


def commit(repo: Repo, message: str = "change") -> None:
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", message)


def findings(done_stdout: str) -> list[tuple[str, str, str | None]]:
    return [(f["rule"], f["level"], f["path"]) for f in json.loads(done_stdout)["data"]["findings"]]


def test_a_clean_workspace_is_ok(mlops: Run, repo: Repo) -> None:
    write(repo, "a.py", "print()\n")
    assert mlops("check", cwd=repo.root).stdout == "ok (workspace)\n"


def test_a_large_staged_file_is_found_with_the_command_that_mends_it(mlops: Run, repo: Repo) -> None:
    write(repo, "models/my model.bin", b"\1" * 3_000_000)
    repo.git("add", "-A")
    done = mlops("check", "--staged", cwd=repo.root, status=1)
    assert done.stdout.splitlines() == [
        "models/my model.bin: error: 2.9 MiB in plain git, over the limit of 1.0 MiB [large-file]",
        "  hint: `git mlops add 'models/my model.bin'`, or list it under `data.allow` in mlops.yaml",
        "1 error (staged changes)",
    ]


def test_what_is_staged_counts_not_what_is_in_the_workspace(mlops: Run, repo: Repo) -> None:
    write(repo, "big.bin", b"\1" * 3_000_000)
    repo.git("add", "-A")
    write(repo, "big.bin", b"small")
    mlops("check", "--staged", cwd=repo.root, status=1)
    mlops("check", cwd=repo.root, status=0)


def test_the_limit_and_the_exceptions_are_the_staged_configurations(mlops: Run, repo: Repo) -> None:
    write(repo, "big.bin", b"\1" * 3_000_000)
    write(repo, "mlops.yaml", "version: 1\ndata: {size_limit: 1kB, allow: ['*.bin']}\n")
    repo.git("add", "-A")
    write(repo, "mlops.yaml", "version: 1\n")
    mlops("check", "--staged", cwd=repo.root, status=0)


def test_a_large_file_that_a_later_commit_removes_is_found_in_the_range(mlops: Run, repo: Repo) -> None:
    write(repo, "big.bin", b"\1" * 3_000_000)
    commit(repo)
    (repo.root / "big.bin").unlink()
    commit(repo)
    done = mlops("check", "--range", "HEAD~2...HEAD", "--json", cwd=repo.root, status=1)
    assert findings(done.stdout) == [("large-file", "error", "big.bin")]


def test_a_branch_is_not_blamed_for_what_it_merged(mlops: Run, repo: Repo) -> None:
    repo.git("switch", "-q", "-c", "topic")
    write(repo, "topic.py", "")
    commit(repo)
    repo.git("switch", "-q", "main")
    write(repo, "big.bin", b"\1" * 3_000_000)
    commit(repo)
    repo.git("switch", "-q", "topic")
    repo.git("merge", "-q", "-m", "merge", "main")
    mlops("check", "--range", "main...HEAD", cwd=repo.root, status=0)


def test_a_large_file_that_only_a_merge_commit_brings_is_found(mlops: Run, repo: Repo) -> None:
    for name in ("a", "b"):
        repo.git("switch", "-q", "-c", name, "main")
        write(repo, name, name)
        commit(repo)
    repo.git("merge", "-q", "--no-commit", "a")
    write(repo, "big.bin", b"\1" * 3_000_000)
    commit(repo)
    done = mlops("check", "--range", "main...HEAD", "--json", cwd=repo.root, status=1)
    assert findings(done.stdout) == [("large-file", "error", "big.bin")]


def test_a_file_that_should_be_a_pointer_is_found(mlops: Run, repo: Repo) -> None:
    write(repo, "mlops.yaml", "version: 1\ndata: {track: ['*.parquet', 'models/**']}\n")
    write(repo, "models/deep/m.pt", "x")
    write(repo, "t.parquet", "x")
    repo.git("add", "-A")
    done = mlops("check", "--staged", "--json", cwd=repo.root, status=1)
    assert findings(done.stdout) == [
        ("data-in-git", "error", "models/deep/m.pt"), ("data-in-git", "error", "t.parquet"),
            ("pii", "note", "t.parquet"),
    ]  # fmt: skip


def test_the_record_of_an_experiment_on_a_branch_is_found(mlops: Run, repo: Repo) -> None:
    write(repo, ".mlops/run/record.json", "{}")
    write(repo, ".mlops/run/dvc.yaml", "metrics: []\n")
    repo.git("add", "-A")
    done = mlops("check", "--staged", "--json", cwd=repo.root, status=1)
    assert findings(done.stdout) == [("run-files", "error", ".mlops/run/dvc.yaml")]


def test_gits_and_dvcs_own_files_may_stand_among_data(mlops: Run, repo: Repo) -> None:
    write(repo, "mlops.yaml", "version: 1\ndata: {track: ['models/**']}\n")
    write(repo, "models/.gitignore", "/m.pt\n")
    repo.git("add", "-A")
    mlops("check", "--staged", cwd=repo.root, status=0)


def test_a_binding_of_data_that_does_not_exist_is_told(mlops: Run, repo: Repo) -> None:
    write(repo, "mlops.yaml", "version: 1\nschemas: {data/pepole.csv: s.yaml, '*.parquet': s.yaml}\n")
    write(repo, "s.yaml", "schema_type: dataframe\ncolumns: {a: {dtype: int64}}\n")
    write(repo, "data/people.csv", "a\n1\n")
    repo.git("add", "-A")
    for words in ((), ("--staged",)):
        done = mlops("check", *words, cwd=repo.root)
        assert done.stdout.splitlines()[:2] == [
            "mlops.yaml: warning: `data/pepole.csv` is bound to `s.yaml`, but there is no such data [schema]",
            "  hint: did you mean `data/people.csv`?",
        ]


def test_a_wrong_configuration_is_the_one_finding(mlops: Run, repo: Repo) -> None:
    write(repo, "mlops.yaml", "version: 1\nchekcs: {}\n")
    write(repo, "big.bin", b"\1" * 3_000_000)
    repo.git("add", "-A")
    done = mlops("check", "--staged", cwd=repo.root, status=1)
    assert done.stdout.splitlines() == [
        "mlops.yaml: error: `chekcs`: unknown key [config-valid]",
        "  hint: did you mean `checks`?",
        "1 error (staged changes)",
    ]


@pytest.mark.parametrize(("level", "status"), [("error", 1), ("warning", 0), ("off", 0)])
def test_the_level_of_a_rule_is_configured(mlops: Run, repo: Repo, level: str, status: int) -> None:
    write(repo, "mlops.yaml", f"version: 1\nchecks: {{large-file: {level}}}\n")
    write(repo, "big.bin", b"\1" * 3_000_000)
    mlops("check", cwd=repo.root, status=status)


def test_a_rule_can_be_left_out(mlops: Run, repo: Repo) -> None:
    write(repo, "big.bin", b"\1" * 3_000_000)
    mlops("check", "--skip", "large-file", cwd=repo.root, status=0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--range", "main"), "error: `main` is not a range"),
        (("--range", "nope...HEAD"), "error: `nope` is not a commit of this repository"),
        (("--range", "--all...HEAD"), "error: `--all` is not a commit of this repository"),
        (("--staged", "--range", "a...b"), "error: --staged, --range and --merge exclude each other"),
        (("--skip", "nope"), "error: Invalid value for '--skip'"),
    ],
)
def test_bad_usage_is_exit_code_2(mlops: Run, repo: Repo, words: tuple[str, ...], message: str) -> None:
    assert mlops("check", *words, cwd=repo.root, status=2).stderr.startswith(message)


def test_a_shallow_clone_without_the_merge_base_cannot_be_evaluated(mlops: Run, repo: Repo, run: Run) -> None:
    for name in ("a", "b"):
        repo.git("switch", "-q", "-c", name, "main")
        write(repo, name, name)
        commit(repo)
    shallow = repo.root.parent / "shallow"
    run(
        "git", "clone", "-q", "--depth", "1", "--no-single-branch", repo.root.as_uri(), shallow, cwd=repo.root
    )
    done = mlops("check", "--range", "origin/a...HEAD", cwd=shallow, status=3)
    assert done.stderr.splitlines()[-2:] == [
        "error: no merge base for `origin/a...HEAD`",
        "hint: `git fetch --unshallow` brings the history",
    ]


def test_outside_a_repository_the_message_is_clear(mlops: Run, tmp_path: object) -> None:
    done = mlops("check", cwd=tmp_path, status=2)
    assert done.stderr.splitlines()[0].startswith("error: not a git repository: ")


def test_before_the_first_commit_the_index_is_checked(mlops: Run, run: Run, tmp_path: object) -> None:
    run("git", "init", "-q", cwd=tmp_path)
    run("git", "-c", "core.hooksPath=/dev/null", "add", "-A", cwd=tmp_path)
    assert mlops("check", "--staged", cwd=tmp_path).stdout == "ok (staged changes)\n"


def test_the_rules_are_listed(mlops: Run, repo: Repo) -> None:
    done = mlops("check", "--list", "--json", cwd=repo.root)
    assert [rule["rule"] for rule in json.loads(done.stdout)["data"]] == list(RULES)


def test_the_report_can_go_to_a_file(mlops: Run, repo: Repo) -> None:
    mlops("check", "--format", "junit", "-o", "report.xml", cwd=repo.root)
    assert (repo.root / "report.xml").read_text(encoding="utf-8").startswith('<?xml version="1.0"')


def test_submodules_and_links_are_not_files_of_ours(mlops: Run, repo: Repo) -> None:
    (repo.root / "link").symlink_to("/etc/passwd")
    repo.git("submodule", "add", "-q", repo.root.as_uri(), "sub")
    repo.git("add", "-A")
    mlops("check", "--staged", cwd=repo.root, status=0)
    mlops("check", cwd=repo.root, status=0)
