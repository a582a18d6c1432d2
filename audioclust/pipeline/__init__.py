"""From a folder of recordings to groups."""
from ..core.help import attach
from ..core.registry import FINDINGS

__getattr__, __dir__, __all__ = attach(__name__, __file__)

FINDINGS.register("strangeness", "audioclust.pipeline.explanations:STRANGENESS", "of a clip: 1 is the edge of what is usual")
FINDINGS.register("midi_note", "audioclust.pipeline.explanations:MIDI_NOTE", "the note of a clip: 69 is A4")
FINDINGS.register("followed", "audioclust.pipeline.explanations:FOLLOWED", "what the clusters follow")
FINDINGS.register("differences", "audioclust.pipeline.explanations:DIFFERENCES", "how a cluster differs from all clips")
FINDINGS.register("suggested", "audioclust.pipeline.explanations:SUGGESTED", "what may be heard in a cluster")
FINDINGS.register("path_words", "audioclust.pipeline.explanations:PATH_WORDS", "words of file names in a cluster")
