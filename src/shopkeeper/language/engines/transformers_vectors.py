"""Vectors by local weights: the mean of the last layer's states over a text's tokens."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

from shopkeeper.core.errors import BadInput
from shopkeeper.language.embedding import Embedded
from shopkeeper.language.types import Price

_LONGEST = 256


class Embeddings:
    """An encoder in a folder. Threads wait for each other: there is one model."""

    def __init__(self, model: str, folder: Path, price: Price | None) -> None:
        """Read the weights; code that comes with them is not run.

        Raises:
            BadInput: the folder does not hold a model and its tokenizer.
        """
        self.name = f"transformers:{model}"
        self.price = price
        self._lock = threading.Lock()
        try:
            self._tokenizer = cast("Any", AutoTokenizer).from_pretrained(
                folder, local_files_only=True
            )
            self._model = cast("Any", AutoModel).from_pretrained(
                folder, local_files_only=True, use_safetensors=True
            )
        except (OSError, ValueError, KeyError) as error:
            raise BadInput(
                f"The weights in {folder} cannot be read: {str(error).splitlines()[0]}",
                hint="Save an encoder and its tokenizer there with save_pretrained.",
                field="embeddings",
            ) from error
        self._model.eval()
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token

    def embed(self, texts: Sequence[str]) -> Embedded:
        """One vector a text, in their order; of a long text the beginning."""
        with self._lock, torch.inference_mode():
            given = self._tokenizer(
                list(texts),
                padding=True,
                truncation=True,
                max_length=_LONGEST,
                return_tensors="pt",
                return_token_type_ids=False,
            )
            state = self._model(**given).last_hidden_state.float()
        there = given["attention_mask"][:, :, None].float()
        mean = (state * there).sum(dim=1) / there.sum(dim=1).clamp(min=1.0)
        return Embedded(np.asarray(mean.numpy(), dtype=np.float32), int(there.sum()))

    def close(self) -> None:
        """Give the memory back."""
        with self._lock:
            self._model = None
