"""What the Hugging Face hub refuses, in sentences."""

from pathlib import Path
from typing import Final

from huggingface_hub import constants, get_token
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import repo_folder_name

from zooscope.errors import ClassifierError, first_line
from zooscope.hub import TOKEN, explain_offline

UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403


def make_hub_error(error: Exception, repository: str, *, instead: str) -> ClassifierError | None:
    """An error of the hub's client as one sentence; None for an error of another kind.

    Args:
        error: what the client raised.
        repository: `ORG/NAME`, without a revision.
        instead: what to do without the hub; ends the sentence about a repository that is neither at hand nor within reach.
    """
    if isinstance(error, GatedRepoError):
        then = "the owner of the token that was sent has not yet" if get_token() else f"then give {TOKEN}"
        msg = f"{repository} is gated: accept its terms at https://huggingface.co/{repository} ({then})."
    elif isinstance(error, LocalEntryNotFoundError):
        folder = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repository, repo_type="model")
        msg = f"{repository} is not in the cache ({folder}), and {explain_offline()}; go online once, or {instead}."
    elif isinstance(error, RepositoryNotFoundError):
        private = "if it is private, the token that was sent may not read it" if get_token() else f"if it is private, give {TOKEN}"
        msg = f"the Hugging Face hub has no repository {repository}; check the spelling, or {private}."
    elif isinstance(error, RevisionNotFoundError):
        msg = f"{repository} has no such revision; leave out what follows the @, or name a branch, tag or commit of it."
    elif isinstance(error, EntryNotFoundError):
        msg = f"{repository} lacks a file that is needed: weights, or config.json in timm's format."
    elif isinstance(error, HfHubHTTPError) and error.response.status_code in {UNAUTHORIZED, FORBIDDEN}:
        msg = (
            f"the Hugging Face hub refuses the token that was sent for {repository}; give {TOKEN}, or none for a public repository."
        )
    elif isinstance(error, HFValidationError):
        msg = f"{repository!r} is no name of a repository; write ORG/NAME."
    elif isinstance(error, HfHubHTTPError):
        msg = f"the Hugging Face hub fails for {repository} ({first_line(error)}); try again later, or {instead}."
    else:
        return None
    return ClassifierError(msg)
