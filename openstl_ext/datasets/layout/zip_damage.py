"""What zipfile makes of a damaged archive, depending on the byte that is wrong."""

import struct
import zipfile
import zlib

DAMAGE: tuple[type[Exception], ...] = (
    *(OSError, ValueError, EOFError, NotImplementedError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, struct.error),
)
