"""Bad days, from the wire to the sentence and the row that people read."""
