"""What lies in a pickle, taken apart and never run: arrays and tensors, lists, dicts, numbers and texts.

A pickle is a list of instructions for a machine with a stack. Python's machine calls whatever a pickle names;
this one calls nothing. It knows by heart the few names under which NumPy and torch keep arrays, and what any
other name would make stays shut.
"""

from __future__ import annotations

import codecs
import io
import math
import pickletools
import posixpath
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

#: torch's classes of storages, and the types of their numbers; bfloat16 is the upper half of float32
STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
#: the types of NumPy's arrays that are read; dates have a unit, which is told after the rest
TYPES = re.compile(r"(?:b1|[iuf][1248]|[SU]\d{1,6}|[Mm]8(\[(as|fs|ps|ns|us|ms|s|m|h|D|W|M|Y)\])?|O8?)")
#: instructions whose argument, which stands in the pickle, is the value
VALUES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
OPCODES = {opcode.code.encode("latin-1"): opcode for opcode in pickletools.opcodes}
MOST_STEPS = 20_000_000  # instructions of a pickle: lists of so many numbers are kept better as arrays
MOST_AXES, MOST_SIZE = 64, 2**48  # of an array
MOST_REPEATED = 2**25  # numbers of a tensor that has some of them many times
NAMELESS = "what has no name"
MISSING = (".NA", "._nat_unpickle", ".NaT")  # pandas' own values for none
#: what is called with long texts or bytes
ONCE = ("torch.storage._load_from_bytes", "_codecs.encode")
LEGACY = 0x1950A86A20F9469CFC6C  # what files begin with that torch wrote before 1.6, and within pickles
WRAPPED = ".numpy_pickle.NumpyArrayWrapper"  # an array of joblib, which lies behind in the stream
HAS_OBJECTS = 1  # a flag of NumPy's types
PIECE = 2**26  # bytes that are read at once, for what says how many there are may be wrong

Scalar = str | bytes | int | float | bool | None

#: reads a storage by its key, the type of its numbers, and how many there are
ReadStorage = Callable[[str, str, int], NDArray[Any]]


@dataclass(frozen=True)
class Name:
    """What a pickle calls by a module and a name. It is never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass
class Shut:
    """What a pickle would make by calling `name`, and which is not made."""

    name: Name | str
    given: tuple[Any, ...] = ()
    state: Any = None

    def __str__(self) -> str:
        return str(self.name)


@dataclass
class Held:
    """An array that is read when it is asked for. NumPy's have their shape only after they were made."""

    shape: tuple[int, ...] = ()
    read: Callable[[], NDArray[Any]] | None = None


@dataclass
class Type:
    """The type of a NumPy array; of one with fields, which is not read, its size is kept."""

    code: str
    order: str = "="
    size_of_fields: int = 0
    has_objects: bool = False

    def of_numpy(self) -> np.dtype[Any]:
        return np.dtype(f"{self.order if self.order in '<>' else '='}{self.code}")

    @property
    def size(self) -> int:
        return self.size_of_fields or self.of_numpy().itemsize


@dataclass(frozen=True)
class Storage:
    """Numbers of tensors, in one row."""

    read: Callable[[], NDArray[Any]]


def taken_apart(stream: IO[bytes], storage: ReadStorage | None = None, inner: bool = False) -> Any:
    """What the next pickle of a stream holds; `storage` reads torch's storages that lie beside it.

    Arrays and tensors are `Held`, and whatever is not known is `Shut`. Raises ValueError and others on what
    is no pickle. What torch.save wrote before 1.6 is read as what was saved; also within a pickle, but not
    `inner` to that again.
    """
    found = _Machine(storage, inner).run(stream)
    return _of_legacy(stream, inner) if isinstance(found, int) and found == LEGACY else found


def instructions(stream: IO[bytes]) -> Iterator[tuple[str, Any]]:
    """The instructions of the next pickle of a stream by their names, each with its argument.

    As pickletools.genops, but for the texts of Python 2, whose every byte may stand for itself.
    """
    while code := stream.read(1):
        opcode = OPCODES.get(code)
        if opcode is None:
            raise ValueError(f"it has an unknown instruction {code!r}")
        if opcode.name == "STRING":
            yield opcode.name, _line_of_python_2(stream)
        else:
            yield opcode.name, opcode.arg.reader(stream) if opcode.arg else None
        if opcode.name == "STOP":
            return
    raise ValueError("it ends before its last instruction")


def _line_of_python_2(stream: IO[bytes]) -> str:
    """A text in quotes, with escapes."""
    line = stream.readline().strip()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in (b"'", b'"'):
        raise ValueError("it holds a text without quotes")
    return codecs.escape_decode(line[1:-1])[0].decode("latin-1")


def _of_legacy(stream: IO[bytes], inner: bool) -> Any:
    """What torch.save wrote before 1.6, and writes into pickles, below its first number.

    That is two pickles of the machine it was written on, that of what was saved, that of the storages' keys,
    and all storages, each behind the count of its numbers.
    """
    for _ in range(2):
        _Machine(None, inner).run(stream)
    held: dict[str, NDArray[Any]] = {}
    machine = _Machine(lambda key, kind, count: held[key], inner)
    found = machine.run(stream)
    for key in map(str, _Machine(None, inner).run(stream)):
        count, kind = int.from_bytes(stream.read(8), "little"), machine.kinds.get(key)
        if kind is None:
            raise ValueError("it holds tensors of a type that is not read; save them as float32")
        held[key] = numbers(bytes_of(stream, count * _width(kind)), kind, count)
    return found


def bytes_of(stream: IO[bytes], size: int) -> bytes:
    """The next bytes of a stream, fewer where it ends."""
    pieces = []
    while size > 0 and (piece := stream.read(min(size, PIECE))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def numbers(raw: bytes, kind: str, count: int) -> NDArray[Any]:
    """The numbers (count,) of a storage from its bytes."""
    if len(raw) < count * _width(kind):
        raise ValueError(f"a storage of {count} numbers has {len(raw)} bytes")
    if kind == "bfloat16":
        return (np.frombuffer(raw, "<u2", count).astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(raw, np.dtype(kind).newbyteorder("<"), count)


def _width(kind: str) -> int:
    return 2 if kind == "bfloat16" else np.dtype(kind).itemsize


@dataclass
class _Machine:
    """A stack, a memo, and what each instruction does to them. Marks are kept as places of the stack."""

    storage: ReadStorage | None
    inner: bool
    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)  # of the storages that were named
    made: dict[tuple[str, int], tuple[Any, Any]] = field(default_factory=dict)  # of long texts and bytes
    stream: IO[bytes] = field(default_factory=io.BytesIO)

    def run(self, stream: IO[bytes]) -> Any:
        self.stream = stream
        for step, (name, argument) in enumerate(instructions(stream)):
            if step > MOST_STEPS:
                raise ValueError(f"it has over {MOST_STEPS:,} instructions; save numbers by np.save")
            if name in VALUES:
                self.stack.append(argument)
            else:
                self.step(name, argument)
        return self.stack.pop()

    def step(self, name: str, argument: Any) -> None:
        stack = self.stack
        match name:
            case "PROTO" | "FRAME" | "STOP" | "READONLY_BUFFER":
                pass
            case "MARK":
                self.marks.append(len(stack))
            case "POP":
                stack.pop()
            case "POP_MARK":
                self.since_mark()
            case "DUP":
                stack.append(stack[-1])
            case "NONE":
                stack.append(None)
            case "NEWTRUE" | "NEWFALSE":
                stack.append(name == "NEWTRUE")
            case "EMPTY_TUPLE":
                stack.append(())
            case "TUPLE":
                stack.append(tuple(self.since_mark()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                stack.append(tuple(self.last(int(name[-1]))))
            case "EMPTY_LIST" | "LIST":
                stack.append(self.since_mark() if name == "LIST" else [])
            case "APPEND" | "APPENDS" | "ADDITEMS":
                items = self.last(1) if name == "APPEND" else self.since_mark()
                if isinstance(stack[-1], list):
                    stack[-1].extend(items)
            case "EMPTY_SET" | "FROZENSET":  # which have no order
                if name == "FROZENSET":
                    self.since_mark()
                stack.append(Shut("a set"))
            case "EMPTY_DICT" | "DICT":
                made: dict[Any, Any] = {}
                put_in(made, self.since_mark() if name == "DICT" else [])
                stack.append(made)
            case "SETITEM" | "SETITEMS":
                items = self.last(2) if name == "SETITEM" else self.since_mark()
                put_in(stack[-1], items)
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self.memo[argument] = stack[-1]
            case "MEMOIZE":
                self.memo[len(self.memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(self.memo[argument])
            case "GLOBAL":
                stack.append(Name(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                module, name = self.last(2)
                both = isinstance(module, str) and isinstance(name, str)
                stack.append(Name(module, name) if both else Shut(NAMELESS))
            case "REDUCE" | "NEWOBJ":
                called, given = self.last(2)
                stack.append(self.called(name_of(called), given if isinstance(given, tuple) else ()))
            case "NEWOBJ_EX":
                called, given, _ = self.last(3)
                stack.append(Shut(name_of(called), given if isinstance(given, tuple) else ()))
            case "INST":
                stack.append(Shut(Name(*argument.split(" ", 1)), tuple(self.since_mark())))
            case "OBJ":
                called, *given = self.since_mark()
                stack.append(Shut(name_of(called), tuple(given)))
            case "BUILD":
                (state,) = self.last(1)
                built(stack[-1], state)
                if isinstance(stack[-1], Shut) and str(stack[-1]).endswith(WRAPPED):
                    stack[-1] = behind(state, self.stream)
            case "BINPERSID":
                (told,) = self.last(1)
                stack.append(self.named_storage(told))
            case "PERSID" | "EXT1" | "EXT2" | "EXT4" | "NEXT_BUFFER":
                stack.append(Shut(name))

    def since_mark(self) -> list[Any]:
        start = self.marks.pop()
        found = self.stack[start:]
        del self.stack[start:]
        return found

    def last(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise ValueError("it takes more than there is")
        found = self.stack[-count:]
        del self.stack[-count:]
        return found

    def called(self, name: Name | str, given: tuple[Any, ...]) -> Any:
        """What a known name makes; of long texts and bytes once, for a pickle may give the same often."""
        if str(name) not in ONCE or not given:
            return called_by_name(name, given)
        key = (str(name), id(given[0]))
        if key not in self.made:
            load = str(name) == "torch.storage._load_from_bytes" and isinstance(given[0], bytes)
            if load and not self.inner:
                self.made[key] = given[0], taken_apart(io.BytesIO(given[0]), inner=True)
            else:
                self.made[key] = given[0], called_by_name(name, given)
        return self.made[key][1]

    def named_storage(self, told: Any) -> Any:
        """A storage by torch's name for it: ("storage", class, key, device, count), perhaps a part of it."""
        match told:
            case ("storage", Name() as type_, str(key), _, int(count), *part):
                kind, read = STORAGES.get(type_.name), self.storage
            case ("module", Name() as type_, *_):  # before 1.6, a class with its source
                return type_
            case _:
                return Shut("a storage")
        if kind is None or read is None:
            return Shut(type_)
        self.kinds[key] = kind
        of = slice(None)
        if part and part[0] is not None:  # before 0.4
            _, start, size = part[0]
            if not are_sizes((start, size)):
                raise ValueError("a storage has a part that is none")
            of = slice(start, start + size)
        return Storage(lambda: read(key, kind, count)[of])


def behind(told: Any, stream: IO[bytes]) -> Any:
    """The array that joblib wrote behind what tells its shape and type: its bytes, or a pickle of objects."""
    match told:
        case {"shape": tuple(shape), "dtype": Type() as kind, "order": order} if are_sizes(shape):
            if kind.has_objects:
                found = taken_apart(stream, inner=True)
                return found if kind.code.startswith("O") else Held(shape)
            if told.get("numpy_array_alignment_bytes") is not None:
                stream.read(int.from_bytes(stream.read(1)))
            raw = bytes_of(stream, math.prod(shape) * kind.size)
            return of_bytes(Held(shape), shape, kind, order == "F", raw)
    raise ValueError("it holds an array of joblib that is not told as others are; save it by np.save")


def put_in(made: Any, items: list[Any]) -> None:
    """Put keys and values in turn into a dict; other keys than texts, numbers, paths, tuples are numbered."""
    if isinstance(made, dict):
        for key, value in zip(items[::2], items[1::2], strict=False):
            made[_key(key, f"({len(made)})")] = value


def _key(key: Any, otherwise: str) -> str | int | float | bool:
    match key:
        case str() | int() | float() | bool():
            return key
        case bytes():
            return key.decode("utf-8", "backslashreplace")
        case tuple() if all(isinstance(part, Scalar) for part in key):
            return str(key)
        case Shut(name=Name(module, _), given=(str(), *_) as parts) if module.startswith("pathlib"):
            return posixpath.join(*map(str, parts))
    return otherwise


def name_of(called: Any) -> Name | str:
    """The name that is called: of what another call made, the name of that."""
    return called if isinstance(called, Name) else called.name if isinstance(called, Shut) else NAMELESS


def called_by_name(called: Name | str, given: tuple[Any, ...]) -> Any:
    """What a known name makes of what it is given; shut, where it is not known."""
    name = str(called).replace("numpy.core.", "numpy._core.").replace("__builtin__.", "builtins.")
    match name, given:
        case "numpy._core.multiarray._reconstruct", _:
            return Held()
        case "numpy.dtype", (str(code), *_) if re.fullmatch(r"\w\d{0,9}", code):
            return Type(code, has_objects=code.startswith("O"))
        case "numpy._core.numeric._frombuffer", (bytes() | bytearray() as raw, Type() as kind, shape, order):
            return of_bytes(Held(), shape, kind, order == "F", raw)
        case "numpy._core.multiarray.scalar", (Type() as kind, bytes() | str() as raw):
            only = of_bytes(Held(), (), kind, False, raw if isinstance(raw, bytes) else raw.encode("latin-1"))
            if only.read is None:
                return Shut(called)
            return str(only.read()[()]) if kind.code[0] in "Mm" else only.read().item()
        case "_codecs.encode" | "builtins.bytearray" | "builtins.bytes", (str(text), "latin1" | "latin-1"):
            return text.encode("latin-1")
        case "builtins.bytearray" | "builtins.bytes", ():
            return b""
        case "builtins.bytearray" | "builtins.bytes", (bytes() as raw,):
            return raw
        case "copy_reg._reconstructor" | "copyreg._reconstructor" | "copyreg.__newobj__", (kind, *rest):
            return Shut(name_of(kind), tuple(rest))
        case "datetime.date", (bytes() as raw,) if len(raw) == 4:
            return f"{256 * raw[0] + raw[1]:04}-{raw[2]:02}-{raw[3]:02}"
        case ("collections.OrderedDict" | "builtins.dict", ()) | ("collections.defaultdict", _):
            return {}
        case "collections.OrderedDict", (list(pairs),) if all(len(pair) == 2 for pair in pairs):  # Python 2
            made: dict[Any, Any] = {}
            put_in(made, [part for pair in pairs for part in pair])
            return made
        case "torch._utils._rebuild_tensor_v2", (Storage() as held, int(start), tuple(size), tuple(by), _, _):
            return of_storage(held, start, size, by)
        case "torch._utils._rebuild_parameter", (Held() as tensor, *_):
            return tensor
    return Shut(called, given)


def built(made: Any, state: Any) -> None:
    """Give what was made its state."""
    match made, state:
        case Type(), (_, "<" | ">" | "|" | "=" as order, None, None, None, *rest):
            made.order = order
            if len(rest) == 4 and isinstance(rest[-1], tuple):  # of dates
                unit, *factors = rest[-1][1]
                known = isinstance(unit, bytes) and factors == [1, 1, 1]
                made.code += f"[{unit.decode('ascii')}]" if known else "[?]"
        case Type(), (_, _, _, _, _, int(size), int(), int(flags), *_):  # of several fields
            made.code, made.size_of_fields, made.has_objects = "shut", size, bool(flags & HAS_OBJECTS)
        case Type(), _:
            made.code = "shut"
        case Held(), (_, tuple(shape), Type() as kind, bool(turned), bytes() | bytearray() | list() as cells):
            of_bytes(made, shape, kind, turned, cells)
        case Held(), (_, tuple(shape), Type() as kind, bool(turned), str(letters)):  # of Python 2
            of_bytes(made, shape, kind, turned, letters.encode("latin-1"))
        case Shut(), _:
            made.state = state
        case dict(), _:
            pass  # of an OrderedDict, as a checkpoint's


def are_sizes(given: tuple[Any, ...]) -> bool:
    """Whether these are whole numbers that can be sizes of an array."""
    return len(given) <= MOST_AXES and all(isinstance(n, int) and 0 <= n < MOST_SIZE for n in given)


def of_bytes(
    made: Held, shape: Any, kind: Type, by_columns: bool, cells: bytes | bytearray | list[Any]
) -> Held:
    """A NumPy array from its bytes, or, of objects, from their list, which goes by rows in any case."""
    if not isinstance(shape, tuple) or not are_sizes(shape):
        raise ValueError("an array has a shape that is none")
    count, order = math.prod(shape), "F" if by_columns and not isinstance(cells, list) else "C"
    if isinstance(cells, list):
        flat = np.empty(len(cells), dtype=object)
        flat[:] = cells
    elif TYPES.fullmatch(kind.code) and not kind.code.startswith("O"):
        type_ = kind.of_numpy()
        if len(cells) != count * type_.itemsize:
            raise ValueError(f"an array of {count} cells has {len(cells)} bytes")
        flat = np.frombuffer(cells, type_) if count else np.empty(0, type_)
        if (
            type_.kind == "U"
            and count
            and np.frombuffer(cells, f"{type_.byteorder}u4").max() > sys.maxunicode
        ):
            raise ValueError("an array of texts holds what is no letter")
    else:
        return made
    if flat.size != count:
        raise ValueError(f"an array of {count} cells has {flat.size}")

    def read() -> NDArray[Any]:
        whole = flat.reshape(shape, order=order)  # type: ignore[call-overload]
        return whole if whole.dtype != object else _plain(whole)

    made.shape, made.read = shape, read
    return made


def _plain(cells: NDArray[Any]) -> NDArray[Any]:
    """Objects as texts, numbers, lists and arrays; what is shut as dicts, which are refused where used."""
    made = np.empty(cells.shape, dtype=object)
    for place, cell in np.ndenumerate(cells):
        if isinstance(cell, Held) and cell.read is not None:
            array = cell.read()
            made[place] = array if array.ndim else array.item()
        elif isinstance(cell, Scalar) or (
            isinstance(cell, list | tuple) and all(isinstance(each, Scalar) for each in cell)
        ):
            made[place] = cell
        elif not isinstance(cell, Name | Shut) or not str(cell).endswith(MISSING):
            made[place] = {"not opened": str(cell) if isinstance(cell, Name | Shut) else type(cell).__name__}
    return made


def of_storage(storage: Storage, start: int, size: tuple[Any, ...], steps: tuple[Any, ...]) -> Held:
    """A tensor from its storage: where it starts there, and by how many numbers each axis steps."""
    if len(size) != len(steps) or not (are_sizes(size) and are_sizes((start, *steps))):
        raise ValueError("a tensor has a shape that is none")
    count, last = math.prod(size), start + sum((n - 1) * step for n, step in zip(size, steps, strict=True))

    def read() -> NDArray[Any]:
        held = storage.read()
        if count and (last >= len(held) or count > max(MOST_REPEATED, len(held))):  # by steps of 0
            raise ValueError(f"a tensor of {count} numbers is larger than its storage")
        strides = [step * held.itemsize for step in steps]
        if not count:
            return np.empty(size, held.dtype)
        return np.lib.stride_tricks.as_strided(held[start:], size, strides, writeable=False).copy()

    return Held(size, read)
