"""Keep freed memory in the process.

A training step frees and asks again for the same large buffers. glibc hands each back to the kernel, which
then clears every page anew. Told to keep them, it trains 1.3 to 1.5 times as fast on a CPU.
"""

import ctypes
import functools
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # glibc's malloc.h
_LARGE = 1 << 30


@functools.cache
def keep_freed_memory() -> bool:
    """Raise glibc's thresholds, once per process. False where the C library is another one."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    wanted = {_MMAP_THRESHOLD: _LARGE, _TRIM_THRESHOLD: 2 * _LARGE - 1, _TOP_PAD: 64 << 20}
    results = [mallopt(option, value) for option, value in wanted.items()]
    return results == [1, 1, 1]
