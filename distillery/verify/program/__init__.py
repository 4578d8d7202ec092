"""The checker of programs: `check` reads the payload, `bundle` sends our judge, `stdio_runs` runs inputs.

What runs beside the program is `in_sandbox/`; what the sandbox is, `distillery.sandbox`.
"""
