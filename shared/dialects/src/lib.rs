//! Five wire dialects over one model: bytes in, bytes out. Pure.
