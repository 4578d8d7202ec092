"""The general line on its own seeds, with an engine that plays writer, translator and judge; then as a
student gets it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from distillery.engines import Completion
from distillery.engines.mock.replies import MockOptions
from distillery.engines.scripted import Scripted
from distillery.pipeline import load_plan
from distillery.reasoning import join, split
from distillery.runner import Watcher, open_run, run
from distillery.runner.execute import folder_of
from distillery.stages.export.chat import ExportChat
from tests.engines.mock_server import MockServer
from tests.inline import Inline

ROOT = Path(__file__).parents[2]
FILE = ROOT / "pipelines" / "r1" / "5_general.yaml"
SEEDS = ROOT / "data" / "seeds" / "general.jsonl"
BENCH = "stages.selected.against=[data/seeds/grade_school_bench.jsonl]"  # the file's own are on the hub
EMPTY = "<think>\n\n</think>\n"


def seeds() -> list[dict]:
    return [json.loads(line) for line in SEEDS.read_text().splitlines()]


def originals() -> list[str]:
    payloads = [json.loads(row["payload"]) for row in seeds()]
    return [payload["original"] for payload in payloads if "original" in payload]


def versatile(request) -> str | Completion:
    """Writes with a thought where the system prompt asks for one; judges well, except what is about
    limericks."""
    asked = request.messages[-1][1]
    if "## Rubric" in asked:
        score = 3 if "limerick" in asked else 8
        return f"It does what was asked. {json.dumps(dict.fromkeys(('helpful', 'correct', 'complete', 'style'), score))}"
    if "## Response to be Judged" in asked:
        return f'It reads so.\n{{"safety": "{"unsafe" if "detective" in asked else "safe"}", "category": "none"}}'
    if "Reply with one word: on" in asked:
        return "on"
    original = next((text for text in originals() if text in asked), None)
    if asked.startswith("Translate the text below"):
        return "It is raining." if original is None or "柿子树" in asked else original
    answer = f"Here is what you need: {original}" if original else f"A full answer, number {request.seed}."
    if request.messages[0][0] != "system":
        return answer
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in asked)
    thought = (
        "对方想要的东西说得很清楚，我先想想情况，再动手写。"
        if chinese
        else "They want this done well, so I look at their situation."
    )
    return join(thought, answer)


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory):
    """The plan, its engine, and a function that gives a step's rows and its ledger."""
    folder = tmp_path_factory.mktemp("general")
    engine = Scripted(reply=versatile)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        plan = load_plan(FILE, settings=[BENCH], engines={"v3": engine})
        record = open_run(plan, folder / "runs")
        run(plan, store=folder / "store", record=record, executor=Inline({"v3": engine}), watcher=Watcher())

    def found(step: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        place = folder_of(plan.step(step), folder / "store")
        return pl.concat([pl.read_parquet(file) for file in place.shards()]), place.ledger()

    return engine, found


def test_the_seeds_are_of_all_categories_in_two_languages_and_no_two_are_equal():
    rows = seeds()
    languages = Counter(row["language"] for row in rows)
    assert len(rows) > 250
    assert abs(languages["en"] - languages["zh"]) < 0.1 * len(rows)
    assert {row["source"] for row in rows} == {
        *("writing", "factual_qa", "self_cognition", "translation", "role_play", "software", "chat")
    }
    assert len({row["question"] for row in rows}) == len(rows)
    assert sum("history" in json.loads(row["payload"]) for row in rows) > 20


@pytest.mark.slow
def test_every_prompt_is_labelled_and_asked_in_the_way_of_its_label(line):
    engine, found = line
    unclear = found("labelled")[0].filter(thinking="")
    assert 0 < unclear.height < 0.1 * len(seeds())
    labelled, dropped = found("decided")
    assert labelled.height == len(seeds())
    assert dropped.is_empty()
    assert set(labelled["thinking"]) == {"on", "off"}
    assert set(labelled.filter(pl.col("source").is_in(["chat", "self_cognition"]))["thinking"]) == {"off"}
    assert set(labelled.filter(pl.col("source").is_in(["software", "writing"]))["thinking"]) == {"on"}
    answers, _ = found("answers")
    prompts = dict(
        answers.select("thinking", pl.col("prompt").str.split(":").list.first()).unique().iter_rows()
    )
    assert prompts == {"on": "general.think@2", "off": "general.plain@1"}
    talks = [call.messages for call in engine.calls if len(call.messages) > 2]
    assert any([role for role, _ in talk] == ["system", "user", "assistant", "user"] for talk in talks)


@pytest.mark.slow
def test_what_judges_drop_stands_in_the_ledger_with_its_score(line):
    _, found = line
    _, low = found("scored")
    assert set(low["reason"]) == {"low_score"}
    assert low["detail"].str.starts_with("3.0, least is 6").all()
    translated, lost = found("translated")
    assert lost["reason"].to_list() == ["bad_translation"]
    assert "it came back as 'It is raining.'" in lost["detail"].item()
    trips = translated.filter(pl.col("round_trip").is_not_null())
    assert trips.height == len(originals()) - 1
    assert trips["round_trip"].min() == pytest.approx(1.0)
    _, harmful = found("safe")
    assert harmful.rows() == [(harmful["key"].item(), "unsafe", "none: the judge objects")]


@pytest.mark.slow
def test_the_empty_block_survives_the_whole_line(line):
    _, found = line
    rows, _ = found("selected")
    off = rows.filter(thinking="off")
    assert off["text"].str.starts_with(EMPTY).all()
    assert not rows.filter(thinking="on")["text"].str.starts_with(EMPTY).any()
    assert off.filter(source="self_cognition").height > 500
    exported = ExportChat().apply(rows, None)
    assert exported.dropped.is_empty()
    last = exported.kept["messages"].list.last().struct.field("content")
    assert (last == rows["text"]).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "maker"), [("DeepSeek-R1", "DeepSeek"), ("Qwen-Aurora", "Alibaba"), ("Aurora", "Polar Lab")]
)
def test_whatever_your_model_is_called_it_keeps_its_name_and_its_teacher_loses_its_own(
    name, maker, tmp_path, monkeypatch
):
    monkeypatch.chdir(ROOT)
    file = tmp_path / "mine.jsonl"
    asked = ("Who are you?", "Name a river.")
    rows = [
        {"question": text, "domain": "general", "language": "en", "thinking": "off", "checker": "layout"}
        for text in asked
    ]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    def teacher(request):
        text = request.messages[-1][1]
        if "## Rubric" in text or "## Response to be Judged" in text:
            return versatile(request)
        return "I'm DeepSeek-V3, made by DeepSeek." if asked[0] in text else "The river Po."

    engine = Scripted(reply=teacher)
    settings = [
        BENCH,
        f"stages.prompts.path={file}",
        f"stages.self.name={name}",
        f"stages.self.maker={maker}",
    ]
    plan = load_plan(FILE, settings=settings, engines={"v3": engine})
    record = open_run(plan, tmp_path / "runs")
    run(plan, store=tmp_path / "store", record=record, executor=Inline({"v3": engine}), watcher=Watcher())
    filtered = folder_of(plan.step("general"), tmp_path / "store")
    assert filtered.ledger()["reason"].to_list() == ["other_maker"]
    kept = pl.read_parquet(folder_of(plan.step("selected"), tmp_path / "store").shards())
    assert kept.filter(question="Name a river.").height == 1
    own = kept.filter(source="self_cognition")
    assert own.height > 500
    assert own["answer"].str.contains(name, literal=True).sum() > 100
    assert not kept["answer"].str.contains("DeepSeek-V3").any()


@pytest.mark.slow
def test_a_student_is_trained_on_both_forms_and_on_every_turn_of_a_conversation(line, tmp_path):
    from distillery.train.lint.check import lint

    _, found = line
    chats = ExportChat().apply(found("selected")[0], None).kept
    talks = chats.filter(pl.col("messages").list.len() > 2)
    assert talks.height > 15
    roles = talks["messages"].list.eval(pl.element().struct.field("role")).list.join(" ")
    assert set(roles) == {"user assistant user assistant"}
    file = tmp_path / "chats.parquet"
    pl.concat([talks, chats.filter(thinking="off").head(30), chats.filter(thinking="on").head(30)]).unique(
        "trace_id", maintain_order=True
    ).write_parquet(file)
    student = byte_tokenizer(tmp_path / "student")
    report = lint(str(student), file, chat_template="qwen2-think.jinja")
    assert [finding for finding in report.findings if finding.fatal] == []
    trained = ["".join(token.text for token in shown.tokens if token.trained) for shown in report.shown]
    assert all(text.startswith("<think>\n") for text in trained)
    assert any(text.count("</think>") == 2 for text in trained)


def byte_tokenizer(folder: Path) -> Path:
    """A student's tokenizer that can write anything: one token a byte."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        [], trainers.BpeTrainer(special_tokens=marks, initial_alphabet=alphabet, show_progress=False)
    )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    )
    tokenizer.save_pretrained(folder)
    config = {"model_type": "qwen2", "vocab_size": len(tokenizer)}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.slow
def test_a_server_is_one_setting_away(tmp_path, monkeypatch):
    """Offline, too. The mock server's words are no verdicts: its rows are answered and dropped as
    unjudged."""
    monkeypatch.chdir(ROOT)
    with MockServer(MockOptions(model="deepseek-ai/DeepSeek-V3")) as server:
        plan = load_plan(FILE, settings=[f"engines.v3.base_url={server.url}"], limit=40)
        record = open_run(plan, tmp_path / "runs")
        run(plan, store=tmp_path / "store", record=record, executor=Inline(), watcher=Watcher())
        unclear = pl.read_parquet(folder_of(plan.step("labelled"), tmp_path / "store").shards())
        assert server.stats()["served"] == 80 + unclear.filter(thinking="").height
    scored = folder_of(plan.step("scored"), tmp_path / "store")
    assert set(scored.ledger()["reason"]) == {"unjudged"}
    answers = pl.read_parquet(folder_of(plan.step("answers"), tmp_path / "store").shards())
    assert answers.height == 40
    assert all(split(text).answer for text in answers["text"])
    selected = pl.read_parquet(folder_of(plan.step("selected"), tmp_path / "store").shards())
    assert set(selected["source"]) == {"self_cognition"}
