"""Files that run inside the sandbox, sent there as text: they import one another and the standard library only.

Functions: `function_judge` forks the program away and reads the tests (`suites`), which reach it over `wire` in
`plain_values`. Standard input and output: `supervisor` forks one run an input, `payload_checker` reads what it printed.
"""
