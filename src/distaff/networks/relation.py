"""The relation network that chooses the answer which completes a matrix.

Santoro et al. 2017, arXiv:1706.01427, as in the wild relation network of Barrett et al. 2018,
arXiv:1807.04225: an answer is judged with the eight panels of the matrix, as nine objects. What a network
makes of every ordered pair of them is added up, and a second network makes a number of the sum.

Differences from disentanglement_lib: the mean over the pairs, of which there are always 81, stands for the
sum, so that fresh networks see numbers of about unit size; no dropout, since matrices never repeat.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

PANELS = 9  # objects of an answer's judgement: the panels of the matrix, the last of which is the answer


class Relations(nn.Module):
    """Codes of the context (B, 8, d) and of answers (B, a, d) to a logit of every answer (B, a).

    Both networks have layers of `width`; pairs pass `layers` of them. Pairs of two context panels, which are
    the same for every answer, are gone through once.
    """

    def __init__(self, size: int, width: int, layers: int = 2) -> None:
        super().__init__()
        self.first = nn.Linear(size + PANELS, width)
        self.second = nn.Linear(size + PANELS, width, bias=False)  # the two make the pairs' first layer
        self.pairs = nn.Sequential(nn.ReLU(), *_layers(width, layers - 1))
        self.judge = nn.Sequential(*_layers(width, 2), nn.Linear(width, 1))

    def forward(self, context: Tensor, answers: Tensor) -> Tensor:
        """The logits; a softmax over the answers says how likely each is the right one."""
        panels = self._placed(context, range(PANELS - 1))
        last = self._placed(answers, [PANELS - 1] * answers.shape[1])
        first, second = self.first(panels), self.second(panels)  # (B, 8, w)
        own, own_second = self.first(last), self.second(last)  # (B, a, w)
        among = first[:, :, None] + second[:, None]  # (B, 8, 8, w)
        to = first[:, None] + own_second[:, :, None]  # (B, a, 8, w)
        back = own[:, :, None] + second[:, None]
        groups = [among, to, back, (own + own_second)[:, :, None]]
        related = self.pairs(torch.cat([each.flatten(1, 2) for each in groups], dim=1))
        parts = related.split([each.shape[1] * each.shape[2] for each in groups], dim=1)
        sums = [
            part.unflatten(1, each.shape[1:3]).sum(dim=2) for part, each in zip(parts, groups, strict=True)
        ]
        total = sums[0].sum(dim=1, keepdim=True) + sums[1] + sums[2] + sums[3]  # (B, a, w)
        logits: Tensor = self.judge(total / PANELS**2).squeeze(-1)
        return logits

    @staticmethod
    def _placed(codes: Tensor, places: range | list[int]) -> Tensor:
        """Codes (B, n, d) with the place of each panel beside it, one-hot: (B, n, d + 9)."""
        marks = torch.eye(PANELS, dtype=codes.dtype, device=codes.device)[list(places)]
        return torch.cat([codes, marks.expand(len(codes), -1, -1)], dim=2)


def _layers(width: int, count: int) -> list[nn.Module]:
    pairs = ((nn.Linear(width, width), nn.ReLU()) for _ in range(count))
    return list(itertools.chain.from_iterable(pairs))
