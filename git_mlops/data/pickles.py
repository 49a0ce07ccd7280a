"""Pickles without unpickling: every opcode is followed on a stack of inert values, nothing is ever called.

What a pickle imports is all it can do, so that is what comes out. The walk does what Python's and joblib's
unpicklers do: names come from the memo, raw arrays that joblib writes between opcodes are stepped over, and
what stands there is also read as a plain `pickle.load` would read it, because a payload could hide there.
"""

import contextlib
import math
import re
import struct
from collections.abc import Callable
from typing import IO, NamedTuple

MOST_OPCODES = 20_000_000
MOST_REMEMBERED = 2_000_000
_MOST_IMPORTS = 10_000
_MOST_CONTAINERS = 1_000_000
_LONGEST_NAME = 512
_LONGEST_LINE = 1 << 16
_LARGEST_NESTED = 16 << 20
_DEEPEST = 4
_LONGEST_TUPLE = 32
_MOST_PICKLES = 1000


class BrokenPickleError(Exception):
    """Python would stop here as well."""


class TooLargeError(Exception):
    """More than can be followed in bounded time and memory."""


class Import(NamedTuple):
    """What an opcode fetches, and so may call; both empty when the name is computed while it is loaded."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}" if self.module else "a name that is computed"


COMPUTED = Import("", "")


class _Made(NamedTuple):
    """What a class would have been called for; its result could be anything."""

    of: Import | None
    args: object
    state: dict[object, object]


class _Mark:
    """What MARK pushes."""


_MARK = _Mark()
_ANYTHING = _Made(None, None, {})
"""The result of a call: even a text that names something."""
_U2, _I4, _U4, _U8 = (struct.Struct(code) for code in ("<H", "<i", "<I", "<Q"))
_NAME = re.compile(r"[\w.<> ]+")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-7]{1,3})")
_ITEM = re.compile(r"[<>=|]?([a-zA-Z])(\d*)")


def looks_like_one(head: bytes) -> bool:
    """Whether the first bytes are those of a pickle of protocol 2 or later."""
    return len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5


class Budget:
    """What may be spent on one file, and what was found in all of it."""

    def __init__(self) -> None:
        self.opcodes = MOST_OPCODES
        self.imports: set[Import] = set()
        self.hidden: set[Import] = set()
        self.containers = _MOST_CONTAINERS

    def spend(self) -> None:
        """One opcode."""
        self.opcodes -= 1
        if self.opcodes < 0:
            raise TooLargeError(f"more than {MOST_OPCODES:,} opcodes")


def walk(file: IO[bytes], size: int, budget: Budget, found: set[Import]) -> None:
    """Add what a pickle at the file's position, and those that follow it, import to `found`.

    Args:
        file: can be read and positioned; ends at `size`.

    Raises:
        BrokenPickleError: no pickle, or one that ends early; what it imported before that is in `found`.
        TooLargeError: the budget is used up.
    """
    _walk(file, size, budget, found, 0)


def _walk(file: IO[bytes], end: int, budget: "Budget", found: set[Import], depth: int) -> None:
    _Machine(file, end, budget, found, depth).run()
    for _following in range(_MOST_PICKLES):
        start = file.tell()
        head = file.read(3)
        file.seek(start)
        if start >= end or not looks_like_one(head):
            return
        # raw bytes after the last pickle may begin like one
        with contextlib.suppress(BrokenPickleError):
            _Machine(file, end, budget, found, depth).run()
            continue
        return


class _Machine:
    """One pickle being followed."""

    def __init__(self, file: IO[bytes], size: int, budget: Budget, found: set[Import], depth: int) -> None:
        self._file, self._size, self._budget, self._found, self._depth = file, size, budget, found, depth
        self._stack: list[object] = []
        self._memo: dict[int, object] = {}
        self._other: dict[int, object] = {}
        self._next = 0
        self._sparse: set[int] = set()

    def run(self) -> None:
        """Until STOP."""
        read, spend, table = self._file.read, self._budget.spend, _OPCODES
        while True:
            code = read(1)
            spend()
            step = table.get(code)
            if step is None:
                raise BrokenPickleError(f"no opcode {code!r}" if code else "it ends early")
            if step is _stop:
                return
            step(self)

    # reading

    def take(self, number: int) -> bytes:
        """Exactly so many bytes, of which there are few."""
        data = self._file.read(number)
        if len(data) != number:
            raise BrokenPickleError("it ends early")
        return data

    def skip(self, number: int) -> None:
        """Over bytes that are not looked at."""
        end = self._file.tell() + number
        if end > self._size:
            raise BrokenPickleError("it ends early")
        self._file.seek(end)

    def line(self) -> bytes:
        """A text argument of protocol 0."""
        data = self._file.readline(_LONGEST_LINE)
        if not data.endswith(b"\n"):
            raise BrokenPickleError("a line without an end")
        return data[:-1]

    def text(self, length: int) -> None:
        """Push text; one too long to be a name is only known to be there."""
        if length > _LONGEST_NAME:
            self._maybe_nested(length)
            self._stack.append(_ANYTHING)
        else:
            self._stack.append(self.take(length).decode("utf-8", "backslashreplace"))

    def bytes_(self, length: int) -> None:
        """Push bytes, after a look at whether they are a pickle themselves."""
        self._maybe_nested(length)
        self._stack.append(None)

    def _maybe_nested(self, length: int) -> None:
        start = self._file.tell()
        if start + length > self._size:
            raise BrokenPickleError("it ends early")
        if 4 <= length <= _LARGEST_NESTED and self._depth < _DEEPEST and looks_like_one(self.take(3)):
            self._file.seek(start)
            with contextlib.suppress(BrokenPickleError):  # it only began like one; what it found counts
                _walk(self._file, start + length, self._budget, self._budget.hidden, self._depth + 1)
        self._file.seek(start + length)

    # the stack

    def push(self, value: object) -> None:
        """On the stack."""
        self._stack.append(value)

    def pop(self) -> object:
        """From the stack."""
        if not self._stack:
            raise BrokenPickleError("its stack is empty")
        return self._stack.pop()

    def to_mark(self) -> list[object]:
        """All above the last mark, which goes too."""
        stack = self._stack
        at = len(stack) - 1
        while at >= 0 and stack[at] is not _MARK:
            at -= 1
        if at < 0:
            raise BrokenPickleError("a mark is missing")
        items = stack[at + 1 :]
        del stack[at:]
        return items

    def top(self) -> object:
        """What is on top, left there."""
        if not self._stack:
            raise BrokenPickleError("its stack is empty")
        return self._stack[-1]

    def container(self) -> dict[object, object] | None:
        """A dictionary that is followed, as long as there are not too many."""
        self._budget.containers -= 1
        return {} if self._budget.containers > 0 else None

    # the memo

    def remember(self, at: int | None) -> None:
        """The top of the stack; in the next free place without `at`."""
        value = self.top()
        if at is None:
            at = self._next + len(self._sparse)
        if at == self._next and not self._sparse:
            self._next += 1
        elif at >= self._next:
            self._sparse.add(at)
        if value is None and not self._other:
            self._memo.pop(at, None)
        else:
            self._memo[at] = value
        if len(self._memo) + len(self._sparse) > MOST_REMEMBERED:
            raise TooLargeError(f"it remembers more than {MOST_REMEMBERED:,} values")

    def recall(self, at: int) -> None:
        """Push what was remembered."""
        if at in self._memo:
            self._stack.append(self._memo[at])
        elif at in self._other:
            self._stack.append(self._other[at])
        elif at < self._next or at in self._sparse:
            self._stack.append(None)
        else:
            raise BrokenPickleError("it recalls what it never remembered")

    def fetch(self, module: object, name: object) -> None:
        """Push an import."""
        known = isinstance(module, str) and isinstance(name, str)
        if not known and (not isinstance(module, str | _Made) or not isinstance(name, str | _Made)):
            raise BrokenPickleError("a name that is no text")
        if known and not (_NAME.fullmatch(str(module)) and _NAME.fullmatch(str(name))):
            raise BrokenPickleError("a name that nothing can have")
        found = Import(str(module), str(name)) if known else COMPUTED
        self._note(found)
        self._stack.append(found)

    def _note(self, found: Import) -> None:
        self._found.add(found)
        if len(self._found) > _MOST_IMPORTS:
            raise TooLargeError(f"it imports more than {_MOST_IMPORTS:,} things")

    def call(self, what: object, args: object) -> None:
        """Push what a call would give."""
        of = what if isinstance(what, Import) else None
        if of is not None and of.name == "_reconstructor" and isinstance(args, tuple) and args:
            of, args = (args[0] if isinstance(args[0], Import) else None), None
        followed = of is not None and of.name in ("dtype", "NumpyArrayWrapper")
        state = self.container() if followed else None
        if state is not None:
            self._stack.append(_Made(of, args, state))
        else:
            self._stack.append(None if of is not None and _makes_no_text(of) else _ANYTHING)

    def build(self) -> None:
        """Set a state. joblib's placeholder of an array is followed by the array itself."""
        state, what = self.pop(), self.top()
        if isinstance(what, Import):
            # the attributes of a module or class change: `collections.OrderedDict.__init__ = os.system`
            self._note(COMPUTED if what == COMPUTED else Import(what.module, f"{what.name}.__dict__"))
        if not isinstance(what, _Made) or what.of is None:
            return
        if isinstance(state, dict):
            what.state.update(state)  # a few keys: others were never kept
        elif what.of.name == "dtype" and isinstance(state, tuple):
            what.state["state"] = state
        if what.of.name == "NumpyArrayWrapper" and what.of.module.startswith("joblib."):
            self._array(what)

    def _array(self, wrapper: _Made) -> None:
        start = self._file.tell()
        plain = _Machine(self._file, self._size, self._budget, self._budget.hidden, self._depth)
        few = len(self._stack) + len(self._sparse) <= _MOST_PICKLES
        plain._stack, plain._sparse = (list(self._stack), set(self._sparse)) if few else ([], set())
        plain._other, plain._next = self._memo, self._next
        with contextlib.suppress(BrokenPickleError):
            plain.run()
        self._file.seek(start)
        dtype, shape = wrapper.state.get("dtype"), wrapper.state.get("shape")
        item = _item_size(dtype)
        if item is None or not isinstance(shape, tuple) or not all(isinstance(n, int) for n in shape):
            raise BrokenPickleError("an array of joblib whose size is not known")
        if item == _OBJECTS:
            if self._depth >= _DEEPEST:
                raise TooLargeError("it nests too deeply")
            return _Machine(self._file, self._size, self._budget, self._found, self._depth + 1).run()
        if isinstance(wrapper.state.get("numpy_array_alignment_bytes"), int):
            self.skip(self.take(1)[0])
        count = math.prod(n for n in shape if isinstance(n, int))
        if count < 0:
            raise BrokenPickleError("an array of negative size")
        return self.skip(count * item)


_OBJECTS = -1
_NO_TEXT = frozenset(("_reconstruct", "_frombuffer", "array", "ndarray", "scalar", "dtype"))


def _makes_no_text(called: Import) -> bool:
    """Whether the result is certainly no plain text, the only thing that can name an import."""
    last = called.name.rpartition(".")[2]
    return last[:1].isupper() or last in _NO_TEXT or last.startswith(("__", "_rebuild_", "csr_", "csc_"))


def _item_size(dtype: object) -> int | None:
    """Bytes of one item; `_OBJECTS` for pickled ones."""
    if not isinstance(dtype, _Made) or not isinstance(dtype.args, tuple) or not dtype.args:
        return None
    match = _ITEM.fullmatch(dtype.args[0]) if isinstance(dtype.args[0], str) else None
    if match is None:
        return None
    state = dtype.state.get("state")
    if match[1] == "O" or (isinstance(state, tuple) and _has_objects(state)):
        return _OBJECTS
    return int(match[2] or 1) * (4 if match[1] == "U" else 1)


def _has_objects(state: tuple[object, ...]) -> bool:
    """Whether the fields of a structured type hold objects: the flags, the eighth part, say so."""
    flags = state[7] if len(state) > 7 else 0
    return isinstance(flags, int) and bool(flags & 0x1)


_Step = Callable[[_Machine], None]
_OPCODES: dict[bytes, _Step] = {}


def _opcode(*codes: bytes) -> Callable[[_Step], _Step]:
    def add(step: _Step) -> _Step:
        _OPCODES.update(dict.fromkeys(codes, step))
        return step

    return add


@_opcode(b".")
def _stop(_machine: _Machine) -> None:
    """Never run: the loop ends before."""


@_opcode(b"(")
def _mark(machine: _Machine) -> None:
    machine.push(_MARK)


@_opcode(b"0")
def _pop(machine: _Machine) -> None:
    machine.pop()


@_opcode(b"1")
def _pop_mark(machine: _Machine) -> None:
    machine.to_mark()


@_opcode(b"2")
def _dup(machine: _Machine) -> None:
    machine.push(machine.top())


def _fixed(codes: dict[bytes, int]) -> None:
    """Values of a fixed length that name nothing."""
    for code, length in codes.items():

        def step(machine: _Machine, length: int = length) -> None:
            if length:
                machine.take(length)
            machine.push(None)

        _OPCODES[code] = step


_fixed({b"N": 0, b"\x88": 0, b"\x89": 0, b"G": 8, b"]": 0, b"l": 0, b"\x8f": 0, b"\x97": 0})


def _number(code: bytes, length: int, read: Callable[[bytes], int]) -> None:
    _OPCODES[code] = lambda machine: machine.push(read(machine.take(length)))


_number(b"K", 1, lambda data: data[0])
_number(b"M", 2, lambda data: int(_U2.unpack(data)[0]))
_number(b"J", 4, lambda data: int(_I4.unpack(data)[0]))


@_opcode(b"\x8a")
def _long1(machine: _Machine) -> None:
    machine.push(int.from_bytes(machine.take(machine.take(1)[0]), "little", signed=True))


@_opcode(b"\x8b")
def _long4(machine: _Machine) -> None:
    machine.skip(_U4.unpack(machine.take(4))[0])
    machine.push(None)


@_opcode(b"I", b"L")
def _int_line(machine: _Machine) -> None:
    text = machine.line()[:32].rstrip(b"L")
    machine.push(int(text) if re.fullmatch(rb"[+-]?\d{1,20}", text) else None)


@_opcode(b"F")
def _float_line(machine: _Machine) -> None:
    machine.line()
    machine.push(None)


@_opcode(b"S", b"V")
def _text_line(machine: _Machine) -> None:
    data = machine.line().strip()
    if data[:1] in (b"'", b'"'):
        data = data[1:-1]
    text = _ESCAPE.sub(_unescaped, data.decode("utf-8", "backslashreplace"))
    machine.push(text if len(text) <= _LONGEST_NAME else _ANYTHING)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16) if code[0] in "ux" else int(code, 8) & 0xFF)


def _sized(code: bytes, length: struct.Struct | None, push: Callable[[_Machine, int], None]) -> None:
    def step(machine: _Machine) -> None:
        number = machine.take(1)[0] if length is None else length.unpack(machine.take(length.size))[0]
        push(machine, number)

    _OPCODES[code] = step


for _code, _length in ((b"\x8c", None), (b"X", _U4), (b"\x8d", _U8), (b"U", None), (b"T", _U4)):
    _sized(_code, _length, _Machine.text)  # U and T are Python 2's texts, which name things as well
for _code, _length in ((b"C", None), (b"B", _U4), (b"\x8e", _U8), (b"\x96", _U8)):
    _sized(_code, _length, _Machine.bytes_)


@_opcode(b"\x80")
def _proto(machine: _Machine) -> None:
    machine.take(1)


@_opcode(b"\x95")
def _frame(machine: _Machine) -> None:
    machine.take(8)


@_opcode(b"\x98")
def _readonly(machine: _Machine) -> None:
    machine.top()


def _tuple(machine: _Machine, items: list[object]) -> None:
    machine.push(tuple(items) if len(items) <= _LONGEST_TUPLE else None)


_OPCODES[b")"] = lambda machine: machine.push(())
_OPCODES[b"\x85"] = lambda machine: _tuple(machine, _several(machine, 1))
_OPCODES[b"\x86"] = lambda machine: _tuple(machine, _several(machine, 2))
_OPCODES[b"\x87"] = lambda machine: _tuple(machine, _several(machine, 3))
_OPCODES[b"t"] = lambda machine: _tuple(machine, machine.to_mark())
_OPCODES[b"}"] = lambda machine: machine.push(machine.container())


def _several(machine: _Machine, number: int) -> list[object]:
    return [machine.pop() for _ in range(number)][::-1]


@_opcode(b"d")
def _dict(machine: _Machine) -> None:
    items = machine.to_mark()
    machine.push(machine.container())
    _set(machine, items)


@_opcode(b"l", b"\x91")
def _list(machine: _Machine) -> None:
    machine.to_mark()
    machine.push(None)


@_opcode(b"a")
def _append(machine: _Machine) -> None:
    machine.pop()
    machine.top()


@_opcode(b"e", b"\x90")
def _appends(machine: _Machine) -> None:
    machine.to_mark()
    machine.top()


@_opcode(b"s")
def _setitem(machine: _Machine) -> None:
    _set(machine, _several(machine, 2))


@_opcode(b"u")
def _setitems(machine: _Machine) -> None:
    _set(machine, machine.to_mark())


def _set(machine: _Machine, items: list[object]) -> None:
    """The entries that a state of joblib can have are kept."""
    target = machine.top()
    if isinstance(target, dict):
        target.update((k, v) for k, v in zip(items[::2], items[1::2], strict=False) if k in _KEPT_KEYS)


class _Kept:
    """The keys of joblib's placeholders; what is no text is none of them."""

    _names = frozenset(("shape", "dtype", "order", "subclass", "numpy_array_alignment_bytes"))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key in self._names


_KEPT_KEYS = _Kept()


@_opcode(b"p")
def _put(machine: _Machine) -> None:
    machine.remember(_index(machine.line()))


@_opcode(b"g")
def _get(machine: _Machine) -> None:
    machine.recall(_index(machine.line()))


def _index(data: bytes) -> int:
    if not re.fullmatch(rb"\s*\d{1,10}\s*", data):
        raise BrokenPickleError("a place that is no number")
    return int(data)


_OPCODES[b"q"] = lambda machine: machine.remember(machine.take(1)[0])
_OPCODES[b"r"] = lambda machine: machine.remember(_U4.unpack(machine.take(4))[0])
_OPCODES[b"\x94"] = lambda machine: machine.remember(None)
_OPCODES[b"h"] = lambda machine: machine.recall(machine.take(1)[0])
_OPCODES[b"j"] = lambda machine: machine.recall(_U4.unpack(machine.take(4))[0])


@_opcode(b"c")
def _global(machine: _Machine) -> None:
    module, name = machine.line(), machine.line()
    machine.fetch(module.decode("utf-8", "backslashreplace"), name.decode("utf-8", "backslashreplace"))


@_opcode(b"\x93")
def _stack_global(machine: _Machine) -> None:
    name, module = machine.pop(), machine.pop()
    machine.fetch(module, name)


@_opcode(b"i")
def _inst(machine: _Machine) -> None:
    args = machine.to_mark()
    _global(machine)
    machine.call(machine.pop(), tuple(args[:_LONGEST_TUPLE]))


@_opcode(b"o")
def _obj(machine: _Machine) -> None:
    items = machine.to_mark()
    if not items:
        raise BrokenPickleError("a call of nothing")
    machine.call(items[0], tuple(items[1:_LONGEST_TUPLE]))


@_opcode(b"R", b"\x81")
def _reduce(machine: _Machine) -> None:
    args, what = machine.pop(), machine.pop()
    machine.call(what, args)


@_opcode(b"\x92")
def _newobj_ex(machine: _Machine) -> None:
    _kwargs, args, what = machine.pop(), machine.pop(), machine.pop()
    machine.call(what, args)


@_opcode(b"b")
def _build(machine: _Machine) -> None:
    machine.build()


@_opcode(b"P")
def _persid(machine: _Machine) -> None:
    machine.line()
    machine.push(_ANYTHING)


@_opcode(b"Q")
def _binpersid(machine: _Machine) -> None:
    machine.pop()
    machine.push(_ANYTHING)


def _extension(machine: _Machine, number: int) -> None:
    machine.fetch("copyreg", f"extension {number}")


_sized(b"\x82", None, _extension)
_sized(b"\x83", _U2, _extension)
_sized(b"\x84", _U4, _extension)
