"""What the few names that are known by heart make, where a pickle calls them; none is looked up or called."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from distaff.tables.readers.pickled_parts import (
    Held,
    Name,
    Scalar,
    Shut,
    Storage,
    Type,
    of_bytes,
    of_storage,
)

NAMELESS = "what has no name"
HAS_OBJECTS = 1  # a flag of NumPy's types


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
        case "collections.OrderedDict", (list(pairs),) if all(map(_is_pair, pairs)):  # Python 2
            made: dict[Any, Any] = {}
            put_in(made, [part for pair in pairs for part in pair])
            return made
        case "torch._utils._rebuild_tensor_v2", (Storage() as held, int(start), tuple(size), tuple(by), _, _):
            return of_storage(held, start, size, by)
        case "torch._utils._rebuild_parameter", (Held() as tensor, *_):
            return tensor
    return Shut(called, given)


def _is_pair(found: Any) -> bool:
    return isinstance(found, list | tuple) and len(found) == 2


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
