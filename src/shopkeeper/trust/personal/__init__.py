"""Personal data in Chinese and English text: where it is, and masks that only this machine can undo.

No model and no download: checksums, number plans, gazetteers and the words that stand around a value.
"""

from shopkeeper.trust.personal.detect import find
from shopkeeper.trust.personal.finding import Finding
from shopkeeper.trust.personal.masking import Masked, Masker
from shopkeeper.trust.personal.patterns import NONE, Patterns

__all__ = ["NONE", "Finding", "Masked", "Masker", "Patterns", "find"]
