"""How few rounds of calls a run could have been, had all that need not wait been side by side.

A call waits for another one when it names what only that one's answer gave out (an id, an ARN, a name of DNS), or what
that one made under a name. What is written comes after what was read. The floor is those rounds times the delay.
"""
import re

# What AWS gives out, as it stands in requests and answers.
GIVEN = re.compile(
    r"\b(?:sg|lt|subnet|vpc|ami|i|eni|vol|rtb|sgr)-[0-9a-f]{8,17}\b"
    r"|arn:aws:[^\s<>\"'&,]+"
    r"|[\w-]+\.[\w-]+\.elb\.[\w-]*\.?amazonaws\.com"
    r"|\bZ[0-9A-Z]{8,32}\b"
)
# What has a name of ours and no id: what names it must come after what made it.
NAMED = re.compile(r"\b(RoleName|InstanceProfileName|AutoScalingGroupName)=([\w+=,.@/-]+?)(?=&|$)")

# What AWS refuses to delete before what (DependencyViolation, ResourceInUse, DeleteConflict).
AFTER = {
    "DeleteSecurityGroup": {"DeleteAutoScalingGroup", "DeleteLoadBalancer"},
    "DeleteTargetGroup": {"DeleteLoadBalancer"},
    "DeleteRole": {"DetachRolePolicy", "RemoveRoleFromInstanceProfile"},
    "DeletePolicy": {"DetachRolePolicy"},
    "DeleteInstanceProfile": {"RemoveRoleFromInstanceProfile"},
}


def given(text):
    return set(GIVEN.findall(text))


def named(text):
    return set(NAMED.findall(text))


def depths(calls, waits_for):
    """How many rounds pass until the end of each call; `waits_for(call)` are calls before it."""
    depth = {}
    for call in calls:
        before = [depth[id(other)] for other in waits_for(call) if id(other) in depth]
        depth[id(call)] = 1 + max(before, default=0)
    return max(depth.values(), default=0)


def chain(calls, known):
    """Rounds of calls by what they name; `known`: what stood in the configuration."""
    givers, makers = {}, {}
    for call in sorted(calls, key=lambda call: call.ended):
        for token in given(call.answer) - known:
            givers.setdefault(token, call)
        if not call.reads:
            for name in named(call.request):
                makers.setdefault(name, call)

    def waits_for(call):
        names = () if call.reads else named(call.request)
        found = [givers.get(token) for token in given(call.request)] + [makers.get(name) for name in names]
        return [other for other in found if other is not None and other is not call and other.ended <= call.began]

    return depths(calls, waits_for)


def removal(deletes):
    """Rounds of deletes, in the order that AWS insists on; of two security groups the second is named by the first."""
    groups = [call for call in deletes if call.operation == "DeleteSecurityGroup"]

    def waits_for(call):
        first = AFTER.get(call.operation, set())
        others = [other for other in deletes if other.operation in first]
        return others + groups[: groups.index(call)] if call in groups else others

    order = sorted(deletes, key=lambda call: (call.operation in AFTER, call.operation == "DeleteRole", call.began))
    return depths(order, waits_for)


def rounds(calls, config):
    """The rounds of a run: what it reads before its first write, and its writes."""
    known = given(config)
    first = next((number for number, call in enumerate(calls) if not call.reads), len(calls))
    writes = [call for call in calls if not call.reads]
    removes = any(call.operation.startswith("DeleteLoadBalancer") for call in writes)
    return chain(calls[:first], known) + (removal(writes) if removes else chain(writes, known | read(calls[:first])))


def read(calls):
    """What was known before the first write."""
    return set().union(*(given(call.answer) for call in calls)) if calls else set()
