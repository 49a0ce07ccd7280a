"""Versions of objects that a bucket of S3 keeps: what is deleted there stays, until each version of it is."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any


def kept(storage: Any, paths: Iterable[str]) -> dict[str, list[str]]:
    """Every version, the current one too, of objects in a bucket that keeps them: path → ids.

    Empty where the bucket keeps none, or nobody tells whether it does.

    Args:
        storage: the file system of s3fs.
        paths: `bucket/key`, all of one bucket.

    Raises:
        OSError: the storage cannot be asked.
    """
    keys = {tuple(storage.split_path(path)[:2]): path for path in paths}
    if not keys:
        return {}
    bucket = next(iter(keys))[0]
    if not _keeps(storage, bucket):
        return {}
    found: dict[str, list[str]] = {}
    for prefix in _prefixes([key for _bucket, key in keys]):
        for key, version in _listed(storage, bucket, prefix):
            if (bucket, key) in keys:
                found.setdefault(keys[bucket, key], []).append(version)
    return found


def remove(storage: Any, versions: Mapping[str, Sequence[str]]) -> None:
    """Delete versions for good. What the storage keeps all the same (a lock) is there when it is asked again.

    Raises:
        OSError: the storage cannot be asked.
    """
    pairs = [(*storage.split_path(path)[:2], one) for path, ids in versions.items() for one in ids]
    for start in range(0, len(pairs), _AT_ONCE):
        some = pairs[start : start + _AT_ONCE]
        objects = [{"Key": key, "VersionId": version} for _bucket, key, version in some]
        delete = {"Objects": objects, "Quiet": True}
        storage.call_s3("delete_objects", Bucket=some[0][0], Delete=delete)


_AT_ONCE = 1000


def refuse_missing(storage: Any, path: str) -> None:
    """A bucket that is not there has nothing, and proves nothing: asked for one object, it only says `no`.

    Raises:
        OSError: there is no such bucket, or the key may not list what is at the path.
    """
    bucket, key = storage.split_path(path)[:2]
    storage.call_s3("list_objects_v2", Bucket=bucket, Prefix=key, MaxKeys=1)


def _keeps(storage: Any, bucket: str) -> bool:
    try:
        answer = storage.call_s3("get_bucket_versioning", Bucket=bucket)
    except PermissionError:
        return False
    except OSError as error:
        response = getattr(error.__cause__, "response", None) or {}
        if response.get("Error", {}).get("Code") in ("NotImplemented", "MethodNotAllowed"):
            return False  # another maker's storage that knows no versions
        raise
    return answer.get("Status") in ("Enabled", "Suspended")


def _prefixes(keys: Sequence[str]) -> Sequence[str]:
    """One request for each object; for many the pages of all that is beside them."""
    return keys if len(keys) <= _FEW else [posixpath.commonprefix(keys)]


_FEW = 100


def _listed(storage: Any, bucket: str, prefix: str) -> Iterator[tuple[str, str]]:
    after: dict[str, str] = {}
    while True:
        page = storage.call_s3("list_object_versions", Bucket=bucket, Prefix=prefix, **after)
        for one in page.get("Versions", ()):
            yield one["Key"], one["VersionId"]
        if not page.get("IsTruncated"):
            return
        after = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
