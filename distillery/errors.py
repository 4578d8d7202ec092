"""Every error the factory raises on purpose.

* DistilleryError      something failed, and it says what (exit 1)
  x ConfigError        the user's YAML, prompt, file or flag is wrong (exit 2)
  x ContractError      a stage broke its word: columns, row conservation, schema (a bug; exit 3)
  x StoreError         what is on disk is not what the manifest says, or the disk is full (exit 4)
  x EngineError        a model or an endpoint cannot be used at all (exit 5)
  x StoppedError       it was told to stop, or a budget is used up; the same command goes on (exit 6)

One bad row is never an exception: it is a `Failure`, an `Outcome` or a ledger entry.
A message reads **place: what is wrong, with the value; what would be right.**
"""

from __future__ import annotations


class DistilleryError(Exception):
    exit_code = 1


class ConfigError(DistilleryError):
    exit_code = 2


class ContractError(DistilleryError):
    exit_code = 3


class StoppedError(DistilleryError):
    """Work was told to stop before its end; what is finished is saved."""

    exit_code = 6


class StoreError(DistilleryError):
    exit_code = 4


class EngineError(DistilleryError):
    exit_code = 5


def broken_promise(use: str, said: str) -> ConfigError | ContractError:
    """Of what stands behind the name `use`: ours, or by module:name a file of the user's own."""
    return ConfigError(said) if ":" in use else ContractError(said)
