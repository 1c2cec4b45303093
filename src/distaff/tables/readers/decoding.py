"""What is in a file that may be compressed; and its text, in whatever encoding it is."""

import bz2
import contextlib
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from distaff.errors import BadInput
from distaff.files import check_file, reading

COMPRESSIONS = (".gz", ".bz2", ".xz", ".z", ".lzma")
#: what a compressed file begins with, whatever it is called
OPENERS: dict[bytes, Any] = {
    b"\x1f\x8b": gzip.open,
    b"\xfd7zXZ": lzma.open,
    b"]\0\0": lzma.open,
    **{b"BZh%d1AY&SY" % level: bz2.open for level in range(1, 10)},
}
#: what zlib's streams begin with, and a text may: joblib writes them
ZLIB = (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")
OF_ZLIB = (".pkl", ".pickle", ".joblib", ".z")  # so they are looked for in these alone
#: folders in a .zip, what systems add, and what people write of it
BESIDE = re.compile(r"(?i)/$|^__MACOSX/|(^|/)(\._[^/]*|\.DS_Store|Thumbs\.db|desktop\.ini|readme[^/]*)$")
LARGEST = 2**31  # bytes, unpacked
#: what a text begins with that says its encoding
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def content_suffix(path: Path) -> str:
    """The suffix of what a file holds, in small letters: without that of a compression.

    Of a .zip it is that of the only file in it; BadInput where there are several.
    """
    name = path.name.lower()
    if name.endswith(".zip"):
        with _zipped(path) as (_, member):
            inner = Path(member.lower()).suffix
            return ".csv" if inner in ("", ".zip") else inner  # pandas calls a .csv in x.zip so
    for compressed in COMPRESSIONS:
        name = name.removesuffix(compressed)
    return Path(name).suffix


def decoded(path: Path) -> tuple[str, str]:
    """The text of a file with plain line ends, and its encoding."""
    data = unpacked(path)
    marked = [encoding for mark, encoding in MARKS.items() if data.startswith(mark)]
    text, encoding = None, ""
    for encoding in marked or ("utf-8", "cp1252"):
        with contextlib.suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            break
    if text is None or "\0" in text:
        raise BadInput(f"{path} is not text: it is neither UTF-8, UTF-16 with its mark, nor Windows-1252")
    plain = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")
    return plain, encoding.removesuffix("-sig")


def is_packed(path: Path) -> bool:
    """Whether a file is compressed: a .zip, or by what it begins with."""
    return path.suffix.lower() == ".zip" or _opener(path) is not open


def _opener(path: Path) -> Any:
    with path.open("rb") as file:
        start = file.read(10)
    if path.suffix.lower() in OF_ZLIB and start.startswith(ZLIB):
        return lambda path, _: io.BytesIO(_of_zlib(path))
    return next((opener for mark, opener in OPENERS.items() if start.startswith(mark)), open)


def unpacked(path: Path) -> bytes:
    """The bytes of a file, those in it where it is compressed."""
    check_file(path)
    try:
        with _opened(path) as file:
            data = file.read(LARGEST + 1)
    except BadInput:
        raise
    except Exception as error:  # each way of compression has errors of its own
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadInput(f"{path} cannot be unpacked: {error}") from None
    if len(data) > LARGEST:
        raise BadInput(
            f"{path} holds more than {LARGEST / 1e9:.1f} GB, unpacked; keep large tables as .npy or .parquet"
        )
    return data


def _of_zlib(path: Path) -> bytes:
    """What joblib compresses has no head but that of zlib."""
    stream = zlib.decompressobj()
    data = stream.decompress(path.read_bytes(), LARGEST + 1)
    if not stream.eof and len(data) <= LARGEST:
        raise ValueError("it ends too early")
    return data


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    if path.suffix.lower() == ".zip":
        with _zipped(path) as (archive, member), archive.open(member) as file:
            yield file
        return
    with _opener(path)(path, "rb") as file:
        yield file


@contextlib.contextmanager
def _zipped(path: Path) -> Iterator[tuple[zipfile.ZipFile, str]]:
    """A .zip, and the name of the only file in it, apart from those that systems and people put beside."""
    with reading(path, ".zip"), zipfile.ZipFile(path) as archive:
        held = [name for name in archive.namelist() if not BESIDE.search(name)]
        if len(held) != 1:
            names = ", ".join([*held[:4], *(["..."] if len(held) > 4 else [])])
            raise BadInput(
                f"{path} holds {len(held)} files; unpack it and give one of them: {names or 'none'}"
            )
        yield archive, held[0]
