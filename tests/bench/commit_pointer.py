"""B2: `git commit` of a changed pointer whose data has a verdict."""

from itertools import cycle
from pathlib import Path

from tests.bench.measure import Row, interleaved, repository, slower

ROWS = 200_000


def bench(base: Path) -> list[Row]:
    """The pointer goes back and forth between two versions that were both validated once."""
    bare, ours = repository(base, "bare"), repository(base, "ours")
    ours.run("git", "mlops", "init")
    data = ours.root / "data.csv"
    pointers = []
    for version in (1, 2):
        data.write_text(
            "id,age\n" + "".join(f"{n},{n % 90 + version - 1 if n % 90 else 0}\n" for n in range(ROWS))
        )
        ours.run("git", "mlops", "add", "data.csv")
        if version == 1:
            ours.run("git", "mlops", "schema", "infer", "data.csv")
        ours.run("git", "add", "-A")
        ours.run("git", "commit", "-q", "-m", f"version {version}")
        pointers.append((ours.root / "data.csv.dvc").read_text())
    ours.run("git", "config", "core.hooksPath", "/dev/null")  # while the data is put out of the way
    data.unlink()
    ours.run("git", "config", "--unset", "core.hooksPath")
    texts = cycle(pointers)

    def commit_ours() -> float:
        (ours.root / "data.csv.dvc").write_text(next(texts))
        ours.run("git", "add", "data.csv.dvc")
        return ours.timed("git", "commit", "-q", "-m", "other version")

    def commit_bare() -> float:
        (bare.root / "train.py").write_text(next(texts))
        bare.run("git", "add", "train.py")
        return bare.timed("git", "commit", "-q", "-m", "change")

    def commit_bare_twice() -> float:
        next(texts)  # keep the two versions in turn for ours
        return commit_bare()

    seconds = interleaved({"ours": commit_ours, "bare": commit_bare_twice}, 15)
    return [
        slower(
            "B2",
            "git commit of a pointer with a verdict",
            seconds["ours"],
            "bare git commit",
            seconds["bare"],
            "<= 12",
        )
    ]
