"""Real servers on loopback for tests and benchmarks, each stopped by its own process id."""
