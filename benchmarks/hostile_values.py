"""What nobody expects: words, numbers, JSON, cells, shapes, types, headers, names, and a pickle that acts."""

from __future__ import annotations

import io
import os
from typing import Any

import numpy as np

SCRIPT = "<script>alert(1)</script>"
WORDS = [
    "", "a\0b", "../../etc/passwd", "/", "/etc", "~", "/dev/zero", SCRIPT, "$x^{$", "\ud800", "😀\u202e\r\n",
]  # fmt: skip
NUMBERS = [
    0, 1, -1, 2**31, 2**63, -(2**64), 10**400, 0.5, -0.0, 1e-320, 1e39, 1e308, float("nan"), float("inf"),
]  # fmt: skip
HOSTILE: list[Any] = [
    *WORDS, *NUMBERS, None, True, False, "x" * 100_000, "linear:0:4:9", "cosine:0:1e308:1", "nan",
    "DEEP", "DIGITS", [], {}, [[]], [None], [1e9] * 3, [1] * 2000, {"a": {}}, {SCRIPT: SCRIPT}, {"x": [0, 1]},
    {"factors": ["x", "y"], "sigma": 0},
]  # fmt: skip
CELLS = [
    *WORDS[:-2], "nan", "inf", "1e400", "1_0", "1_0.5", "١", "0x1", "9" * 5000, "x" * 130_000, "x" * 140_000,
    '"', '"a\nb"', "=1+1", "\ufeff", "-0", "1e-320", "True", "1,2", "\r", "\u2028",
]  # fmt: skip
SHAPES = [
    (0,), (), (1,), (2, 2), (12, 2), (80, 3), (12, 16, 16), (12, 16, 16, 3), (0, 2), (3, 0), (0, 16, 16),
]  # fmt: skip
TYPES = [
    "f2", "f4", "f8", "g", "c8", "i1", "i8", "u8", "?", "M8[s]", "m8[D]", "U3", "S3", "V4", "V0", "i4,f4",
    ">f8",
]  # fmt: skip
PROMISED = [-1, 0, 1, 2, 12, 16, 2**20, 2**31, 2**33, 2**40, 2**62, 2**64, 10**400, 1.5, "x", None, (1,)]
PROMISED_TYPES = [
    "|O", "<f4", "|V0", "|V2000000000", "<U500000000", "|S0", ">c16", "", "x" * 99, "O,O", "|u1",
]  # fmt: skip
HEADERS = ["(" * 5000, "{" * 300, "[" * 9000 + "]" * 9000, "__import__('os')", "1" * 9000, "", "{1:2}"]
MEMBERS = ["../../up.npy", "/abs.npy", "images", "images.npz", "x", "a\0.npy", "é.npy", "x" * 9000]
TENSORS = ["{}.x", "step", "optimiser/adam/0/x", "optimiser/adam/99/step", "model/x"]
TENSOR_TYPES = {"F32": ("I32", "U32"), "F64": ("I64", "C64"), "I64": ("F64", "U64", "C64"), "F16": ("BF16",)}
CHUNKS = [b"zTXt", b"iTXt", b"tEXt", b"tRNS", b"PLTE", b"iCCP", b"eXIf", b"acTL", b"fcTL", b"gAMA", b"pHYs"]
FOREIGN = ["eps", "gif", "tiff", "bmp", "webp", "ppm", "ico", "tga", "pcx", "sgi", "im"]
EXTREMES = [0, 1, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 1]


class Payload:
    """Makes the file FUZZ_MARKER if it is ever unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (os.environ["FUZZ_MARKER"], "w"))


def npy(array: Any) -> bytes:
    """An array as the bytes of an .npy file."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()
