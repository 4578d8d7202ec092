"""Servers of our own: started with the engine, watched, started again when they die, ended with it.

`engine` asks them as any endpoint, `replicas` counts and revives them, `process` is one of them as a child,
and `keeper`, a program of its own beside each server, ends it however its owner ended.
"""
