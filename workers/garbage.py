"""How often Python looks for cyclic garbage in a process that works through rows."""

from __future__ import annotations

import gc

_YOUNG = 20_000  # objects between two looks; CPython's 700 means a look every few mails


def spare_the_loaded() -> None:
    """Call once everything is imported: what lives as long as the process is never walked again.

    Django and the models are some 300,000 objects; without this a tenth of the time of a busy send goes into
    walking them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)
