"""A stream as a torchmetrics metric: in Lightning, in a MetricCollection, in many processes.

It needs the extra `streams`: pip install 'distaff[streams]'.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from distaff.errors import BadInput
from distaff.scoring.stream import MOST, Stream
from distaff.tables import Continuous

try:
    from torchmetrics import Metric
except ImportError:
    raise BadInput("StreamMetric needs torchmetrics: pip install 'distaff[streams]'") from None

PIECES = 64  # that are kept apart before they are merged
LENGTH = 8  # bytes that say how long a piece is


class StreamMetric(Metric):
    """Scores of codes that come in batches, as torchmetrics has them: update, compute, forward, reset.

    Metrics, ranges and the rest are those of `distaff.Stream`; other keywords are torchmetrics' own.
    `compute` gives a dict of numbers by score name (for `log_dict`), of the rows of all processes: what each
    of them keeps is gathered and merged, however the rows were shared out. A DistributedSampler repeats up to
    as many rows as there are processes, less one; these count twice.
    """

    is_differentiable = False
    higher_is_better = None
    full_state_update = False

    def __init__(
        self,
        metrics: Sequence[str] | str | Mapping[str, Mapping[str, Any]],
        *,
        ranges: ArrayLike | None = None,
        factor_ranges: ArrayLike | None = None,
        continuous: Continuous = False,
        sample: int = MOST,
        seed: int = 0,
        **torchmetrics: Any,
    ) -> None:
        super().__init__(**torchmetrics)
        self._given: dict[str, Any] = {
            "metrics": metrics,
            "ranges": ranges,
            "factor_ranges": factor_ranges,
            "continuous": continuous,
            "sample": sample,
            "seed": seed,
        }
        self._row = 0  # of all updates, also before a reset: no two rows of a process have one number
        self._stream()  # says at once what is wrong with the settings
        self.pieces: list[torch.Tensor] | torch.Tensor
        self.add_state("pieces", default=[], dist_reduce_fx="cat")

    def update(self, codes: Any, factors: Any = None, **given: Any) -> None:
        """Take in the next rows, as `Stream.update` does."""
        stream = self._stream()
        stream.part, stream.row = _rank(), self._row
        stream.update(codes, factors, **given)
        self._row = stream.row
        assert isinstance(self.pieces, list)
        self.pieces.append(self._packed(stream))
        if len(self.pieces) >= PIECES:
            self.pieces = [self._packed(self.stream)]

    def compute(self) -> dict[str, torch.Tensor]:
        """The scores by name, float64; what has no value is left out."""
        found = self.stream.compute()
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in found.items()}

    @property
    def stream(self) -> Stream:
        """All that was seen, as a Stream."""
        whole, pieces = self._stream(), self.pieces
        if isinstance(pieces, list):
            pieces = torch.cat(pieces) if pieces else torch.empty(0, dtype=torch.uint8)
        content = pieces.cpu().numpy().tobytes()
        while content:
            size = int.from_bytes(content[:LENGTH], "little")
            piece, content = content[LENGTH : LENGTH + size], content[LENGTH + size :]
            other = self._stream()
            with np.load(io.BytesIO(piece), allow_pickle=False) as state:
                other.load(dict(state))
            whole.merge(other)
        return whole

    def sync(self, *args: Any, **kwargs: Any) -> None:
        """Gather what other processes keep; one that saw nothing gathers as well."""
        if isinstance(self.pieces, list) and not self.pieces:
            self.pieces = [torch.empty(0, dtype=torch.uint8, device=self.device)]
        super().sync(*args, **kwargs)

    def _stream(self) -> Stream:
        return Stream(**self._given)

    def _packed(self, stream: Stream) -> torch.Tensor:
        """A stream's state in bytes, after their number."""
        content = io.BytesIO()
        state: dict[str, Any] = stream.state()
        np.savez(content, **state)
        found = content.getvalue()
        whole = len(found).to_bytes(LENGTH, "little") + found
        return torch.frombuffer(bytearray(whole), dtype=torch.uint8).to(self.device)


def _rank() -> int:
    """The number of this process among those that train together."""
    there = torch.distributed.is_available() and torch.distributed.is_initialized()
    return torch.distributed.get_rank() if there else 0
