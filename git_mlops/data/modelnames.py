"""Which names could be those of model files. On the path of every commit: imports nothing."""

_MODELS = (
    ".pkl", ".pickle", ".joblib", ".jl", ".pt", ".pth", ".ckpt", ".bin", ".npy", ".npz", ".dill", ".sav",
    ".model", ".keras", ".h5", ".hdf5", ".mar", ".p", ".pkl.gz", ".pkl.bz2", ".pkl.xz", ".joblib.gz",
    ".pkl.z",
)  # fmt: skip
_OTHERS = (
    ".csv", ".tsv", ".parquet", ".pq", ".jsonl", ".ndjson", ".json", ".arrow", ".feather", ".orc",
    ".avro", ".sqlite", ".db", ".txt", ".md", ".rst", ".html", ".xml", ".yaml", ".yml", ".toml", ".ini",
    ".cfg", ".log", ".py", ".ipynb", ".sh", ".sql", ".r", ".js", ".css", ".pdf", ".svg", ".png", ".jpg",
    ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".wav", ".mp3", ".flac", ".ogg", ".mp4", ".avi",
    ".mov", ".mkv", ".safetensors", ".onnx", ".gguf", ".tflite", ".csv.gz", ".tsv.gz", ".jsonl.gz",
    ".ndjson.gz", ".json.gz", ".txt.gz", ".csv.zst", ".tsv.zst", ".jsonl.zst", ".ndjson.zst", ".xlsx",
)  # fmt: skip


def certainly(path: str) -> bool:
    """Whether its name says that it is a model, or an array."""
    return path.lower().endswith(_MODELS)


def maybe(path: str) -> bool:
    """Whether its name says nothing else: then its first bytes are looked at."""
    return not path.lower().endswith(_OTHERS)
