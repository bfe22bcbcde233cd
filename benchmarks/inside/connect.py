"""Connects a mailbox: SETTINGS PASSWORD."""

import sys

from benchmarks.inside import setup

setup.connect(sys.argv[1], sys.argv[2])
setup.answer({})
