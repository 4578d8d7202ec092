"""For each reason to drop a response: some that have the fault, and some that only look like it."""

from __future__ import annotations

from typing import NamedTuple

from distillery.curate.quality.faults import Reason, Response
from distillery.reasoning import join
from distillery.records import Thinking

_THOUGHT = "I add two and two, and I get four. Let me check it again."
_ANSWER = "The sum is \\boxed{4}."


class Examples(NamedTuple):
    faulty: tuple[Response, ...]
    fine: tuple[Response, ...]


def _raw(text: str, finish: str = "stop", thinking: Thinking = Thinking.ON) -> Response:
    return Response(text=text, finish=finish, thinking=thinking)


def _thinks(thought: str, language: str = "", question: str = "") -> Response:
    return Response(text=join(thought, _ANSWER), language=language, question=question)


def _says(answer: str, question: str = "", *, may_refuse: bool = False) -> Response:
    return Response(text=join(_THOUGHT, answer), question=question, may_refuse=may_refuse)


_OFF = Thinking.OFF

EXAMPLES: dict[Reason, Examples] = {
    Reason.TRUNCATED: Examples(
        (_raw(join(_THOUGHT, _ANSWER), "length"), _raw("<think>\nI add", "length")),
        (_raw(join(_THOUGHT, "The sum is 4")), _says("It goes on and on...")),
    ),
    Reason.NO_THOUGHT: Examples(
        (_raw("The sum is 4."), _raw("Hi!", thinking=_OFF)),
        (_raw(f"{_THOUGHT}\n</think>\n{_ANSWER}"), _raw(join("", "Hi!"), thinking=_OFF)),
    ),
    Reason.UNCLOSED: Examples(
        (_raw("<think>\nI add"), _raw(f"<think>\n{_THOUGHT}\n\n{_ANSWER}")),
        (_raw(join(_THOUGHT, _ANSWER)), _thinks("I close it: then I am done.")),
    ),
    Reason.EMPTY_THOUGHT: Examples(
        (_raw("<think>\n\n</think>\n4"), _raw("<think></think>4")),
        (_thinks("2 + 2 = 4."), _raw(join("", "4"), thinking=_OFF)),
    ),
    Reason.UNWANTED_THOUGHT: Examples(
        (_raw(join(_THOUGHT, "Hi!"), thinking=_OFF), _raw(join("Hm.", "Hi!"), thinking=_OFF)),
        (_raw("<think>\n \n</think>\nHi!", thinking=_OFF), _raw(join(_THOUGHT, "Hi!"))),
    ),
    Reason.NO_ANSWER: Examples(
        (_raw("<think>\nI add them.\n</think>\n"), _raw("<think>\nIt is \\boxed{4}.\n</think>   \n")),
        (_says("4"), _says("There is no answer to that.")),
    ),
    Reason.SPECIAL_TOKENS: Examples(
        (
            _says(_ANSWER + "<|im_end|>"),
            _says(_ANSWER + "<｜end▁of▁sentence｜>"),
            _says(_ANSWER + "</think>"),
            _thinks(_THOUGHT + " <think> again"),
            _says("[INST] And now? [/INST] Four."),
            _says("It is \ufffd\ufffd\ufffd"),
        ),
        (
            _says("For |x| < 3 and y > |x| it holds."),
            _says("Use <s:form> or the tag <section>."),
            _says("```sh\ncat a | sort <b |tee c\n```\nDone."),
        ),
    ),
    Reason.SEVERAL_ANSWERS: Examples(
        (_says(r"\boxed{4} or \boxed{5}"), _says(r"First \boxed{a}, then \fbox{b}.")),
        (
            _says(r"So \boxed{4}, that is, \boxed{ 4 }."),
            _says(r"The roots are \boxed{4, 5}."),
            _thinks(r"\boxed{5}? No, \boxed{4}."),
        ),
    ),
    Reason.TOO_SHORT: Examples(
        (_thinks("Easy."), _thinks("4")),
        (_thinks("It is 4."), _raw(join("", "4"), thinking=_OFF)),
    ),
    Reason.MIXED_LANGUAGE: Examples(
        (
            _thinks("We add them, 所以 the sum is four.", "en"),
            _thinks("We add them и получаем four.", "en"),
            _thinks("So \\[ \\text{Robert's次数} = 84 \\]", "en"),
            _thinks("先算一下。Then I will add the two numbers to get the result. 好。", "zh"),
            _thinks("この問題を考える。", "zh"),
        ),
        (
            _thinks("The word “三角形” means triangle.", "en"),
            _thinks('In Chinese, "goldfish" (金鱼) has two characters, 金 first.', "en"),
            _thinks("Let α and β be the roots, $αβ = 7$ and λ the ratio.", "en"),
            _thinks("The naïve Erdős bound from Übung 3 holds.", "en"),
            _thinks("先算 $x^2$，再用 sin 函数，得到 km 为单位的结果。", "zh"),
            _thinks("可以用 Microsoft Excel 或 Google Sheets。", "zh"),
            _thinks("The sentence 我爱你 means I love you.", "en", "Translate 我爱你 into English."),
        ),
    ),
    Reason.REPETITION: Examples(
        (_thinks(_THOUGHT + " word" * 200), _says("Wait, no, let me see. " * 40), _says("0, " * 800)),
        (
            _thinks("Wait, no. " * 6 + "Now I have it."),
            _says("\n".join(f"{n} x 7 = {7 * n}" for n in range(100))),
            _says("0, " * 100),
        ),
    ),
    Reason.LONG_PARAGRAPH: Examples(
        (
            _thinks(" ".join(f"step{n}" for n in range(1000))),
            _says("\n".join(f"{n}. It is so." for n in range(700))),
        ),
        (
            _thinks("\n\n".join(f"Step {n}: we add it." for n in range(1000))),
            _says("```\n" + "\n".join(f"x{n} = {n}" for n in range(900)) + "\n```\nDone."),
        ),
    ),
    Reason.MESSY_CODE: Examples(
        (
            _says("```python\nprint(4)\n"),
            _says("```python\n\n```\n4"),
            _thinks("ok so\n```python\n" + "x = f(x)\ny = g(y)\n" * 2 + "```"),
        ),
        (
            _says("```python\nprint('```not a fence')\n```\nDone."),
            _says("```python\n" + "x = f(x)\ny = g(y)\n" * 2 + "```"),
            _says("The sign ``` opens a block."),
        ),
    ),
    Reason.REFUSAL: Examples(
        (
            _says("I'm sorry, but I can't help with that."),
            _says("I cannot provide that."),
            _says("It is not appropriate or ethical to do such a thing."),
            _says("As an AI, I do not condone violence."),
            _says("很抱歉，我无法回答这个问题。"),
            _says("作为一个人工智能助手，我不能提供这样的信息。"),
        ),
        (
            _says("I'm sorry for your loss. Here is how the will can be contested."),
            _says("She said: I am sorry that you cannot come."),
            _says("Unfortunately, I cannot determine the angle from two sides alone."),
            _says("It is not legal to park there.", "Is it legal to park on a zebra crossing?"),
            _says("我们不能继续浪费水资源。"),
            _says("I can't help with that.", may_refuse=True),
        ),
    ),
    Reason.OTHER_MAKER: Examples(
        (
            _says("I am ChatGPT."),
            _says("As an AI language model trained by OpenAI, I think so."),
            _says("我是通义千问。"),
        ),
        (
            _says("GPT-4 was trained by OpenAI in 2023, and Claude by Anthropic."),
            _says("Unlike ChatGPT, I would recommend Google's search for that."),
            _says("我不是ChatGPT。"),
        ),
    ),
}
