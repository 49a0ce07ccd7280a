"""The registry read: tags of one model, or of all, in one process; the message of one tag in another."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from git_mlops.errors import FINDINGS, MlopsError, NotFoundError
from git_mlops.git.repo import Repo
from git_mlops.registry import grammar, message, state
from git_mlops.registry.message import Message
from git_mlops.registry.state import Artifact, Event, Registered

_FIELDS = (
    "refname:strip=2", "objectname", "object", "type", "tag", "taggerdate:unix", "taggername",
    "taggeremail:trim",
)  # fmt: skip
_FORMAT = "--format=" + "%00".join(f"%({field})" for field in _FIELDS)


class Version(NamedTuple):
    """A registered version: what others load, serve and trace."""

    name: str
    version: str
    tag: str
    """`churn@v1.0.0`"""
    commit: str
    """The tag's: its tree is the project as it was registered."""
    facts: Mapping[str, object]
    """What the tag says of it (docs/formats.md, "Registry"); empty for one that GTO registered."""
    oid: str
    """Of the tag object: what approvals and signatures are about."""
    time: int
    who: str
    email: str
    stages: tuple[str, ...]
    active: bool
    """False: it was taken back (`model deprecate NAME@V`)."""


def events(repo: Repo, name: str | None = None) -> list[Event]:
    """The tags of one model, or of all; what concerns no registry is not opened.

    A tag that is not annotated is no event, as for GTO; neither is a tag object under another's name: its
    signature would be worth nothing.
    """
    if name is None:
        patterns = ["refs/tags/**/*@*", "refs/tags/**/*#*"]
    else:
        # the last for stages with a slash
        patterns = [f"refs/tags/{grammar.in_tag(name)}{end}" for end in ("@*", "#*", "#*/**")]
    return [one for one in _read(repo, patterns) if one.kind != "approve" and name in (None, one.name)]


def approvals(repo: Repo, name: str, version: str) -> list[Event]:
    """The tags that approve one version for a stage, trusted or not."""
    pattern = f"refs/tags/{grammar.APPROVALS}{grammar.in_tag(name)}@{version}#*"
    there = (
        one for one in _read(repo, [pattern, f"{pattern}/**"]) if (one.name, one.version) == (name, version)
    )
    return sorted(there, key=lambda event: (event.time, event.tag))


def every_approval(repo: Repo) -> list[Event]:
    """The tags that approve any version of any model, trusted or not."""
    there = _read(repo, [f"refs/tags/{grammar.APPROVALS}"])
    return sorted((one for one in there if one.kind == "approve"), key=lambda event: (event.time, event.tag))


def _read(repo: Repo, patterns: Sequence[str]) -> Iterator[Event]:
    # not `splitlines`: a name may hold what Unicode calls the end of a line
    for line in filter(None, repo.text("for-each-ref", _FORMAT, *patterns).split("\n")):
        tag, oid, target, kind, own, time, who, email = line.split("\0")
        said = grammar.parse(tag) if own == tag else None
        # GTO tags commits; an approval is a tag of a tag
        if said is None or kind != ("tag" if said.kind == "approve" else "commit"):
            continue
        when = int(time) if time.isdigit() else 0
        yield Event(tag, *said[:5], when, oid, target, who, email)


def artifacts(repo: Repo) -> dict[str, Artifact]:
    """Every model by name."""
    return state.artifacts(events(repo))


def artifact(repo: Repo, name: str) -> Artifact:
    """One model; it has no versions where nothing is registered."""
    name = grammar.checked_name(name)
    return state.artifacts(events(repo, name)).get(name) or Artifact(name)


def resolve(repo: Repo, text: str) -> Version:
    """The version that `NAME`, `NAME@v1.0.0`, `NAME@latest` or `NAME#STAGE` means.

    A version that was taken back is found by its own name alone; see `Version.active`.

    Raises:
        MlopsError: it is none of these. NotFoundError: there is no such model or version, or nobody holds
            the stage.
    """
    spec = grammar.parse_spec(text)
    found = artifact(repo, spec.name)
    return version_of(repo, found, chosen(repo, found, spec))


def chosen(repo: Repo, found: Artifact, spec: grammar.Spec) -> Registered:
    """Of a model the version that is meant.

    Raises:
        NotFoundError: there is none.
    """
    if not found.versions:
        raise NotFoundError(f"no model `{spec.name}` is registered", hint=_meant(repo, spec.name))
    if spec.stage is not None:
        return _holder(found, spec.stage)
    one = found.find(spec.version) if spec.version is not None else found.latest
    if one is None and spec.version is not None:
        known = ", ".join(each.version for each in found.versions[:5])
        raise NotFoundError(f"model `{spec.name}` has no version {spec.version}", hint=f"it has {known}")
    if one is None:
        raise NotFoundError(
            f"every version of model `{spec.name}` was taken back",
            hint=f"`git mlops model history {spec.name}`",
        )
    return one


def _holder(found: Artifact, stage: str) -> Registered:
    event = found.stages.get(stage)
    one = found.find(event.version) if event and event.version else None
    if one is not None:
        return one
    held = ", ".join(f"`{name}`" for name in found.stages)
    hint = (
        f"stages of it that are held: {held}" if held else f"`git mlops model promote {found.name} {stage}`"
    )
    raise NotFoundError(f"no version of model `{found.name}` holds the stage `{stage}`", hint=hint)


def _meant(repo: Repo, name: str) -> str:
    known = [*artifacts(repo)]
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    return "`git mlops model list` lists them; `git fetch --tags` gets those of others"


def version_of(repo: Repo, found: Artifact, one: Registered) -> Version:
    """With the facts of its tag."""
    event = one.event
    facts = messages(repo, [event.oid])[event.oid].facts
    stages = found.stages_of(one.version)
    who, email = event.who, event.email
    return Version(
        found.name, one.version, event.tag, event.target, facts, event.oid, event.time, who, email,
        stages, one.active,
    )  # fmt: skip


def active(version: Version) -> Version:
    """The version itself, if it is not one that was taken back.

    Raises:
        MlopsError: it was (exit code 1).
    """
    if version.active:
        return version
    raise MlopsError(
        f"{version.name} {version.version} was taken back: it is not to be used",
        hint=f"`git mlops model history {version.name}` says when and by whom",
        exit_code=FINDINGS,
    )


def messages(repo: Repo, oids: Sequence[str]) -> dict[str, Message]:
    """What tag objects say, in one process."""
    stdin = "".join(f"{oid}\n" for oid in oids).encode()
    output = repo.git("cat-file", "--batch", stdin=stdin) if oids else b""
    found = {}
    at = 0
    for oid in oids:
        end = output.index(b"\n", at)
        words = output[at:end].split(b" ")
        at = end + 1
        size = int(words[2]) if len(words) == 3 else -1
        if len(words) == 3 and words[1] == b"tag":
            body = output[at : at + size].partition(b"\n\n")[2]
            found[oid] = message.parse(body.decode("utf-8", "replace"))
        at += size + 1
    return found
