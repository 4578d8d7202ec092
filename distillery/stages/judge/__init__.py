"""Stages that ask a judging model; `ballots` carries its votes. What it is shown and how it is read is `judging/`."""
