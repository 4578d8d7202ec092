"""Who a response says it is. A claim in the first person counts; naming a model or a maker does not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

import polars as pl

_WORDS = """
chatgpt gpt openai claude anthropic gemini gemma deepmind bard google qwen tongyi alibaba llama mistral mixtral
grok xai deepseek kimi moonshot ernie baidu doubao bytedance chatglm zhipu microsoft copilot vicuna lmsys hunyuan
tencent internlm minimax cohere nvidia nemotron baichuan sensetime smollm huggingface olmo stepfun
通义千问 阿里 文心一言 百度 豆包 字节跳动 智谱 深度求索
月之暗面 讯飞星火 科大讯飞 谷歌 微软 腾讯 混元 百川 商汤
"""
_NAMES = (*_WORDS.split(), "hugging face", "meta ai", "by meta", "at meta", "from meta")
"""Models and their makers, in lower case; Meta with what stands before or after it, as it is a word too."""
_REACH = 240  # bytes to each side of a name, in which its claim stands
_NAME = rf"(?:(?:{'|'.join(_WORDS.split())}|meta|hugging face)(?:-?\d[\w.]*|-\w+| ai| cloud| deepmind| inc| research|巴巴|云|清言|公司|集团)*)"
_MADE = r"(?:(?:independently |further )?(?:created|developed|made|trained|built|designed|fine-tuned|released|provided)(?: and \w+)?)"
_BY = r"(?:by|at|from)(?: the)?(?: (?:team|researchers|people|company|engineers|Chinese|American|AI|tech)(?: company)?(?: (?:at|from|of|called))?)?"
_BEING = r"(?<!whether )(?<!if )(?<![\"“‘「'])\bI(?:['’]m| am)"
_MODEL = r"(?:AI|models?|assistants?|chatbots?|bots?|program|system)"
_MADE_ZH = r"(?:开发|训练|研发|创造|创建|打造|推出|设计)"
_MODEL_ZH = r"(?:模型|助手|人工智能|机器人|AI|大脑)"

_CLAIMS = (
    rf"{_BEING},? (?:actually |called |named |also )?@(?!['’]s|\w)",
    rf"{_BEING} (?:an? |the )(?:[\w-]+ ){{0,4}}?{_MODEL} (?:called |named |known as )@",
    rf"{_BEING} an? @ (?:large |language |AI )*{_MODEL}\b",
    rf"{_BEING} (?:an? |the )[^.\n]{{0,40}}?\b{_MODEL}\b[^.\n]{{0,60}}?\b{_BY} @",
    (
        rf"{_BEING} (?:currently )?(?:based on|built on|powered by|running on|part of|an? (?:version|product|member|variant) of)"
        r" (?:the )?(?:[\w-]+ )?@"
    ),
    r"\bI belong to (?:the )?@",
    rf"(?<!whether )(?<!if )\bI(?:['’]m| am| was| have been|['’]ve been) {_MADE} {_BY} @",
    r"\b(?:my name is|you (?:can|may) call me|call me) @(?!['’]s|\w)",
    r"\bthis is @ (?:speaking|here)\b",
    r"\bas @, (?:I|my)\b",
    rf"\bas an? @ (?:large |language |AI )*{_MODEL}\b",
    rf"\bas an? (?:AI|large language|language|artificial|virtual)[\w ,]{{0,40}}?\b{_MADE} {_BY} @",
    r"\bmy (?:creators?|developers?|makers?|training|architecture)(?: team)? (?:is|are|at|by|from|comes from) (?:the )?@",
    rf"@(?:, (?:the company|the lab|the team|who|which)(?: that)?)? {_MADE} me\b",
    r"(?<!如果)(?<!假如)(?<!是否)我(?:的名字)?(?:就)?(?:是|叫|名叫)(?:一个|一款)?(?:名为|叫做|叫)?\s*@(?!的?(?:工程师|员工|用户|粉丝|职员|程序员))",
    rf"(?:我(?:就?是)?|作为)(?:一个|一名|一款)?由[^。，\n]{{0,8}}?@[^。\n]{{0,14}}?{_MADE_ZH}",
    rf"作为(?:一个|一款)?@[^。，\n]{{0,6}}{_MADE_ZH}的[^。，\n]{{0,10}}{_MODEL_ZH}",
    r"我的(?:开发者|创造者|开发团队|研发团队|训练者|母公司|开发公司)(?:是|为|来自)[^。\n]{0,6}?@",
    rf"@[^。，\n]{{0,4}}{_MADE_ZH}了我(?!们)",
    r"我(?:是)?(?:基于|采用了?|运行在)@[^。，\n]{0,6}(?:架构|模型|技术)",
)
_CLAIM = re.compile(
    "|".join(claim.replace("@", f"(?P<n{place}>{_NAME})") for place, claim in enumerate(_CLAIMS)),
    re.IGNORECASE,
)


_APPOSITION = re.compile(
    rf"{_BEING} [\w.-]+(?: [\w.-]+){{0,2}}, [^.\n]{{0,60}}?\b{_MADE} {_BY} (?P<name>{_NAME})", re.IGNORECASE
)
"""Whoever it is, its maker."""


def claimed_makers(texts: pl.Series, *, own: Iterable[str] = ()) -> list[str | None]:
    """`claimed_maker` of a whole column without nulls: one search for the names, as setting it up takes the most time."""
    ours = tuple(name.lower() for name in own)
    found: list[str | None] = [None] * len(texts)
    named = texts.str.contains_any(list(_NAMES), ascii_case_insensitive=True).arg_true()
    some = texts.gather(named)
    places = some.str.find_many(list(_NAMES), ascii_case_insensitive=True)
    for number, text, at in zip(named, some, places, strict=True):
        claims = (_first_claim(passage, ours) for passage in _passages(text.encode(), at))
        found[number] = next(filter(None, claims), None)
    return found


def claimed_maker(text: str, *, own: Iterable[str] = ()) -> str | None:
    """The words with which a text says that it is a known model or of a known maker, those that begin as `own` aside."""
    return claimed_makers(pl.Series([text.encode(errors="replace").decode()]), own=own)[0]


def _first_claim(passage: str, ours: tuple[str, ...]) -> str | None:
    for found in chain(_CLAIM.finditer(passage), _APPOSITION.finditer(passage)):
        name = next(group for group in found.groups() if group)
        if not name.lower().startswith(ours):
            return found[0]
    return None


def _passages(data: bytes, names: Iterable[int]) -> Iterator[str]:
    """What stands around the names; neighbours together. `names`: where they begin."""
    begin = end = 0
    for place in sorted(names):
        if place - _REACH > end:
            yield data[begin:end].decode(errors="ignore")
            begin = place - _REACH
        end = place + _REACH
    yield data[max(begin, 0) : end].decode(errors="ignore")
