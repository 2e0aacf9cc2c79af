"""The names of the 43 police forces and 32 London boroughs, and how sources spell them.

A name is never guessed: what is not known, in its official or a listed spelling, is an error
that offers the nearest names. Codes and countries are in the shipped table ``places``.
"""

from __future__ import annotations

import re

from crime_analysis.errors import UnknownNameError

__all__ = [
    "BOROUGHS",
    "FORCES",
    "REGIONS",
    "SHORT_NAMES",
    "WELSH_FORCES",
    "borough",
    "borough_tiles",
    "force",
    "force_tiles",
    "region_of",
]

FORCES: tuple[str, ...] = (
    "Avon and Somerset", "Bedfordshire", "Cambridgeshire", "Cheshire", "City of London",
    "Cleveland", "Cumbria", "Derbyshire", "Devon and Cornwall", "Dorset", "Durham",
    "Dyfed-Powys", "Essex", "Gloucestershire", "Greater Manchester", "Gwent", "Hampshire",
    "Hertfordshire", "Humberside", "Kent", "Lancashire", "Leicestershire", "Lincolnshire",
    "Merseyside", "Metropolitan Police", "Norfolk", "North Wales", "North Yorkshire",
    "Northamptonshire", "Northumbria", "Nottinghamshire", "South Wales", "South Yorkshire",
    "Staffordshire", "Suffolk", "Surrey", "Sussex", "Thames Valley", "Warwickshire",
    "West Mercia", "West Midlands", "West Yorkshire", "Wiltshire",
)  # fmt: skip

WELSH_FORCES: tuple[str, ...] = ("Dyfed-Powys", "Gwent", "North Wales", "South Wales")

#: The Home Office's regions of England: some figures are published by region alone.
REGIONS: dict[str, tuple[str, ...]] = {
    "East Midlands": (
        "Derbyshire", "Leicestershire", "Lincolnshire", "Northamptonshire", "Nottinghamshire",
    ),
    "East of England": (
        "Bedfordshire", "Cambridgeshire", "Essex", "Hertfordshire", "Norfolk", "Suffolk",
    ),
    "London": ("City of London", "Metropolitan Police"),
    "North East": ("Cleveland", "Durham", "Northumbria"),
    "North West": ("Cheshire", "Cumbria", "Greater Manchester", "Lancashire", "Merseyside"),
    "South East": ("Hampshire", "Kent", "Surrey", "Sussex", "Thames Valley"),
    "South West": (
        "Avon and Somerset", "Devon and Cornwall", "Dorset", "Gloucestershire", "Wiltshire",
    ),
    "West Midlands": ("Staffordshire", "Warwickshire", "West Mercia", "West Midlands"),
    "Yorkshire and the Humber": (
        "Humberside", "North Yorkshire", "South Yorkshire", "West Yorkshire",
    ),
}  # fmt: skip

BOROUGHS: tuple[str, ...] = (
    "Barking and Dagenham", "Barnet", "Bexley", "Brent", "Bromley", "Camden", "Croydon",
    "Ealing", "Enfield", "Greenwich", "Hackney", "Hammersmith and Fulham", "Haringey",
    "Harrow", "Havering", "Hillingdon", "Hounslow", "Islington", "Kensington and Chelsea",
    "Kingston upon Thames", "Lambeth", "Lewisham", "Merton", "Newham", "Redbridge",
    "Richmond upon Thames", "Southwark", "Sutton", "Tower Hamlets", "Waltham Forest",
    "Wandsworth", "Westminster",
)  # fmt: skip

# For where a name has no room, such as a tile of a map.
SHORT_NAMES: dict[str, str] = {
    "Avon and Somerset": "Avon", "Bedfordshire": "Beds", "Cambridgeshire": "Cambs",
    "City of London": "City", "Cleveland": "Clevel.", "Derbyshire": "Derbys",
    "Devon and Cornwall": "Devon", "Dyfed-Powys": "Dyfed-P", "Gloucestershire": "Glos",
    "Greater Manchester": "Gr Manc", "Hampshire": "Hants", "Hertfordshire": "Herts",
    "Humberside": "Humber", "Lancashire": "Lancs", "Leicestershire": "Leics",
    "Lincolnshire": "Lincs", "Merseyside": "Mersey", "Metropolitan Police": "Met",
    "North Wales": "N Wales", "North Yorkshire": "N Yorks", "Northamptonshire": "Northants",
    "Northumbria": "Northumb", "Nottinghamshire": "Notts", "South Wales": "S Wales",
    "South Yorkshire": "S Yorks", "Staffordshire": "Staffs", "Thames Valley": "Thames",
    "Warwickshire": "Warks", "West Mercia": "W Merc", "West Midlands": "W Mids",
    "West Yorkshire": "W Yorks", "Wiltshire": "Wilts",
    "Barking and Dagenham": "Barking", "Greenwich": "Greenw.", "Hammersmith and Fulham": "Hammer.",
    "Hillingdon": "Hilling.", "Islington": "Isling.", "Kensington and Chelsea": "Kens.",
    "Kingston upon Thames": "Kingston", "Redbridge": "Redbr.", "Richmond upon Thames": "Richm.",
    "Southwark": "Southw.", "Tower Hamlets": "Tower H", "Waltham Forest": "Waltham",
    "Wandsworth": "Wandsw.", "Westminster": "Westm.",
}  # fmt: skip

# Maps of equal tiles, as they are seen: a row a line, north at the top, "." where there is none.
_FORCE_MAP = """
. | . | . | . | Northumbria
. | . | . | Cumbria | Durham | Cleveland
. | . | . | Lancashire | North Yorkshire | Humberside
. | . | Merseyside | Greater Manchester | West Yorkshire | South Yorkshire
. | North Wales | Cheshire | Staffordshire | Derbyshire | Nottinghamshire | Lincolnshire
. | Dyfed-Powys | West Mercia | West Midlands | Leicestershire | Cambridgeshire | Norfolk
South Wales|Gwent|Gloucestershire|Warwickshire|Northamptonshire|Bedfordshire|Suffolk
. | . | Avon and Somerset | Wiltshire | Thames Valley | Hertfordshire | Essex
. | Devon and Cornwall | Dorset | Hampshire | Surrey | Metropolitan Police | City of London
. | . | . | . | . | Sussex | Kent
"""
_BOROUGH_MAP = """
. | . | . | Barnet | Enfield
. | Harrow | Brent | Camden | Haringey | Waltham Forest | Redbridge | Havering
Hillingdon|Ealing|Kensington and Chelsea|Westminster|Islington|Hackney|Newham|Barking and Dagenham
Hounslow|Hammersmith and Fulham|Wandsworth|Lambeth|City of London|Tower Hamlets|Greenwich|Bexley
. | Richmond upon Thames | Merton | Croydon | Southwark | Lewisham | Bromley
. | Kingston upon Thames | Sutton
"""

# Spellings seen in the publications themselves, after `_plain`. A new one is added on sight.
_FORCE_ALIASES = {
    "london, city of": "City of London",
    "city of london police": "City of London",
    "metropolitan": "Metropolitan Police",
    "metropolitan police service": "Metropolitan Police",
    "met": "Metropolitan Police",
    "mps": "Metropolitan Police",
    "dyfed powys": "Dyfed-Powys",
    "hampshire and isle of wight": "Hampshire",
}
_BOROUGH_ALIASES = {
    "city of westminster": "Westminster",
    "kingston": "Kingston upon Thames",
    "richmond": "Richmond upon Thames",
}

_FOOTNOTE = re.compile(r"(?:\s*\([a-z0-9]\)|\s*\[[a-z0-9, ]+\]|(?<=[a-z])[\d,]+|[*†‡]+)\s*$")


def _plain(name: str) -> str:
    """Fold case, ampersands, spaces and trailing footnote marks of a printed name."""
    text = " ".join(str(name).replace("\u00a0", " ").replace("&", " and ").split()).casefold()
    before = None
    while before != text:
        before, text = text, _FOOTNOTE.sub("", text).strip()
    return text


def _index(names: tuple[str, ...], aliases: dict[str, str]) -> dict[str, str]:
    return {_plain(n): n for n in names} | aliases


_FORCES_BY_SPELLING = _index(FORCES, _FORCE_ALIASES)
_BOROUGHS_BY_SPELLING = _index(BOROUGHS, _BOROUGH_ALIASES)


def force(name: str) -> str:
    """Return the official name of a police force, given any known spelling.

    Footnote marks at the end of a name, ``&``, letter case, and the words "Police",
    "Constabulary", "Police Authority" or "Police and Crime Commissioner ..." after it are
    understood.

    Raises
    ------
    UnknownNameError
        With the nearest forces, if the name is none of the 43.

    Examples
    --------
    >>> force("Devon & Cornwall"), force("London, City of"), force("Cheshire7")
    ('Devon and Cornwall', 'City of London', 'Cheshire')
    """
    text = _plain(name)
    found = _FORCES_BY_SPELLING.get(text)
    if found is None:
        bare = re.sub(
            r"\s+(?:police and crime commissioner.*|police authority|police|constabulary)$",
            "",
            text,
        )
        found = _FORCES_BY_SPELLING.get(bare)
    if found is None:
        raise UnknownNameError("force", name, FORCES)
    return found


def borough(name: str) -> str:
    """Return the official name of a London borough, given any known spelling.

    Raises
    ------
    UnknownNameError
        With the nearest boroughs, if the name is none of the 32. The City of London is a
        force of its own and no borough.

    Examples
    --------
    >>> borough("Hammersmith & Fulham")
    'Hammersmith and Fulham'
    """
    found = _BOROUGHS_BY_SPELLING.get(_plain(name))
    if found is None:
        raise UnknownNameError("borough", name, BOROUGHS)
    return found


def force_tiles() -> dict[str, tuple[int, int]]:
    """Return the row and column of each force on a map of equal tiles, from 1.

    Tiles lie about where the forces do, and next to most of their neighbours. One size for all:
    a large rural force does not outweigh the Met.

    Examples
    --------
    >>> tiles = force_tiles()
    >>> tiles["Northumbria"], tiles["Devon and Cornwall"]
    ((1, 5), (9, 2))
    """
    return _tiles(_FORCE_MAP)


def borough_tiles() -> dict[str, tuple[int, int]]:
    """Return the row and column of each London borough and the City on a map of equal tiles.

    Examples
    --------
    >>> borough_tiles()["Camden"]
    (2, 4)
    """
    return _tiles(_BOROUGH_MAP)


def _tiles(drawn: str) -> dict[str, tuple[int, int]]:
    return {
        name.strip(): (row, column)
        for row, line in enumerate(drawn.strip().splitlines(), start=1)
        for column, name in enumerate(line.split("|"), start=1)
        if name.strip() != "."
    }


def region_of(force: str) -> str:
    """Return a force's region of England, or nothing for a Welsh force.

    Examples
    --------
    >>> region_of("Kent"), region_of("Gwent")
    ('South East', '')
    """
    return next((name for name, forces in REGIONS.items() if force in forces), "")
