"""The rules, in the order in which the documentation lists them."""

from tagship.audit.model import Rule

from . import builds, identity, managed, triggers

RULES: tuple[Rule, ...] = (
    identity.LongLivedCredential(),
    identity.CalledWorkflow(),
    identity.WideIdentity(),
    identity.NoEnvironment(),
    triggers.WithoutTag(),
    triggers.TagNotCompared(),
    triggers.CannotTrigger(),
    triggers.TwoPublishers(),
    triggers.NeedsIncomplete(),
    triggers.ImmutableRelease(),
    builds.BuildsAndPublishes(),
    builds.ShallowCheckout(),
    builds.VersionMadeInCI(),
    builds.BlindSkip(),
    builds.DifferentBuilds(),
    managed.SessionWithoutJob(),
    managed.JobWithoutSession(),
    managed.ManagedFile(),
)
