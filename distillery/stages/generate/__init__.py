"""generate.traces (`traces`), and what it asks about one shard (`trace_interview`)."""
