"""The formats that statements come in. Each reader is pure: a document goes in, statements come out.

`read_statements` finds the format by what a file holds, never by its name, and refuses what is no statement with the
reason.
"""

from __future__ import annotations

from bo.core.banking.formats.document import Document as Document
from bo.core.banking.formats.document import Hints as Hints
from bo.core.banking.formats.document import TableRow as TableRow
from bo.core.banking.formats.reading import FORMATS as FORMATS
from bo.core.banking.formats.reading import read_statements as read_statements
