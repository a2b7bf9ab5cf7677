"""Where labels of points stand, so that none lies on another or on a mark."""

from collections.abc import Sequence

import numpy as np

from backtest.types import FloatArray

MARK = 0.055  # inches: half the width of a mark
NEAR = 0.14  # inches from the mark within which a label needs no line to it
RADII = (0.11, 0.18, 0.27, 0.38, 0.52, 0.7, 0.9)  # inches tried, the nearest first
ANGLES = np.radians([20, 160, 340, 200, 70, 110, 250, 290, 0, 180, 45, 135, 225, 315])

Box = tuple[float, float, float, float]  # left, bottom, right, top


def placed_labels(
    points: FloatArray,
    sizes: Sequence[tuple[float, float]],
    room: tuple[float, float],
    *,
    taken: Sequence[Box] = (),
) -> FloatArray:
    """Middles of the labels of points, each as near to its point as the others leave it.

    Parameters
    ----------
    points : (points, 2) inches from the lower left corner of a panel.
    sizes : width and height of each label, inches. room : width and height of the panel.
    taken : left, bottom, right and top of places where other words stand.

    Returns
    -------
    (points, 2) inches. Where nothing is free, a label stands where it covers least.

    Examples
    --------
    >>> middles = placed_labels(np.array([[1.0, 1.0], [1.0, 1.0]]), [(0.1, 0.1)] * 2, (3.0, 2.0))
    >>> bool(np.abs(middles[0] - middles[1]).max() > 0.1)
    True
    """
    boxes: list[Box] = [*taken, *((x - MARK, y - MARK, x + MARK, y + MARK) for x, y in points)]
    middles = np.empty((len(sizes), 2))
    for n, (point, (width, height)) in enumerate(zip(points, sizes, strict=True)):
        best = np.inf
        for radius in RADII:
            for angle in ANGLES:
                away = np.array([np.cos(angle), np.sin(angle)])
                middle = point + away * (radius + np.abs(away) * np.array([width, height]) / 2)
                box = _box(middle, width, height)
                covered = sum(_shared(box, other) for other in boxes) + _outside(box, room)
                if covered < best - 1e-12:
                    best, middles[n] = covered, middle
            if best <= 0.0:
                break
        boxes.append(_box(middles[n], width, height))
    return middles


def apart(places: Sequence[float], *, least: float) -> list[float]:
    """Ascending places moved apart, each as little as the others leave it.

    least : between two of them.

    Examples
    --------
    >>> [round(place, 2) for place in apart([0.0, 1.0, 1.1], least=0.2)]
    [0.0, 0.95, 1.15]
    """
    # Pushed to the right as far as needed, and to the left: the mean of both keeps the distance.
    right, left = list(places), list(places)
    for n in range(1, len(right)):
        right[n] = max(right[n], right[n - 1] + least)
    for n in range(len(left) - 2, -1, -1):
        left[n] = min(left[n], left[n + 1] - least)
    return [0.5 * (one + other) for one, other in zip(left, right, strict=True)]


def _box(middle: FloatArray, width: float, height: float) -> Box:
    x, y = float(middle[0]), float(middle[1])
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _shared(one: Box, other: Box) -> float:
    """Area that two boxes share, square inches."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


def _outside(box: Box, room: tuple[float, float]) -> float:
    """Area of a box beyond the panel, which counts ten times: a label must not leave the sheet."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    return 10.0 * (area - _shared(box, (0.0, 0.0, *room)))
