"""From sounds to points."""
from ..core.help import attach
from ..core.registry import ENCODERS, SAVED

__getattr__, __dir__, __all__ = attach(__name__, __file__)

ENCODERS.register("aisfx", "audioclust.encoders.pretrained.sound_effects:EffectsEncoder",
    "a network that was trained on sound effects")
ENCODERS.register("speech_embedding", "audioclust.encoders.pretrained.speech:SpeechEmbeddingEncoder",
    "a network that was trained on spoken words")
ENCODERS.register("resemblyzer", "audioclust.encoders.pretrained.speech:ResemblyzerEncoder",
    "a network that was trained to tell speakers apart")
ENCODERS.register("musicnn", "audioclust.encoders.pretrained.musicnn:MusicnnEncoder",
    "a network that was trained to tag songs")
ENCODERS.register("yamnet", "audioclust.encoders.pretrained.yamnet:YamnetEncoder",
    "a network that was trained to recognise sounds of any kind")
SAVED.register("FixedEncoder", "audioclust.encoders.fixed:FixedEncoder")
SAVED.register("NetworkEncoder", "audioclust.encoders.networks:NetworkEncoder")
SAVED.register("PretrainedEncoder", "audioclust.encoders.pretrained.transformers_models:PretrainedEncoder")
SAVED.register("EffectsEncoder", "audioclust.encoders.pretrained.sound_effects:EffectsEncoder")
SAVED.register("SpeechEmbeddingEncoder", "audioclust.encoders.pretrained.speech:SpeechEmbeddingEncoder")
SAVED.register("ResemblyzerEncoder", "audioclust.encoders.pretrained.speech:ResemblyzerEncoder")
SAVED.register("MusicnnEncoder", "audioclust.encoders.pretrained.musicnn:MusicnnEncoder")
SAVED.register("YamnetEncoder", "audioclust.encoders.pretrained.yamnet:YamnetEncoder")
SAVED.register("FunctionEncoder", "audioclust.encoders.pretrained.transformers_models:FunctionEncoder")
SAVED.register("OnnxEncoder", "audioclust.encoders.pretrained.onnx_models:OnnxEncoder")
SAVED.register("VotingEncoder", "audioclust.encoders.joint:VotingEncoder")
SAVED.register("VotingWhitening", "audioclust.encoders.joint:VotingWhitening")
SAVED.register("Whiten", "audioclust.encoders.whitening:Whiten")
SAVED.register("WithinWhiten", "audioclust.encoders.whitening:WithinWhiten")
SAVED.register("ResidualEncoder", "audioclust.encoders.residual:ResidualEncoder")
SAVED.register("IdentityWhitening", "audioclust.encoders.residual:IdentityWhitening")
