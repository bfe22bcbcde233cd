"""Real servers on loopback for tests and benchmarks: each starts in a folder of its own and is stopped by its own id."""
