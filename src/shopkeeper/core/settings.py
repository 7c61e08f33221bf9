"""One frozen Settings per shop, from ``shopkeeper.toml`` and the environment."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from shopkeeper.core.errors import BadInput, UnknownName
from shopkeeper.core.text import did_you_mean

FILE = "shopkeeper.toml"
PREFIX = "SHOPKEEPER_"

Language = Literal["zh", "en"]

_LISTS = frozenset({"languages", "order_numbers"})


class Settings(BaseModel):
    """What an owner decides about a shop; the environment (``SHOPKEEPER_TIME_ZONE`` …) wins.

    ``database`` is a SQLAlchemy URL; empty means SQLite in the shop's folder. Give one that holds a
    password only through ``SHOPKEEPER_DATABASE``: it is never written to the file or shown.
    The same goes for a ``spark_url`` that holds a token.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        default="shop", min_length=1, max_length=80, description="what people call it"
    )
    time_zone: str = Field(default="UTC", description="IANA name; a day is a day there")
    currency: str = Field(
        default="USD", pattern=r"^[A-Z]{3}$", description="ISO 4217; every amount is in it"
    )
    languages: tuple[Language, ...] = Field(
        default=("en", "zh"), min_length=1, description="of reports; the first is the default"
    )
    database: str = Field(
        default="",
        repr=False,
        description="SQLAlchemy URL of the state; empty: SQLite in the shop's folder",
    )
    tables: str = Field(
        default="tables", description="where the tables are: a folder or an object store's URL"
    )
    memory_mb: int = Field(
        default=1500, ge=256, description="what the queries of one process may use, in megabytes"
    )
    engine: str = Field(
        default="duckdb",
        description="what runs the queries: duckdb (in the process) or spark (a server)",
    )
    spark_url: str = Field(
        default="",
        repr=False,
        pattern=r"^(sc://\S+)?$",
        description="Spark Connect server of the engine spark: sc://host:port",
    )

    keep_orders_days: int = Field(
        default=1096,
        ge=0,
        description="how long orders of an erased customer stay, under a pseudonym; China's E-Commerce Law"
        " (Art. 31) asks for three years",
    )
    keep_events_days: int = Field(
        default=0, ge=0, description="older events but orders are removed by the sweep; 0: never"
    )
    keep_texts_days: int = Field(
        default=0, ge=0, description="older reviews, chats and posts are removed; 0: never"
    )
    keep_refused_days: int = Field(
        default=365, ge=0, description="older refused rows lose their content; 0: never"
    )
    keep_exports_days: int = Field(
        default=30, ge=0, description="older files in the shop's exports are removed; 0: never"
    )
    keep_backups_days: int = Field(
        default=90,
        ge=0,
        description="older backups in the shop's own folder are removed but for the newest; 0: never",
    )
    agents_may_write: bool = Field(
        default=False,
        description="whether agents that speak MCP are offered operations that write, where their key may",
    )

    model: str = Field(
        default="house",
        description="who reads and writes texts where nothing else is said: house (no generative model),"
        " openai:<model>, transformers:<folder> or scripted:<file>; docs/models.md",
    )
    embeddings: str = Field(
        default="words",
        description="what says whose items' texts are alike, for recommendations of new items: words"
        " (no model), openai:<model> or transformers:<folder>",
    )
    model_prices: dict[str, tuple[float, float]] = Field(
        default={},
        description="what a million tokens of a model cost, sent and written, in the shop's currency;"
        " 0 and 0: free. In the environment: name=0.5/1.5,other=0/0",
    )
    model_budget: float = Field(
        default=0,
        ge=0,
        description="what models may cost in a calendar month, in the shop's currency; 0: only free ones",
    )
    model_tokens: int = Field(
        default=0, ge=0, description="how many tokens models may use in a calendar month; 0: no cap"
    )
    model_window: int = Field(
        default=32_000,
        ge=256,
        description="about how many tokens a prompt may have; longer: refused",
    )
    model_texts: Literal["granted", "not_refused"] = Field(
        default="granted",
        description="whose texts a remote model may be sent, masked: of customers who granted the purpose"
        " models, or of all who did not refuse it; those of restricted customers never",
    )

    order_numbers: tuple[str, ...] = Field(
        default=(),
        description=r"what the shop's order numbers look like, so that they are masked before a text is"
        r" stored with a model's answer or sent: letters, digits, \d, [A-Z], {n,m}, for example SO\d{10}",
    )

    @field_validator("model_prices", mode="before")
    @classmethod
    def _prices_in_words(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        pairs = (part.rpartition("=") for part in given.split(",") if part.strip())
        return {name.strip(): price.split("/") for name, _, price in pairs}

    @field_validator("model_prices")
    @classmethod
    def _prices_are_amounts(
        cls, prices: dict[str, tuple[float, float]]
    ) -> dict[str, tuple[float, float]]:
        for name, price in prices.items():
            if not all(0 <= amount < float("inf") for amount in price):
                raise ValueError(f"the price of {name!r} must be 0 or more")
        return prices

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name not in available_timezones():
            near = did_you_mean(name, available_timezones())
            raise ValueError(
                f"no time zone is named {name!r}" + (f"; did you mean {near!r}?" if near else "")
            )
        return name

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


def load(folder: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of the shop in ``folder``: the file's, overridden by the environment's."""
    path = folder / FILE
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not valid TOML: {error}.", hint="Correct that line.") from error
    if "database" in values and "@" in str(values["database"]):
        raise BadInput(
            f"{path} holds a database URL with credentials.",
            hint=f"Move it to the environment variable {PREFIX}DATABASE.",
            field="database",
        )
    if "token=" in str(values.get("spark_url", "")):
        raise BadInput(
            f"{path} holds a token in spark_url.",
            hint=f"Move it to the environment variable {PREFIX}SPARK_URL.",
            field="spark_url",
        )
    values |= _from_environment(os.environ if environment is None else environment)
    return parse(values)


def parse(values: Mapping[str, Any]) -> Settings:
    """Settings made of these values, or a :class:`BadInput` that names the wrong one."""
    for key in values:
        if key not in Settings.model_fields:
            raise UnknownName("setting", key, Settings.model_fields, field=key)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise BadInput(
            f"The setting {field!r} is wrong: {first['msg']}.",
            hint=f"Correct it in {FILE} or in {PREFIX}{field.upper()}.",
            field=field,
        ) from error


def dump(settings: Settings) -> str:
    """The text of a ``shopkeeper.toml`` with these settings, without the database and tokens."""
    languages = ", ".join(f'"{language}"' for language in settings.languages)
    return (
        "# What each line means: docs/reference.md. Secrets belong in the environment, not here.\n"
        f"name = {_quoted(settings.name)}\n"
        f"time_zone = {_quoted(settings.time_zone)}\n"
        f"currency = {_quoted(settings.currency)}\n"
        f"languages = [{languages}]\n" + _engine(settings) + _models(settings)
    )


def _engine(settings: Settings) -> str:
    if settings.engine == Settings.model_fields["engine"].default:
        return ""
    text = f"engine = {_quoted(settings.engine)}\n"
    if settings.spark_url and "token=" not in settings.spark_url:
        text += f"spark_url = {_quoted(settings.spark_url)}\n"
    return text


def _models(settings: Settings) -> str:
    lines = []
    for name in ("model", "model_texts", "model_budget", "model_tokens", "model_window"):
        value = getattr(settings, name)
        if value != Settings.model_fields[name].default:
            lines.append(f"{name} = {_quoted(value) if isinstance(value, str) else value}\n")
    if settings.order_numbers:
        lines.append(f"order_numbers = [{', '.join(map(_quoted, settings.order_numbers))}]\n")
    if settings.model_prices:  # a table: it must stand last
        lines.append("\n[model_prices]\n")
        for name, (sent, written) in settings.model_prices.items():
            lines.append(f"{_quoted(name)} = [{sent}, {written}]\n")
    return "".join(lines)


def _quoted(text: str) -> str:
    escaped = "".join(
        f"\\u{ord(c):04x}" if ord(c) < 32 or c in '"\\' or ord(c) == 127 else c for c in text
    )
    return f'"{escaped}"'


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in Settings.model_fields:
        text = environment.get(PREFIX + field.upper())
        if text is not None:
            values[field] = tuple(text.split(",")) if field in _LISTS else text
    return values
