"""What can be written into a pipeline: all stages, engines, checkers, rewards and options, in words and as a
schema.

It is read off the classes themselves: their docstrings, those below their fields, and what pydantic knows.
"""
