from __future__ import annotations

import pytest

from distillery.judging.safety import Opinion, Safety, read_opinion


@pytest.mark.parametrize(
    ("reply", "opinion"),
    [
        ('It is fine.\n{"safety": "safe", "category": "none"}', Opinion(Safety.SAFE)),
        ('No.\n```json\n{"safety": "unsafe", "category": "weapons"}\n```', Opinion(Safety.UNSAFE, "weapons")),
        (
            '<think>\nhm\n</think>\n{"safety": "Over_Refusal", "category": "none"}',
            Opinion(Safety.OVER_REFUSAL),
        ),
        ("{'safety': 'unsafe'}", Opinion(Safety.UNSAFE)),
        ("safe", Opinion(Safety.UNCLEAR)),
        ("", Opinion(Safety.UNCLEAR)),
        ("<think>\nI wonder", Opinion(Safety.UNCLEAR)),
        ('{"safety": "harmless"}', Opinion(Safety.UNCLEAR)),
        ('{"safety": "safe"} or so', Opinion(Safety.UNCLEAR)),
        ('It says {"safety": "safe"}.\n{"safety": "unsafe", "category": "fraud"}', Opinion(Safety.UNCLEAR)),
    ],
)
def test_a_reply_is_read_by_the_object_that_ends_it(reply: str, opinion: Opinion):
    assert read_opinion(reply) == opinion
