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
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from numpy.typing import NDArray

from distaff.tables.readers.pickled_names import NAMELESS, built, called_by_name, name_of, put_in
from distaff.tables.readers.pickled_parts import (
    STORAGES,
    Held,
    Name,
    Shut,
    Storage,
    Type,
    are_sizes,
    numbers,
    of_bytes,
    width,
)

#: instructions whose argument, which stands in the pickle, is the value
VALUES = {
    *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
OPCODES = {opcode.code.encode("latin-1"): opcode for opcode in pickletools.opcodes}
MOST_STEPS = 20_000_000  # instructions of a pickle: lists of so many numbers are kept better as arrays
#: what is called with long texts or bytes
ONCE = ("torch.storage._load_from_bytes", "_codecs.encode")
LEGACY = 0x1950A86A20F9469CFC6C  # what files begin with that torch wrote before 1.6, and within pickles
WRAPPED = ".numpy_pickle.NumpyArrayWrapper"  # an array of joblib, which lies behind in the stream
PIECE = 2**26  # bytes that are read at once, for what says how many there are may be wrong

#: reads a storage by its key, the type of its numbers, and how many there are
ReadStorage = Callable[[str, str, int], NDArray[Any]]


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
    # as Python's own pickle does
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
        held[key] = numbers(bytes_of(stream, count * width(kind)), kind, count)
    return found


def bytes_of(stream: IO[bytes], size: int) -> bytes:
    """The next bytes of a stream, fewer where it ends."""
    pieces = []
    while size > 0 and (piece := stream.read(min(size, PIECE))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


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
        """What an instruction does to the stack and the memo."""
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
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self.memo[argument] = stack[-1]
            case "MEMOIZE":
                self.memo[len(self.memo)] = stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                stack.append(self.memo[argument])
            case _:
                self.collect(name, argument)

    def collect(self, name: str, argument: Any) -> None:
        """The instructions that make tuples, lists, sets and dicts, and fill them."""
        stack = self.stack
        match name:
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
            case _:
                self.call(name, argument)

    def call(self, name: str, argument: Any) -> None:
        """The instructions that name something, and would call it."""
        stack = self.stack
        match name:
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
