"""Whether a prompt deserves a thought, by rules that read English and Chinese.

DeepSeek-R1's general data has no thought for simple queries such as "hello" (arXiv 2501.12948v2, B.3.3); where the
line runs is not printed. What no rule knows is left undecided.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

from distillery.records import Thinking


class Why(StrEnum):
    SMALL_TALK = "small_talk"  # greetings, thanks, farewells
    ABOUT_ITSELF = "about_itself"  # "who are you?"
    LOOKUP = "lookup"  # one short question for one fact
    CODE = "code"
    MATHS = "maths"
    LONG = "long"
    TASK = "task"  # something to make, to explain or to weigh
    UNKNOWN = "unknown"


class Ruling(NamedTuple):
    thinking: Thinking | None  # None: no rule knows
    why: Why


_LONG_WORDS = 40.0
_LOOKUP_WORDS = 13.0
_LEFT_OF_TALK = 2.5  # words that small talk may have beside its set phrases
_HAN_WORDS = 0.6  # words in one Chinese character

_WORD = re.compile(r"[^\W\d_\u3400-\u9fff][^\W_\u3400-\u9fff]*(?:['’-][^\W_\u3400-\u9fff]+)*|\d+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_CODE = re.compile(
    r"```|`[^`\n]+`|</?[a-z][^<>\n]*>|\b(?:def|class|import|SELECT) \w+|[;{]\s*$", re.MULTILINE
)
_MATHS = re.compile(
    r"\d\s*[-+*/^=×÷<>≤≥]\s*\(?\s*[\dx]|\b[xyn]\s*[=<>^+]\s*[\dxyn]|\\(?:frac|sqrt|sum|int|boxed)\b|\$[^$\n]+\$|\d+\s*%"
)
_TALK = re.compile(
    r"\b(?:hi|hello|hey|hiya|howdy|yo)(?: (?:there|all|everyone|everybody|again|friend))?\b"
    r"|\bgood (?:morning|afternoon|evening|night|day)(?: everyone| all)?\b"
    r"|\bhow (?:are you|are things|is it going|do you do)(?: (?:today|doing(?: today)?))?\b|\bwhat['’]?s up\b"
    r"|\b(?:thanks|thank you|thx|ty|cheers)(?: (?:a lot|so much|very much|again|for your help|for everything))*\b"
    r"|\b(?:bye|goodbye|farewell|take care|see you|see ya)(?: (?:later|soon|tomorrow|then))?\b"
    r"|\bhave a (?:nice|good|great|lovely) \w+|\b(?:nice|glad|pleased) to meet you\b|\byou['’]?re welcome\b"
    r"|\b(?:happy|merry) (?:new year|christmas|birthday|easter|holidays)\b|\bcongrat(?:s|ulations)\b"
    r"|\b(?:ok|okay|great|perfect|cool|nice|awesome|wonderful|lol|haha+|sorry|please|yes|yep|no|nope|sure|alright|got it)\b"
    r"|\bI['’]?m (?:so |very |really )?(?:happy|glad)\b"
    r"|(?:你|您|大家|早上|上午|中午|下午|晚上)好|[早晚午]安|嗨|哈喽|哈罗|谢谢|多谢|感谢|辛苦了?|再见|拜拜|回头见|明天见"
    r"|(?:新年|节日|生日|中秋|春节|国庆)快乐|周末愉快|不客气|没关系|没事|好[的吧呀啊]|嗯+|哦+|哈{2,}|嘻{2,}|呵{2,}|在[吗么]|恭喜"
    r"|最近(?:怎么样|怎样|好吗|如何)|吃了[吗么]|很?高兴认识[你您]|太好了|太棒了|真厉害|对不起|不好意思|抱歉|明白了?|知道了|收到",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"[呀啊啦呢吧哦嘛的了你您我很非常真是]|\b(?:I|you|me|my|that|it|the|a|to|and)\b", re.IGNORECASE
)
_TASK = re.compile(
    r"\b(?:write|writing|written|rewrite|draft|compose|summari[sz]e|translate|translating|explain|compare|describe|analy[sz]e"
    r"|review|improve|convert|solve|solving|prove|calculate|compute|count|estimate|fix|repair|debug|implement|design|plan"
    r"|recommend|suggest|advise|argue|debate|pretend|imagine|suppose)\b"
    r"|\b(?:why|how (?:do|does|did|can|could|to|would|should|come)|if|unless|should|could|would|difference|step by step|instead"
    r"|act as|play the|you are (?:a|an|the|my)|give me|help me|tell me|create|make|build|turn|put|be a|total|sum|each|left|remain"
    r"|letters?|probability|likely|reasons?|causes?|pros|cons|better|best)\b"
    r"|为什么|为何|怎么|怎样|如何|请|帮我|帮忙|写|翻译|改成|改写|解释|说明|比较|分析|证明|计算|推算|推荐|建议|设计|扮演|假设|假如|如果|区别|不同"
    r"|原因|步骤|起名|总结|整理|方案|有没有|应该|是否|怎么办|给我|列出|一共|剩下|平均|可能",
    re.IGNORECASE,
)
_ITSELF = re.compile(
    r"^\W*(?:(?:so |and )?who (?:are|made|created|built|trained|developed) you\b|what(?: is|['’]s) your name\b"
    r"|what are you\b|what can you do\b|are you\b|do you (?:remember|have)\b|which (?:company|model)\b.*\byou\b"
    r"|(?:你|您)(?:是|叫|能|会|有|的|由)|谁(?:开发|创造|训练|制造)了?(?:你|您))",
    re.IGNORECASE,
)
_LOOKUP = re.compile(
    r"^\W*(?:(?:in|on|at|from|to) )?(?:who|whom|whose|what|which|when|where|how (?:many|much|old|tall|long|far|high|big|deep|fast))\b"
    r"|谁|哪|什么|多少|几|多[长高大远久深重快]|何时|何地",
    re.IGNORECASE,
)


def words(text: str) -> float:
    """Words and numbers; a Chinese character counts as 0.6 of a word."""
    return len(_WORD.findall(text)) + _HAN_WORDS * len(_HAN.findall(text))


def deserves(question: str, *, follows: bool = False) -> Ruling:
    """`follows`: earlier turns stand before the question, so that a short one may ask for much."""
    text = question.strip()
    size = words(text)
    if _CODE.search(text):
        return Ruling(Thinking.ON, Why.CODE)
    if _MATHS.search(text):
        return Ruling(Thinking.ON, Why.MATHS)
    if size > _LONG_WORDS:
        return Ruling(Thinking.ON, Why.LONG)
    if _is_talk(text):
        return Ruling(Thinking.OFF, Why.SMALL_TALK)
    if _TASK.search(text):
        return Ruling(Thinking.ON, Why.TASK)
    if size <= _LOOKUP_WORDS and not follows:
        if _ITSELF.search(text):
            return Ruling(Thinking.OFF, Why.ABOUT_ITSELF)
        if _LOOKUP.search(text):
            return Ruling(Thinking.OFF, Why.LOOKUP)
    return Ruling(None, Why.UNKNOWN)


def _is_talk(text: str) -> bool:
    """Set phrases and hardly anything else; also what has no word at all, as ":)" or "??"."""
    if not words(text):
        return True
    rest, phrases = _TALK.subn(" ", text)
    return phrases > 0 and not _TASK.search(rest) and words(_FILLER.sub(" ", rest)) <= _LEFT_OF_TALK
