"""The exception tree. Every message names the value, the limit and the remedy."""


class MinrnnError(Exception):
    """Anything this package reports to its user; the children say what it was about."""


class ConfigError(MinrnnError):
    """A setting, a model configuration or a vocabulary that cannot be used."""


class CorpusError(MinrnnError):
    """A text that is unknown, unreadable, too short, too long or not what its checksum says."""


class CheckpointError(MinrnnError):
    """A model folder or file that is missing, damaged or not one of ours."""


class HubError(MinrnnError):
    """The Hugging Face Hub could not be reached, or refused a request."""


class BackendUnavailable(MinrnnError):
    """A scan backend that was asked for by name and cannot run on this machine."""


class TrainingError(MinrnnError):
    """A training run that cannot go on, such as a loss that is no longer finite."""


class BusyError(MinrnnError):
    """More is asked of the machine at once than it gives one visitor, or all of them."""
