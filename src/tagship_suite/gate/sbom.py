"""The SBOM of a bundle, in CycloneDX: its files with their hashes, and what they depend on."""

import uuid
from collections import defaultdict
from datetime import datetime, timezone

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..dists.reading import Dist


def sbom(groups: list[list[Dist]], seconds: int) -> str:
    """Return the SBOM of the distributions in `groups`, as JSON with the time `seconds`; the same each time.

    Dependencies are listed as in the metadata: installers choose the versions.
    """
    released = {group[0].name: _distribution(group) for group in groups}
    needed, texts = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for dist in (group[0] for group in groups):
        for text in dist.metadata.get_all("Requires-Dist", []):
            needed[dist.name].append(str(canonicalize_name(Requirement(text).name)))
            texts[needed[dist.name][-1]].append(text)
    # One component for each dependency: two of one reference would get random ones.
    others = {name: _required(name, some) for name, some in texts.items() if name not in released}
    serial = uuid.uuid5(uuid.NAMESPACE_URL, " ".join(dist.sha256 for group in groups for dist in group))
    main = next(iter(released.values())) if len(released) == 1 else None
    time = datetime.fromtimestamp(seconds, timezone.utc)
    bom = Bom(serial_number=serial, metadata=BomMetaData(component=main, timestamp=time))
    bom.components.update(others.values(), [] if main else released.values())
    for name, some in needed.items():
        bom.register_dependency(released[name], [(released | others)[each] for each in some if each != name])
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
        components=[_file(dist.path.name, dist.sha256) for dist in dists],
    )


def _file(name: str, sha256: str) -> Component:
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=sha256)]
    return Component(name=name, type=ComponentType.FILE, bom_ref=name, hashes=hashes)


def _required(name: str, texts: list[str]) -> Component:
    purl = PackageURL("pypi", name=name)
    properties = [Property(name="Requires-Dist", value=text) for text in texts]
    return Component(name=name, purl=purl, bom_ref=str(purl), properties=properties)
