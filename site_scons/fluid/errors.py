"""The one exception that users see: a stable code and one sentence."""


class FluidError(Exception):
    """`text` says what was expected, what was found and what to do; `code` is `E-AREA-nn`."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
