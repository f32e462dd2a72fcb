"""PrivML: privacy-preserving machine learning as a service.

Data owners outsource encrypted training data to a provider made of two units that do not collude. Together the units
train classifiers and answer encrypted queries; apart, each sees uniformly random numbers only.
"""

from privml.data.proposal import propose_schema
from privml.data.readers import read_csv
from privml.data.schema import Categorical, Continuous, Numeric, Ordinal, Schema
from privml.errors import PrivMLError
from privml.roles.authority import Authority
from privml.roles.card import ModelCard
from privml.roles.client import Client, ClientSession
from privml.roles.data_owner import DataOwner, Receipt
from privml.roles.provider import Provider

__all__ = [
    "Authority",
    "Categorical",
    "Client",
    "ClientSession",
    "Continuous",
    "DataOwner",
    "ModelCard",
    "Numeric",
    "Ordinal",
    "PrivMLError",
    "Provider",
    "Receipt",
    "Schema",
    "propose_schema",
    "read_csv",
]
