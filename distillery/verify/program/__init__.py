"""The checker of programs: `check` reads the payload, `bundle` sends our judge along, `stdio_runs` runs many inputs.

What runs beside the program is `in_sandbox/`; what the sandbox is, `distillery.sandbox`.
"""
