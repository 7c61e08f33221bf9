"""A tiny Llama with random weights and a tokenizer of its own, made in a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

_WORDS = ["The tea arrived quickly and tastes lovely.", "物流很快，茶叶很香，客服态度也好。"] * 20
_TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def save(folder: Path, *, seed: int = 0, template: str | None = _TEMPLATE) -> Path:
    """Save model and tokenizer into the folder."""
    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = cast("Any", pre_tokenizers.ByteLevel(add_prefix_space=False))
    bare.decoder = cast("Any", decoders.ByteLevel())
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<pad>", "<s>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bare.train_from_iterator(_WORDS, trainer)
    tokenizer = cast("Any", PreTrainedTokenizerFast)(
        tokenizer_object=bare, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    if template is not None:
        tokenizer.chat_template = template
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=8192,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    torch.manual_seed(seed)
    model = cast("Any", LlamaForCausalLM(config))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
