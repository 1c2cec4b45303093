"""A cartoon head that turns: features lie on a solid of revolution and are painted by where they lie on it.

A place on the head is (along, y): along the skin to the viewer's right of the middle of the face, and down
from the middle of the head. Lengths are in units of ZOOM pixels of the 64 x 64. `turn` is in degrees, to the
viewer's right.
"""

from typing import NamedTuple

import numpy as np

from distaff.drawing import painting
from distaff.drawing.kept import Floats
from distaff.drawing.painting import Painting, Places, Region, arc, ellipse

HAIR_STYLES = ("bald", "short", "long", "curly")
SURFACES = 3
BACKGROUND, SKIN, HAIR, WHITE, DARK, RED, SHIRT, CAP = range(8)  # paints
#: RGB of all but the first three
_FIXED = np.array(
    [[255, 255, 255], [30, 28, 36], [190, 42, 52], [215, 225, 235], [40, 85, 200]], dtype=np.float32
) / np.float32(255)
ZOOM = 1.14
X, Y = painting.X / ZOOM, painting.Y / ZOOM
DOWN = 1.5  # the middle of the head, below that of the picture
WIDE, TALL = 13.5, 17.0  # half of the head

#: how far down hair reaches at so many degrees from the middle of the face, by style
_AROUND = (0, 30, 52, 68, 80, 98, 112, 180)
_HAIRLINES = {
    "short": (-9.5, -10.0, -7.5, -3.0, 2.5, 3.0, 8.0, 10.0),
    "long": (-12.0, -9.0, -5.0, 2.0, 12.0, 20.0, 20.0, 20.0),
    "curly": (-8.5, -8.0, -6.0, -3.0, 1.0, 3.0, 9.0, 11.0),
}


class Shell(NamedTuple):
    """The head's surface, or one around it: where each fine pixel lies on it."""

    inside: Region
    angle: Places  # degrees from the middle of the face to the viewer's right
    along: Places
    y: Places
    light: Places

    def half(self, width: float) -> Region:
        """The pixels within so many degrees of the middle of the face."""
        return self.inside & (np.abs(self.angle) < width)


def shell(turn: float, size: float = 1.0) -> Shell:
    """The head's surface at a turn, enlarged to `size`."""
    y = Y - DOWN
    height = np.clip(y / (size * TALL), -1, 1)
    radius = size * WIDE * np.sqrt(1 - height**2) * (1 - 0.12 * height)  # narrower at the chin
    across = np.clip(X / np.maximum(radius, 1e-9), -1, 1)
    angle = np.degrees(np.arcsin(across)) - turn
    near = np.sqrt(1 - across**2)
    light = np.clip(0.8 - 0.1 * across - 0.1 * height + 0.2 * near, 0, 1)
    return Shell(np.abs(X) < radius, angle, np.radians(angle) * WIDE, np.broadcast_to(y, angle.shape), light)


def face(style: int, beard: bool, glasses: bool, smile: bool, cap: bool, turn: float) -> Floats:
    """Masks (6, 64, 64) of a face: background, skin, hair, then light that is red, green and blue."""
    picture, head = Painting(), shell(turn)
    _behind(picture, HAIR_STYLES[style], turn)
    _bust(picture)
    _ears(picture, turn, front=False)
    picture.add(head.inside, SKIN, head.light)
    _eyes(picture, head)
    if beard:
        _beard(picture, head)
    _mouth(picture, head, smile)
    _nose(picture, turn)
    _ears(picture, turn, front=True)
    if HAIR_STYLES[style] != "bald":
        _hair(picture, HAIR_STYLES[style], turn)
    if glasses:
        _glasses(picture, turn)
    if cap:
        _cap(picture, turn)
    return picture.masks(SURFACES, _FIXED)


def _sideways(degrees: float, radius: float) -> tuple[float, float]:
    """How far to the right, and how near, something turned by so many degrees about the upright axis is."""
    return radius * float(np.sin(np.radians(degrees))), radius * float(np.cos(np.radians(degrees)))


def _behind(picture: Painting, style: str, turn: float) -> None:
    """Hair behind the head."""
    back = _sideways(turn + 180, 3.0)[0]
    if style == "curly":
        picture.add(_cloud(back, DOWN - 5, 18.5, 1.0), HAIR, 0.72)
    if style == "long":
        fall = (np.abs(X - back) < 16.5 + 0.06 * (Y - DOWN)) & (Y > DOWN - 4)
        crown = ellipse(X, Y, (back, DOWN - 4), (16.3, 15))
        picture.add(crown | fall & (Y < 25), HAIR, 0.68)


def _cloud(x: float, y: float, radius: float, bumps: float) -> Region:
    """A disc with a bumpy edge."""
    way = np.arctan2(Y - y, X - x)
    return np.asarray((X - x) ** 2 + (Y - y) ** 2 < (radius + bumps * np.abs(np.sin(6.5 * way))) ** 2)


def _bust(picture: Painting) -> None:
    picture.add((np.abs(X) < 5.5) & (Y > DOWN + 10), SKIN, 0.74)
    picture.add(ellipse(X, Y, (0, 33.5), (23, 12.5)), SHIRT)
    picture.add(ellipse(X, Y, (0, 21.5), (6.5, 3.5)), SKIN, 0.74)


def _ears(picture: Painting, turn: float, front: bool) -> None:
    """The ears that are in front of the middle of the head, or behind it."""
    for side in (-90, 90):
        x, near = _sideways(side + turn, WIDE)
        if (near > 1e-6) == front:
            wide = 2.4 + 1.0 * abs(near) / WIDE
            picture.add(ellipse(X, Y, (x, DOWN + 1), (wide, 4)), SKIN, 0.92)
            picture.add(ellipse(X, Y, (x, DOWN + 1), (0.5 * wide, 2.4)), SKIN, 0.72)


def _eyes(picture: Painting, head: Shell) -> None:
    """Eyes and brows."""
    for side in (-1, 1):
        for centre, half, paint in (
            ((5.4 * side, -0.5), (3.0, 3.4), WHITE),
            ((5.2 * side, -0.1), (1.7, 2.3), DARK),
            ((5.2 * side + 0.6, -1.0), (0.65, 0.8), WHITE),
        ):
            picture.add(head.inside & ellipse(head.along, head.y, centre, half), paint)
        brow = arc(head.along, head.y, (5.4 * side, -6.8), (3.8, 1.15), 1.0)
        picture.add(head.inside & brow, HAIR, 0.8)


def _mouth(picture: Painting, head: Shell, smile: bool) -> None:
    if not smile:
        picture.add(head.inside & arc(head.along, head.y, (0, 9.3), (4.4, 0.8), 0.5), RED, 0.85)
        return
    bow = 1 - (head.along / 6.4) ** 2
    picture.add(head.inside & (head.y > 7.2 + 0.8 * bow) & (head.y < 7.2 + 5.8 * bow), RED)
    teeth = (head.y > 7.2 + 0.8 * bow) & (head.y < 7.2 + 2.8 * bow) & (bow > 0.1)
    picture.add(head.inside & teeth, WHITE)


def _beard(picture: Painting, head: Shell) -> None:
    """Cheeks, chin and moustache."""
    cheeks = head.y > np.interp(np.abs(head.angle), (0, 35, 60, 85, 100), (5.2, 7.0, 5.5, 0.0, 0.0))
    picture.add(head.half(95) & cheeks, HAIR, head.light * 0.92)


def _nose(picture: Painting, turn: float) -> None:
    tip, _ = _sideways(turn, 1.22 * WIDE)
    root, _ = _sideways(turn, 0.98 * WIDE)
    share = np.clip((Y - DOWN + 1.5) / 5, 0, 1)  # from the root down to the tip
    ridge = np.abs(X - root - (tip - root) * share) < 0.5 + 1.3 * share
    picture.add(ridge & (Y > DOWN - 1.5) & (Y < DOWN + 3.5), SKIN, 0.88)
    picture.add(ellipse(X, Y, (tip, DOWN + 3.7), (2.3, 1.8)), SKIN, 0.78)
    picture.add(ellipse(X, Y, (tip - 0.4, DOWN + 3.2), (1.6, 1.2)), SKIN, 0.96)


def _hair(picture: Painting, style: str, turn: float) -> None:
    """Hair on the head, down to the style's hairline."""
    around = shell(turn, 1.18 if style == "curly" else 1.1)
    line = np.interp(np.abs(around.angle), _AROUND, _HAIRLINES[style])
    if style == "curly":
        line = line + 0.9 * np.abs(np.sin(np.radians(7 * around.angle)))
    if style == "short":  # a parting
        line = line + np.where(around.half(45), 0.05 * around.along, 0)
    picture.add(around.inside & (around.y < line), HAIR, around.light)
    if style == "long":
        for side in (-78, 78):
            x, near = _sideways(side + turn, WIDE)
            if near > 0:
                lock = (np.abs(X - x) < 3.0) & (Y > DOWN - 4) & (Y < 23)
                picture.add(lock, HAIR, 0.86)


def _glasses(picture: Painting, turn: float) -> None:
    front = shell(turn, 1.1)
    rims = [ellipse(front.along, front.y, (5.4 * side, -0.3), (4.9, 4.9)) for side in (-1, 1)]
    lenses = [ellipse(front.along, front.y, (5.4 * side, -0.3), (3.8, 3.8)) for side in (-1, 1)]
    lens = lenses[0] | lenses[1]
    picture.dim(front.inside & lens, 0.85)
    bridge = np.abs(front.y + 1.2) < 0.6
    arms = front.half(85) & (np.abs(front.along) > 9) & (np.abs(front.y + 1.2) < 0.6)
    frame = (rims[0] | rims[1] | (bridge & (np.abs(front.along) < 3))) & ~lens
    picture.add(front.half(85) & (frame | arms), DARK)


def _cap(picture: Painting, turn: float) -> None:
    """A cap with a visor, a part of a disc whose front hangs down."""
    around = shell(turn, 1.16)
    picture.add(around.inside & (around.y < -10.5), CAP, around.light)
    ahead = (Y - DOWN + 12.2) / 0.17
    degrees = np.degrees(np.arctan2(X, ahead)) - turn
    visor = (np.abs(degrees) < 58) & (X**2 + ahead**2 < 21.0**2)
    picture.add(visor, CAP, 0.72)
