"""Long seeded runs: kills, SMTP faults, fuzzing. What is finished is remembered: a run goes on another day."""
