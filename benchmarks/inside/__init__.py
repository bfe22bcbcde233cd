"""Each module here runs in a process of its own (benchmarks.ground.run_inside) and prints one JSON object."""
