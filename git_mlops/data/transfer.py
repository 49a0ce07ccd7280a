"""Objects to and from the DVC remote: exactly those that are named, and every one of them asked for."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from git_mlops.data import cache, dvc, listing, pointers, purges
from git_mlops.data.pointers import PATHSPECS, Out
from git_mlops.data.purges import Purge
from git_mlops.errors import FINDINGS, MlopsError
from git_mlops.git import objects
from git_mlops.git.repo import Repo, fields


class Transferred(NamedTuple):
    """What came over, and what is nowhere."""

    objects: int
    """Objects that were copied (files, and listings of directories)."""
    missing: tuple[Out, ...]
    """Neither here nor on the remote."""
    purged: tuple[tuple[Out, Purge], ...] = ()
    """Withdrawn, as a whole or in part: that is neither sent nor asked for."""


def push(
    repo: Repo, outs: Iterable[Out], *, remote: str | None = None, sensitive: Sequence[str] = ()
) -> Transferred:
    """Upload what the remote lacks. `push: false` stays here; an output bound to a remote goes there.

    Args:
        sensitive: the remotes that sensitive data may go to, where that is restricted.

    Raises:
        MlopsError: sensitive data would go to another remote (exit code 1); nothing was sent.
    """
    count, missing, purged = 0, list[Out](), dict[Out, Purge]()
    known = purges.in_force(repo)
    by_remote = _by_remote(repo, listing.kept(outs), remote)
    if sensitive:
        _refuse_elsewhere(by_remote, sensitive)
    for name, wanted in by_remote.items():
        moved = dvc.push(repo, cache.expanded(repo, wanted), name, without=known.keys())
        count += len(moved.transferred)
        gone = purges.of_outs(repo, wanted, known)
        missing += [out for out in wanted if out not in gone and _holed(repo, out, moved.missing)]
        purged |= gone
    return Transferred(count, tuple(missing), tuple(purged.items()))


def _refuse_elsewhere(by_remote: Mapping[str, Sequence[Out]], sensitive: Sequence[str]) -> None:
    for name, outs in by_remote.items():
        wrong = [] if name in sensitive else [out for out in outs if out.sensitive]
        if wrong:
            path = shlex.quote(wrong[0].path)
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            raise MlopsError(
                f"`{wrong[0].path}`{more} is sensitive, and `{name}` is no remote for that: nothing was sent",
                hint=f"`git mlops sheet {path} --set sensitivity=personal` binds it to `{sensitive[0]}`",
                exit_code=FINDINGS,
            )


def _holed(repo: Repo, out: Out, missing: frozenset[str]) -> bool:
    return out.hash in missing or any(
        m.hash in missing for m in (cache.members(repo, out) if out.is_dir else {}).values()
    )


def pull(repo: Repo, outs: Iterable[Out], *, remote: str | None = None) -> Transferred:
    """Download what the cache lacks. The workspace is `follow`'s; what is never pushed is not asked for."""
    wanted = [out for out in listing.kept(outs) if not cache.complete(repo, out)]
    count = 0
    known = purges.in_force(repo) if wanted else {}
    asked = [out for out in wanted if out.hash not in known and not purges.rest(repo, out, known)]
    for name, some in _by_remote(repo, asked, remote).items():
        count += len(dvc.fetch(repo, cache.expanded(repo, some), name, without=known.keys()).transferred)
    lacking = [out for out in wanted if not cache.complete(repo, out)]
    gone = purges.of_outs(repo, lacking, known)
    return Transferred(count, tuple(out for out in lacking if out not in gone), tuple(gone.items()))


def missing_on_remote(repo: Repo, outs: Iterable[Out], *, remote: str | None = None) -> list[Out]:
    """Outputs of which anything is not on the remote; for a directory every single file is asked for.

    What was withdrawn is not missed.
    """
    missing: list[Out] = []
    for name, wanted in _by_remote(repo, listing.kept(outs), remote).items():
        missing += dvc.absent(repo, wanted, name)
    gone = purges.of_outs(repo, missing)
    return [out for out in missing if out not in gone]


def _by_remote(repo: Repo, outs: Iterable[Out], remote: str | None) -> dict[str, list[Out]]:
    default = remote or dvc.default_remote(repo)
    found: dict[str, list[Out]] = {}
    for out in outs:
        name = out.remote or default
        if name is None:
            raise MlopsError("no DVC remote is configured", hint="`dvc remote add -d NAME URL`")
        found.setdefault(name, []).append(out)
    return found


def pointers_of_push(repo: Repo, lines: Sequence[str], remote: str) -> dict[Out, str]:
    """All data that the commits of a push introduce (each with its pointer), from pre-push's standard input.

    Args:
        lines: `<local ref> <local id> <remote ref> <remote id>`; deletions have a local id of zeros.
        remote: the git remote's name; what it has already is known from its tracking refs.
    """
    tips, have = [], []
    for line in lines:
        words = line.rsplit(" ", 3)
        if len(words) == 4 and words[1].strip("0"):
            tips.append(words[1])
            have += [words[3]] if words[3].strip("0") else []
    if not tips:
        return {}
    stdin = "".join(f"{name}\n" for name in (*tips, *(f"^{oid}" for oid in have))).encode()
    return _introduced(repo, "--ignore-missing", "--stdin", "--not", f"--remotes={remote}", stdin=stdin)


def committed(repo: Repo, *revisions: str) -> dict[Out, str]:
    """All data that the commits of these revisions introduce (`--all`: of every ref), with its pointer."""
    return _introduced(repo, *revisions)


def ever_named(repo: Repo) -> dict[Out, str]:
    """All data that any commit names which a ref, a reflog or a worktree's HEAD reaches, with its pointer."""
    return _introduced(repo, "--all", "--reflog", "--ignore-missing")


def staged(repo: Repo) -> dict[Out, str]:
    """What the pointers of the index name, with its pointer."""
    entries = objects.index_entries(repo, *PATHSPECS)
    contents = objects.read_blobs(repo, [entry.oid for entry in entries])
    return listing.outs({entry.path: contents[entry.oid] for entry in entries if entry.oid in contents})


def _introduced(repo: Repo, *revisions: str, stdin: bytes = b"") -> dict[Out, str]:
    # --full-history: a merge may drop a version that one of its sides had, and that commit is meant, too
    # -c: of a merge only what is in none of its parents; the rest came with them or is there already
    output = repo.git(
        "-c",
        "log.showRoot=true",
        "log",
        *("-c", "--full-history", "--raw", "-z", "--no-abbrev", "--no-renames", "--format=%H"),
        *("--no-color", "--no-show-signature", "--no-ext-diff"),
        *revisions,
        "--",
        *PATHSPECS,
        stdin=stdin,
    )
    return _named(repo, dict.fromkeys(_versions(output)))


class _Version(NamedTuple):
    """A pointer as some commit introduces it."""

    path: str
    oid: str
    pipeline: str | None
    """For a dvc.lock, the dvc.yaml of that commit, as `cat-file` takes it."""


def _versions(output: bytes) -> Iterator[_Version]:
    """From `log -c --raw -z --format=%H`: a commit, then `:modes ids status` and path of each change."""
    commit = ""
    records = iter(fields(output))
    for record in records:
        head = record.lstrip("\n")
        if not head.startswith(":"):
            commit = head
            continue
        path, oid = next(records), head.split(" ")[-2]
        if pointers.is_pointer(path) and oid.strip("0") and "\n" not in path:
            beside = f"{commit}:{listing.pipeline_of(path)}" if path.endswith("dvc.lock") else None
            yield _Version(path, oid, beside)


def _named(repo: Repo, versions: Iterable[_Version]) -> dict[Out, str]:
    """What the versions name, all of them read by one process."""
    wanted = list(versions)
    contents = objects.read_blobs(repo, [name for v in wanted for name in (v.oid, v.pipeline) if name])
    found: dict[Out, str] = {}
    for path, oid, pipeline in wanted:
        files = {path: contents[oid]} if oid in contents else {}
        if pipeline in contents:
            files[listing.pipeline_of(path)] = contents[pipeline]
        found |= listing.outs(files)
    return found
