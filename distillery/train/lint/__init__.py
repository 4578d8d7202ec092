"""What a student would really be trained on: `check` encodes each row as SFT does, `faults` are what can be wrong
with it, `view` shows it token by token."""
