# The face of the package: names that people type, and the modules that hold them. Read at import, and by type checkers.
from .onnx_models import OnnxEncoder as OnnxEncoder
from .transformers_models import PretrainedEncoder as PretrainedEncoder, named_encoder as named_encoder, trusting_code as trusting_code
from .transformers_models import FunctionEncoder as FunctionEncoder, encode as encode
from .sound_kinds import SPEECH_HEARD as SPEECH_HEARD, is_speech as is_speech
