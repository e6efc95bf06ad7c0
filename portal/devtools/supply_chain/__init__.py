"""What the portal is built of: pinned packages, an SBOM, known vulnerabilities, and secrets in the repository."""
