"""Turn a GGUF language model into a folder of plain bf16 safetensors; run as a program.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import sys
from pathlib import Path

DONE = "complete"  # an empty file, written last: a folder without it is not used


def convert(source: Path, folder: Path) -> None:
    """Read a GGUF file and write bf16 safetensors, configuration and tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    where, file = str(source.parent), source.name
    tokenizer = AutoTokenizer.from_pretrained(where, gguf_file=file)
    tokenizer.save_pretrained(folder)
    packed = AutoModelForCausalLM.from_pretrained(
        where,
        gguf_file=file,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
    )
    # A model that came from a GGUF file refuses to be saved, so its weights move to a plain one.
    config = packed.config
    vars(config).pop("quantization_config", None)
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    plain.load_state_dict(packed.state_dict())
    plain.save_pretrained(folder)
    for written in folder.iterdir():
        written.chmod(0o644)  # safetensors writes for the owner alone; a cache may be shared
    (folder / DONE).touch()


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
