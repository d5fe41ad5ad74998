"""Where the queue of a sweep is kept: a journal file, or a database behind a URL."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

import optuna
import sqlalchemy
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

from attention_lab.storage.files import naming

CONNECT_SECONDS = 10

optuna.logging.set_verbosity(optuna.logging.ERROR)


def open_storage(location: str) -> optuna.storages.BaseStorage:
    """Opens a storage.

    Args:
      location: a file, such as `runs/translation/sweep.journal`, made where it is missing; or a URL that
        SQLAlchemy accepts, such as `postgresql://user@host/name` or `sqlite:///file.db`.
    Raises:
      ValueError: it can't be reached or read, or its driver is not installed.
    """
    if "://" not in location:
        path = Path(location).absolute()  # the lock of a relative path would follow the working directory
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise ValueError(f"--storage={location} is a folder: give a file, or a database's URL")
        try:
            # Open files lock on network file systems too, where links do not.
            return optuna.storages.JournalStorage(
                JournalFileBackend(str(path), lock_obj=JournalFileOpenLock(str(path))))
        except (KeyError, ValueError) as error:  # bytes that are no text are a ValueError too
            raise ValueError(f"--storage={location} is damaged or of another program ({_line(error)}): take "
                             "it away and repeat the command, finished runs stay finished") from error
    url, arguments = location, {}
    if location.startswith(("postgresql://", "postgres://")):
        url = "postgresql+psycopg://" + location.partition("://")[2]
        arguments = {"connect_args": {"connect_timeout": CONNECT_SECONDS}}
    with storage_errors(location):
        return optuna.storages.RDBStorage(url, engine_kwargs=arguments)


@contextlib.contextmanager
def storage_errors(location: str) -> Iterator[None]:
    """Converts exceptions of a storage into a ValueError, or an OSError, of one line that names its location.

    Warnings of optuna that a feature is experimental are silenced.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            with naming(location):
                yield
    except ImportError as error:
        extra = ": pip install 'attention-lab[postgres]'" if "psycopg" in str(error) else ""
        raise ValueError(f"--storage={location}: its driver is not installed ({error}){extra}") from error
    except sqlalchemy.exc.ArgumentError as error:
        raise ValueError(f"--storage={location} is no URL of a database ({_line(error)}): "
                         "postgresql://user@host/name is the spelling, or a file's path") from error
    except (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise ValueError(f"--storage={location} can't be reached: {_line(error)}") from error


def _line(error: BaseException) -> str:
    cause = error.__cause__ if isinstance(error, optuna.exceptions.StorageInternalError) else error
    return (str(cause or error).strip().splitlines() or [type(error).__name__])[0]
