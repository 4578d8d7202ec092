"""distilabel, as its documentation shows it: a pipeline with one TextGeneration step, batches of the wanted
size."""

import json
import sys
import time

from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration


def main(url: str, count: int, in_flight: int) -> None:
    rows = [{"instruction": f"What is {number} + {number}?"} for number in range(count)]
    with Pipeline(name="bench") as pipeline:
        load = LoadDataFromDicts(data=rows, batch_size=in_flight)
        llm = OpenAILLM(
            model="mock",
            base_url=url,
            api_key="none",
            generation_kwargs={"temperature": 0.6, "top_p": 0.95, "max_new_tokens": 512},
        )
        task = TextGeneration(llm=llm, input_batch_size=in_flight)
        load >> task
    began = time.perf_counter()
    result = pipeline.run(use_cache=False)
    seconds = time.perf_counter() - began
    print(json.dumps({"requests_per_s": len(result["default"]["train"]) / seconds}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
