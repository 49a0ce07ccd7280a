"""What an import of a pickle can do when it is loaded: `known` harmless, `dangerous`, or `unknown`.

A list of what is allowed, because a list of what is forbidden is never whole: pickles of the usual libraries
are made of their classes and of a few functions; what else they import is told.
"""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Literal

from git_mlops.data.pickles import COMPUTED, Import

ENGINE = "1"
"""Raised when a verdict could come out otherwise: here, in `pickles` or in `modelscan`."""

Danger = Literal["known", "dangerous", "unknown"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_DANGEROUS = _words(
    """
    _aix_support _ctypes _io _osx_support _pickle _posixshmem _posixsubprocess _pyio _pyrepl _socket
    _sqlite3 _thread _winapi aiohttp ast asyncio bdb builtins.__dict__ cProfile cffi cgi cloudpickle cmd
    code codeop commands compileall concurrent cPickle ctypes dbm dill distutils doctest ensurepip fabric
    faulthandler fcntl ftplib fsspec gc glob http httpx httplib idlelib imaplib imp importlib inspect invoke
    io ipykernel IPython linecache logging lib2to3 mailcap marshal mmap multiprocessing nntplib nt ntpath
    numba os paramiko pathos pdb pexpect pickle pickletools pip pkg_resources pkgutil platform plumbum
    poplib popen2 posix posixpath profile pstats pty py_compile pydoc requests resource rlcompleter runpy
    setuptools sh shelve shutil signal site smtplib socket socketserver sqlite3 ssl subprocess sys sysconfig
    tarfile telnetlib tempfile test threading timeit tkinter trace tracemalloc turtle types unittest urllib
    urllib2 urllib3 uuid venv webbrowser wsgiref xmlrpc xmlrpclib zipapp zipfile zipimport zipp
    """
)
"""Modules with which a pickle runs programs, evaluates text, opens files or connections, loads more code."""

_MEMBERS = _words(
    """
    __import__ __loader__ __builtins__ __getattribute__ __globals__ __subclasses__ __code__ __dict__
    __reduce__ attrgetter breakpoint call_command check_call check_output compile delattr eval exec
    exec_command exec_module execfile execv execve fdopen find_class getattr getoutput getstatusoutput
    globals import_module import_string load_module locals methodcaller popen Popen read_pickle runcode
    runctx runsource runstring setattr spawn spawnl spawnv startfile system unsafe_load urlopen urlretrieve
    vars
    """
)
"""Names that mean the same wherever they are imported from."""

_BUILTINS = _words(
    """
    bool bytearray bytes complex dict enumerate float frozenset int list long map object range reversed set
    slice str tuple unicode xrange zip Ellipsis NotImplemented
    """
)

_STANDARD = {
    "_codecs": ("encode",),
    "argparse": ("Namespace",),
    "array": ("array", "_array_reconstructor"),
    "collections": ("OrderedDict", "defaultdict", "deque", "Counter", "ChainMap", "namedtuple"),
    "copyreg": ("_reconstructor", "__newobj__", "__newobj_ex__"),
    "copy_reg": ("_reconstructor", "__newobj__", "__newobj_ex__"),
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
    "decimal": ("Decimal",),
    "_decimal": ("Decimal",),
    "enum": ("*",),
    "fractions": ("Fraction",),
    "io": ("BytesIO", "StringIO"),
    "_io": ("BytesIO", "StringIO"),
    "logging": ("getLogger", "Logger"),
    "functools": ("partial",),
    "math": ("*",),
    "operator": ("add", "sub", "mul", "truediv", "neg", "itemgetter", "eq", "lt", "gt"),
    "pathlib": ("P*Path", "WindowsPath", "Path"),
    "pathlib._local": ("P*Path", "WindowsPath", "Path"),
    "random": ("Random",),
    "re": ("_compile",),
    "types": ("SimpleNamespace",),
    "uuid": ("UUID", "SafeUUID"),
    "zoneinfo": ("ZoneInfo", "ZoneInfo._unpickle"),
}
"""Standard modules → what of them only makes values."""

_LIBRARIES = _words(
    """
    catboost imblearn joblib lightgbm numpy onnx optuna pandas polars pyarrow pytz dateutil safetensors
    scipy sentence_transformers skl2onnx sklearn sktime skops statsmodels tokenizers torch torchvision
    transformers xgboost xarray
    """
)

_REACHING = re.compile(
    r"numpy\.(f2py|distutils|testing|ctypeslib|_pytesttester|lib\._?(npyio|format|utils)|.*\bnpyio)(\.|$)"
    r"|pandas\.(io|core\.computation|util|_testing|compat)(\.|$)|joblib\.(externals|memory|_parallel|parallel|test)"
    r"|scipy\.(io|weave|_lib\._testutils)(\.|$)|sklearn\.(datasets|externals|utils\._testing|conftest)(\.|$)"
    r"|torch\.(hub|_inductor|_dynamo|jit|utils\.(cpp_extension|bottleneck|collect_env|data)|distributed|package"
    r"|multiprocessing|testing|serialization|_ops|ops|fx|compiler|cuda\._utils)(\.|$)"
    r"|transformers\.(dynamic_module_utils|utils\.hub)|pyarrow\.(fs|_fs|csv|parquet|plasma)(\.|$)|polars\.(io|sql)"
)
"""Parts of those libraries that read files, start programs or run text."""

_MAKING = _words(
    """
    torch.serialization._get_layout torch.jit._pickle.restore_type_tag torch.fx.node
    torch.jit._pickle.build_intlist torch.utils.data._utils.collate torch.package._mock
    """
)
_FUNCTIONS = _words(
    """
    load loads open save savez tofile fromfile memmap genfromtxt loadtxt savetxt dump dumps fromregex run
    call remove unlink rename rmtree write read_csv read_json to_csv query
    """
)
_DOTTED = re.compile(r"(_?[A-Z]\w*\.)+\w+")


def judge(found: Import, trusted: Iterable[str] = ()) -> Danger:
    """What can be said of one import.

    Args:
        trusted: dotted patterns (`mycompany.models.*`) that the project vouches for.
    """
    if found == COMPUTED or found.name.endswith("__dict__"):
        return "dangerous"
    if any(fnmatchcase(str(found), pattern) for pattern in trusted):
        return "known"
    top = found.module.partition(".")[0]
    if top in ("builtins", "__builtin__"):
        return _builtin(found.name)
    allowed = _STANDARD.get(found.module)
    if allowed is not None and any(fnmatchcase(found.name, pattern) for pattern in allowed):
        return "known"
    if top in _DANGEROUS or _MEMBERS & {*found.name.split("."), *found.module.split(".")[1:]}:
        return "dangerous"
    return _of_library(found, top)


def _builtin(name: str) -> Danger:
    if name in _BUILTINS or re.fullmatch(r"[A-Z]\w*(Error|Exception|Warning)|(Stop|Keyboard)\w+", name):
        return "known"
    harmless = ("print", "len", "sum", "min", "max", "abs", "sorted", "round", "repr", "hash", "type", "iter")
    return "unknown" if name in harmless else "dangerous"


def _of_library(found: Import, top: str) -> Danger:
    whole = str(found)
    if top not in _LIBRARIES:
        return "unknown"
    if whole in _MAKING:
        return "known"
    if _REACHING.match(f"{whole}."):
        return "dangerous" if not found.name[:1].isupper() else "unknown"
    if "." in found.name and not _DOTTED.fullmatch(found.name):
        return "dangerous"  # `sklearn.base` `os.system`: another module reached through a library
    last = found.name.rpartition(".")[2]
    if last in ("load", "loads"):
        return "dangerous"  # another pickle
    return "unknown" if last in _FUNCTIONS or last.startswith(("to_", "read_")) else "known"
