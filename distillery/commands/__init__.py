"""One module a command, each with `main(arguments) -> exit code`; imported when its command runs."""
