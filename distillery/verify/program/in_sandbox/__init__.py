"""What runs inside the sandbox, sent there as text: it imports its like and the standard library only.

Functions: `function_judge` forks the program away and reads the tests (`suites`), which reach it over `wire`
in `plain_values`; `operations` are what they may do to each other's things, and `statements` says when a test
sees what became of its own. Standard input and output: `supervisor` forks a run an input, `payload_checker`
reads them.
"""
