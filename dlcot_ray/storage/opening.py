"""From a URL and its options to the backend that serves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fsspec.core import url_to_fs

from dlcot_ray.storage.backend import Backend
from dlcot_ray.storage.failures import without_credentials
from dlcot_ray.storage.fsspec_files import FsspecBackend
from dlcot_ray.storage.local_files import LocalBackend
from dlcot_ray.storage.urls import is_hub, is_local, is_s3


def pinned(url: str, options: Mapping[str, Any]) -> tuple[str, str]:
    """A URL that always reads the same content, and the revision that it names.

    Of a hub's repository that is the commit which its branch or tag points at now. Any other URL is returned
    as it is, with an empty revision.

    Raises:
        Exception: from huggingface_hub, e.g. FileNotFoundError if there is no such repository.
    """
    if not is_hub(url):
        return url, ""
    fs, root = url_to_fs(url, **{"use_listings_cache": False, **options})
    fs.invalidate_cache()
    found = fs.resolve_path(root)
    if not hasattr(found, "repo_id"):
        # A bucket has no revisions.
        return url, ""
    # Imported here, because only this place needs the package.
    from huggingface_hub import HfApi

    api = HfApi(endpoint=fs.endpoint, token=fs.token)
    commit = str(api.repo_info(found.repo_id, repo_type=found.repo_type, revision=found.revision).sha)
    place = f"hf://{found.repo_type}s/{found.repo_id}@{commit}"
    return f"{place}/{found.path_in_repo}" if found.path_in_repo else place, commit


def open_backend(url: str, options: Mapping[str, Any]) -> tuple[Backend, str]:
    """The backend of a URL, and the URL that opens it again from any working directory.

    Raises:
        Exception: from fsspec or the package of the protocol, e.g. ImportError if it is not installed.
    """
    if is_local(url):
        _, root = url_to_fs(url, **options)
        root = str(root).rstrip("/") or "/"
        return LocalBackend(root), root
    display_url = without_credentials(url.rstrip("/"))
    if is_s3(url):
        # Imported here, because it imports botocore: half a second that local jobs can do without.
        from dlcot_ray.storage.s3 import S3Backend
        from dlcot_ray.storage.s3_requests import client_options

        fs, root = url_to_fs(url, **client_options(options))
        return S3Backend(fs, str(root), display_url), url
    fs, root = url_to_fs(url, **{"use_listings_cache": False, **options})
    return FsspecBackend(fs, str(root), display_url), url
