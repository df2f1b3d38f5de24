"""The errors a user can meet; each message is one sentence that says what is wrong and what is allowed."""


class SpinesimError(Exception):
    """Base of all errors raised for a user's mistake or a case without a solution."""


class InputError(SpinesimError):
    """A parameter, option or path is not usable."""


class ModelError(InputError):
    """A model file is wrong."""


class ResultsFileError(InputError):
    """A results file cannot be read or written."""


class InfeasibleError(SpinesimError):
    """No muscle forces balance the joints."""


class UnstableError(InfeasibleError):
    """Muscle forces balance the joints, but none with the stability demanded."""


class NotConvergedError(SpinesimError):
    """The solver stopped before its tolerances were met."""
