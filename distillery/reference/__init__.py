"""What can be written into a pipeline: every stage, engine, checker, reward and option, in words and as a JSON Schema.

All of it is read off the classes themselves: their docstrings, those below their fields, and what pydantic knows.
"""
