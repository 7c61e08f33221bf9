"""OpenAI's protocol for embeddings: one question for many texts."""

from __future__ import annotations

from collections.abc import Sequence

import httpx2
import numpy as np
from openai import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    InternalServerError,
    OpenAI,
    OpenAIError,
    RateLimitError,
)

from shopkeeper.core.errors import ModelBusy, ModelFailed
from shopkeeper.language import tokens
from shopkeeper.language.backends.openai import Endpoint
from shopkeeper.language.embedding import Embedded
from shopkeeper.language.types import Price

_SECONDS = 60.0
_TRIES = 3
_SAID = 300


class Embeddings:
    """A model behind an endpoint."""

    def __init__(self, model: str, endpoint: Endpoint, price: Price | None) -> None:
        self.name = f"openai:{model}"
        self.remote = endpoint.remote
        self.price = price
        self._model = model
        self._key_name = endpoint.key_name
        self._client = OpenAI(
            base_url=endpoint.url,
            api_key=endpoint.key,
            http_client=httpx2.Client(follow_redirects=False),
            timeout=_SECONDS,
            max_retries=_TRIES,
        )

    def embed(self, texts: Sequence[str]) -> Embedded:
        """One vector a text, in their order; what the endpoint refuses for now is tried again."""
        try:
            answer = self._client.embeddings.create(
                model=self._model, input=list(texts), encoding_format="float"
            )
            rows = sorted(answer.data, key=lambda one: one.index)
            vectors = np.array([one.embedding for one in rows], dtype=np.float32)
        except (APITimeoutError, APIConnectionError, RateLimitError, InternalServerError) as error:
            raise ModelBusy(
                f"{self.name} gives no vectors now: {str(error)[:_SAID]}",
                hint="Check that the endpoint runs, and try again later.",
            ) from error
        except APIStatusError as error:
            raise ModelFailed(
                f"{self.name} gives no vectors: {str(error)[:_SAID]}",
                hint=f"Check the model's name and the key in {self._key_name}.",
            ) from error
        except (OpenAIError, httpx2.HTTPError, ValueError, TypeError, AttributeError) as error:
            raise self._strange(str(error)) from error
        if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
            raise self._strange(f"{vectors.shape} for {len(texts)} texts")
        used = getattr(answer.usage, "prompt_tokens", 0) or sum(tokens.most(one) for one in texts)
        return Embedded(vectors, int(used))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _strange(self, what: str) -> ModelFailed:
        return ModelFailed(
            f"What {self.name} answered are not vectors of these texts: {what[:_SAID]}",
            hint="Check that the model makes embeddings.",
        )
