"""The rules, in the order in which the documentation lists them."""

from tagship.audit.model import Rule

from . import builds, identity, managed, order, triggers, version

RULES: tuple[Rule, ...] = (
    identity.LongLivedCredential(),
    identity.CalledWorkflow(),
    identity.WideIdentity(),
    identity.NoEnvironment(),
    triggers.WithoutTag(),
    version.TagNotCompared(),
    triggers.CannotTrigger(),
    triggers.TwoPublishers(),
    order.NeedsIncomplete(),
    order.ImmutableRelease(),
    builds.BuildsAndPublishes(),
    builds.RunsProjectCode(),
    version.ShallowCheckout(),
    version.VersionMadeInCI(),
    builds.BlindSkip(),
    builds.DifferentBuilds(),
    managed.SessionWithoutJob(),
    managed.JobWithoutSession(),
    managed.TwoReleases(),
    managed.ManagedFile(),
)
