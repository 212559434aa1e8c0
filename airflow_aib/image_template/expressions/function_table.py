"""All functions of ARM's expression language by name: one table, and what is not in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_aib.image_template.expressions.functions.collections import COLLECTION_FUNCTIONS
from airflow_aib.image_template.expressions.functions.dates import DATE_FUNCTIONS
from airflow_aib.image_template.expressions.functions.hashes import guid, unique_string
from airflow_aib.image_template.expressions.functions.logic import LOGIC_FUNCTIONS
from airflow_aib.image_template.expressions.functions.texts import TEXT_FUNCTIONS, hashed

if TYPE_CHECKING:
    from collections.abc import Callable

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **COLLECTION_FUNCTIONS,
    **DATE_FUNCTIONS,
    **LOGIC_FUNCTIONS,
    **TEXT_FUNCTIONS,
    "guid": hashed(guid),
    "uniquestring": hashed(unique_string),
}

# What only Azure can answer. Every function whose name begins with `list` belongs here too.
_ONLY_AZURE_KNOWS = frozenset(
    {"reference", "references", "managementgroup", "environment", "deployment", "deployer", "providers", "pickzones",
     "tenant", "getsecret"},
)  # fmt: skip

# What Azure evaluates, and nobody here.
_ONLY_AZURE_EVALUATES = frozenset(
    {"cidrhost", "cidrsubnet", "datauri", "datauritostring", "filter", "groupby", "lambda", "lambdavariables", "map",
     "mapvalues", "parsecidr", "reduce", "sort", "toobject"},
)  # fmt: skip

NEEDS_AZURE = _ONLY_AZURE_KNOWS | _ONLY_AZURE_EVALUATES

# What has no answer that is the same in every rendering.
NEEDS_VALUE = {"newguid": "another text every time"}

# What writes its arguments into its result: an unknown one stays visible there, and the rest is known.
KEEPS_UNKNOWN = frozenset(
    {"array", "concat", "createarray", "createobject", "extensionresourceid", "format", "join", "resourceid", "string",
     "subscriptionresourceid", "tenantresourceid", "tolower", "toupper", "trim"},
)  # fmt: skip
