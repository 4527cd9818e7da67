"""The SBOM of a bundle, in CycloneDX: its files with their hashes, and what they depend on."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from ..dists.reading import Dist


def sbom(groups: list[list[Dist]], seconds: int) -> str:
    """Return the SBOM of the distributions whose dists are in `groups`, as JSON; the same dists give the same text.

    `seconds` is its time. Dependencies are listed as in the metadata, without a version, which is resolved at
    installation.
    """
    released = {group[0].name: _distribution(group) for group in groups}
    serial = uuid.uuid5(uuid.NAMESPACE_URL, " ".join(dist.sha256 for group in groups for dist in group))
    main = next(iter(released.values())) if len(released) == 1 else None
    time = datetime.fromtimestamp(seconds, timezone.utc)
    bom = Bom(serial_number=serial, metadata=BomMetaData(component=main, timestamp=time))
    for group in groups:
        needed = _dependencies(group[0], released)
        bom.components.update(component for component in needed if component not in released.values())
        bom.register_dependency(released[group[0].name], needed)
    if not main:
        bom.components.update(released.values())
    return JsonV1Dot6(bom).output_as_string(indent=2)


def _distribution(dists: list[Dist]) -> Component:
    metadata, purl = dists[0].metadata, PackageURL("pypi", name=dists[0].name, version=dists[0].version)
    written = metadata.get("License-Expression")
    return Component(
        name=metadata["Name"],
        version=dists[0].version,
        description=metadata.get("Summary"),
        licenses=[LicenseFactory().make_from_string(written)] if written else None,
        purl=purl,
        bom_ref=str(purl),
        components=[
            Component(
                name=dist.path.name,
                type=ComponentType.FILE,
                bom_ref=dist.path.name,
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=dist.sha256)],
            )
            for dist in dists
        ],
    )


def _dependencies(dist: Dist, released: dict[str, Component]) -> list[Component]:
    """Return what `dist` depends on, with the requirements as properties; its component if it is in this release."""
    requirements: dict[str, list[str]] = {}
    for text in dist.metadata.get_all("Requires-Dist", []):
        requirements.setdefault(canonicalize_name(Requirement(text).name), []).append(text)
    return [released.get(name) or _required(name, texts) for name, texts in requirements.items() if name != dist.name]


def _required(name: str, texts: list[str]) -> Component:
    purl = PackageURL("pypi", name=name)
    properties = [Property(name="Requires-Dist", value=text) for text in texts]
    return Component(name=name, purl=purl, bom_ref=str(purl), properties=properties)
