"""Tables of owners and clients: their public schema, and their way into codes, one-hot rows and counts."""

from privml.data.continuous import Continuous
from privml.data.csv_format import CsvFormat
from privml.data.encoding import Counts, EncodedTable, counts, encode, one_hot, one_hot_labels
from privml.data.feature import Categorical, Feature, Numeric, Ordinal
from privml.data.proposal import Proposal, propose_schema
from privml.data.readers import as_table, from_columns, from_dataframe, from_rows, read_csv
from privml.data.schema import Schema
from privml.data.table import Table

__all__ = [
    "Categorical",
    "Continuous",
    "Counts",
    "CsvFormat",
    "EncodedTable",
    "Feature",
    "Numeric",
    "Ordinal",
    "Proposal",
    "Schema",
    "Table",
    "as_table",
    "counts",
    "encode",
    "from_columns",
    "from_dataframe",
    "from_rows",
    "one_hot",
    "one_hot_labels",
    "propose_schema",
    "read_csv",
]
