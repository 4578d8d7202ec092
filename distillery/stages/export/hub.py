"""export.hub: a data set in the hub's layout, with its card; pushed only when told to.

The folder loads with `datasets.load_dataset` as it is. It is written under another name and renamed when it
is whole, so that a push that fails leaves a finished folder to push again.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import polars as pl

from distillery.curate.publish import hub_rows
from distillery.curate.publish.card import render_card
from distillery.curate.publish.hub_rows import CHOSEN, SAMPLES, take
from distillery.errors import ConfigError, DistilleryError
from distillery.hashing import sha256
from distillery.records import empty
from distillery.stages.base import ExportJob, Sink
from distillery.stages.export import hub_files
from distillery.stages.export.hub_card import front_matter, gather
from distillery.stages.export.hub_files import ShardedWriter, read, row_count
from distillery.stages.export.hub_push import push
from distillery.stages.export.hub_survey import Survey, fates, survey

log = logging.getLogger(__name__)

Config = Literal["default", "sft", "rl", "raw"]
_PROBLEMS_PER_GROUP = 2_500  # with all their samples in memory at once
_MOST_GROUPS = 256  # files open at once


@dataclass(frozen=True)
class ExportHub(Sink):
    """Writes configs `default`, `sft`, `rl` and, with `raw` naming a stage of all samples, `raw`.

    ingest.hub reads each back by its name. The pipeline goes along without what is this machine's own:
    addresses, paths, `env`, `command`, `extra_body`.

    - id: hub
      use: export.hub
      with: {raw: checked, license: apache-2.0, repo: me/my-traces}
    """

    raw: str = ""
    """Id of the stage whose table has every sample, kept or not; "": there is no config `raw`."""
    configs: tuple[Config, ...] = ()
    """Which to write; []: all that can be written."""
    rows_per_shard: int = 10_000
    """Rows of one parquet file."""
    pretty_name: str = ""
    """The data card's title; "": the repository's name."""
    license: str = "other"
    """As the hub spells it: apache-2.0, mit, cc-by-4.0, ..."""
    languages: tuple[str, ...] = ()
    """Of the texts, for the card: codes as en, zh; []: those that its rows tell."""
    tags: tuple[str, ...] = ("synthetic", "reasoning", "distillation")
    """For the card."""
    source_licenses: dict[str, str] = field(default_factory=dict[str, str])
    """The licence of each source, for the card."""
    repo: str = ""
    """Where to push, owner/name; "": nowhere."""
    push: bool = False
    """Upload the finished folder to `repo`."""
    private: bool = True
    """Make the repository private, where it is a new one."""

    version = 5
    reads = ("problem_id", "trace_id", "question", "gold", "text", "messages")

    def __post_init__(self) -> None:
        if self.push and self.repo.count("/") != 1:
            raise ConfigError(f"export.hub.repo: {self.repo!r} with push; it must be owner/name")
        if "raw" in self.configs and not self.raw:
            raise ConfigError(
                "export.hub.configs: 'raw' without the option raw; name the stage that has every sample"
            )
        if self.rows_per_shard < 1:
            raise ConfigError(f"export.hub.rows_per_shard: {self.rows_per_shard}; it must be at least 1")

    def export(self, job: ExportJob) -> dict[str, float]:
        if not job.out.exists():
            self._write(job)
        folder = job.out / "data"
        written = {config: sorted((folder / config).glob("*.parquet")) for config in self._configs(job)}
        counts: dict[str, float] = {config: row_count(files) for config, files in written.items()}
        counts["files"] = sum(map(len, written.values()))
        counts["bytes"] = sum(file.stat().st_size for files in written.values() for file in files)
        counts["pushed"] = float(self.push and self._push(job.out))
        return counts

    def _configs(self, job: ExportJob) -> list[Config]:
        wanted = self.configs or ("default", "sft", "rl", "raw")
        return [config for config in wanted if config != "raw" or job.raw is not None]

    def _write(self, job: ExportJob) -> None:
        part = job.out.with_name(f"{job.out.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        if row_count(job.tables) == 0:
            raise DistilleryError(
                "export.hub: its input has no rows, so there is no data set to write;"
                " see what the stages before it dropped"
            )
        seen = survey(job.tables, raw=job.raw, private=job.private)
        self._write_tables(job, part / "data", seen)
        if "raw" in self._configs(job):
            self._write_raw(job, part / "data" / "raw", seen)
        facts = gather(
            job,
            seen,
            folder=part / "data",
            configs=[config for config in self._configs(job) if (part / "data" / config).exists()],
            name=self.pretty_name or self.repo.rpartition("/")[2] or "Verified reasoning traces",
            repo=self.repo or str(job.out.name),
            licences=self.source_licenses,
        )
        head = front_matter(
            facts,
            folder=part / "data",
            licence=self.license,
            languages=self.languages or seen.languages,
            tags=self.tags,
        )
        (part / "README.md").write_text(f"{head}\n{render_card(facts)}", encoding="utf-8")
        (part / "pipeline.yaml").write_text(job.pipeline, encoding="utf-8")
        (part / "SHA256SUMS").write_text(_sums(part), encoding="utf-8")
        part.replace(job.out)

    def _write_tables(self, job: ExportJob, folder: Path, seen: Survey) -> None:
        """`sft`, `rl` and `default` in one pass over the tables, each in a thread of its own."""
        firsts = seen.ids["first"] & seen.ids["verifiable"]
        rows = {"sft": seen.ids.height, "rl": int(firsts.sum()), "default": int(seen.ids["first"].sum())}
        wanted: list[Config] = [config for config in self._configs(job) if config != "raw"]
        writers: dict[Config, ShardedWriter] = {
            config: self._writer(folder / config, config, rows=rows[config]) for config in wanted
        }
        samples = hub_files.nearby(job.tables, job.raw or job.tables) if "default" in wanted else None
        columns = {name for config in wanted for name in hub_rows.READS[config]}
        near = Nearby()
        begin = 0
        with ThreadPoolExecutor(len(wanted) or 1) as threads:
            for number, table in enumerate(read(job.tables, columns, job.private)):
                begun = seen.ids["first"].slice(begin, table.height)
                todo: dict[Config, Callable[[], pl.DataFrame]] = {
                    "sft": partial(hub_rows.sft_rows, table),
                    "rl": partial(_rl, table, firsts.slice(begin, table.height)),
                    "default": partial(
                        _default, table.filter(begun), near.of(samples[number]) if samples else []
                    ),
                }
                begin += table.height
                done = [
                    threads.submit(_add, writer, todo[config])
                    for config, writer in writers.items()
                    if config != "default" or samples is not None
                ]
                for future in done:
                    future.result()
        if "default" in wanted and samples is None:
            self._write_scattered(job, folder / "default", writers["default"], seen)
        for writer in writers.values():
            writer.close()

    def _write_raw(self, job: ExportJob, folder: Path, seen: Survey) -> None:
        samples = job.raw or ()
        left = fates(job.ledger, job.history, job.private)
        writer = self._writer(folder, "raw", rows=row_count(samples))
        for table in read(samples, hub_rows.READS["raw"], job.private):
            writer.add(hub_rows.raw_rows(table, kept=seen.ids, left=left))
        writer.close()

    def _write_scattered(self, job: ExportJob, folder: Path, writer: ShardedWriter, seen: Survey) -> None:
        """Samples of a problem stand in many shards: rows are grouped on disk first, in their order."""
        problems = seen.ids.filter("first").select("problem_id")
        size = max(_PROBLEMS_PER_GROUP, -(-problems.height // _MOST_GROUPS))
        groups = problems.with_columns(group=pl.int_range(pl.len()) // size)
        parts = folder.parent.parent / "groups"
        hub_files.split_by_group(
            (take(t, CHOSEN) for t in read(job.tables, CHOSEN, job.private)), groups, parts / "chosen"
        )
        every = job.raw or job.tables
        hub_files.split_by_group((take(t, SAMPLES) for t in read(every, SAMPLES)), groups, parts / "samples")
        for group in range(-(-problems.height // size)):
            chosen = hub_files.read_group(parts / "chosen", group, CHOSEN)
            writer.add(hub_rows.default_rows(chosen, hub_files.read_group(parts / "samples", group, SAMPLES)))
        shutil.rmtree(parts)

    def _writer(self, folder: Path, config: Config, *, rows: int) -> ShardedWriter:
        return ShardedWriter(folder, hub_rows.SCHEMAS[config], rows=rows, rows_per_shard=self.rows_per_shard)

    def _push(self, folder: Path) -> bool:
        from huggingface_hub import get_token

        token = get_token()
        if token is None:
            log.warning(
                "export.hub: push is on, but there is no token (HF_TOKEN); the data set lies in %s", folder
            )
            return False
        log.info("pushed to %s", push(folder, self.repo, token=token, private=self.private))
        return True


def _add(writer: ShardedWriter, rows: Callable[[], pl.DataFrame]) -> None:
    writer.add(rows())


def _rl(table: pl.DataFrame, wanted: pl.Series) -> pl.DataFrame:
    return hub_rows.rl_rows(table.filter(wanted))


class Nearby:
    """Tables of samples; neighbours share the one on their border, which is read once."""

    def __init__(self) -> None:
        self._held: dict[Path, pl.DataFrame] = {}

    def of(self, files: Sequence[Path]) -> list[pl.DataFrame]:
        held = self._held
        self._held = {
            file: held[file] if file in held else take(next(read([file], SAMPLES)), SAMPLES) for file in files
        }
        return list(self._held.values())


def _default(table: pl.DataFrame, samples: Sequence[pl.DataFrame]) -> pl.DataFrame:
    chosen = take(table, CHOSEN)
    wanted = chosen.select("problem_id")
    own = [part.join(wanted, on="problem_id", how="semi", maintain_order="left") for part in samples]
    return hub_rows.default_rows(chosen, pl.concat([empty(SAMPLES), *own]))


def _sums(folder: Path) -> str:
    """As `sha256sum --check` reads them."""
    files = sorted((folder / "data").rglob("*.parquet"))
    return "".join(f"{sha256(file)}  {file.relative_to(folder)}\n" for file in files)
