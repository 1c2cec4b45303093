"""Tables of codes and factors: from arrays and frames of any library, and from files of many kinds."""

from distaff.tables.memory import as_table
from distaff.tables.reading import read_table
from distaff.tables.roles import Factors, codes_of, factors_of
from distaff.tables.table import Table, in_order_of

__all__ = ["Factors", "Table", "as_table", "codes_of", "factors_of", "in_order_of", "read_table"]
