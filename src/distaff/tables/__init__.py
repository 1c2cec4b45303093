"""Tables of codes and factors: from arrays and frames of any library, and from files of many kinds."""

from distaff.tables.cells import Cells, cells_in, cells_of
from distaff.tables.common_rows import rows_of_both
from distaff.tables.keys import counts_rows
from distaff.tables.memory import as_table
from distaff.tables.pairing import in_order_of, of_as_many_rows, with_keys
from distaff.tables.reading import read_table
from distaff.tables.roles import Continuous, Factors, codes_of, continuous_columns, factors_of, holds_words
from distaff.tables.sparse import Sparse, SparseTable, is_sparse
from distaff.tables.table import LEAVE_OUT, Table
from distaff.tables.turned import turned_to_fit

__all__ = [
    "LEAVE_OUT",
    "Cells",
    "Continuous",
    "Factors",
    "Sparse",
    "SparseTable",
    "Table",
    "as_table",
    "cells_in",
    "cells_of",
    "codes_of",
    "continuous_columns",
    "counts_rows",
    "factors_of",
    "holds_words",
    "in_order_of",
    "is_sparse",
    "of_as_many_rows",
    "read_table",
    "rows_of_both",
    "turned_to_fit",
    "with_keys",
]
