"""One share of very many commits, read in a process of its own; see `shares`."""

import gc
import json
import sys

from git_mlops.experiments import bulk
from git_mlops.experiments.shares import LENGTH
from git_mlops.experiments.tree import Trees
from git_mlops.git.reader import reader
from git_mlops.git.repo import discover


def main() -> None:
    """Answer the question on standard input, and end."""
    gc.disable()  # it ends before there is any garbage
    first, *oids = sys.stdin.buffer.read().decode().split("\n")
    told = json.loads(first)
    repo = discover(told["root"])
    with reader(repo) as objects:
        pages = bulk.read(repo, Trees(objects), oids, told["params"])
    for page in pages:
        for text in page.encoded:
            sys.stdout.buffer.write(len(text).to_bytes(LENGTH))
            sys.stdout.buffer.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
