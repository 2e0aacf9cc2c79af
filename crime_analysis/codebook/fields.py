"""What a column and a table are described with, and the columns that many tables share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crime_analysis import places

Type = Literal["string", "integer", "number"]


@dataclass(frozen=True)
class Field:
    """One column: what it means, its unit, what it may hold, and how it is made from cells."""

    name: str
    type: Type
    description: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    allowed: tuple[str, ...] | None = None
    missing: bool = False
    made: str = ""


@dataclass(frozen=True)
class Table:
    """One shipped table: its fields in order, its key, and what a reader should know."""

    name: str
    title: str
    description: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    made_by: str = ""

    @property
    def columns(self) -> list[str]:
        """The names of the fields, in order."""
        return [field.name for field in self.fields]


FORCE = Field("force", "string", "Police force area", allowed=places.FORCES)
YEAR = Field("financial_year", "string", "Financial year, April to March", pattern=r"^\d{4}/\d{2}$")
SOURCE = Field("source", "string", "Publication the figure comes from (id in datapackage.json)")


PLACE = Field("place", "string", "London borough", allowed=places.BOROUGHS)
MONTH = Field("month", "string", "Month", pattern=r"^\d{4}-\d{2}$")


def fte_field(name: str, what: str, *, missing: bool = False, made: str = "") -> Field:
    """Return a field of people in post, in full-time equivalents."""
    return Field(
        name, "number", what, "full-time equivalents", minimum=0, maximum=60_000,
        missing=missing, made=made,
    )  # fmt: skip


def count_fields(
    names: tuple[str, ...], unit: str, *, made: str = "", least: float | None = 0,
    missing: bool = True, kind: Type = "number",
) -> tuple[Field, ...]:  # fmt: skip
    """Return a field for each count, described by its own name."""
    return tuple(
        Field(
            name,
            kind,
            name.replace("_", " ").capitalize(),
            unit,
            minimum=least,
            missing=missing,
            made=made,
        )
        for name in names
    )


OFFENCE_GROUPS = (
    "homicide", "violence_with_injury", "violence_without_injury", "stalking_and_harassment",
    "death_or_injury_driving", "violence_against_the_person", "robbery", "sexual_offences",
    "possession_of_weapons", "knife_offences", "total_excluding_fraud",
)  # fmt: skip

SUMMED = "summed over sex and rank where the publication prints them apart"
ADDED = "offences of the group added up"
# New classes, then those that only the old classes have.
BOROUGH_GROUPS = (
    "homicide", "violence_against_the_person", "violence_with_injury", "violence_without_injury",
    "stalking_and_harassment", "robbery", "sexual_offences", "possession_of_weapons",
    "murder", "wounding_and_assault_with_injury", "wounding_gbh", "assault_with_injury",
    "common_assault", "harassment", "other_violence", "offensive_weapon",
)  # fmt: skip

FUNDING_SERIES = (
    "hmic_actuals", "hmic_estimates", "outturn", "outturn_gla", "mpa_settlement",
)  # fmt: skip
