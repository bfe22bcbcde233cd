"""Killing a real process at every named point, and counting what the world saw of it."""
