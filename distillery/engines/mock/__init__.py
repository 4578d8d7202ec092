"""An OpenAI-compatible server that plays a model, for dry runs and tests: `distillery mock-server`.

`server` speaks HTTP, `bodies` knows the protocol's JSON, `replies` decides what is said and what goes wrong.
"""
