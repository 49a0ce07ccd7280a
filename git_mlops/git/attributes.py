""".gitattributes: a block of lines that is ours, beside whatever others wrote."""

from collections.abc import Sequence

from git_mlops.git.objects import replace_file
from git_mlops.git.repo import Repo

FILE = ".gitattributes"
_START = "# git-mlops: how git shows and merges data pointers (`git mlops init` writes this block)"
_END = "# git-mlops: end"


def ensure(repo: Repo, lines: Sequence[str]) -> bool:
    """Write the block at the end of the top's .gitattributes, or renew it in place; whether it was news."""
    file = repo.root / FILE
    old = file.read_text(encoding="utf-8", errors="surrogateescape") if file.exists() else ""
    new = with_block(old, lines)
    if new == old:
        return False
    replace_file(file, new.encode("utf-8", "surrogateescape"))
    return True


def with_block(text: str, lines: Sequence[str]) -> str:
    """`text` with our block holding exactly `lines`; every other line stays."""
    block = "\n".join([_START, *lines, _END]) + "\n"
    start = text.find(_START)
    end = text.find(_END, start)
    if 0 <= start < end:
        return text[:start] + block + text[end + len(_END) :].removeprefix("\n")
    joint = "" if not text or text.endswith("\n") else "\n"
    return text + joint + block
