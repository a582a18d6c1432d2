"""Look, hear, and hand on."""
from ..core.help import attach
from ..core.registry import EXPORTS, PAGES

__getattr__, __dir__, __all__ = attach(__name__, __file__)

PAGES.register("listen", "audioclust.listen.page:listen_page",
               "one file to look at a clustering, to listen to it, and to name its clusters")
EXPORTS.register("audacity", "audioclust.listen.exporting:AUDACITY", "labels of each recording")
EXPORTS.register("raven", "audioclust.listen.exporting:RAVEN", "labels of each recording")
EXPORTS.register("textgrid", "audioclust.listen.formats.annotations:TEXTGRID", "labels of each recording")
EXPORTS.register("elan", "audioclust.listen.formats.annotations:ELAN", "labels of each recording")
EXPORTS.register("parquet", "audioclust.listen.exporting:PARQUET", "one table")
EXPORTS.register("json", "audioclust.listen.exporting:JSON", "one table")
EXPORTS.register("csv", "audioclust.listen.exporting:CSV", "one table")
EXPORTS.register("crowsetta", "audioclust.listen.formats.annotations:CROWSETTA", "one table")
EXPORTS.register("playlist", "audioclust.listen.export_tools:PLAYLIST", "a list for each group")
EXPORTS.register("sfz", "audioclust.listen.formats.samplers:SFZ", "a sampler map for each group")
EXPORTS.register("decentsampler", "audioclust.listen.formats.samplers:DECENT_SAMPLER", "a sampler map for each group")
EXPORTS.register("hydrogen", "audioclust.listen.formats.samplers:HYDROGEN", "a sampler map for each group")
EXPORTS.register("kit", "audioclust.listen.formats.kits:KIT", "a sound of each group")
EXPORTS.register("folders", "audioclust.listen.sorting:FOLDERS", "a folder of sounds for each group")
