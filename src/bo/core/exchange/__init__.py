"""Import and export of any record: the outside half turns files into rows of text and back.

`open_source` reads what offices are sent, `open_writer` writes what they hand on. Neither knows records or kinds.
Everything is read and written in bounded memory; what is doubtful is told, what would have to be altered is refused.
"""

from __future__ import annotations

from bo.core.exchange.readers import open_source as open_source
from bo.core.exchange.source import FORMATS as FORMATS
from bo.core.exchange.source import Format as Format
from bo.core.exchange.source import Limits as Limits
from bo.core.exchange.source import Row as Row
from bo.core.exchange.source import Skipped as Skipped
from bo.core.exchange.source import Source as Source
from bo.core.exchange.writers import Value as Value
from bo.core.exchange.writers import Writer as Writer
from bo.core.exchange.writers import open_writer as open_writer
