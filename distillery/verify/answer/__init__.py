"""What is the answer? One reading for every checker that asks: of boxes and tags, and of what a text says.

`phrases` (with phrases.yaml: by kind and language) makes tokens of a sentence, `reader` statements of them
and of those the last commitment, `letters` tells a choice's letter from an article or a pronoun, `places`
knows boxes and tags. A checker brings a `pick`: what it sees in a statement.

- One answer: "I think the answer is B", "my best guess is B", "the most likely answer is B", 答案应该是B.
- Hedged, and so none: maybe, perhaps, probably, might or could be, "I guess", "I'm not sure", a question.
- Several, and so none: "B or C", "either", 要么; "B and C" where not just these are asked for.
- Negated: "not B", "B is out", 排除B; "not B but C" and "B rather than C" are one answer.
- Of several commitments the last one counts; what is only judged ("B is correct") where none is announced.
"""
