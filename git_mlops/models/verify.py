"""Whether a version is what its tag says: the signature, and each fact against the tree."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from git_mlops.errors import MlopsError
from git_mlops.experiments import read as experiments
from git_mlops.experiments import tree
from git_mlops.experiments.tree import Trees
from git_mlops.experiments.values import labelled
from git_mlops.findings import Finding
from git_mlops.git import signatures
from git_mlops.git.reader import Reader, reader
from git_mlops.git.repo import Repo
from git_mlops.models import facts, objects, rules, settings
from git_mlops.models.context import Context
from git_mlops.models.rules import Moment
from git_mlops.registry import read
from git_mlops.registry.read import Version
from git_mlops.registry.state import Artifact, Event

RULE = "model-verified"


class Verified(NamedTuple):
    """What `verify` found."""

    version: Version
    findings: tuple[Finding, ...]
    signers: tuple[tuple[str, str | None], ...]
    """Tag → who signed it, if somebody trusted did."""


def verify(repo: Repo, text: str, context: Context) -> Verified:
    """Check the registration and the stages that the version holds.

    Raises:
        MlopsError: there is no such version.
    """
    version = read.resolve(repo, text)
    found = read.artifact(repo, version.name)
    signed, signers = _signatures(repo, found, version, context)
    findings = [*signed, *_facts(repo, version, context)]
    findings += _stages(repo, found, version, context)
    return Verified(version, tuple(findings), signers)


def _stages(repo: Repo, found: Artifact, version: Version, context: Context) -> Iterator[Finding]:
    """Whether each stage was given to this registration, and as mlops.yaml asks for."""
    held = {stage: event for stage, event in found.stages.items() if event.version == version.version}
    said = read.messages(repo, [event.oid for event in held.values()])
    for stage, event in held.items():
        hint = f"`git mlops model promote {version.name}@{version.version} {stage}`"
        facts_ = said[event.oid].facts
        if facts_.get("registration", version.oid) != version.oid:
            message = f"the stage `{stage}` was given to another registration of {version.version}"
            yield Finding(RULE, "error", message, hint=f"promote it again: {hint}")
        rollback = facts_.get("rollback") is True
        verdict = rules.judge(repo, found, version, stage, context, _given(found, event, rollback=rollback))
        stands = _stands(found, event, context, rollback=rollback)
        for one in verdict.findings:
            if stands and one.data.get("rule", True):
                message = f"the stage `{stage}` stands, as mlops.yaml says; by its rules: {one.message}"
                yield one._replace(level="warning", message=message)
            else:
                yield one._replace(message=f"the stage `{stage}`: {one.message}", hint=one.hint or hint)


def _stands(found: Artifact, event: Event, context: Context, *, rollback: bool) -> bool:
    """Whether mlops.yaml names the tag that gave the stage, or the one that a rollback goes back to.

    By its object: whoever wrote that into the rules had it before them. A tag's date is its maker's word.
    """
    asked = settings.stages_of(context.models, found.name).get(event.stage or "")
    same = (event.stage, event.version)
    meant = [e.oid for e in found.events if e.kind == "assign" and (e.stage, e.version) == same]
    named = meant if rollback else [event.oid]
    return asked is not None and any(oid in asked.stands for oid in named)


def _given(found: Artifact, event: Event, *, rollback: bool) -> Moment:
    """When it was given: for a rollback, which asks for nothing, the time before that."""
    same = [
        e for e in found.events if e.kind == "assign" and (e.stage, e.version) == (event.stage, event.version)
    ]
    first = same[0] if rollback else event
    earlier = [
        e for e in found.events if e.kind == "assign" and e.stage == event.stage and e.time < first.time
    ]
    return Moment(first.time, first.email.lower(), earlier[-1].version if earlier else None)


def _signatures(
    repo: Repo, found: Artifact, version: Version, context: Context
) -> tuple[list[Finding], tuple[tuple[str, str | None], ...]]:
    held = [event for event in found.stages.values() if event.version == version.version]
    tags = [(version.tag, version.oid), *((event.tag, event.oid) for event in held)]
    asked = settings.stages_of(context.models, version.name)
    said = read.messages(repo, [event.oid for event in held])
    strict = any(
        asked[event.stage].signed
        and not _stands(found, event, context, rollback=said[event.oid].facts.get("rollback") is True)
        for event in held
        if event.stage in asked
    )
    findings, signers = [], []
    for tag, oid in tags:
        signature = signatures.of_tag(repo, oid, context.trust())
        signers.append((tag, signature.who if signature.good else None))
        if not signature.good:
            level = "error" if signature.signed or strict else "warning"
            hint = "`.mlops/allowed_signers` names who is trusted" if signature.signed else None
            message = f"the tag `{tag}`: {signature.problem}"
            findings.append(Finding(RULE, "error" if level == "error" else "warning", message, hint=hint))
    return findings, tuple(signers)


def _facts(repo: Repo, version: Version, context: Context) -> Iterator[Finding]:
    said = version.facts
    if not said:
        hint = f"`git mlops model register {version.name}` writes a tag with facts"
        yield Finding(RULE, "unknown", f"the tag `{version.tag}` does not say what the model is", hint=hint)
        return
    for key, value in (("model", version.name), ("model_version", version.version)):
        if said.get(key) != value:
            yield Finding(RULE, "error", f"the tag `{version.tag}` says that its {key} is `{said.get(key)}`")
    with reader(repo) as git:
        known = experiments.commits(git, [version.commit, str(said.get("commit"))])
        if version.commit not in known:
            yield Finding(RULE, "unknown", f"the commit {version.commit} is not in this clone")
            return
        here = known[version.commit]
        registered = known.get(str(said.get("commit")))
        if registered is None or (registered.tree != here.tree):
            message = f"the tag names the commit {said.get('commit')}, and stands at another tree"
            yield Finding(RULE, "error", message)
        elif said.get("run") and registered.message.key != said["run"]:
            yield Finding(RULE, "error", "its run key is not that of the commit it was registered from")
        yield from _tree(repo, git, here.tree, said, context)


def _tree(
    repo: Repo, git: Reader, root: str, said: Mapping[str, object], context: Context
) -> Iterator[Finding]:
    trees = Trees(git)
    found = objects.pointers(trees, root)
    model = said.get("object")
    path = model.get("path") if isinstance(model, Mapping) else None
    if isinstance(model, Mapping) and isinstance(path, str):
        try:
            now = objects.locate(repo, trees, root, path, found.outs)
        except MlopsError as error:
            yield Finding(RULE, "error", str(error), path=path)
        else:
            contract, own = said.get("contract"), facts.contract_of(repo, trees, root, now, found)
            if isinstance(contract, Mapping) and own is not None and contract.get("hash") != own.hash:
                message = (
                    f"the tag says that the contract is {contract.get('hash')}, `{own.source}` {own.hash}"
                )
                yield Finding(RULE, "error", message, path)
            if (now.algorithm, now.hash) != (model.get("algorithm"), model.get("hash")):
                yield _other(path, str(model.get("hash")), now)
    yield from _listed("data", said.get("data"), {out.path: out.hash for out in found.own}, "hash")
    blobs = {str(one.get("path")) for one in _mappings(said.get("schemas"))}
    there = {schema: entry.oid for schema in blobs if (entry := trees.find(root, schema))}
    yield from _listed("schema", said.get("schemas"), there, "blob")
    metrics = labelled(tree.contents(trees, [root], context.experiments.params)[root].values.metrics)
    recorded = said.get("metrics")
    for name, value in (recorded if isinstance(recorded, Mapping) else {}).items():
        if name not in metrics or facts.plain(metrics[name]) != value:
            yield Finding(RULE, "error", f"the tag says {name} = {value}, the tree {metrics.get(name)}")


def _other(path: str, said: str, now: objects.ModelObject) -> Finding:
    """A part of a tracked directory has a hash of its own only where the directory's listing is here."""
    if now.within is not None and now.hash.endswith(".dir") != said.endswith(".dir"):
        hint = f"`git mlops pull {now.within}`"
        return Finding(RULE, "unknown", f"what `{now.within}` holds is not on this machine", path, hint=hint)
    return Finding(RULE, "error", f"the tag says that the model is {said}, the tree {now.hash}", path)


def _listed(what: str, said: object, there: Mapping[str, str], key: str) -> Iterator[Finding]:
    for one in _mappings(said):
        path = str(one.get("path"))
        if there.get(path) != one.get(key):
            now = there.get(path, "nothing")
            yield Finding(RULE, "error", f"{what}: the tag says {one.get(key)}, the tree {now}", path)


def _mappings(value: object) -> list[Mapping[str, object]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
