"""The named points at which a test may kill this process; they lie with the leftmost layer that has some."""

from connectors.killpoints import ALL, arm, reach

__all__ = ["ALL", "arm", "reach"]
