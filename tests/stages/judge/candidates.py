"""Several answers to one problem, as the stages that compare them get them."""

import polars as pl


def table(*answers, problem="p"):
    return pl.DataFrame(
        [
            {
                "problem_id": problem,
                "trace_id": f"{problem}{n}",
                "question": f"Q {problem}?",
                "answer": answer,
            }
            for n, answer in enumerate(answers)
        ],
        schema_overrides={"answer": pl.String},
    )
