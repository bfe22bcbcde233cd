"""Sets of whole numbers as a few ranges: which ids of a scope are settled."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import itemgetter

Range = tuple[int, int]


def merge(ranges: Iterable[Range]) -> list[Range]:
    """The same ids as ascending ranges (both ends inclusive) that neither overlap nor touch."""
    merged: list[Range] = []
    for low, high in sorted(ranges):
        if low > high:
            continue
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged


def holding(ranges: Sequence[Range], number: int) -> bool:
    """Whether one of the ranges, ascending and disjoint, holds the number."""
    index = bisect_right(ranges, number, key=itemgetter(0)) - 1
    return index >= 0 and number <= ranges[index][1]


def without(ranges: Iterable[Range], numbers: Iterable[int]) -> list[Range]:
    """The ranges cut around these numbers."""
    out = sorted(set(numbers))
    left: list[Range] = []
    for low, high in merge(ranges):
        start = low
        for number in out[bisect_right(out, low - 1) : bisect_right(out, high)]:
            if number > start:
                left.append((start, number - 1))
            start = number + 1
        if start <= high:
            left.append((start, high))
    return left
