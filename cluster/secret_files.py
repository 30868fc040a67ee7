"""Which files of a project usually hold secrets: they are neither sent to a cluster nor recorded."""

from __future__ import annotations

from pathspec import GitIgnoreSpec

PATTERNS = (
    ".env", ".env.*", "*.env", ".envrc", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx", "*.ppk",
    "id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", ".netrc", "_netrc", ".pgpass", ".my.cnf", ".pypirc", ".npmrc",
    ".yarnrc.yml", ".htpasswd", ".git-credentials", ".dockercfg", ".boto", ".s3cfg", "kaggle.json", "auth_token",
    "kubeconfig", "*.tfvars", "*.tfstate", "*credential*", "*secret*", ".aws/",
    ".ssh/", ".kube/", ".gnupg/", ".docker/", ".azure/", "gcloud/", ".ray/", ".huggingface/",
)  # fmt: skip
"""Patterns of .gitignore, in lower case."""

_SPEC = GitIgnoreSpec.from_lines(PATTERNS)


def is_secret(name: str) -> bool:
    """Whether a file usually holds secrets.

    Args:
        name: Its path from the project's root, with ``/``.
    """
    return _SPEC.match_file(name.lower())
