"""What a student would really be trained on: `check` finds `faults` in it, `view` shows it token by token."""
