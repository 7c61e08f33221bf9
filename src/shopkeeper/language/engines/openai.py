"""OpenAI's chat protocol through pydantic-ai, with the form of the answer held as far as the endpoint can."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, Literal

import httpx2
from openai import AsyncOpenAI, OpenAIError
from pydantic import BaseModel
from pydantic_ai import exceptions
from pydantic_ai.direct import model_request
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    UserPromptPart,
)
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from shopkeeper.core.errors import ModelFailed, ShopkeeperError, UnknownName
from shopkeeper.language import prompt, structured, tokens
from shopkeeper.language.backends.openai import Endpoint
from shopkeeper.language.engines.faults import NotRead, translated
from shopkeeper.language.engines.loop import Loop
from shopkeeper.language.structured import Raw
from shopkeeper.language.types import Message, Price, Reply, Request

Mode = Literal["native", "tool", "prompted"]

MOST_BYTES = 4_000_000
"""Of one answer of an endpoint: what is longer is not read."""

# The last four: an answer of a shape that nobody expects is read by the libraries as if it had another.
_FAULTS = (
    exceptions.AgentRunError,
    OpenAIError,
    httpx2.HTTPError,
    TimeoutError,
    LookupError,
    TypeError,
    AttributeError,
    ValueError,
)

_MODES: tuple[Mode, ...] = ("native", "tool", "prompted")
_CLOSING = 5.0


class Chat:
    """A model behind an endpoint. Threads share its connections."""

    def __init__(self, model: str, endpoint: Endpoint, price: Price | None) -> None:
        self.name = f"openai:{model}"
        self.remote = endpoint.remote
        self.price = price
        self._endpoint = endpoint
        self._loop = Loop(self.name)
        self._http = httpx2.AsyncClient(
            follow_redirects=False,
            timeout=None,
            headers={"Accept-Encoding": "identity"},
            event_hooks={"response": [_bounded]},
        )
        self._client = AsyncOpenAI(
            base_url=endpoint.url, api_key=endpoint.key, http_client=self._http, max_retries=0
        )
        self._model = OpenAIChatModel(
            model, provider=_provider(endpoint, self._client), profile=_profile(endpoint)
        )
        self._mode: Mode = "native"

    def complete(self, request: Request) -> Reply:
        """The model's reply; in a form by JSON schema, a forced tool call or words, as the endpoint can."""

        def ask(messages: tuple[Message, ...], repairing: bool) -> Raw:
            if request.schema is None:
                return self._turn(request, messages, None)
            return self._in_form(request, messages, request.schema, repairing=repairing)

        return structured.answer(self.name, request, ask)

    def close(self) -> None:
        """Close the connections."""
        self._loop.run(self._client.close(), _CLOSING)
        self._loop.close()

    def models(self, seconds: float) -> list[str]:
        """The models that the endpoint says it has."""

        async def listed() -> list[str]:
            return [one.id async for one in self._client.models.list()]

        return sorted(self._loop.run(listed(), seconds))

    def _in_form(
        self,
        request: Request,
        messages: tuple[Message, ...],
        schema: type[BaseModel],
        *,
        repairing: bool,
    ) -> Raw:
        """One turn in the first way of holding to a form that the endpoint does not refuse."""
        if repairing:  # it did not keep to the form: the words of the repair hold the schema
            raw = self._turn(request, messages, "prompted")
            if self._mode == "native" and _reads(raw.text, schema):
                self._mode = "prompted"  # it takes the schema and does not look at it
            return raw
        for mode in _MODES[_MODES.index(self._mode) :]:
            try:
                told = prompt.with_form(messages, schema) if mode == "prompted" else messages
                raw = self._turn(request, told, mode)
            except ModelFailed as error:
                if mode == _MODES[-1] or not _refused(error):
                    raise
                continue
            self._mode = mode
            return raw
        raise AssertionError("the last mode returns or raises")

    def _turn(self, request: Request, messages: tuple[Message, ...], mode: Mode | None) -> Raw:
        work = model_request(
            self._model,
            _turns(messages),
            model_settings=ModelSettings(
                temperature=request.temperature,
                max_tokens=request.max_tokens,
                timeout=request.timeout,
            ),
            model_request_parameters=_parameters(request.schema, mode),
        )
        try:
            response = self._loop.run(work, request.timeout)
        except _FAULTS as error:
            raise self._fault(error, request) from error
        return _raw(response, messages)

    def _fault(self, error: Exception, request: Request) -> ShopkeeperError:
        if isinstance(error, exceptions.ModelNotFoundError):
            return self._unknown()
        return translated(error, self.name, request, self._endpoint.key_name)

    def _unknown(self) -> ShopkeeperError:
        model = self.name.partition(":")[2]
        try:
            known = self.models(_CLOSING)
        except (OpenAIError, httpx2.HTTPError, TimeoutError):
            known = []
        if known and model not in known:
            return UnknownName(f"model of {self._endpoint.url}", model, known, field="model")
        return ModelFailed(
            f"{self._endpoint.url} knows no model {model!r}, or is no address of such models.",
            hint="Check the model's name and that the address ends as its documentation says, often in /v1.",
            field="model",
        )


async def _bounded(response: httpx2.Response) -> None:
    """See to it that an answer ends: a broken or hostile endpoint cannot fill the memory."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise NotRead("it is packed, which was not asked for")
    assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101 - of an async client
    response.stream = _Counted(response.stream)


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        count = 0
        async for piece in self._stream:
            count += len(piece)
            if count > MOST_BYTES:
                raise NotRead(f"it is longer than {MOST_BYTES:,} bytes")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()


def _provider(endpoint: Endpoint, client: AsyncOpenAI) -> OpenAIProvider | OpenAICompatibleProvider:
    if endpoint.own:
        return OpenAIProvider(openai_client=client)
    return OpenAICompatibleProvider("endpoint", openai_client=client)


def _profile(endpoint: Endpoint) -> OpenAIModelProfile:
    return OpenAIModelProfile(
        supports_json_schema_output=True,
        supports_json_object_output=endpoint.own,
        openai_chat_supports_max_completion_tokens=endpoint.own,
    )


def _parameters(schema: type[BaseModel] | None, mode: Mode | None) -> ModelRequestParameters:
    if schema is None or mode is None:
        return ModelRequestParameters()
    told = schema.model_json_schema()
    if mode == "tool":
        tool = ToolDefinition(
            name="answer",
            parameters_json_schema=told,
            description="Give the answer.",
            kind="output",
        )
        return ModelRequestParameters(
            output_mode="tool", output_tools=[tool], allow_text_output=False
        )
    form = OutputObjectDefinition(json_schema=told, name=schema.__name__)
    if mode == "native":
        return ModelRequestParameters(output_mode="native", output_object=form)
    # The words of the form stand in the messages, fenced texts and all: no template of the library's.
    return ModelRequestParameters(
        output_mode="prompted", output_object=form, prompted_output_template=False
    )


def _turns(messages: tuple[Message, ...]) -> list[ModelMessage]:
    turns: list[ModelMessage] = []
    for one in messages:
        if one.role == "assistant":
            turns.append(ModelResponse(parts=[TextPart(one.content)]))
        elif one.role == "system":
            turns.append(ModelRequest(parts=[SystemPromptPart(one.content)]))
        else:
            turns.append(ModelRequest(parts=[UserPromptPart(one.content)]))
    return turns


def _raw(response: ModelResponse, messages: tuple[Message, ...]) -> Raw:
    calls = [part for part in response.parts if isinstance(part, ToolCallPart)]
    if calls:
        args: Any = calls[0].args
        text = args if isinstance(args, str) else json.dumps(args, ensure_ascii=False)
    else:
        text = "".join(part.content for part in response.parts if isinstance(part, TextPart))
    usage = response.usage
    # An endpoint that does not count is booked at the most that it can have been.
    sent = usage.input_tokens or sum(tokens.most(one.content) for one in messages)
    written = usage.output_tokens or tokens.most(text)
    if response.finish_reason == "content_filter":
        raise ModelFailed(
            "The endpoint's own filter kept the answer back.",
            hint="Leave this text to a person, or ask another model.",
            tokens_in=sent,
            tokens_out=written,
        )
    return Raw(text, sent, written, response.finish_reason != "length")


def _refused(error: ModelFailed) -> bool:
    """Whether the endpoint refused the request as such, which another way of asking may mend."""
    return isinstance(error.__cause__, exceptions.ModelRequestRejectedError) and not isinstance(
        error.__cause__, exceptions.ModelAuthenticationError
    )


def _reads(text: str, schema: type[BaseModel]) -> bool:
    try:
        structured.read(text, schema)
    except structured.NotTheForm:
        return False
    return True
