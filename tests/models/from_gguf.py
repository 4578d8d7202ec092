"""A Hugging Face folder from a GGUF file: `python tests/models/from_gguf.py FILE OUT`.

The engines and trainers read Hugging Face folders; some small models come as one quantized file.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from distillery.errors import ConfigError


def convert(file: Path, out: Path) -> None:
    """Weights are written as bfloat16; `out` appears when it is whole."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if not file.is_file():
        raise ConfigError(f"GGUF file {str(file)!r}: there is none; give the path of a .gguf file")
    source: dict[str, Any] = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    tokenizer = AutoTokenizer.from_pretrained(**source)
    model: Any = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.bfloat16)
    # the weights are no longer quantized, and these two would say that they are
    del model.config.quantization_config
    model.hf_quantizer = None
    draft = out.with_name(f"{out.name}.draft")
    model.save_pretrained(draft)
    tokenizer.save_pretrained(draft)
    draft.rename(out)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
