"""`git mlops bisect`: the commit from which on an expression over metrics is true.

Commits whose own code, data and parameters have a recorded result are answered from it; the others are run,
in a worktree of their own, and recorded as experiments of their commit: the next search finds them.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from git_mlops.data import dvc, listing, transfer
from git_mlops.data.settings import Settings as DataSettings
from git_mlops.errors import CANNOT_EVALUATE, MlopsError
from git_mlops.experiments import diff, names, present, read, results, where, worktree
from git_mlops.experiments import run as running
from git_mlops.experiments.diff import Difference
from git_mlops.experiments.parts import of_tree
from git_mlops.experiments.read import Experiment
from git_mlops.experiments.recording import Request
from git_mlops.experiments.run import Ended, Known, Plan
from git_mlops.experiments.settings import Settings
from git_mlops.git.reader import reader
from git_mlops.git.repo import Repo, resolve


class Question(NamedTuple):
    """What is searched for."""

    expression: str
    """True of the bad commits: `metrics.auc < 0.82`."""
    plan: Plan = Plan()
    """What is run where nothing is recorded; without a command the pipeline."""
    run: bool = True
    """False: only what is recorded counts."""


class Probe(NamedTuple):
    """One commit that was looked at."""

    commit: str
    bad: bool | None
    """None: nobody can tell, for `reason`."""
    experiment: str | None = None
    """The full ref of its result."""
    name: str | None = None
    ran: bool = False
    reason: str | None = None
    values: dict[str, object] = {}  # noqa: RUF012  # the default of a frozen tuple, never changed
    """What the expression asks for."""


class Found(NamedTuple):
    """The answer."""

    commits: tuple[str, ...]
    """The first bad commit; several where those between could not be judged."""
    author: str
    date: str
    subject: str
    probes: tuple[Probe, ...]
    difference: Difference | None
    """Between the last good commit and the first bad one: their results, where both have one."""


def bisect(  # noqa: PLR0913  # a question, its two ends, and the settings of two features
    repo: Repo,
    question: Question,
    good: str,
    bad: str,
    settings: Settings,
    data: DataSettings,
    *,
    probed: Callable[[Probe], None],
) -> Found:
    """Search.

    Args:
        probed: called with each commit that was judged, as it happens.

    Raises:
        MlopsError: GOOD is no ancestor of BAD, or is bad, or BAD is good; or one cannot be judged (3).
    """
    search = _Search(repo, question, settings, data, probed)
    start, end = resolve(repo, good), resolve(repo, bad)
    commits = repo.text("rev-list", f"{start}..{end}").split()
    if not commits or repo.text("merge-base", start, end, ok=(0, 1)) != start:
        raise MlopsError(f"`{good}` is no ancestor of `{bad}`", hint="`git mlops bisect EXPR GOOD BAD`")
    search.learn([start, *commits])
    for name, oid, wanted in ((good, start, False), (bad, end, True)):
        probe = search.judge(oid)
        if probe.bad is None:
            raise MlopsError(f"`{name}` cannot be judged: {probe.reason}", exit_code=CANNOT_EVALUATE)
        if probe.bad is not wanted:
            said = f"`{question.expression}` is {str(probe.bad).lower()} for `{name}` already"
            raise MlopsError(said, hint="it must be false for GOOD and true for BAD")
    return _found(search, *_narrowed(search, start, end))


def _narrowed(search: "_Search", start: str, end: str) -> tuple[list[str], list[str]]:
    """Commits one of which is the first bad one, and those that are known to be good."""
    goods, skipped = [start], set[str]()
    while True:
        limits = [f"^{oid}" for oid in goods]
        lines = search.repo.text("rev-list", "--bisect-all", end, *limits).splitlines()
        order = [oid for line in lines if (oid := line.partition(" ")[0]) != end and oid not in skipped]
        if not order:
            return [end, *(oid for line in lines if (oid := line.partition(" ")[0]) in skipped)], goods
        probe = search.judge(search.best(lines, order))
        if probe.bad is None:
            skipped.add(probe.commit)
        elif probe.bad:
            end = probe.commit
        else:
            goods.append(probe.commit)


class _Search:
    """What is known on the way."""

    def __init__(
        self,
        repo: Repo,
        question: Question,
        settings: Settings,
        data: DataSettings,
        probed: Callable[[Probe], None],
    ) -> None:
        self.repo = repo
        self.question = question
        self.settings = settings
        self.data = data
        self.probed = probed
        self.holds = where.compile_where(question.expression)
        self.names = where.names_in(question.expression)
        self.recorded: dict[str, Experiment] = {}
        self.probes: dict[str, Probe] = {}

    def learn(self, commits: Sequence[str]) -> None:
        """Find the recorded results of commits."""
        self.recorded = _recorded(self.repo, commits, self.settings)

    def best(self, lines: Sequence[str], order: Sequence[str]) -> str:
        """The commit that halves what is left; one with a result that does so half as well is taken first."""
        distance = {line.partition(" ")[0]: _distance(line) for line in lines}
        known = [oid for oid in order if oid in self.recorded and 2 * distance[oid] >= distance[order[0]]]
        return known[0] if known else order[0]

    def judge(self, commit: str) -> Probe:
        """Whether the expression is true of a commit; run where nothing is recorded."""
        if commit not in self.probes:
            self.probes[commit] = probe = self._judged(commit)
            self.probed(probe)
        return self.probes[commit]

    def _judged(self, commit: str) -> Probe:
        experiment, ran = self.recorded.get(commit), False
        if experiment is None and self.question.run:
            try:
                experiment, ran = self._run(commit)
            except MlopsError as error:
                return Probe(commit, None, ran=True, reason=str(error))
        if experiment is None:
            return Probe(commit, None, reason="no result is recorded")
        row = present.values_of(experiment)
        values = {name: row.get(name) for name in self.names}
        lacking = [name for name, value in values.items() if value is None]
        about = Probe(commit, None, experiment.ref, experiment.name, ran=ran, values=values)
        if experiment.status != "finished":
            return about._replace(reason=f"its run {experiment.status}")
        if lacking:
            return about._replace(reason=f"it has no `{lacking[0]}`")
        return about._replace(bad=self.holds(row))

    def _run(self, commit: str) -> tuple[Experiment | None, bool]:
        """Its result, and whether it had to be run: another commit may have had the same content."""
        with worktree.of(self.repo, commit, head=commit) as place:
            self._bring(place)
            request = Request(message=f"bisect: {self.question.expression}")
            done = running.run(
                place, self.question.plan, request, self.settings, self.data, started=lambda _subject: None
            )
        if isinstance(done, Known):
            return done.experiment, False
        assert isinstance(done, Ended)
        if done.recorded.status == "interrupted":
            raise KeyboardInterrupt
        found = [ref for ref in read.all_refs(self.repo) if ref.name == done.recorded.ref]
        return next(iter(read.load(self.repo, found, self.settings)), None), True

    def _bring(self, place: Repo) -> None:
        """The data that the commit names: from the cache, else from the DVC remote."""
        missing = set(worktree.bring(place).missing)
        outs = listing.in_workspace(place).items()
        wanted = [out for out, pointer in outs if pointer.endswith(".dvc") and out.path in missing]
        if wanted and (self.data.remote or dvc.default_remote(place)):
            transfer.pull(place, wanted, remote=self.data.remote)
            missing = set(worktree.bring(place).missing)
        lost = [out.path for out in wanted if out.path in missing]
        if lost:
            raise MlopsError(f"its data is neither here nor on the DVC remote: {', '.join(lost[:5])}")


def _distance(line: str) -> int:
    return int(line.partition("dist=")[2].partition(")")[0].partition(",")[0] or 0)


def _recorded(repo: Repo, commits: Iterable[str], settings: Settings) -> dict[str, Experiment]:
    """The newest finished result of each commit's own code, data and parameters."""
    wanted = set(commits)
    placed = [(ref, names.parse_ref(ref.name)) for ref in read.all_refs(repo)]
    mine = [(ref, place.baseline) for ref, place in placed if place and place.baseline in wanted]
    with reader(repo) as objects:
        bases = read.commits(objects, (baseline for _ref, baseline in mine))
        parts = {oid: of_tree(objects, one.tree, settings) for oid, one in bases.items()}
        fitting = [
            ref
            for oid, own in parts.items()
            for ref in results.same(objects, [ref for ref, baseline in mine if baseline == oid], own)
        ]
    found = results.finished(read.load(repo, fitting, settings))
    return {one.baseline: one for one in sorted(found, key=lambda one: one.time)}


def _found(search: _Search, commits: list[str], goods: Sequence[str]) -> Found:
    repo, first = search.repo, commits[0]
    author, date, subject = repo.text(
        "show", "-s", "--format=%an%n%as%n%s", "--no-show-signature", first
    ).split("\n", 2)
    parents = repo.text("rev-list", "--parents", "--max-count=1", first).split()[1:]
    before = next((oid for oid in parents if oid in goods), parents[0] if parents else first)
    old, new = _side(search, before), _side(search, first)
    difference = diff.difference(repo, old, new, search.settings, search.data)
    return Found(tuple(commits), author, date, subject, tuple(search.probes.values()), difference)


def _side(search: _Search, commit: str) -> str:
    probe = search.probes.get(commit)
    return probe.experiment if probe and probe.experiment else commit
