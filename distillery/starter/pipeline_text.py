"""The starter pipeline's YAML, with a comment where a person will want to change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from distillery.starter.source import Tried

_UNKNOWN = 1_000_000  # rows of a source of unknown size


def pipeline_text(sources: Mapping[str, Tried], *, file: str, teacher: Mapping[str, str]) -> str:
    """`sources` by the id of their stage; `teacher`: an engine's options, {}: one that plays a model."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("distillery.starter", "."),
        autoescape=False,  # it is YAML: `_flow` quotes what is not ours
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    traces = [id_ for id_, one in sources.items() if one.traces]
    judged = [id_ for id_ in traces if "outcome" in sources[id_].options.get("columns", {})]
    problems = [id_ for id_, one in sources.items() if not one.traces]
    unjudged = [*(id_ for id_ in traces if id_ not in judged), *["sampled"] * bool(problems)]
    several = len(sources) > 1
    return environment.get_template("starter.yaml.jinja").render(
        file=file,
        teacher=_flow(dict(teacher)) if teacher else "",
        sources=[_shown(id_, one) for id_, one in sources.items()],
        traces=bool(traces),
        problems=bool(problems),
        problems_from=_from(problems) if several else "",
        traces_from=_from(unjudged) if several and traces else "",
        judged_from=_from(["checked"] * bool(unjudged) + judged) if judged else "",
        judged=", ".join(judged),
        unjudged=bool(unjudged),
        raw=_raw(["checked"] * bool(unjudged) + judged),
        golds=any(one.golds[1] for one in sources.values()),
        quotas=[(id_, one.size or _UNKNOWN) for id_, one in sources.items()] if several else [],
    )


def _shown(id_: str, one: Tried) -> dict[str, str]:
    options = "\n".join(f"      {key}: {_flow(value)}" for key, value in one.options.items())
    verdicts = ", ".join(one.verdicts)
    about = {"verdicts": verdicts, "place": " ".join(one.place.split()), "form": one.shape.name}
    return {"id": id_, "use": one.use, "options": options, **about}


def _raw(samples: Sequence[str]) -> str:
    """Of one stage that has every sample."""
    return f", with: {_flow({'raw': samples[0]})}" if len(samples) == 1 else ""


def _from(ids: Sequence[str]) -> str:
    return f", from: {_flow(list(ids))}"


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000)
    return text.removesuffix("...\n").strip()
