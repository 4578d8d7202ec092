"""What makes rows good data: pure functions on values and frames. No engine, no disk, no stage."""
