"""Hooks beside whatever is there, and gone again to the byte."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from git_mlops.errors import MlopsError
from git_mlops.git.repo import Repo, discover
from git_mlops.hooks import install
from git_mlops.hooks.install import Step
from git_mlops.hooks.shims import OURS, python
from tests.conftest import Run
from tests.hooks.conftest import Armed, tree

TOO_LARGE = "x" * (1024 * 1024 + 1)


def states(repo: Repo) -> set[str]:
    return {row.state for row in install.status(repo)}


def git_files(repo: Repo) -> dict[str, object]:
    """The hooks and every configuration of the repository."""
    found = {name: tree(repo.common_dir / name) for name in ("hooks", "mlops-hooks")}
    configs = [p for p in repo.common_dir.rglob("*config*") if p.is_file() and "objects" not in p.parts]
    return {**found, **{str(p): p.read_bytes() for p in configs}}


def write_hook(path: Path, body: str, shell: str = "#!/bin/sh") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{shell}\n{body}\n")
    path.chmod(0o755)
    return path


def refuses_large_files(armed: Armed) -> bool:
    armed.write("large.bin", TOO_LARGE)
    armed.git("add", "large.bin")
    said = armed.git("commit", "-m", "large", status=1)
    armed.git("rm", "-q", "-f", "large.bin")
    return "[large-file]" in said


def nothing(repo: Repo) -> None:
    """git's own samples only."""


def shell_hook(repo: Repo) -> None:
    write_hook(repo.common_dir / "hooks" / "pre-commit", "echo mine").chmod(0o750)


def python_hook(repo: Repo) -> None:
    write_hook(repo.common_dir / "hooks" / "pre-push", "import sys; sys.stdin.read()", f"#!{sys.executable}")


def linked_hook(repo: Repo) -> None:
    target = write_hook(repo.root.parent / "shared hook", "echo shared")
    (repo.common_dir / "hooks" / "post-checkout").symlink_to(target)


def local_path(repo: Repo) -> None:
    write_hook(repo.root / ".githooks" / "commit-msg", "echo tracked")
    repo.git("config", "core.hooksPath", ".githooks")


def global_path(repo: Repo) -> None:
    write_hook(repo.root.parent / "company" / "pre-commit", "echo company")
    repo.git("config", "--global", "core.hooksPath", str(repo.root.parent / "company"))


def worktree_path(repo: Repo) -> None:
    repo.git("config", "extensions.worktreeConfig", "true")
    repo.git("config", "--worktree", "core.hooksPath", ".githooks")


def included_already(repo: Repo) -> None:
    repo.git("config", "include.path", "others")


def unended_configuration(repo: Repo) -> None:
    file = repo.common_dir / "config"
    file.write_bytes(file.read_bytes().rstrip(b"\n"))


SITUATIONS = (
    nothing, shell_hook, python_hook, linked_hook, local_path, global_path, worktree_path, included_already,
    unended_configuration,
)  # fmt: skip


@pytest.mark.parametrize("situation", SITUATIONS)
def test_remove_undoes_install_to_the_byte(repo: Repo, situation: object) -> None:
    situation(repo)  # type: ignore[operator]  # a function of the list above
    before = git_files(repo)
    install.install(repo)
    assert git_files(repo) != before
    install.remove(repo)
    assert git_files(repo) == before


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_second_install_finds_everything_in_place(repo: Repo, situation: object) -> None:
    situation(repo)  # type: ignore[operator]  # as above
    install.install(repo)
    assert install.install(repo) == []
    assert (states(repo), install.armed(repo)) == ({"installed"}, True)


def test_a_hook_that_was_there_runs_first_with_its_arguments(repo: Repo) -> None:
    write_hook(repo.common_dir / "hooks" / "post-checkout", 'echo "mine: $1 $2 $3"')
    install.install(repo)
    head = repo.text("rev-parse", "HEAD")
    assert f"mine: {head} {head} 1" in Armed(repo).git("switch", "-q", "-c", "other")


def test_a_hook_that_was_there_gets_standard_input(repo: Repo, run: Run, tmp_path: Path) -> None:
    run("git", "init", "-q", "--bare", tmp_path / "hub", cwd=tmp_path)
    write_hook(repo.common_dir / "hooks" / "pre-push", 'echo "mine: $1 $(cat)"')
    install.install(repo)
    head, null = repo.text("rev-parse", "HEAD"), "0" * 40
    said = Armed(repo).git("push", str(tmp_path / "hub"), "main")
    assert f"mine: {tmp_path}/hub refs/heads/main {head} refs/heads/main {null}" in said


def test_a_failure_of_the_hook_that_was_there_stops_the_commit(repo: Repo) -> None:
    write_hook(repo.common_dir / "hooks" / "pre-commit", "echo no; exit 3")
    install.install(repo)
    assert Armed(repo).git("commit", "--allow-empty", "-m", "x", status=1) == "no\n"


def test_a_hook_that_may_not_run_stays_off(repo: Repo) -> None:
    write_hook(repo.common_dir / "hooks" / "pre-commit", "exit 3").chmod(0o644)
    install.install(repo)
    Armed(repo).git("commit", "--allow-empty", "-m", "x")


def test_a_newer_foreign_hook_over_ours_is_kept_and_so_is_the_older(repo: Repo) -> None:
    hook = write_hook(repo.common_dir / "hooks" / "pre-commit", "echo first")
    install.install(repo)
    write_hook(hook, "echo second")
    assert next(row.state for row in install.status(repo)) == "foreign only"
    install.install(repo)
    assert "second" in Armed(repo).git("commit", "--allow-empty", "-m", "x")
    older = hook.parent / "pre-commit.before-mlops.old"
    assert "echo first" in older.read_text()
    assert Step("kept", older, ", which a newer hook of yours had replaced") in install.remove(repo)


def test_the_same_hook_put_back_over_ours_leaves_nothing_behind(repo: Repo) -> None:
    hook = write_hook(repo.common_dir / "hooks" / "pre-commit", "echo first")
    before = tree(hook.parent)
    install.install(repo)
    write_hook(hook, "echo first")
    install.install(repo)
    install.remove(repo)
    assert tree(hook.parent) == before


@pytest.mark.parametrize("situation", [local_path, global_path, worktree_path])
def test_hooks_of_another_directory_keep_running(repo: Repo, situation: object) -> None:
    situation(repo)  # type: ignore[operator]  # as above
    folder = repo.root.parent / "company" if situation is global_path else repo.root / ".githooks"
    install.install(repo)
    for name in ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"):
        write_hook(folder / name, f"echo later {name}")
    armed = Armed(repo)
    said = armed.git("commit", "--allow-empty", "-m", "x").splitlines()
    assert [line for line in said if line.startswith("later")] == [
        "later pre-commit", "later prepare-commit-msg", "later commit-msg", "later post-commit",
    ]  # fmt: skip
    assert "git-mlops" not in "".join(file.read_text() for file in folder.iterdir())
    assert refuses_large_files(armed)


def test_a_tool_that_sets_its_hooks_path_again_does_not_disarm(repo: Repo) -> None:
    local_path(repo)
    install.install(repo)
    repo.git("config", "core.hooksPath", ".githooks")  # what husky does on every `npm install`
    assert (install.armed(repo), refuses_large_files(Armed(repo))) == (True, True)


def test_husky_keeps_running(repo: Repo) -> None:
    # husky 9: `.husky/_` holds a hook of each name, which runs the user's `.husky/<name>`
    write_hook(repo.root / ".husky" / "_" / "h", 'n=$(basename "$0"); sh -e "$(dirname "$0")/../$n" "$@"')
    for name in ("pre-commit", "commit-msg"):
        write_hook(repo.root / ".husky" / "_" / name, '. "$(dirname -- "$0")/h"')
    write_hook(repo.root / ".husky" / "pre-commit", "echo husky")
    write_hook(repo.root / ".husky" / "commit-msg", 'grep -q ok "$1"')
    repo.git("config", "core.hooksPath", ".husky/_")
    install.install(repo)
    armed = Armed(repo)
    assert "husky" in armed.git("commit", "--allow-empty", "-m", "bad", status=1)
    armed.git("commit", "--allow-empty", "-m", "ok")
    assert refuses_large_files(armed)


def test_a_hooks_path_set_after_us_is_noticed_and_mended(repo: Repo) -> None:
    install.install(repo)
    repo.git("config", "extensions.worktreeConfig", "true")
    repo.git("config", "--worktree", "core.hooksPath", ".githooks")
    assert (install.armed(repo), states(repo)) == (False, {"missing"})
    install.install(repo)
    assert (install.armed(repo), states(repo)) == (True, {"installed"})


def test_a_hooks_path_that_is_gone_again_brings_us_back_to_gits_directory(repo: Repo) -> None:
    local_path(repo)
    install.install(repo)
    repo.git("config", "--unset", "core.hooksPath")
    install.install(repo)
    assert sorted(OURS) == sorted(
        p.name for p in (repo.common_dir / "hooks").iterdir() if "sample" not in p.name
    )
    assert not (repo.common_dir / "mlops-hooks").exists()


@pytest.fixture
def framework(repo: Repo, run: Run) -> list[str]:
    """The pre-commit framework, with one hook that is a local command."""
    (repo.root / ".pre-commit-config.yaml").write_text(
        "repos:\n- repo: local\n  hooks:\n"
        "  - {id: said, name: said, entry: echo framework, language: system,"
        " always_run: true, verbose: true}\n"
    )
    repo.git("add", ".")
    program = shutil.which("pre-commit")
    assert program
    return [program, "install"]


def test_the_pre_commit_framework_installed_first_keeps_running(
    repo: Repo, framework: list[str], run: Run
) -> None:
    run(*framework, cwd=repo.root)
    install.install(repo)
    assert "framework" in Armed(repo).git("commit", "-m", "x")
    assert refuses_large_files(Armed(repo))


def test_the_pre_commit_framework_installed_later_runs_us(repo: Repo, framework: list[str], run: Run) -> None:
    install.install(repo)
    run(*framework, cwd=repo.root)
    assert (install.install(repo), states(repo), install.armed(repo)) == ([], {"installed"}, True)
    assert Armed(repo).git("commit", "-m", "x").count("framework") == 1
    assert refuses_large_files(Armed(repo))
    install.remove(repo)
    assert "framework" in Armed(repo).git("commit", "--allow-empty", "-m", "x")


def test_the_pre_commit_framework_installed_before_and_again_after_runs_once(
    repo: Repo, framework: list[str], run: Run
) -> None:
    run(*framework, cwd=repo.root)
    before = git_files(repo)
    install.install(repo)
    run(*framework, cwd=repo.root)
    assert install.install(repo) == []
    assert Armed(repo).git("commit", "-m", "x").count("framework") == 1
    assert refuses_large_files(Armed(repo))
    install.remove(repo)
    assert git_files(repo) == before


def test_an_older_file_of_ours_is_outdated_until_install(armed: Armed) -> None:
    hook = armed.repo.common_dir / "hooks" / "pre-push"
    hook.write_text(hook.read_text() + "# older\n")
    assert states(armed.repo) == {"installed", "outdated"}
    assert install.install(armed.repo) == [Step("renewed", hook)]


def test_a_linked_worktree_shares_the_hooks(armed: Armed) -> None:
    armed.git("worktree", "add", "-q", "../other")
    other = discover(armed.root.parent / "other")
    assert (install.armed(other), install.install(other)) == (True, [])
    assert refuses_large_files(Armed(other))


def test_a_configuration_under_git_lock_is_left_alone(repo: Repo) -> None:
    (repo.common_dir / "config.lock").touch()
    before = (repo.common_dir / "config").read_bytes()
    with pytest.raises(MlopsError, match="cannot lock"):
        install.install(repo)
    assert (repo.common_dir / "config").read_bytes() == before


def test_settings_that_others_add_to_our_section_survive_remove(armed: Armed) -> None:
    armed.git("config", "--add", "include.path", "others")
    install.remove(armed.repo)
    assert armed.git("config", "--local", "--get-all", "include.path") == "others\n"


def test_a_python_that_is_gone_stops_a_commit_and_only_warns_elsewhere(armed: Armed) -> None:
    for name in OURS:
        hook = armed.repo.common_dir / "hooks" / name
        hook.write_text(hook.read_text().replace(python(), "/nowhere/python"))
    armed.write("a.txt", "a")
    armed.git("add", ".")
    said = armed.git("commit", "-m", "x", status=1)
    skip = "`MLOPS_SKIP=1` skips its hooks once"
    assert said.splitlines() == [
        "git-mlops: git-mlops can't be started with /nowhere/python",
        f"git-mlops: install it again, then run `git mlops hooks install`; {skip}",
    ]
    assert "skipped" in armed.git("commit", "-m", "x", skip="1")
    armed.git("reset", "-q", "--hard", "HEAD~1")


def test_a_git_mlops_that_is_gone_stops_a_commit(armed: Armed, tmp_path: Path, run: Run) -> None:
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "empty", cwd=tmp_path)
    hook = armed.repo.common_dir / "hooks" / "pre-commit"
    hook.write_text(hook.read_text().replace(python(), str(tmp_path / "empty" / "bin" / "python")))
    assert "install it again" in armed.git("commit", "--allow-empty", "-m", "x", status=1)


def test_modules_of_the_repository_are_never_imported(armed: Armed) -> None:
    for name in ("yaml", "re", "git_mlops", "json"):
        armed.write(f"{name}.py", "raise SystemExit('imported')")
    assert "imported" not in armed.commit("x")


def test_the_shims_are_plain_sh(repo: Repo) -> None:
    for file in (Path(__file__).parents[2] / "hooks").iterdir():
        subprocess.run(["sh", "-n", file], check=True)
    local_path(repo)
    install.install(repo)
    files = list((repo.common_dir / "mlops-hooks").iterdir())
    assert all(os.access(file, os.X_OK) for file in files)
    subprocess.run(["sh", "-n", *files], check=True)
