"""Whether a file begins as its name says that it should: pictures, sounds, archives, text. Pure."""

_MAGIC: dict[tuple[str, ...], tuple[tuple[int, bytes], ...]] = {
    (".png",): ((0, b"\x89PNG\r\n\x1a\n"),),
    (".jpg", ".jpeg"): ((0, b"\xff\xd8\xff"),),
    (".gif",): ((0, b"GIF87a"), (0, b"GIF89a")),
    (".bmp",): ((0, b"BM"),),
    (".webp",): ((8, b"WEBP"),),
    (".tif", ".tiff"): ((0, b"II*\0"), (0, b"MM\0*")),
    (".wav",): ((8, b"WAVE"),),
    (".flac",): ((0, b"fLaC"),),
    (".ogg",): ((0, b"OggS"),),
    (".zip", ".npz"): ((0, b"PK\x03\x04"), (0, b"PK\x05\x06")),
    (".npy",): ((0, b"\x93NUMPY"),),
    (".gz",): ((0, b"\x1f\x8b"),),
    (".pdf",): ((0, b"%PDF-"),),
    (".parquet",): ((0, b"PAR1"),),
}
_TEXT = (".txt", ".csv", ".tsv", ".json", ".jsonl", ".md", ".xml", ".html", ".yaml", ".yml")
LOOKED_AT = 4096
"""Bytes of the beginning that are enough."""


def fits(name: str, head: bytes) -> bool:
    """Whether the beginning of a file is what its suffix promises; True where nothing is known of the suffix.

    Args:
        head: at most `LOOKED_AT` bytes.
    """
    lower = name.lower()
    for suffixes, starts in _MAGIC.items():
        if lower.endswith(suffixes):
            return any(head[at : at + len(magic)] == magic for at, magic in starts)
    return not lower.endswith(_TEXT) or _text(head)


def _text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return len(head) == LOOKED_AT and error.start > len(head) - 4  # a character that was cut in two
    return True
