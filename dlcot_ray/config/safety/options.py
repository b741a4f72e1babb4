"""Free-form options hold no credentials, because the configuration is stored with the output.

Options of storage come from a list of harmless ones; everything else belongs into the environment or into
fsspec's own configuration, which is never stored. Options of judges are refused by their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dlcot_ray.credentials import names_credential, redacted
from dlcot_ray.errors import ConfigError, did_you_mean

_HARMLESS_TOKENS = ("anon", "google_default", "cloud", "cache", "browser")
"""Values of gcsfs's `token` that name a method instead of a secret."""

_NAMES = """
anon endpoint_url profile requester_pays use_ssl version_aware cache_regions default_block_size
default_fill_cache default_cache_type max_concurrency fixed_upload_size client_kwargs config_kwargs
s3_additional_kwargs region region_name verify api_version connect_timeout read_timeout
max_pool_connections retries max_attempts total_max_attempts mode s3 addressing_style signature_version
payload_signing_enabled use_accelerate_endpoint use_dualstack_endpoint use_fips_endpoint
us_east_1_regional_endpoint tcp_keepalive user_agent_extra parameter_validation
request_checksum_calculation response_checksum_validation request_min_compression_size_bytes
disable_request_compression ServerSideEncryption SSEKMSKeyId BucketKeyEnabled ACL StorageClass
RequestPayer Tagging CacheControl ContentType ExpectedBucketOwner project access consistency
default_location requests_timeout token account_name account_host location_mode socket_timeout blocksize
endpoint revision repo_type host port user username protocol timeout trust_env block_size size_policy
simple_links same_scheme encoding auto_mkdir skip_instance_cache use_listings_cache target_protocol
target_options remote_protocol remote_options cache_storage compression check_files expiry_time same_names
fo path
"""
STORAGE_OPTIONS = frozenset(_NAMES.split())
"""Names of options that may be set, at any depth: those of s3fs and its client, of gcsfs, adlfs and the hub,
of HTTP, SSH and chains of protocols that hold no credential."""


def check_storage_options(group: str, options: Mapping[str, Any]) -> None:
    """Refuse storage options that may be credentials: all that are not in `STORAGE_OPTIONS`.

    Args:
        group: name of the setting that holds them, e.g. ``storage``.
        options: nested; the first level has the sides (input, output, annotations).

    Raises:
        ConfigError: names the first such option, without its value.
    """
    for side, given in options.items():
        for name, key, value in _leaves(given or {}, f"{group}.{side}."):
            if key not in STORAGE_OPTIONS or (key == "token" and value not in (None, *_HARMLESS_TOKENS)):
                meant = did_you_mean(key, STORAGE_OPTIONS)
                raise ConfigError(
                    f"{name} cannot be set, because settings are stored with the output and it may be a "
                    "credential",
                    "put credentials into the environment, and other options into fsspec's configuration "
                    f"(~/.config/fsspec){f'; {meant}' if meant.startswith('did') else ''}",
                )
            _check_text(name, value)


def check_no_credentials(group: str, options: Mapping[str, Any]) -> None:
    """Refuse options of a judge or writer whose names or values look like credentials.

    Args:
        group: name of the setting that holds them, e.g. ``judge_options``.
        options: nested.

    Raises:
        ConfigError: names the first such option, without its value.
    """
    for name, key, value in _leaves(options, f"{group}."):
        if names_credential(key) and value is not None:
            raise ConfigError(
                f"{name} looks like a credential, and settings are stored with the output",
                "put credentials into the environment or the provider's own configuration",
            )
        _check_text(name, value)


def _check_text(name: str, value: object) -> None:
    if isinstance(value, str) and redacted(value) != value:
        raise ConfigError(
            f"{name} holds a credential, and settings are stored with the output",
            "put credentials into the environment or the provider's own configuration",
        )


def _leaves(options: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str, Any]]:
    """Every option with its full name and its own; the names of groups of options count as well."""
    for key, value in options.items():
        yield f"{prefix}{key}", str(key), None if isinstance(value, Mapping) else value
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{key}.")
        for item in value if isinstance(value, list) else ():
            if isinstance(item, Mapping):
                yield from _leaves(item, f"{prefix}{key}.")
            else:
                yield f"{prefix}{key}", str(key), item
