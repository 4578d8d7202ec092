"""datatrove's GopherRepetitionFilter as its documentation shows it, over as many of the rows as it manages in time."""

import json
import sys
import time
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.filters import GopherRepetitionFilter


def main(folder: str, most_s: float) -> None:
    quality = GopherRepetitionFilter()
    texts = json.loads((Path(folder) / "texts.json").read_text())
    quality.filter(Document(text=texts[0], id="warm"))
    size = kept = 0
    began, cpu = time.perf_counter(), time.process_time()
    for number, text in enumerate(texts):
        kept += quality.filter(Document(text=text, id=str(number))) is True
        size += len(text.encode())
        if time.perf_counter() - began > most_s:
            break
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    print(json.dumps({"mb_per_s": size / 1e6 / seconds, "mb_per_cpu_s": size / 1e6 / cpu, "kept": kept}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
