"""Every exception that PrivML raises on purpose.

::

    PrivMLError
    ├── SettingError (ValueError)               an argument outside its stated range
    │   ├── ScaleError                              fixed-point numbers of different scales
    │   └── RangeError (OverflowError)              an operation whose declared ranges could overflow
    ├── CryptoError
    │   ├── ParameterMismatchError (ValueError)     two objects belong to different public parameters
    │   ├── PlaintextRangeError (OverflowError)     a plaintext that does not fit
    │   ├── NotAUnitError (ValueError)              a group element with a factor in common with N
    │   ├── DecryptionError (ValueError)            corrupt, or outside the expected layout (never says which)
    │   ├── ProofError (ValueError)                 a proof that does not verify
    │   ├── RegistrationError (ValueError)          a public key that may not be, or is not, registered
    │   ├── LayoutError (ValueError)                packed ciphertexts of different layouts, or values past a layout
    │   ├── SecretExposureError (TypeError)         an attempt to pickle a secret
    │   └── KeyFileError (ValueError)               a key file that cannot be opened
    │       └── InsecureKeyFileError (PermissionError)  others could read it
    ├── WireError (ValueError)                  bytes that are not what they should be
    │   ├── TruncatedError                          too few of them
    │   ├── OversizedError                          too many of them
    │   ├── VersionError                            of another version of the format
    │   └── MalformedError                          of another type, or with fields out of range
    ├── DataError (ValueError)                  a table that does not fit; names row and column
    │   ├── SchemaError                             a schema that contradicts itself
    │   ├── ColumnError                             a column missing, or one too many
    │   ├── UnknownCategoryError                    a value that the schema does not list
    │   ├── MissingValueError                       an empty cell
    │   └── ValueTypeError (TypeError)              a cell of the wrong type
    ├── ChannelError (ConnectionError)          the link between the units
    │   ├── ChannelClosedError                      the peer is gone
    │   │   └── ChannelEndedError                       it said goodbye, between two messages
    │   ├── ChannelTimeoutError (TimeoutError)      the peer does not answer
    │   ├── FrameTooLargeError                      a frame beyond the agreed maximum
    │   └── PeerIdentityError                       the peer is not who it should be
    ├── ProtocolError (RuntimeError)            the units fell out of step
    │   ├── FrameSizeError                          a message of an unexpected length
    │   ├── DrawReusedError                         correlated randomness asked for a second time
    │   ├── EpochMismatchError                      correlated randomness of different deals
    │   └── LaneError                               a worker to divide work among is missing
    ├── ValidationError (ValueError)            shared data that are not what they must be; nothing else shows
    ├── UploadError (ValueError)                an upload that cannot be taken
    │   ├── DuplicateUploadError                    the same (owner, upload id) again
    │   ├── UnknownUploadError (LookupError)        no such upload
    │   └── CapacityError                           more additions than the layout planned
    ├── SessionError (ValueError)               a query session
    │   └── CounterError                            a counter that did not increase
    ├── AuthorisationError (PermissionError)    not allowed to do that
    └── ClassifierError (ValueError)            a learner
        ├── UnknownClassifierError (LookupError)    no such entry point
        ├── ContractError (AssertionError)          does not do what every classifier must
        └── NotFittedError                          asked to predict before it was trained
"""


class PrivMLError(Exception):
    """Base of all errors raised by PrivML."""

    agreed: bool = False
    """Set on an error that both units raise after telling each other, so the link between them stays in step."""


class SettingError(PrivMLError, ValueError):
    """An argument lies outside its stated range."""


class ScaleError(SettingError):
    """Fixed-point numbers of different scales meet; bring them to one scale first."""


class RangeError(SettingError, OverflowError):
    """The declared ranges of fixed-point numbers say that an operation could leave 62 bits."""


class CryptoError(PrivMLError):
    """Base of the errors of the cryptosystem."""


class ParameterMismatchError(CryptoError, ValueError):
    """Two objects belong to different public parameters."""


class PlaintextRangeError(CryptoError, OverflowError):
    """A plaintext does not fit its space or its slot."""


class NotAUnitError(CryptoError, ValueError):
    """A group element shares a factor with N, or is outside [1, N²)."""


class DecryptionError(CryptoError, ValueError):
    """A ciphertext is corrupt or its plaintext is outside the expected layout; deliberately does not say which."""


class ProofError(CryptoError, ValueError):
    """A zero-knowledge proof does not verify in its context."""


class RegistrationError(CryptoError, ValueError):
    """A public key may not be registered, or is not registered."""


class LayoutError(CryptoError, ValueError):
    """Packed ciphertexts have different layouts, or values do not fit a layout."""


class SecretExposureError(CryptoError, TypeError):
    """A secret was about to leave the process by pickle or copy."""


class KeyFileError(CryptoError, ValueError):
    """A key file cannot be opened: wrong password, damaged, or of another kind."""


class InsecureKeyFileError(KeyFileError, PermissionError):
    """A key file can be read by others than its owner."""


class WireError(PrivMLError, ValueError):
    """Received bytes are not what they should be."""


class TruncatedError(WireError):
    """A message ends before its declared length."""


class OversizedError(WireError):
    """A message is longer than declared or than allowed."""


class VersionError(WireError):
    """A message is of another version of the format."""


class MalformedError(WireError):
    """A message is of another type or has fields out of range."""


class DataError(PrivMLError, ValueError):
    """A table does not fit its schema; the message names row and column."""


class SchemaError(DataError):
    """A schema contradicts itself."""


class ColumnError(DataError):
    """A column is missing, or there is one the schema does not know."""


class UnknownCategoryError(DataError):
    """A cell holds a value that the schema does not list."""


class MissingValueError(DataError):
    """A cell is empty."""


class ValueTypeError(DataError, TypeError):
    """A cell holds a value of the wrong type."""


class ChannelError(PrivMLError, ConnectionError):
    """The link between the units failed."""


class ChannelClosedError(ChannelError):
    """The peer is gone, or this side closed or aborted the channel."""


class ChannelEndedError(ChannelClosedError):
    """The peer closed the channel in good order, between two messages; a cut connection never raises this."""


class ChannelTimeoutError(ChannelError, TimeoutError):
    """The peer did not answer in time."""


class FrameTooLargeError(ChannelError):
    """A frame exceeds the agreed maximum."""


class PeerIdentityError(ChannelError):
    """The peer did not prove that it is who it should be."""


class ProtocolError(PrivMLError, RuntimeError):
    """The two units fell out of step."""


class FrameSizeError(ProtocolError):
    """A message has another length than the protocol's next step expects."""


class DrawReusedError(ProtocolError):
    """Correlated randomness was asked for a second time."""


class EpochMismatchError(ProtocolError):
    """The units hold correlated randomness of different deals."""


class LaneError(ProtocolError):
    """A worker among which a unit divides its work cannot be found, or is gone."""


class ValidationError(PrivMLError, ValueError):
    """Shared data are not what they must be, e.g. no one-hot rows. Neither unit learns more than that."""


class UploadError(PrivMLError, ValueError):
    """An upload cannot be taken."""


class DuplicateUploadError(UploadError):
    """The same owner already sent an upload of this identity."""


class UnknownUploadError(UploadError, LookupError):
    """There is no such upload, or it was withdrawn already."""


class CapacityError(UploadError):
    """One more addition would exceed what the layout planned for."""


class SessionError(PrivMLError, ValueError):
    """A query session is unknown, closed, or used against its rules."""


class CounterError(SessionError):
    """A session counter did not increase."""


class AuthorisationError(PrivMLError, PermissionError):
    """The operator or the owner did not allow this."""


class ClassifierError(PrivMLError, ValueError):
    """A learner was used against its rules."""


class UnknownClassifierError(ClassifierError, LookupError):
    """No installed package registers a classifier of this name."""


class ContractError(ClassifierError, AssertionError):
    """A classifier does not keep the contract of classifiers (`classifiers.checks`)."""


class NotFittedError(ClassifierError):
    """A classifier was asked to predict before it was trained."""
