"""Makes the home ready."""

from benchmarks.inside import setup
from web.cli.ready import make_ready

make_ready()
setup.answer({})
