"""Local weights that write token by token; a form is kept by masking every token that would break it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import llguidance
import llguidance.hf
import llguidance.numpy
import torch
from jinja2 import TemplateError
from pydantic import BaseModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from shopkeeper.core.errors import BadInput, ModelBusy, TooLarge
from shopkeeper.language import prompt, structured
from shopkeeper.language.smallest import Endless, inner, smallest
from shopkeeper.language.structured import Raw
from shopkeeper.language.types import Message, Price, Reply, Request

_CLOSERS = ("}", "]", '"', ",")
_SLACK = 16


class Weights:
    """A causal language model in a folder. Threads wait for each other: there is one model."""

    def __init__(self, model: str, folder: Path, price: Price) -> None:
        """Read the weights; code that comes with them is not run, pickled ones are not read.

        Raises:
            BadInput: the folder does not hold a causal model and its tokenizer.
        """
        self.name = f"transformers:{model}"
        self.remote = False
        self.price = price
        self._lock = threading.Lock()
        try:
            self._tokenizer = cast("Any", AutoTokenizer).from_pretrained(
                folder, local_files_only=True
            )
            self._model = cast("Any", AutoModelForCausalLM).from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype="auto"
            )
            self._guide = llguidance.hf.from_tokenizer(self._tokenizer)
        except (OSError, ValueError, KeyError) as error:
            raise BadInput(
                f"The weights in {folder} cannot be read: {str(error).splitlines()[0]}",
                hint="Save a causal model and its fast tokenizer there with save_pretrained.",
                field="model",
            ) from error
        self._model.eval()
        ends = self._model.generation_config.eos_token_id
        known = [ends] if isinstance(ends, int) else list(ends or ())
        self._ends = frozenset({*known, self._tokenizer.eos_token_id} - {None})

    def complete(self, request: Request) -> Reply:
        """The model's reply; one in a form keeps to it by construction, whatever the weights are."""

        def ask(messages: tuple[Message, ...], repairing: bool) -> Raw:
            if request.schema is not None and not repairing:
                messages = prompt.with_form(messages, request.schema)
            with self._lock:
                return self._write(request, messages)

        return structured.answer(self.name, request, ask)

    def close(self) -> None:
        """Give the memory back."""
        with self._lock:
            self._model = None

    def _write(self, request: Request, messages: tuple[Message, ...]) -> Raw:
        sent: list[int] = self._tokenizer(self._text(messages), add_special_tokens=False)[
            "input_ids"
        ]
        self._check_length(len(sent) + request.max_tokens, request)
        mask = None if request.schema is None else _Mask(self._guide, request.schema, request)
        written, whole = self._tokens(sent, request, mask)
        text: str = self._tokenizer.decode(
            written, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return Raw(text, len(sent), len(written), whole)

    @torch.inference_mode()
    def _tokens(
        self, sent: list[int], request: Request, mask: _Mask | None
    ) -> tuple[list[int], bool]:
        """The tokens that follow, and whether they end by themselves."""
        until = time.monotonic() + request.timeout
        chance = torch.Generator().manual_seed(0)
        written: list[int] = []
        given, kept = torch.tensor([sent]), None
        while len(written) < request.max_tokens:
            if time.monotonic() > until:
                raise ModelBusy(
                    f"{self.name} did not finish within {request.timeout:g} s.",
                    hint="Ask for less, or use a smaller model.",
                    tokens_in=len(sent),
                    tokens_out=len(written),
                )
            out = self._model(input_ids=given, past_key_values=kept, use_cache=True)
            kept = out.past_key_values
            scores = out.logits[0, -1].float()
            if mask is not None:
                scores = mask.applied(scores, request.max_tokens - len(written))
            token = _picked(scores, request.temperature, chance)
            if token in self._ends:
                return written, True
            written.append(token)
            if mask is not None and mask.done(token):
                return written, True
            given = torch.tensor([[token]])
        return written, False

    def _text(self, messages: tuple[Message, ...]) -> str:
        turns = [{"role": one.role, "content": one.content} for one in messages]
        if not self._tokenizer.chat_template:
            return "\n\n".join(one.content for one in messages) + "\n\n"
        try:
            return self._rendered(turns)
        except TemplateError:  # a template that knows no system turn
            first, second, *rest = turns
            joined = {"role": "user", "content": f"{first['content']}\n\n{second['content']}"}
            return self._rendered([joined, *rest])

    def _rendered(self, turns: Sequence[dict[str, str]]) -> str:
        text: str = self._tokenizer.apply_chat_template(
            list(turns), tokenize=False, add_generation_prompt=True
        )
        return text

    def _check_length(self, tokens: int, request: Request) -> None:
        longest = getattr(self._model.config, "max_position_embeddings", None)
        if longest is not None and tokens > longest:
            raise TooLarge(
                f"The prompt for {request.purpose} and its answer may take {tokens:,} tokens; {self.name} "
                f"reads {longest:,}.",
                hint="Send fewer or shorter texts at once.",
            )


class _Mask:
    """Which tokens may come next. Near the end of the allowance it lets only those pass that close."""

    def __init__(
        self, guide: llguidance.LLTokenizer, schema: type[BaseModel], request: Request
    ) -> None:
        told = schema.model_json_schema()
        try:
            least = _room(guide, smallest(told))
            # What is open when the end comes near is at most one of each thing inside.
            self._closing = least + sum(_room(guide, one) for one in inner(told))
        except Endless as error:
            raise BadInput(
                f"No answer for {request.purpose} has an end.",
                hint="Make a field of the form optional.",
            ) from error
        if least > request.max_tokens:
            raise BadInput(
                f"{request.max_tokens} tokens are too few for the form of {request.purpose}.",
                hint=f"Allow {2 * least} or more.",
                field="max_tokens",
            )
        grammar = llguidance.LLMatcher.grammar_from_json_schema(
            told, overrides={"whitespace_flexible": False}
        )
        self._matcher = llguidance.LLMatcher(guide, grammar, log_level=0)
        if self._matcher.is_error():
            raise BadInput(
                f"The form of {request.purpose} cannot be held: {self._matcher.get_error()[:300]}",
                hint="Use plain types in it.",
            )
        self._bits = llguidance.numpy.allocate_token_bitmask(1, guide.vocab_size)
        self._closers = (guide.eos_token, *(guide.tokenize_str(text)[-1] for text in _CLOSERS))

    def applied(self, scores: torch.Tensor, left: int) -> torch.Tensor:
        """The scores with minus infinity for every token that may not come."""
        llguidance.numpy.fill_next_token_bitmask(self._matcher, self._bits)
        if left <= self._closing:
            token = self._closer()
            if token is not None:
                only = torch.full_like(scores, -torch.inf)
                only[token] = 0.0
                return only
        masked = scores.numpy().reshape(1, -1).copy()
        llguidance.numpy.apply_token_bitmask_inplace(masked, self._bits)
        return torch.from_numpy(masked[0])

    def _closer(self) -> int | None:
        """The token that leads to the end soonest, if one is known to."""
        ends, brace, bracket, quote, comma = (self._may_come(token) for token in self._closers)
        if brace and bracket:  # both can only be inside a string
            brace = bracket = False
        for may, token in zip((ends, brace, bracket, quote, comma), self._closers, strict=True):
            if may:
                return token
        forced = self._matcher.compute_ff_tokens()
        return forced[0] if forced else None

    def _may_come(self, token: int) -> bool:
        return bool((int(self._bits[0, token // 32]) >> (token % 32)) & 1)

    def done(self, token: int) -> bool:
        """Take the token; whether nothing more can follow."""
        self._matcher.consume_token(token)
        return self._matcher.is_stopped()


def _room(guide: llguidance.LLTokenizer, value: Any) -> int:
    """More tokens than a short value takes: its marks and forced words come in one token or a few."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return min(len(text.encode()), 2 * len(guide.tokenize_str(text))) + _SLACK


def _picked(scores: torch.Tensor, temperature: float, chance: torch.Generator) -> int:
    if temperature <= 0:
        return int(torch.argmax(scores))
    shares = torch.softmax(scores / temperature, dim=-1)
    return int(torch.multinomial(shares, 1, generator=chance))
